use crate::finding::{Confidence, Draft, Severity};
use crate::pipeline_view::PipelineView;
use crate::rule::{Check, Rule, Subject};

pub(super) const RULE: Rule = Rule {
    id: "exposed-service-principal",
    name: "A service connection's secret is put into the environment",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: &[Subject::Pipelines],
    what: "`addSpnToEnvironment`, which gives the script the credential of the Azure connection.",
    why: "With a connection that still has a secret, the script holds it; whatever runs in the script can send it away.",
    example: "- task: AzureCLI@2
  inputs: {addSpnToEnvironment: true}",
    instead: "a connection with workload identity federation, and the login that the task has made already",
    references: &["https://learn.microsoft.com/en-us/azure/devops/pipelines/tasks/reference/azure-cli-v2"],
    check: Check::Pipeline(check),
};

fn check(view: &PipelineView<'_>, found: &mut Vec<Draft>) {
    for job in &view.pipeline.jobs {
        for step in &job.steps {
            let Some(text) = step.input("addSpnToEnvironment") else { continue };
            if text.as_str().eq_ignore_ascii_case("true") {
                let draft =
                    view.at(job, &text.place, "the script gets the credential of the service connection");
                found.push(draft.help("leave `addSpnToEnvironment` out, and convert the connection to workload identity federation"));
            }
        }
    }
}
