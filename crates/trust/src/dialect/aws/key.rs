//! Which condition keys AWS fills for a web identity, and from what.

use daypass_claims::Issuer;
use daypass_issuers::{AwsKeys, Support, catalogue};

use crate::form::{ClaimPath, Principals, Reading, RequestKey, TokenIssuers, Variable};

/// A condition key, resolved.
pub(super) struct Key {
    pub(super) variable: Variable,
    pub(super) reading: Reading,
    /// Whether AWS treats it as a set; such a key needs `ForAnyValue:` or `ForAllValues:`.
    pub(super) multi_valued: bool,
}

/// Resolves a condition key as it is written; names are compared without regard to case.
pub(super) fn resolve(name: &str, principals: Option<&Principals>) -> Key {
    let lower = name.to_ascii_lowercase();
    match lower.split_once(':') {
        Some(("sts" | "aws" | "iam", _)) => request(name),
        Some((issuer, claim)) if looks_like_issuer(issuer) => {
            let written = name.split_once(':').map_or(claim, |(_, claim)| claim);
            federated(name, issuer, written, principals)
        }
        _ => never(name, format!("`{name}` is not a condition key of AssumeRoleWithWebIdentity")),
    }
}

fn looks_like_issuer(prefix: &str) -> bool {
    prefix.split('/').next().is_some_and(|host| host.contains('.'))
}

fn never(name: &str, why: String) -> Key {
    Key {
        variable: Variable::Never { name: name.to_owned(), why },
        reading: Reading::AwsSingle,
        multi_valued: false,
    }
}

fn request(name: &str) -> Key {
    if name.eq_ignore_ascii_case("sts:DurationSeconds") {
        let why = "AWS does not fill sts:DurationSeconds when a role is assumed; MaxSessionDuration bounds the session";
        return never(name, why.to_owned());
    }
    let key = RequestKey::from_name(name);
    let multi_valued = key.is_multi_valued();
    Key { variable: Variable::Request(key), reading: Reading::AwsRequest, multi_valued }
}

/// `ISSUER-WITHOUT-SCHEME:CLAIM`. Issuers have no port, so the first colon parts the two.
fn federated(name: &str, host_and_path: &str, claim: &str, principals: Option<&Principals>) -> Key {
    let issuers: &[Issuer] = match principals.map(|principals| &principals.tokens) {
        Some(TokenIssuers::Exactly(issuers)) => issuers,
        Some(TokenIssuers::None | TokenIssuers::Any) | None => &[],
    };
    let named = issuers.iter().find(|known| known.host_and_path().eq_ignore_ascii_case(host_and_path));
    if named.is_none() && !issuers.is_empty() {
        return never(name, format!("`{name}` is a key of another issuer than the statement's principal"));
    }
    let issuer = match named.cloned().map_or_else(|| Issuer::parse(&format!("https://{host_and_path}")), Ok) {
        Ok(issuer) => issuer,
        Err(why) => return never(name, format!("`{name}` is the key of no issuer: {why}")),
    };
    let aws = catalogue().aws();
    let claim = canonical(aws, &issuer, claim);
    let multi_valued = aws.list_of(&issuer).map_or_else(
        || aws.defaults.iter().any(|default| default.key == claim && default.multivalued),
        |list| list.multivalued.contains(&claim),
    );
    let reading = match claim.as_str() {
        "aud" => Reading::AwsAudience,
        _ if multi_valued => Reading::AwsMulti,
        _ => Reading::AwsSingle,
    };
    let support = aws.support(&issuer, &claim);
    // Beside `aud`, which is `azp` where the token has one, Google's keys have the claim `aud` itself.
    let claim = if claim == "oaud" { "aud".to_owned() } else { claim };
    let path = ClaimPath { of_issuer: Some(host_and_path.to_owned()), ..ClaimPath::claim(claim) };
    let variable = match support {
        Support::Supported => Variable::Claim(path),
        Support::Unverified { why } => Variable::Unverified { claim: path, why: format!("`{name}`: {why}") },
        Support::Unsupported { date } => Variable::Never {
            name: name.to_owned(),
            why: format!(
                "AWS does not fill `{name}`: it is not on the list of condition keys for this issuer of {date}"
            ),
        },
    };
    Key { variable, reading, multi_valued }
}

/// The spelling of a claim as tokens carry it; condition keys are compared without regard to case.
fn canonical(aws: &AwsKeys, issuer: &Issuer, claim: &str) -> String {
    let listed = aws.list_of(issuer).into_iter().flat_map(|list| &list.claims);
    let defaults = aws.defaults.iter().map(|default| &default.key);
    let known = listed.chain(defaults).find(|known| known.eq_ignore_ascii_case(claim));
    known.map_or_else(|| claim.to_owned(), Clone::clone)
}
