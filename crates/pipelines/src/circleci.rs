//! CircleCI 2 and 2.1: jobs as workflows run them, with commands, executors and parameters written out.
//!
//! Orbs are named with their version and not read, except those that the file holds itself. A configuration that sets
//! up another one at run time is noted.

use std::collections::BTreeMap;
use std::sync::Arc;

use daypass_issuers::ValueSet;

use crate::condition::pattern;
use crate::yaml::{Node, Pair};
use crate::{
    Condition, Fact, IdToken, Image, Job, Note, Pipeline, Platform, Role, Runner, Scope, Step, Text, Trigger,
    Uses, Variable, Who,
};

/// Commands within commands.
const COMMANDS: usize = 16;
/// Steps that one job may come to, commands written out.
const STEPS: usize = 5_000;

/// Reads a configuration.
pub(crate) fn read(file: &Arc<str>, document: &Node) -> Pipeline {
    let mut reader = Reader { root: document, orbs: orbs(document), notes: Vec::new() };
    if document.get("setup").and_then(Node::as_bool) == Some(true) {
        let what = "this file sets another configuration up, which only a run shows".to_owned();
        reader.notes.push(Note { place: document.place.clone(), what });
    }
    let jobs = reader.jobs();
    let mut triggers = vec![trigger("push", Who::Writer, document)];
    if reader.workflows().any(|(_, pair)| pair.value.get("triggers").is_some()) {
        triggers.push(trigger("schedule", Who::Clock, document));
    }
    Pipeline {
        platform: Platform::CircleCi,
        file: Arc::clone(file),
        role: if document.get("jobs").is_none() && document.get("workflows").is_none() {
            Role::Action
        } else {
            Role::Pipeline
        },
        name: None,
        triggers,
        env: Vec::new(),
        permissions: None,
        jobs,
        notes: reader.notes,
    }
}

fn trigger(event: &str, who: Who, document: &Node) -> Trigger {
    Trigger {
        event: Text::plain(event, document.place.clone()),
        who,
        branches: ValueSet::Any,
        tags: if who == Who::Clock { ValueSet::none() } else { ValueSet::Any },
        types: Vec::new(),
        paths: false,
    }
}

/// The orbs by the name they have in the file: `aws-cli` is `circleci/aws-cli@5.1`.
fn orbs(document: &Node) -> BTreeMap<&str, &Text> {
    let entries = document.get("orbs").map(Node::entries).unwrap_or_default().into_iter();
    entries.filter_map(|(name, pair)| Some((name.as_str(), pair.value.text()?))).collect()
}

/// What parameters are given, by name.
type Arguments = BTreeMap<String, Text>;

struct Reader<'d> {
    root: &'d Node,
    orbs: BTreeMap<&'d str, &'d Text>,
    notes: Vec<Note>,
}

