//! What a role and its mount say besides which tokens they admit.

use std::time::Duration;

use daypass_claims::parse_duration;

use crate::dialect::Located;
use crate::dialect::api::{Object, Remarks, Text, wrong};
use crate::document::{Member, Node, Span, Value};

/// A role beside its conditions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Role {
    /// Its name.
    pub name: Option<String>,
    /// Whether it is for tokens (`role_type`), where that is known.
    pub admits_tokens: Option<bool>,
    /// Whether it names places that browsers are sent back to (`allowed_redirect_uris`): nobody logs in there without.
    pub redirects: bool,
    /// `bound_audiences`, as far as they are known.
    pub audiences: Vec<Located<String>>,
    /// The claim that names the entity.
    pub user_claim: Option<Located<String>>,
    /// The claim that names the entity's groups.
    pub groups_claim: Option<Located<String>>,
    /// Claims that become metadata of the entity, and under which names.
    pub claim_mappings: Vec<Located<(String, String)>>,
    /// The token that a login gives.
    pub token: TokenSettings,
    /// The mount's configuration, where the document has it.
    pub mount: Option<Mount>,
}

/// The token that a login gives, as far as the role sets it and it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenSettings {
    /// How long it lives unless it is renewed.
    pub ttl: Option<Located<Duration>>,
    /// How long it lives however often it is renewed.
    pub max_ttl: Option<Located<Duration>>,
    /// The same, whatever else is set.
    pub explicit_max_ttl: Option<Located<Duration>>,
    /// Set and not zero: it can be renewed for ever, by this much each time.
    pub period: Option<Located<Duration>>,
    /// `service`, `batch`, ...
    pub kind: Option<Located<String>>,
    /// The policies that it carries.
    pub policies: Vec<Located<String>>,
    /// How often it can be used; unset or zero means without a limit.
    pub uses: Option<Located<u64>>,
}

/// The configuration of a mount.
#[derive(Clone, Debug, PartialEq)]
pub struct Mount {
    /// `bound_issuer`, or why it is not known.
    pub bound_issuer: Option<Located<Result<String, String>>>,
    /// Where the keys come from.
    pub keys: Keys,
    /// The role of a login that names none.
    pub default_role: Option<Located<String>>,
}

/// Where a mount has its keys from.
#[derive(Clone, Debug, PartialEq)]
pub enum Keys {
    /// From the discovery document below this URL, or why that is not known.
    Discovery(Located<Result<String, String>>),
    /// From a key set, or pinned; neither says whose tokens the keys sign.
    Other(Span),
    /// The configuration does not say.
    Unstated,
}

impl Role {
    /// Reads what conditions are not made of.
    pub(super) fn read<'a>(fields: &mut Object<'a>, remarks: &mut Remarks<'a>) -> Self {
        let name = fields.text(&["role_name", "name"], remarks);
        let mut duration = |names: &[&'static str]| {
            let member = fields.take_newest(names)?;
            duration(member, remarks)
        };
        let ttl = duration(&["token_ttl", "ttl"]);
        let max_ttl = duration(&["token_max_ttl", "max_ttl"]);
        let explicit_max_ttl = duration(&["token_explicit_max_ttl"]);
        let period = duration(&["token_period", "period"]);
        let kind = fields.text(&["token_type"], remarks);
        let policies = fields.comma_separated(&["token_policies", "policies"], remarks);
        let uses = fields.take_newest(&["token_num_uses", "num_uses"]);
        let redirects = fields.take(&["allowed_redirect_uris"], remarks);
        let redirects = redirects.is_some_and(|it| it.node.as_array().is_none_or(|uris| !uris.is_empty()));
        let token = TokenSettings {
            ttl,
            max_ttl,
            explicit_max_ttl,
            period,
            kind: kind.as_ref().and_then(Text::located),
            policies: policies.iter().filter_map(Text::located).collect(),
            uses: uses.and_then(|member| count(member, remarks)),
        };
        let name = name.and_then(|name| name.value.ok()).map(str::to_owned);
        Self { name, redirects, token, ..Self::default() }
    }
}

impl Mount {
    /// Reads the configuration of a mount.
    pub(super) fn read<'a>(node: &'a Node, remarks: &mut Remarks<'a>) -> Option<Self> {
        let node = node.get("data").unwrap_or(node);
        let mut fields = Object::of(node, "the configuration of a mount", remarks)?;
        let set = |text: &Text<'_>| text.value != Ok("");
        let bound_issuer = fields.text(&["bound_issuer"], remarks).filter(set);
        let discovery = fields.text(&["oidc_discovery_url"], remarks).filter(set);
        let default_role = fields.text(&["default_role"], remarks).filter(set);
        let others =
            ["jwks_url", "jwks_pairs", "jwt_validation_pubkeys"].map(|name| fields.take(&[name], remarks));
        let other = others.into_iter().flatten().find(|member| match &member.node.value {
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            _ => true,
        });
        fields.ignore(&IGNORED);
        fields.finish(remarks);
        let keys = match (discovery, other) {
            (Some(url), _) => Keys::Discovery(perhaps(url)),
            (None, Some(member)) => Keys::Other(member.name_span),
            (None, None) => Keys::Unstated,
        };
        let default_role = default_role.as_ref().and_then(Text::located);
        Some(Self { bound_issuer: bound_issuer.map(perhaps), keys, default_role })
    }

    /// Whose tokens the mount accepts, as far as its configuration says: the URL or why it is not known, and its place.
    pub(super) fn issuer(&self) -> Option<(Result<&str, &str>, Span)> {
        let named = match (&self.bound_issuer, &self.keys) {
            (Some(issuer), _) => issuer,
            (None, Keys::Discovery(url)) => url,
            (None, Keys::Other(_) | Keys::Unstated) => return None,
        };
        let url = named.value.as_ref().map(String::as_str).map_err(String::as_str);
        Some((url, named.span))
    }
}

