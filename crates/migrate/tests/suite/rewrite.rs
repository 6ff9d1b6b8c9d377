use std::collections::BTreeMap;

use daypass_migrate::plan::draw;
use daypass_migrate::rewrite::{Rewritten, rewrite};
use daypass_migrate::{Plan, Survey};
use daypass_pipelines::{NoTree, ReadError};
use daypass_trust::document::Source;
use proptest::prelude::*;

use crate::estate::{GITHUB, GITHUB_FILE, GITLAB, GITLAB_FILE, filled, survey, survey_of};
use crate::semantic::{difference, rest_is_unchanged, rest_means_the_same};

/// Rewrites a file, with everything checked that must hold of any.
fn run(plan: &Plan, path: &str, text: &str) -> Rewritten {
    let first = rewrite(plan, path, text.as_bytes(), &NoTree, None).unwrap();
    rest_is_unchanged(&first);
    if matches!(path.rsplit('.').next(), Some("yml" | "yaml")) {
        rest_means_the_same(&first);
    }
    let second = rewrite(plan, path, first.after.as_bytes(), &NoTree, None).unwrap();
    assert_eq!(second.after, first.after, "a second time changes nothing");
    first
}

fn alone(path: &str, text: &str) -> Rewritten {
    run(&filled(&survey_of(&[(path, text)])), path, text)
}

/// With other targets than those that the estate fills in.
fn with_target(path: &str, text: &str, target: &str) -> Rewritten {
    let drawn = draw(&survey_of(&[(path, text)]), None, None).unwrap().text;
    let plan = drawn.replace("target = {}", &format!("target = {{ {target} }}"));
    run(&Plan::parse(&Source::new("p", plan.as_str())).unwrap(), path, text)
}

fn manual(rewritten: &Rewritten) -> String {
    rewritten.manual.iter().flat_map(|it| &it.steps).cloned().collect::<Vec<_>>().join("\n")
}

#[test]
fn github_inputs_variables_and_permissions() {
    let plan = filled(&survey());
    let rewritten = run(&plan, GITHUB_FILE, GITHUB);
    insta::assert_snapshot!(rewritten.diff());
    insta::assert_snapshot!(difference(&rewritten).join("\n"));
    assert!(manual(&rewritten).contains("npm trusted publishing"), "{}", manual(&rewritten));
}

#[test]
fn only_the_wave_that_is_asked_for() {
    let plan = filled(&survey());
    let staging = rewrite(&plan, GITHUB_FILE, GITHUB.as_bytes(), &NoTree, Some(2)).unwrap();
    assert!(staging.after.contains("role-to-assume"));
    assert!(
        staging.after.contains("secrets.PROD_KEY }}") && !staging.after.contains("secrets.STAGING_KEY }}")
    );
}

#[test]
fn gitlab_asks_for_a_token_and_logs_in() {
    let rewritten = run(&filled(&survey()), GITLAB_FILE, GITLAB);
    insta::assert_snapshot!(rewritten.diff());
}

#[test]
fn gitlab_takes_the_settings_variables_out_of_the_job() {
    let text = "deploy:\n  environment: production\n  script:\n    - aws s3 sync a s3://b\n";
    let rewritten = alone(".gitlab-ci.yml", text);
    assert!(rewritten.after.contains("unset AWS_ACCESS_KEY_ID"), "{}", rewritten.after);
    assert!(manual(&rewritten).contains("still hold the credential"));
    let ruled = "deploy:\n  rules:\n    - if: $CI_COMMIT_TAG\n      variables:\n        AWS_ACCESS_KEY_ID: $A\n        AWS_SECRET_ACCESS_KEY: $B\n  script:\n    - aws s3 sync a s3://b\n";
    let rewritten = alone(".gitlab-ci.yml", ruled);
    assert!(!rewritten.is_changed(), "{}", rewritten.after);
    assert!(manual(&rewritten).contains("a rule decides"));
}

const CIRCLE_ORB: &str = "\
version: 2.1
orbs:
  aws-cli: circleci/aws-cli@4.1.3
