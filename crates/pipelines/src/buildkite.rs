//! Buildkite: command steps are jobs, their plugins and commands the jobs' steps.
//!
//! Agent hooks, and the secrets that agents hand to jobs, are on the agents' machines and not in any file here.

use std::sync::Arc;

use daypass_issuers::ValueSet;

use crate::condition::{DEFAULT_BRANCH, pattern, searched};
use crate::yaml::Node;
use crate::{
    Call, Condition, Fact, IdToken, Job, Note, Pipeline, Platform, Role, Runner, Scope, Step, Text,
    TokenRequest, Trigger, Uses, Variable, Who,
};

/// Groups within groups: Buildkite allows none, files of the future may.
const GROUPS: usize = 8;

/// Reads a pipeline, whose top may also be the list of steps itself.
pub(crate) fn read(file: &Arc<str>, document: &Node) -> Pipeline {
    let mut reader = Reader { jobs: Vec::new(), notes: Vec::new() };
    let list = document.get("steps").unwrap_or(document);
    reader.steps(list, &Condition::Always, 0);
    let trigger = |event: &str, who: Who| Trigger {
        event: Text::plain(event, document.place.clone()),
        who,
        branches: ValueSet::Any,
        tags: ValueSet::Any,
        types: Vec::new(),
        paths: false,
    };
    Pipeline {
        platform: Platform::Buildkite,
        file: Arc::clone(file),
        role: Role::Pipeline,
        name: document.get("name").and_then(Node::text).cloned(),
        triggers: vec![
            trigger("webhook", Who::Writer),
            trigger("ui", Who::Person),
            trigger("api", Who::Person),
            trigger("schedule", Who::Clock),
            trigger("trigger_job", Who::Follows),
        ],
        env: variables(document.get("env"), Scope::Pipeline),
        permissions: None,
        jobs: reader.jobs,
        notes: reader.notes,
    }
}

struct Reader {
    jobs: Vec<Job>,
    notes: Vec<Note>,
}

impl Reader {
    fn steps(&mut self, list: &Node, condition: &Condition, depth: usize) {
        for node in list.items() {
            let condition = condition.clone().and(runs(node));
            if node.get("group").is_some() && depth < GROUPS {
                if let Some(inner) = node.get("steps") {
                    self.steps(inner, &condition, depth.saturating_add(1));
                }
                continue;
            }
            // The long way to write a step: `- command: {command: make}`.
            let inner = node.get("command").filter(|command| command.is_mapping()).unwrap_or(node);
            let is_command =
                ["command", "commands", "plugins", "trigger"].iter().any(|key| inner.get(key).is_some());
            if !is_command {
                continue;
            }
            let job = self.job(inner, condition);
            let mut scripts = job.steps.iter().flat_map(|step| &step.scripts);
            let upload = scripts.find(|script| script.as_str().contains("pipeline upload"));
            if let Some(script) = upload {
                let what = "this command adds steps, which only a build shows".to_owned();
                self.notes.push(Note { place: script.place.clone(), what });
            }
            self.jobs.push(job);
        }
    }

    fn job(&self, node: &Node, condition: Condition) -> Job {
        let text = |key: &str| node.get(key).and_then(Node::text);
        let key = text("key").or_else(|| text("id")).or_else(|| text("identifier"));
        let label = text("label").or_else(|| text("name"));
        let unnamed =
            || Text::plain(format!("step {}", self.jobs.len().saturating_add(1)), node.place.clone());
        let steps = steps(node);
        Job {
            id: key.or(label).cloned().unwrap_or_else(unnamed),
            name: label.cloned(),
            place: node.use_place().clone(),
            via: Vec::new(),
            condition,
            environment: None,
            contexts: Vec::new(),
            id_token: IdToken::Always,
            permissions: None,
            requests: requests(&steps),
            calls: text("trigger").map(|target| Call {
                target: Uses {
                    text: target.clone(),
                    name: target.as_str().to_ascii_lowercase(),
                    version: None,
                },
                inputs: variables(node.get("build").and_then(|build| build.get("env")), Scope::Job),
                secrets: Vec::new(),
                inherits: None,
                followed: false,
            }),
            defined_in: None,
            steps,
            env: variables(node.get("env"), Scope::Job),
            runner: Runner::Unknown,
            images: Vec::new(),
            needs: node
                .get("depends_on")
                .map(Node::one_or_more)
                .unwrap_or_default()
                .iter()
                .filter_map(|need| need.get("step").unwrap_or(need).text())
                .cloned()
                .collect(),
            matrix: matrix(node),
        }
    }
}

