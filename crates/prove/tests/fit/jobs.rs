use daypass_issuers::ValueSet;
use daypass_prove::fit::Admission;
use daypass_prove::{Options, Persona, fit};
use daypass_trust::Context;
use daypass_trust::evaluate::{Outcome, evaluate};

use crate::common::{ACME, branches_like, estate, job, on_sub};

fn on_main() -> ValueSet {
    ValueSet::exactly("refs/heads/main")
}

#[test]
fn a_job_whose_tokens_are_all_admitted_fits() {
    let policy = on_sub("StringEquals", "repo:acme/app:ref:refs/heads/main");
    let jobs = [job("deploy", &[("ref", on_main())])];
    let found = fit(&policy, &jobs, &estate(ACME));
    assert_eq!(found.jobs[0].admission, Admission::Always, "{found:#?}");
    assert_eq!(found.missing().count(), 0);
    assert_eq!((found.jobs[0].file.as_ref(), found.jobs[0].line), (".github/workflows/deploy.yml", 12));
}

#[test]
fn a_refused_job_is_missing_with_the_nearest_miss() {
    let policy = on_sub("StringEquals", "repo:acme/app:ref:refs/heads/main");
    let jobs = [job("deploy", &[("ref", on_main()), ("environment", ValueSet::exactly("prod"))])];
    let found = fit(&policy, &jobs, &estate(ACME));
    let missing = found.missing().next().unwrap();
    assert_eq!(missing.admission, Admission::Never);
    let refused = missing.refused.as_ref().unwrap();
    assert_eq!(refused.witness.subject(), "repo:acme/app:environment:prod");
    assert!(refused.nearest_miss[0].condition.contains("sub"), "{:?}", refused.nearest_miss);
    let context = Context::new().issuer(refused.witness.issuer.clone());
    assert_eq!(evaluate(&policy, &refused.witness.claims, &context).outcome, Outcome::Deny);
}

#[test]
fn a_job_that_runs_on_more_refs_than_are_admitted_is_admitted_sometimes() {
    let policy = on_sub("StringEquals", "repo:acme/app:ref:refs/heads/main");
    let jobs = [job("deploy", &[("ref", branches_like("refs/heads/*"))])];
    let found = fit(&policy, &jobs, &estate(ACME));
    let one = found.missing().next().unwrap();
    assert_eq!(one.admission, Admission::Sometimes);
    assert_eq!(one.admitted.as_ref().unwrap().subject(), "repo:acme/app:ref:refs/heads/main");
    assert_ne!(one.refused.as_ref().unwrap().witness.subject(), "repo:acme/app:ref:refs/heads/main");
}

#[test]
fn what_no_job_needs_is_slack_by_whose_it_is() {
    let policy = on_sub("StringLike", "repo:acme/*");
    let jobs = [job("deploy", &[("ref", on_main())])];
    let found = fit(&policy, &jobs, &estate(ACME));
    let whose: Vec<_> = found.slack.iter().filter_map(|slack| slack.persona).collect();
    assert!(whose.contains(&Persona::Sibling) && whose.contains(&Persona::PullRequest), "{whose:?}");
    assert!(!whose.contains(&Persona::Stranger), "{whose:?}");
    for slack in &found.slack {
        let context = Context::new().issuer(slack.witness.issuer.clone());
        assert_eq!(evaluate(&policy, &slack.witness.claims, &context).outcome, Outcome::Allow);
    }
    assert!(!found.is_exact());
}

#[test]
fn the_form_that_a_repository_emits_decides_where_it_is_known() {
    let policy = on_sub("StringEquals", "repo:acme/app:ref:refs/heads/main");
    let jobs = [job("deploy", &[("ref", on_main())])];
    let open = fit(&policy, &jobs, &Options::default());
    assert_eq!(open.jobs[0].admission, Admission::Sometimes);
    assert_eq!(open.jobs[0].why, ["refused if the repository emits immutable subjects (unknown)"]);
}

#[test]
fn a_role_for_another_platform_fits_no_job() {
    let mut other = job("deploy", &[("ref", on_main())]);
    other.platform = "gitlab-com";
    let policy = on_sub("StringEquals", "repo:acme/app:ref:refs/heads/main");
    let found = fit(&policy, &[other], &Options::default());
    assert_eq!(found.jobs[0].admission, Admission::Never);
    assert_eq!(found.jobs[0].why, ["the role trusts no issuer of gitlab-com"]);
}

#[test]
fn what_is_not_known_of_a_job_is_said() {
    let mut open = job("deploy", &[("ref", ValueSet::Unknown("a variable names the branch".to_owned()))]);
    open.at_most.insert("a variable names the branch".to_owned());
    let policy = on_sub("StringEquals", "repo:acme/app:ref:refs/heads/main");
    let found = fit(&policy, &[open], &estate(ACME));
    assert_eq!(found.jobs[0].admission, Admission::Sometimes);
    assert!(found.jobs[0].why.contains(&"a variable names the branch".to_owned()));
}
