//! Azure Pipelines: stages, jobs, deployment jobs and steps, with templates of the same repository.
//!
//! Template expressions (`${{ if }}`, `${{ each }}`) are not run: what they guard counts as present, under a condition
//! that is unknown. Variable groups are named; whether a service connection holds a secret is not in any file.

mod condition;

use std::collections::BTreeMap;
use std::sync::Arc;

use daypass_issuers::ValueSet;

use crate::condition::pattern;
use crate::yaml::{self, Node};
use crate::{
    Condition, Environment, IdToken, Image, Job, Note, Pipeline, Place, Platform, Role, Runner, Scope, Step,
    Text, TokenRequest, Tree, Trigger, Uses, Variable, Who,
};

/// Azure Pipelines allows 100 template files, 20 levels deep.
const FILES: usize = 100;
const DEPTH: usize = 20;

/// Reads a pipeline or a template.
pub(crate) fn read(file: &Arc<str>, document: &Node, tree: &dyn Tree) -> Pipeline {
    let mut reader = Reader { tree, files: 0, notes: Vec::new(), jobs: Vec::new() };
    let outer = Outer::default();
    let (env, groups) = reader.variables(document.get("variables"), Scope::Pipeline, &outer);
    let outer = Outer { groups, ..outer };
    reader.body(document, &outer);
    let triggers = triggers(document);
    let template = document.get("parameters").is_some()
        && document.get("trigger").is_none()
        && document.get("pr").is_none();
    Pipeline {
        platform: Platform::AzurePipelines,
        file: Arc::clone(file),
        role: if template { Role::Callable } else { Role::Pipeline },
        name: document.get("name").and_then(Node::text).cloned(),
        triggers,
        env,
        permissions: None,
        jobs: reader.jobs,
        notes: reader.notes,
    }
}

/// What stages and templates hand to what is in them.
#[derive(Clone, Default)]
struct Outer {
    condition: Option<Condition>,
    env: Vec<Variable>,
    groups: Vec<Text>,
    arguments: BTreeMap<String, Text>,
    depth: usize,
    pool: Option<Node>,
}

struct Reader<'t> {
    tree: &'t dyn Tree,
    files: usize,
    notes: Vec<Note>,
    jobs: Vec<Job>,
}

