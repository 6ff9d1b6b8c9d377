use std::collections::BTreeMap;

use daypass_trust::CompileOptions;
use daypass_trust::Dialect;
use daypass_trust::document::{Location, Member, Node, Span, Value};

use super::{Resource, get_in, module_of, renamed, table};
use crate::found::{Facts, FoundPolicy, Origin};
use crate::gcp::{UNKNOWN_PROJECT, document, pool_of};
use crate::terraform::dynamic::Inner;
use crate::terraform::finish::readable;
use crate::terraform::session::Session;
use crate::terraform::value::place;

const PROVIDER: &str = "google_iam_workload_identity_pool_provider";

/// Providers by pool, and what is granted to principals of pools.
#[derive(Default)]
pub(super) struct Collected {
    providers: Vec<Provider>,
    grants: Vec<Grant>,
}

struct Provider {
    pool: String,
    address: String,
    module: Option<String>,
    location: Location,
    tree: Node,
}

/// Members that get a role on a target.
struct Grant {
    pool: String,
    /// The project's number, where the member names it.
    number: Option<String>,
    target: String,
    location: Location,
    module: Option<String>,
    role: Node,
    member: Node,
    /// A condition on the grant, which is about the request and not about the token.
    condition: Option<Node>,
}

/// Providers, and the resources that grant roles to members.
pub(super) fn concerns(kind: &str) -> bool {
    kind == PROVIDER
        || (kind.starts_with("google_")
            && ["_iam_member", "_iam_binding", "_iam_policy"].iter().any(|ending| kind.ends_with(ending)))
}

impl Collected {
    pub(super) fn read<'p>(&mut self, session: &Session<'p>, resource: &Resource<'_, 'p>) {
        if resource.kind == PROVIDER {
            self.provider(session, resource);
        } else {
            self.grant(session, resource);
        }
    }

    fn provider<'p>(&mut self, session: &Session<'p>, resource: &Resource<'_, 'p>) {
        let pool = resource.get(session, "workload_identity_pool_id");
        let pool = pool
            .as_ref()
            .and_then(Node::as_str)
            .map(|text| text.rsplit('/').next().unwrap_or(text).to_owned());
        let names = BTreeMap::from([
            ("display_name", "displayName"),
            ("attribute_mapping", "attributeMapping"),
            ("attribute_condition", "attributeCondition"),
            ("disabled", "disabled"),
        ]);
        let head = resource.block.head;
        let mut members = renamed(session, resource.block, &resource.env, &names);
        for Inner { block: oidc, env, .. } in session.blocks(resource.block.body, "oidc", &resource.env) {
            let names = BTreeMap::from([
                ("issuer_uri", "issuerUri"),
                ("allowed_audiences", "allowedAudiences"),
                ("jwks_json", "jwksJson"),
            ]);
            let node = table(oidc.head, renamed(session, &oidc, &env, &names));
            members.push(Member { name: "oidc".to_owned(), name_span: oidc.head, node });
        }
        if !members.iter().any(|member| member.name == "oidc") {
            let what =
                ["aws", "saml", "x509"].into_iter().find(|it| !resource.block.body.blocks(it, 0).is_empty());
            let why = match what {
                Some(what) => {
                    format!("the provider is of kind `{what}`: it takes no tokens of OpenID Connect")
                }
                None => "the provider has no `oidc` block".to_owned(),
            };
            session.unresolved_as(session.project.map.locate(head), resource.address.clone(), why);
            return;
        }
        let id = get_in(session, resource.block, "workload_identity_pool_provider_id", &resource.env);
        if let Some(id) = id {
            members.push(Member { name: "id".to_owned(), name_span: id.span, node: id });
        }
        self.providers.push(Provider {
            pool: pool.unwrap_or_default(),
            address: resource.address.clone(),
            module: module_of(&resource.env),
            location: session.project.map.locate(head),
            tree: table(head, members),
        });
    }

    fn grant<'p>(&mut self, session: &Session<'p>, resource: &Resource<'_, 'p>) {
        let head = resource.block.head;
        let mut granted: Vec<(Node, Node)> = Vec::new();
        let unknown_role = || Node { span: head, value: Value::String("roles/unknown".to_owned()) };
        let role = resource.get(session, "role").unwrap_or_else(unknown_role);
        for name in ["member", "members"] {
            if let Some(node) = resource.get(session, name) {
                granted.extend(items(&node).iter().map(|member| (role.clone(), member.clone())));
            }
        }
        if let Some(expression) = resource.block.body.attribute("policy_data") {
            match session.document(&session.eval(expression, &resource.env)) {
                Ok(policy) => {
                    for binding in policy.get("bindings").map(items).unwrap_or_default() {
                        let role = binding.get("role").cloned().unwrap_or_else(unknown_role);
                        let members = binding.get("members").map(items).unwrap_or_default();
                        granted.extend(members.iter().map(|member| (role.clone(), member.clone())));
                    }
                }
                Err(why) => session.unresolved(expression.span(), why),
            }
        }
        let target = target(session, resource);
        let condition = session.blocks(resource.block.body, "condition", &resource.env).into_iter().next();
        let condition = condition.map(|Inner { block, env, .. }| {
            let names = BTreeMap::from([("title", "title"), ("expression", "expression")]);
            table(block.head, renamed(session, &block, &env, &names))
        });
        for (role, member) in granted {
            if let Some(why) = member.unresolved() {
                session.unresolved(member.span, why);
                continue;
            }
            let Some(text) = member.as_str() else { continue };
            let Some((project, pool)) = pool_of(text) else {
                // A pool that is known by an unknown name may still be meant.
                if let Some(why) = session.why_marked(text).filter(|_| text.starts_with("principal")) {
                    session.unresolved(member.span, why);
                }
                continue;
            };
            let number = project.bytes().all(|byte| byte.is_ascii_digit()).then(|| project.to_owned());
            self.grants.push(Grant {
                pool: pool.to_owned(),
                number,
                target: target.clone().unwrap_or_else(|| resource.address.clone()),
                location: session.project.map.locate(head),
                module: module_of(&resource.env),
                role,
                member,
                condition: condition.clone(),
            });
        }
    }

    /// One policy per pool and target; a pool without a target is what it admits.
    pub(super) fn finish(self, session: &Session<'_>) {
        let mut pools: BTreeMap<&str, Vec<&Provider>> = BTreeMap::new();
        for provider in &self.providers {
            pools.entry(&provider.pool).or_default().push(provider);
        }
        let mut targets: BTreeMap<(&str, &str), Vec<&Grant>> = BTreeMap::new();
        for grant in &self.grants {
            targets.entry((&grant.pool, &grant.target)).or_default().push(grant);
        }
        for ((pool, target), grants) in &targets {
            let Some(providers) = pools.get(pool) else {
                for grant in grants {
                    let readable = readable(pool);
                    let why = format!("the providers of pool `{readable}` are not in the tree");
                    session.unresolved(grant.member.span, why);
                }
                continue;
            };
            push(session, target, providers, grants);
        }
        for (pool, providers) in &pools {
            if !targets.keys().any(|(granted, _)| granted == pool) {
                push(session, "", providers, &[]);
            }
        }
    }
}

