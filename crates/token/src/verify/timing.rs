use std::time::Duration;

use daypass_claims::{ClaimSet, Timestamp};

use super::time::numeric_date;
use super::{Expectations, LEEWAY, Refusal};

/// The times of a token that is valid now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) issued_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) not_before: Option<Timestamp>,
}

/// Expiry first, then not before, then lifetime and age.
pub(super) fn check(
    claims: &ClaimSet,
    expected: &Expectations<'_>,
    now: Timestamp,
) -> Result<Times, Refusal> {
    let expires_at = read(claims, "exp")?.ok_or(Refusal::ExpiryMissing)?;
    if now >= expires_at + LEEWAY {
        return Err(Refusal::Expired { expired_at: expires_at, now });
    }
    let not_before = read(claims, "nbf")?;
    if let Some(not_before) = not_before.filter(|not_before| *not_before > now + LEEWAY) {
        return Err(Refusal::NotYetValid { not_before, now });
    }
    let issued_at = read(claims, "iat")?.ok_or(Refusal::IssuedAtMissing)?;
    if issued_at > now + LEEWAY {
        return Err(Refusal::IssuedInFuture { issued_at, now });
    }
    if expires_at <= issued_at {
        return Err(Refusal::ExpiresBeforeIssue { issued_at, expires_at });
    }
    let lifetime = expires_at.since(issued_at);
    if lifetime > expected.max_lifetime {
        return Err(Refusal::Lifetime { lifetime, limit: expected.max_lifetime });
    }
    if older_than(expected.max_age, issued_at, now) {
        return Err(Refusal::TooOld { issued_at, now, limit: expected.max_age });
    }
    Ok(Times { issued_at, expires_at, not_before })
}

fn older_than(limit: Duration, issued_at: Timestamp, now: Timestamp) -> bool {
    now > issued_at + limit + LEEWAY
}

fn read(claims: &ClaimSet, claim: &'static str) -> Result<Option<Timestamp>, Refusal> {
    claims
        .get(claim)
        .map(|value| numeric_date(value).map_err(|reason| Refusal::Time { claim, reason }))
        .transpose()
}
