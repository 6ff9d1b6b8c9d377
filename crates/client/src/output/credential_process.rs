//! The JSON that AWS SDKs read from the program named by `credential_process` in a profile.

use serde::Serialize;

use crate::Secret;
use crate::credential::AwsSession;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document<'s> {
    version: u8,
    access_key_id: &'s str,
    secret_access_key: &'s str,
    session_token: &'s str,
    /// Without it an SDK would never ask again.
    expiration: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<&'s str>,
}

/// Version 1 of the document, the only one there is.
pub fn render(session: &AwsSession) -> Secret {
    let document = Document {
        version: 1,
        access_key_id: &session.access_key_id,
        secret_access_key: session.secret_access_key.expose(),
        session_token: session.session_token.expose(),
        expiration: session.expiration.to_rfc3339(),
        account_id: session.account.as_deref(),
    };
    // Strings and a number always have a JSON form.
    Secret::new(serde_json::to_string(&document).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::session;

    #[test]
    fn a_session() {
        let document = render(&session());
        assert_eq!(
            document.expose(),
            "{\"Version\":1,\"AccessKeyId\":\"ASIAIOSFODNN7EXAMPLE\",\
             \"SecretAccessKey\":\"wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY\",\
             \"SessionToken\":\"dps1_AAAA+/==\",\"Expiration\":\"2026-11-23T06:00:00Z\",\
             \"AccountId\":\"123456789012\"}"
        );
        let without = render(&AwsSession { account: None, ..session() });
        assert!(!without.expose().contains("AccountId"));
    }
}
