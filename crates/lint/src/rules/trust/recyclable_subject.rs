use daypass_prove::{Persona, Witness};
use daypass_trust::document::Span;

use crate::blame::Blame;
use crate::finding::{Confidence, Draft, Severity};
use crate::fix::{Fix, replacing, widens_only_by};
use crate::reach::changed;
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "recyclable-subject",
    name: "The repository is named and not numbered",
    severity: Severity::Info,
    confidence: Confidence::High,
    applies_to: &[Subject::Aws, Subject::Azure, Subject::Gcp, Subject::Vault],
    what: "A subject of GitHub's classic form for a repository whose ids are known, where the immutable form of the same job is not admitted.",
    why: "Names can be given up and taken over. And a repository that is renamed, transferred or opted in mints immutable subjects from then on, which are refused.",
    example: r#"sub = "repo:acme/app:environment:production""#,
    instead: r#"sub = ["repo:acme/app:environment:production", "repo:acme@1001/app@2002:environment:production"]
# and only the second once the first is not minted any more"#,
    references: &["https://docs.github.com/en/actions/reference/security/oidc"],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Some(witness) = view.admitted(Persona::Intended).filter(|it| it.form.as_deref() == Some("classic"))
    else {
        return;
    };
    let Some((repository, numbered)) = numbered(view, witness) else { return };
    let subject = witness.subject();
    let Some(rest) = subject.strip_prefix(&format!("repo:{repository}:")) else { return };
    let twin = format!("repo:{numbered}:{rest}");
    if view.admits(view.policy(), witness, &changed(witness, "sub", twin.clone())) {
        return;
    }
    let Some((statement, span)) = Blame::place(view, witness) else { return };
    let message = if view.admitted(Persona::Squatter).is_some() {
        format!(
            "`{repository}` is named and not numbered: whoever takes the name over gets in, `{twin}` does not"
        )
    } else {
        // Another claim has the id.
        format!("`{repository}` is named in the subject: once its subjects are numbered, `{twin}` is refused")
    };
    let draft = Draft::new(&view.found.source, span, view.role(), message)
        .witness(witness)
        .why([format!("{} lets it in", statement.label)])
        .help(format!("admit `{twin}` as well, and it alone once the other is not minted any more"));
    found.push(Draft { fix: both(view, span, subject, &twin), ..draft });
}

/// The repository of a token, as its name and with its ids, where those are known.
fn numbered(view: &View<'_>, witness: &Witness) -> Option<(String, String)> {
    let name = witness.claims.get("repository")?.as_str()?.to_owned();
    let (owner, repository) = name.split_once('/')?;
    let estate = &view.prover.estate;
    let known = estate.repositories().iter().find(|it| it.name.eq_ignore_ascii_case(&name));
    let organisation = estate.organisations().iter().find(|it| it.name.eq_ignore_ascii_case(owner));
    let home = view.options.home.as_ref();
    let id = known.and_then(|it| it.id.clone()).or_else(|| home?.repository_id.clone())?;
    let owner_id = organisation.and_then(|it| it.id.clone()).or_else(|| home?.owner_id.clone())?;
    let numbered = format!("{owner}@{owner_id}/{repository}@{id}");
    Some((name, numbered))
}

/// Both subjects in the place of the one, if it is written out: everything that got in gets in, and beside it the second alone.
fn both(view: &View<'_>, span: Span, subject: &str, twin: &str) -> Option<Fix> {
    let (tree, edit) = replacing(view, span, &[subject.to_owned(), twin.to_owned()])?;
    let about =
        format!("admit `{twin}` beside it: all that got in gets in, and beside it this subject alone");
    widens_only_by(view, tree, twin).then(|| Fix { about, edits: vec![edit] })
}