impl Reader<'_> {
    /// The stages, jobs or steps of a pipeline, stage or template.
    fn body(&mut self, node: &Node, outer: &Outer) {
        let outer =
            &Outer { pool: node.get("pool").cloned().or_else(|| outer.pool.clone()), ..outer.clone() };
        if let Some(extends) = node.get("extends") {
            if let Some((template, inner)) = self.template(extends, outer) {
                self.body(&template, &inner);
            }
            // What the template is given may itself be steps.
            for (_, pair) in extends.get("parameters").map(Node::entries).unwrap_or_default() {
                self.given(&pair.value, outer);
            }
        }
        for item in flat(node.get("stages")) {
            self.stage(item, outer);
        }
        for item in flat(node.get("jobs")) {
            self.job_or_template(item, outer);
        }
        if let Some(steps) = node.get("steps") {
            let mut found = Vec::new();
            self.steps(steps, outer, &mut Vec::new(), &mut found);
            let name = Text::plain("job", steps.place.clone());
            let job = self.job(&name, node, steps.place.clone(), found, outer);
            self.jobs.push(job);
        }
    }

    /// A parameter that is a list of stages, jobs or steps.
    fn given(&mut self, node: &Node, outer: &Outer) {
        let has =
            |keys: &[&str]| node.items().iter().any(|item| keys.iter().any(|key| item.get(key).is_some()));
        let key = if has(&["stage"]) {
            "stages"
        } else if has(&["job", "deployment"]) {
            "jobs"
        } else if has(&["task", "script", "bash", "pwsh", "powershell", "template"]) {
            "steps"
        } else {
            return;
        };
        let place = node.place.clone();
        let key = Node::scalar(Text::plain(key, place.clone()));
        let body = Node::mapping(vec![yaml::Pair { key, value: node.clone() }], place);
        self.body(&body, outer);
    }

    fn stage(&mut self, node: &Node, outer: &Outer) {
        if node.get("template").is_some() {
            if let Some((template, inner)) = self.template(node, outer) {
                self.body(&template, &inner);
            }
            return;
        }
        let (env, groups) = self.variables(node.get("variables"), Scope::Stage, outer);
        let condition = node.get("condition").and_then(Node::as_str).map(condition::read);
        let inner = Outer {
            condition: and(outer.condition.clone(), condition),
            env: outer.env.iter().cloned().chain(env).collect(),
            groups: outer.groups.iter().cloned().chain(groups).collect(),
            ..outer.clone()
        };
        self.body(node, &inner);
    }

    fn job_or_template(&mut self, node: &Node, outer: &Outer) {
        if node.get("template").is_some() {
            if let Some((template, inner)) = self.template(node, outer) {
                self.body(&template, &inner);
            }
            return;
        }
        let Some(id) = node.get("deployment").or_else(|| node.get("job")) else { return };
        let unnamed =
            || Text::plain(format!("job {}", self.jobs.len().saturating_add(1)), node.place.clone());
        let id = id.text().filter(|id| !id.as_str().is_empty()).cloned().unwrap_or_else(unnamed);
        let mut steps = Vec::new();
        for list in step_lists(node) {
            self.steps(list, outer, &mut Vec::new(), &mut steps);
        }
        let job = self.job(&id, node, node.place.clone(), steps, outer);
        self.jobs.push(job);
    }

    fn job(&mut self, id: &Text, node: &Node, place: Place, steps: Vec<Step>, outer: &Outer) -> Job {
        let is_job = node.get("job").is_some() || node.get("deployment").is_some();
        let (env, groups) = if is_job {
            self.variables(node.get("variables"), Scope::Job, outer)
        } else {
            (Vec::new(), Vec::new())
        };
        let own = node.get("condition").filter(|_| is_job).and_then(Node::as_str).map(condition::read);
        let pool = node.get("pool").or(outer.pool.as_ref());
        Job {
            id: id.clone(),
            name: node.get("displayName").and_then(Node::text).cloned(),
            place,
            via: Vec::new(),
            condition: and(outer.condition.clone(), own).unwrap_or(Condition::Always),
            environment: environment(node, &outer.arguments),
            contexts: outer.groups.iter().cloned().chain(groups).collect(),
            id_token: IdToken::Always,
            permissions: None,
            requests: requests(&steps),
            calls: None,
            defined_in: (outer.depth > 0).then(|| Arc::clone(&id.place.file)),
            steps,
            env: outer.env.iter().cloned().chain(env).collect(),
            runner: pool.map_or(Runner::Hosted, runner),
            images: images(node),
            needs: node
                .get("dependsOn")
                .map(Node::one_or_more)
                .unwrap_or_default()
                .iter()
                .filter_map(Node::text)
                .cloned()
                .collect(),
            matrix: matrix(node),
        }
    }

    fn steps(&mut self, list: &Node, outer: &Outer, via: &mut Vec<Text>, steps: &mut Vec<Step>) {
        for item in flat(Some(list)) {
            if let Some(target) = item.get("template").and_then(Node::text) {
                if let Some((template, inner)) = self.template(item, outer) {
                    via.push(target.clone());
                    if let Some(list) = template.get("steps") {
                        self.steps(list, &inner, via, steps);
                    }
                    via.pop();
                }
                continue;
            }
            if item.is_mapping() {
                steps.push(step(item, &outer.arguments, via));
            }
        }
    }

    /// The template that an item names, with what it is given.
    fn template(&mut self, item: &Node, outer: &Outer) -> Option<(Node, Outer)> {
        let target = item.get("template").and_then(Node::text)?;
        let mut refuse = |why: String| {
            let what = format!("`{target}` was not followed: {why}");
            self.notes.push(Note { place: target.place.clone(), what });
            None
        };
        if let Some((_, repository)) =
            target.as_str().split_once('@').filter(|(_, repository)| *repository != "self")
        {
            return refuse(format!("it lies in the repository `{repository}`"));
        }
        if outer.depth >= DEPTH || self.files >= FILES {
            return refuse(format!("templates are more than {DEPTH} levels deep, or more than {FILES}"));
        }
        let path = target.as_str().split('@').next().unwrap_or_default();
        let from = if path.starts_with('/') { "" } else { crate::tree::folder(&target.place.file) };
        let found = crate::tree::join(from, path).and_then(|path| Some((self.tree.read(&path)?, path)));
        let Some((bytes, path)) = found else { return refuse("there is no such file here".to_owned()) };
        self.files = self.files.saturating_add(1);
        let documents = match yaml::parse(&Arc::from(path), &bytes) {
            Ok(documents) => documents,
            Err(error) => return refuse(error.to_string()),
        };
        let template = documents.into_iter().next()?;
        let mut arguments = defaults(&template);
        for (name, pair) in item.get("parameters").map(Node::entries).unwrap_or_default() {
            if let Some(text) = pair.value.text() {
                arguments.insert(name.as_str().to_owned(), filled(text, &outer.arguments));
            }
        }
        Some((template, Outer { arguments, depth: outer.depth.saturating_add(1), ..outer.clone() }))
    }

    /// Variables by name, and the groups that are drawn in.
    fn variables(&mut self, node: Option<&Node>, scope: Scope, outer: &Outer) -> (Vec<Variable>, Vec<Text>) {
        let (mut env, mut groups) = (Vec::new(), Vec::new());
        let Some(node) = node else { return (env, groups) };
        if node.is_mapping() {
            let entries = node.entries().into_iter();
            env.extend(entries.filter_map(|(name, pair)| {
                let value = filled(pair.value.text()?, &outer.arguments);
                Some(Variable { name: name.clone(), value, scope })
            }));
            return (env, groups);
        }
        for item in flat(Some(node)) {
            if let Some(group) = item.get("group").and_then(Node::text) {
                groups.push(filled(group, &outer.arguments));
            } else if let (Some(name), Some(value)) =
                (item.get("name").and_then(Node::text), item.get("value").and_then(Node::text))
            {
                let value = filled(value, &outer.arguments);
                env.push(Variable { name: name.clone(), value, scope });
            } else if item.get("template").is_some()
                && let Some((template, inner)) = self.template(item, outer)
            {
                let (more, others) = self.variables(template.get("variables"), scope, &inner);
                env.extend(more);
                groups.extend(others);
            }
        }
        (env, groups)
    }
}

