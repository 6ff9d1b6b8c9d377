use std::collections::BTreeMap;

use crate::{Condition, Fact, Grants, IdToken, Pipeline, Role, Runner, Who};

fn tree(files: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
}

fn read_in(path: &str, files: &[(&str, &str)]) -> Pipeline {
    let tree = tree(files);
    crate::read(path, &tree[path], &tree).unwrap()
}

fn read(text: &str) -> Pipeline {
    read_in(".github/workflows/w.yml", &[(".github/workflows/w.yml", text)])
}

#[test]
fn a_workflow_is_read_with_places() {
    let pipeline = read(
        "name: Deploy\non:\n  push:\n    branches: [main]\npermissions:\n  contents: read\nenv:\n  REGION: eu-west-1\n\
         jobs:\n  build:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: |\n          make\n          make test\n\
         \x20 deploy:\n    needs: build\n    if: github.ref == 'refs/heads/main'\n    environment: {name: prod}\n\
         \x20   permissions:\n      id-token: write\n    runs-on: [self-hosted, linux]\n    steps:\n\
         \x20     - uses: aws-actions/configure-aws-credentials@v4.1\n        with:\n          role-to-assume: arn\n",
    );
    assert_eq!(pipeline.name.as_ref().unwrap().as_str(), "Deploy");
    assert_eq!(pipeline.triggers[0].who, Who::Writer);
    assert_eq!(pipeline.env[0].value.place.line, 8);
    let [build, deploy] = &pipeline.jobs[..] else { panic!() };
    assert_eq!((build.id_token.allowed(), &build.runner), (Some(false), &Runner::Hosted));
    assert_eq!(build.steps[0].scripts[0].lines().last(), Some((15, "make test")));
    assert_eq!(deploy.place.line, 16);
    assert_eq!(deploy.condition, Condition::is(Fact::Ref, "refs/heads/main"));
    assert_eq!(deploy.environment.as_ref().unwrap().name.as_str(), "prod");
    assert!(matches!(&deploy.id_token, IdToken::Granted { place, by_default: false } if place.line == 21));
    assert!(matches!(&deploy.runner, Runner::SelfHosted(label) if label.as_str() == "self-hosted"));
    let step = deploy.steps_using("aws-actions/configure-aws-credentials").next().unwrap();
    assert_eq!(step.uses.as_ref().unwrap().major(), Some(4));
    assert!(!step.uses.as_ref().unwrap().is_pinned());
    assert_eq!(step.input("Role-To-Assume").unwrap().place.line, 26);
    assert_eq!(deploy.requests[0].audiences[0].as_str(), "sts.amazonaws.com");
    assert!(pipeline.notes.is_empty(), "{:?}", pipeline.notes);
}

#[test]
fn permissions_default_to_no_token_and_are_replaced_whole() {
    for (top, job, allowed) in [
        ("", "", Some(false)),
        ("permissions: write-all\n", "", Some(true)),
        ("permissions: read-all\n", "", Some(false)),
        ("permissions: {id-token: write}\n", "", Some(true)),
        ("permissions: {id-token: write}\n", "permissions: {contents: read}, ", Some(false)),
        ("permissions: {id-token: write}\n", "permissions: {}, ", Some(false)),
        ("permissions: {}\n", "permissions: {id-token: write}, ", Some(true)),
    ] {
        let text = format!("on: push\n{top}jobs: {{a: {{{job}runs-on: x, steps: []}}}}\n");
        assert_eq!(read(&text).jobs[0].id_token.allowed(), allowed, "{text}");
    }
    let open = read("on: push\npermissions: ${{ x }}\njobs: {}\n");
    assert!(matches!(open.permissions.unwrap().grants, Grants::Unknown(_)));
}

#[test]
fn a_called_workflow_runs_with_what_its_caller_grants() {
    let caller = "on: push\njobs:\n  call:\n    permissions: {id-token: write}\n    uses: ./.github/workflows/deploy.yml\n\
                  \x20   with: {target: prod}\n    secrets: inherit\n  other:\n    uses: ./.github/workflows/deploy.yml\n";
    let callee = "on: {workflow_call: {inputs: {target: {default: dev}}}}\njobs:\n  go:\n    runs-on: ubuntu-24.04\n\
                  \x20   environment: ${{ inputs.target }}\n    steps: [{run: make}]\n";
    let files = [("r/.github/workflows/w.yml", caller), ("r/.github/workflows/deploy.yml", callee)];
    let pipeline = read_in("r/.github/workflows/w.yml", &files);
    let paths: Vec<String> = pipeline.jobs.iter().map(super::super::model::Job::path).collect();
    assert_eq!(paths, ["call", "call / go", "other", "other / go"]);
    let call = pipeline.jobs[0].calls.as_ref().unwrap();
    assert!(call.followed && call.inherits.is_some());
    assert_eq!(pipeline.jobs[1].id_token.allowed(), Some(true));
    assert_eq!(pipeline.jobs[3].id_token.allowed(), Some(false));
    let environment = |index: usize| pipeline.jobs[index].environment.as_ref().unwrap().names.to_string();
    assert_eq!((environment(1), environment(3)), ("`prod`".to_owned(), "`dev`".to_owned()));
    assert_eq!(pipeline.jobs[1].defined_in.as_deref(), Some("r/.github/workflows/deploy.yml"));
    assert_eq!(pipeline.own_jobs().count(), 2);
    let callee = read_in("r/.github/workflows/deploy.yml", &files);
    assert_eq!((callee.role, callee.jobs[0].id_token.allowed()), (Role::Callable, None));
}

