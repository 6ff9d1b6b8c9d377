//! What every reader of AWS policies needs: their shape, and which audiences their providers accept.

use std::collections::BTreeMap;

use daypass_claims::Audience;
use daypass_trust::document::{Member, Node, Span, Value};

/// Stands for an account that the files do not tell. No account has this number.
pub(crate) const UNKNOWN_ACCOUNT: &str = "000000000000";

/// The identity providers that the files register, by host and path; with the audiences, where those are known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Providers(BTreeMap<String, Vec<Option<Vec<Audience>>>>);

impl Providers {
    /// Adds a registration.
    pub(crate) fn add(&mut self, url: &str, audiences: Option<Vec<String>>) {
        let host = url.strip_prefix("https://").unwrap_or(url).to_owned();
        let audiences = audiences.and_then(|audiences| {
            audiences.into_iter().map(|audience| Audience::parse(&audience).ok()).collect::<Option<Vec<_>>>()
        });
        self.0.entry(host).or_default().push(audiences);
    }

    /// Adds the registrations of other files.
    pub(crate) fn append(&mut self, other: Self) {
        for (host, mut registered) in other.0 {
            self.0.entry(host).or_default().append(&mut registered);
        }
    }

    /// The audiences that all providers of a policy accept, if each is registered once or always alike.
    pub(crate) fn audiences(&self, policy: &Node) -> Option<Vec<Audience>> {
        let mut common: Option<Vec<Audience>> = None;
        let hosts = hosts(policy);
        for host in &hosts {
            for registered in self.0.get(*host)? {
                let mut registered = registered.clone()?;
                registered.sort();
                registered.dedup();
                match &common {
                    Some(common) if *common != registered => return None,
                    _ => common = Some(registered),
                }
            }
        }
        common
    }
}

/// The hosts of the identity providers that a policy trusts.
fn hosts(policy: &Node) -> Vec<&str> {
    let statement = policy.get("Statement");
    let statements = statement.map(|node| node.as_array().unwrap_or(std::slice::from_ref(node)));
    let federated =
        statements.unwrap_or_default().iter().filter_map(|it| it.get("Principal")?.get("Federated"));
    federated
        .flat_map(|node| node.as_array().unwrap_or(std::slice::from_ref(node)))
        .filter_map(|node| node.as_str()?.split_once(":oidc-provider/").map(|(_, host)| host))
        .collect()
}

/// Whether a document looks like a role's trust policy: it has statements that name principals.
pub(crate) fn is_trust_policy(node: &Node) -> bool {
    let Some(statement) = node.get("Statement") else { return false };
    let statements = statement.as_array().unwrap_or(std::slice::from_ref(statement));
    statements.iter().any(|it| {
        let principal = ["Principal", "NotPrincipal"].iter().any(|name| it.get(name).is_some());
        // Whatever is left out by `NotAction`, the rest is more than one service's.
        let assumes = it.get("NotAction").is_some()
            || it
                .get("Action")
                .map(Node::strings)
                .unwrap_or_default()
                .iter()
                .any(|(text, _)| is_of_sts(text));
        principal && assumes && it.get("Resource").is_none()
    })
}

/// Whether an action may be one of STS; IAM reads actions in any letter case.
fn is_of_sts(action: &str) -> bool {
    action.split_once(':').map_or(action == "*", |(service, _)| service.eq_ignore_ascii_case("sts"))
}

/// Brings the unknown parts of a policy to where the dialect can say *unknown*; where it cannot, says what is missing.
pub(crate) fn shape(mut policy: Node) -> Result<Node, (Span, String)> {
    if let Some(why) = policy.unresolved() {
        return Err((policy.span, why.to_owned()));
    }
    let Value::Table(members) = &mut policy.value else { return Ok(policy) };
    members.retain(|member| member.name != "Id" || member.node.unresolved().is_none());
    for member in members {
        if let Some(why) = member.node.unresolved() {
            return Err((member.node.span, why.to_owned()));
        }
        if member.name == "Statement" {
            match &mut member.node.value {
                Value::Array(items) => items.iter_mut().try_for_each(shape_statement)?,
                _ => shape_statement(&mut member.node)?,
            }
        }
    }
    Ok(policy)
}

