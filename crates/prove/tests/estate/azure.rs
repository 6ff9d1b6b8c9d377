use daypass_prove::{Options, Verdict, dead};
use daypass_trust::document::Source;
use daypass_trust::{CompileOptions, Dialect, compile};

use crate::aws::{ACME, estate};

#[test]
fn entra_compares_letter_case_and_the_organisation_has_one() {
    let text = r#"{ "issuer": "https://token.actions.githubusercontent.com", "name": "c",
        "subject": "repo:Acme/App:ref:refs/heads/main", "audiences": ["api://AzureADTokenExchange"] }"#;
    let policy =
        compile(Dialect::Azure, &Source::new("c.json", text), &CompileOptions::default()).unwrap().policy;
    let known = dead(&policy, &estate(ACME));
    assert_eq!(known.answer, Verdict::Yes);
    assert!(known.why.contains(&"the organisation is written `acme`".to_owned()), "{:?}", known.why);
    assert_eq!(dead(&policy, &Options::default()).answer, Verdict::No);
}

#[test]
fn a_registration_with_aws_says_nothing_about_azure() {
    let text = r#"{ "issuer": "https://token.actions.githubusercontent.com", "name": "c",
        "subject": "repo:acme/app:ref:refs/heads/main", "audiences": ["api://AzureADTokenExchange"] }"#;
    let policy =
        compile(Dialect::Azure, &Source::new("c.json", text), &CompileOptions::default()).unwrap().policy;
    let known = "[[provider]]\nissuer = 'https://token.actions.githubusercontent.com'\naudiences = ['sts.amazonaws.com']";
    assert_eq!(dead(&policy, &estate(known)).answer, Verdict::No);
}
