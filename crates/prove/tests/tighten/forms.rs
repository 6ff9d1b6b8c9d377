use daypass_prove::tighten::judge;
use daypass_prove::{Intended, Options, Persona};
use daypass_trust::Dialect;
use daypass_trust::form::Policy;

use crate::aws::{ACME, home, policy};

fn subjects(subjects: &[&str]) -> Policy {
    let listed = subjects.iter().map(|it| format!("\"{it}\"")).collect::<Vec<_>>().join(", ");
    let host = "token.actions.githubusercontent.com";
    policy(
        Dialect::Aws,
        &format!(
            r#"{{ "Version": "2012-10-17", "Statement": [{{ "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {{ "Federated": "arn:aws:iam::111122223333:oidc-provider/{host}" }},
        "Condition": {{ "StringLike": {{ "{host}:sub": [{listed}] }},
                        "StringEquals": {{ "{host}:aud": "sts.amazonaws.com" }} }} }}] }}"#
        ),
    )
}

const CLASSIC: &str = "repo:acme/app:ref:refs/heads/main";
const IMMUTABLE: &str = "repo:acme@1001/app@2002:ref:refs/heads/main";

#[test]
fn the_two_exact_values_together_are_the_intended_set() {
    let home = home(&ACME);
    let both = judge(&subjects(&[CLASSIC, IMMUTABLE]), Intended::Home(&home), &Options::default()).unwrap();
    assert!(both.is_exact(), "{both:#?}");
    let one = judge(&subjects(&[CLASSIC]), Intended::Home(&home), &Options::default()).unwrap();
    assert_eq!(one.refuses.unwrap().subject(), IMMUTABLE);
}

#[test]
fn a_repair_by_wildcard_lets_lookalikes_in() {
    let home = home(&ACME);
    let wide = subjects(&["repo:acme*/app*:ref:refs/heads/main"]);
    let found = judge(&wide, Intended::Home(&home), &Options::default()).unwrap();
    assert!(!found.is_exact());
    let stranger = found.beyond.iter().find(|it| it.persona == Some(Persona::Stranger)).unwrap();
    let subject = stranger.witness.subject();
    assert!(subject.starts_with("repo:acme") && !subject.starts_with("repo:acme/"), "{subject}");
}

#[test]
fn a_repair_by_any_id_lets_whoever_takes_the_names_over_in() {
    let home = home(&ACME);
    for subjects_ in [
        vec!["repo:acme@*/app@*:ref:refs/heads/main"],
        vec![CLASSIC, "repo:acme@*/app@*:ref:refs/heads/main"],
    ] {
        let found = judge(&subjects(&subjects_), Intended::Home(&home), &Options::default()).unwrap();
        let squatter =
            found.beyond.iter().find(|it| it.persona == Some(Persona::Squatter) && !it.meant).unwrap();
        assert!(squatter.witness.subject().starts_with("repo:acme@"), "{}", squatter.witness.subject());
        assert!(!found.is_exact());
    }
}
