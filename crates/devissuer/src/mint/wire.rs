//! A [`MintRequest`] in JSON: read strictly, so that a misspelt wish is refused and not forgotten.

use std::collections::BTreeMap;
use std::fmt;

use daypass_claims::{Audience, ClaimName, ClaimValue, IdentityError, JsonLimits, KeyId, parse_value};
use daypass_issuers::Override;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{ForgedAlgorithm, KeyChoice, MintRequest};

/// The request as it is written in JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wire {
    platform: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    variant: Option<String>,
    #[serde(default, skip_serializing_if = "Members::is_empty")]
    claims: Members,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    null: Vec<ClaimName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    audience: Option<Json>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lifetime: Option<i64>,
    #[serde(default, skip_serializing_if = "is_current")]
    key: KeyChoice,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_of: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kid: Option<KeyId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alg: Option<ForgedAlgorithm>,
}

/// What JSON can say and a request cannot.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    #[error("`audience` is {0}, not a string or a list of strings")]
    AudienceType(&'static str),
    #[error("`audience`: {0}")]
    Audience(#[from] IdentityError),
    #[error("`{0}` is in `claims` and in `null`")]
    Twice(ClaimName),
}

impl From<MintRequest> for Wire {
    fn from(request: MintRequest) -> Self {
        let mut claims = BTreeMap::new();
        let mut null = Vec::new();
        for (name, change) in request.claims {
            match change {
                Override::Set(ClaimValue::Null) => null.push(name),
                Override::Set(value) => drop(claims.insert(name, Json(value))),
                Override::Remove => drop(claims.insert(name, Json(ClaimValue::Null))),
            }
        }
        let audience = request.audience.map(|audiences| match audiences.as_slice() {
            [only] => Json(ClaimValue::from(only.as_str())),
            all => Json(ClaimValue::from(all.iter().map(Audience::as_str).collect::<Vec<_>>())),
        });
        Self {
            platform: request.platform,
            variant: request.variant,
            claims: Members(claims),
            null,
            audience,
            lifetime: request.lifetime,
            key: request.key,
            key_of: request.key_of,
            kid: request.kid,
            alg: request.alg,
        }
    }
}

impl TryFrom<Wire> for MintRequest {
    type Error = WireError;

    fn try_from(wire: Wire) -> Result<Self, WireError> {
        let changes = wire.claims.0.into_iter().map(|(name, Json(value))| match value {
            ClaimValue::Null => (name, Override::Remove),
            value => (name, Override::Set(value)),
        });
        let mut claims: BTreeMap<ClaimName, Override> = changes.collect();
        for name in wire.null {
            if claims.insert(name.clone(), Override::Set(ClaimValue::Null)).is_some() {
                return Err(WireError::Twice(name));
            }
        }
        Ok(Self {
            platform: wire.platform,
            variant: wire.variant,
            claims,
            audience: wire.audience.map(|Json(value)| audiences(&value)).transpose()?,
            lifetime: wire.lifetime,
            key: wire.key,
            key_of: wire.key_of,
            kid: wire.kid,
            alg: wire.alg,
        })
    }
}

fn audiences(value: &ClaimValue) -> Result<Vec<Audience>, WireError> {
    let texts: Option<Vec<&str>> = match value {
        ClaimValue::String(text) => Some(vec![text]),
        ClaimValue::Array(items) => items.iter().map(ClaimValue::as_str).collect(),
        _ => None,
    };
    let texts = texts.ok_or(WireError::AudienceType(value.kind()))?;
    Ok(texts.into_iter().map(Audience::parse).collect::<Result<_, _>>()?)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn is_current(key: &KeyChoice) -> bool {
    *key == KeyChoice::Current
}

/// A claim's value, read as strictly as one of a token.
struct Json(ClaimValue);

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        parse_value(raw.get().as_bytes(), JsonLimits::default()).map(Self).map_err(D::Error::custom)
    }
}

/// Claims by name, each once.
#[derive(Default)]
struct Members(BTreeMap<ClaimName, Json>);

impl Members {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of claims")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Members, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, value)) = access.next_entry::<ClaimName, Json>()? {
                    if members.insert(name.clone(), value).is_some() {
                        return Err(A::Error::custom(format_args!("duplicate claim `{name}`")));
                    }
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<MintRequest, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_request_is_written_and_read_back() {
        let mut request = MintRequest::new("github-actions")
            .variant("pull-request")
            .claim("repository", "acme/web")
            .claim("head_ref", ClaimValue::Null)
            .without("jti")
            .audience(Audience::parse("sts.example.com").unwrap())
            .lifetime(-60)
            .key(KeyChoice::Rogue);
        request.key_of = Some("gitlab-com".to_owned());
        request.kid = Some(KeyId::parse("k").unwrap());
        request.alg = Some(ForgedAlgorithm::HS256);
        let json = serde_json::to_string(&request).unwrap();
        insta::assert_snapshot!(json, @r#"{"platform":"github-actions","variant":"pull-request","claims":{"jti":null,"repository":"acme/web"},"null":["head_ref"],"audience":"sts.example.com","lifetime":-60,"key":"rogue","key_of":"gitlab-com","kid":"k","alg":"HS256"}"#);
        assert_eq!(read(&json), Ok(request));
    }

    #[test]
    fn the_least_request_is_a_platform() {
        let least = MintRequest::new("circleci");
        assert_eq!(serde_json::to_string(&least).unwrap(), r#"{"platform":"circleci"}"#);
        assert_eq!(read(r#"{"platform":"circleci"}"#), Ok(least.clone()));
        assert_eq!(read(r#"{"platform":"circleci","audience":[]}"#).unwrap().audience, Some(vec![]));
    }

    #[test]
    fn each_malformed_request_has_its_reason() {
        let refusal = |rest: &str| read(&format!(r#"{{"platform":"x",{rest}}}"#)).unwrap_err();
        assert!(read("{}").unwrap_err().starts_with("missing field `platform`"));
        assert!(refusal(r#""lifetim":1"#).starts_with("unknown field `lifetim`"));
        assert!(refusal(r#""lifetime":"5m""#).starts_with("invalid type: string"));
        assert!(refusal(r#""key":"stolen""#).starts_with("unknown variant `stolen`"));
        assert!(refusal(r#""alg":"RS256""#).starts_with("unknown variant `RS256`"));
        assert!(refusal(r#""claims":[]"#).contains("an object of claims"));
        assert!(refusal(r#""claims":{"a":1,"a":2}"#).starts_with("duplicate claim `a`"));
        assert!(refusal(r#""claims":{"a":{"b":1,"b":2}}"#).starts_with("duplicate member \"b\""));
        assert!(refusal(r#""claims":{"a":18446744073709551616}"#).starts_with("number cannot be held"));
        assert_eq!(refusal(r#""claims":{"a":1},"null":["a"]"#), "`a` is in `claims` and in `null`");
        assert_eq!(refusal(r#""audience":7"#), "`audience` is a number, not a string or a list of strings");
        assert_eq!(
            refusal(r#""audience":["a",1]"#),
            "`audience` is a list, not a string or a list of strings"
        );
        assert_eq!(refusal(r#""audience":"""#), "`audience`: audience is empty");
        assert!(refusal(r#""kid":"""#).starts_with("key id is empty"));
    }
}