fn shape_statement(statement: &mut Node) -> Result<(), (Span, String)> {
    if let Some(why) = statement.unresolved() {
        return Err((statement.span, why.to_owned()));
    }
    let Value::Table(members) = &mut statement.value else { return Ok(()) };
    members.retain(|member| member.name != "Sid" || member.node.unresolved().is_none());
    for member in members {
        match member.name.as_str() {
            "Effect" => known(&member.node)?,
            "Action" | "NotAction" => {
                known(&member.node)?;
                member.node.as_array().unwrap_or_default().iter().try_for_each(known)?;
            }
            "Condition" => shape_condition(&mut member.node),
            _ => {}
        }
    }
    Ok(())
}

fn known(node: &Node) -> Result<(), (Span, String)> {
    node.unresolved().map_or(Ok(()), |why| Err((node.span, why.to_owned())))
}

/// An unknown condition, or operator, becomes a test whose value is unknown: it can be true and can be false.
fn shape_condition(condition: &mut Node) {
    let unknown = |span: Span, why: &str| Member {
        name: "${...}".to_owned(),
        name_span: span,
        node: Node { span, value: Value::Unresolved(why.to_owned()) },
    };
    let span = condition.span;
    if let Some(why) = condition.unresolved().map(str::to_owned) {
        let keys = Node { span, value: Value::Table(vec![unknown(span, &why)]) };
        let test = Member { name: "StringEquals".to_owned(), name_span: span, node: keys };
        condition.value = Value::Table(vec![test]);
        return;
    }
    let Value::Table(tests) = &mut condition.value else { return };
    let mut questions = Vec::new();
    for test in tests.iter_mut() {
        if let Some(why) = test.node.unresolved().map(str::to_owned) {
            questions.push(unknown(test.node.span, &why));
        }
    }
    tests.retain(|test| test.node.unresolved().is_none());
    // Each gets a name of its own, because members of one name exclude each other.
    for (index, mut question) in questions.into_iter().enumerate() {
        if index > 0 {
            question.name = format!("${{...}} {}", index.saturating_add(1));
        }
        match tests.iter_mut().find(|test| test.name == "StringEquals") {
            Some(Member { node: Node { value: Value::Table(keys), .. }, .. }) => keys.push(question),
            _ => {
                let (name_span, span) = (question.name_span, question.node.span);
                let node = Node { span, value: Value::Table(vec![question]) };
                tests.push(Member { name: "StringEquals".to_owned(), name_span, node });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use daypass_trust::document::{Source, parse_json};

    use super::*;

    fn json(text: &str) -> Node {
        parse_json(&Source::new("p.json", text)).unwrap()
    }

    #[test]
    fn a_trust_policy_is_told_from_other_policies() {
        let is = |text| is_trust_policy(&json(text));
        assert!(is(r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}}"#));
        assert!(is(r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": ["STS:Assume*"]}}"#));
        assert!(is(r#"{"Statement": {"Effect": "Allow", "Principal": "*", "NotAction": "s3:*"}}"#));
        assert!(!is(
            r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}}"#
        ));
        assert!(!is(r#"{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}"#));
        assert!(!is(r#"{"Statement": [{"Principal": "*", "Action": "s3:GetObject", "Resource": "arn:x"}]}"#));
    }

    #[test]
    fn audiences_are_known_when_every_provider_of_the_policy_is_registered_alike() {
        let policy = json(
            r#"{"Statement": [{"Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/a.example"}}]}"#,
        );
        let mut providers = Providers::default();
        assert_eq!(providers.audiences(&policy), None);
        providers.add("https://a.example", Some(vec!["x".into(), "y".into()]));
        assert_eq!(providers.audiences(&policy).unwrap().len(), 2);
        providers.add("a.example", Some(vec!["y".into(), "x".into()]));
        assert_eq!(providers.audiences(&policy).unwrap().len(), 2);
        providers.add("a.example", None);
        assert_eq!(providers.audiences(&policy), None);
    }
}
