//! GitLab CI/CD: one configuration put together from includes of the same tree, `extends` and `!reference`.

mod config;
mod rules;

use std::sync::Arc;

use daypass_issuers::ValueSet;

use crate::condition::pattern;
use crate::yaml::Node;
use crate::{
    Call, Condition, Environment, IdToken, Image, Job, Note, Pipeline, Platform, Role, Runner, Scope, Step,
    Text, TokenRequest, Tree, Trigger, Uses, Variable, Who,
};
use config::Config;

/// Top-level names that are no jobs (docs.gitlab.com, "CI/CD YAML syntax reference").
const GLOBAL: [&str; 14] = [
    "default",
    "include",
    "stages",
    "variables",
    "workflow",
    "image",
    "services",
    "cache",
    "before_script",
    "after_script",
    "spec",
    "types",
    "pages_config",
    "$schema",
];

/// What may set a pipeline off; the file's `workflow:rules` choose among them.
const EVENTS: [(&str, Who); 7] = [
    ("push", Who::Writer),
    ("merge_request_event", Who::PullRequest),
    ("schedule", Who::Clock),
    ("web", Who::Person),
    ("api", Who::Person),
    ("trigger", Who::Person),
    ("parent_pipeline", Who::Follows),
];

/// Reads a configuration from its documents: a header with `spec` may come first.
pub(crate) fn read(file: &Arc<str>, documents: &[Node], tree: &dyn Tree) -> Option<Pipeline> {
    let document = config::configuration(documents)?;
    let mut notes = Vec::new();
    let config = Config::read(document, tree, &mut notes);
    let root = &config.root;
    let workflow = root.get("workflow").and_then(|workflow| workflow.get("rules"));
    let pipeline_runs = workflow.map(rules::rules);
    let context = Context { config: &config, pipeline_runs: pipeline_runs.as_ref() };
    let mut jobs = Vec::new();
    for (id, pair) in root.entries() {
        let template = id.as_str().starts_with('.') || GLOBAL.contains(&id.as_str());
        if !template && pair.value.is_mapping() {
            let node = config.job(&pair.value, &mut notes);
            jobs.push(context.job(id, pair.place(), &node, &mut notes));
        }
    }
    let trigger = |(event, who): (&str, Who)| Trigger {
        event: Text::plain(event, document.place.clone()),
        who,
        branches: ValueSet::Any,
        tags: if who == Who::PullRequest { ValueSet::none() } else { ValueSet::Any },
        types: Vec::new(),
        paths: false,
    };
    Some(Pipeline {
        platform: Platform::GitLab,
        file: Arc::clone(file),
        role: Role::Pipeline,
        name: root.get("workflow").and_then(|workflow| workflow.get("name")).and_then(Node::text).cloned(),
        triggers: EVENTS.into_iter().map(trigger).collect(),
        env: variables(root.get("variables"), Scope::Pipeline),
        permissions: None,
        jobs,
        notes,
    })
}

struct Context<'c> {
    config: &'c Config,
    pipeline_runs: Option<&'c Condition>,
}

