use daypass_claims::Issuer;

use super::strings;
use crate::document::{Fields, Member, Node, Problem, Problems, Source, Span};
use crate::form::{OtherPrincipal, Principals, TokenIssuers};

/// Identity providers that AWS knows by name instead of by ARN, with their issuers.
const BUILT_IN: [(&str, &str); 4] = [
    ("accounts.google.com", "https://accounts.google.com"),
    ("www.amazon.com", "https://www.amazon.com"),
    ("graph.facebook.com", "https://graph.facebook.com"),
    ("cognito-identity.amazonaws.com", "https://cognito-identity.amazonaws.com"),
];

/// Reads `Principal`.
pub(super) fn read(source: &Source, node: &Node, problems: &mut Problems) -> Option<Principals> {
    if let Some(why) = node.unresolved() {
        return Some(Principals { unknown: Some(why.to_owned()), ..Principals::nobody() });
    }
    if let Some(text) = node.as_str() {
        if text == "*" {
            return Some(everybody());
        }
        let problem = Problem::new(
            source,
            node.span,
            format!("`Principal` must be \"*\" or a table, this is `{text}`"),
        );
        problems.push(
            problem.help("for example {\"Federated\": \"arn:aws:iam::123456789012:oidc-provider/HOST\"}"),
        );
        return None;
    }
    let mut fields = Fields::of(source, node, "`Principal`", problems)?;
    let mut principals = Principals::nobody();
    if let Some(member) = fields.take("Federated") {
        let named = known_strings(source, &member.node, "`Federated`", &mut principals.unknown, problems)?;
        for (text, span) in named {
            federated(source, text, span, &mut principals, problems);
        }
    }
    if let Some(member) = fields.take("AWS") {
        for (text, _) in known_strings(source, &member.node, "`AWS`", &mut principals.unknown, problems)? {
            if text == "*" {
                // `{"AWS": "*"}` is the same as `"*"`: anyone, anonymous callers and so token bearers included.
                principals.tokens = TokenIssuers::Any;
            }
            principals.others.push(aws(text));
        }
    }
    if let Some(member) = fields.take("Service") {
        let names = known_strings(source, &member.node, "`Service`", &mut principals.unknown, problems)?;
        principals.others.extend(names.into_iter().map(|(name, _)| OtherPrincipal::Service(name.to_owned())));
    }
    if let Some(member) = fields.take("CanonicalUser") {
        let ids = known_strings(source, &member.node, "`CanonicalUser`", &mut principals.unknown, problems)?;
        principals.others.extend(ids.into_iter().map(|(id, _)| OtherPrincipal::User(id.to_owned())));
    }
    fields.finish(problems);
    Some(principals)
}

/// The strings that are known; why one is not goes to `unknown`.
fn known_strings<'n>(
    source: &Source,
    node: &'n Node,
    what: &str,
    unknown: &mut Option<String>,
    problems: &mut Problems,
) -> Option<Vec<(&'n str, Span)>> {
    let items = node.as_array().unwrap_or(std::slice::from_ref(node));
    let mut texts = Vec::new();
    for item in items {
        match item.unresolved() {
            Some(why) => *unknown = Some(why.to_owned()),
            None => texts.extend(strings(source, item, what, problems)?),
        }
    }
    Some(texts)
}

/// `NotPrincipal`: not supported in trust policies, and nowhere documented for tokens.
pub(super) fn negated(source: &Source, member: &Member, notes: &mut Vec<Problem>) -> Principals {
    let why = "AWS does not support `NotPrincipal` in trust policies; whom it means is not documented";
    notes.push(Problem::new(source, member.name_span, why));
    Principals { unknown: Some(why.to_owned()), ..Principals::nobody() }
}

fn everybody() -> Principals {
    Principals { tokens: TokenIssuers::Any, others: vec![OtherPrincipal::Anyone], unknown: None }
}