fn and(one: Option<Condition>, other: Option<Condition>) -> Option<Condition> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.and(other)),
        (one, other) => one.or(other),
    }
}

/// The items of a list, those behind `${{ if }}` and `${{ each }}` among them.
fn flat(list: Option<&Node>) -> Vec<&Node> {
    let mut found = Vec::new();
    for item in list.map(Node::items).unwrap_or_default() {
        let guarded: Vec<&Node> = item
            .entries()
            .into_iter()
            .filter(|(name, _)| name.as_str().starts_with("${{"))
            .map(|(_, pair)| &pair.value)
            .collect();
        if guarded.is_empty() {
            found.push(item);
        }
        found.extend(guarded.into_iter().flat_map(|inner| flat(Some(inner))));
    }
    found
}

/// The lists of steps of a job: its own, or those of a deployment's strategy.
fn step_lists(node: &Node) -> Vec<&Node> {
    let own = node.get("steps").into_iter();
    let strategies =
        ["runOnce", "rolling", "canary"].into_iter().filter_map(|kind| node.get("strategy")?.get(kind));
    let hooks = strategies.flat_map(|strategy| {
        let plain =
            ["preDeploy", "deploy", "routeTraffic", "postRouteTraffic"].map(|hook| strategy.get(hook));
        let on = ["success", "failure"].map(|hook| strategy.get("on")?.get(hook));
        plain.into_iter().chain(on).flatten().filter_map(|hook| hook.get("steps"))
    });
    own.chain(hooks).collect()
}