impl<'d> Reader<'d> {
    fn workflows(&self) -> impl Iterator<Item = (&'d Text, &'d Pair)> + use<'d> {
        let entries = self.root.get("workflows").map(Node::entries).unwrap_or_default().into_iter();
        entries.filter(|(_, pair)| pair.value.is_mapping())
    }

    /// One job for each use in a workflow; jobs that none uses come last and never run.
    fn jobs(&mut self) -> Vec<Job> {
        let mut jobs = Vec::new();
        let mut used = Vec::new();
        for (workflow, pair) in self.workflows() {
            let scheduled = pair.value.get("triggers").is_some();
            let event = Condition::is(Fact::Event, if scheduled { "schedule" } else { "push" });
            let mut runs = event;
            for key in ["when", "unless"] {
                if pair.value.get(key).is_some() {
                    runs = runs.and(Condition::Unknown(format!("`{key}` of workflow `{workflow}`").into()));
                }
            }
            for schedule in pair.value.get("triggers").map(Node::items).unwrap_or_default() {
                let filters = schedule.get("schedule").and_then(|schedule| schedule.get("filters"));
                runs = runs.and(filtered(filters));
            }
            for item in pair.value.get("jobs").map(Node::items).unwrap_or_default() {
                let (name, usage) = match (item.text(), item.entries().first()) {
                    (Some(name), _) => (name, None),
                    (None, Some((name, pair))) => (*name, Some(&pair.value)),
                    (None, None) => continue,
                };
                used.push(name.as_str());
                jobs.extend(self.used(name, usage, &runs));
            }
        }
        let anywhere = self.root.get("workflows").is_some();
        for (name, pair) in self.root.get("jobs").map(Node::entries).unwrap_or_default() {
            if used.contains(&name.as_str()) || !pair.value.is_mapping() {
                continue;
            }
            // Version 2 runs the job `build` where there are no workflows.
            let runs =
                if anywhere || name.as_str() != "build" { Condition::Never } else { Condition::Always };
            let job = self.job(name, pair.place(), &pair.value, None, runs);
            jobs.push(job);
        }
        jobs
    }

    fn used(&mut self, name: &'d Text, usage: Option<&'d Node>, runs: &Condition) -> Option<Job> {
        if usage.and_then(|usage| usage.get("type")).and_then(Node::as_str) == Some("approval") {
            return None;
        }
        let filters = usage.and_then(|usage| usage.get("filters"));
        let runs = runs.clone().and(filtered(filters));
        let defined = self.root.get("jobs").and_then(|jobs| jobs.pair(name.as_str()));
        if let Some(pair) = defined {
            return Some(self.job(name, pair.place(), &pair.value, usage, runs));
        }
        // A job of an orb is one step that the orb defines.
        let uses = self.uses(name);
        let place = name.place.clone();
        let mut job = self.job(name, place.clone(), &Node::mapping(Vec::new(), place), usage, runs);
        let keywords =
            ["context", "filters", "requires", "name", "type", "matrix", "pre-steps", "post-steps"];
        let inputs = usage.map(Node::entries).unwrap_or_default().into_iter();
        let inputs = inputs.filter(|(name, _)| !keywords.contains(&name.as_str()));
        let step = Step { inputs: values(inputs, Scope::Step), uses: Some(uses), ..step(name) };
        let before = usage.and_then(|usage| usage.get("pre-steps")).map_or(0, |steps| steps.items().len());
        let after = job.steps.split_off(before.min(job.steps.len()));
        self.passed_steps(usage, &Arguments::default(), &mut Vec::new(), &mut job.steps);
        job.steps.push(step);
        job.steps.extend(after);
        Some(job)
    }

    fn job(
        &mut self,
        name: &Text,
        place: crate::Place,
        node: &Node,
        usage: Option<&Node>,
        condition: Condition,
    ) -> Job {
        let usage_text = |key: &str| usage.and_then(|usage| usage.get(key)).and_then(Node::text);
        let mut arguments = defaults(node);
        for (name, pair) in usage.map(Node::entries).unwrap_or_default() {
            if let Some(text) = pair.value.text() {
                arguments.insert(name.as_str().to_owned(), text.clone());
            }
        }
        let matrix = matrix(usage);
        for (name, values) in &matrix {
            if let [only] = values.as_slice() {
                arguments.insert(name.as_str().to_owned(), only.clone());
            }
        }
        let mut steps = Vec::new();
        let around = |key: &str| usage.and_then(|usage| usage.get(key));
        for list in [around("pre-steps"), node.get("steps"), around("post-steps")].into_iter().flatten() {
            self.steps(list, &arguments, &mut Vec::new(), &mut steps);
        }
        let executor = self.executor(node, &arguments);
        let mut env =
            values(executor.map(Node::entries_of_environment).unwrap_or_default().into_iter(), Scope::Job);
        env.extend(values(node.entries_of_environment().into_iter(), Scope::Job));
        let images = [Some(node), executor].into_iter().flatten().flat_map(|node| images(node, &arguments));
        Job {
            id: usage_text("name").unwrap_or(name).clone(),
            name: usage_text("name").map(|_| name.clone()),
            via: Vec::new(),
            condition,
            environment: None,
            contexts: contexts(usage),
            id_token: IdToken::Always,
            permissions: None,
            requests: requests(&steps),
            calls: None,
            defined_in: None,
            images: images.collect(),
            runner: runner(node, executor, &arguments),
            needs: usage.and_then(|usage| usage.get("requires")).map(texts).unwrap_or_default(),
            steps,
            env,
            matrix,
            place,
        }
    }

    /// Whether the file has a command of that name.
    fn defines(&self, name: &Text) -> bool {
        self.root.get("commands").is_some_and(|commands| commands.get(name.as_str()).is_some())
    }

    /// The executor that a job names, if the file defines it.
    fn executor(&self, job: &Node, arguments: &Arguments) -> Option<&'d Node> {
        let named = job.get("executor")?;
        let name = named.get("name").unwrap_or(named).text()?;
        let name = filled(name, arguments);
        self.root.get("executors").and_then(|executors| executors.get(name.as_str()))
    }

    fn steps(&mut self, list: &Node, arguments: &Arguments, path: &mut Vec<Text>, steps: &mut Vec<Step>) {
        for item in list.items() {
            if steps.len() >= STEPS {
                return;
            }
            if let Some(name) = item.text() {
                self.command(name, None, arguments, path, steps);
                continue;
            }
            for (name, pair) in item.entries() {
                match name.as_str() {
                    "run" => steps.push(run(&pair.value, arguments, path)),
                    // An old word for `run` in jobs that deploy.
                    "deploy" if pair.value.get("command").is_some() && !self.defines(name) => {
                        steps.push(run(&pair.value, arguments, path));
                    }
                    "when" | "unless" => {
                        let at = steps.len();
                        if let Some(inner) = pair.value.get("steps") {
                            self.steps(inner, arguments, path, steps);
                        }
                        for step in steps.iter_mut().skip(at) {
                            let condition = Condition::Unknown(format!("`{name}` of steps").into());
                            step.condition =
                                std::mem::replace(&mut step.condition, Condition::Always).and(condition);
                        }
                    }
                    _ => self.command(name, Some(&pair.value), arguments, path, steps),
                }
            }
        }
    }

    /// Steps that an orb's job or command is handed to run: `auth: [aws-cli/setup: {role_arn: ...}]`.
    fn passed_steps(
        &mut self,
        given: Option<&Node>,
        arguments: &Arguments,
        path: &mut Vec<Text>,
        steps: &mut Vec<Step>,
    ) {
        let around = ["pre-steps", "post-steps", "context", "requires"];
        let is_step = |item: &Node| {
            let name = item.as_str().or_else(|| Some(item.entries().first()?.0.as_str()));
            name.is_some_and(|name| name == "run" || name.contains('/'))
        };
        for (name, pair) in given.map(Node::entries).unwrap_or_default() {
            if !around.contains(&name.as_str()) && pair.value.items().iter().any(is_step) {
                self.steps(&pair.value, arguments, path, steps);
            }
        }
    }

    /// A step that is a command: the file's own is written out, an orb's or a built-in one is named.
    fn command(
        &mut self,
        name: &Text,
        given_node: Option<&Node>,
        outer: &Arguments,
        path: &mut Vec<Text>,
        steps: &mut Vec<Step>,
    ) {
        let defined = self.root.get("commands").and_then(|commands| commands.get(name.as_str()));
        let entries = given_node.map(Node::entries).unwrap_or_default();
        let given: Vec<Variable> = values(entries.into_iter(), Scope::Step)
            .into_iter()
            .map(|one| Variable { value: filled(&one.value, outer), ..one })
            .collect();
        let Some(defined) = defined else {
            let uses = Some(self.uses(name));
            self.passed_steps(given_node, outer, path, steps);
            steps.push(Step { uses, inputs: given, via: path.clone(), ..step(name) });
            return;
        };
        if path.len() >= COMMANDS || path.iter().any(|one| one.value == name.value) {
            let what = format!("command `{name}` was not followed: it uses itself");
            self.notes.push(Note { place: name.place.clone(), what });
            return;
        }
        let mut arguments = defaults(defined);
        arguments.extend(given.into_iter().map(|one| (one.name.as_str().to_owned(), one.value)));
        path.push(name.clone());
        if let Some(inner) = defined.get("steps") {
            self.steps(inner, &arguments, path, steps);
        }
        path.pop();
    }

    /// `aws-cli/setup` is `circleci/aws-cli/setup` in the version that the file names.
    fn uses(&self, name: &Text) -> Uses {
        let orb =
            name.as_str().split_once('/').and_then(|(orb, command)| Some((self.orbs.get(orb)?, command)));
        match orb {
            Some((orb, command)) => {
                let (full, version) = match orb.as_str().split_once('@') {
                    Some((full, version)) => (full, Some(version.to_owned())),
                    None => (orb.as_str(), None),
                };
                Uses { text: name.clone(), name: format!("{full}/{command}").to_ascii_lowercase(), version }
            }
            None => Uses { text: name.clone(), name: name.as_str().to_ascii_lowercase(), version: None },
        }
    }
}