impl Context<'_> {
    fn job(&self, id: &Text, place: crate::Place, node: &Node, notes: &mut Vec<Note>) -> Job {
        let env = variables(node.get("variables"), Scope::Job);
        let matrix = matrix(node);
        let (id_token, requests) = self.id_tokens(node, notes);
        let tags = self.inherited(node, "tags", notes);
        let tags: Vec<Text> = tags.as_ref().map(texts).unwrap_or_default();
        Job {
            id: id.clone(),
            name: None,
            condition: self.condition(node),
            environment: environment(node, &env, &matrix),
            contexts: Vec::new(),
            id_token,
            permissions: None,
            requests,
            calls: child(node),
            defined_in: (place.file != self.config.root.place.file).then(|| Arc::clone(&place.file)),
            steps: self.steps(node, notes),
            runner: match tags.first() {
                None => Runner::Unknown,
                Some(tag) if tag.as_str().starts_with("saas-") => Runner::Hosted,
                Some(tag) => Runner::SelfHosted(tag.clone()),
            },
            images: self.images(node, notes),
            needs: needs(node),
            matrix,
            env: env.into_iter().chain(of_rules(node)).collect(),
            via: Vec::new(),
            place,
        }
    }

    /// `workflow:rules` say whether there is a pipeline, the job's own words whether the job is in it.
    fn condition(&self, node: &Node) -> Condition {
        let own = match node.get("rules") {
            Some(rules) => rules::rules(rules),
            None if node.get("only").is_some() || node.get("except").is_some() => {
                rules::only_except(node.get("only"), node.get("except"))
            }
            None if self.pipeline_runs.is_some() => Condition::Always,
            None => rules::only_except(None, None),
        };
        let never = node.get("when").and_then(Node::as_str) == Some("never");
        let own = if never { Condition::Never } else { own };
        self.pipeline_runs.cloned().unwrap_or(Condition::Always).and(own)
    }

    /// A keyword of the job, else of `default`, else of the top level where older files have it.
    fn inherited(&self, node: &Node, key: &str, notes: &mut Vec<Note>) -> Option<Node> {
        if let Some(own) = node.get(key) {
            return Some(own.clone());
        }
        let inherit = node.get("inherit").and_then(|inherit| inherit.get("default"));
        let wanted = match inherit {
            None => true,
            Some(list) if !list.items().is_empty() => {
                list.items().iter().any(|one| one.as_str() == Some(key))
            }
            Some(flag) => flag.as_bool() != Some(false),
        };
        if !wanted {
            return None;
        }
        let root = &self.config.root;
        let found = root.get("default").and_then(|default| default.get(key)).or_else(|| root.get(key));
        found.map(|node| self.config.job(node, notes))
    }

    fn id_tokens(&self, node: &Node, notes: &mut Vec<Note>) -> (IdToken, Vec<TokenRequest>) {
        let by_default = node.get("id_tokens").is_none();
        let Some(tokens) = self.inherited(node, "id_tokens", notes) else {
            return (IdToken::Denied(None), Vec::new());
        };
        let entries = tokens.entries().into_iter();
        let requests: Vec<TokenRequest> = entries
            .map(|(name, pair)| TokenRequest {
                variable: Some(name.clone()),
                audiences: pair.value.get("aud").map(texts).unwrap_or_default(),
                place: pair.place(),
            })
            .collect();
        let place = requests.first().map(|request| request.place.clone());
        match place {
            Some(place) => (IdToken::Granted { place, by_default }, requests),
            None => (IdToken::Denied(Some(tokens.place.clone())), requests),
        }
    }

    /// The scripts of the job, one step each.
    fn steps(&self, node: &Node, notes: &mut Vec<Note>) -> Vec<Step> {
        let mut steps = Vec::new();
        for key in ["before_script", "script", "after_script"] {
            let found =
                if key == "script" { node.get(key).cloned() } else { self.inherited(node, key, notes) };
            let Some(found) = found else { continue };
            let mut scripts = Vec::new();
            lines(&found, &mut scripts);
            steps.push(step(Text::plain(key, found.use_place().clone()), scripts));
        }
        if let Some(hooks) = self.inherited(node, "hooks", notes)
            && let Some(found) = hooks.get("pre_get_sources_script")
        {
            let mut scripts = Vec::new();
            lines(found, &mut scripts);
            steps.push(step(Text::plain("hooks", found.use_place().clone()), scripts));
        }
        // Secrets that the runner fetches for the job: from Vault, Azure, Google or AWS.
        for (name, pair) in self.inherited(node, "secrets", notes).iter().flat_map(Node::entries) {
            let sources =
                ["vault", "azure_key_vault", "gcp_secret_manager", "aws_secrets_manager", "akeyless"];
            let Some(source) = sources.into_iter().find(|source| pair.value.get(source).is_some()) else {
                continue;
            };
            let mut step = step(name.clone(), Vec::new());
            step.uses = Some(Uses {
                text: Text::plain(source, pair.value.place.clone()),
                name: format!("secrets:{source}"),
                version: None,
            });
            let token = pair.value.get("token").and_then(Node::text);
            step.inputs.extend(token.map(|token| Variable {
                name: Text::plain("token", token.place.clone()),
                value: token.clone(),
                scope: Scope::Step,
            }));
            steps.push(step);
        }
        steps
    }

    fn images(&self, node: &Node, notes: &mut Vec<Note>) -> Vec<Image> {
        let image = self.inherited(node, "image", notes);
        let services = self.inherited(node, "services", notes);
        let services = services.as_ref().map(Node::one_or_more).unwrap_or_default();
        let nodes = image.iter().chain(services);
        let names = nodes.filter_map(|node| node.get("name").unwrap_or(node).text().cloned());
        names.map(|name| Image { name, credentials: Vec::new() }).collect()
    }
}

fn step(name: Text, scripts: Vec<Text>) -> Step {
    Step {
        place: name.place.clone(),
        name: Some(name),
        uses: None,
        inputs: Vec::new(),
        scripts,
        env: Vec::new(),
        condition: Condition::Always,
        via: Vec::new(),
    }
}

/// The commands of a script: lists may lie in lists.
fn lines(node: &Node, found: &mut Vec<Text>) {
    match node.text() {
        Some(text) => found.push(text.clone()),
        None => node.items().iter().for_each(|item| lines(item, found)),
    }
}

fn texts(node: &Node) -> Vec<Text> {
    node.one_or_more().iter().filter_map(Node::text).cloned().collect()
}