fn step(node: &Node, arguments: &BTreeMap<String, Text>, via: &[Text]) -> Step {
    let text = |key: &str| node.get(key).and_then(Node::text);
    let variables = |key: &str| {
        let entries = node.get(key).map(Node::entries).unwrap_or_default().into_iter();
        let variables = entries.filter_map(|(name, pair)| {
            let value = filled(pair.value.text()?, arguments);
            Some(Variable { name: name.clone(), value, scope: Scope::Step })
        });
        variables.collect::<Vec<_>>()
    };
    let inputs = variables("inputs");
    let task = text("task").map(|task| {
        let (name, version) = match task.as_str().split_once('@') {
            Some((name, version)) => (name, Some(version.to_owned())),
            None => (task.as_str(), None),
        };
        Uses { text: task.clone(), name: name.to_ascii_lowercase(), version }
    });
    let scripts = ["script", "bash", "pwsh", "powershell"]
        .into_iter()
        .filter_map(text)
        .map(|text| filled(text, arguments));
    let inline = inputs.iter().filter(|input| {
        matches!(input.name.as_str().to_ascii_lowercase().as_str(), "inlinescript" | "script" | "inline")
    });
    Step {
        name: text("displayName").or_else(|| text("name")).cloned(),
        place: node.use_place().clone(),
        uses: task,
        scripts: scripts.chain(inline.map(|input| input.value.clone())).collect(),
        inputs,
        env: variables("env"),
        condition: text("condition").map_or(Condition::Always, |text| condition::read(text.as_str())),
        via: via.to_vec(),
    }
}

/// The defaults of a template's parameters, which are a list of mappings or, in old ones, a mapping.
fn defaults(template: &Node) -> BTreeMap<String, Text> {
    let Some(parameters) = template.get("parameters") else { return BTreeMap::new() };
    let listed = parameters.items().iter().filter_map(|item| {
        Some((item.get("name")?.as_str()?.to_owned(), item.get("default")?.text()?.clone()))
    });
    let mapped = parameters.entries().into_iter();
    let mapped =
        mapped.filter_map(|(name, pair)| Some((name.as_str().to_owned(), pair.value.text()?.clone())));
    listed.chain(mapped).collect()
}

/// Puts arguments in place of `${{ parameters.X }}`. A text that is nothing else becomes the argument, place and all.
fn filled(text: &Text, arguments: &BTreeMap<String, Text>) -> Text {
    let argument = |inner: &str| arguments.get(inner.trim().strip_prefix("parameters.")?);
    let whole = text.as_str().trim().strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}"));
    if let Some(value) = whole.and_then(argument) {
        return value.clone();
    }
    let mut parts = text.as_str().split("${{");
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once("}}").and_then(|(inner, rest)| Some((argument(inner)?, rest))) {
            Some((value, rest)) => {
                result.push_str(value.as_str());
                result.push_str(rest);
            }
            None => {
                result.push_str("${{");
                result.push_str(part);
            }
        }
    }
    Text { value: Arc::from(result), ..text.clone() }
}

fn environment(node: &Node, arguments: &BTreeMap<String, Text>) -> Option<Environment> {
    let environment = node.get("environment")?;
    let name = filled(environment.get("name").unwrap_or(environment).text()?, arguments);
    // `prod.cluster-1` is a resource of the environment `prod`.
    let plain = name.as_str().split('.').next().unwrap_or_default();
    let names = if plain.contains("${{") || plain.contains("$(") {
        ValueSet::Unknown(format!("`{plain}`"))
    } else {
        ValueSet::exactly(plain)
    };
    Some(Environment { names, name, action: None })
}

/// `pool: name` is a pool of the organisation's own, unless Microsoft's; `vmImage` means Microsoft's.
fn runner(node: &Node) -> Runner {
    let name = node.text().or_else(|| node.get("name").and_then(Node::text));
    match name {
        Some(name) if name.as_str() == "Azure Pipelines" || name.as_str().starts_with("Hosted") => {
            Runner::Hosted
        }
        Some(name) if name.as_str().contains("${{") || name.as_str().contains("$(") => Runner::Unknown,
        Some(name) => Runner::SelfHosted(name.clone()),
        None => Runner::Hosted,
    }
}

fn images(node: &Node) -> Vec<Image> {
    let container = node.get("container").and_then(|container| {
        container.get("image").unwrap_or(container).text().map(|name| (name, container))
    });
    let image = container.map(|(name, container)| Image {
        name: name.clone(),
        credentials: container
            .get("endpoint")
            .and_then(Node::text)
            .map(|value| Variable {
                name: Text::plain("endpoint", value.place.clone()),
                value: value.clone(),
                scope: Scope::Job,
            })
            .into_iter()
            .collect(),
    });
    image.into_iter().collect()
}