impl Node {
    /// `environment`, a mapping or, in old files, a list of mappings.
    fn entries_of_environment(&self) -> Vec<(&Text, &Pair)> {
        let Some(environment) = self.get("environment") else { return Vec::new() };
        if environment.is_mapping() {
            return environment.entries();
        }
        environment.items().iter().flat_map(Self::entries).collect()
    }
}

fn step(name: &Text) -> Step {
    Step {
        name: Some(name.clone()),
        place: name.place.clone(),
        uses: None,
        inputs: Vec::new(),
        scripts: Vec::new(),
        env: Vec::new(),
        condition: Condition::Always,
        via: Vec::new(),
    }
}

fn run(node: &Node, arguments: &Arguments, path: &[Text]) -> Step {
    let script = node.text().or_else(|| node.get("command").and_then(Node::text));
    let name = node.get("name").and_then(Node::text);
    let env = values(node.entries_of_environment().into_iter(), Scope::Step);
    Step {
        name: name.cloned(),
        place: node.use_place().clone(),
        uses: None,
        inputs: Vec::new(),
        scripts: script.map(|script| filled(script, arguments)).into_iter().collect(),
        env: env.into_iter().map(|one| Variable { value: filled(&one.value, arguments), ..one }).collect(),
        condition: Condition::Always,
        via: path.to_vec(),
    }
}

