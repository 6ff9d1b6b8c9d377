//! The reference page of the rules, made from what stands beside their code.

use crate::{RULES, Rule, Subject};

/// The page, as Markdown.
pub fn reference_page() -> String {
    let mut page = String::from(
        "# Rules\n\nWhat `daypass check` looks for. This page is made from the rules themselves: \
         `DAYPASS_UPDATE=1 cargo test -p daypass-lint` writes it anew.\n\n\
         A finding about trust carries a token that shows it, or the condition that no token can meet. To take one back, write \
         `daypass:ignore RULE REASON` in a comment on its line, or above the role; in JSON, which has no comments, use a baseline.\n\n\
         | rule | severity | applies to | |\n|---|---|---|---|\n",
    );
    for rule in RULES.iter() {
        page.push_str(&format!(
            "| [`{id}`](#{id}) | {} | {} | {} |\n",
            rule.severity.as_str(),
            subjects(rule),
            rule.name,
            id = rule.id
        ));
    }
    for rule in RULES.iter() {
        page.push_str(&section(rule));
    }
    page
}

fn section(rule: &Rule) -> String {
    let mut text = format!(
        "\n## {}\n\n**{}.** Severity {}, confidence {}; applies to {}.\n\n{}\n\n{}\n\n",
        rule.id,
        rule.name,
        rule.severity.as_str(),
        rule.confidence.as_str(),
        subjects(rule),
        rule.what,
        rule.why
    );
    text.push_str(&format!("```text\n{}\n```\n\nInstead:\n\n```text\n{}\n```\n", rule.example, rule.instead));
    if !rule.references.is_empty() {
        let links: Vec<String> = rule.references.iter().map(|url| format!("<{url}>")).collect();
        text.push_str(&format!("\nMore: {}\n", links.join(", ")));
    }
    text
}

fn subjects(rule: &Rule) -> String {
    if rule.applies_to == Subject::TRUST {
        return "all trust policies".to_owned();
    }
    rule.applies_to.iter().map(|subject| subject.as_str()).collect::<Vec<_>>().join(", ")
}