jobs:
  deploy:
    docker: [{ image: cimg/base:2024.01 }]
    steps:
      - checkout
      - aws-cli/setup:
          aws-access-key-id: AWS_ACCESS_KEY_ID
          aws-secret-access-key: AWS_SECRET_ACCESS_KEY
          region: eu-west-1
      - run: aws s3 sync site s3://acme
workflows:
  main:
    jobs:
      - deploy:
          context: production
";

#[test]
fn circleci_orbs_take_a_role() {
    let rewritten = alone(".circleci/config.yml", CIRCLE_ORB);
    insta::assert_snapshot!(rewritten.diff());
    let old = CIRCLE_ORB.replace("4.1.3", "3.1.1");
    let rewritten = alone(".circleci/config.yml", &old);
    assert!(!rewritten.is_changed());
    assert!(manual(&rewritten).contains("take version 4 or later"), "{}", manual(&rewritten));
}

/// What stays bound elsewhere would be used in place of the role, and a second time would change the file again.
#[test]
fn what_would_still_be_bound_is_left_and_said() {
    // An orb that the file does not name the version of, or whence it comes.
    let orb = CIRCLE_ORB.replace("aws-cli: circleci/aws-cli@4.1.3", "aws-cli: {}");
    let rewritten = alone(".circleci/config.yml", &orb);
    assert!(!rewritten.is_changed(), "{}", rewritten.diff());
    assert!(!manual(&rewritten).is_empty());
    let buildkite = "steps:\n  - key: production\n    branches: main\n    env:\n      AWS_ACCESS_KEY_ID: AKIAACMEPLATFORM0001\n    command:\n      - export AWS_SECRET_ACCESS_KEY=\"$(buildkite-agent secret get KEY)\"\n      - aws s3 ls\n";
    let rewritten = alone(".buildkite/pipeline.yml", buildkite);
    assert!(!rewritten.is_changed(), "{}", rewritten.diff());
    assert!(
        manual(&rewritten).contains("has `AWS_SECRET_ACCESS_KEY=` in its commands"),
        "{}",
        manual(&rewritten)
    );
    let github = GITHUB.replace(
        "      - run: aws s3 sync site s3://acme-staging",
        "      - run: AWS_ACCESS_KEY_ID=$OLD aws s3 sync site s3://acme-staging",
    );
    let survey = survey_of(&[(GITHUB_FILE, &github)]);
    let rewritten = run(&filled(&survey), GITHUB_FILE, &github);
    assert!(rewritten.after.contains("secrets.STAGING_KEY }}"), "{}", rewritten.diff());
    assert!(
        manual(&rewritten).contains("job `staging` has `AWS_ACCESS_KEY_ID=` in a script"),
        "{}",
        manual(&rewritten)
    );
}

#[test]
fn circleci_jobs_without_an_orb_log_in_themselves() {
    let text = "\
version: 2.1
jobs:
  deploy:
    docker:
      - image: cimg/base:2024.01
    steps:
      - checkout
      - run: aws s3 sync site s3://acme
workflows:
  main:
    jobs:
      - deploy:
          context: production
";
    let rewritten = alone(".circleci/config.yml", text);
    insta::assert_snapshot!(rewritten.diff());
}

#[test]
fn bitbucket_pipes_and_scripts() {
    let text = "\
pipelines:
  branches:
    main:
      - step:
          name: Deploy
          deployment: production
          script:
            - pipe: atlassian/aws-s3-deploy:1.1.0
              variables:
                AWS_ACCESS_KEY_ID: $AWS_ACCESS_KEY_ID
                AWS_SECRET_ACCESS_KEY: $AWS_SECRET_ACCESS_KEY
                AWS_DEFAULT_REGION: eu-west-1
                S3_BUCKET: acme
";
    insta::assert_snapshot!(alone("bitbucket-pipelines.yml", text).diff());
    let script = "pipelines:\n  default:\n    - step:\n        name: Deploy\n        deployment: production\n        script:\n          - aws s3 sync a s3://b\n";
    let rewritten = alone("bitbucket-pipelines.yml", script);
    assert!(rewritten.after.contains("oidc: true\n"), "{}", rewritten.after);
    assert!(rewritten.after.contains("$BITBUCKET_STEP_OIDC_TOKEN"), "{}", rewritten.after);
}

