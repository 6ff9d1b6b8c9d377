use std::collections::BTreeMap;

use daypass_trust::CompileOptions;
use daypass_trust::Dialect;

use super::{Resource, renamed, table};
use crate::found::Facts;
use crate::terraform::session::Session;

/// Federated credentials of applications (`azuread`) and of managed identities (`azurerm`).
pub(super) const KINDS: [&str; 3] = [
    "azuread_application_federated_identity_credential",
    "azuread_application_flexible_federated_identity_credential",
    "azurerm_federated_identity_credential",
];

pub(super) fn read<'p>(session: &Session<'p>, resource: &Resource<'_, 'p>) {
    let names = BTreeMap::from([
        ("name", "name"),
        ("display_name", "name"),
        ("issuer", "issuer"),
        ("subject", "subject"),
        ("claims_matching_expression", "claimsMatchingExpression"),
        ("audience", "audiences"),
        ("audiences", "audiences"),
    ]);
    let tree = table(resource.block.head, renamed(session, resource.block, &resource.env, &names));
    let Some(finished) = session.finish(&tree) else { return };
    let name = ["display_name", "name"].iter().find_map(|name| resource.shown(session, name));
    let facts =
        Facts { environment: resource.environment(session, name.as_deref()), name, ..Facts::default() };
    let policy = resource.policy(session, Dialect::Azure, finished, CompileOptions::default(), facts);
    session.found.borrow_mut().push(policy);
}