#[test]
fn calls_that_go_round_or_nowhere_are_noted() {
    let round = [
        ("r/.github/workflows/w.yml", "on: push\njobs: {a: {uses: ./.github/workflows/b.yml}}\n"),
        ("r/.github/workflows/b.yml", "on: workflow_call\njobs: {b: {uses: ./.github/workflows/w.yml}}\n"),
    ];
    let pipeline = read_in("r/.github/workflows/w.yml", &round);
    assert!(pipeline.notes[0].what.ends_with("it calls itself"), "{:?}", pipeline.notes);
    assert_eq!(pipeline.jobs.len(), 2);
    let nowhere = read("on: push\njobs: {a: {uses: ./.github/workflows/none.yml}}\n");
    assert!(nowhere.notes[0].what.ends_with("there is no such file here"));
    let outside = read("on: push\njobs: {a: {uses: ./../../etc/x.yml}}\n");
    assert!(outside.notes[0].what.ends_with("there is no such file here"));
    let broken = [
        (".github/workflows/w.yml", "on: push\njobs: {a: {uses: ./.github/workflows/b.yml}}\n"),
        (".github/workflows/b.yml", "on: [\n"),
    ];
    let pipeline = read_in(".github/workflows/w.yml", &broken);
    assert!(pipeline.notes[0].what.contains(".github/workflows/b.yml:2:1"), "{:?}", pipeline.notes);
}

#[test]
fn local_actions_are_followed_with_the_callers_values() {
    let workflow = "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: ./.github/actions/login\n\
                    \x20       with:\n          key: ${{ secrets.K }}\n";
    let action = "name: login\ninputs: {key: {}, region: {default: eu}}\nruns:\n  using: composite\n  steps:\n\
                  \x20   - run: aws configure set x '${{ inputs.key }}' ${{ inputs.region }}\n      shell: bash\n\
                  \x20     env:\n        AWS_SECRET_ACCESS_KEY: ${{ inputs.key }}\n    - uses: ./.github/actions/login\n";
    let files = [(".github/workflows/w.yml", workflow), (".github/actions/login/action.yml", action)];
    let pipeline = read_in(".github/workflows/w.yml", &files);
    let steps = &pipeline.jobs[0].steps;
    assert_eq!(steps.len(), 3);
    assert_eq!(steps[1].via[0].as_str(), "./.github/actions/login");
    let key = &steps[1].env[0];
    assert_eq!((key.value.as_str(), key.value.place.line), ("${{ secrets.K }}", 8));
    assert_eq!(&*key.name.place.file, ".github/actions/login/action.yml");
    assert_eq!(steps[1].scripts[0].as_str(), "aws configure set x '${{ secrets.K }}' eu");
    assert!(pipeline.notes[0].what.ends_with("it uses itself"));
    let action = read_in(".github/actions/login/action.yml", &files);
    assert_eq!((action.role, action.jobs[0].steps.len()), (Role::Action, 4));
}

#[test]
fn images_matrices_and_services() {
    let pipeline = read(
        "on: push\njobs:\n  a:\n    runs-on: ${{ matrix.os }}\n    strategy: {matrix: {os: [ubuntu-24.04, macos-15], key: [A, B]}}\n\
         \x20   container: {image: ghcr.io/x, credentials: {username: u, password: '${{ secrets.P }}'}}\n\
         \x20   services: {db: {image: postgres}}\n    needs: [b]\n  b: {runs-on: big-machine}\n  c: {runs-on: {group: ours}}\n  d: 1\n",
    );
    let [a, b, c] = &pipeline.jobs[..] else { panic!() };
    assert_eq!(a.runner, Runner::Hosted);
    assert_eq!(a.images.len(), 2);
    assert_eq!(a.images[0].credentials[1].value.as_str(), "${{ secrets.P }}");
    assert_eq!(a.matrix[1].1.len(), 2);
    assert_eq!(a.needs[0].as_str(), "b");
    assert_eq!(b.runner, Runner::Unknown);
    assert!(matches!(c.runner, Runner::SelfHosted(_)));
    assert_eq!(pipeline.notes[0].what, "job `d` is not a mapping");
}
