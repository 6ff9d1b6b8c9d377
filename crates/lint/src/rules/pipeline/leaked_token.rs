use crate::finding::{Confidence, Draft, Severity};
use crate::pipeline_view::PipelineView;
use crate::rule::{Check, Rule, Subject};

pub(super) const RULE: Rule = Rule {
    id: "leaked-token",
    name: "A token is shown or passed on",
    severity: Severity::High,
    confidence: Confidence::Medium,
    applies_to: &[Subject::Pipelines],
    what: "A command that prints an ID token, or puts it where every later step reads it.",
    why: "Logs are read by more people than deploy. A token in a log or in the environment of later steps is good for as long as it lives, for whoever sees it.",
    example: r#"run: echo "$ID_TOKEN"
# or: echo "TOKEN=$ID_TOKEN" >> "$GITHUB_ENV""#,
    instead: r#"run: printf %s "$ID_TOKEN" > "$RUNNER_TEMP/token""#,
    references: &["https://docs.github.com/en/actions/reference/security/secure-use"],
    check: Check::Pipeline(check),
};

/// Variables in which platforms hand out tokens, or what one gets them with.
const TOKENS: [&str; 6] = [
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "BITBUCKET_STEP_OIDC_TOKEN",
    "CIRCLE_OIDC_TOKEN",
    "CIRCLE_OIDC_TOKEN_V2",
    "CI_JOB_JWT",
    "CI_JOB_JWT_V2",
];

fn check(view: &PipelineView<'_>, found: &mut Vec<Draft>) {
    for job in &view.pipeline.jobs {
        let mut names: Vec<String> = TOKENS.iter().map(|name| (*name).to_owned()).collect();
        names.extend(job.requests.iter().filter_map(|it| it.variable.as_ref()).map(ToString::to_string));
        for script in job.steps.iter().flat_map(|step| &step.scripts) {
            for (line, command) in script.lines() {
                names.extend(captured(command));
                let Some(what) = leak(command, &names) else { continue };
                let draft = view.at(job, &script.place, what).why([format!("line {line}")]);
                found.push(
                    draft.help("write it to a file of the job with `printf`, and remove the file after use"),
                );
            }
        }
    }
}

/// The variable that a command puts a token into.
fn captured(command: &str) -> Option<String> {
    let (before, after) = command.split_once("=$(").or_else(|| command.split_once("=\"$("))?;
    let name = before.split_whitespace().last()?;
    let asks =
        ["ACTIONS_ID_TOKEN_REQUEST_URL", "buildkite-agent oidc request-token", "circleci run oidc get"];
    asks.iter().any(|sign| after.contains(sign)).then(|| name.to_owned())
}

fn leak(command: &str, names: &[String]) -> Option<String> {
    let name = names.iter().find(|name| mentions(command, name))?;
    let first = command.trim_start().trim_start_matches("- ").split_whitespace().next()?;
    if !["echo", "printf", "cat", "Write-Host", "Write-Output"].contains(&first) {
        return None;
    }
    if ["GITHUB_ENV", "GITHUB_OUTPUT", "BASH_ENV", "task.setvariable"]
        .iter()
        .any(|sink| command.contains(sink))
    {
        return Some(format!("`{name}` is put where every later step reads it"));
    }
    let kept = command.contains('>') || command.contains('|') || command.contains("::add-mask::");
    (!kept).then(|| format!("`{name}` is printed to the log"))
}

/// Whether a command reads a variable, and not one whose name only begins like it.
fn mentions(command: &str, name: &str) -> bool {
    [format!("${name}"), format!("${{{name}}}"), format!("env.{name}"), format!("env:{name}")].iter().any(
        |form| {
            command.match_indices(form.as_str()).any(|(at, _)| {
                let after = command.get(at.saturating_add(form.len())..).and_then(|rest| rest.chars().next());
                form.ends_with('}') || after.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_')
            })
        },
    )
}
