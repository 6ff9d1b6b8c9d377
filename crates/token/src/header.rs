use daypass_claims::{Algorithm, ClaimName, ClaimSet, ClaimValue, KeyId};

use crate::form::{FormError, Segment};
use crate::text::{excerpt, lookalike};

/// Header members that mean something to some JOSE library. Spellings that only resemble them are refused.
const REGISTERED: [&str; 14] =
    ["alg", "b64", "crit", "cty", "enc", "jku", "jwk", "kid", "typ", "x5c", "x5t", "x5t#S256", "x5u", "zip"];

/// The JOSE header of a token (RFC 7515 section 4), read strictly.
///
/// `jwk`, `jku`, `x5u` and `x5c` may be there and are never used: a token does not bring its own key.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    algorithm: Algorithm,
    key_id: Option<KeyId>,
    members: ClaimSet,
}

impl Header {
    /// Reads the decoded first segment.
    pub(crate) fn from_json(bytes: &[u8]) -> Result<Self, FormError> {
        let members = read_object(bytes, Segment::Header, &REGISTERED)?;
        // What the envelope is comes before what it is signed with: an encrypted token has its own `alg`s.
        if members.contains("enc") {
            return Err(FormError::EncryptionHeader);
        }
        if members.contains("zip") {
            return Err(FormError::CompressionHeader);
        }
        let algorithm = algorithm(&members)?;
        if members.get("b64").is_some_and(|value| *value != ClaimValue::Bool(true)) {
            return Err(FormError::UnencodedPayload);
        }
        if let Some(content_type) = string(&members, "cty")?
            && is_jwt(content_type)
        {
            return Err(FormError::Nested { content_type: excerpt(content_type) });
        }
        string(&members, "typ")?;
        let key_id = string(&members, "kid")?.map(KeyId::parse).transpose().map_err(FormError::KeyId)?;
        Ok(Self { algorithm, key_id, members })
    }

    /// The algorithm that the token says it is signed with. It selects nothing by itself: the issuer's allow-list
    /// and the key decide ([`crate::KeySet::select`]).
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The name of the key that the token says it is signed with.
    pub const fn key_id(&self) -> Option<&KeyId> {
        self.key_id.as_ref()
    }

    /// The media type of the token (`typ`, RFC 7515 section 4.1.9), as written.
    pub fn typ(&self) -> Option<&str> {
        self.members.get("typ").and_then(ClaimValue::as_str)
    }

    /// Extensions that the reader must understand (`crit`), as written.
    pub fn critical(&self) -> Option<&ClaimValue> {
        self.members.get("crit")
    }

    /// All members.
    pub const fn members(&self) -> &ClaimSet {
        &self.members
    }
}

/// Reads a segment that must be one strict JSON object without lookalikes of `registered` members.
pub(crate) fn read_object(
    bytes: &[u8],
    segment: Segment,
    registered: &[&'static str],
) -> Result<ClaimSet, FormError> {
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(FormError::NotAnObject { segment });
    }
    let members = ClaimSet::from_json(bytes).map_err(|reason| FormError::Json { segment, reason })?;
    for name in members.names().map(ClaimName::as_str) {
        if let Some(registered) = lookalike(name, registered) {
            return Err(FormError::Lookalike { segment, name: excerpt(name), registered });
        }
    }
    Ok(members)
}

fn algorithm(members: &ClaimSet) -> Result<Algorithm, FormError> {
    let name = string(members, "alg")?.ok_or(FormError::AlgorithmMissing)?;
    if name.eq_ignore_ascii_case("none") {
        return Err(FormError::AlgorithmNone);
    }
    if name.get(..2).is_some_and(|family| family.eq_ignore_ascii_case("HS")) {
        return Err(FormError::AlgorithmHmac { name: excerpt(name) });
    }
    name.parse().map_err(|_| FormError::AlgorithmUnknown { name: excerpt(name) })
}

fn string<'m>(members: &'m ClaimSet, member: &'static str) -> Result<Option<&'m str>, FormError> {
    match members.get(member) {
        None => Ok(None),
        Some(ClaimValue::String(text)) => Ok(Some(text)),
        Some(other) => Err(FormError::MemberType { member, kind: other.kind() }),
    }
}

/// Media types are compared without regard to case, and `application/` may be left out (RFC 7515 section 4.1.9).
pub(crate) fn is_jwt(media_type: &str) -> bool {
    is_media_type(media_type, "jwt")
}

/// Whether `media_type` is `application/` + `subtype`, abbreviated or not.
pub(crate) fn is_media_type(media_type: &str, subtype: &str) -> bool {
    const PREFIX: &str = "application/";
    let bare = match media_type.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
        _ => media_type,
    };
    bare.eq_ignore_ascii_case(subtype)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(json: &str) -> FormError {
        Header::from_json(json.as_bytes()).unwrap_err()
    }

    #[test]
    fn a_usual_header_reads() {
        let json = br#"{"alg":"RS256","kid":"k1","typ":"JWT","x5t":"abc","jku":"https://evil.example/jwks"}"#;
        let header = Header::from_json(json).unwrap();
        assert_eq!(header.algorithm(), Algorithm::RS256);
        assert_eq!(header.key_id().unwrap().as_str(), "k1");
        assert_eq!(header.typ(), Some("JWT"));
        assert_eq!(header.critical(), None);
    }

    #[test]
    fn every_header_refusal_has_its_own_reason() {
        use FormError as E;
        let json = |text| refusal(text).code();
        assert_eq!(json("[]"), E::NotAnObject { segment: Segment::Header }.code());
        assert_eq!(json(""), "token-not-an-object");
        assert_eq!(json(r#"{"alg":"RS256","alg":"RS256"}"#), "token-json");
        assert_eq!(json(r#"{"alg":"RS256","Kid":"x"}"#), "token-lookalike-member");
        assert_eq!(json(r#"{"kid":"x"}"#), "algorithm-missing");
        assert_eq!(refusal(r#"{"alg":null}"#), E::MemberType { member: "alg", kind: "null" });
        assert_eq!(refusal(r#"{"alg":"RS256","kid":7}"#), E::MemberType { member: "kid", kind: "a number" });
        assert_eq!(refusal(r#"{"alg":"RS256","typ":[]}"#), E::MemberType { member: "typ", kind: "a list" });
        assert_eq!(json(r#"{"alg":"nOnE"}"#), "algorithm-none");
        assert_eq!(json(r#"{"alg":"hs256"}"#), "algorithm-hmac");
        assert_eq!(json(r#"{"alg":"rs256"}"#), "algorithm-unknown");
        assert_eq!(json(r#"{"alg":"ECDH-ES","enc":"A128GCM"}"#), "token-encryption-header");
        assert_eq!(json(r#"{"alg":"RS256","zip":"DEF"}"#), "token-compressed");
        assert_eq!(json(r#"{"alg":"RS256","b64":false,"crit":["b64"]}"#), "token-unencoded-payload");
        assert_eq!(json(r#"{"alg":"RS256","cty":"jwt"}"#), "token-nested");
        assert_eq!(json(r#"{"alg":"RS256","kid":""}"#), "key-id-malformed");
    }

    #[test]
    fn media_types_compare_without_case_and_prefix() {
        for same in ["JWT", "jwt", "application/jwt", "Application/JWT"] {
            assert!(is_jwt(same), "{same}");
        }
        for other in ["at+jwt", "application/at+jwt", "text/jwt", "", "applicätion/jwt"] {
            assert!(!is_jwt(other), "{other}");
        }
    }
}
