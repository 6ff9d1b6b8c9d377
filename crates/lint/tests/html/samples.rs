//! Reports to show: checked, or put together where no check would come to them.

use daypass_claims::{ClaimSet, ClaimValue, Issuer};
use daypass_lint::{Confidence, Edit, Finding, Fix, Ignored, Options, Report, Row, Severity, Verdict, check};
use daypass_prove::{Answer, Exactness, Persona, PersonaAnswer, Witness};
use daypass_sources::{MemoryTree, Unresolved};
use daypass_trust::document::{Location, Problem, Source, Span};

const GITHUB: &str = "https://token.actions.githubusercontent.com";

/// A role of AWS for tokens of GitHub.
fn role(name: &str, sub: &str) -> String {
    format!(
        r#"resource "aws_iam_role" "{name}" {{
  name = "{name}"
  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect    = "Allow"
      Principal = {{ Federated = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" }}
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {{
        StringEquals = {{ "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com" }}
        StringLike   = {{ "token.actions.githubusercontent.com:sub" = "{sub}" }}
      }}
    }}]
  }})
}}
"#
    )
}

/// What a check comes to: an open role, one that admits nobody, one that is as it should be, one whose policy is not known, and a
/// broken file.
pub(crate) fn checked() -> Report {
    let tree = MemoryTree::new()
        .with("infra/deploy.tf", role("deploy", "repo:northwind*"))
        .with("infra/dead.tf", role("dead", "repo:acme/app:ref:main:environment"))
        .with("infra/release.tf", role("release", "repo:acme/app:environment:production"))
        .with(
            "infra/other.tf",
            "resource \"aws_iam_role\" \"x\" {\n  assume_role_policy = var.trust\n}\nvariable \"trust\" {}\n",
        )
        .with("broken.json", "{\"Statement\": [");
    check(&tree, &[""], &Options::default())
}

/// A token with that subject.
pub(crate) fn token(sub: &str) -> Witness {
    let claims = [
        ("aud", "sts.amazonaws.com"),
        ("event_name", "push"),
        ("iss", GITHUB),
        ("job_workflow_ref", "acme/app/.github/workflows/deploy.yml@refs/heads/main"),
        ("ref", "refs/heads/main"),
        ("repository", "acme/app"),
        ("repository_id", "2002"),
        ("repository_owner", "acme"),
        ("repository_owner_id", "1001"),
        ("sub", sub),
    ];
    let form = Some("classic".to_owned());
    let claims: ClaimSet = claims.into_iter().collect();
    Witness { issuer: Issuer::parse(GITHUB).unwrap(), form, claims, request: Vec::new() }
}

pub(crate) fn admitted(witness: Witness) -> Answer {
    Answer {
        answer: daypass_prove::Verdict::Yes,
        exactness: Exactness::Exact,
        witness: Some(witness),
        why: Vec::new(),
    }
}

pub(crate) fn answered(answer: daypass_prove::Verdict, why: &[&str]) -> Answer {
    let why = why.iter().map(|why| (*why).to_owned()).collect();
    Answer { answer, exactness: Exactness::Exact, witness: None, why }
}

pub(crate) fn location(file: &str, line: usize) -> Location {
    Location { file: file.into(), line, column: 1 }
}

/// A role that admits those of whom `admits` says so.
pub(crate) fn row(role: &str, file: &str, line: usize, admits: impl Fn(Persona) -> bool) -> Row {
    let personas = Persona::ALL.into_iter().map(|persona| {
        let sub = format!("repo:acme/app:{}", persona.as_str());
        let refused = answered(daypass_prove::Verdict::No, &[]);
        let answer = if admits(persona) { admitted(token(&sub)) } else { refused };
        PersonaAnswer { persona, answer }
    });
    Row {
        role: role.to_owned(),
        dialect: "aws",
        location: location(file, line),
        dead: Some(answered(daypass_prove::Verdict::No, &[])),
        personas: personas.collect(),
    }
}

/// A finding of `open-prefix`.
pub(crate) fn finding(role: &str, file: &str, line: usize) -> Finding {
    Finding {
        rule: "open-prefix",
        severity: Severity::High,
        confidence: Confidence::High,
        verdict: Some(Verdict::Bad),
        file: file.into(),
        line,
        column: 1,
        end_line: line,
        end_column: 5,
        span: Span::new(0, 4),
        role: role.to_owned(),
        message: "the name may go on after what is written: `acme-evil` gets in".to_owned(),
        help: Some("end the name with the separator that follows it".to_owned()),
        persona: Some(Persona::Stranger),
        witness: Some(token("repo:acme/app:stranger")),
        why: vec!["nothing else names the organisation".to_owned()],
        fingerprint: String::new(),
        fix: None,
    }
}

