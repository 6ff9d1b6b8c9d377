use daypass_pipelines::Place;
use daypass_pipelines::inventory::{Credential, credentials};

use crate::finding::{Confidence, Draft, Severity};
use crate::pipeline_view::PipelineView;
use crate::rule::{Check, Rule, Subject};

pub(super) const RULE: Rule = Rule {
    id: "hardcoded-credential",
    name: "A credential stands in the file",
    severity: Severity::High,
    confidence: Confidence::High,
    applies_to: &[Subject::Pipelines],
    what: "A secret that is written out in a pipeline file.",
    why: "It is in every clone and in the history for ever. It has to be revoked; removing it changes nothing.",
    example: "env:
  AWS_SECRET_ACCESS_KEY: a1b2...",
    instead: "permissions: {id-token: write}
# and: role-to-assume",
    references: &["https://docs.github.com/en/actions/reference/security/secure-use"],
    check: Check::Pipeline(check),
};

fn check(view: &PipelineView<'_>, found: &mut Vec<Draft>) {
    for credential in credentials(view.pipeline) {
        let Some(place) = written_out(view, &credential) else { continue };
        let message = format!("a secret of kind {} stands in the file", credential.kind);
        let help = format!("revoke it first; then: {}", credential.replacement);
        found.push(super::of_credential(view, &credential, place, message).help(help));
    }
}

/// The place of a part that is the secret itself, and no reference to where one is stored.
pub(super) fn written_out<'c>(view: &PipelineView<'_>, credential: &'c Credential) -> Option<&'c Place> {
    credential.places.iter().find(|place| {
        let text = view.source.slice(place.span);
        *place.file == *view.pipeline.file
            && !text.is_empty()
            && !text.contains('$')
            && credential.source.contains(MASKED)
    })
}

/// How the inventory shows a literal.
const MASKED: &str = "literal ";
