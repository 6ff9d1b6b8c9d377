//! The estate that the tests move.

use daypass_migrate::plan::draw;
use daypass_migrate::plan::privilege::Account;
use daypass_migrate::{Plan, Survey};
use daypass_pipelines::NoTree;
use daypass_trust::document::Source;

pub(crate) const GITHUB: &str = "\
name: deploy
on:
  push:
    branches: [main]
  pull_request:
permissions:
  contents: read
  packages: write   # images
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - run: make test
  staging:
    runs-on: ubuntu-latest
    environment: staging
    if: github.event_name == 'push'
    steps:
      - uses: actions/checkout@v4
      - uses: aws-actions/configure-aws-credentials@v4   # logs in
        with:
          aws-access-key-id: ${{ secrets.STAGING_KEY_ID }}
          aws-secret-access-key: ${{ secrets.STAGING_KEY }}
          aws-region: eu-west-1
      - run: aws s3 sync site s3://acme-staging
  production:
    needs: staging
    runs-on: ubuntu-latest
    environment:
      name: production
    if: github.event_name == 'push'
    permissions:
      contents: read
      deployments: write
    env:
      AWS_REGION: eu-west-1
      AWS_ACCESS_KEY_ID: ${{ secrets.PROD_KEY_ID }}
      AWS_SECRET_ACCESS_KEY: ${{ secrets.PROD_KEY }}
    steps:
      - uses: actions/checkout@v4
      - run: aws s3 sync site s3://acme-production
  publish:
    runs-on: ubuntu-latest
    steps:
      - run: npm publish
        env:
          NODE_AUTH_TOKEN: ${{ secrets.NPM_TOKEN }}
";

pub(crate) const GITLAB: &str = "\
stages: [deploy]

deploy-production:
  stage: deploy
  environment: production
  rules:
    - if: $CI_COMMIT_BRANCH == \"main\"
  variables:
    AWS_DEFAULT_REGION: eu-west-1
    AWS_ACCESS_KEY_ID: $PROD_AWS_ID
    AWS_SECRET_ACCESS_KEY: $PROD_AWS_SECRET
  script:
    # the whole service
    - aws ecs update-service --cluster acme --service api --force-new-deployment
";

pub(crate) const GITHUB_FILE: &str = "shop/.github/workflows/deploy.yml";
pub(crate) const GITLAB_FILE: &str = "api/.gitlab-ci.yml";

pub(crate) fn survey_of(files: &[(&str, &str)]) -> Survey {
    let mut survey = Survey::new();
    for (path, text) in files {
        survey.add(path, text.as_bytes(), &NoTree).unwrap();
    }
    survey
}

pub(crate) fn survey() -> Survey {
    survey_of(&[(GITHUB_FILE, GITHUB), (GITLAB_FILE, GITLAB)])
}

/// The id of the credential with a source like this.
pub(crate) fn id(survey: &Survey, source: &str) -> String {
    let found = survey.credentials().iter().find(|it| it.source.contains(source));
    found.unwrap_or_else(|| panic!("{source}: {:?}", survey.credentials())).id.clone()
}

pub(crate) fn account() -> Account {
    let text = r#"{
      "UserDetailList": [
        {"Arn": "arn:aws:iam::111122223333:user/staging-site", "UserPolicyList": [{"PolicyName": "site", "PolicyDocument":
          {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": ["s3:PutObject", "s3:ListBucket"],
           "Resource": ["arn:aws:s3:::acme-*"]}}}]},
        {"Arn": "arn:aws:iam::111122223333:user/site", "UserPolicyList": [{"PolicyName": "site", "PolicyDocument":
          {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::acme-*"}}}]},
        {"Arn": "arn:aws:iam::111122223333:user/root-bot", "AttachedManagedPolicies":
          [{"PolicyName": "AdministratorAccess", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}]}],
      "Policies": [{"Arn": "arn:aws:iam::aws:policy/AdministratorAccess", "PolicyVersionList": [{"VersionId": "v1",
        "IsDefaultVersion": true, "Document": {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}}]}]}"#;
    Account::parse("details.json", text).unwrap()
}

/// A plan as it is drawn up, with what people fill in: facts of the repositories, and where the roles live.
pub(crate) fn filled(survey: &Survey) -> Plan {
    Plan::parse(&Source::new("daypass.migration.toml", filled_text(survey).as_str())).unwrap()
}

pub(crate) fn filled_text(survey: &Survey) -> String {
    let text = draw(survey, None, None).unwrap().text;
    fill(&text)
}

pub(crate) fn fill(text: &str) -> String {
    let claims = [
        (
            "github-actions",
            "{ repository = \"acme/shop\", repository_id = \"2002\", repository_owner = \"acme\", repository_owner_id = \"1001\" }",
        ),
        (
            "gitlab",
            "{ project_path = \"acme/api\", project_id = \"33\", namespace_path = \"acme\", namespace_id = \"44\" }",
        ),
        ("circleci", "{ \"oidc.circleci.com/project-id\" = \"5a5a5a5a-0000-4000-8000-000000000001\" }"),
    ];
    let mut out = String::new();
    let mut platform = "";
    let mut cloud = "";
    for line in text.lines() {
        if let Some((name, _)) = claims.iter().find(|(name, _)| line == format!("platform = \"{name}\"")) {
            platform = name;
        }
        if line.starts_with("cloud = ") {
            cloud = if line.contains("aws") { "account = \"111122223333\"" } else { "" };
        }
        match line {
            "claims = {}" => {
                let found =
                    claims.iter().find(|(name, _)| *name == platform).map_or("{}", |(_, claims)| claims);
                out.push_str(&format!("claims = {found}\ndefault_branch = \"main\"\n"));
                if platform == "github-actions" {
                    out.push_str("subjects = \"immutable\"\n");
                }
            }
            "target = {}" => out.push_str(&format!("target = {{ {cloud} }}\n")),
            line => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out
}