/// An open role with a fix, one that admits nobody, and one that is as it should be; a construct that is not known, and a file
/// that is not read. Put together by hand: which tokens the prover shows is not this page's matter.
pub(crate) fn small() -> Report {
    const FILE: &str = "infra/deploy.tf";
    let text =
        "resource \"aws_iam_role\" \"deploy\" {\n  sub = \"repo:acme*\"\n  aud = \"sts.amazonaws.com\"\n}\n";
    let start = text.find("\"repo").unwrap();
    let span = Span::new(start, start + "\"repo:acme*\"".len());
    let edit = Edit { start: span.start, end: span.end, text: "\"repo:acme/app:*\"".to_owned() };
    let open = Finding {
        span,
        column: 9,
        fix: Some(Fix { about: "ends the name: proved to admit nobody else".to_owned(), edits: vec![edit] }),
        ..finding("deploy", FILE, 2)
    };
    let mut dead = row("dead", "infra/dead.tf", 4, |_| false);
    dead.dead =
        Some(answered(daypass_prove::Verdict::Yes, &["AWS gives policies no `vcs-ref` (as of 2026-02-01)"]));
    dead.personas.clear();
    let source = Source::new(FILE, text);
    let broken = Source::new("broken.json", "{\"Statement\": [");
    let problem = Problem::new(&broken, Span::new(14, 15), "not valid JSON: an array is not closed");
    Report {
        findings: vec![open],
        policies: 3,
        pipelines: 1,
        unresolved: vec![Unresolved {
            location: location("infra/other.tf", 2),
            construct: "var.trust".to_owned(),
            why: "the variable `trust` has no default".to_owned(),
        }],
        problems: vec![problem.help("close it with `]`")],
        matrix: vec![
            row("deploy", FILE, 1, |who| matches!(who, Persona::Intended | Persona::Stranger)),
            dead,
            row("release", "infra/release.tf", 1, |who| who == Persona::Intended),
        ],
        sources: [(FILE.into(), source), ("broken.json".into(), broken)].into_iter().collect(),
        ..Report::default()
    }
}

/// A report whose every text is an attempt to get out of its place.
pub(crate) fn hostile() -> Report {
    const EVIL: &str =
        "</script></style><img src=x onerror=alert(1)>\"' onload='x' \u{202E}gpj\u{200B}\u{0}`<b>`&lt;";
    let evil = || EVIL.to_owned();
    let mut witness = token(EVIL);
    witness.form = Some(evil());
    witness.claims.insert(EVIL, EVIL);
    witness.claims.insert("list", ClaimValue::Array(vec![EVIL.into(), ClaimValue::Null]));
    witness.request = vec![(evil(), EVIL.into())];
    let unknown = answered(daypass_prove::Verdict::Unknown, &[EVIL]);
    let mut open = row(EVIL, EVIL, 1, |_| true);
    for (index, answer) in open.personas.iter_mut().enumerate() {
        answer.answer = if index % 2 == 0 { admitted(witness.clone()) } else { unknown.clone() };
    }
    let mut dead = row(EVIL, "dead", 1, |_| false);
    dead.dead = Some(answered(daypass_prove::Verdict::Yes, &[EVIL]));
    dead.personas.clear();
    let source = Source::new(EVIL, format!("{EVIL}\n{EVIL}\n"));
    let mut found = finding(EVIL, EVIL, 1);
    found.message = evil();
    found.help = Some(evil());
    found.why = vec![evil()];
    found.witness = Some(witness);
    found.fix = Some(Fix { about: evil(), edits: vec![Edit { start: 0, end: 4, text: evil() }] });
    let problem =
        Problem { location: location(EVIL, 1), span: Span::new(0, 3), message: evil(), help: Some(evil()) };
    Report {
        ignored: vec![Ignored { finding: found.clone(), reason: evil() }],
        accepted: vec![found.clone()],
        findings: vec![found.clone(), Finding { role: "a role without a row".to_owned(), ..found }],
        policies: 2,
        pipelines: 0,
        unresolved: vec![Unresolved { location: location(EVIL, 1), construct: evil(), why: evil() }],
        problems: vec![problem],
        matrix: vec![open, dead],
        sources: [(EVIL.into(), source)].into_iter().collect(),
    }
}