fn matrix(node: &Node) -> Vec<(Text, Vec<Text>)> {
    let mut found: Vec<(Text, Vec<Text>)> = Vec::new();
    let matrix = node.get("strategy").and_then(|strategy| strategy.get("matrix"));
    for (name, pair) in
        matrix.map(Node::entries).unwrap_or_default().iter().flat_map(|(_, pair)| pair.value.entries())
    {
        let Some(value) = pair.value.text() else { continue };
        match found.iter_mut().find(|(one, _)| one.value == name.value) {
            Some((_, all)) => all.push(value.clone()),
            None => found.push((name.clone(), vec![value.clone()])),
        }
    }
    found
}

/// Steps that are handed `System.AccessToken` together with the request's address, or name the address.
fn requests(steps: &[Step]) -> Vec<TokenRequest> {
    let mut found = Vec::new();
    for step in steps {
        for script in step.scripts.iter().filter(|script| {
            let upper = script.as_str().to_ascii_uppercase();
            upper.contains("OIDCREQUESTURI") || upper.contains("OIDCTOKEN?")
        }) {
            found.push(TokenRequest { variable: None, audiences: Vec::new(), place: script.place.clone() });
        }
    }
    found
}

/// `trigger`, `pr`, `schedules` and pipeline resources.
fn triggers(document: &Node) -> Vec<Trigger> {
    let at = |key: &str| document.pair(key).map_or_else(|| document.place.clone(), yaml::Pair::place);
    let make = |event: &str, place: Place, who: Who, branches: ValueSet, tags: ValueSet| Trigger {
        event: Text::plain(event, place),
        who,
        branches,
        tags,
        types: Vec::new(),
        paths: false,
    };
    let none = |node: &Node| node.as_str() == Some("none");
    let mut found = Vec::new();
    match document.get("trigger") {
        Some(trigger) if none(trigger) => {}
        Some(trigger) => {
            let branches = filter(trigger.get("branches").unwrap_or(trigger));
            let tags = trigger.get("tags").map_or_else(ValueSet::none, filter);
            found.push(make("trigger", at("trigger"), Who::Writer, branches, tags));
        }
        None => found.push(make("trigger", at("trigger"), Who::Writer, ValueSet::Any, ValueSet::none())),
    }
    if let Some(request) = document.get("pr").filter(|request| !none(request)) {
        let branches = filter(request.get("branches").unwrap_or(request));
        found.push(make("pr", at("pr"), Who::PullRequest, branches, ValueSet::none()));
    }
    for schedule in document.get("schedules").map(Node::items).unwrap_or_default() {
        let branches = schedule.get("branches").map_or(ValueSet::Any, filter);
        found.push(make("schedule", schedule.place.clone(), Who::Clock, branches, ValueSet::none()));
    }
    let resources = document.get("resources").and_then(|resources| resources.get("pipelines"));
    for resource in resources.map(Node::items).unwrap_or_default() {
        if resource.get("trigger").is_some() {
            found.push(make(
                "resources",
                resource.place.clone(),
                Who::Follows,
                ValueSet::Any,
                ValueSet::none(),
            ));
        }
    }
    found.push(make("manual", document.place.clone(), Who::Person, ValueSet::Any, ValueSet::Any));
    found
}

/// A list of patterns, or `include` and `exclude`. `*` is any run of characters.
fn filter(node: &Node) -> ValueSet {
    let list = |nodes: &[Node]| {
        let patterns = nodes.iter().filter_map(Node::as_str).map(|text| {
            let text =
                text.strip_prefix("refs/heads/").or_else(|| text.strip_prefix("refs/tags/")).unwrap_or(text);
            if !text.contains('*') {
                return ValueSet::exactly(text);
            }
            let parts: Vec<String> = text.split('*').map(regex::escape).collect();
            if text == "*" { ValueSet::Any } else { pattern(text, &parts.join("(?s:.*)")) }
        });
        patterns.fold(ValueSet::none(), ValueSet::or)
    };
    if !node.is_mapping() {
        return list(node.one_or_more());
    }
    let include = node.get("include").map_or(ValueSet::Any, |node| list(node.one_or_more()));
    let exclude = node.get("exclude").map_or_else(ValueSet::none, |node| list(node.one_or_more()));
    include.and(exclude.complement())
}

#[cfg(test)]
mod tests;
