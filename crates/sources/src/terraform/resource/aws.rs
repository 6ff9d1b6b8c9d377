use std::collections::{BTreeMap, BTreeSet};

use daypass_trust::CompileOptions;
use daypass_trust::Dialect;
use daypass_trust::document::{Node, Span, Value};

use super::{Resource, known_strings};
use crate::aws::{Providers, is_trust_policy, shape};
use crate::found::{Facts, FoundPolicy};
use crate::terraform::session::Session;
use crate::terraform::value::Val;

pub(super) const KINDS: [&str; 4] = [
    "aws_iam_role",
    "aws_iam_openid_connect_provider",
    "aws_iam_role_policy_attachment",
    "aws_iam_role_policy_attachments_exclusive",
];

/// What has to be known of all files before policies are complete.
#[derive(Default)]
pub(super) struct Collected {
    providers: Providers,
    policies: Vec<FoundPolicy>,
    /// Documents that a role has as its own.
    used: BTreeSet<Span>,
    /// Documents that are trust policies, by where they stand.
    documents: BTreeMap<Span, FoundPolicy>,
    /// Permissions by module and role name.
    attached: Vec<(String, String, String)>,
}

impl Collected {
    pub(super) fn read<'p>(&mut self, session: &Session<'p>, resource: &Resource<'_, 'p>) {
        match resource.kind {
            "aws_iam_role" => self.role(session, resource),
            "aws_iam_openid_connect_provider" => self.provider(session, resource),
            "aws_iam_policy_document" => self.document(session, resource),
            _ => self.attachment(session, resource),
        }
    }

    fn role<'p>(&mut self, session: &Session<'p>, resource: &Resource<'_, 'p>) {
        let head = resource.block.head;
        let Some(expression) = resource.block.body.attribute("assume_role_policy") else {
            let place = session.project.map.locate(head);
            session.unresolved_as(place, resource.address.clone(), "the role sets no `assume_role_policy`");
            return;
        };
        let span = expression.span();
        let value = session.eval(expression, &resource.env);
        let document = session.document(&value).map_err(|why| (span, why));
        if let Ok(tree) = &document {
            self.used.insert(tree.span);
        }
        if let Some(policy) = complete(session, resource, document, span) {
            self.policies.push(policy);
        }
    }

    fn provider<'p>(&mut self, session: &Session<'p>, resource: &Resource<'_, 'p>) {
        let Some(url) = resource.get(session, "url").and_then(|node| node.as_str().map(str::to_owned)) else {
            return;
        };
        let audiences = resource.get(session, "client_id_list").and_then(|it| known_strings(session, &it));
        self.providers.add(&url, audiences);
    }

    /// A document that no role of the tree has as its own may be one of a role elsewhere.
    fn document<'p>(&mut self, session: &Session<'p>, resource: &Resource<'_, 'p>) {
        let tree = crate::terraform::policy_document::read(session, resource.block, &resource.env);
        if !is_trust_policy(&tree) {
            return;
        }
        let span = tree.span;
        if let Some(policy) = complete(session, resource, Ok(tree), span) {
            self.documents.insert(span, policy);
        }
    }

    fn attachment<'p>(&mut self, session: &Session<'p>, resource: &Resource<'_, 'p>) {
        let role = ["role", "role_name"].iter().find_map(|name| resource.shown(session, name));
        let Some(role) = role else { return };
        let module = resource.env.module.address.clone();
        for name in ["policy_arn", "policy_arns"] {
            let Some(node) = resource.get(session, name) else { continue };
            for item in node.as_array().unwrap_or(std::slice::from_ref(&node)) {
                let permission = session.shown(item).unwrap_or_else(|| "${...}".to_owned());
                self.attached.push((module.clone(), role.clone(), permission));
            }
        }
    }

    pub(super) fn finish(self, session: &Session<'_>) {
        let consumed = session.consumed.borrow();
        let own = self
            .documents
            .into_iter()
            .filter(|(span, _)| !self.used.contains(span) && !consumed.contains(span));
        for mut policy in self.policies.into_iter().chain(own.map(|(_, policy)| policy)) {
            policy.options.audiences = self.providers.audiences(&policy.tree);
            let module = policy.module.as_ref().map(|module| format!("{module}.")).unwrap_or_default();
            let mine = self.attached.iter().filter(|(in_module, role, _)| {
                *in_module == module && policy.facts.name.as_deref() == Some(role)
            });
            policy.facts.permissions.extend(mine.map(|(.., permission)| permission.clone()));
            policy.facts.permissions.sort();
            policy.facts.permissions.dedup();
            session.found.borrow_mut().push(policy);
        }
    }
}

fn complete<'p>(
    session: &Session<'p>,
    resource: &Resource<'_, 'p>,
    document: Result<Node, (Span, String)>,
    span: Span,
) -> Option<FoundPolicy> {
    let finished = match document {
        Ok(tree) => session.finish(&tree)?,
        Err((span, why)) => {
            session.unresolved(span, why);
            return None;
        }
    };
    let source = finished.source;
    let tree = match shape(finished.tree) {
        Ok(tree) => tree,
        Err((at, why)) => {
            let construct = crate::found::excerpt(source.slice(at));
            session.unresolved_as(source.at(at), construct, why);
            return None;
        }
    };
    if tree.get("Statement").is_none() {
        session.unresolved(span, "the text is no policy document: it has no `Statement`");
        return None;
    }
    let name = resource.shown(session, "name");
    let facts = Facts {
        environment: resource.environment(session, name.as_deref()),
        name,
        max_session: resource.get(session, "max_session_duration").and_then(|node| match &node.value {
            Value::Number(text) | Value::String(text) => text.parse().ok(),
            _ => None,
        }),
        permissions: resource
            .get(session, "managed_policy_arns")
            .and_then(|node| Some(node.as_array()?.iter().filter_map(|item| session.shown(item)).collect()))
            .unwrap_or_default(),
    };
    let finished = crate::terraform::finish::Finished { source, tree };
    Some(resource.policy(session, Dialect::Aws, finished, CompileOptions::default(), facts))
}

impl Session<'_> {
    /// Notes that a document became a part of another.
    pub(in crate::terraform) fn consume(&self, value: &Val) {
        let span = value.json.as_ref().map_or(value.node.span, |tree| tree.span);
        self.consumed.borrow_mut().insert(span);
    }
}
