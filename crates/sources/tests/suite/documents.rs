//! Templates, plans and exports.

use daypass_sources::{MemoryTree, Origin, find};

use crate::support::{find_in, shown};

#[test]
fn cloudformation_in_yaml() {
    let found = find_in(
        "template.yaml",
        r"AWSTemplateFormatVersion: '2010-09-09'
Parameters:
  Org: {Type: String, Default: acme}
  Repo: {Type: String}
  Stage: {Type: String, Default: prod}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
Mappings:
  Branch: {prod: {ref: main}}
Resources:
  Provider:
    Type: AWS::IAM::OIDCProvider
    Properties:
      Url: https://token.actions.githubusercontent.com
      ClientIdList: [sts.amazonaws.com]
  Deploy:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Sub '${Org}-deploy'
      MaxSessionDuration: 3600
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Action: sts:AssumeRoleWithWebIdentity
            Principal:
              Federated: !If [IsProd, !Ref Provider, !Ref AWS::NoValue]
            Condition:
              StringEquals:
                token.actions.githubusercontent.com:sub: !Join [':', ['repo', !Sub '${Org}/app', 'ref', !Sub ['refs/heads/${B}', {B: !FindInMap [Branch, prod, ref]}]]]
              StringLike:
                token.actions.githubusercontent.com:job_workflow_ref: !Sub '${Repo}/*'
  Other:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: !ImportValue Shared
",
    );
    insta::assert_snapshot!(shown(&found), @r#"
    aws Deploy at template.yaml:16:3, document at template.yaml:22:9, audiences sts.amazonaws.com
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": "arn:aws:iam::000000000000:oidc-provider/token.actions.githubusercontent.com"}, "Condition": {"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:acme/app:ref:refs/heads/main"}, "StringLike": {"token.actions.githubusercontent.com:job_workflow_ref": <parameter `Repo` has no default (template.yaml:4)>}}}]}
    unresolved template.yaml:32:71: !Sub '${Repo}/*': parameter `Repo` has no default (template.yaml:4)
    unresolved template.yaml:36:33: !ImportValue Shared: `Fn::ImportValue` is not modelled
    "#);
    assert_eq!(found.policies[0].origin, Origin::CloudFormation);
    found.policies[0].compile().unwrap();
}

#[test]
fn cloudformation_in_json() {
    let found = find_in(
        "app.template.json",
        r#"{"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {
  "Statement": [{"Action": "sts:AssumeRoleWithWebIdentity", "Effect": "Allow",
    "Principal": {"Federated": {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":iam::", {"Ref": "AWS::AccountId"}, ":oidc-provider/a.example"]]}}}],
  "Version": "2012-10-17"}}}}}"#,
    );
    insta::assert_snapshot!(shown(&found), @r#"
    aws Role at app.template.json:1:16, document at app.template.json:1:94
    {"Statement": [{"Action": "sts:AssumeRoleWithWebIdentity", "Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::000000000000:oidc-provider/a.example"}}], "Version": "2012-10-17"}
    "#);
}

