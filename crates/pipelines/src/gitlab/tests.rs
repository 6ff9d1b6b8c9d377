use std::collections::BTreeMap;

use crate::{IdToken, NoTree, Pipeline, RepositoryFacts, Runner, mintable};

fn read_in(files: &[(&str, &str)]) -> Pipeline {
    let tree: BTreeMap<String, Vec<u8>> =
        files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    crate::read(".gitlab-ci.yml", &tree[".gitlab-ci.yml"], &tree).unwrap()
}

fn read(text: &str) -> Pipeline {
    crate::read(".gitlab-ci.yml", text.as_bytes(), &NoTree).unwrap()
}

fn tokens(text: &str) -> Vec<String> {
    let facts = RepositoryFacts::of("project_path", "acme/app").on_branch("main");
    let shown = |token: &crate::Mintable| {
        let claim = |name: &str| token.claims.get(name).map_or("-".to_owned(), ToString::to_string);
        let why: Vec<&str> = token.at_most.iter().map(String::as_str).collect();
        format!(
            "{} {} {} {} {}",
            token.trigger,
            claim("ref_type"),
            claim("ref"),
            claim("environment"),
            why.join("; ")
        )
    };
    mintable(&read(text), &facts).iter().map(|token| shown(token).trim_end().to_owned()).collect()
}

#[test]
fn defaults_extends_and_references_are_put_together() {
    let pipeline = read(
        "default:\n  id_tokens: {ID: {aud: [https://a, https://b]}}\n  before_script: [echo default]\n\
         .setup:\n  script:\n    - echo one\n    - [echo two]\n.base:\n  variables: {A: base, B: base}\n  tags: [big]\n\
         .more: {extends: .base, variables: {B: more}}\n\
         deploy:\n  extends: [.more]\n  variables: {C: own}\n  script:\n    - !reference [.setup, script]\n    - echo three\n\
         plain: {script: echo, inherit: {default: false}, id_tokens: {}}\n",
    );
    let [deploy, plain] = &pipeline.jobs[..] else { panic!("{:?}", pipeline.jobs) };
    let values: Vec<_> = deploy.env.iter().map(|one| format!("{}={}", one.name, one.value)).collect();
    assert_eq!(values, ["A=base", "B=more", "C=own"]);
    let scripts: Vec<&str> =
        deploy.steps.iter().flat_map(|step| &step.scripts).map(crate::Text::as_str).collect();
    assert_eq!(scripts, ["echo default", "echo one", "echo two", "echo three"]);
    assert_eq!(deploy.steps[1].scripts[0].place.line, 6);
    assert!(matches!(deploy.id_token, IdToken::Granted { by_default: true, .. }));
    assert_eq!(deploy.requests[0].audiences.len(), 2);
    assert!(matches!(&deploy.runner, Runner::SelfHosted(tag) if tag.as_str() == "big"));
    assert_eq!((plain.id_token.allowed(), plain.steps.len()), (Some(false), 1));
    assert!(pipeline.notes.is_empty(), "{:?}", pipeline.notes);
}

#[test]
fn local_includes_are_laid_under_the_file() {
    let pipeline = read_in(&[
        (
            ".gitlab-ci.yml",
            "include:\n  - local: /ci/*.yml\n  - project: acme/ci\n    file: x.yml\n\
                            deploy: {variables: {B: own}}\n",
        ),
        ("ci/a.yml", "include: /ci/b.yml\ndeploy: {script: [make], variables: {A: a, B: a}}\n"),
        ("ci/b.yml", "include: ci/a.yml\nother: {script: [x]}\n"),
    ]);
    let ids: Vec<&str> = pipeline.jobs.iter().map(|job| job.id.as_str()).collect();
    assert_eq!(ids, ["other", "deploy"]);
    let deploy = &pipeline.jobs[1];
    let values: Vec<_> = deploy.env.iter().map(|one| format!("{}={}", one.name, one.value)).collect();
    assert_eq!(values, ["A=a", "B=own"]);
    assert_eq!(&*deploy.env[0].value.place.file, "ci/a.yml");
    let notes: Vec<&str> = pipeline.notes.iter().map(|note| note.what.as_str()).collect();
    assert_eq!(
        notes,
        [
            "`ci/a.yml` was not followed: it includes itself",
            "this `project` include lies elsewhere and was not followed",
        ]
    );
}

