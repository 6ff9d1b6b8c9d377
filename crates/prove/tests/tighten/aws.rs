use std::collections::{BTreeMap, BTreeSet};

use daypass_claims::{ClaimName, ClaimSet, ClaimValue};
use daypass_issuers::{Mintable, ValueSet};
use daypass_prove::tighten::{Change, Relation, TightenError};
use daypass_prove::{Estate, Home, Intended, Options, Persona, Tightened, Verdict, implies, tighten};
use daypass_trust::document::Source;
use daypass_trust::evaluate::{Outcome, evaluate};
use daypass_trust::form::Policy;
use daypass_trust::{CompileOptions, Context, Dialect, compile};

const GITHUB: &str = "token.actions.githubusercontent.com";

pub(crate) fn policy(dialect: Dialect, text: &str) -> Policy {
    compile(dialect, &Source::new("p", text), &CompileOptions::default()).unwrap().policy
}

fn on_sub(subject: &str) -> Policy {
    policy(
        Dialect::Aws,
        &format!(
            r#"{{ "Version": "2012-10-17", "Statement": [{{ "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {{ "Federated": "arn:aws:iam::111122223333:oidc-provider/{GITHUB}" }},
        "Condition": {{ "StringLike": {{ "{GITHUB}:sub": "{subject}" }},
                        "StringEquals": {{ "{GITHUB}:aud": "sts.amazonaws.com" }} }} }}] }}"#
        ),
    )
}

pub(crate) fn classic_only() -> Options {
    let text = "
[[organisation]]
platform = 'github-actions'
name = 'acme'
id = '1001'
[[repository]]
platform = 'github-actions'
name = 'acme/app'
id = '2002'
subjects = ['classic']
";
    let estate = Estate::parse(&Source::new("daypass.estate.toml", text)).unwrap();
    Options { estate, ..Options::default() }
}

pub(crate) fn home(pairs: &[&str]) -> Home {
    Home::from_pairs(pairs.iter().copied()).unwrap()
}

pub(crate) const ACME: [&str; 5] =
    ["repo=acme/app", "owner_id=1001", "repo_id=2002", "ref=refs/heads/main", "audience=sts.amazonaws.com"];

/// What must hold of every result: the intended tokens are admitted, and nobody else is but other workflows.
pub(crate) fn check(found: &Tightened) {
    assert!(!found.admits.is_empty());
    for witness in &found.admits {
        let context = Context::new().issuer(witness.issuer.clone()).account("111122223333");
        assert_eq!(evaluate(&found.policy, &witness.claims, &context).outcome, Outcome::Allow);
    }
    for it in &found.beyond {
        assert_eq!(it.persona, Some(Persona::OtherWorkflow), "{}", it.witness.subject());
    }
    let intended = [Persona::Intended, Persona::OtherWorkflow];
    for answer in found.personas.iter().filter(|it| !intended.contains(&it.persona)) {
        assert_eq!(answer.answer.answer, Verdict::No, "{}: {}", answer.persona.as_str(), found.document);
    }
}

