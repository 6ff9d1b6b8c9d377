//! What is on the page.

use daypass_lint::{Finding, Ignored, Report, Severity, Verdict};
use daypass_prove::{Persona, Verdict as Answered};
use daypass_trust::document::Source;

use crate::page::{assert_anchors, between, body, only, page};
use crate::samples::{answered, checked, finding, hostile, row, small};

/// The matrix's row of a role.
fn row_of<'p>(page: &'p str, role: &str) -> &'p str {
    let rows = between(page, "<tr id=\"m", "</tr>\n");
    rows.into_iter().find(|row| row.contains(&format!("\">{role}</a>"))).unwrap()
}

#[test]
fn a_small_report_is_this_page() {
    insta::assert_snapshot!(body(&page("small", &small())));
}

#[test]
fn a_check_is_shown_from_its_policies_to_its_page() {
    let page = page("checked", &checked());
    assert!(row_of(&page, "aws_iam_role.deploy").contains("<summary class=\"y hi\">admitted</summary>"));
    assert!(row_of(&page, "aws_iam_role.deploy").contains("<mark>&quot;repo:northwind*&quot;</mark>"));
    assert!(row_of(&page, "aws_iam_role.dead").contains("admits nobody"));
    assert!(page.contains("id=\"unresolved\"") && page.contains("id=\"problems\""));
}

#[test]
fn every_anchor_has_its_place() {
    assert_anchors(&page("checked", &checked()));
    assert_anchors(&page("small", &small()));
    assert_anchors(&page("hostile", &hostile()));
}

#[test]
fn the_columns_are_the_personas_on_wide_screens_and_on_narrow_ones() {
    let page = page("small", &small());
    let head = only(&page, "<thead>", "</thead>");
    let personas: Vec<&str> = Persona::ALL.into_iter().map(Persona::as_str).collect();
    assert_eq!(between(head, "<th scope=\"col\">", "</th>")[1..], personas);
    let style = only(&page, "<style>", "</style>");
    assert_eq!(between(style, "--who: \"", "\""), personas);
    let columns = format!("repeat({}, ", personas.len());
    assert_eq!(style.matches(&columns).count(), 2, "on screens and on paper");
}

#[test]
fn an_admitted_cell_opens_its_token_and_the_condition_that_let_it_in() {
    let report = Report {
        findings: vec![finding("deploy", "a.json", 1)],
        matrix: vec![row("deploy", "a.json", 1, |who| matches!(who, Persona::Intended | Persona::Stranger))],
        sources: [("a.json".into(), Source::new("a.json", "acme*\n"))].into_iter().collect(),
        ..Report::default()
    };
    let page = page("cell", &report);
    let cell = only(&page, "<details id=\"c0-stranger\">", "</details>");
    assert!(cell.contains("<summary class=\"y hi\">admitted</summary>"), "{cell}");
    assert!(
        cell.contains("<mark>acme</mark>*") && cell.contains("<a href=\"#f0\">open-prefix</a>"),
        "{cell}"
    );
    assert!(cell.contains("subject form <code>classic</code>"), "{cell}");
    assert!(cell.contains("<code>&quot;repo:acme/app:stranger&quot;</code> <small>intended: <code>&quot;repo:acme/app:intended&quot;</code>"), "{cell}");
    assert!(
        page.contains("<a href=\"#c0-stranger\">the token of another organisation"),
        "the finding leads to it"
    );
    assert_eq!(page.matches("<td class=\"n\">refused</td>").count(), Persona::ALL.len() - 2);
}

#[test]
fn claims_that_only_the_intended_job_has_are_said_to_be_absent() {
    let mut row = row("deploy", "a.json", 1, |who| matches!(who, Persona::Intended | Persona::Stranger));
    row.personas[0].answer.witness.as_mut().unwrap().claims.insert("environment", "production");
    let page = page("absent", &Report { matrix: vec![row], ..Report::default() });
    let cell = only(&page, "<details id=\"c0-stranger\">", "</details>");
    assert!(
        cell.contains(
            "environment</th><td>absent <small>intended: <code>&quot;production&quot;</code></small>"
        ),
        "{cell}"
    );
}

