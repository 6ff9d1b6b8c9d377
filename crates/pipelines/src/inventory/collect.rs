//! The sinks of a pipeline: every variable, input, command and image that the table knows.

use super::group::{Sink, Strength};
use super::source::{Origin, Scopes, origins, referenced};
use super::table::{Part, UseRule, table};
use super::{Confidence, literal, registry, shell};
use crate::{Image, Job, Pipeline, Place, Platform, Role, Step, Text, Variable};

/// The sinks that every job sees.
pub(super) fn shared(pipeline: &Pipeline) -> Vec<Sink> {
    let context = Context { pipeline, job: None };
    pipeline.env.iter().filter_map(|one| context.variable(one, None, &[&pipeline.env])).collect()
}

/// The sinks of one job.
pub(super) fn of_job(pipeline: &Pipeline, job: &Job) -> Vec<Sink> {
    let context = Context { pipeline, job: Some(job) };
    let mut sinks = Vec::new();
    let outer: [&[Variable]; 2] = [&job.env, &pipeline.env];
    sinks.extend(job.env.iter().filter_map(|one| context.variable(one, None, &outer)));
    for image in &job.images {
        context.image(image, &outer, &mut sinks);
    }
    context.call(&outer, &mut sinks);
    let scripts: Vec<&Text> = job.steps.iter().flat_map(|step| &step.scripts).collect();
    let assigned = shell::assigned(&scripts);
    for (index, step) in job.steps.iter().enumerate() {
        let scopes: [&[Variable]; 4] = [&step.env, &assigned, &job.env, &pipeline.env];
        let before = sinks.len();
        sinks.extend(step.env.iter().filter_map(|one| context.variable(one, Some(index), &scopes)));
        context.uses(step, index, &scopes, &mut sinks);
        for script in &step.scripts {
            shell::read(pipeline.platform, script, &scripts, &scopes, index, &mut sinks);
        }
        if !step.via.is_empty() && pipeline.role != Role::Action {
            // What a local action holds itself is found in its own file.
            let own = |sink: &Sink| {
                *sink.place.file == *pipeline.file
                    || sink.origins.iter().any(|one| matches!(one, Origin::Stored(_) | Origin::Indexed(_)))
            };
            let inner = sinks.split_off(before);
            sinks.extend(inner.into_iter().filter(own));
        }
    }
    sinks
}

struct Context<'p> {
    pipeline: &'p Pipeline,
    job: Option<&'p Job>,
}