fn push(session: &Session<'_>, target: &str, providers: &[&Provider], grants: &[&Grant]) {
    let Some(first) = providers.first() else { return };
    // The members name the project in one way, or the provider is not named after it: they would seem to be of another pool.
    let mut numbers = grants.iter().map(|grant| grant.number.as_deref());
    let number = numbers.next().flatten().filter(|first| numbers.all(|number| number == Some(*first)));
    let span = first.tree.span;
    let trees = providers.iter().map(|provider| {
        let mut tree = session.adopt(provider.tree.clone(), span);
        name_provider(&mut tree, &provider.pool, number);
        tree
    });
    let trees = trees.collect();
    let bindings = grants.iter().map(|grant| binding(session, grant, span)).collect();
    let tree = document(span, trees, (!grants.is_empty()).then_some(bindings));
    let Some(finished) = session.finish(&tree) else { return };
    let permissions: std::collections::BTreeSet<String> =
        grants.iter().filter_map(|grant| session.shown(&grant.role)).collect();
    let name = readable(target);
    let mut policy = FoundPolicy {
        dialect: Dialect::Gcp,
        source: finished.source,
        tree: finished.tree,
        role: first.address.clone(),
        location: first.location.clone(),
        module: first.module.clone(),
        origin: Origin::Terraform,
        options: CompileOptions::default(),
        facts: Facts {
            environment: crate::found::environment_of(&name),
            permissions: permissions.into_iter().collect(),
            ..Facts::default()
        },
    };
    if let Some(grant) = grants.first() {
        policy.role = name.clone();
        policy.location = grant.location.clone();
        policy.module = grant.module.clone();
        policy.facts.name = Some(name);
    }
    session.found.borrow_mut().push(policy);
}

/// The resource name, which is the audience unless others are allowed. It takes a project number.
fn name_provider(tree: &mut Node, pool: &str, number: Option<&str>) {
    let Value::Table(members) = &mut tree.value else { return };
    let Some(at) = members.iter().position(|member| member.name == "id") else { return };
    let Some(id) = members.get_mut(at) else { return };
    id.name = "workloadIdentityPoolProviderId".to_owned();
    if let (Some(number), Some(text)) = (number.filter(|it| *it != UNKNOWN_PROJECT), id.node.as_str()) {
        let path =
            format!("projects/{number}/locations/global/workloadIdentityPools/{pool}/providers/{text}");
        id.node.value = Value::String(path);
        id.name = "name".to_owned();
    }
}

/// A grant in another file stands at the pool: its own place is the policy's location.
fn binding(session: &Session<'_>, grant: &Grant, span: Span) -> Node {
    let fit = |node: &Node| {
        let mut node = node.clone();
        if !session.project.map.same_file(node.span, span) {
            place(&mut node, span);
        }
        node
    };
    let member = fit(&grant.member);
    let at = member.span;
    let part = |name: &str, node| Member { name: name.to_owned(), name_span: at, node };
    let members = Node { span: at, value: Value::Array(vec![member]) };
    let mut parts = vec![part("role", fit(&grant.role)), part("members", members)];
    parts.extend(grant.condition.as_ref().map(|condition| part("condition", fit(condition))));
    table(at, parts)
}

fn items(node: &Node) -> &[Node] {
    node.as_array().unwrap_or(std::slice::from_ref(node))
}

/// What the role is granted on.
fn target<'p>(session: &Session<'p>, resource: &Resource<'_, 'p>) -> Option<String> {
    const NAMES: [&str; 8] =
        ["service_account_id", "bucket", "project", "folder", "org_id", "name", "secret_id", "repository"];
    let node = NAMES.iter().find_map(|name| resource.get(session, name))?;
    node.as_str().map(str::to_owned)
}
