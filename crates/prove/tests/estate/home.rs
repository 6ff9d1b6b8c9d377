use daypass_prove::{Home, HomeError, Options, Persona, Verdict, personas};

use crate::aws::on_sub;

fn admitted(home: &[&str], subject: &str) -> Vec<&'static str> {
    let home = Home::from_pairs(home.iter().copied()).unwrap();
    let answers = personas(&on_sub("StringLike", subject), Some(&home), &Options::default());
    let admitted = answers.iter().filter(|it| it.answer.answer == Verdict::Yes);
    admitted.map(|it| it.persona.as_str()).collect()
}

#[test]
fn personas_are_measured_from_the_home_that_is_given() {
    let home = ["repo=acme/app", "repo_id=2002", "owner_id=1001", "ref=refs/heads/main"];
    let found = admitted(&home, "repo:acme@1001/app@2002:ref:refs/heads/main");
    assert_eq!(found, ["intended", "other-workflow"]);
    let found = admitted(&home, "repo:acme/*");
    assert!(found.contains(&"sibling") && found.contains(&"pull-request"), "{found:?}");
    assert!(!found.contains(&"stranger"), "{found:?}");
    let found = admitted(&["repo=acme/app"], "repo:globex/app:ref:refs/heads/main");
    assert!(found.contains(&"stranger") && !found.contains(&"intended"), "{found:?}");
}

#[test]
fn an_owner_and_a_bare_name_are_a_repository() {
    let found = admitted(&["owner=acme", "repo=app"], "repo:acme/app:ref:refs/heads/main");
    assert!(found.contains(&Persona::Intended.as_str()) && !found.contains(&"stranger"), "{found:?}");
}

#[test]
fn ids_that_are_not_given_are_those_of_a_token_that_has_what_is() {
    let by_name = admitted(&["owner=globex", "repo=globex/api"], "repo:globex*:ref:refs/heads/main");
    assert!(by_name.contains(&"squatter") && by_name.contains(&"stranger"), "{by_name:?}");
    let other = admitted(&["repo=globex/api"], "repo:globex/api:ref:refs/heads/main");
    assert!(other.contains(&"intended") && other.contains(&"squatter"), "{other:?}");
    let by_id = admitted(&["repo=globex/api"], "repo:globex@7/api@8:ref:refs/heads/main");
    assert!(by_id.contains(&"intended") && !by_id.contains(&"squatter"), "{by_id:?}");
}

#[test]
fn what_says_nothing_about_a_home_is_refused() {
    let refusal = |pairs: &[&str]| Home::from_pairs(pairs.iter().copied()).unwrap_err();
    assert_eq!(refusal(&["acme/app"]), HomeError::NoPair("acme/app".to_owned()));
    assert_eq!(refusal(&["branch=main"]), HomeError::UnknownKey("branch".to_owned()));
    assert_eq!(refusal(&["repo="]), HomeError::Empty("repo"));
    assert_eq!(refusal(&["repo=a/b", "repo=c/d"]), HomeError::Twice("repo"));
    assert!(refusal(&["branch=main"]).to_string().contains("owner_id"), "it says what is known");
}
