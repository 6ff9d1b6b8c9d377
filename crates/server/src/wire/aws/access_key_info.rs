//! GetAccessKeyInfo: which account does an access key id belong to? Works for expired and revoked keys too.

use axum::response::Response;
use daypass_exchange::credential::access_key_is_ours;

use super::Call;
use super::error::AwsError;
use super::validate::Violations;
use super::xml::Xml;

pub(super) fn call(call: &Call<'_>) -> Result<Response, AwsError> {
    call.session()?;
    let mut violations = Violations::default();
    let id = violations.required(&call.parameters, "AccessKeyId", 16..=128);
    violations.finish()?;
    if !access_key_is_ours(&call.app.exchange.ring().keys(), id) {
        return Err(AwsError::forbidden(
            "InvalidClientTokenId",
            "The access key id is not one that was issued here.",
        ));
    }
    let account = &call.app.exchange.config().account_id;
    Ok(Xml::default().text("Account", account).respond("GetAccessKeyInfo", &call.request_id))
}