fn values<'n>(entries: impl Iterator<Item = (&'n Text, &'n Pair)>, scope: Scope) -> Vec<Variable> {
    let values = entries.filter_map(|(name, pair)| {
        Some(Variable { name: name.clone(), value: pair.value.text()?.clone(), scope })
    });
    values.collect()
}

fn texts(node: &Node) -> Vec<Text> {
    node.one_or_more().iter().filter_map(Node::text).cloned().collect()
}

fn contexts(usage: Option<&Node>) -> Vec<Text> {
    let contexts = usage.and_then(|usage| usage.get("context")).map(Node::one_or_more).unwrap_or_default();
    contexts
        .iter()
        .filter_map(|context| context.text().or_else(|| context.get("name").and_then(Node::text)))
        .cloned()
        .collect()
}

/// The defaults of a job's or command's parameters.
fn defaults(node: &Node) -> Arguments {
    let entries = node.get("parameters").map(Node::entries).unwrap_or_default().into_iter();
    let defaults = entries.filter_map(|(name, pair)| {
        Some((name.as_str().to_owned(), pair.value.get("default")?.text()?.clone()))
    });
    defaults.collect()
}

/// Puts arguments in place of `<< parameters.X >>`. A text that is nothing else becomes the argument, place and all.
fn filled(text: &Text, arguments: &Arguments) -> Text {
    let inner = |part: &str| part.trim().strip_prefix("parameters.").map(|name| name.trim().to_owned());
    let whole = text.as_str().trim().strip_prefix("<<").and_then(|rest| rest.strip_suffix(">>"));
    if let Some(value) = whole.and_then(inner).and_then(|name| arguments.get(&name)) {
        return value.clone();
    }
    let mut parts = text.as_str().split("<<");
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let found =
            part.split_once(">>").and_then(|(name, rest)| Some((arguments.get(&inner(name)?)?, rest)));
        match found {
            Some((value, rest)) => {
                result.push_str(value.as_str());
                result.push_str(rest);
            }
            None => {
                result.push_str("<<");
                result.push_str(part);
            }
        }
    }
    Text { value: Arc::from(result), ..text.clone() }
}

