//! Bitbucket Pipelines: a step is a job, its pipes and scripts are the job's steps.

use std::sync::Arc;

use daypass_issuers::ValueSet;

use crate::condition::glob;
use crate::yaml::{Node, Pair};
use crate::{
    Condition, Environment, Fact, IdToken, Image, Job, Pipeline, Platform, Role, Runner, Scope, Step, Text,
    TokenRequest, Trigger, Uses, Variable, Who,
};

/// Reads `bitbucket-pipelines.yml`.
pub(crate) fn read(file: &Arc<str>, document: &Node) -> Pipeline {
    let mut jobs = Vec::new();
    for (kind, pair) in document.get("pipelines").map(Node::entries).unwrap_or_default() {
        let node = &pair.value;
        let event = |name: &str| Condition::is(Fact::Event, name);
        let reader = |condition: Condition| Reader { document, condition, stage: None };
        match kind.as_str() {
            // The default pipeline runs on branches that no other pattern fits, which takes nothing from what it could.
            "default" => {
                reader(event("push").and(Condition::Is(Fact::Branch, ValueSet::Any))).items(node, &mut jobs);
            }
            "branches" | "tags" | "pull-requests" => {
                for (pattern, pair) in node.entries() {
                    let set = glob(pattern.as_str());
                    let condition = match kind.as_str() {
                        "branches" => event("push").and(Condition::Is(Fact::Branch, set)),
                        "tags" => event("push").and(Condition::Is(Fact::Tag, set)),
                        _ => event("pull-request"),
                    };
                    reader(condition).items(&pair.value, &mut jobs);
                }
            }
            "custom" => {
                for (_, pair) in node.entries() {
                    reader(event("custom")).items(&pair.value, &mut jobs);
                }
            }
            _ => {}
        }
    }
    let trigger = |event: &str, who: Who| Trigger {
        event: Text::plain(event, document.place.clone()),
        who,
        branches: ValueSet::Any,
        tags: if who == Who::PullRequest { ValueSet::none() } else { ValueSet::Any },
        types: Vec::new(),
        paths: false,
    };
    Pipeline {
        platform: Platform::Bitbucket,
        file: Arc::clone(file),
        role: Role::Pipeline,
        name: None,
        triggers: vec![
            trigger("push", Who::Writer),
            trigger("pull-request", Who::PullRequest),
            trigger("custom", Who::Person),
        ],
        env: Vec::new(),
        permissions: None,
        jobs,
        notes: Vec::new(),
    }
}

/// The steps of one pipeline, with what they share.
struct Reader<'d> {
    document: &'d Node,
    condition: Condition,
    stage: Option<&'d Node>,
}

