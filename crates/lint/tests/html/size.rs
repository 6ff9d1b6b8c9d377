//! Large estates open: the page stays under its bounds, and says what it leaves out.

use daypass_lint::{Finding, Report, Severity, Verdict};
use daypass_prove::Persona;
use daypass_sources::Unresolved;

use crate::page::{assert_anchors, page};
use crate::samples::{finding, location, row};

const LARGEST: usize = 20_000_000;

/// An estate of many roles, of which the last ones are open.
fn estate(roles: usize, admits: impl Fn(Persona) -> bool + Copy) -> Report {
    let name = |index: usize| format!("aws_iam_role.service_{index:05}");
    let file = |index: usize| format!("accounts/{:03}/roles.tf", index / 40);
    let matrix = (0..roles).map(|index| row(&name(index), &file(index), index % 40 * 20 + 1, admits));
    let open = (roles.saturating_sub(50)..roles)
        .map(|index| finding(&name(index), &file(index), index % 40 * 20 + 9));
    let rest = (0..roles).map(|index| Finding {
        severity: Severity::Low,
        verdict: None,
        persona: None,
        witness: None,
        ..finding(&name(index), &file(index), index % 40 * 20 + 9)
    });
    let unresolved = (0..roles).map(|index| Unresolved {
        location: location(&file(index), 1),
        construct: "var.trust".to_owned(),
        why: "the variable has no default".to_owned(),
    });
    Report {
        findings: open.chain(rest).collect(),
        policies: roles,
        matrix: matrix.collect(),
        unresolved: unresolved.collect(),
        ..Report::default()
    }
}

#[test]
fn ten_thousand_roles_fit_and_the_worst_come_first() {
    let page = page("large", &estate(10_000, |persona| persona == Persona::Intended));
    assert!(page.len() < LARGEST, "{}", page.len());
    let rows = page.matches("<tr id=\"m").count();
    assert!(rows > 5_000, "{rows}");
    let first = page.find("<tr id=\"m0\"").unwrap();
    assert!(
        page.get(first..)
            .unwrap()
            .starts_with("<tr id=\"m0\"><th scope=\"row\"><a href=\"#r0\">aws_iam_role.service_09950</a>")
    );
    assert!(
        page.contains("roles are left out, and their cells do not open"),
        "the tokens that have no place"
    );
    assert!(page.contains("more of these findings have no place here"), "the findings that have no place");
    assert!(page.contains("<dt>Roles</dt><dd><a href=\"#matrix\">10000</a></dd>"), "all are counted");
}

#[test]
fn an_estate_where_everybody_gets_in_fits_too_and_nothing_leads_to_what_has_no_place() {
    let mut report = estate(10_000, |_| true);
    report.findings.iter_mut().for_each(|finding| finding.why = vec!["because of this and that ".repeat(20)]);
    let page = page("open", &report);
    assert!(page.len() < LARGEST, "{}", page.len());
    assert_anchors(&page);
    let open = page.matches("<details id=\"c").count();
    assert!((2_000..99_000).contains(&open), "{open}");
}

#[test]
fn one_endless_text_does_not_make_the_page_endless() {
    let mut report = estate(3, |_| true);
    let endless = "x".repeat(30_000_000);
    report.matrix[0].role.clone_from(&endless);
    report.findings[0].message = endless.clone();
    report.findings[0].verdict = Some(Verdict::Bad);
    report.unresolved[0].construct = endless;
    let page = page("endless", &report);
    assert!(page.len() < 1_000_000, "{}", page.len());
    assert!(page.contains("more characters"));
}
