//! Roles of AWS in Terraform, construct by construct.

use daypass_sources::{MemoryTree, find};

use crate::support::{find_in, json, shown};

const PROVIDER: &str = r#"
resource "aws_iam_openid_connect_provider" "github" {
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}
"#;

#[test]
fn a_role_with_a_document_and_a_provider_of_the_tree() {
    let found = find_in(
        "main.tf",
        &format!(
            r#"{PROVIDER}
variable "repository" {{ default = "acme/app" }}
data "aws_iam_policy_document" "trust" {{
  statement {{
    sid     = "GitHub"
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {{
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.github.arn]
    }}
    condition {{
      test     = "StringEquals"
      variable = "${{aws_iam_openid_connect_provider.github.url}}:aud"
      values   = aws_iam_openid_connect_provider.github.client_id_list
    }}
    condition {{
      test     = "StringLike"
      variable = "token.actions.githubusercontent.com:sub"
      values   = ["repo:${{var.repository}}:ref:refs/heads/main"]
    }}
  }}
}}
resource "aws_iam_role" "deploy" {{
  name                 = "deploy-prod"
  max_session_duration = 7200
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  managed_policy_arns  = ["arn:aws:iam::aws:policy/AdministratorAccess"]
}}
resource "aws_iam_role_policy_attachment" "more" {{
  role       = aws_iam_role.deploy.name
  policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}}
"#
        ),
    );
    insta::assert_snapshot!(shown(&found), @r#"
    aws aws_iam_role.deploy at main.tf:28:1, document at main.tf:8:1, audiences sts.amazonaws.com
    {"Version": "2012-10-17", "Statement": [{"Sid": "GitHub", "Effect": "Allow", "Principal": {"Federated": ["arn:aws:iam::000000000000:oidc-provider/token.actions.githubusercontent.com"]}, "Action": ["sts:AssumeRoleWithWebIdentity"], "Condition": {"StringEquals": {"token.actions.githubusercontent.com:aud": ["sts.amazonaws.com"]}, "StringLike": {"token.actions.githubusercontent.com:sub": ["repo:acme/app:ref:refs/heads/main"]}}}]}
    "#);
    let facts = &found.policies[0].facts;
    assert_eq!(facts.max_session, Some(7200));
    assert_eq!(facts.environment.as_deref(), Some("production"));
    assert_eq!(facts.permissions.len(), 2);
    found.policies[0].compile().unwrap();
}