#[test]
fn each_answer_has_its_word() {
    let mut one = row("deploy", "a.json", 1, |who| who == Persona::Intended);
    one.personas[1].answer = answered(Answered::Unknown, &["the mount of the role is not known"]);
    one.personas[2].answer = answered(Answered::No, &["the tokens of this issuer do not tell"]);
    one.personas.pop();
    let page = page("words", &Report { matrix: vec![one], ..Report::default() });
    let row = row_of(&page, "deploy");
    let words: Vec<&str> = ["admitted", "unknown", "not told", "refused", "not asked"].into_iter().collect();
    for word in words {
        assert!(row.contains(&format!("\">{word}</")), "{word}: {row}");
    }
    assert!(row.contains("<li>the mount of the role is not known</li>"));
    assert!(row.contains(">undecided</span>"), "one answer that is not known leaves the role undecided");
}

#[test]
fn a_role_is_what_the_worst_finding_says_of_it() {
    let with = |verdict| Finding { verdict, ..finding("deploy", "a.json", 1) };
    let roles = || vec![row("deploy", "a.json", 1, |_| true)];
    for (verdict, word) in [
        (Some(Verdict::Bad), "bad"),
        (Some(Verdict::Dead), "dead"),
        (Some(Verdict::Warn), "warn"),
        (None, "good"),
    ] {
        let report =
            Report { findings: vec![with(None), with(verdict)], matrix: roles(), ..Report::default() };
        assert!(row_of(&page("state", &report), "deploy").contains(&format!(">{word}</span>")), "{word}");
    }
}

#[test]
fn a_role_that_admits_nobody_or_is_about_no_tokens_says_so() {
    let mut dead = row("dead", "a.json", 1, |_| false);
    dead.dead = Some(answered(Answered::Yes, &["AWS gives policies no `x:ref`"]));
    dead.personas.clear();
    let mut machine = row("machine", "b.json", 1, |_| false);
    machine.dead = None;
    machine.personas.clear();
    let page = page("none", &Report { matrix: vec![dead, machine], ..Report::default() });
    assert!(row_of(&page, "dead").contains("admits nobody"));
    assert!(row_of(&page, "dead").contains("AWS gives policies no <code>x:ref</code>"));
    assert!(row_of(&page, "machine").contains("is not about tokens of a CI platform"));
}

#[test]
fn namesakes_keep_their_own_findings() {
    let matrix = vec![
        row("ci", "a.tf", 1, |_| true),
        row("ci", "a.tf", 50, |_| true),
        row("ci", "b.tf", 1, |_| true),
        row("other", "c.tf", 1, |_| true),
    ];
    // The last one's policy lies in another file than the role.
    let findings = vec![finding("ci", "a.tf", 60), finding("other", "policies/other.json", 3)];
    let page = page("namesakes", &Report { findings, matrix, ..Report::default() });
    let bad: Vec<&str> = between(&page, "<tr id=\"m", "</tr>\n")
        .into_iter()
        .filter(|row| row.contains(">bad</span>"))
        .collect();
    assert_eq!(bad.len(), 2);
    assert!(bad[0].contains("<small>a.tf:50</small>") && bad[1].contains("<small>c.tf:1</small>"));
}

#[test]
fn what_is_accepted_or_ignored_is_shown_and_leaves_the_role_as_it_is() {
    let low = Finding { severity: Severity::Low, verdict: None, ..finding("deploy", "a.json", 1) };
    let report = Report {
        findings: vec![low],
        ignored: vec![Ignored { finding: finding("deploy", "a.json", 1), reason: "a sandbox".to_owned() }],
        accepted: vec![finding("deploy", "a.json", 2)],
        matrix: vec![row("deploy", "a.json", 1, |_| true)],
        ..Report::default()
    };
    let page = page("accepted", &report);
    assert!(row_of(&page, "deploy").contains(">bad</span>"), "strangers get in all the same");
    assert!(page.contains("id=\"of-accepted\">accepted <span class=\"count\">2</span>"));
    assert!(page.contains("<b>Ignored by a comment</b> a sandbox"));
    assert!(page.find("id=\"of-low\"") < page.find("id=\"of-accepted\""));
}