/// `variables`: a name with a value, or with a mapping that has one.
fn variables(node: Option<&Node>, scope: Scope) -> Vec<Variable> {
    let entries = node.map(Node::entries).unwrap_or_default().into_iter();
    let variables = entries.filter_map(|(name, pair)| {
        let value = pair.value.text().or_else(|| pair.value.get("value").and_then(Node::text))?;
        Some(Variable { name: name.clone(), value: value.clone(), scope })
    });
    variables.collect()
}

/// Variables that a job has if one of its rules applies.
fn of_rules(job: &Node) -> Vec<Variable> {
    let rules = job.get("rules").map(Node::items).unwrap_or_default();
    rules.iter().flat_map(|rule| variables(rule.get("variables"), Scope::Job)).collect()
}

fn matrix(node: &Node) -> Vec<(Text, Vec<Text>)> {
    let rows = node.get("parallel").and_then(|parallel| parallel.get("matrix"));
    let mut found: Vec<(Text, Vec<Text>)> = Vec::new();
    for (name, pair) in rows.map(Node::items).unwrap_or_default().iter().flat_map(Node::entries) {
        let values = texts(&pair.value);
        match found.iter_mut().find(|(one, _)| one.value == name.value) {
            Some((_, all)) => all.extend(values),
            None => found.push((name.clone(), values)),
        }
    }
    found
}

fn needs(node: &Node) -> Vec<Text> {
    let needs =
        node.get("needs").or_else(|| node.get("dependencies")).map(Node::one_or_more).unwrap_or_default();
    needs.iter().filter_map(|need| need.get("job").unwrap_or(need).text()).cloned().collect()
}

/// `trigger`: a child pipeline of the same project, or another project's.
fn child(node: &Node) -> Option<Call> {
    let trigger = node.get("trigger")?;
    let include = trigger.get("include").map(Node::one_or_more).unwrap_or_default().first();
    let local = include.map(|include| include.get("local").unwrap_or(include));
    let target = local.or_else(|| trigger.get("project")).unwrap_or(trigger).text()?;
    let version = trigger.get("branch").and_then(Node::as_str).map(str::to_owned);
    let name = target.as_str().to_ascii_lowercase();
    Some(Call {
        target: Uses { text: target.clone(), name, version },
        inputs: variables(node.get("variables"), Scope::Job),
        secrets: Vec::new(),
        inherits: None,
        followed: false,
    })
}

fn environment(node: &Node, env: &[Variable], matrix: &[(Text, Vec<Text>)]) -> Option<Environment> {
    let environment = node.get("environment")?;
    let name = environment.get("name").unwrap_or(environment).text()?;
    Some(Environment {
        name: name.clone(),
        names: expanded(name.as_str(), env, matrix),
        action: environment.get("action").and_then(Node::text).cloned(),
    })
}

/// The values of a text with variables: of the job and its matrix as they are, any others as anything.
fn expanded(text: &str, env: &[Variable], matrix: &[(Text, Vec<Text>)]) -> ValueSet {
    let mut alternatives = vec![(String::new(), String::new(), true)];
    for piece in pieces(text) {
        let values: Vec<&str> = match piece {
            Piece::Literal(literal) => vec![literal],
            Piece::Variable(name) => {
                let of_matrix = matrix.iter().find(|(one, _)| one.as_str() == name).map(|(_, values)| values);
                let own = env.iter().find(|one| one.name.as_str() == name).map(|one| one.value.as_str());
                match (of_matrix, own) {
                    (Some(values), _) => values.iter().map(Text::as_str).collect(),
                    (None, Some(value)) if !value.contains('$') => vec![value],
                    _ => {
                        for (_, regex, exact) in &mut alternatives {
                            regex.push_str("(?s:.*)");
                            *exact = false;
                        }
                        continue;
                    }
                }
            }
        };
        let add = |(exactly, regex, exact): &(String, String, bool), value: &str| {
            (format!("{exactly}{value}"), format!("{regex}{}", regex::escape(value)), *exact)
        };
        alternatives =
            alternatives.iter().flat_map(|one| values.iter().map(move |value| add(one, value))).collect();
        if alternatives.len() > 256 {
            return ValueSet::Unknown(format!("`{text}` has too many values"));
        }
    }
    let sets =
        alternatives.into_iter().map(
            |(exactly, regex, exact)| {
                if exact { ValueSet::exactly(exactly) } else { pattern(text, &regex) }
            },
        );
    sets.fold(ValueSet::none(), ValueSet::or)
}

enum Piece<'t> {
    Literal(&'t str),
    Variable(&'t str),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((literal, after)) = rest.split_once('$') {
        found.push(Piece::Literal(literal));
        let (braced, after) = after.strip_prefix('{').map_or((false, after), |after| (true, after));
        let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(after.len());
        let (name, tail) = after.split_at_checked(end).unwrap_or((after, ""));
        found.push(Piece::Variable(name));
        rest = if braced { tail.strip_prefix('}').unwrap_or(tail) } else { tail };
    }
    found.push(Piece::Literal(rest));
    found
}

#[cfg(test)]
mod tests;