#[test]
fn what_goes_round_or_nowhere_is_noted() {
    let pipeline = read(
        ".a: {extends: .b}\n.b: {extends: .a}\njob: {extends: [.a, .none], script: [!reference [.c, script]]}\n\
         .c: {script: [!reference [.c, script]]}\ninclude: [../x.yml, {remote: 'https://x'}]\n",
    );
    let notes: Vec<&str> = pipeline.notes.iter().map(|note| note.what.as_str()).collect();
    assert_eq!(
        notes,
        [
            "`../x.yml` was not followed: it leaves the project",
            "this `remote` include lies elsewhere and was not followed",
            "`.a` was not followed: it extends itself",
            "`.none` was not followed: there is no such job in the files at hand",
            "`!reference [.c, script]` was not followed: references go more than 10 levels deep",
        ]
    );
}

#[test]
fn rules_decide_refs_and_sources() {
    let job = "script: [x], id_tokens: {T: {aud: a}}, environment: prod";
    assert_eq!(
        tokens(&format!(
            "d: {{{job}, rules: [{{if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && $CI_PIPELINE_SOURCE == 'push'}}]}}"
        )),
        ["push `branch` `main` `prod`"]
    );
    assert_eq!(
        tokens(&format!(
            "d: {{{job}, rules: [{{if: $CI_PIPELINE_SOURCE != 'push', when: never}}, {{if: $CI_COMMIT_TAG =~ /^v/}}]}}"
        )),
        ["push `tag` like `/^v/` `prod`"]
    );
    assert_eq!(
        tokens(&format!(
            "d: {{{job}, only: [main], except: [schedules, web, api, triggers, parent_pipeline]}}"
        ))
        .len(),
        4,
        "a name is a branch's or a tag's, in pushes and child pipelines"
    );
    let requests = tokens(&format!("d: {{{job}, rules: [{{if: $CI_MERGE_REQUEST_IID, changes: [x]}}]}}"));
    assert_eq!(requests, ["merge_request_event `branch` any `prod` runs only if `changes of files`"]);
    let workflow = tokens(&format!(
        "workflow: {{rules: [{{if: $CI_COMMIT_BRANCH == 'main' && $CI_PIPELINE_SOURCE == 'push'}}]}}\nd: {{{job}}}\n"
    ));
    assert_eq!(workflow, ["push `branch` `main` `prod`"]);
    assert!(tokens(&format!("d: {{{job}, rules: [{{when: never}}]}}")).is_empty());
    assert!(tokens("d: {script: [x]}").is_empty(), "no id_tokens, no token");
}

#[test]
fn environments_of_variables_and_matrices() {
    let names = |text: &str| read(text).jobs[0].environment.as_ref().unwrap().names.to_string();
    assert_eq!(
        names("d: {script: x, environment: {name: 'review/$CI_COMMIT_REF_SLUG'}}"),
        "like `review/$CI_COMMIT_REF_SLUG`"
    );
    assert_eq!(names("d: {script: x, variables: {E: prod}, environment: 'eu-${E}'}"), "`eu-prod`");
    assert_eq!(
        names("d: {script: x, parallel: {matrix: [{E: [dev, prod]}, {E: test}]}, environment: $E}"),
        "`dev` or `prod` or `test`"
    );
}

#[test]
fn child_pipelines_secrets_and_headers() {
    let pipeline = read(
        "spec: {inputs: {x: {}}}\n---\nchild: {trigger: {include: ci/child.yml}}\nother: {trigger: acme/other}\n\
         vault: {script: [x], secrets: {PW: {vault: a/b, token: $VAULT_ID_TOKEN}}}\n",
    );
    let target = |index: usize| pipeline.jobs[index].calls.as_ref().unwrap().target.text.as_str();
    assert_eq!((target(0), target(1)), ("ci/child.yml", "acme/other"));
    let step = pipeline.jobs[2].steps.last().unwrap();
    assert_eq!(step.uses.as_ref().unwrap().name, "secrets:vault");
}
