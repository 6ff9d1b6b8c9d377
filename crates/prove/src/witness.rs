use daypass_claims::{ClaimSet, ClaimValue, Issuer};
use serde::Serialize;

/// A token that shows that an answer is true: a whole set of claims as the issuer could mint it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Witness {
    /// Whose token it is.
    pub issuer: Issuer,
    /// The form of its subject, where the issuer has several.
    pub form: Option<String>,
    /// Its claims.
    pub claims: ClaimSet,
    /// What the request says beside the token, where the answer depends on it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub request: Vec<(String, ClaimValue)>,
}

impl Witness {
    /// The token's subject.
    pub fn subject(&self) -> &str {
        self.claims.get("sub").and_then(ClaimValue::as_str).unwrap_or_default()
    }
}
