use daypass_trust::document::Source;

use super::*;

fn read(text: &str) -> Result<Estate, EstateError> {
    Estate::parse(&Source::new("daypass.estate.toml", text))
}

fn refusal(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn every_fact_is_read() {
    let estate = read(
        r#"
[[organisation]]
platform = "github-actions"
name = "acme"
id = "1001"
enterprise = "acme-ent"
[[repository]]
platform = "github-actions"
name = "acme/app"
id = "2002"
subjects = ["classic", "customised"]
protected_refs = ["refs/heads/main"]
protected_environments = []
[[repository]]
platform = "gitlab-com"
name = "acme/group/old"
retired = true
[[provider]]
issuer = "https://token.actions.githubusercontent.com"
audiences = ["sts.amazonaws.com"]
"#,
    )
    .unwrap();
    assert_eq!(estate.organisations()[0].enterprise.as_deref(), Some("acme-ent"));
    let app = &estate.repositories()[0];
    assert_eq!(app.subjects, Some(vec!["classic".to_owned(), "customised".to_owned()]));
    assert_eq!(app.protected_environments, Some(Vec::new()), "known, and there is none");
    assert!(!app.retired && estate.repositories()[1].retired);
    assert_eq!(estate.repositories()[1].protected_refs, None, "not known");
    let issuer = Issuer::parse("https://token.actions.githubusercontent.com").unwrap();
    assert_eq!(estate.audiences(&issuer).unwrap()[0].as_str(), "sts.amazonaws.com");
    assert!(estate.knows_issuer(&Issuer::parse("https://gitlab.com").unwrap()), "by its platform");
    assert!(!estate.knows_issuer(&Issuer::parse("https://ci.evil.example").unwrap()));
    assert!(read("").unwrap().is_empty());
}

#[test]
fn what_is_said_of_github_is_said_of_an_enterprises_own_issuer_there_and_not_of_other_servers() {
    let estate = read("[[organisation]]\nplatform = 'github-actions'\nname = 'acme'").unwrap();
    let knows = |url: &str| estate.knows_issuer(&Issuer::parse(url).unwrap());
    assert!(knows("https://token.actions.githubusercontent.com/acme-ent"));
    assert!(!knows("https://github.acme.example/_services/token"));
}

#[test]
fn unknown_keys_are_refused_with_what_is_meant() {
    let said = refusal("[[repository]]\nplatform = 'github-actions'\nname = 'acme/app'\nretierd = true");
    assert_eq!(said, "daypass.estate.toml:4:1: unknown key `retierd` (did you mean `retired`?)");
    let said = refusal("[[organization]]\nname = 'acme'");
    assert!(said.contains("did you mean `organisation`?"), "{said}");
    assert!(refusal("[[provider]]\nissuer = 'https://x.example'\naudience = 'y'").contains("audiences"));
}

#[test]
fn platforms_and_forms_are_those_of_the_catalogue() {
    let said = refusal("[[organisation]]\nplatform = 'github-action'\nname = 'acme'");
    assert!(
        said.ends_with("no platform is called `github-action` (did you mean `github-actions`?)"),
        "{said}"
    );
    let said = refusal("[[repository]]\nplatform = 'github-actions'\nname = 'a/b'\nsubjects = ['imutable']");
    assert!(said.starts_with("daypass.estate.toml:4:13: "), "{said}");
    assert!(said.contains("known: classic, immutable, customised"), "{said}");
    let said = refusal("[[repository]]\nplatform = 'github-actions'\nname = 'a/b'\nsubjects = []");
    assert!(said.contains("retired = true"), "{said}");
}

#[test]
fn what_is_missing_or_empty_is_said() {
    assert!(refusal("[[organisation]]\nname = 'acme'").contains("`platform` is missing"));
    assert!(refusal("[[organisation]]\nplatform = 'gitlab-com'").contains("`name` is missing"));
    assert!(refusal("[[organisation]]\nplatform = 'gitlab-com'\nname = ' '").contains("`name` is empty"));
    assert!(refusal("[[provider]]\naudiences = ['x']").contains("`issuer` is missing"));
    assert!(refusal("[[provider]]\nissuer = 'http://x.example'").contains("an issuer is an https URL"));
    assert!(refusal("[[provider]]\nissuer = 'https://x.example'\naudiences = ['']").contains("3:"));
    assert!(refusal("organisation = 'acme'").contains("write [[organisation]]"));
    assert!(refusal("[[organisation]\n").contains("not valid TOML"));
}

#[test]
fn the_names_of_a_word_are_its_pieces() {
    let names = names_in("repo:acme@1001/app@2002:ref:refs/heads/main");
    assert!(names.contains(&"1001".to_owned()) && names.contains(&"2002".to_owned()), "{names:?}");
    assert!(names_in("repo:Acme/App:").contains(&"acme/app".to_owned()));
}
