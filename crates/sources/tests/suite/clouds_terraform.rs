//! Google Cloud, Azure and Vault in Terraform.

use daypass_sources::{MemoryTree, find};

use crate::support::{find_in, json, shown};

#[test]
fn a_pool_and_its_grants_are_one_document_per_target() {
    let found = find_in(
        "main.tf",
        r#"
resource "google_iam_workload_identity_pool" "ci" { workload_identity_pool_id = "ci" }
resource "google_iam_workload_identity_pool_provider" "gh" {
  workload_identity_pool_id          = google_iam_workload_identity_pool.ci.workload_identity_pool_id
  workload_identity_pool_provider_id = "gh"
  attribute_mapping                  = { "google.subject" = "assertion.sub" }
  oidc { issuer_uri = "https://token.actions.githubusercontent.com" }
}
resource "google_service_account" "deploy" {
  account_id = "deploy-prod"
  project    = "acme"
}
resource "google_service_account_iam_binding" "b" {
  service_account_id = google_service_account.deploy.name
  role               = "roles/iam.workloadIdentityUser"
  members = [
    "principal://iam.googleapis.com/${google_iam_workload_identity_pool.ci.name}/subject/repo:acme/app:ref:refs/heads/main",
    "user:someone@example.com",
  ]
}
resource "google_storage_bucket_iam_member" "m" {
  bucket = "artifacts"
  role   = "roles/storage.admin"
  member = "principalSet://iam.googleapis.com/projects/12/locations/global/workloadIdentityPools/elsewhere/*"
}
"#,
    );
    insta::assert_snapshot!(shown(&found), @r#"
    gcp projects/acme/serviceAccounts/deploy-prod@acme.iam.gserviceaccount.com at main.tf:13:1, document at main.tf:3:1
    {"providers": [{"attributeMapping": {"google.subject": "assertion.sub"}, "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"}, "workloadIdentityPoolProviderId": "gh"}], "bindings": [{"role": "roles/iam.workloadIdentityUser", "members": ["principal://iam.googleapis.com/projects/0/locations/global/workloadIdentityPools/ci/subject/repo:acme/app:ref:refs/heads/main"]}]}
    unresolved main.tf:24:12: "principalSet://iam.googleapis.com/projects/12/locations/glo...: the providers of pool `elsewhere` are not in the tree
    "#);
}

#[test]
fn a_pool_without_grants_is_what_it_admits_and_other_kinds_are_named() {
    let found = find_in(
        "main.tf",
        r#"
resource "google_iam_workload_identity_pool_provider" "gh" {
  workload_identity_pool_id          = "ci"
  workload_identity_pool_provider_id = "gh"
  attribute_mapping                  = { "google.subject" = "assertion.sub" }
  attribute_condition                = var.condition
  oidc { issuer_uri = "https://token.actions.githubusercontent.com" }
}
resource "google_iam_workload_identity_pool_provider" "aws" {
  workload_identity_pool_id = "ci"
  aws { account_id = "111122223333" }
}
variable "condition" {}
"#,
    );
    insta::assert_snapshot!(shown(&found), @r#"
    gcp google_iam_workload_identity_pool_provider.gh at main.tf:2:1
    {"providers": [{"attributeMapping": {"google.subject": "assertion.sub"}, "attributeCondition": <variable `condition` has no default (main.tf:13)>, "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"}, "workloadIdentityPoolProviderId": "gh"}]}
    unresolved main.tf:6:40: var.condition: variable `condition` has no default (main.tf:13)
    unresolved main.tf:9:1: google_iam_workload_identity_pool_provider.aws: the provider is of kind `aws`: it takes no tokens of OpenID Connect
    "#);
}