#[test]
fn every_pipe_of_a_file_gets_the_role() {
    let step = "        - step:\n            name: Deploy\n            script:\n              - pipe: atlassian/aws-ecs-deploy:1.1.0\n                variables:\n                  AWS_ACCESS_KEY_ID: $AWS_ACCESS_KEY_ID\n                  AWS_SECRET_ACCESS_KEY: $AWS_SECRET_ACCESS_KEY\n                  CLUSTER_NAME: shop\n";
    let text = format!("pipelines:\n    branches:\n      develop:\n{step}      main:\n{step}");
    let rewritten = alone("bitbucket-pipelines.yml", &text);
    assert_eq!(rewritten.after.matches("AWS_OIDC_ROLE_ARN: ").count(), 2, "{}", rewritten.after);
    assert_eq!(rewritten.after.matches("oidc: true").count(), 2, "{}", rewritten.after);
    assert!(!rewritten.after.contains("AWS_SECRET_ACCESS_KEY"), "{}", rewritten.after);
}

#[test]
fn a_command_that_is_handed_the_stored_value_is_for_people() {
    let text = "pipelines:\n  default:\n    - step:\n        name: Deploy\n        script:\n          - firebase deploy --token \"$FIREBASE_TOKEN\" --only hosting\n";
    let rewritten = alone("bitbucket-pipelines.yml", text);
    assert!(!rewritten.is_changed(), "{}", rewritten.after);
    let steps: Vec<&String> = rewritten.manual.iter().flat_map(|it| &it.steps).collect();
    assert!(steps.iter().any(|step| step.contains("has `$FIREBASE_TOKEN` in its script")), "{steps:?}");
}

#[test]
fn buildkite_steps_get_a_plugin() {
    let text = "\
steps:
  - label: Deploy
    key: deploy-production
    command: aws s3 sync site s3://acme
    env:
      AWS_ACCESS_KEY_ID: $PROD_ID
      AWS_SECRET_ACCESS_KEY: $PROD_SECRET
";
    insta::assert_snapshot!(alone(".buildkite/pipeline.yml", text).diff());
}

#[test]
fn azure_pipelines_use_the_connections_token() {
    let text = "\
steps:
  - script: terraform apply -auto-approve
    displayName: production
    env:
      ARM_CLIENT_ID: $(ARM_CLIENT_ID)
      ARM_CLIENT_SECRET: $(ARM_CLIENT_SECRET)
";
    let rewritten = with_target(
        "azure-pipelines.yml",
        text,
        "service_connection_id = \"00000000-0000-4000-8000-000000000001\"",
    );
    insta::assert_snapshot!(rewritten.diff());
    let connection = "steps:\n  - task: AzureCLI@2\n    inputs:\n      azureSubscription: prod-arm\n      inlineScript: az webapp list\n";
    let rewritten = with_target("azure-pipelines.yml", connection, "");
    assert!(!rewritten.is_changed());
    assert!(
        manual(&rewritten).contains("convert service connection `prod-arm` to workload identity federation"),
        "{}",
        manual(&rewritten)
    );
}

#[test]
fn google_entra_vault_and_pypi_actions() {
    let text = "\
on: { push: { branches: [main] } }
permissions: { contents: read }
jobs:
  gcp-production:
    runs-on: x
    steps:
      - uses: google-github-actions/auth@v2
        with: { credentials_json: '${{ secrets.GCP }}' }
  azure-production:
    runs-on: x
    steps:
      - uses: azure/login@v2
        with:
          creds: ${{ secrets.AZ }}
  vault-production:
    runs-on: x
    steps:
      - uses: hashicorp/vault-action@v3
        with:
          url: https://vault.acme.example
          method: token
          token: ${{ secrets.VT }}
          secrets: a b
  pypi:
    runs-on: x
    steps:
      - uses: pypa/gh-action-pypi-publish@release/v1
        with:
          user: __token__
          password: ${{ secrets.PYPI }}
";
    let drawn = draw(&survey_of(&[(".github/workflows/a.yml", text)]), None, None).unwrap().text;
    let mut out = String::new();
    let mut cloud = "";
    for line in drawn.lines() {
        if let Some(name) = line.strip_prefix("cloud = ") {
            cloud = match name.trim_matches('"') {
                "gcp" => {
                    "project_number = \"1\", pool = \"p\", provider = \"gh\", service_account = \"d@p.iam.gserviceaccount.com\""
                }
                "azure" => "client_id = \"c\", tenant_id = \"t\", subscription_id = \"s\"",
                "vault" => "address = \"https://vault.acme.example\", mount = \"github\"",
                _ => "",
            };
        }
        out.push_str(&line.replace("target = {}", &format!("target = {{ {cloud} }}")));
        out.push('\n');
    }
    let plan = Plan::parse(&Source::new("p", out.as_str())).unwrap();
    let rewritten = run(&plan, ".github/workflows/a.yml", text);
    insta::assert_snapshot!(rewritten.diff());
    assert!(manual(&rewritten).contains("trusted publisher"));
}