#[test]
fn a_heredoc_keeps_its_places_and_its_unknown_parts() {
    let found = find_in(
        "role.tf",
        r#"
variable "org" {}
resource "aws_iam_role" "r" {
  assume_role_policy = <<-EOT
    {
      "Version": "2012-10-17",
      "Statement": [{
        "Effect": "Allow",
        "Principal": {"Federated": "arn:aws:iam::${data.aws_caller_identity.me.account_id}:oidc-provider/gitlab.com"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringLike": {"gitlab.com:sub": "project_path:${var.org}/*"}}
      }]
    }
  EOT
}
data "aws_caller_identity" "me" {}
"#,
    );
    insta::assert_snapshot!(shown(&found), @r#"
    aws aws_iam_role.r at role.tf:3:1, document at role.tf:5:5
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::000000000000:oidc-provider/gitlab.com"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringLike": {"gitlab.com:sub": <variable `org` has no default (role.tf:2)>}}}]}
    unresolved role.tf:11:56: "project_path:${var.org}/*": variable `org` has no default (role.tf:2)
    "#);
    let policy = &found.policies[0];
    let action = policy.tree.get("Statement").unwrap().as_array().unwrap()[0].get("Action").unwrap();
    assert_eq!(policy.source.at(action.span).to_string(), "role.tf:10:19");
    assert_eq!(policy.source.slice(action.span), "\"sts:AssumeRoleWithWebIdentity\"");
    policy.compile().unwrap();
}

#[test]
fn a_file_and_a_template_are_where_the_document_stands() {
    let document = r#"{"Statement": [{"Effect": "Allow", "Principal": {"Federated": "${arn}"},
 "Action": "sts:AssumeRoleWithWebIdentity"}]}"#;
    let tree = MemoryTree::new()
        .with("infra/a/trust.json", document.replace("${arn}", "arn:aws:iam::111122223333:oidc-provider/a.example"))
        .with("infra/a/trust.tftpl", document)
        .with(
            "infra/a/main.tf",
            r#"
resource "aws_iam_role" "file" { assume_role_policy = file("${path.module}/trust.json") }
resource "aws_iam_role" "template" {
  assume_role_policy = templatefile("trust.tftpl", { arn = "arn:aws:iam::111122223333:oidc-provider/b.example" })
}
resource "aws_iam_role" "missing" { assume_role_policy = file("nowhere.json") }
"#,
        );
    insta::assert_snapshot!(shown(&find(&["infra"], &tree)), @r#"
    aws aws_iam_role.file at infra/a/main.tf:2:1, document at infra/a/trust.json:1:1
    {"Statement": [{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/a.example"}, "Action": "sts:AssumeRoleWithWebIdentity"}]}
    aws aws_iam_role.template at infra/a/main.tf:3:1, document at infra/a/trust.tftpl:1:1
    {"Statement": [{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/b.example"}, "Action": "sts:AssumeRoleWithWebIdentity"}]}
    unresolved infra/a/main.tf:6:58: file("nowhere.json"): file `nowhere.json` cannot be used: there is no such file
    "#);
}

#[test]
fn every_instance_is_a_policy_of_its_own() {
    let found = find_in(
        "main.tf",
        r#"
locals {
  repositories = { app = ["main"], web = ["main", "release"] }
}
resource "aws_iam_role" "each" {
  for_each = local.repositories
  name     = "ci-${each.key}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for branch in each.value : {
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/a.example" }
      Condition = { StringEquals = { "a.example:sub" = format("repo:acme/%s:ref:refs/heads/%s", each.key, branch) } }
    }]
  })
}
resource "aws_iam_role" "none" {
  count              = 0
  assume_role_policy = "{}"
}
"#,
    );
    insta::assert_snapshot!(shown(&found), @r#"
    aws aws_iam_role.each["app"] at main.tf:5:1, document at main.tf:8:35
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/a.example"}, "Condition": {"StringEquals": {"a.example:sub": "repo:acme/app:ref:refs/heads/main"}}}]}
    aws aws_iam_role.each["web"] at main.tf:5:1, document at main.tf:8:35
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/a.example"}, "Condition": {"StringEquals": {"a.example:sub": "repo:acme/web:ref:refs/heads/main"}}}, {"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/a.example"}, "Condition": {"StringEquals": {"a.example:sub": "repo:acme/web:ref:refs/heads/release"}}}]}
    "#);
}

#[test]
fn modules_of_the_tree_are_followed_and_others_are_named() {
    let tree = MemoryTree::new()
        .with(
            "live/prod/main.tf",
            r#"
module "ci" {
  source = "../../modules/role"
  subjects = ["repo:acme/app:environment:prod"]
}
module "github_oidc" {
  source  = "terraform-aws-modules/iam/aws//modules/iam-github-oidc-role"
  subjects = ["acme/*"]
}
module "bucket" { source = "github.com/acme/terraform-bucket" }
module "vpc" { source = "terraform-aws-modules/vpc/aws" }
output "arn" { value = module.ci.arn }
"#,
        )
        .with(
            "modules/role/main.tf",
            r#"
data "aws_iam_policy_document" "trust" {
  dynamic "statement" {
    for_each = var.subjects
    content {
      actions = ["sts:AssumeRoleWithWebIdentity"]
      principals {
        type        = "Federated"
        identifiers = ["arn:aws:iam::111122223333:oidc-provider/a.example"]
      }
      condition {
        test     = "StringEquals"
        variable = "a.example:sub"
        values   = [statement.value]
      }
    }
  }
}
resource "aws_iam_role" "this" { assume_role_policy = data.aws_iam_policy_document.trust.json }
output "arn" { value = aws_iam_role.this.arn }
"#,
        )
        .with("modules/role/variables.tf", "variable \"subjects\" { type = list(string) }\n");
    let found = find(&[""], &tree);
    insta::assert_snapshot!(shown(&found), @r#"
    aws module.ci.aws_iam_role.this at modules/role/main.tf:19:1, document at modules/role/main.tf:2:1
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Federated": ["arn:aws:iam::111122223333:oidc-provider/a.example"]}, "Action": ["sts:AssumeRoleWithWebIdentity"], "Condition": {"StringEquals": {"a.example:sub": ["repo:acme/app:environment:prod"]}}}]}
    unresolved live/prod/main.tf:6:1: module.github_oidc: module `terraform-aws-modules/iam/aws//modules/iam-github-oidc-role` comes from elsewhere, its source is not in the tree
    "#);
    assert_eq!(found.policies[0].module.as_deref(), Some("module.ci"));
}

/// A condition that may be missing guards nothing for certain, and a denial that may be missing denies nothing for certain.
#[test]
fn what_may_not_be_there_is_not_relied_on() {
    let with = |block: &str| {
        let found = find_in(
            "main.tf",
            &format!(
                r#"variable "guard" {{ type = bool }}
data "aws_iam_policy_document" "d" {{
  {block}
}}
resource "aws_iam_role" "d" {{ assume_role_policy = data.aws_iam_policy_document.d.json }}
"#
            ),
        );
        json(found.policies[0].tree.get("Statement").unwrap())
    };
    let condition = r#"condition {
      test     = "StringEquals"
      variable = "a.example:sub"
      values   = ["one"]
    }"#;
    let dynamic = |kind: &str, content: &str| {
        format!("dynamic \"{kind}\" {{\n for_each = var.guard ? [1] : []\n content {{\n {content}\n }}\n }}")
    };
    let inner = condition.trim_start_matches("condition {").trim_end_matches('}');
    let perhaps = with(&format!("statement {{\n {}\n }}", dynamic("condition", inner)));
    assert!(perhaps.contains(r#""a.example:sub": <variable `guard`"#), "{perhaps}");
    let denial = with(&dynamic("statement", &format!("effect = \"Deny\"\n {condition}")));
    assert!(
        denial.contains(r#""a.example:sub": ["one"]"#) && denial.contains(": <variable `guard`"),
        "{denial}"
    );
    let allowance = with(&dynamic("statement", condition));
    assert!(!allowance.contains("<variable"), "{allowance}");
    let known =
        with(&format!("statement {{\n {}\n }}", dynamic("condition", inner).replace("var.guard", "true")));
    assert!(!known.contains("<variable"), "{known}");
}

#[test]
fn documents_are_merged_by_their_statements_ids() {
    let found = find_in(
        "main.tf",
        r#"
data "aws_iam_policy_document" "base" {
  statement {
    sid = "A"
    actions = ["sts:AssumeRole"]
    principals {
      type = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
  statement {
    sid = "B"
    actions = ["sts:AssumeRole"]
    principals {
      type = "AWS"
      identifiers = ["*"]
    }
  }
}
data "aws_iam_policy_document" "all" {
  source_policy_documents = [data.aws_iam_policy_document.base.json]
  statement {
    sid = "B"
    effect = "Deny"
    actions = ["sts:AssumeRole"]
    principals {
      type = "AWS"
      identifiers = ["*"]
    }
  }
}
resource "aws_iam_role" "r" { assume_role_policy = data.aws_iam_policy_document.all.json }
"#,
    );
    insta::assert_snapshot!(shown(&found), @r#"
    aws aws_iam_role.r at main.tf:32:1, document at main.tf:20:1
    {"Version": "2012-10-17", "Statement": [{"Sid": "A", "Effect": "Allow", "Principal": {"Service": ["ec2.amazonaws.com"]}, "Action": ["sts:AssumeRole"]}, {"Sid": "B", "Effect": "Deny", "Principal": {"AWS": ["*"]}, "Action": ["sts:AssumeRole"]}]}
    "#);
}

#[test]
fn a_document_that_no_role_of_the_tree_uses_is_found_by_itself() {
    let found = find_in(
        "main.tf",
        r#"
data "aws_iam_policy_document" "handed_on" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type = "Federated"
      identifiers = ["arn:aws:iam::111122223333:oidc-provider/a.example"]
    }
  }
}
data "aws_iam_policy_document" "permissions" {
  statement {
    actions = ["s3:*"]
    resources = ["*"]
  }
}
"#,
    );
    assert_eq!(found.policies.len(), 1);
    assert_eq!(found.policies[0].role, "data.aws_iam_policy_document.handed_on");
}

#[test]
fn unknown_conditions_are_unknown_and_do_not_vanish() {
    let found = find_in(
        "main.tf",
        r#"
variable "conditions" {}
variable "host" {}
variable "effect" {}
resource "aws_iam_role" "whole" {
  assume_role_policy = jsonencode({ Statement = [{
    Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity", Condition = var.conditions
    Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/a.example" }
  }] })
}
resource "aws_iam_role" "key" {
  assume_role_policy = jsonencode({ Statement = [{
    Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity"
    Condition = { StringEquals = { "${var.host}:sub" = "x" } }
    Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/a.example" }
  }] })
}
resource "aws_iam_role" "effect" {
  assume_role_policy = jsonencode({ Statement = [{ Effect = var.effect, Action = "sts:AssumeRole", Principal = "*" }] })
}
"#,
    );
    insta::assert_snapshot!(shown(&found), @r#"
    aws aws_iam_role.whole at main.tf:5:1, document at main.tf:6:35
    {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {"${...}": <variable `conditions` has no default (main.tf:2)>}}, "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/a.example"}}]}
    aws aws_iam_role.key at main.tf:11:1, document at main.tf:12:35
    {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {"${...}:sub": <variable `host` has no default (main.tf:3)>}}, "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/a.example"}}]}
    unresolved main.tf:7:77: var.conditions: variable `conditions` has no default (main.tf:2)
    unresolved main.tf:14:56: "x": variable `host` has no default (main.tf:3)
    unresolved main.tf:19:61: var.effect: variable `effect` has no default (main.tf:4)
    "#);
    for policy in &found.policies {
        policy.compile().unwrap();
    }
}

#[test]
fn the_json_syntax_says_the_same() {
    let found = find_in(
        "main.tf.json",
        r#"{
  "variable": {"repo": {"default": "acme/app"}},
  "data": {"aws_iam_policy_document": {"t": {"statement": [{
    "actions": ["sts:AssumeRoleWithWebIdentity"],
    "principals": {"type": "Federated", "identifiers": ["arn:aws:iam::111122223333:oidc-provider/a.example"]},
    "condition": [{"test": "StringEquals", "variable": "a.example:sub", "values": ["repo:${var.repo}:x"]}]
  }]}}},
  "resource": {"aws_iam_role": {"r": {"assume_role_policy": "${data.aws_iam_policy_document.t.json}"}}}
}"#,
    );
    insta::assert_snapshot!(shown(&found), @r#"
    aws aws_iam_role.r at main.tf.json:8:33, document at main.tf.json:3:40
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Federated": ["arn:aws:iam::111122223333:oidc-provider/a.example"]}, "Action": ["sts:AssumeRoleWithWebIdentity"], "Condition": {"StringEquals": {"a.example:sub": ["repo:acme/app:x"]}}}]}
    "#);
}