impl Context<'_> {
    fn platform(&self) -> Platform {
        self.pipeline.platform
    }

    /// A variable of the table with a stored or literal value, or any variable with a literal that is a credential by
    /// its looks.
    fn variable(&self, variable: &Variable, step: Option<usize>, scopes: Scopes<'_>) -> Option<Sink> {
        let name = variable.name.as_str();
        let origins = origins(self.platform(), variable.value.as_str(), scopes);
        let sink =
            |kind: usize, part: Part, origins: Vec<Origin>, confidence: Confidence, why: String| Sink {
                kind,
                part,
                name: name.to_owned(),
                origins,
                place: variable.value.place.clone(),
                step,
                confidence,
                strength: Strength::Variable,
                why,
            };
        if origins.contains(&Origin::All) {
            let kind = table().index("all-secrets")?;
            let why = "all secrets are written into one value".to_owned();
            return Some(sink(kind, Part::Secret, origins, Confidence::Certain, why));
        }
        let looks = origins.iter().find_map(|origin| match origin {
            Origin::Literal(text) => literal::kind_of(text),
            _ => None,
        });
        let Some((kind, part)) = table().variable(name) else {
            let kind = table().index(looks?)?;
            let why = "the value is a credential by its looks".to_owned();
            return Some(sink(kind, Part::Secret, origins, Confidence::Certain, why));
        };
        let (origins, confidence) = judged(origins, part)?;
        Some(sink(kind, part, origins, confidence, "a variable that tools read".to_owned()))
    }

    /// Inputs of what a step uses.
    fn uses(&self, step: &Step, index: usize, scopes: Scopes<'_>, sinks: &mut Vec<Sink>) {
        let Some(uses) = &step.uses else { return };
        let rules = table().uses(&uses.name);
        let mut known: Vec<&str> = Vec::new();
        for (kind, rule) in &rules {
            if rule.unless.iter().any(|input| step.input(input).is_some()) {
                known.extend(rule.inputs.keys().map(String::as_str));
                continue;
            }
            let before = sinks.len();
            for (input, part) in &rule.inputs {
                known.push(input);
                let found = step.inputs.iter().filter(|one| one.name.as_str().eq_ignore_ascii_case(input));
                for variable in found {
                    sinks.extend(self.input(step, index, *kind, rule, *part, variable, scopes));
                }
            }
            if sinks.len() == before {
                sinks.extend(default(*kind, rule, step, index));
            }
        }
        for input in &step.inputs {
            if !known.iter().any(|name| input.name.as_str().eq_ignore_ascii_case(name)) {
                sinks.extend(self.likeness(input, index, scopes));
                sinks.extend(self.pairs(input, index, scopes));
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one rule, one input and all that they are read against")]
    fn input(
        &self,
        step: &Step,
        index: usize,
        kind: usize,
        rule: &UseRule,
        part: Part,
        variable: &Variable,
        scopes: Scopes<'_>,
    ) -> Option<Sink> {
        let value = variable.value.as_str();
        let uses = step.uses.as_ref()?;
        let kind = match &rule.registry {
            Some(input) => {
                let written = step.input(input).map_or("", Text::as_str);
                match origins(self.platform(), written, scopes).as_slice() {
                    [Origin::Literal(host)] => registry::kind_of(host, kind),
                    _ => registry::kind_of(written, kind),
                }
            }
            None => kind,
        };
        if rule.registry.is_some()
            && part == Part::Id
            && table().kind(kind).is_none_or(|kind| kind.id != "aws-access-key")
        {
            // A user's name, unless the registry takes a key's id for one.
            return None;
        }
        let mut name = format!("{}: {}", uses.name, variable.name);
        let mut confidence = if rule.inferred { Confidence::Inferred } else { Confidence::Certain };
        let mut why = format!("`{}` takes it as an input", uses.name);
        let origins = if part == Part::Connection {
            if self.pipeline.role == Role::Callable && value.contains("${{ parameters.") {
                // It is the caller's, and found where that passes it.
                return None;
            }
            if self.platform() == Platform::AzurePipelines {
                confidence = Confidence::Inferred;
                why.push_str("; whether the connection holds a secret or federates is not in the file");
            }
            if step.input("addSpnToEnvironment").and_then(truth) == Some(true) {
                name = format!("{}: addSpnToEnvironment", uses.name);
                why.push_str("; `addSpnToEnvironment` hands its key to the script");
            }
            vec![Origin::Connection(value.to_owned())]
        } else if rule.names_variables && !value.contains('$') {
            origins(self.platform(), &format!("${value}"), scopes)
        } else {
            let (origins, sure) = judged(origins(self.platform(), value, scopes), part)?;
            confidence = confidence.max(sure);
            origins
        };
        let place = variable.value.place.clone();
        Some(Sink {
            kind,
            part,
            name,
            origins,
            place,
            step: Some(index),
            confidence,
            strength: Strength::Rule,
            why,
        })
    }

    /// An input whose name is like a variable of the table, of something that the table does not know.
    fn likeness(&self, input: &Variable, index: usize, scopes: Scopes<'_>) -> Option<Sink> {
        let found = referenced(self.platform(), input.value.as_str(), scopes);
        let name = input.name.as_str();
        let make = |kind: usize, part: Part, why: String| Sink {
            kind,
            part,
            name: name.to_owned(),
            origins: found.clone(),
            place: input.value.place.clone(),
            step: Some(index),
            confidence: Confidence::Inferred,
            strength: Strength::Likeness,
            why,
        };
        if found.contains(&Origin::All) {
            let sink = make(
                table().index("all-secrets")?,
                Part::Secret,
                "all secrets are handed on as one".to_owned(),
            );
            return Some(Sink { confidence: Confidence::Certain, ..sink });
        }
        let literal = origins(self.platform(), input.value.as_str(), scopes);
        if let [Origin::Literal(text)] = literal.as_slice()
            && let Some(kind) = literal::kind_of(text).and_then(|kind| table().index(kind))
        {
            let sink = make(kind, Part::Secret, "the value is a credential by its looks".to_owned());
            return Some(Sink { origins: literal, confidence: Confidence::Certain, ..sink });
        }
        let secret = |origin: &Origin| match origin {
            Origin::Stored(name) => !name.starts_with("vars."),
            other => matches!(other, Origin::Indexed(_)),
        };
        if !found.iter().any(secret) {
            return None;
        }
        let last = name.rsplit('.').next().unwrap_or(name);
        let (kind, part) = table().variable(&last.replace('-', "_"))?;
        Some(make(kind, part, format!("an input is called `{name}`")))
    }

    /// `NAME=value` lines of an input, such as `build-args` and `secrets` of image builds.
    fn pairs<'s>(
        &'s self,
        input: &'s Variable,
        index: usize,
        scopes: Scopes<'s>,
    ) -> impl Iterator<Item = Sink> + 's {
        input.value.lines().filter_map(move |(line, text)| {
            let (name, value) = text.trim().trim_start_matches("id=").split_once(['=', ','])?;
            let (kind, part) = table().variable(name)?;
            let origins = referenced(self.platform(), value, scopes);
            let place = Place { line, ..input.value.place.clone() };
            (!origins.is_empty()).then(|| Sink {
                kind,
                part,
                name: format!("{}: {name}", input.name),
                origins,
                place,
                step: Some(index),
                confidence: Confidence::Inferred,
                strength: Strength::Likeness,
                why: format!("`{}` hands it on under a name that tools know", input.name),
            })
        })
    }

    /// What a called workflow is passed, where it is not at hand to tell what becomes of it.
    fn call(&self, scopes: Scopes<'_>, sinks: &mut Vec<Sink>) {
        let Some(call) = self.job.and_then(|job| job.calls.as_ref()) else { return };
        if call.followed {
            return;
        }
        let target = &call.target.name;
        if let (Some(place), Some(kind)) = (&call.inherits, table().index("all-secrets")) {
            sinks.push(Sink {
                kind,
                part: Part::Secret,
                name: format!("{target}: secrets"),
                origins: vec![Origin::All],
                place: place.clone(),
                step: None,
                confidence: Confidence::Certain,
                strength: Strength::Rule,
                why: "`secrets: inherit` passes every secret to the called workflow".to_owned(),
            });
        }
        for secret in call.secrets.iter().chain(&call.inputs) {
            let Some((kind, part)) = table().variable(&secret.name.as_str().replace('-', "_")) else {
                continue;
            };
            let origins = referenced(self.platform(), secret.value.as_str(), scopes);
            if origins.is_empty() {
                continue;
            }
            sinks.push(Sink {
                kind,
                part,
                name: format!("{target}: {}", secret.name),
                origins,
                place: secret.value.place.clone(),
                step: None,
                confidence: Confidence::Inferred,
                strength: Strength::Likeness,
                why: format!("the called workflow takes it as `{}`", secret.name),
            });
        }
    }

    /// Credentials for the registry of an image.
    fn image(&self, image: &Image, scopes: Scopes<'_>, sinks: &mut Vec<Sink>) {
        let host = image
            .name
            .as_str()
            .split('/')
            .next()
            .filter(|host| host.contains(['.', ':']) && image.name.as_str().contains('/'));
        for variable in &image.credentials {
            let name = variable.name.as_str().to_ascii_lowercase().replace('-', "_");
            let aws = || table().index("aws-access-key");
            let (kind, part) = match name.as_str() {
                "access_key" | "aws_access_key_id" => (aws(), Part::Id),
                "secret_key" | "aws_secret_access_key" => (aws(), Part::Secret),
                "password" => (
                    table()
                        .index("docker-hub-password")
                        .map(|hub| registry::kind_of(host.unwrap_or_default(), hub)),
                    Part::Secret,
                ),
                "endpoint" | "registrycredentialsid" => {
                    (table().index("registry-password"), Part::Connection)
                }
                _ => continue,
            };
            let Some(kind) = kind else { continue };
            let (origins, confidence) = if part == Part::Connection {
                (vec![Origin::Connection(variable.value.as_str().to_owned())], Confidence::Inferred)
            } else {
                let Some(judged) = judged(origins(self.platform(), variable.value.as_str(), scopes), part)
                else {
                    continue;
                };
                judged
            };
            sinks.push(Sink {
                kind,
                part,
                name: format!("image: {}", variable.name),
                origins,
                place: variable.value.place.clone(),
                step: None,
                confidence,
                strength: Strength::Rule,
                why: "an image is pulled with it".to_owned(),
            });
        }
    }
}