#[test]
fn terraform_providers_lose_their_keys() {
    let text = "\
provider \"aws\" {
  region     = \"eu-west-1\"
  access_key = var.access_key
  secret_key = var.secret_key # old
}

provider \"azurerm\" {
  features {}
  client_secret = var.secret
}

resource \"aws_iam_access_key\" \"ci\" {
  user = \"ci\"
}
";
    let rewritten = alone("infra/main.tf", text);
    insta::assert_snapshot!(rewritten.diff());
    assert!(
        manual(&rewritten).contains("take the resource out once nothing uses the key"),
        "{}",
        manual(&rewritten)
    );
    // What another block says of itself is not said of this one.
    let both = "provider \"azurerm\" {\n  client_secret = var.secret\n}\n\nprovider \"azurerm\" {\n  alias = \"o\"\n  use_oidc = true\n}\n";
    assert!(alone("infra/a.tf", both).after.starts_with("provider \"azurerm\" {\n  use_oidc = true\n}"));
    let other = alone("infra/c.tf", "provider \"github\" {\n  token = var.t\n}\n");
    assert!(!other.is_changed() && manual(&other).starts_with("replace it with"));
    let backend = "terraform {\n  backend \"s3\" {\n    access_key = var.a\n    secret_key = var.b\n  }\n}\n";
    let rewritten = alone("infra/b.tf", backend);
    assert!(!rewritten.is_changed() && manual(&rewritten).starts_with("the state is reached with it"));
}

#[test]
fn jenkins_is_told_what_to_do() {
    let text = "pipeline {\n  agent any\n  environment {\n    AWS_ACCESS_KEY_ID = credentials('prod-id')\n    AWS_SECRET_ACCESS_KEY = credentials('prod-secret')\n  }\n  stages {\n    stage('production') {\n      steps {\n        sh 'aws s3 sync a s3://b'\n      }\n    }\n  }\n}\n";
    let rewritten = alone("Jenkinsfile", text);
    assert!(!rewritten.is_changed() && !rewritten.manual.is_empty());
}

#[test]
fn what_is_not_safe_is_left_and_said() {
    let steps = |job: &str| {
        let text =
            format!("on: {{ push: {{ branches: [main] }} }}\njobs:\n  production:\n    runs-on: x\n{job}");
        let rewritten = alone(".github/workflows/a.yml", &text);
        assert!(!rewritten.is_changed(), "{}", rewritten.diff());
        manual(&rewritten)
    };
    let keys =
        "          aws-access-key-id: ${{ secrets.A }}\n          aws-secret-access-key: ${{ secrets.B }}\n";
    let configure = "    steps:\n      - uses: aws-actions/configure-aws-credentials@v4\n        with:\n";
    assert!(
        steps(&format!("{configure}{keys}          role-to-assume: arn:aws:iam::1:role/x\n"))
            .contains("the keys assume a role here")
    );
    let matrix = format!(
        "    environment: ${{{{ matrix.e }}}}\n    strategy:\n      matrix:\n        e: [staging, production]\n{configure}{keys}"
    );
    assert!(steps(&matrix).contains("has a role for each of its environments"));
    // One role in place of several keys would let each run do what all of them may.
    for key in [
        "${{ github.ref == 'refs/heads/main' && secrets.PROD || secrets.DEV }}",
        "${{ secrets[format('{0}_KEY', matrix.e)] }}",
        "${{ secrets[matrix.key] }}",
    ] {
        let of = |name: &str| key.replace("PROD", &format!("PROD_{name}"));
        let chosen = format!(
            "{configure}          aws-access-key-id: {}\n          aws-secret-access-key: {}\n",
            of("ID"),
            of("SECRET")
        );
        assert!(steps(&chosen).contains("shows only in the run"), "{key}");
    }
    let env = "    env:\n      AWS_ACCESS_KEY_ID: ${{ secrets.A }}\n      AWS_SECRET_ACCESS_KEY: ${{ secrets.B }}\n    steps:\n      - run: aws s3 ls\n";
    assert!(steps(env).contains("no region is in the file"));
    let script = "    steps:\n      - run: aws configure set aws_secret_access_key ${{ secrets.B }}\n";
    assert!(steps(script).contains("replace it with a role"));
    let call = "    uses: acme/ci/.github/workflows/d.yml@v1\n    secrets:\n      AWS_ACCESS_KEY_ID: ${{ secrets.A }}\n      AWS_SECRET_ACCESS_KEY: ${{ secrets.B }}\n";
    assert!(!steps(&call.replace("    runs-on: x\n", "")).is_empty());
}