fn variables(node: Option<&Node>, scope: Scope) -> Vec<Variable> {
    let entries = node.map(Node::entries).unwrap_or_default().into_iter();
    let variables = entries.filter_map(|(name, pair)| {
        Some(Variable { name: name.clone(), value: pair.value.text()?.clone(), scope })
    });
    variables.collect()
}

/// The plugins, which prepare the job, then its commands.
fn steps(node: &Node) -> Vec<Step> {
    let mut steps = Vec::new();
    if let Some(plugins) = node.get("plugins") {
        for plugin in plugins.one_or_more() {
            match plugin.text() {
                Some(name) => steps.push(plugin_step(name, None)),
                None => steps.extend(
                    plugin.entries().into_iter().map(|(name, pair)| plugin_step(name, Some(&pair.value))),
                ),
            }
        }
    }
    let commands = node.get("commands").or_else(|| node.get("command"));
    let scripts: Vec<Text> =
        commands.map(Node::one_or_more).unwrap_or_default().iter().filter_map(Node::text).cloned().collect();
    if let Some(first) = scripts.first() {
        steps.push(Step { place: first.place.clone(), scripts, ..step(node) });
    }
    steps
}

/// `docker-login#v3.0.0`, with the organisation `buildkite-plugins` where none is written.
fn plugin_step(name: &Text, given: Option<&Node>) -> Step {
    let (plugin, version) = match name.as_str().split_once('#') {
        Some((plugin, version)) => (plugin, Some(version.to_owned())),
        None => (name.as_str(), None),
    };
    let plugin = plugin.trim_end_matches(".git").trim_end_matches("-buildkite-plugin").to_ascii_lowercase();
    let plugin = if plugin.contains('/') { plugin } else { format!("buildkite-plugins/{plugin}") };
    let mut inputs = Vec::new();
    if let Some(given) = given {
        collect(given, "", &mut inputs);
    }
    Step {
        place: name.place.clone(),
        uses: Some(Uses { text: name.clone(), name: plugin, version }),
        inputs,
        name: None,
        scripts: Vec::new(),
        env: Vec::new(),
        condition: Condition::Always,
        via: Vec::new(),
    }
}

