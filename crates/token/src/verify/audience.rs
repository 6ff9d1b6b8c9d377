use daypass_claims::{Audience, ClaimSet, ClaimValue};

use super::{Expectations, Refusal};

/// Reads `aud` (RFC 7519 section 4.1.3) and finds the audience that is ours.
pub(super) fn check(
    claims: &ClaimSet,
    expected: &Expectations<'_>,
) -> Result<(Audience, Vec<Audience>), Refusal> {
    let audiences = match claims.get("aud") {
        None => return Err(Refusal::AudienceMissing),
        Some(ClaimValue::String(one)) => vec![parse(one)?],
        Some(ClaimValue::Array(items)) => items
            .iter()
            .map(|item| item.as_str().ok_or(Refusal::AudienceType { kind: item.kind() }).and_then(parse))
            .collect::<Result<_, _>>()?,
        Some(other) => return Err(Refusal::AudienceType { kind: other.kind() }),
    };
    if audiences.is_empty() {
        return Err(Refusal::AudienceEmpty);
    }
    if audiences.len() > 1 && !expected.multiple_audiences {
        return Err(Refusal::SeveralAudiences { count: audiences.len() });
    }
    match audiences.iter().find(|audience| expected.audiences.contains(audience)) {
        Some(ours) => Ok((ours.clone(), audiences)),
        None => Err(Refusal::AudienceMismatch { audiences, expected: expected.audiences.to_vec() }),
    }
}

fn parse(text: &str) -> Result<Audience, Refusal> {
    Audience::parse(text).map_err(Refusal::Audience)
}