#[test]
fn where_no_line_can_go_in_front_the_credential_stays() {
    let job = "        runs-on: x\n        env:\n          AWS_REGION: eu-west-1\n          AWS_ACCESS_KEY_ID: ${{ secrets.A }}\n          AWS_SECRET_ACCESS_KEY: ${{ secrets.B }}\n        steps: [{ run: aws s3 ls }]\n";
    for (path, text) in [
        (".github/workflows/a.yml", format!("on: {{ push: {{ branches: [main] }} }}\njobs:\n    production:\n{job}")),
        (
            ".gitlab-ci.yml",
            "deploy:\n  environment: production\n  variables:\n    AWS_REGION: eu-west-1\n    AWS_ACCESS_KEY_ID: $PROD_ID\n    AWS_SECRET_ACCESS_KEY: $PROD_SECRET\n  script: [aws s3 ls]\n".to_owned(),
        ),
        (
            "bitbucket-pipelines.yml",
            "pipelines:\n  default:\n    - step:\n        name: Deploy\n        deployment: production\n        script: [aws s3 sync a s3://b]\n".to_owned(),
        ),
        (
            ".circleci/config.yml",
            "version: 2.1\njobs:\n  deploy:\n    docker:\n      - image: cimg/base:2024.01\n    steps: [checkout, { run: aws s3 sync site s3://acme }]\nworkflows:\n  main:\n    jobs:\n      - deploy:\n          context: production\n".to_owned(),
        ),
    ] {
        let rewritten = alone(path, &text);
        assert!(!rewritten.is_changed(), "{path}: {}", rewritten.diff());
        assert!(manual(&rewritten).contains("replace it with"), "{path}: {}", manual(&rewritten));
    }
}

#[test]
fn a_file_that_others_include_is_left_to_people() {
    let (path, included) = ("ci/deploy.yml", ".deploy: {script: [aws s3 sync a s3://b]}\n");
    let text = "include: [{local: /ci/deploy.yml}]\nd: {extends: .deploy}\n";
    let files = BTreeMap::from([(path.to_owned(), included.as_bytes().to_vec())]);
    let mut survey = Survey::new();
    survey.add(".gitlab-ci.yml", text.as_bytes(), &files).unwrap();
    let plan = filled(&survey);
    let rewritten = run(&plan, path, included);
    assert!(!rewritten.is_changed());
    assert!(manual(&rewritten).starts_with("other files include this one"), "{}", manual(&rewritten));
    assert_eq!(rewritten.manual[0].location.line, 1);
    assert!(matches!(
        rewrite(&plan, "ci/other.yml", b"a: 1\n", &NoTree, None),
        Err(ReadError::NotAPipeline(_))
    ));
}

#[test]
fn a_role_without_its_account_is_asked_for() {
    let survey = survey_of(&[(GITHUB_FILE, GITHUB)]);
    let plan = draw(&survey, None, None).unwrap().plan;
    let rewritten = run(&plan, GITHUB_FILE, GITHUB);
    assert!(manual(&rewritten).contains("its `account` in the plan"), "{}", manual(&rewritten));
}

