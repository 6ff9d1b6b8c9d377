use daypass_pipelines::inventory::{self, Federation, credentials, kind};

use super::hardcoded_credential::written_out;
use crate::finding::{Confidence, Draft, Severity};
use crate::pipeline_view::PipelineView;
use crate::rule::{Check, Rule, Subject};

pub(super) const RULE: Rule = Rule {
    id: "static-credential",
    name: "A stored credential is used where a token would do",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: &[Subject::Pipelines],
    what: "A long-lived credential of a cloud or registry that the pipeline takes from the platform's store, where the job could have one for minutes in exchange for its token.",
    why: "It works for whoever gets hold of it, from anywhere, until somebody revokes it.",
    example: "with:
  aws-access-key-id: ${{ secrets.AWS_ACCESS_KEY_ID }}
  aws-secret-access-key: ${{ secrets.AWS_SECRET_ACCESS_KEY }}",
    instead: "permissions: {id-token: write}
with: {role-to-assume: 'arn:aws:iam::111122223333:role/app-prod-deploy'}",
    references: &[
        "https://docs.github.com/en/actions/concepts/security/openid-connect",
        "https://docs.gitlab.com/ci/secrets/id_token_authentication/",
    ],
    check: Check::Pipeline(check),
};

fn check(view: &PipelineView<'_>, found: &mut Vec<Draft>) {
    for credential in credentials(view.pipeline) {
        let federates = kind(credential.kind).is_some_and(|kind| kind.federation == Federation::Known);
        if written_out(view, &credential).is_some() {
            continue;
        }
        let here = credential.places.iter().find(|place| *place.file == *view.pipeline.file);
        let Some(place) = here else { continue };
        let message =
            format!("{} from {} ends up in {}", credential.kind, credential.source, credential.sink);
        let mut draft = super::of_credential(view, &credential, place, message).help(credential.replacement);
        if credential.confidence == inventory::Confidence::Inferred {
            draft = draft.confidence(Confidence::Medium);
        }
        found.push(if federates { draft } else { draft.severity(Severity::Info) });
    }
}
