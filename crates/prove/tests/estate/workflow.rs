use daypass_prove::{Home, Options, Persona, Verdict, personas};
use daypass_trust::document::Source;
use daypass_trust::form::Policy;
use daypass_trust::{CompileOptions, Dialect, compile};

use crate::aws::{answer, on_sub, with};

#[test]
fn a_subject_says_nothing_about_the_workflow() {
    let policy = on_sub("StringEquals", "repo:acme/app:ref:refs/heads/main");
    let found = answer(&policy, Persona::OtherWorkflow, &Options::default()).answer;
    assert_eq!(found.answer, Verdict::Yes);
    let token = found.witness.unwrap().claims;
    assert_ne!(
        token.get("workflow_ref").unwrap().as_str(),
        Some("acme/app/.github/workflows/deploy.yml@refs/heads/main")
    );
}

#[test]
fn a_reusable_workflow_can_be_called_from_another_file_and_the_file_itself_cannot() {
    let wants = |claim: &str, value: &str| {
        with(&format!(
            r#""StringEquals": {{ "token.actions.githubusercontent.com:sub": "repo:acme/app:environment:prod",
            "token.actions.githubusercontent.com:{claim}": "{value}" }}"#
        ))
    };
    let reusable = wants("job_workflow_ref", "acme/workflows/.github/workflows/deploy.yml@refs/heads/main");
    assert_eq!(answer(&reusable, Persona::OtherWorkflow, &Options::default()).answer.answer, Verdict::Yes);
}

#[test]
fn the_workflow_of_a_given_home_is_read_off_the_policy() {
    let policy = on_sub("StringEquals", "repo:acme/app:ref:refs/heads/main");
    let home = Home::from_pairs(["repo=acme/app", "ref=refs/heads/main"]).unwrap();
    let found = personas(&policy, Some(&home), &Options::default());
    let found = found.into_iter().find(|it| it.persona == Persona::OtherWorkflow).unwrap();
    assert_eq!(found.answer.answer, Verdict::Yes);
}

#[test]
fn a_policy_that_names_the_file_admits_no_other() {
    let policy = native(
        "claims.repository_id = '2002'\nclaims.repository_owner_id = '1001'\n\
         claims.workflow_ref = 'acme/app/.github/workflows/deploy.yml@refs/heads/main'",
    );
    assert_eq!(answer(&policy, Persona::OtherWorkflow, &Options::default()).answer.answer, Verdict::No);
}

fn native(claims: &str) -> Policy {
    let text = format!(
        "[[trust]]\nissuer = 'https://token.actions.githubusercontent.com'\naudience = 'https://sts.example.com'\n{claims}\n"
    );
    compile(Dialect::Daypass, &Source::new("p.toml", text), &CompileOptions::default()).unwrap().policy
}

#[test]
fn the_branch_of_a_gitlab_token_is_told() {
    let text = r#"{ "issuer": "https://gitlab.com", "name": "c", "audiences": ["api://AzureADTokenExchange"],
        "subject": "project_path:acme/app:ref_type:branch:ref:main" }"#;
    let policy =
        compile(Dialect::Azure, &Source::new("c.json", text), &CompileOptions::default()).unwrap().policy;
    let found = answer(&policy, Persona::AnyBranch, &Options::default()).answer;
    assert_eq!((found.answer, found.why), (Verdict::No, Vec::new()));
}
