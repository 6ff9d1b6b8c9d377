use daypass_claims::ClaimName;
use daypass_migrate::generate::{Format, Generated, generate, rehearse};
use daypass_migrate::plan::draw;
use daypass_migrate::{Cloud, Plan, Survey};
use daypass_prove::{Persona, Verdict};
use daypass_trust::document::Source;
use daypass_trust::{CompileOptions, Context, Dialect, Outcome, compile, evaluate};

use crate::estate::{GITHUB_FILE, GITLAB, GITLAB_FILE, account, filled, filled_text, id, survey, survey_of};

fn all(plan: &Plan, survey: &Survey, cloud: Cloud, format: Format) -> Generated {
    generate(plan, survey, Some(&account()), cloud, format)
}

/// One job of each cloud in an environment, and its plan.
fn one(cloud: &str, target: &str, on: &str) -> (Survey, Plan) {
    let step = match cloud {
        "gcp" => {
            "      - uses: google-github-actions/auth@v2\n        with: { credentials_json: '${{ secrets.K }}' }\n"
        }
        "azure" => "      - uses: azure/login@v2\n        with: { creds: '${{ secrets.K }}' }\n",
        "vault" => "      - uses: hashicorp/vault-action@v3\n        with: { token: '${{ secrets.K }}' }\n",
        _ => {
            "      - uses: aws-actions/configure-aws-credentials@v4\n        with: { aws-secret-access-key: '${{ secrets.K }}', aws-region: x }\n"
        }
    };
    let text = format!(
        "{on}permissions: {{ id-token: write }}\njobs:\n  deploy:\n    runs-on: x\n    environment: production\n    steps:\n{step}"
    );
    let survey = survey_of(&[("shop/.github/workflows/d.yml", &text)]);
    let text = filled_text(&survey)
        .replace("target = {  }", &format!("target = {{ {target} }}"))
        .replace("target = { account = \"111122223333\" }", &format!("target = {{ {target} }}"));
    let plan = Plan::parse(&Source::new("p", text.as_str())).unwrap();
    (survey, plan)
}

const MAIN: &str = "on: { push: { branches: [main] } }\n";

/// Everything that must hold of generated trust.
fn check(generated: &Generated, dialect: Dialect) {
    for role in &generated.roles {
        assert_eq!(role.refused, [""; 0], "{}", role.role);
        for trust in &role.trusts {
            let issuer = trust.admits[0].issuer.clone();
            let options = CompileOptions {
                issuer: Some(issuer.clone()),
                account: Some("111122223333".into()),
                ..CompileOptions::default()
            };
            let policy =
                compile(dialect, &Source::new("t", trust.document.as_str()), &options).unwrap().policy;
            for witness in &trust.admits {
                let context = Context::new().issuer(witness.issuer.clone()).account("111122223333");
                assert_eq!(
                    evaluate(&policy, &witness.claims, &context).outcome,
                    Outcome::Allow,
                    "{}",
                    trust.document
                );
            }
            assert!(trust.is_tight, "{}: {:?}", trust.name, trust.beyond);
            for answer in &trust.personas {
                let mine = matches!(answer.persona, Persona::Intended | Persona::OtherWorkflow);
                assert!(mine || answer.answer.answer == Verdict::No, "{}: {:?}", trust.document, answer);
            }
        }
    }
}

