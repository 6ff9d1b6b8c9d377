//! GetCallerIdentity: whose session signed this? Needs no permission.

use axum::response::Response;

use super::Call;
use super::error::AwsError;
use super::xml::Xml;

pub(super) fn call(call: &Call<'_>) -> Result<Response, AwsError> {
    let session = call.session()?;
    let role = call.app.exchange.roles().find(session.role());
    // A role that has been taken out of the configuration since has no id any more; the session is still what it is.
    let id = role.map_or("AROAUNKNOWN", |role| role.id());
    let result = Xml::default()
        .text("Arn", &session.arn())
        .text("UserId", &format!("{id}:{}", session.session().name))
        .text("Account", session.account());
    Ok(result.respond("GetCallerIdentity", &call.request_id))
}
