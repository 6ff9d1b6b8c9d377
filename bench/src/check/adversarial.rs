//! Policies that are made to take long: patterns whose automata explode, and many of them at once.

use anyhow::Result;
use daypass_trust::document::Source;
use daypass_trust::form::Policy;
use daypass_trust::{CompileOptions, Dialect, compile};

/// The hard ones. Each would take minutes, or more memory than there is, if nothing were bounded.
pub(super) fn policies() -> Result<Vec<Policy>> {
    let question_marks = |many: usize| "?".repeat(many);
    let subjects: Vec<Vec<String>> = vec![
        vec![format!("*a{}", question_marks(13))],
        vec![format!("repo:acme/*a{}:*", question_marks(13))],
        // Each is small, and all of them together are not.
        (0..16_u8).map(|at| format!("*{}{}", char::from(b'a' + at), question_marks(6))).collect(),
        vec![format!("*a{}*b{}*c{}", question_marks(5), question_marks(5), question_marks(5))],
        (0..24).map(|at| format!("*a{}*", "?b".repeat(at))).collect(),
        (0..200).map(|at| format!("repo:acme/app-{at}*:ref:refs/heads/*{at}")).collect(),
        vec!["*a*b*c*d*e*f*g*h*i*j*k*l*m*n*o*p*".to_owned()],
        vec![format!("repo:{}/*", question_marks(60))],
    ];
    subjects.iter().map(|subjects| policy(subjects)).collect()
}

fn policy(subjects: &[String]) -> Result<Policy> {
    let host = "token.actions.githubusercontent.com";
    let document = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Federated": format!("arn:aws:iam::111122223333:oidc-provider/{host}") },
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": { format!("{host}:aud"): "sts.amazonaws.com" },
                "StringLike": { format!("{host}:sub"): subjects },
            },
        }],
    });
    let source = Source::new("trust.json", document.to_string());
    Ok(compile(Dialect::Aws, &source, &CompileOptions::default())?.policy)
}