fn matrix(usage: Option<&Node>) -> Vec<(Text, Vec<Text>)> {
    let parameters = usage.and_then(|usage| usage.get("matrix")).and_then(|matrix| matrix.get("parameters"));
    let entries = parameters.map(Node::entries).unwrap_or_default().into_iter();
    entries.map(|(name, pair)| (name.clone(), texts(&pair.value))).collect()
}

/// The condition that filters state. Without any a job runs on every branch and on no tag.
fn filtered(filters: Option<&Node>) -> Condition {
    let list = |kind: &str, key: &str| {
        let found = filters.and_then(|filters| filters.get(kind)).and_then(|filters| filters.get(key));
        found.map(|node| {
            let patterns = node.one_or_more().iter().filter_map(Node::as_str).map(one_or_expression);
            patterns.fold(ValueSet::none(), ValueSet::or)
        })
    };
    let set = |kind: &str| match (list(kind, "only"), list(kind, "ignore")) {
        (Some(only), Some(ignore)) => Some(only.and(ignore.complement())),
        (Some(only), None) => Some(only),
        (None, Some(ignore)) => Some(ignore.complement()),
        (None, None) => None,
    };
    let branches = Condition::Is(Fact::Branch, set("branches").unwrap_or(ValueSet::Any));
    match set("tags") {
        Some(tags) => branches.or(Condition::Is(Fact::Tag, tags)),
        None => branches,
    }
}

/// A name, or `/expression/` over the whole of it.
fn one_or_expression(text: &str) -> ValueSet {
    match text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
        Some(regex) => {
            let regex = regex.strip_prefix('^').unwrap_or(regex);
            let regex = regex.strip_suffix('$').filter(|rest| !rest.ends_with('\\')).unwrap_or(regex);
            if regex == ".*" { ValueSet::Any } else { pattern(text, regex) }
        }
        None => ValueSet::exactly(text),
    }
}

fn images(node: &Node, arguments: &Arguments) -> Vec<Image> {
    let images = node.get("docker").map(Node::items).unwrap_or_default().iter().filter_map(|image| {
        let credentials = ["auth", "aws_auth"].into_iter().filter_map(|key| image.get(key));
        let credentials = credentials.flat_map(|node| values(node.entries().into_iter(), Scope::Job));
        Some(Image {
            name: filled(image.get("image")?.text()?, arguments),
            credentials: credentials
                .map(|one| Variable { value: filled(&one.value, arguments), ..one })
                .collect(),
        })
    });
    images.collect()
}

/// A resource class of one's own is written with the namespace in front.
fn runner(node: &Node, executor: Option<&Node>, arguments: &Arguments) -> Runner {
    let class = [Some(node), executor].into_iter().flatten().find_map(|node| node.get("resource_class"));
    match class.and_then(Node::text).map(|text| filled(text, arguments)) {
        Some(class) if class.as_str().contains('/') => Runner::SelfHosted(class),
        Some(class) if class.as_str().contains("<<") => Runner::Unknown,
        _ => Runner::Hosted,
    }
}

