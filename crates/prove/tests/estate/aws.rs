use daypass_prove::{Estate, Options, Persona, PersonaAnswer, Verdict, dead, personas};
use daypass_trust::document::Source;
use daypass_trust::form::Policy;
use daypass_trust::{CompileOptions, Dialect, compile};

pub(crate) fn estate(text: &str) -> Options {
    let estate = Estate::parse(&Source::new("daypass.estate.toml", text)).unwrap();
    Options { estate, ..Options::default() }
}

pub(crate) const ACME: &str = "
[[organisation]]
platform = 'github-actions'
name = 'acme'
id = '1001'
[[organisation]]
platform = 'github-actions'
name = 'acme-labs'
[[repository]]
platform = 'github-actions'
name = 'acme/app'
id = '2002'
protected_refs = ['refs/heads/main', 'refs/heads/release/*']
protected_environments = ['prod']
[[repository]]
platform = 'github-actions'
name = 'acme/new'
subjects = ['immutable']
[[repository]]
platform = 'github-actions'
name = 'acme/old'
retired = true
";

/// A trust policy with one condition on `sub`.
pub(crate) fn on_sub(operator: &str, value: &str) -> Policy {
    with(&format!(r#""{operator}": {{ "token.actions.githubusercontent.com:sub": "{value}" }}"#))
}

pub(crate) fn with(condition: &str) -> Policy {
    let text = format!(
        r#"{{ "Statement": [{{ "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {{ "Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" }},
        "Condition": {{ {condition} }} }}] }}"#
    );
    compile(Dialect::Aws, &Source::new("p.json", text), &CompileOptions::default()).unwrap().policy
}

pub(crate) fn answer(policy: &Policy, persona: Persona, options: &Options) -> PersonaAnswer {
    personas(policy, None, options).into_iter().find(|it| it.persona == persona).unwrap()
}

fn admits(policy: &Policy, persona: Persona, options: &Options) -> bool {
    answer(policy, persona, options).answer.answer == Verdict::Yes
}

#[test]
fn a_repository_that_is_gone_mints_nothing_and_may_be_made_anew_by_others() {
    let policy = on_sub("StringEquals", "repo:acme/old:ref:refs/heads/main");
    let answer = dead(&policy, &estate(ACME));
    assert_eq!((answer.answer, answer.why), (Verdict::Yes, vec!["`acme/old` is gone".to_owned()]));
    assert_eq!(dead(&policy, &Options::default()).answer, Verdict::No);
    assert!(admits(&policy, Persona::Squatter, &estate(ACME)));
}

#[test]
fn a_repository_that_emits_another_form_makes_the_policy_dead() {
    let policy = on_sub("StringEquals", "repo:acme/new:ref:refs/heads/main");
    let answer = dead(&policy, &estate(ACME));
    assert_eq!(answer.answer, Verdict::Yes);
    assert_eq!(answer.why, ["`acme/new` emits immutable subjects only"]);
}

#[test]
fn without_the_fact_the_answer_is_graded() {
    let policy = on_sub("StringEquals", "repo:acme/new:ref:refs/heads/main");
    let answer = dead(&policy, &Options::default());
    assert_eq!(answer.answer, Verdict::No);
    assert_eq!(answer.why, ["dead if `acme/new` emits immutable subjects (unknown)"]);
    let answer = dead(&on_sub("StringLike", "repo:acme/*:ref:refs/heads/main"), &Options::default());
    assert_eq!(answer.why, ["refuses repositories that emit immutable subjects"]);
    let known = "[[repository]]\nplatform = 'github-actions'\nname = 'acme/new'\nsubjects = ['classic']";
    assert!(dead(&policy, &estate(known)).why.is_empty(), "it is known to emit what the policy wants");
}

#[test]
fn names_are_ours_in_one_letter_case_only() {
    let policy = on_sub("StringEquals", "repo:Acme/app:ref:refs/heads/main");
    assert_eq!(dead(&policy, &estate(ACME)).why, ["the organisation is written `acme`"]);
    let policy = on_sub("StringEquals", "repo:acme/App:ref:refs/heads/main");
    assert_eq!(dead(&policy, &estate(ACME)).why, ["the repository is written `acme/app`"]);
}