#[test]
fn permissions_are_merged_in_every_form() {
    let after = |top: &str, job: &str| {
        let text = format!(
            "on: {{ push: {{ branches: [main] }} }}\n{top}jobs:\n  production:\n    runs-on: x\n{job}    steps:\n      - uses: aws-actions/configure-aws-credentials@v4\n        with:\n          aws-access-key-id: ${{{{ secrets.A }}}}\n          aws-secret-access-key: ${{{{ secrets.B }}}}\n          aws-region: x\n"
        );
        let rewritten = alone(".github/workflows/a.yml", &text);
        let pipeline =
            daypass_pipelines::read(".github/workflows/a.yml", rewritten.after.as_bytes(), &NoTree).unwrap();
        let job = &pipeline.jobs[0];
        assert_eq!(job.id_token.allowed(), Some(true), "{}", rewritten.after);
        let given = job.permissions.as_ref().or(pipeline.permissions.as_ref()).unwrap();
        (given.level("contents").0.to_owned(), given.level("packages").0.to_owned(), manual(&rewritten))
    };
    let levels = |top: &str, job: &str| {
        let (contents, packages, _) = after(top, job);
        (contents, packages)
    };
    let are = |contents: &str, packages: &str| (contents.to_owned(), packages.to_owned());
    assert_eq!(levels("permissions: { contents: write, packages: read }\n", ""), are("write", "read"));
    assert_eq!(levels("permissions:\n  packages: write\n", ""), are("none", "write"));
    assert_eq!(levels("permissions: read-all\n", ""), are("read", "read"));
    assert_eq!(levels("permissions: write-all\n", ""), are("write", "write"));
    assert_eq!(levels("permissions: {}\n", ""), are("none", "none"));
    assert_eq!(levels("permissions: write-all\n", "    permissions: {}\n"), are("none", "none"));
    assert_eq!(levels("", "    permissions: { packages: write }\n"), are("none", "write"));
    assert_eq!(levels("", "    permissions: read-all\n"), are("read", "read"));
    assert_eq!(
        levels("", "    permissions:\n      id-token: none\n      contents: write\n"),
        are("write", "none")
    );
    let (contents, packages, said) = after("", "");
    assert_eq!((contents, packages), are("read", "none"));
    assert!(said.contains("had the repository's default permissions"), "{said}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Whatever comments, blanks and line ends stand around: the rest stays, and twice is once.
    #[test]
    fn layout_is_kept(seed in prop::collection::vec((0usize..60, 0usize..4), 0..12), crlf: bool) {
        let mut lines: Vec<String> = GITHUB.lines().map(str::to_owned).collect();
        for (at, what) in seed {
            let at = at % lines.len();
            match what {
                0 => lines.insert(at, "# note: é".to_owned()),
                1 => lines.insert(at, String::new()),
                2 if !lines[at].contains('#') && !lines[at].is_empty() => lines[at].push_str("  # why"),
                _ => lines[at].push_str("   "),
            }
        }
        let text = lines.join(if crlf { "\r\n" } else { "\n" });
        let survey = survey_of(&[(GITHUB_FILE, &text)]);
        let rewritten = run(&filled(&survey), GITHUB_FILE, &text);
        prop_assert!(rewritten.is_changed());
        let left = survey_of(&[(GITHUB_FILE, &rewritten.after)]);
        prop_assert!(left.credentials().iter().all(|it| it.cloud != "aws"), "{}", rewritten.after);
    }

    /// Nothing that anybody writes brings it down.
    #[test]
    fn nothing_panics(text in "[a-z:\\- \\n${}\\[\\]#|&*\"']{0,200}", at in 0usize..1200) {
        let plan = filled(&survey());
        let mut mixed = GITHUB.to_owned();
        let at = (at % mixed.len()..mixed.len()).find(|at| mixed.is_char_boundary(*at)).unwrap();
        mixed.insert_str(at, &text);
        if let Ok(rewritten) = rewrite(&plan, GITHUB_FILE, mixed.as_bytes(), &NoTree, None) {
            rest_is_unchanged(&rewritten);
        }
    }
}
