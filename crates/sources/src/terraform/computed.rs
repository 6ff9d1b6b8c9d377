//! Attributes that a provider computes from the configuration, as far as trust needs them.

use std::rc::Rc;

use daypass_trust::document::Span;

use super::env::Env;
use super::policy_document;
use super::session::Session;
use super::syntax::Block;
use super::value::{Val, mark, to_json};

/// Why an account is not known: it is the one that the configuration is applied in.
pub(crate) const OWN_ACCOUNT: &str = "the account is known when it runs";
/// Why a project's number is not known.
pub(crate) const OWN_PROJECT: &str = "the project's number is known when it runs";

/// The value of an attribute of a resource or data source, if the configuration tells it.
pub(super) fn attribute<'p>(
    session: &Session<'p>,
    data: bool,
    kind: &str,
    name: &str,
    block: &Block<'p>,
    env: &Env<'p>,
    span: Span,
) -> Option<Val> {
    let of = |attribute: &str| block.body.attribute(attribute).map(|it| session.eval(it, env));
    let unknown = |why: &str| mark(session.unknown_number(why));
    let part = |attribute: &str| match of(attribute) {
        Some(value) => session.as_text(&value.node).unwrap_or_else(|why| unknown(&why)),
        None => unknown(&format!("`{kind}` does not set `{attribute}`")),
    };
    let own = |what: &str| {
        let account = unknown(OWN_ACCOUNT);
        Val::string(format!("arn:aws:iam::{account}:{what}"), span)
    };
    let value = match (data, kind, name) {
        (true, "aws_iam_policy_document", "json" | "minified_json") => {
            let document = policy_document::read(session, block, env);
            let json = to_json(&document, &mut |why| unknown(why));
            Val { json: Some(Rc::new(document)), ..Val::string(json, block.head) }
        }
        (true, "aws_caller_identity", "account_id") => Val::unknown(OWN_ACCOUNT, span),
        (true, "aws_partition", "partition") => Val::string("aws", span),
        (true, "aws_partition", "dns_suffix") => Val::string("amazonaws.com", span),
        (true, "google_project", "number") => Val::unknown(OWN_PROJECT, span),
        (_, "aws_iam_openid_connect_provider", "arn" | "id") => match of("arn").filter(|_| data) {
            Some(arn) => arn,
            None => own(&format!("oidc-provider/{}", host(&part("url")))),
        },
        // The provider stores the URL as its host and path.
        (_, "aws_iam_openid_connect_provider", "url") => Val::string(host(&part("url")), span),
        (false, "aws_iam_role", "arn") => own(&format!("role/{}", part("name"))),
        (false, "aws_iam_role", "id") => of("name")?,
        (_, "google_iam_workload_identity_pool", "name" | "id") => {
            let pool = part("workload_identity_pool_id");
            let project = unknown(OWN_PROJECT);
            let path = format!("projects/{project}/locations/global/workloadIdentityPools/{pool}");
            Val::string(path, span)
        }
        (_, "google_service_account", "name" | "id" | "email" | "member") => {
            let project = match block.body.attribute("project") {
                Some(project) => session.as_text(&session.eval(project, env).node).ok()?,
                None => unknown("the project is the provider's"),
            };
            let email = format!("{}@{project}.iam.gserviceaccount.com", part("account_id"));
            Val::string(
                match name {
                    "email" => email,
                    "member" => format!("serviceAccount:{email}"),
                    _ => format!("projects/{project}/serviceAccounts/{email}"),
                },
                span,
            )
        }
        _ => return of(name),
    };
    Some(value)
}

/// A URL without its scheme, as ARNs and condition keys of AWS name an issuer.
pub(super) fn host(url: &str) -> &str {
    url.strip_prefix("https://").unwrap_or(url)
}