/// The settings of a plugin, nested ones with their names joined by dots. A list of `NAME=value` gives each a name.
fn collect(node: &Node, prefix: &str, inputs: &mut Vec<Variable>) {
    for (name, pair) in node.entries() {
        let path = if prefix.is_empty() { name.as_str().to_owned() } else { format!("{prefix}.{name}") };
        match pair.value.text() {
            Some(value) => inputs.push(Variable {
                name: Text { value: path.into(), ..name.clone() },
                value: value.clone(),
                scope: Scope::Step,
            }),
            None if pair.value.is_mapping() => collect(&pair.value, &path, inputs),
            None => {
                for item in pair.value.items() {
                    match item.text() {
                        Some(value) => inputs.push(Variable {
                            name: Text { value: path.as_str().into(), ..name.clone() },
                            value: value.clone(),
                            scope: Scope::Step,
                        }),
                        None => collect(item, &path, inputs),
                    }
                }
            }
        }
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

fn matrix(node: &Node) -> Vec<(Text, Vec<Text>)> {
    let Some(matrix) = node.get("matrix") else { return Vec::new() };
    let texts = |node: &Node| node.one_or_more().iter().filter_map(Node::text).cloned().collect::<Vec<_>>();
    let setup = matrix.get("setup").unwrap_or(matrix);
    if setup.is_mapping() {
        return setup.entries().into_iter().map(|(name, pair)| (name.clone(), texts(&pair.value))).collect();
    }
    vec![(Text::plain("matrix", setup.place.clone()), texts(setup))]
}

/// `branches` and `if`.
fn runs(node: &Node) -> Condition {
    let mut condition = Condition::Always;
    if let Some(patterns) = node.get("branches").and_then(Node::as_str) {
        let mut wanted = ValueSet::none();
        let mut unwanted = ValueSet::none();
        for pattern in patterns.split_whitespace() {
            match pattern.strip_prefix('!') {
                Some(pattern) => unwanted = unwanted.or(wildcard(pattern)),
                None => wanted = wanted.or(wildcard(pattern)),
            }
        }
        let wanted = if wanted.is_empty() { ValueSet::Any } else { wanted };
        condition = condition.and(Condition::Is(Fact::Branch, wanted.and(unwanted.complement())));
    }
    match node.get("if").and_then(Node::as_str) {
        Some(text) => condition.and(expression(text)),
        None => condition,
    }
}

/// `*` is any run of characters, slashes included.
fn wildcard(text: &str) -> ValueSet {
    if !text.contains('*') {
        return ValueSet::exactly(text);
    }
    let parts: Vec<String> = text.split('*').map(regex::escape).collect();
    pattern(text, &parts.join("(?s:.*)"))
}

/// The plain forms of `if`: comparisons of the build's branch, tag and source, joined by `&&` or by `||`.
fn expression(text: &str) -> Condition {
    let unknown = || Condition::Unknown(text.trim().into());
    if text.contains(['(', ')']) {
        return unknown();
    }
    let conjunction = |part: &str| {
        let mut parts = part.split("&&").map(|part| comparison(part.trim()));
        parts.try_fold(Condition::Always, |all, one| Some(all.and(one?)))
    };
    let mut parts = text.split("||").map(conjunction);
    parts.try_fold(Condition::Never, |any, one| Some(any.or(one?))).unwrap_or_else(unknown)
}

fn comparison(text: &str) -> Option<Condition> {
    let operator = ["==", "!=", "=~", "!~"].into_iter().find(|operator| text.contains(operator))?;
    let (left, right) = text.split_once(operator)?;
    let fact = match left.trim() {
        "build.branch" => Fact::Branch,
        "build.tag" => Fact::Tag,
        "build.source" => Fact::Event,
        "build.pull_request.base_branch" => Fact::BaseRef,
        _ => return None,
    };
    let right = right.trim();
    let quoted = right.trim_matches(['"', '\'']);
    let set = match operator {
        "=~" | "!~" => {
            let (regex, flags) = right.strip_prefix('/')?.rsplit_once('/')?;
            let regex = if flags.contains('i') { format!("(?i:{regex})") } else { regex.to_owned() };
            searched(right, &regex)
        }
        _ if right == "null" => ValueSet::Absent,
        _ if right == "pipeline.default_branch" => ValueSet::exactly(DEFAULT_BRANCH),
        _ if quoted.len() < right.len() => ValueSet::exactly(quoted),
        _ => return None,
    };
    let holds = Condition::Is(fact, set);
    Some(if operator.starts_with('!') { holds.negate() } else { holds })
}

/// `buildkite-agent oidc request-token --audience X` and the plugins that do so.
fn requests(steps: &[Step]) -> Vec<TokenRequest> {
    let mut found = Vec::new();
    for step in steps {
        let plugin = step.uses.as_ref().is_some_and(|uses| {
            let assumes = uses.name.ends_with("/aws-assume-role-with-web-identity");
            assumes || uses.name.ends_with("/gcp-workload-identity-federation")
        });
        if plugin {
            let audience = step.input("audience").cloned().into_iter().collect();
            found.push(TokenRequest { variable: None, audiences: audience, place: step.place.clone() });
        }
        for script in &step.scripts {
            let Some(at) = script.as_str().find("oidc request-token") else { continue };
            let after = script.as_str().get(at..).unwrap_or_default();
            let words = after.lines().next().unwrap_or_default();
            let audience =
                words.split_once("--audience").map(|(_, rest)| rest.trim_start_matches(['=', ' ']));
            let audience = audience
                .and_then(|rest| rest.split_whitespace().next())
                .map(|word| word.trim_matches(['"', '\'', ')']));
            let mut place = script.place.clone();
            place.line = script.line_of(at);
            let audiences = audience.map(|text| Text::plain(text, place.clone())).into_iter().collect();
            found.push(TokenRequest { variable: None, audiences, place });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::{Condition, NoTree, Pipeline, RepositoryFacts, mintable};

    fn read(text: &str) -> Pipeline {
        crate::read(".buildkite/pipeline.yml", text.as_bytes(), &NoTree).unwrap()
    }

    #[test]
    fn steps_plugins_and_groups() {
        let pipeline = read(
            "env: {A: b}\nsteps:\n  - wait\n  - label: upload\n    command: buildkite-agent pipeline upload\n  - group: deploy\n    if: build.branch == \"main\"\n    steps:\n\
             \x20     - key: go\n        commands: [make, 'buildkite-agent oidc request-token --audience sts.amazonaws.com']\n        plugins:\n          - docker-login#v3.0.0: {username: me, password-env: PW}\n          - acme/x-buildkite-plugin#1: {environment: [A=b], nested: {deep: 1}}\n          - plain\n\
             \x20 - trigger: other\n    build: {env: {K: v}}\n",
        );
        let [_, go, trigger] = &pipeline.jobs[..] else { panic!() };
        assert_eq!(pipeline.notes[0].what, "this command adds steps, which only a build shows");
        assert_eq!(go.id.as_str(), "go");
        assert_ne!(go.condition, Condition::Always);
        let names: Vec<&str> =
            go.steps.iter().filter_map(|step| Some(step.uses.as_ref()?.name.as_str())).collect();
        assert_eq!(names, ["buildkite-plugins/docker-login", "acme/x", "buildkite-plugins/plain"]);
        assert_eq!(go.steps[0].uses.as_ref().unwrap().major(), Some(3));
        assert_eq!(go.steps[0].input("password-env").unwrap().as_str(), "PW");
        assert_eq!(go.steps[1].input("nested.deep").unwrap().as_str(), "1");
        assert_eq!(go.requests[0].audiences[0].as_str(), "sts.amazonaws.com");
        assert_eq!(trigger.calls.as_ref().unwrap().inputs.len(), 1);
    }

    #[test]
    fn branches_and_conditions_decide_the_refs() {
        let refs = |step: &str| {
            let pipeline = read(&format!("steps: [{{command: x, key: k, {step}}}]"));
            let tokens = mintable(&pipeline, &RepositoryFacts::default().on_branch("main"));
            let tokens = tokens.iter().filter(|token| token.trigger == "webhook");
            tokens
                .map(|token| format!("{} {}", token.claims["build_branch"], token.claims["build_tag"]))
                .collect::<Vec<_>>()
        };
        assert_eq!(refs("branches: 'main release/*'"), ["`main` or like `release/*` absent"]);
        assert_eq!(refs("branches: '!main'"), ["not (`main`) absent"]);
        assert_eq!(
            refs("if: 'build.tag =~ /^v/ || build.branch == pipeline.default_branch'"),
            ["`main` absent", "any like `/^v/`"]
        );
        assert_eq!(refs("if: 'build.source != \"webhook\"'"), [""; 0]);
        assert_eq!(refs("if: 'build.message =~ /x/'").len(), 2);
    }
}