#[test]
fn aws_roles_fit_their_jobs() {
    let survey = survey();
    let plan = filled(&survey);
    let generated = all(&plan, &survey, Cloud::Aws, Format::Terraform);
    let of_shop: Vec<_> = generated.roles.iter().filter(|role| role.role.contains("shop")).cloned().collect();
    assert_eq!(of_shop.len(), 2);
    check(&Generated { files: Vec::new(), roles: of_shop.clone() }, Dialect::Aws);
    for role in &of_shop {
        let document = &role.trusts[0].document;
        assert!(
            document.contains(r#""token.actions.githubusercontent.com:repository_id": "2002""#),
            "{document}"
        );
        assert!(document.contains(":environment:"), "{document}");
        assert!(!document.contains('*'), "{document}");
    }
    let file = generated.files.iter().find(|file| file.path == "aws-s3-write-shop-production.tf").unwrap();
    insta::assert_snapshot!(file.text);
}

#[test]
fn permissions_are_carried_over() {
    let survey = survey();
    let id = id(&survey, "STAGING_KEY");
    let text = filled_text(&survey).replace(
        "environment = \"staging\"\n",
        "environment = \"staging\"\nprincipals = [\"arn:aws:iam::111122223333:user/staging-site\", \"arn:aws:iam::111122223333:user/root-bot\"]\n",
    );
    assert!(text.contains(&id));
    let plan = Plan::parse(&Source::new("p", text.as_str())).unwrap();
    let cli = all(&plan, &survey, Cloud::Aws, Format::Cli);
    let file = cli.files.iter().find(|file| file.path.contains("staging")).unwrap();
    insta::assert_snapshot!(file.text);
    let documents = all(&plan, &survey, Cloud::Aws, Format::Document);
    assert!(documents.files.iter().any(|file| file.path == "aws-s3-write-shop-staging.site.json"));
    let without = generate(&plan, &survey, None, Cloud::Aws, Format::Cli);
    let role = without.roles.iter().find(|role| role.role.contains("staging")).unwrap();
    assert!(role.remarks.iter().any(|it| it.contains("are not carried over")), "{:?}", role.remarks);
}

#[test]
fn gcp_pools_have_one_role() {
    let (survey, plan) = one(
        "gcp",
        "project_number = \"1\", pool = \"shop\", provider = \"gh\", service_account = \"d@p.iam.gserviceaccount.com\"",
        MAIN,
    );
    let generated = all(&plan, &survey, Cloud::Gcp, Format::Terraform);
    check(&generated, Dialect::Gcp);
    insta::assert_snapshot!(generated.files[0].text);
    let cli = all(&plan, &survey, Cloud::Gcp, Format::Cli);
    insta::assert_snapshot!(cli.files[0].text);
}

#[test]
fn entra_compares_subjects() {
    let (survey, plan) = one("azure", "application = \"a\"", MAIN);
    let generated = all(&plan, &survey, Cloud::Azure, Format::Terraform);
    check(&generated, Dialect::Azure);
    insta::assert_snapshot!(generated.files[0].text);
}

#[test]
fn vault_binds_claims() {
    let (survey, plan) = one("vault", "address = \"https://vault.acme.example\"", MAIN);
    let generated = all(&plan, &survey, Cloud::Vault, Format::Cli);
    check(&generated, Dialect::Vault);
    insta::assert_snapshot!(generated.files[0].text);
}

#[test]
fn the_exchange_stands_in_for_any_cloud() {
    let (survey, plan) = one("aws", "account = \"111122223333\", audience = \"sts.acme.example\"", MAIN);
    let generated = all(&plan, &survey, Cloud::Daypass, Format::Document);
    check(&generated, Dialect::Daypass);
    insta::assert_snapshot!(generated.files[0].text);
}

#[test]
fn the_exchange_takes_the_token_that_the_job_has_and_makes_one_for_the_cloud() {
    let (survey, plan) = one("vault", "address = \"https://vault.acme.example\"", MAIN);
    let document = |plan: &Plan| {
        let generated = all(plan, &survey, Cloud::Daypass, Format::Document);
        check(&generated, Dialect::Daypass);
        generated.files[0].text.clone()
    };
    let credential = "credential = { kind = \"jwt\", audience = \"https://vault.acme.example\", subject = \"repository:{repository_id}:environment:{environment?}:ref:{ref}\" }";
    let text = document(&plan);
    assert!(
        text.contains(credential) && text.contains("\naudience = \"https://vault.acme.example\"\n"),
        "{text}"
    );
    // Unless the plan says what tokens are to call it.
    let mut plan = plan;
    plan.targets
        .insert(Cloud::Daypass, [("audience".to_owned(), "https://sts.acme.example".to_owned())].into());
    let text = document(&plan);
    assert!(
        text.contains(credential) && text.contains("\naudience = \"https://sts.acme.example\"\n"),
        "{text}"
    );
}

/// What a cloud is not told: what set the job off, contexts, and an audience beside the platform's own.
#[test]
fn the_exchange_asks_for_what_clouds_do_not_see() {
    let document = |path: &str, text: &str, claims: &[(&str, &str)], ids: &[(&str, &str)]| {
        let survey = survey_of(&[(path, text)]);
        let mut plan = filled(&survey);
        let facts = &mut plan.repositories[0].facts;
        facts.claims =
            claims.iter().map(|(name, value)| (ClaimName::from(*name), (*value).to_owned())).collect();
        facts.ids = ids.iter().map(|(name, id)| ((*name).to_owned(), (*id).to_owned())).collect();
        let generated = all(&plan, &survey, Cloud::Daypass, Format::Document);
        check(&generated, Dialect::Daypass);
        generated.files[0].text.clone()
    };
    let gitlab = document(
        GITLAB_FILE,
        &GITLAB.replace("  environment: production\n", ""),
        &[("project_path", "acme/api"), ("project_id", "33"), ("namespace_id", "44")],
        &[],
    );
    assert!(gitlab.contains("claims.pipeline_source = { one_of = [\"push\", "), "{gitlab}");
    let circleci = document(
        ".circleci/config.yml",
        "version: 2.1\njobs:\n  up:\n    docker: [{ image: cimg/base:2026.01 }]\n    steps:\n      - run: aws s3 sync a s3://b\nworkflows:\n  w:\n    jobs:\n      - up:\n          context: production\n          filters: { branches: { only: main } }\n",
        &[
            ("oidc.circleci.com/org-id", "0a1b2c3d-0000-4000-8000-000000000001"),
            ("oidc.circleci.com/project-id", "33333333-3333-4333-8333-333333333331"),
            ("oidc.circleci.com/vcs-origin", "github.com/acme/up"),
        ],
        &[("production", "44444444-4444-4444-8444-444444444441")],
    );
    assert!(
        circleci.contains(
            "claims.\"oidc.circleci.com/context-ids\" = { has_only = [\"44444444-4444-4444-8444-444444444441\"] }"
        ),
        "{circleci}"
    );
    let bitbucket = document(
        "bitbucket-pipelines.yml",
        "pipelines:\n  branches:\n    main:\n      - step:\n          deployment: production\n          script:\n            - aws s3 sync a s3://b\n",
        &[
            ("workspace", "acme"),
            ("workspaceUuid", "{b1b1b1b1-0000-4000-8000-000000000001}"),
            ("repositoryUuid", "{b2b2b2b2-0000-4000-8000-000000000001}"),
        ],
        &[("production", "{c1c1c1c1-0000-4000-8000-000000000001}")],
    );
    assert!(bitbucket.contains("claims.branchName = \"main\""), "{bitbucket}");
}

/// Each provider's condition says nothing of the tokens that another provider of the pool lets in.
#[test]
fn roles_in_one_pool_are_refused() {
    let (survey, plan) = one(
        "gcp",
        "project_number = \"1\", pool = \"shop\", provider = \"gh\", service_account = \"d@p.iam.gserviceaccount.com\"",
        MAIN,
    );
    let mut shared = plan.clone();
    let mut other = plan.roles[0].clone();
    other.name = "other".to_owned();
    shared.roles.push(other);
    let refused = &all(&shared, &survey, Cloud::Gcp, Format::Document).roles[0].refused;
    assert!(refused[0].starts_with("role `other` has the pool `shop` too"), "{refused:?}");
    let rehearsed = &rehearse(&shared, &survey, None, None, &[])[0];
    assert!(!rehearsed.is_clean() && rehearsed.refused[0].contains("`shop`"), "{rehearsed:?}");
    // In front of the exchange it is of no account, nor in another project.
    assert!(all(&shared, &survey, Cloud::Daypass, Format::Document).roles[0].refused.is_empty());
    shared.roles[1].target.insert("project_number".to_owned(), "2".to_owned());
    assert!(all(&shared, &survey, Cloud::Gcp, Format::Document).roles[0].refused.is_empty());
}

/// What a plan says cannot end a command and begin another.
#[test]
fn commands_have_words_and_nothing_else() {
    let (survey, mut plan) = one("azure", "application = \"a\"", MAIN);
    plan.roles[0].target.insert("application".to_owned(), "a; reboot".to_owned());
    for file in all(&plan, &survey, Cloud::Azure, Format::Cli).files {
        let bare = file.text.replace("'a; reboot'", "").replace("applications/a; reboot/federated", "");
        assert!(!bare.contains("reboot"), "{}", file.text);
    }
    let (survey, mut plan) = one("aws", "account = \"111122223333\"", MAIN);
    plan.roles[0].name = "x".repeat(65);
    for credential in &mut plan.credentials {
        credential.uses.iter_mut().for_each(|it| it.role = Some("x".repeat(65)));
    }
    let refused = &all(&plan, &survey, Cloud::Aws, Format::Cli).roles[0].refused;
    assert!(refused[0].contains("its name has 65 characters, AWS takes 64"), "{refused:?}");
}

/// Whoever takes an old name over gets subjects of the new form, so the old one stays with its repository.
#[test]
fn classic_subjects_are_not_minted_for_newcomers() {
    let (survey, _) = one("azure", "application = \"a\"", MAIN);
    let text = filled_text(&survey)
        .replace("subjects = \"immutable\"", "subjects = \"classic\"")
        .replace("target = {  }", "target = { application = \"a\" }");
    let plan = Plan::parse(&Source::new("p", text.as_str())).unwrap();
    let generated = all(&plan, &survey, Cloud::Azure, Format::Document);
    check(&generated, Dialect::Azure);
    assert!(generated.roles[0].trusts[0].document.contains("repo:acme/shop:environment:production"));
}

#[test]
fn requests_are_left_out_and_open_jobs_refused() {
    let text = "\
on:
  push: { branches: [main] }
  pull_request:
permissions: { id-token: write }
jobs:
  deploy:
    runs-on: x
    steps:
      - uses: aws-actions/configure-aws-credentials@v4
        with: { aws-secret-access-key: '${{ secrets.PROD_K }}', aws-region: x }
";
    let survey = survey_of(&[(GITHUB_FILE, text)]);
    let plan = filled(&survey);
    let generated = all(&plan, &survey, Cloud::Aws, Format::Document);
    check(&generated, Dialect::Aws);
    assert!(generated.roles[0].left_out[0].contains("`pull_request`: whoever opens a request would get in"));
    assert!(generated.roles[0].trusts[0].document.contains(":ref:refs/heads/main"));

    let open = text.replace("push: { branches: [main] }", "push:");
    let survey = survey_of(&[(GITHUB_FILE, &open)]);
    let generated = all(&filled(&survey), &survey, Cloud::Aws, Format::Document);
    assert!(
        generated.roles[0].refused[0].contains("it runs on every branch (`push`)"),
        "{:?}",
        generated.roles[0].refused
    );
    assert!(generated.files.is_empty());
}

#[test]
fn what_is_missing_is_asked_for() {
    let (survey, _) = one("aws", "account = \"111122223333\"", MAIN);
    let refused = |from: &str, to: &str| {
        let text = filled_text(&survey);
        assert!(text.contains(from), "{text}");
        let plan = Plan::parse(&Source::new("p", text.replace(from, to).as_str())).unwrap();
        all(&plan, &survey, Cloud::Aws, Format::Document).roles[0].refused.join("; ")
    };
    assert!(refused("account = \"111122223333\"", "").contains("its `account` in the plan"));
    assert!(refused("account = \"111122223333\"", "account = \"1\"").contains("not 12 digits"));
    assert!(
        refused("repository = \"acme/shop\", repository_id = \"2002\",", "")
            .contains("`repository_id` in the plan")
    );
    let plan = filled(&survey);
    let other = survey_of(&[]);
    let role = &all(&plan, &other, Cloud::Aws, Format::Document).roles[0];
    assert!(role.refused[0].contains("the file was not read"), "{:?}", role.refused);
    let drawn = draw(&survey, None, None).unwrap().plan;
    let daypass = &all(&drawn, &survey, Cloud::Daypass, Format::Document).roles[0];
    assert!(daypass.refused[0].contains("`repository_id`"), "{:?}", daypass.refused);
}

#[test]
fn a_role_that_is_too_long_is_split_and_not_widened() {
    let mut files = Vec::new();
    let mut names = Vec::new();
    for number in 0..5 {
        names.push(format!("a-service-with-a-rather-long-name-{number}/.github/workflows/deploy.yml"));
        files.push(
            "on: { push: { branches: [main] } }\npermissions: { id-token: write }\njobs:\n  deploy:\n    runs-on: x\n    environment: production\n    steps:\n      - uses: aws-actions/configure-aws-credentials@v4\n        with: { aws-secret-access-key: '${{ secrets.K }}', aws-region: x }\n"
                .to_owned(),
        );
    }
    let listed: Vec<(&str, &str)> =
        names.iter().map(String::as_str).zip(files.iter().map(String::as_str)).collect();
    let survey = survey_of(&listed);
    // People join the repositories' roles, whose ids differ.
    let mut text = String::from("version = 1\n");
    for number in 0..5 {
        text.push_str(&format!(
            "[[repository]]\npath = \"a-service-with-a-rather-long-name-{number}\"\nplatform = \"github-actions\"\nsubjects = \"immutable\"\nclaims = {{ repository = \"acme/a-service-with-a-rather-long-name-{number}\", repository_id = \"20{number:02}\", repository_owner_id = \"1001\" }}\n"
        ));
    }
    text.push_str("[[group]]\nname = \"g\"\ncloud = \"aws\"\ngrade = \"certain\"\n[[role]]\nname = \"shared\"\ncloud = \"aws\"\ngroup = \"g\"\nenvironment = \"production\"\nwave = 3\ntarget = { account = \"111122223333\" }\n");
    for credential in survey.credentials() {
        text.push_str(&format!(
            "[[credential]]\nid = \"{}\"\nkind = \"aws-access-key\"\ncloud = \"aws\"\nfile = \"{}\"\nline = {}\nconfidence = \"certain\"\ngroup = \"g\"\nstate = \"planned\"\n[[credential.use]]\njob = \"deploy\"\nrole = \"shared\"\n",
            credential.id, credential.file, credential.line
        ));
    }
    let plan = Plan::parse(&Source::new("p", text.as_str())).unwrap();
    let generated = all(&plan, &survey, Cloud::Aws, Format::Document);
    let role = &generated.roles[0];
    assert_eq!(role.refused, [""; 0]);
    assert!(role.trusts.len() > 1, "{}", role.trusts[0].document.len());
    assert!(
        role.remarks.iter().any(|it| it.starts_with("it is split into shared-1, shared-2")),
        "{:?}",
        role.remarks
    );
    for trust in &role.trusts {
        let compact: serde_json::Value = serde_json::from_str(&trust.document).unwrap();
        assert!(compact.to_string().len() <= 2_048);
        assert!(!trust.document.contains('*') && trust.is_tight, "{:?}", trust.beyond);
    }
    let jobs: usize = role.trusts.iter().map(|trust| trust.jobs.len()).sum();
    assert_eq!(jobs, 5, "each job is in one of them");
}
