use std::collections::BTreeMap;

use crate::{NoTree, Pipeline, RepositoryFacts, Role, Runner, mintable};

fn read_in(files: &[(&str, &str)]) -> Pipeline {
    let tree: BTreeMap<String, Vec<u8>> =
        files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    crate::read("ci/azure-pipelines.yml", &tree["ci/azure-pipelines.yml"], &tree).unwrap()
}

fn read(text: &str) -> Pipeline {
    crate::read("azure-pipelines.yml", text.as_bytes(), &NoTree).unwrap()
}

#[test]
fn stages_deployments_and_steps() {
    let pipeline = read(
        "trigger: [main]\nvariables: [{group: shared}, {name: A, value: b}]\npool: {vmImage: ubuntu-latest}\n\
         stages:\n  - stage: prod\n    condition: eq(variables['Build.SourceBranch'], 'refs/heads/main')\n    variables: [{group: prod}]\n    jobs:\n\
         \x20     - deployment: go\n        environment: prod.cluster\n        pool: ours\n        strategy: {runOnce: {deploy: {steps: [{task: AzureCLI@2, inputs: {azureSubscription: sc, inlineScript: az x}}]}}}\n\
         \x20     - job:\n        container: {image: acr/x, endpoint: acr}\n        steps:\n          - ${{ if eq(parameters.x, 'y') }}:\n            - bash: make\n              env: {K: $(SECRET)}\n",
    );
    let [go, second] = &pipeline.jobs[..] else { panic!("{:?}", pipeline.jobs) };
    assert_eq!((pipeline.role, pipeline.env[0].name.as_str()), (Role::Pipeline, "A"));
    assert_eq!(go.contexts.iter().map(crate::Text::as_str).collect::<Vec<_>>(), ["shared", "prod"]);
    assert_eq!(go.environment.as_ref().unwrap().names.to_string(), "`prod`");
    assert!(matches!(&go.runner, Runner::SelfHosted(_)));
    assert_eq!(go.steps[0].uses.as_ref().unwrap().name, "azurecli");
    assert_eq!(go.steps[0].scripts[0].as_str(), "az x");
    assert_eq!((second.id.as_str(), &second.runner), ("job 2", &Runner::Hosted));
    assert_eq!(second.steps[0].env[0].value.as_str(), "$(SECRET)");
    assert_eq!(second.images[0].credentials[0].value.as_str(), "acr");
}

#[test]
fn templates_of_the_repository_are_followed() {
    let pipeline = read_in(&[
        (
            "ci/azure-pipelines.yml",
            "trigger: none\nresources: {}\nvariables: [{template: vars.yml}]\nsteps:\n  - template: t/login.yml\n    parameters: {key: $(KEY)}\n  - template: x.yml@other\n  - template: none.yml\n",
        ),
        ("ci/vars.yml", "variables: {V: w}\n"),
        (
            "ci/t/login.yml",
            "parameters: [{name: key}, {name: region, default: eu}]\nsteps:\n  - bash: 'login ${{ parameters.region }}'\n    env: {AWS_SECRET_ACCESS_KEY: '${{ parameters.key }}'}\n  - template: login.yml\n",
        ),
    ]);
    assert_eq!(pipeline.env[0].value.as_str(), "w");
    let step = &pipeline.jobs[0].steps[0];
    assert_eq!(step.scripts[0].as_str(), "login eu");
    assert_eq!((step.env[0].value.as_str(), step.env[0].value.place.line), ("$(KEY)", 6));
    let last = |index: usize| pipeline.notes.iter().rev().nth(index).unwrap().what.as_str();
    assert_eq!(last(0), "`none.yml` was not followed: there is no such file here");
    assert_eq!(last(1), "`x.yml@other` was not followed: it lies in the repository `other`");
    assert!(last(2).starts_with("`login.yml` was not followed: templates are more than 20 levels deep"));
}

#[test]
fn triggers_and_conditions_decide_the_refs() {
    let refs = |text: &str| {
        let tokens = mintable(&read(text), &RepositoryFacts::default().on_branch("main"));
        tokens
            .iter()
            .map(|token| format!("{} {}", token.trigger, token.claims["rpo_ref"]))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        refs(
            "trigger: {branches: {include: [main, release/*], exclude: [release/old]}}\npr: [main]\nsteps: [{bash: x}]\n"
        ),
        [
            "trigger like `refs/heads/*` and not (`refs/heads/release/old`) and (`refs/heads/main` or like `refs/heads/release/*`)",
            "pr like `refs/pull/N/merge`",
            "manual like `refs/heads/*`",
            "manual like `refs/tags/*`",
        ]
    );
    assert_eq!(
        refs(
            "trigger: none\nschedules: [{cron: x, branches: {include: [main]}}]\njobs: [{job: a, condition: \"eq(variables['Build.Reason'], 'Schedule')\", steps: [{bash: x}]}]\n"
        ),
        ["schedule `refs/heads/main`"]
    );
}
