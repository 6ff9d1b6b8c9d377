use super::*;
use crate::{NoTree, Tree};

fn of(path: &str, text: &str, tree: &dyn Tree, facts: &RepositoryFacts) -> Vec<Mintable> {
    mintable(&crate::read(path, text.as_bytes(), tree).unwrap(), facts)
}

fn github(text: &str) -> Vec<String> {
    let facts = RepositoryFacts::of("repository", "acme/app").on_branch("main");
    of(".github/workflows/w.yml", text, &NoTree, &facts).iter().map(shown).collect()
}

fn shown(mintable: &Mintable) -> String {
    let claim = |name: &str| mintable.claims.get(name).map_or("-".to_owned(), ToString::to_string);
    let at_most: Vec<&str> = mintable.at_most.iter().map(String::as_str).collect();
    let at_most = if at_most.is_empty() { String::new() } else { format!(" [{}]", at_most.join("; ")) };
    format!(
        "{} {}: ref {}, environment {}{at_most}",
        mintable.job,
        mintable.trigger,
        claim("ref"),
        claim("environment")
    )
}

const JOB: &str = "runs-on: ubuntu-24.04, permissions: {id-token: write}, steps: [{run: make}]";

#[test]
fn triggers_and_conditions_decide_the_refs() {
    for (on, condition, wanted) in [
        ("{push: {branches: [main]}}", "", vec!["a push: ref `refs/heads/main`, environment absent"]),
        (
            "{push: {branches: ['release/**'], tags: ['v*']}}",
            "",
            vec![
                "a push: ref like `refs/heads/release/**`, environment absent",
                "a push: ref like `refs/tags/v*`, environment absent",
            ],
        ),
        (
            "push",
            "github.ref == 'refs/heads/main'",
            vec!["a push: ref `refs/heads/main`, environment absent"],
        ),
        (
            "push",
            "startsWith(github.ref, 'refs/tags/v')",
            vec!["a push: ref like `refs/tags/*` and like `refs/tags/v*`, environment absent"],
        ),
        (
            "[push, pull_request]",
            "github.event_name == 'push' && github.ref_name == 'main'",
            vec![
                "a push: ref `refs/heads/main`, environment absent",
                "a push: ref `refs/tags/main`, environment absent",
            ],
        ),
        (
            "{push: {branches: [main]}, workflow_dispatch: }",
            "github.ref_name == github.event.repository.default_branch && inputs.go",
            vec![
                "a push: ref `refs/heads/main`, environment absent [runs only if `inputs.go`]",
                "a workflow_dispatch: ref `refs/heads/main`, environment absent [runs only if `inputs.go`]",
                "a workflow_dispatch: ref `refs/tags/main`, environment absent [runs only if `inputs.go`]",
            ],
        ),
        (
            "{pull_request: {branches: [main]}}",
            "",
            vec!["a pull_request: ref like `refs/pull/N/merge`, environment absent"],
        ),
        ("{pull_request: {branches: [main]}}", "github.base_ref == 'dev'", vec![]),
        (
            "{pull_request_target: {branches: [main]}}",
            "",
            vec!["a pull_request_target: ref `refs/heads/main`, environment absent"],
        ),
        (
            "[schedule, issue_comment]",
            "",
            vec![
                "a schedule: ref `refs/heads/main`, environment absent",
                "a issue_comment: ref `refs/heads/main`, environment absent",
            ],
        ),
        ("push", "false", vec![]),
        ("workflow_call", "", vec![]),
        (
            "push",
            "github.ref == 'refs/heads/main' || github.ref == 'refs/heads/dev'",
            vec!["a push: ref `refs/heads/dev` or `refs/heads/main`, environment absent"],
        ),
    ] {
        let condition = if condition.is_empty() { String::new() } else { format!("if: \"{condition}\", ") };
        assert_eq!(
            github(&format!("on: {on}\njobs: {{a: {{{condition}{JOB}}}}}\n")),
            wanted,
            "{on} {condition}"
        );
    }
}

#[test]
fn environments_and_what_is_not_known() {
    let tokens = github(&format!(
        "on: {{push: {{branches: [main]}}}}\njobs:\n  a: {{environment: '${{{{ matrix.e }}}}', strategy: {{matrix: {{e: [x, y]}}}}, {JOB}}}\n\
         \x20 b: {{environment: '${{{{ vars.E }}}}', {JOB}}}\n  none: {{runs-on: x, steps: []}}\n"
    ));
    assert_eq!(
        tokens,
        [
            "a push: ref `refs/heads/main`, environment `x` or `y`",
            "b push: ref `refs/heads/main`, environment unknown (`vars.E`) [`vars.E`]",
        ]
    );
    let unnamed = of(
        ".github/workflows/w.yml",
        &format!("on: schedule\njobs: {{a: {{{JOB}}}}}\n"),
        &NoTree,
        &RepositoryFacts::default(),
    );
    assert_eq!(unnamed[0].at_most.first().unwrap(), "the default branch was not given");
}

#[test]
fn a_called_workflow_shows_in_job_workflow_ref() {
    let caller = "on: {push: {branches: [main]}}\npermissions: {id-token: write}\njobs:\n  local: {uses: ./.github/workflows/d.yml}\n\
                  \x20 far: {uses: acme/ci/.github/workflows/d.yml@v1}\n";
    let callee = format!(
        "on: workflow_call\njobs: {{go: {{{}}}}}\n",
        JOB.replace("permissions: {id-token: write}, ", "")
    );
    let tree = BTreeMap::from([(".github/workflows/d.yml".to_owned(), callee.into_bytes())]);
    let facts = RepositoryFacts::of("repository", "acme/app").on_branch("main");
    let tokens = of(".github/workflows/w.yml", caller, &tree, &facts);
    let claim = |index: usize, name: &str| tokens[index].claims[name].to_string();
    assert_eq!((tokens.len(), tokens[0].job.as_str()), (2, "local / go"));
    assert_eq!(claim(0, "job_workflow_ref"), "`acme/app/.github/workflows/d.yml@refs/heads/main`");
    assert_eq!(claim(0, "workflow_file"), "`w.yml`");
    assert_eq!(
        claim(1, "job_workflow_ref"),
        "`acme/ci/.github/workflows/d.yml@refs/heads/v1` or `acme/ci/.github/workflows/d.yml@refs/tags/v1`"
    );
    assert_eq!(claim(1, "environment"), "unknown (`acme/ci/.github/workflows/d.yml@v1` is not at hand)");
    assert_eq!(claim(1, "repository"), "`acme/app`");
}

#[test]
fn every_claim_is_one_that_the_catalogue_knows() {
    let facts = RepositoryFacts::of("repository", "acme/app").on_branch("main");
    let text = format!("on: [push, pull_request]\njobs: {{a: {{environment: x, {JOB}}}}}\n");
    for token in of(".github/workflows/w.yml", &text, &NoTree, &facts) {
        let platform = daypass_issuers::catalogue().platform(token.platform).unwrap();
        for name in token.claims.keys() {
            assert!(platform.variable(name.as_str()).is_some(), "{name}");
        }
    }
}
