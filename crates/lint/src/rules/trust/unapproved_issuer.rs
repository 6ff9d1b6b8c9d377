use daypass_trust::form::TokenIssuers;

use super::misspelt_issuer::{is_hosted, meant};
use crate::finding::{Confidence, Draft, Severity, Verdict};
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "unapproved-issuer",
    name: "The issuer is none that is known",
    severity: Severity::High,
    confidence: Confidence::Medium,
    applies_to: Subject::TRUST,
    what: "An issuer that is neither a platform of the catalogue nor a provider of the estate.",
    why: "Whoever runs the domain signs whatever tokens they like; whoever gets hold of the domain does, too.",
    example: r#""Federated": "arn:aws:iam::111122223333:oidc-provider/oidc.example.net""#,
    instead: r#"# daypass.estate.toml
[[provider]]
issuer = "https://oidc.example.net"
audiences = ["sts.amazonaws.com"]"#,
    references: &["https://openid.net/specs/openid-connect-discovery-1_0.html#Security"],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    for statement in view.allowing() {
        let TokenIssuers::Exactly(issuers) = &statement.principals.tokens else { continue };
        for issuer in issuers {
            if is_hosted(issuer) || meant(issuer).is_some() || view.options.approves(issuer) {
                continue;
            }
            let strings = view.found.tree.strings();
            let named = strings.iter().find(|(text, _)| text.ends_with(issuer.host_and_path()));
            let span = named.map_or(statement.span, |(_, span)| *span);
            let message =
                format!("`{issuer}` is no issuer that is known: whoever runs it mints what it likes");
            let mut draft = Draft::new(&view.found.source, span, view.role(), message).verdict(Verdict::Bad);
            draft.witness = view.dead.as_ref().and_then(|dead| dead.witness.clone());
            found.push(draft.help("list it under [[provider]] in the estate if it is yours"));
        }
    }
}
