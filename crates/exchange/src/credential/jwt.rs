//! `jwt`: a re-issued token. Its subject and claims are templates over the claims of the token it is issued for, so that
//! any relying party can trust one issuer whose subjects say exactly what it needs.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use daypass_claims::{Algorithm, Audience, ClaimSet, ClaimValue, Timestamp};
use daypass_issuers::{Escapes, RenderError};
use daypass_token::sign::{SigningKey, TokenHeader};
use daypass_trust::TAGS_CLAIM;
use std::collections::BTreeMap;
use std::sync::Arc;
use zeroize::Zeroizing;

use super::{Mint, Secret};
use crate::config::{ClaimTemplate, JwtConfig};
use crate::decide::Decision;
use crate::keys::SealKey;
use crate::refusal::Refusal;

/// Inside a subject, a value's own separators are written in another way, so that two different sets of claims never
/// give one subject.
fn escapes() -> Escapes {
    vec![('%', "%25".to_owned()), (':', "%3A".to_owned())]
}

pub(super) fn mint(
    decision: &Decision<'_>,
    config: &JwtConfig,
    mint: &Mint<'_>,
    issued_at: Timestamp,
    expires_at: Timestamp,
    retry: Option<&[u8]>,
) -> Result<(Secret, Vec<u8>), Refusal> {
    let claims = claims(decision, config, mint, issued_at, expires_at)?;
    let header = TokenHeader::new(if config.access_token { "at+jwt" } else { "JWT" });
    if let Some(token) = retry.and_then(|sealed| again(mint, &header, &claims, sealed)) {
        return Ok((secret(token, config), Vec::new()));
    }
    let key =
        mint.keys.signer(config.algorithm).ok_or(Refusal::Mint("there is no key of the role's algorithm"))?;
    let token = sign(key, &header, &claims)?;
    // RSA and Ed25519 give the same signature again; ECDSA does not, so its signature is kept for retries.
    let retry = if key.algorithm() == Algorithm::ES256 { keep(mint, &token)? } else { Vec::new() };
    Ok((secret(token, config), retry))
}

fn secret(token: Zeroizing<String>, config: &JwtConfig) -> Secret {
    Secret::Jwt { token, access_token: config.access_token }
}

fn sign(
    key: &Arc<SigningKey>,
    header: &TokenHeader,
    claims: &ClaimSet,
) -> Result<Zeroizing<String>, Refusal> {
    key.sign(header, claims).map(Zeroizing::new).map_err(|error| {
        tracing::error!(%error, "a token could not be signed");
        Refusal::Mint("the token could not be signed")
    })
}

fn claims(
    decision: &Decision<'_>,
    config: &JwtConfig,
    mint: &Mint<'_>,
    issued_at: Timestamp,
    expires_at: Timestamp,
) -> Result<ClaimSet, Refusal> {
    let value = |name: &str| mint.claims.get(name);
    let mut claims = ClaimSet::new();
    for (name, template) in &config.claims {
        let value: Option<ClaimValue> = match template {
            ClaimTemplate::Copy(source) => mint.claims.get(source.as_str()).cloned(),
            ClaimTemplate::Text(template) => {
                Some(template.render(&Escapes::new(), value).map_err(Refusal::Template)?.into())
            }
            ClaimTemplate::Fixed(value) => Some(value.clone()),
        };
        if let Some(value) = value {
            claims.insert(name.clone(), value);
        }
    }
    let subject = config.subject.render(&escapes(), value).map_err(Refusal::Template)?;
    if subject.is_empty() {
        return Err(Refusal::Template(RenderError::Absent("sub".into())));
    }
    claims.insert("iss", mint.issuer);
    claims.insert("sub", subject);
    claims.insert(
        "aud",
        match config.audience.as_slice() {
            [one] => ClaimValue::from(one.as_str()),
            several => several.iter().map(Audience::as_str).collect::<Vec<_>>().into(),
        },
    );
    claims.insert("iat", issued_at.as_secs());
    claims.insert("nbf", issued_at.as_secs());
    claims.insert("exp", expires_at.as_secs());
    claims.insert("jti", mint.id.to_string());
    if config.access_token {
        claims.insert("client_id", decision.session().subject.as_str());
    }
    if !decision.session().scopes.is_empty() {
        claims.insert("scope", decision.session().scopes.join(" "));
    }
    if !config.tags.is_empty() {
        claims.insert(TAGS_CLAIM, tags(config, mint)?);
    }
    Ok(claims)
}

/// Session tags in the form that AWS reads them in: every value in a list of one.
fn tags(config: &JwtConfig, mint: &Mint<'_>) -> Result<ClaimValue, Refusal> {
    let mut principal = BTreeMap::new();
    for (key, template) in &config.tags {
        let text =
            template.render(&Escapes::new(), |name| mint.claims.get(name)).map_err(Refusal::Template)?;
        let text: String = text.chars().take(256).collect();
        principal.insert(key.clone(), ClaimValue::Array(vec![text.into()]));
    }
    let mut members = BTreeMap::from([("principal_tags".to_owned(), ClaimValue::Object(principal))]);
    if !config.transitive_tags.is_empty() {
        members.insert("transitive_tag_keys".to_owned(), config.transitive_tags.clone().into());
    }
    Ok(ClaimValue::Object(members))
}

/// The key that a signature is kept under: it needs the token that was presented, which is nowhere stored.
fn answer_key(mint: &Mint<'_>, seal: &SealKey) -> Option<SealKey> {
    seal.with_secret(mint.token?.expose().as_bytes()).ok()
}

/// The signature of a token, sealed: all of it that cannot be made again.
fn keep(mint: &Mint<'_>, token: &str) -> Result<Vec<u8>, Refusal> {
    let seal = mint.keys.seal();
    let Some(key) = answer_key(mint, seal) else { return Ok(Vec::new()) };
    let failed = Refusal::Mint("the answer could not be sealed");
    let signature = token.rsplit('.').next().unwrap_or_default();
    match key.seal(&[b"signature", mint.id.0.as_bytes()], signature.as_bytes()) {
        Ok(sealed) => Ok([seal.generation().to_be_bytes().as_slice(), &sealed].concat()),
        Err(_) => Err(failed),
    }
}

/// The token that was signed before, by a key that has perhaps been followed by another since.
fn again(mint: &Mint<'_>, header: &TokenHeader, claims: &ClaimSet, kept: &[u8]) -> Option<Zeroizing<String>> {
    let (generation, sealed) = kept.split_at_checked(4)?;
    let seal = mint.keys.seal_of(u32::from_be_bytes(generation.try_into().ok()?))?;
    let plain = answer_key(mint, seal)?.open(&[b"signature", mint.id.0.as_bytes()], sealed).ok()?;
    let signature = URL_SAFE_NO_PAD.decode(plain.as_slice()).ok()?;
    let mut keys = mint.keys.signing_keys().filter(|key| key.algorithm() == Algorithm::ES256);
    keys.find_map(|key| key.signed_before(header, claims, &signature).ok()?).map(Zeroizing::new)
}
