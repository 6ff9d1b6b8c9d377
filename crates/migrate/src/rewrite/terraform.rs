//! Terraform: a provider without keys takes what its job has.

use daypass_pipelines::Platform;
use daypass_trust::document::Span;

use super::{Case, Change, Edit, Rewriter};

pub(super) struct Terraform;

impl Rewriter for Terraform {
    fn platform(&self) -> Platform {
        Platform::Terraform
    }

    fn rewrite(&self, case: &Case<'_>) -> Result<Change, Vec<String>> {
        let credential = case.credential;
        if credential.sink.contains("backend.") {
            return Err(vec![
                "the state is reached with it: let the role of each job that runs this reach the state, then take the keys out"
                    .to_owned(),
            ]);
        }
        if !credential.sink.starts_with("provider.") {
            return Err(vec![format!(
                "`{}` makes or stores a key that does not expire: take the resource out once nothing uses the key",
                credential.sink
            )]);
        }
        if !["aws", "gcp", "azure", "vault"].contains(&credential.cloud) {
            // No role that a job has stands in for it.
            return Err(vec![case.instead()]);
        }
        let mut lines: Vec<Span> = Vec::new();
        for place in &credential.places {
            let line = line(case.text, place.span).ok_or_else(|| {
                vec![format!("{place}: the attribute does not have a line of its own: take it out by hand")]
            })?;
            lines.push(line);
        }
        lines.sort();
        lines.dedup();
        let mut edits: Vec<Edit> = lines.iter().map(|span| Edit::remove(*span)).collect();
        if let ("azure", false, Some(edit), Some(first)) =
            (credential.cloud, federates(case, &lines), edits.first_mut(), lines.first())
        {
            let line = case.text.get(first.start..first.end).unwrap_or_default();
            let blanks: String = line.chars().take_while(|c| c.is_whitespace()).collect();
            let ending = if line.ends_with("\r\n") { "\r\n" } else { "\n" };
            edit.text = format!("{blanks}use_oidc = true{ending}");
        }
        let steps = vec![
            "the jobs that run this log in with their role; without one the provider has no credentials"
                .to_owned(),
        ];
        Ok(Change { edits, steps })
    }
}

/// Whether the block around the first line says already that it federates.
fn federates(case: &Case<'_>, lines: &[Span]) -> bool {
    let Some(first) = lines.first() else { return false };
    let (before, after) =
        (case.text.get(..first.start).unwrap_or_default(), case.text.get(first.start..).unwrap_or_default());
    // Blocks end where a line begins with their brace.
    let before = before.rsplit_once("\n}").map_or(before, |(_, block)| block);
    let after = after.split_once("\n}").map_or(after, |(block, _)| block);
    before.contains("use_oidc") || after.contains("use_oidc")
}

/// The line of an attribute, if nothing else is on it.
fn line(text: &str, value: Span) -> Option<Span> {
    let start = text.get(..value.start)?.rfind('\n').map_or(0, |at| at.saturating_add(1));
    let rest = text.get(value.end..)?;
    let to = rest.find('\n').map_or(text.len(), |at| value.end.saturating_add(at).saturating_add(1));
    let name = text.get(start..value.start)?.trim().strip_suffix('=')?.trim();
    let alone = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let after = text.get(value.end..to)?.trim();
    let within = text.get(value.start..value.end)?;
    (alone
        && !within.contains('\n')
        && (after.is_empty() || after.starts_with('#') || after.starts_with("//")))
    .then_some(Span::new(start, to))
}