/// What an orb reads where nothing is said.
fn default(kind: usize, rule: &UseRule, step: &Step, index: usize) -> Option<Sink> {
    let uses = step.uses.as_ref()?;
    let old = uses.major().is_none_or(|major| major < rule.default_before);
    if rule.default.is_empty() || !old {
        return None;
    }
    Some(Sink {
        kind,
        part: Part::Secret,
        name: uses.name.clone(),
        origins: rule.default.iter().cloned().map(Origin::Stored).collect(),
        place: uses.text.place.clone(),
        step: Some(index),
        confidence: Confidence::Inferred,
        strength: Strength::Rule,
        why: format!("`{}` reads `{}` where no role is given", uses.text, rule.default.join("` and `")),
    })
}

/// Whether a value's origins make a credential of it, and how surely.
fn judged(origins: Vec<Origin>, part: Part) -> Option<(Vec<Origin>, Confidence)> {
    let mut confidence = None;
    let mut kept = Vec::new();
    for origin in origins {
        let sure = match &origin {
            Origin::Stored(name) if name.starts_with("vars.") && part == Part::Secret => Confidence::Inferred,
            Origin::Stored(_) | Origin::Indexed(_) | Origin::All | Origin::Connection(_) => {
                Confidence::Certain
            }
            Origin::Literal(text) if literal::kind_of(text).is_some() => Confidence::Certain,
            Origin::Literal(text) if part == Part::Secret && literal::looks_secret(text) => {
                Confidence::Certain
            }
            Origin::Literal(_) | Origin::Passed(_) | Origin::Made | Origin::Nothing => continue,
        };
        confidence = confidence.max(Some(sure));
        kept.push(origin);
    }
    confidence.map(|confidence| (kept, confidence))
}

fn truth(text: &Text) -> Option<bool> {
    match text.as_str().to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// The place of a byte of a script.
pub(super) fn within(script: &Text, offset: usize) -> Place {
    let mut place = script.place.clone();
    let line = script.line_of(offset);
    if line != place.line {
        place.line = line;
        place.column = 1;
    }
    place
}