#[test]
fn an_organisation_wide_policy_becomes_one_repositorys_main() {
    let old = on_sub("repo:acme/*");
    let home = home(&ACME);
    let found = tighten(&old, Intended::Home(&home), &CompileOptions::default(), &classic_only()).unwrap();
    check(&found);
    assert_eq!(found.relation, Relation::Narrower);
    assert!(found.document.contains(r#"sub": "repo:acme/app:ref:refs/heads/main""#), "{}", found.document);
    assert!(found.document.contains(r#"repository_id": "2002""#), "{}", found.document);
    assert!(
        found.changes.iter().any(|it| matches!(it, Change::Removed(text) if text.contains("repo:acme/*"))),
        "{:?}",
        found.changes
    );
    assert!(found.unseen.is_empty(), "{:?}", found.unseen);
}

#[test]
fn where_the_form_is_not_known_both_values_are_written_exactly() {
    let old = on_sub("repo:acme/app:ref:refs/heads/main");
    let home = home(&ACME);
    let found =
        tighten(&old, Intended::Home(&home), &CompileOptions::default(), &Options::default()).unwrap();
    check(&found);
    for subject in ["repo:acme/app:ref:refs/heads/main", "repo:acme@1001/app@2002:ref:refs/heads/main"] {
        assert!(found.document.contains(&format!("\"{subject}\"")), "{}", found.document);
    }
    assert_eq!(found.admits.len(), 2);
    assert!(matches!(found.relation, Relation::Extends(_)), "the old one refuses the immutable form");
}

#[test]
fn the_articles_circleci_policy_is_replaced_by_one_that_admits_the_job_and_nobody_else() {
    let text = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/aws/C04.json"),
    )
    .unwrap();
    let old = policy(Dialect::Aws, &text);
    let home = home(&[
        "repo=github.com/acme/app",
        "repo_id=11111111-1111-4111-8111-111111111111",
        "ref=refs/heads/main",
    ]);
    let found =
        tighten(&old, Intended::Home(&home), &CompileOptions::default(), &Options::default()).unwrap();
    check(&found);
    assert!(
        matches!(&found.relation, Relation::Replaces(why) if why.iter().any(|it| it.contains("vcs-ref")))
    );
    assert!(found.notes.iter().any(|note| note.contains("v1")), "{:?}", found.notes);
    assert!(
        found.document.contains(
            "/user/????????-????-????-????-????????????/vcs-origin/github.com/acme/app/vcs-ref/refs/heads/main"
        ),
        "a star would span a branch that is named like the rest of the subject: {}",
        found.document
    );
}

fn job(claims: &[(&str, ValueSet)]) -> Mintable {
    let claims: BTreeMap<ClaimName, ValueSet> =
        claims.iter().map(|(name, set)| (ClaimName::from(*name), set.clone())).collect();
    Mintable {
        platform: "github-actions",
        file: "deploy.yml".into(),
        location: ("deploy.yml".into(), 3),
        job: "deploy".to_owned(),
        trigger: "push".to_owned(),
        audiences: ValueSet::exactly("sts.amazonaws.com"),
        claims,
        at_most: BTreeSet::new(),
    }
}

#[test]
fn the_policy_of_jobs_admits_each_of_them() {
    let ours = [
        ("repository", ValueSet::exactly("acme/app")),
        ("repository_id", ValueSet::exactly("2002")),
        ("repository_owner_id", ValueSet::exactly("1001")),
        ("event_name", ValueSet::exactly("push")),
    ];
    let with = |more: &[(&'static str, ValueSet)]| job(&[ours.as_slice(), more].concat());
    let jobs = [
        with(&[("ref", ValueSet::exactly("refs/heads/main")), ("environment", ValueSet::exactly("prod"))]),
        with(&[("ref", ValueSet::exactly("refs/heads/dev")), ("environment", ValueSet::Absent)]),
    ];
    let old = on_sub("repo:acme/*");
    let found = tighten(&old, Intended::Jobs(&jobs), &CompileOptions::default(), &classic_only()).unwrap();
    assert_eq!(found.relation, Relation::Narrower, "{}", found.document);
    assert_eq!(found.admits.len(), 2);
    assert!(found.document.contains("repo:acme/app:environment:prod"), "{}", found.document);
    assert!(found.document.contains("repo:acme/app:ref:refs/heads/dev"), "{}", found.document);
    assert_eq!(implies(&found.policy, &old, &classic_only()).answer, Verdict::Yes);
}

#[test]
fn what_was_observed_is_admitted_and_what_changes_from_run_to_run_is_left_open() {
    let mut token = ClaimSet::new();
    for (name, value) in [
        ("iss", "https://token.actions.githubusercontent.com"),
        ("aud", "sts.amazonaws.com"),
        ("sub", "repo:acme/app:environment:prod"),
        ("repository", "acme/app"),
        ("repository_id", "2002"),
        ("repository_owner", "acme"),
        ("repository_owner_id", "1001"),
        ("repository_visibility", "private"),
        ("ref", "refs/heads/main"),
        ("ref_type", "branch"),
        ("ref_protected", "true"),
        ("environment", "prod"),
        ("workflow_ref", "acme/app/.github/workflows/deploy.yml@refs/heads/main"),
        ("sha", "4f9c1d2e3a5b6c7d8e9f0a1b2c3d4e5f6a7b8c9d"),
        ("run_id", "77"),
    ] {
        token.insert(name, ClaimValue::from(value));
    }
    let old = on_sub("repo:acme/app:*");
    let seen = [token];
    let found =
        tighten(&old, Intended::Observed(&seen), &CompileOptions::default(), &classic_only()).unwrap();
    assert_eq!(found.relation, Relation::Narrower, "{}", found.document);
    assert!(found.document.contains("repo:acme/app:environment:prod"), "{}", found.document);
    assert!(!found.document.contains("4f9c1d2e"), "{}", found.document);
}

#[test]
fn what_cannot_be_done_is_said() {
    let old = on_sub("repo:acme/*");
    let none = tighten(&old, Intended::Jobs(&[]), &CompileOptions::default(), &Options::default());
    assert!(matches!(none, Err(TightenError::NothingIntended)));
    let mut other = job(&[("ref_path", ValueSet::exactly("refs/heads/main"))]);
    other.platform = "gitlab-com";
    let none = tighten(&old, Intended::Jobs(&[other]), &CompileOptions::default(), &Options::default());
    assert!(matches!(none, Err(TightenError::NotMinted)));
    let embedded = Policy { source: Source::new("main.tf", "resource {"), ..old };
    let home = home(&ACME);
    let none = tighten(&embedded, Intended::Home(&home), &CompileOptions::default(), &Options::default());
    assert!(matches!(none, Err(TightenError::Document(_))));
}