/// Members of a mount that decide neither whose tokens it accepts nor which of its roles they get.
const IGNORED: [&str; 19] = [
    "accessor",
    "description",
    "disable_remount",
    "id",
    "jwks_ca_pem",
    "jwt_supported_algs",
    "local",
    "namespace",
    "namespace_in_state",
    "oidc_client_id",
    "oidc_client_secret",
    "oidc_discovery_ca_pem",
    "oidc_response_mode",
    "oidc_response_types",
    "path",
    "provider_config",
    "tune",
    "type",
    "unsupported_critical_cert_extensions",
];

fn perhaps(text: Text<'_>) -> Located<Result<String, String>> {
    Located { value: text.value.map(str::to_owned).map_err(str::to_owned), span: text.span }
}

/// Seconds, or a text like `15m`.
fn duration(member: &Member, remarks: &mut Remarks<'_>) -> Option<Located<Duration>> {
    let span = member.node.span;
    let seconds = |text: &str| text.parse().map(Duration::from_secs).ok();
    let value = match &member.node.value {
        Value::Number(text) => seconds(text),
        Value::String(text) => seconds(text).or_else(|| parse_duration(text).ok()),
        Value::Unresolved(_) => return None,
        _ => None,
    };
    if value.is_none() {
        wrong(&member.node, &member.name, "a number of seconds or a duration like \"15m\"", remarks);
    }
    value.map(|value| Located { value, span })
}

fn count(member: &Member, remarks: &mut Remarks<'_>) -> Option<Located<u64>> {
    let value = match &member.node.value {
        Value::Number(text) | Value::String(text) => text.parse().ok(),
        Value::Unresolved(_) => return None,
        _ => None,
    };
    if value.is_none() {
        wrong(&member.node, &member.name, "a whole number", remarks);
    }
    value.map(|value| Located { value, span: member.node.span })
}

#[cfg(test)]
mod tests {
    use daypass_claims::Issuer;

    use super::super::tests::{decide, facts, role, token};
    use super::*;
    use crate::context::Context;
    use crate::dialect::{CompileOptions, Dialect, compile, detect};
    use crate::document::Source;
    use crate::evaluate::{Outcome, evaluate};

    use Outcome::{Allow, Deny};

    const GITHUB: &str = "https://token.actions.githubusercontent.com";

    #[test]
    fn the_mount_says_whose_tokens_it_takes() {
        let inner = role("");
        let with = |config: &str| {
            Source::new("role.json", format!(r#"{{"config": {config}, "role": {}}}"#, inner.text()))
        };
        let theirs = format!(r#"{{"iss": "{GITHUB}"}}"#);
        for (config, github, gitlab) in [
            (format!(r#"{{"bound_issuer": "{GITHUB}", "jwks_url": "https://a.example/k"}}"#), Allow, Deny),
            (format!(r#"{{"oidc_discovery_url": "{GITHUB}", "bound_issuer": ""}}"#), Allow, Deny),
            (
                r#"{"oidc_discovery_url": "https://gitlab.com", "default_role": "deploy"}"#.to_owned(),
                Deny,
                Allow,
            ),
            (r#"{"jwt_validation_pubkeys": ["-----BEGIN PUBLIC KEY-----"]}"#.to_owned(), Allow, Allow),
        ] {
            let source = with(&config);
            assert_eq!(decide(&source, &theirs), github, "{config}");
            assert_eq!(decide(&source, r#"{"iss": "https://gitlab.com"}"#), gitlab, "{config}");
            assert_eq!(detect(&source).unwrap(), Dialect::Vault);
        }
        let mount =
            facts(&with(r#"{"jwks_url": "https://a.example/k", "default_role": "deploy"}"#)).mount.unwrap();
        assert!(matches!(mount.keys, Keys::Other(_)));
        assert_eq!(mount.default_role.unwrap().value, "deploy");
        let options =
            CompileOptions { issuer: Some(Issuer::parse(GITHUB).unwrap()), ..CompileOptions::default() };
        let policy = compile(Dialect::Vault, &inner, &options).unwrap().policy;
        let outcome = |json: &str| evaluate(&policy, &token(json), &Context::new()).outcome;
        assert_eq!((outcome(&theirs), outcome(r#"{"iss": "https://gitlab.com"}"#)), (Allow, Deny));
    }

    #[test]
    fn what_a_role_says_besides_is_read() {
        let reply = format!(r#"{{"request_id": "1", "data": {}}}"#, role(
            r#""token_ttl": 300, "token_period": "24h", "token_max_ttl": "0", "token_type": "service", "token_num_uses": 0,
               "token_policies": ["deploy"], "policies": ["deploy"], "claim_mappings": {"actor": "who"}, "groups_claim": "teams""#,
        ).text());
        let source = Source::new("reply.json", reply);
        assert_eq!(detect(&source).unwrap(), Dialect::Vault);
        let role = facts(&source);
        assert_eq!(role.name.as_deref(), Some("deploy"));
        assert_eq!(role.user_claim.unwrap().value, "sub");
        assert_eq!(role.groups_claim.unwrap().value, "teams");
        assert_eq!(role.audiences[0].value, "vault");
        assert_eq!(role.claim_mappings[0].value, ("actor".into(), "who".into()));
        assert_eq!(role.token.ttl.unwrap().value, Duration::from_secs(300));
        assert_eq!(role.token.period.as_ref().unwrap().value, Duration::from_secs(86_400));
        assert_eq!(source.slice(role.token.period.unwrap().span), "\"24h\"");
        assert_eq!(role.token.policies[0].value, "deploy");
    }
}