/// Tokens for an audience of one's own: `circleci run oidc get --claims '{"aud": "X"}'`.
fn requests(steps: &[Step]) -> Vec<crate::TokenRequest> {
    let mut found = Vec::new();
    for script in steps.iter().flat_map(|step| &step.scripts) {
        let Some(at) = script.as_str().find("run oidc get") else { continue };
        let after = script.as_str().get(at..).unwrap_or_default();
        let audience = after.split_once("\"aud\"").and_then(|(_, rest)| rest.split('"').nth(1));
        let mut place = script.place.clone();
        place.line = script.line_of(at);
        let audiences = audience.map(|text| Text::plain(text, place.clone())).into_iter().collect();
        found.push(crate::TokenRequest { variable: None, audiences, place });
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::{NoTree, Pipeline, RepositoryFacts, Runner, mintable};

    fn read(text: &str) -> Pipeline {
        crate::read(".circleci/config.yml", text.as_bytes(), &NoTree).unwrap()
    }

    #[test]
    fn jobs_are_what_workflows_make_of_them() {
        let pipeline = read(
            "version: 2.1\norbs: {aws: circleci/aws-cli@5.1.0}\n\
             executors: {small: {docker: [{image: 'cimg/base:<< parameters.tag >>', auth: {username: u, password: $P}}], environment: {E: executor}}}\n\
             commands:\n  login:\n    parameters: {role: {type: string, default: none}}\n    steps:\n      - aws/setup: {role_arn: << parameters.role >>}\n      - run: echo << parameters.role >>\n\
             jobs:\n  deploy:\n    parameters: {target: {type: string}, tag: {type: string, default: '1'}}\n    executor: small\n    environment: {E: job}\n    steps: [checkout, {login: {role: << parameters.target >>}}, {when: {condition: x, steps: [{run: {name: maybe, command: make}}]}}]\n\
             \x20 unused: {machine: true, resource_class: acme/big, steps: [{run: x}]}\n\
             workflows:\n  main:\n    jobs:\n      - hold: {type: approval}\n      - deploy: {name: to-prod, target: arn, context: [prod, {name: shared}], requires: [hold], filters: {branches: {only: main}}}\n      - aws/job: {role: x, context: c}\n",
        );
        let [deploy, orb, unused] = &pipeline.jobs[..] else { panic!("{:?}", pipeline.jobs) };
        assert_eq!(deploy.id.as_str(), "to-prod");
        assert_eq!(deploy.contexts.len(), 2);
        assert_eq!(deploy.env.iter().map(|one| one.value.as_str()).collect::<Vec<_>>(), ["executor", "job"]);
        assert_eq!(deploy.images[0].name.as_str(), "cimg/base:1");
        assert_eq!(deploy.images[0].credentials[1].value.as_str(), "$P");
        let setup = deploy.steps_using("circleci/aws-cli/setup").next().unwrap();
        assert_eq!(setup.uses.as_ref().unwrap().major(), Some(5));
        assert_eq!((setup.input("role_arn").unwrap().as_str(), setup.via[0].as_str()), ("arn", "login"));
        assert_eq!(deploy.steps[2].scripts[0].as_str(), "echo arn");
        assert_ne!(deploy.steps[3].condition, crate::Condition::Always);
        assert_eq!(orb.steps[0].uses.as_ref().unwrap().name, "circleci/aws-cli/job");
        assert_eq!(orb.steps[0].inputs.len(), 1);
        assert!(matches!(&unused.runner, Runner::SelfHosted(_)));
        assert_eq!(unused.condition, crate::Condition::Never);
    }

    #[test]
    fn filters_decide_the_refs() {
        let refs = |filters: &str| {
            let text = format!(
                "version: 2.1\njobs: {{d: {{docker: [], steps: []}}}}\nworkflows: {{w: {{jobs: [{{d: {{context: c, filters: {filters}}}}}]}}}}\n"
            );
            let facts = RepositoryFacts {
                ids: [("c".to_owned(), "22".to_owned())].into(),
                ..RepositoryFacts::default()
            };
            let tokens = mintable(&read(&text), &facts);
            tokens
                .iter()
                .map(|token| {
                    assert_eq!(token.claims["oidc.circleci.com/context-ids"].to_string(), "`22`");
                    token.claims["oidc.circleci.com/vcs-ref"].to_string()
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(refs("{branches: {only: main}}"), ["`refs/heads/main`"]);
        assert_eq!(refs("{}"), ["like `refs/heads/*`"]);
        assert_eq!(
            refs("{branches: {ignore: /.*/}, tags: {only: /^v.*$/}}"),
            ["like `refs/tags/*` and like `refs/tags//^v.*$/`"]
        );
    }

    #[test]
    fn commands_that_use_themselves_and_setups_are_noted() {
        let pipeline = read(
            "version: 2.1\nsetup: true\ncommands: {a: {steps: [b]}, b: {steps: [a]}}\njobs: {build: {steps: [a]}}\n",
        );
        let notes: Vec<&str> = pipeline.notes.iter().map(|note| note.what.as_str()).collect();
        assert_eq!(
            notes,
            [
                "this file sets another configuration up, which only a run shows",
                "command `a` was not followed: it uses itself",
            ]
        );
        assert_eq!(pipeline.jobs[0].condition, crate::Condition::Always);
    }
}