fn federated(source: &Source, text: &str, span: Span, principals: &mut Principals, problems: &mut Problems) {
    let issuer = match text {
        "*" => {
            principals.tokens = TokenIssuers::Any;
            return;
        }
        name if BUILT_IN.iter().any(|(built_in, _)| *built_in == name) => {
            BUILT_IN.iter().find(|(built_in, _)| *built_in == name).map(|(_, url)| (*url).to_owned())
        }
        arn => match provider(arn) {
            Some(Provider::Oidc(host)) => Some(format!("https://{host}")),
            Some(Provider::Saml) => {
                principals.others.push(OtherPrincipal::Saml(arn.to_owned()));
                return;
            }
            None => None,
        },
    };
    match issuer.map(|url| Issuer::parse(&url)) {
        Some(Ok(issuer)) => {
            if let TokenIssuers::Exactly(issuers) = &mut principals.tokens {
                issuers.push(issuer);
            } else if principals.tokens == TokenIssuers::None {
                principals.tokens = TokenIssuers::Exactly(vec![issuer]);
            }
        }
        Some(Err(why)) => {
            problems.push(Problem::new(source, span, format!("`{text}` names no identity provider: {why}")));
        }
        None => {
            let problem = Problem::new(source, span, format!("`{text}` is not an identity provider"));
            problems.push(
                problem.help("an ARN like arn:aws:iam::123456789012:oidc-provider/HOST/PATH, or \"*\""),
            );
        }
    }
}

enum Provider<'a> {
    Oidc(&'a str),
    Saml,
}

/// `arn:PARTITION:iam::ACCOUNT:oidc-provider/HOST[/PATH]` or `...:saml-provider/NAME`.
fn provider(arn: &str) -> Option<Provider<'_>> {
    let mut parts = arn.splitn(6, ':');
    let (arn, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    let account_ok = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    if arn != "arn" || !partition.starts_with("aws") || service != "iam" || !region.is_empty() || !account_ok
    {
        return None;
    }
    match resource.split_once('/')? {
        ("oidc-provider", host) if !host.is_empty() => Some(Provider::Oidc(host)),
        ("saml-provider", name) if !name.is_empty() => Some(Provider::Saml),
        _ => None,
    }
}

/// A principal under `AWS`. Only the whole string `*` is a wildcard.
fn aws(text: &str) -> OtherPrincipal {
    if text == "*" {
        return OtherPrincipal::Anyone;
    }
    if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return OtherPrincipal::Account(text.to_owned());
    }
    if ["AROA", "AIDA"].iter().any(|prefix| text.starts_with(prefix)) && !text.contains(':') {
        return OtherPrincipal::Deleted(text.to_owned());
    }
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let text = text.to_owned();
    match parts.as_slice() {
        ["arn", _, "iam", "", account, "root"] => OtherPrincipal::Account((*account).to_owned()),
        ["arn", _, "iam", "", _, resource] if resource.starts_with("role/") && !text.contains('*') => {
            OtherPrincipal::Role(text)
        }
        ["arn", _, "iam", "", _, resource] if resource.starts_with("user/") && !text.contains('*') => {
            OtherPrincipal::User(text)
        }
        ["arn", _, "sts", "", _, resource]
            if resource.starts_with("assumed-role/") && !text.contains('*') =>
        {
            OtherPrincipal::Session(text)
        }
        _ => OtherPrincipal::Nobody(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aws_principals_by_their_form() {
        assert_eq!(aws("123456789012"), OtherPrincipal::Account("123456789012".into()));
        assert_eq!(aws("arn:aws:iam::123456789012:root"), OtherPrincipal::Account("123456789012".into()));
        assert!(matches!(aws("arn:aws:iam::123456789012:role/ci/x"), OtherPrincipal::Role(_)));
        assert!(matches!(aws("arn:aws:iam::123456789012:role/*"), OtherPrincipal::Nobody(_)));
        assert!(matches!(aws("AROAEXAMPLE1234567890"), OtherPrincipal::Deleted(_)));
    }

    #[test]
    fn providers_keep_path_and_trailing_slash() {
        fn host(arn: &str) -> Option<String> {
            match provider(arn) {
                Some(Provider::Oidc(host)) => Some(host.to_owned()),
                _ => None,
            }
        }
        let base = "arn:aws:iam::123456789012:oidc-provider/";
        assert_eq!(host(&format!("{base}a.example/org/1/")), Some("a.example/org/1/".into()));
        assert_eq!(host("arn:aws:iam::12345:oidc-provider/a.example"), None);
        assert_eq!(host("arn:aws:iam:eu-west-1:123456789012:oidc-provider/a.example"), None);
        assert_eq!(host(base), None);
    }
}
