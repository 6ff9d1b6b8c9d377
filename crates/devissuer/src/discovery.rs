//! Discovery documents, as each platform writes its own.

use daypass_claims::{Algorithm, Issuer};
use daypass_issuers::Platform;
use daypass_token::discovery::{DiscoveryDocument, DiscoveryError};

use crate::address::Played;

/// The document in which `issuer` speaks for what is played.
pub(crate) fn document(
    played: &Played,
    issuer: &Issuer,
    jwks_url: &str,
) -> Result<DiscoveryDocument, DiscoveryError> {
    let platform = played.platform;
    let algorithms: &[Algorithm] = match platform.issuer.algorithms.as_slice() {
        [] => &[Algorithm::RS256],
        known => known,
    };
    let build =
        |claims: Vec<String>| DiscoveryDocument::for_id_tokens(issuer.clone(), jwks_url, algorithms, claims);
    match platform.id.as_str() {
        "circleci" => build(CIRCLECI_CLAIMS.map(str::to_owned).to_vec()),
        id if id.starts_with("github-") => {
            let mut document = build(claims(platform))?;
            document.subject_types_supported = vec!["public".to_owned(), "pairwise".to_owned()];
            Ok(document.with("scopes_supported", vec!["openid"]))
        }
        _ => {
            let mut document = build(claims(platform))?;
            document.subject_types_supported = vec!["public".to_owned()];
            Ok(document)
        }
    }
}

/// CircleCI lists these, though its tokens hold more, and leaves `subject_types_supported` out.
const CIRCLECI_CLAIMS: [&str; 9] = [
    "aud",
    "sub",
    "iss",
    "iat",
    "exp",
    "oidc.circleci.com/project-id",
    "oidc.circleci.com/context-ids",
    "oidc.circleci.com/vcs-ref",
    "oidc.circleci.com/vcs-origin",
];

/// The claims that the catalogue knows by name.
fn claims(platform: &Platform) -> Vec<String> {
    let named = platform.claims.iter().filter(|spec| spec.wildcard().is_none());
    named.map(|spec| spec.name.as_str().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::{Addresses, IssuerMode};
    use std::net::SocketAddr;

    fn written(url: &str) -> String {
        let addresses = Addresses::new(SocketAddr::from(([127, 0, 0, 1], 8090)), IssuerMode::True);
        let played = addresses.of_url(url).unwrap();
        let document = document(&played, &played.issuer, &addresses.advertised_jwks_url(&played)).unwrap();
        serde_json::to_string_pretty(&document).unwrap()
    }

    #[test]
    fn circleci_publishes_what_its_documentation_shows() {
        let org = "0a1b2c3d-0000-4000-8000-000000000001";
        insta::assert_snapshot!(written(&format!("https://oidc.circleci.com/org/{org}")), @r#"
        {
          "issuer": "https://oidc.circleci.com/org/0a1b2c3d-0000-4000-8000-000000000001",
          "jwks_uri": "https://oidc.circleci.com/org/0a1b2c3d-0000-4000-8000-000000000001/.well-known/jwks-pub.json",
          "response_types_supported": [
            "id_token"
          ],
          "id_token_signing_alg_values_supported": [
            "RS256"
          ],
          "claims_supported": [
            "aud",
            "sub",
            "iss",
            "iat",
            "exp",
            "oidc.circleci.com/project-id",
            "oidc.circleci.com/context-ids",
            "oidc.circleci.com/vcs-ref",
            "oidc.circleci.com/vcs-origin"
          ]
        }
        "#);
    }

    #[test]
    fn github_publishes_no_endpoints() {
        let text = written("https://token.actions.githubusercontent.com");
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        let members: Vec<&String> = document.as_object().unwrap().keys().collect();
        assert_eq!(
            members,
            [
                "claims_supported",
                "id_token_signing_alg_values_supported",
                "issuer",
                "jwks_uri",
                "response_types_supported",
                "scopes_supported",
                "subject_types_supported"
            ]
        );
        assert_eq!(document["jwks_uri"], "https://token.actions.githubusercontent.com/.well-known/jwks");
        assert_eq!(document["subject_types_supported"], serde_json::json!(["public", "pairwise"]));
        let claims = document["claims_supported"].as_array().unwrap();
        for claim in ["sub", "repository_id", "job_workflow_ref", "issuer_scope"] {
            assert!(claims.contains(&claim.into()), "{claim}");
        }
    }
}
