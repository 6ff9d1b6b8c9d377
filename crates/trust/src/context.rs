use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use daypass_claims::{Audience, ClaimSet, ClaimValue, Issuer, Timestamp};

use crate::form::RequestKey;

/// The claim that AWS reads session tags from.
pub const TAGS_CLAIM: &str = "https://aws.amazon.com/tags";
/// The claim that AWS reads the source identity from.
pub const SOURCE_IDENTITY_CLAIM: &str = "https://aws.amazon.com/source_identity";
/// The claim that restricts the roles a token may assume.
pub const ROLES_CLAIM: &str = "https://aws.amazon.com/roles";

/// The facts of a request that are not in the token.
///
/// What is not given is *unknown*, not absent, unless the context is [complete](Context::complete): a test of a policy
/// rarely says from which address a request came, and a server always knows.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Who asks.
    pub caller: Caller,
    /// The issuer of the token, where the claims do not hold `iss`.
    pub issuer: Option<Issuer>,
    /// The account that the role lives in, 12 digits.
    pub account: Option<String>,
    /// The audience that a verifier accepted the token for, where the token names several.
    pub audience: Option<Audience>,
    complete: bool,
    values: BTreeMap<RequestKey, ClaimValue>,
}

/// Who asks to assume a role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Caller {
    /// The bearer of a CI job's token.
    #[default]
    Token,
    /// A session of another role.
    Session {
        /// The account of that role.
        account: String,
        /// Its name.
        role: String,
        /// Its ARN.
        role_arn: String,
        /// The ARN of the session.
        session_arn: String,
    },
}

/// What the context says about a key.
pub(crate) enum Fact<'a> {
    Absent,
    Value(Cow<'a, ClaimValue>),
    Unknown(String),
}

impl Context {
    /// Nothing is known about the request.
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything about the request is known: keys without a value are absent.
    #[must_use]
    pub fn complete(mut self) -> Self {
        self.complete = true;
        self
    }

    /// The caller is a session of another role.
    #[must_use]
    pub fn caller(mut self, caller: Caller) -> Self {
        self.caller = caller;
        self
    }

    /// The account that the role lives in.
    #[must_use]
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.account = Some(account.into());
        self
    }

    /// The issuer, for claims without `iss`.
    #[must_use]
    pub fn issuer(mut self, issuer: Issuer) -> Self {
        self.issuer = Some(issuer);
        self
    }

    /// Gives a key its value.
    #[must_use]
    pub fn with(mut self, key: RequestKey, value: impl Into<ClaimValue>) -> Self {
        self.values.insert(key, value.into());
        self
    }

    /// The address that the request came from.
    #[must_use]
    pub fn source_ip(self, address: IpAddr) -> Self {
        self.with(RequestKey::SourceIp, address.to_canonical().to_string())
    }

    /// When the request was made.
    #[must_use]
    pub fn time(self, now: Timestamp) -> Self {
        self.with(RequestKey::CurrentTime, now.to_rfc3339()).with(RequestKey::EpochTime, now.as_secs())
    }

    /// What is known about `key` for a request with these claims.
    pub(crate) fn fact<'a>(&'a self, key: &RequestKey, claims: &'a ClaimSet) -> Fact<'a> {
        if let Some(value) = self.values.get(key) {
            return Fact::Value(Cow::Borrowed(value));
        }
        match (&self.caller, key) {
            (Caller::Token, RequestKey::SourceIdentity) => {
                derived(claims.get(SOURCE_IDENTITY_CLAIM).cloned())
            }
            (Caller::Token, RequestKey::Tag(name)) => derived(principal_tag(claims, name)),
            (Caller::Token, RequestKey::TagKeys) => derived(tag_keys(claims)),
            (Caller::Token, RequestKey::TransitiveTagKeys) => {
                derived(tags_member(claims, "transitive_tag_keys").cloned())
            }
            (Caller::Token, RequestKey::RoleAuthorizedByIdp) => {
                derived(claims.contains(ROLES_CLAIM).then_some(ClaimValue::Bool(true)))
            }
            (Caller::Token, RequestKey::FederatedProvider) => self.federated_provider(claims),
            (
                Caller::Token,
                RequestKey::ExternalId | RequestKey::PrincipalArn | RequestKey::PrincipalAccount,
            )
            | (Caller::Session { .. }, RequestKey::RoleAuthorizedByIdp | RequestKey::FederatedProvider) => {
                Fact::Absent
            }
            (Caller::Token, RequestKey::Other(name)) if is_of_a_principal(name) => Fact::Absent,
            (Caller::Session { role_arn, .. }, RequestKey::PrincipalArn) => value(role_arn.clone()),
            (Caller::Session { account, .. }, RequestKey::PrincipalAccount) => value(account.clone()),
            (_, RequestKey::Other(name)) => {
                Fact::Unknown(format!("`{name}` is not modelled; give it in the context"))
            }
            _ if self.complete => Fact::Absent,
            (_, key) => Fact::Unknown(format!("the request's `{}` is not given", key.name())),
        }
    }

    fn federated_provider(&self, claims: &ClaimSet) -> Fact<'_> {
        let issuer = self.issuer.as_ref().map(Issuer::as_str).or_else(|| claims.get("iss")?.as_str());
        let (Some(account), Some(issuer)) = (&self.account, issuer) else {
            return Fact::Unknown("the account of the role is not given".to_owned());
        };
        let host = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
        let arn = format!("arn:aws:iam::{account}:oidc-provider/{host}");
        Fact::Value(Cow::Owned(ClaimValue::Array(vec![ClaimValue::String(arn)])))
    }
}

/// Whether a key says something of the AWS identity that calls: who comes with a token is none.
fn is_of_a_principal(name: &str) -> bool {
    const TAG: &str = "aws:PrincipalTag/";
    let is = |key: &str| name.eq_ignore_ascii_case(key);
    is("aws:PrincipalOrgID")
        || is("aws:PrincipalOrgPaths")
        || name.get(..TAG.len()).is_some_and(|start| start.eq_ignore_ascii_case(TAG))
}

fn value<'a>(text: String) -> Fact<'a> {
    Fact::Value(Cow::Owned(ClaimValue::String(text)))
}

fn derived<'a>(value: Option<ClaimValue>) -> Fact<'a> {
    value.map_or(Fact::Absent, |value| Fact::Value(Cow::Owned(value)))
}

fn tags_member<'c>(claims: &'c ClaimSet, member: &str) -> Option<&'c ClaimValue> {
    claims.get(TAGS_CLAIM)?.as_object()?.get(member)
}

/// The value of one session tag. AWS wants each in a one-item list; tag keys are compared without regard to case.
fn principal_tag(claims: &ClaimSet, name: &str) -> Option<ClaimValue> {
    let tags = tags_member(claims, "principal_tags")?.as_object()?;
    let (_, value) = tags.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    match value {
        ClaimValue::Array(items) => match items.as_slice() {
            [one] => Some(one.clone()),
            _ => Some(value.clone()),
        },
        other => Some(other.clone()),
    }
}

fn tag_keys(claims: &ClaimSet) -> Option<ClaimValue> {
    let tags = tags_member(claims, "principal_tags")?.as_object()?;
    Some(ClaimValue::Array(tags.keys().cloned().map(ClaimValue::String).collect()))
}
