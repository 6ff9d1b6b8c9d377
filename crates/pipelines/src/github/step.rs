use std::sync::Arc;

use super::{ACTIONS, Setting, expression, local, not_followed, place_of, uses, variables};
use crate::yaml::Node;
use crate::{Condition, Note, Scope, Step, Text, Variable};

/// The steps of a job or composite action, with those of local composite actions in place of their call.
pub(super) fn read_all(nodes: &[Node], setting: Setting<'_>, notes: &mut Vec<Note>) -> Vec<Step> {
    let mut steps = Vec::new();
    for node in nodes {
        expand(node, setting, notes, &mut Vec::new(), &mut steps);
    }
    steps
}

fn expand(
    node: &Node,
    setting: Setting<'_>,
    notes: &mut Vec<Note>,
    path: &mut Vec<Text>,
    steps: &mut Vec<Step>,
) {
    if !node.is_mapping() {
        return;
    }
    let step = read(node, notes);
    let target = step.uses.as_ref().filter(|uses| uses.is_local()).map(|uses| uses.text.clone());
    let start = steps.len();
    let inputs = step.inputs.clone();
    steps.push(step);
    let Some(target) = target else { return };
    if path.iter().any(|one| one.value == target.value) {
        notes.push(not_followed(&target, "it uses itself"));
        return;
    }
    if path.len() >= ACTIONS {
        notes.push(not_followed(&target, format_args!("actions are nested more than {ACTIONS} levels deep")));
        return;
    }
    let document = match action(setting, target.as_str()) {
        Ok(Some(document)) => document,
        Ok(None) => return notes.push(not_followed(&target, "there is no such file here")),
        Err(error) => return notes.push(not_followed(&target, error)),
    };
    path.push(target.clone());
    let inner = document.get("runs").and_then(|runs| runs.get("steps"));
    for node in inner.map(Node::items).unwrap_or_default() {
        expand(node, setting, notes, path, steps);
    }
    path.pop();
    let inputs = with_defaults(&document, inputs);
    for step in steps.iter_mut().skip(start.saturating_add(1)) {
        step.via.insert(0, target.clone());
        let values = step.inputs.iter_mut().chain(&mut step.env).map(|variable| &mut variable.value);
        values.chain(&mut step.scripts).for_each(|text| fill_in(text, &inputs));
    }
}

fn action(setting: Setting<'_>, target: &str) -> Result<Option<Node>, crate::yaml::YamlError> {
    for name in ["action.yml", "action.yaml"] {
        if let Some(document) = local(setting, &format!("{target}/{name}"))? {
            return Ok(Some(document));
        }
    }
    Ok(None)
}

fn with_defaults(document: &Node, mut inputs: Vec<Variable>) -> Vec<Variable> {
    for (name, pair) in document.get("inputs").map(Node::entries).unwrap_or_default() {
        let given = inputs.iter().any(|input| input.name.as_str().eq_ignore_ascii_case(name.as_str()));
        if let Some(value) = pair.value.get("default").and_then(Node::text).filter(|_| !given) {
            inputs.push(Variable { name: name.clone(), value: value.clone(), scope: Scope::Step });
        }
    }
    inputs
}

/// Puts what the caller gives in place of `${{ inputs.X }}`. A text that is nothing else becomes the caller's, with
/// the caller's place: that is where the value comes from.
fn fill_in(text: &mut Text, inputs: &[Variable]) {
    let given = |inner: &str| {
        let name = inner.strip_prefix("inputs.")?;
        inputs.iter().find(|input| input.name.as_str().eq_ignore_ascii_case(name)).map(|input| &input.value)
    };
    if let Some(inner) = expression::whole(text.as_str()) {
        if let Some(value) = given(inner) {
            *text = value.clone();
        }
        return;
    }
    let mut filled = String::new();
    let mut changed = false;
    let mut parts = text.as_str().split("${{");
    filled.push_str(parts.next().unwrap_or_default());
    for part in parts {
        match part.split_once("}}").and_then(|(inner, after)| Some((given(inner.trim())?, after))) {
            Some((value, after)) => {
                changed = true;
                filled.push_str(value.as_str());
                filled.push_str(after);
            }
            None => {
                filled.push_str("${{");
                filled.push_str(part);
            }
        }
    }
    if changed {
        text.value = Arc::from(filled);
    }
}

fn read(node: &Node, notes: &mut Vec<Note>) -> Step {
    let text = |key: &str| node.get(key).and_then(Node::text);
    Step {
        name: text("name").or_else(|| text("id")).cloned(),
        place: place_of(node),
        uses: text("uses").map(uses),
        inputs: variables(node.get("with"), Scope::Step, notes),
        scripts: text("run").cloned().into_iter().collect(),
        env: variables(node.get("env"), Scope::Step, notes),
        condition: text("if").map_or(Condition::Always, |text| expression::condition(text.as_str())),
        via: Vec::new(),
    }
}