impl<'d> Reader<'d> {
    fn items(&self, list: &'d Node, jobs: &mut Vec<Job>) {
        for item in list.items() {
            for (kind, pair) in item.entries() {
                match kind.as_str() {
                    "step" => jobs.push(self.job(pair, jobs.len())),
                    "parallel" => self.items(pair.value.get("steps").unwrap_or(&pair.value), jobs),
                    "stage" => {
                        let inner =
                            Reader { stage: Some(&pair.value), condition: self.condition.clone(), ..*self };
                        if let Some(steps) = pair.value.get("steps") {
                            inner.items(steps, jobs);
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    fn job(&self, pair: &Pair, index: usize) -> Job {
        let node = &pair.value;
        let name = node.get("name").and_then(Node::text);
        let unnamed = || Text::plain(format!("step {}", index.saturating_add(1)), pair.key.place.clone());
        let deployment =
            node.get("deployment").or_else(|| self.stage.and_then(|stage| stage.get("deployment")));
        let (id_token, requests) = self.id_token(node);
        let options = self.document.get("options");
        let condition = node.get("condition").or_else(|| self.stage.and_then(|stage| stage.get("condition")));
        let condition =
            condition.map_or(Condition::Always, |_| Condition::Unknown("changes of files".into()));
        Job {
            id: name.cloned().unwrap_or_else(unnamed),
            name: None,
            place: pair.place(),
            via: Vec::new(),
            condition: self.condition.clone().and(condition),
            environment: deployment.and_then(Node::text).map(|name| Environment {
                name: name.clone(),
                names: ValueSet::exactly(name.as_str()),
                action: None,
            }),
            contexts: Vec::new(),
            id_token,
            permissions: None,
            requests,
            calls: None,
            defined_in: None,
            steps: steps(node),
            env: Vec::new(),
            runner: runner(
                node.get("runs-on").or_else(|| options.and_then(|options| options.get("runs-on"))),
            ),
            images: self.images(node),
            needs: Vec::new(),
            matrix: Vec::new(),
        }
    }

    /// `oidc: true`, or a mapping with audiences, of the step or of all (`options`).
    fn id_token(&self, node: &Node) -> (IdToken, Vec<TokenRequest>) {
        let shared = self.document.get("options").and_then(|options| options.pair("oidc"));
        let own = node.pair("oidc");
        let Some(said) = own.or(shared) else { return (IdToken::Denied(None), Vec::new()) };
        if said.value.as_bool() == Some(false) {
            return (IdToken::Denied(Some(said.place())), Vec::new());
        }
        // Audiences of the options hold for steps that only say yes.
        let audiences =
            said.value.get("audiences").or_else(|| shared.and_then(|pair| pair.value.get("audiences")));
        let audiences = audiences.map(Node::one_or_more).unwrap_or_default().iter().filter_map(Node::text);
        let request = TokenRequest {
            variable: Some(Text::plain("BITBUCKET_STEP_OIDC_TOKEN", said.key.place.clone())),
            audiences: audiences.cloned().collect(),
            place: said.place(),
        };
        (IdToken::Granted { place: said.place(), by_default: own.is_none() }, vec![request])
    }

    /// The image of the step, else of the file, and those of its services.
    fn images(&self, node: &Node) -> Vec<Image> {
        let defined = self.document.get("definitions").and_then(|definitions| definitions.get("services"));
        let services = node.get("services").map(Node::one_or_more).unwrap_or_default().iter();
        let services = services.filter_map(|service| defined?.get(service.as_str()?)?.get("image"));
        let image = node.get("image").or_else(|| self.document.get("image"));
        let images = image.into_iter().chain(services).filter_map(|image| {
            let mut credentials = variables(image, &["username", "password", "email"]);
            if let Some(aws) = image.get("aws") {
                credentials.extend(variables(aws, &["access-key", "secret-key", "oidc-role"]));
            }
            let name = image.get("name").unwrap_or(image).text()?.clone();
            Some(Image { name, credentials })
        });
        images.collect()
    }
}

fn variables(node: &Node, names: &[&str]) -> Vec<Variable> {
    let entries = node.entries().into_iter().filter(|(name, _)| names.contains(&name.as_str()));
    let variables = entries.filter_map(|(name, pair)| {
        Some(Variable { name: name.clone(), value: pair.value.text()?.clone(), scope: Scope::Job })
    });
    variables.collect()
}

fn runner(node: Option<&Node>) -> Runner {
    let labels = node.map(Node::one_or_more).unwrap_or_default();
    let own = labels.iter().filter_map(Node::text).find(|label| label.as_str().starts_with("self.hosted"));
    own.map_or(Runner::Hosted, |label| Runner::SelfHosted(label.clone()))
}

/// The commands before, between and after pipes are a step each.
fn steps(node: &Node) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for key in ["script", "after-script"] {
        let mut fresh = true;
        for item in node.get(key).map(Node::one_or_more).unwrap_or_default() {
            if let Some(text) = item.text() {
                match steps.last_mut().filter(|step| !fresh && step.uses.is_none()) {
                    Some(step) => step.scripts.push(text.clone()),
                    None => steps.push(Step { scripts: vec![text.clone()], ..step(item) }),
                }
                fresh = false;
                continue;
            }
            if let Some(pipe) = item.get("pipe").and_then(Node::text) {
                steps.push(pipe_step(item, pipe));
            }
        }
    }
    steps
}

fn pipe_step(item: &Node, pipe: &Text) -> Step {
    let written = pipe.as_str().strip_prefix("docker://").unwrap_or(pipe.as_str());
    let (name, version) = match written.rsplit_once(':') {
        Some((name, version)) => (name, Some(version.to_owned())),
        None => (written, None),
    };
    let inputs = item.get("variables").map(Node::entries).unwrap_or_default().into_iter();
    let inputs = inputs.filter_map(|(name, pair)| {
        Some(Variable { name: name.clone(), value: pair.value.text()?.clone(), scope: Scope::Step })
    });
    Step {
        name: item.get("name").and_then(Node::text).cloned(),
        uses: Some(Uses { text: pipe.clone(), name: name.to_ascii_lowercase(), version }),
        inputs: inputs.collect(),
        ..step(item)
    }
}

fn step(node: &Node) -> Step {
    Step {
        name: None,
        place: node.use_place().clone(),
        uses: None,
        inputs: Vec::new(),
        scripts: Vec::new(),
        env: Vec::new(),
        condition: Condition::Always,
        via: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::{IdToken, NoTree, Pipeline, RepositoryFacts, Runner, mintable};

    fn read(text: &str) -> Pipeline {
        crate::read("bitbucket-pipelines.yml", text.as_bytes(), &NoTree).unwrap()
    }

    #[test]
    fn steps_pipes_and_services() {
        let pipeline = read(
            "image: {name: acme/build, username: $U, password: $P}\noptions: {oidc: {audiences: [api]}}\n\
             definitions:\n  services: {db: {image: {name: x, aws: {access-key: $A, secret-key: $B}}}}\n  steps:\n    - step: &deploy\n        name: Deploy\n        services: [db]\n        script: [make, make it, {pipe: 'atlassian/aws-s3-deploy:1.6.0', variables: {S3_BUCKET: b}}, done]\n        after-script: [clean]\n\
             pipelines:\n  default: [{parallel: [{step: {script: [x], oidc: false}}, {step: *deploy}]}]\n  branches:\n    main:\n      - stage: {name: s, deployment: production, steps: [{step: {<<: *deploy, runs-on: [self.hosted, linux], oidc: true}}]}\n",
        );
        let [first, plain, staged] = &pipeline.jobs[..] else { panic!("{:?}", pipeline.jobs) };
        assert_eq!(first.id.as_str(), "step 1");
        assert!(matches!(first.id_token, IdToken::Denied(Some(_))));
        assert!(matches!(plain.id_token, IdToken::Granted { by_default: true, .. }));
        assert_eq!(plain.steps.len(), 4);
        assert_eq!(plain.steps[0].scripts.len(), 2);
        let uses = plain.steps[1].uses.as_ref().unwrap();
        assert_eq!((uses.name.as_str(), uses.major()), ("atlassian/aws-s3-deploy", Some(1)));
        assert_eq!(plain.images[0].credentials.len(), 2);
        assert_eq!(plain.images[1].credentials[1].value.as_str(), "$B");
        assert_eq!(staged.environment.as_ref().unwrap().name.as_str(), "production");
        assert!(matches!(staged.runner, Runner::SelfHosted(_)));
        assert_eq!(staged.requests[0].audiences[0].as_str(), "api");
    }

    #[test]
    fn the_pipeline_decides_the_branch() {
        let pipeline = read(
            "pipelines:\n  branches: {'release/*': [{step: {oidc: true, deployment: prod, script: [x]}}]}\n\
             \x20 pull-requests: {'**': [{step: {oidc: true, script: [y]}}]}\n  custom: {go: [{step: {oidc: true, script: [z]}}]}\n  tags: {v1: [{step: {oidc: true, script: [t]}}]}\n",
        );
        let facts = RepositoryFacts {
            ids: [("prod".to_owned(), "{33}".to_owned())].into(),
            ..RepositoryFacts::default()
        };
        let tokens = mintable(&pipeline, &facts);
        let shown: Vec<String> = tokens
            .iter()
            .map(|token| {
                let claim = |name: &str| token.claims.get(name).map_or("-".to_owned(), ToString::to_string);
                format!("{} {} {}", token.trigger, claim("branchName"), claim("deploymentEnvironmentUuid"))
            })
            .collect();
        assert_eq!(
            shown,
            [
                "push like `release/*` `{33}`",
                "pull-request any absent",
                "custom any absent",
                "custom absent absent",
                "push absent absent",
            ]
        );
    }
}