#[test]
fn a_plan_and_a_state() {
    let policy = r#""{\"Statement\": [{\"Effect\": \"Allow\", \"Principal\": {\"Federated\": \"arn:aws:iam::111122223333:oidc-provider/a.example\"}, \"Action\": \"sts:AssumeRoleWithWebIdentity\"}]}""#;
    let tree = MemoryTree::new()
        .with(
            "plan.json",
            format!(
                r#"{{"format_version": "1.2", "terraform_version": "1.9.0",
 "planned_values": {{"root_module": {{
   "resources": [{{"address": "aws_iam_openid_connect_provider.p", "mode": "managed", "type": "aws_iam_openid_connect_provider",
      "values": {{"url": "https://a.example", "client_id_list": ["x"]}}}}],
   "child_modules": [{{"resources": [
     {{"address": "module.m.aws_iam_role.r", "mode": "managed", "type": "aws_iam_role", "values": {{"name": "r", "assume_role_policy": {policy}}}}},
     {{"address": "module.m.aws_iam_role.later", "mode": "managed", "type": "aws_iam_role", "values": {{"name": "l"}}}}]}}]}}}},
 "resource_changes": [{{"address": "module.m.aws_iam_role.later", "change": {{"after_unknown": {{"assume_role_policy": true}}}}}}]}}"#
            ),
        )
        .with(
            "terraform.tfstate.json",
            format!(
                r#"{{"version": 4, "terraform_version": "1.9.0", "lineage": "x", "resources": [{{"mode": "managed", "type": "aws_iam_role",
 "name": "r", "instances": [{{"index_key": "a", "attributes": {{"name": "r", "assume_role_policy": {policy}}}}}]}}]}}"#
            ),
        );
    let found = find(&[""], &tree);
    insta::assert_snapshot!(shown(&found), @r#"
    aws module.m.aws_iam_role.r at plan.json:6:6, document at plan.json:6:134, audiences x
    {"Statement": [{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/a.example"}, "Action": "sts:AssumeRoleWithWebIdentity"}]}
    aws aws_iam_role.r["a"] at terraform.tfstate.json:2:29, document at terraform.tfstate.json:2:98
    {"Statement": [{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/a.example"}, "Action": "sts:AssumeRoleWithWebIdentity"}]}
    unresolved plan.json:7:6: {"address": "module.m.aws_iam_role.later", "mode": "managed"...: known after the plan is applied
    "#);
    assert_eq!(found.policies[0].module.as_deref(), Some("module.m"));
}

#[test]
fn roles_of_an_account() {
    let tree = MemoryTree::new()
        .with(
            "details.json",
            r#"{"RoleDetailList": [
 {"RoleName": "deploy", "Arn": "arn:aws:iam::111122223333:role/deploy", "AttachedManagedPolicies": [{"PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}],
  "Tags": [{"Key": "Environment", "Value": "live"}],
  "AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
    "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/a.example"}}]}},
 {"RoleName": "encoded", "AssumeRolePolicyDocument": "%7B%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22sts%3AAssumeRole%22%2C%22Principal%22%3A%22%2A%22%7D%5D%7D"},
 {"RoleName": "broken", "AssumeRolePolicyDocument": "%7B%22"}]}"#,
        )
        .with("provider.json", r#"{"Url": "a.example", "ClientIDList": ["sts.amazonaws.com"], "ThumbprintList": []}"#);
    let found = find(&[""], &tree);
    insta::assert_snapshot!(shown(&found), @r#"
    aws deploy at details.json:2:2, document at details.json:4:31, audiences sts.amazonaws.com
    {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/a.example"}}]}
    aws encoded at details.json:6:2, document at details.json:6:54
    {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}]}
    unresolved details.json:7:53: broken: the policy is not valid JSON: unterminated string literal
    "#);
    let facts = &found.policies[0].facts;
    assert_eq!(facts.environment.as_deref(), Some("live"));
    assert_eq!(facts.permissions, ["arn:aws:iam::aws:policy/AdministratorAccess"]);
    assert_eq!(found.policies[0].options.account.as_deref(), Some("111122223333"));
}

#[test]
fn listings_of_the_other_clouds() {
    let tree = MemoryTree::new()
        .with(
            "providers.json",
            r#"[{"name": "projects/12/locations/global/workloadIdentityPools/ci/providers/gh", "state": "ACTIVE",
  "attributeMapping": {"google.subject": "assertion.sub"}, "oidc": {"issuerUri": "https://gitlab.com"}}]"#,
        )
        .with(
            "deploy.json",
            r#"{"bindings": [{"role": "roles/iam.workloadIdentityUser",
  "members": ["principalSet://iam.googleapis.com/projects/12/locations/global/workloadIdentityPools/ci/*"]}], "etag": "x", "version": 1}"#,
        )
        .with(
            "credentials.json",
            r#"[{"name": "a", "issuer": "https://gitlab.com", "subject": "x", "audiences": ["api://AzureADTokenExchange"]}]"#,
        )
        .with(
            "role.json",
            r#"{"request_id": "1", "data": {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"], "bound_subject": "x"}}"#,
        );
    insta::assert_snapshot!(shown(&find(&[""], &tree)), @r#"
    azure credentials at credentials.json:1:1
    [{"name": "a", "issuer": "https://gitlab.com", "subject": "x", "audiences": ["api://AzureADTokenExchange"]}]
    gcp deploy at deploy.json:1:15, document at providers.json:1:2
    {"providers": [{"name": "projects/12/locations/global/workloadIdentityPools/ci/providers/gh", "state": "ACTIVE", "attributeMapping": {"google.subject": "assertion.sub"}, "oidc": {"issuerUri": "https://gitlab.com"}}], "bindings": [{"role": "roles/iam.workloadIdentityUser", "members": ["principalSet://iam.googleapis.com/projects/12/locations/global/workloadIdentityPools/ci/*"]}]}
    vault role at role.json:1:1
    {"request_id": "1", "data": {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"], "bound_subject": "x"}}
    "#);
}

#[test]
fn malformed_documents_are_located() {
    let tree = MemoryTree::new()
        .with("a.json", "{\n \"Statement\": [}")
        .with("b.yaml", "Resources:\n  X:\n    Type: [AWS::IAM::Role\n# AssumeRolePolicyDocument")
        .with("c.toml", "[[role.trust]]\nx = = 1\n")
        .with("d.tf", "resource \"x\" \"y\" {\n  a = \n}\n");
    insta::assert_snapshot!(shown(&find(&[""], &tree)), @r#"
    problem a.json:2:16: not valid JSON: unexpected close brace
    problem b.yaml:4:27: not valid YAML: while parsing a flow sequence, expected ',' or ']'
    problem c.toml:2:5: not valid TOML: extra `=`, expected nothing
    problem d.tf:2:7: not valid HCL: invalid expression; expected `"`, `[`, `{`, `-`, `!`, `(`, `_`, `<`, letter or digit
    "#);
}
