use crate::finding::{Confidence, Draft, Severity};
use crate::pipeline_view::PipelineView;
use crate::rule::{Check, Rule, Subject};

pub(super) const RULE: Rule = Rule {
    id: "broad-audience",
    name: "One token is good for several parties",
    severity: Severity::Low,
    confidence: Confidence::High,
    applies_to: &[Subject::Pipelines],
    what: "A token that a job asks for with several audiences, or with the address of the platform itself.",
    why: "Each party that is shown the token can show it to the others.",
    example: "id_tokens: {TOKEN: {aud: [https://vault.example.com, sts.amazonaws.com]}}",
    instead: "id_tokens:
  VAULT_TOKEN: {aud: https://vault.example.com}
  AWS_TOKEN: {aud: sts.amazonaws.com}",
    references: &["https://docs.gitlab.com/ci/secrets/id_token_authentication/"],
    check: Check::Pipeline(check),
};

fn check(view: &PipelineView<'_>, found: &mut Vec<Draft>) {
    for job in view.pipeline.own_jobs() {
        for request in job.requests.iter().filter(|request| request.variable.is_some()) {
            let message = match request.audiences.as_slice() {
                [one] if one.as_str().trim_end_matches('/') == "https://gitlab.com" => {
                    "the audience is the platform itself, which says nothing about who the token is for"
                }
                [_, _, ..] => "the token has several audiences: each of them can use it with the others",
                _ => continue,
            };
            let draft = view.at(job, &request.place, message);
            found.push(draft.help("ask for a token of its own for each party"));
        }
    }
}