#[test]
fn federated_credentials_in_the_words_of_the_api() {
    let found = find_in(
        "main.tf",
        r#"
resource "azuread_application_federated_identity_credential" "a" {
  for_each       = toset(["prod", "dev"])
  application_id = azuread_application.app.id
  display_name   = "gh-${each.value}"
  audiences      = ["api://AzureADTokenExchange"]
  issuer         = "https://token.actions.githubusercontent.com"
  subject        = "repo:acme/app:environment:${each.value}"
}
resource "azuread_application_flexible_federated_identity_credential" "f" {
  audience                   = "api://AzureADTokenExchange"
  issuer                     = "https://token.actions.githubusercontent.com"
  claims_matching_expression = "claims['sub'] matches 'repo:acme/*'"
}
"#,
    );
    insta::assert_snapshot!(shown(&found), @r#"
    azure azuread_application_federated_identity_credential.a["dev"] at main.tf:2:1
    {"name": "gh-dev", "audiences": ["api://AzureADTokenExchange"], "issuer": "https://token.actions.githubusercontent.com", "subject": "repo:acme/app:environment:dev"}
    azure azuread_application_federated_identity_credential.a["prod"] at main.tf:2:1
    {"name": "gh-prod", "audiences": ["api://AzureADTokenExchange"], "issuer": "https://token.actions.githubusercontent.com", "subject": "repo:acme/app:environment:prod"}
    azure azuread_application_flexible_federated_identity_credential.f at main.tf:10:1
    {"audiences": "api://AzureADTokenExchange", "issuer": "https://token.actions.githubusercontent.com", "claimsMatchingExpression": "claims['sub'] matches 'repo:acme/*'"}
    "#);
}

#[test]
fn a_role_of_vault_knows_its_mount() {
    let found = find_in(
        "main.tf",
        r#"
resource "vault_jwt_auth_backend" "gh" {
  path         = "gh"
  bound_issuer = "https://token.actions.githubusercontent.com"
}
resource "vault_jwt_auth_backend_role" "deploy" {
  backend         = vault_jwt_auth_backend.gh.path
  role_name       = "deploy"
  role_type       = "jwt"
  user_claim      = "sub"
  bound_audiences = ["vault"]
  token_policies  = ["deploy"]
  bound_claims    = { repository_id = "2002" }
}
"#,
    );
    insta::assert_snapshot!(shown(&found), @r#"
    vault vault_jwt_auth_backend_role.deploy at main.tf:6:1
    {"config": {"path": "gh", "bound_issuer": "https://token.actions.githubusercontent.com"}, "role": {"role_name": "deploy", "role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"], "token_policies": ["deploy"], "bound_claims": {"repository_id": "2002"}}}
    "#);
}

/// The provider's arguments are maps of text, in which commas part alternatives.
#[test]
fn bound_claims_are_what_the_provider_makes_of_them() {
    let claims = |more: &str| {
        let found = find_in(
            "main.tf",
            &format!(
                r#"resource "vault_jwt_auth_backend_role" "r" {{
  role_name    = "r"
  bound_claims = {{ sub = "repo:acme/app:*, repo:contoso/*", repository_owner_id = 1001, ref_protected = true }}
  {more}
}}"#
            ),
        );
        json(found.policies[0].tree.get("bound_claims").unwrap())
    };
    let others = r#""repository_owner_id": "1001", "ref_protected": "true""#;
    assert_eq!(claims(""), format!(r#"{{"sub": ["repo:acme/app:*", "repo:contoso/*"], {others}}}"#));
    let whole = format!(r#"{{"sub": "repo:acme/app:*, repo:contoso/*", {others}}}"#);
    assert_eq!(claims("disable_bound_claims_parsing = true"), whole);
    assert!(claims("disable_bound_claims_parsing = var.whole").contains("<variable `whole`"));
}

#[test]
fn a_grant_in_another_file_has_its_own_location() {
    let tree = MemoryTree::new()
        .with(
            "pool.tf",
            r#"resource "google_iam_workload_identity_pool_provider" "gh" {
  workload_identity_pool_id = "ci"
  oidc { issuer_uri = "https://gitlab.com" }
}
"#,
        )
        .with(
            "grant.tf",
            r#"
resource "google_service_account_iam_member" "m" {
  service_account_id = "sa"
  role   = "roles/iam.workloadIdentityUser"
  member = "principalSet://iam.googleapis.com/projects/12/locations/global/workloadIdentityPools/ci/*"
}
"#,
        );
    insta::assert_snapshot!(shown(&find(&[""], &tree)), @r#"
    gcp sa at grant.tf:2:1, document at pool.tf:1:1
    {"providers": [{"oidc": {"issuerUri": "https://gitlab.com"}}], "bindings": [{"role": "roles/iam.workloadIdentityUser", "members": ["principalSet://iam.googleapis.com/projects/12/locations/global/workloadIdentityPools/ci/*"]}]}
    "#);
}
