use daypass_claims::Issuer;
use daypass_issuers::catalogue;

use crate::finding::{Confidence, Draft, Severity, Verdict};
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "misspelt-issuer",
    name: "The issuer is spelt otherwise than its tokens spell it",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "An issuer that differs from that of a known platform by a slash at the end, by letter case or by `http`.",
    why: "Issuers are compared character by character: no token of the platform has this one.",
    example: r#"issuer = "https://token.actions.githubusercontent.com/""#,
    instead: r#"issuer = "https://token.actions.githubusercontent.com""#,
    references: &[
        "https://www.rfc-editor.org/rfc/rfc8414#section-3.3",
        "https://learn.microsoft.com/en-us/entra/workload-id/workload-identity-federation-flexible-federated-identity-credentials",
    ],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Some((written, meant)) = misspelt(view) else { return };
    let span = view.found.tree.strings().into_iter().find(|(text, _)| *text == written.as_str());
    let span = span.map(|(_, span)| span).or_else(|| view.policy().statements.first().map(|it| it.span));
    let message = format!("nobody gets in: tokens say `{meant}`, and this is `{written}`");
    let draft = Draft::new(&view.found.source, span.unwrap_or_default(), view.role(), message);
    found.push(
        draft
            .verdict(Verdict::Dead)
            .why([format!("no platform signs tokens as `{written}`")])
            .help(format!("write `{meant}`")),
    );
}

/// The first issuer that no platform has but for its spelling, and how it is spelt.
pub(super) fn misspelt(view: &View<'_>) -> Option<(Issuer, Issuer)> {
    view.issuers().into_iter().find_map(|issuer| Some((issuer.clone(), meant(issuer)?)))
}

/// The issuer of a platform that one is a misspelling of.
pub(super) fn meant(issuer: &Issuer) -> Option<Issuer> {
    if is_hosted(issuer) {
        return None;
    }
    let lower = issuer.as_str().to_ascii_lowercase();
    let host = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"))?;
    let trimmed = host.trim_end_matches('/');
    let spellings = [format!("https://{trimmed}"), format!("https://{trimmed}/")];
    spellings
        .iter()
        .filter_map(|text| Issuer::parse(text).ok())
        .find(|other| other != issuer && is_hosted(other))
}

/// Whether a platform that others run signs as this issuer: its pattern names a host, and does not stand for any.
pub(super) fn is_hosted(issuer: &Issuer) -> bool {
    catalogue().platforms_of(issuer).iter().any(|found| {
        let pattern = found.form.pattern.to_string();
        let first = pattern.strip_prefix("https://{").and_then(|rest| rest.split('}').next());
        !first.is_some_and(|placeholder| placeholder.ends_with(":host") || placeholder.ends_with(":path"))
    })
}