#[test]
fn ids_that_are_not_ours_make_the_policy_dead() {
    let policy = on_sub("StringEquals", "repo:acme@9009/app@2002:ref:refs/heads/main");
    assert_eq!(dead(&policy, &estate(ACME)).why, ["the id of `acme` is `1001`"]);
    let policy = on_sub("StringEquals", "repo:acme@1001/app@9009:ref:refs/heads/main");
    assert_eq!(dead(&policy, &estate(ACME)).why, ["the id of `acme/app` is `2002`"]);
}

#[test]
fn another_organisation_of_ours_is_a_sibling_and_no_stranger() {
    let policy = on_sub("StringLike", "repo:acme-labs/*:ref:refs/heads/main");
    assert!(!admits(&policy, Persona::Stranger, &estate(ACME)));
    let both = with(
        r#""StringLike": { "token.actions.githubusercontent.com:sub":
            ["repo:acme/app:ref:refs/heads/main", "repo:acme-labs/*:ref:refs/heads/main"] }"#,
    );
    assert!(!admits(&both, Persona::Stranger, &estate(ACME)));
    assert!(admits(&both, Persona::Sibling, &estate(ACME)));
    assert!(admits(&both, Persona::Stranger, &Options::default()), "nobody said that they are ours");
}

#[test]
fn a_policy_for_an_organisation_that_is_not_ours_admits_strangers() {
    let policy = on_sub("StringEquals", "repo:globex/app:ref:refs/heads/main");
    assert!(admits(&policy, Persona::Stranger, &estate(ACME)));
    assert!(!admits(&policy, Persona::Stranger, &Options::default()), "it may be our own");
}

#[test]
fn protected_refs_are_not_just_any_branch() {
    let policy = on_sub("StringLike", "repo:acme/app:ref:refs/heads/release/*");
    assert!(admits(&policy, Persona::AnyBranch, &Options::default()));
    let known = answer(&policy, Persona::AnyBranch, &estate(ACME)).answer;
    let subject = known.witness.as_ref().map(|it| it.subject().to_owned());
    assert_eq!(known.answer, Verdict::Yes, "a star in the rule stays within a segment");
    assert!(subject.unwrap().starts_with("repo:acme/app:ref:refs/heads/release/"));
    let exact = with(
        r#""StringLike": { "token.actions.githubusercontent.com:sub":
            ["repo:acme/app:ref:refs/heads/main", "repo:acme/app:ref:refs/heads/release/1.0"] }"#,
    );
    assert!(admits(&exact, Persona::AnyBranch, &Options::default()));
    assert!(!admits(&exact, Persona::AnyBranch, &estate(ACME)));
}

#[test]
fn an_environment_that_is_not_protected_holds_nobody_back() {
    let policy = on_sub("StringEquals", "repo:acme/app:environment:staging");
    assert!(!admits(&policy, Persona::PullRequest, &Options::default()));
    let answer = answer(&policy, Persona::PullRequest, &estate(ACME)).answer;
    assert_eq!(answer.answer, Verdict::Yes);
    let claims = answer.witness.unwrap().claims;
    assert_eq!(claims.get("environment").unwrap().as_str(), Some("staging"));
    let policy = on_sub("StringEquals", "repo:acme/app:environment:prod");
    assert!(!admits(&policy, Persona::PullRequest, &estate(ACME)));
}

#[test]
fn audiences_that_the_registration_refuses_do_not_count() {
    let policy = on_sub("StringEquals", "repo:acme/app:ref:refs/heads/main");
    assert!(admits(&policy, Persona::OtherAudience, &Options::default()));
    let known = "[[provider]]\nissuer = 'https://token.actions.githubusercontent.com'\naudiences = ['sts.amazonaws.com']";
    assert!(!admits(&policy, Persona::OtherAudience, &estate(known)));
    let wants = r#""StringEquals": { "token.actions.githubusercontent.com:aud": "elsewhere" }"#;
    let why = dead(&with(wants), &estate(known)).why;
    assert!(why[0].starts_with("the registration of"), "{why:?}");
}

#[test]
fn of_many_repositories_those_that_the_policy_names_are_looked_at() {
    let mut text = ACME.to_owned();
    for number in 0..2_000 {
        text.push_str(&format!("[[repository]]\nplatform = 'github-actions'\nname = 'acme/r{number}'\n"));
    }
    let policy = on_sub("StringEquals", "repo:acme/new:ref:refs/heads/main");
    assert_eq!(dead(&policy, &estate(&text)).answer, Verdict::Yes);
}
