use std::collections::BTreeMap;

use daypass_issuers::ValueSet;

use super::expression::{self, Expression};
use crate::Text;
use crate::condition::pattern;
use crate::yaml::Node;

/// The values that names of a job can have: `matrix.X` and `inputs.X`.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    known: BTreeMap<String, ValueSet>,
}

impl Names {
    /// The inputs of a workflow that is started by hand or called: the choices, else the default among others.
    pub(super) fn of_workflow(document: &Node) -> Self {
        let mut names = Self::default();
        for event in ["workflow_dispatch", "workflow_call"] {
            let Some(inputs) =
                document.get("on").and_then(|on| on.get(event)).and_then(|on| on.get("inputs"))
            else {
                continue;
            };
            for (name, pair) in inputs.entries() {
                let options = pair.value.get("options").map(Node::items).unwrap_or_default();
                let kind = pair.value.get("type").and_then(Node::as_str);
                let set = if !options.is_empty() {
                    texts(options)
                } else if kind == Some("boolean") {
                    ValueSet::exactly("true").or(ValueSet::exactly("false"))
                } else {
                    ValueSet::Unknown(format!("input `{name}`"))
                };
                let before = names.known.remove(&format!("inputs.{name}"));
                let set = before.map_or(set.clone(), |before| before.or(set));
                names.known.insert(format!("inputs.{name}"), set);
            }
        }
        names
    }

    /// Gives a called workflow its inputs, in the caller's terms.
    pub(super) fn called(document: &Node, inputs: &[crate::Variable], caller: &Self) -> Self {
        let mut names = Self::of_workflow(document);
        for input in inputs {
            let set = caller.values(input.value.as_str());
            names.known.insert(format!("inputs.{}", input.name), set);
        }
        let declared =
            document.get("on").and_then(|on| on.get("workflow_call")).and_then(|on| on.get("inputs"));
        for (name, pair) in declared.map(Node::entries).unwrap_or_default() {
            let given = inputs.iter().any(|input| input.name.as_str() == name.as_str());
            let default = pair.value.get("default").and_then(Node::as_str);
            if let Some(default) = default.filter(|_| !given) {
                names.known.insert(format!("inputs.{name}"), ValueSet::exactly(default));
            }
        }
        names
    }

    /// Adds the lists of a job's matrix.
    pub(super) fn with_matrix(mut self, matrix: Option<&Node>) -> Self {
        let Some(matrix) = matrix else { return self };
        if let Some(text) = matrix.text() {
            let why = format!("matrix `{}`", text.as_str().trim());
            self.known.insert("matrix".to_owned(), ValueSet::Unknown(why));
            return self;
        }
        for (name, pair) in matrix.entries() {
            if matches!(name.as_str(), "include" | "exclude") {
                continue;
            }
            let set = match pair.value.text() {
                Some(text) => from_json(text.as_str()),
                None => texts(pair.value.items()),
            };
            self.add(format!("matrix.{name}"), set);
        }
        for item in matrix.get("include").map(Node::items).unwrap_or_default() {
            for (name, pair) in item.entries() {
                if let Some(text) = pair.value.as_str() {
                    self.add(format!("matrix.{name}"), self.values(text));
                }
            }
        }
        self
    }

    fn add(&mut self, name: String, set: ValueSet) {
        let before = self.known.remove(&name).unwrap_or_else(ValueSet::none);
        self.known.insert(name, before.or(set));
    }

    /// The values that a text with expressions can have.
    pub(super) fn values(&self, text: &str) -> ValueSet {
        if !text.contains("${{") {
            return ValueSet::exactly(text);
        }
        if let Some(inner) = expression::whole(text) {
            let parsed = expression::parse(inner);
            return parsed.map_or_else(|| unknown(inner), |expression| self.evaluate(&expression));
        }
        self.joined(text)
    }

    /// The values of a text with expressions inside. One expression with known values is written out.
    fn joined(&self, text: &str) -> ValueSet {
        let mut parts = text.split("${{");
        let before = parts.next().unwrap_or_default();
        let rest: Vec<&str> = parts.collect();
        if let [only] = rest.as_slice()
            && let Some((inner, after)) = only.split_once("}}")
            && let ValueSet::Exactly(values) = self.values(&format!("${{{{{inner}}}}}"))
        {
            return ValueSet::Exactly(values.iter().map(|value| format!("{before}{value}{after}")).collect());
        }
        let mut regex = regex::escape(before);
        for part in rest {
            let after = part.split_once("}}").map_or("", |(_, after)| after);
            regex.push_str("(?s:.*)");
            regex.push_str(&regex::escape(after));
        }
        pattern(text, &regex)
    }

    fn evaluate(&self, expression: &Expression) -> ValueSet {
        match expression {
            Expression::Literal(text) => ValueSet::exactly(text),
            Expression::Path(path) => self.known.get(path).cloned().unwrap_or_else(|| unknown(path)),
            // `condition && 'a' || 'b'` is how a choice is written.
            Expression::Or(left, right) => match left.as_ref() {
                Expression::And(_, value) => self.evaluate(value).or(self.evaluate(right)),
                other => self.evaluate(other).or(self.evaluate(right)),
            },
            Expression::And(_, value) => self.evaluate(value),
            other => unknown(&other.to_string()),
        }
    }
}

fn texts(nodes: &[Node]) -> ValueSet {
    let mut set = ValueSet::none();
    for node in nodes {
        set = set.or(match node.text() {
            Some(text) if !text.as_str().contains("${{") => ValueSet::exactly(text.as_str()),
            Some(text) => unknown(text.as_str()),
            None => unknown("a list of mappings"),
        });
    }
    set
}

/// `${{ fromJSON('["a", "b"]') }}`, also as one side of a choice.
fn from_json(text: &str) -> ValueSet {
    let list = |expression: &Expression| match expression {
        Expression::Call(name, arguments) if name == "fromjson" => match arguments.as_slice() {
            [Expression::Literal(json)] => expression::strings_of(json),
            _ => None,
        },
        _ => None,
    };
    let parsed = expression::whole(text).and_then(expression::parse);
    parsed
        .as_ref()
        .and_then(list)
        .map_or_else(|| unknown(text), |values| ValueSet::Exactly(values.into_iter().collect()))
}

fn unknown(what: &str) -> ValueSet {
    ValueSet::Unknown(format!("`{}`", what.trim()))
}

/// The lists of a matrix that are written out, for whoever indexes by them.
pub(super) fn matrix(node: Option<&Node>) -> Vec<(Text, Vec<Text>)> {
    let Some(node) = node else { return Vec::new() };
    let mut found: Vec<(Text, Vec<Text>)> = Vec::new();
    let mut add =
        |name: &Text, texts: Vec<Text>| match found.iter_mut().find(|(one, _)| one.value == name.value) {
            Some((_, all)) => all.extend(texts),
            None => found.push((name.clone(), texts)),
        };
    for (name, pair) in node.entries() {
        match name.as_str() {
            "include" => {
                for item in pair.value.items() {
                    for (name, pair) in item.entries() {
                        add(name, pair.value.text().cloned().into_iter().collect());
                    }
                }
            }
            "exclude" => {}
            _ => add(name, pair.value.items().iter().filter_map(Node::text).cloned().collect()),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(yaml: &str) -> Names {
        let file = std::sync::Arc::from("w.yml");
        let node = crate::yaml::parse(&file, yaml.as_bytes()).unwrap().remove(0);
        Names::of_workflow(&node).with_matrix(node.get("matrix"))
    }

    #[test]
    fn a_value_is_what_matrix_and_inputs_make_of_it() {
        let names = names(
            "on: {workflow_dispatch: {inputs: {target: {type: choice, options: [dev, prod]}, name: {}}}}\n\
             matrix: {env: [a, b], os: \"${{ fromJSON('[\\\"x\\\"]') }}\", include: [{env: c}, {extra: d}]}\n",
        );
        for (text, wanted) in [
            ("prod", "`prod`"),
            ("${{ inputs.target }}", "`dev` or `prod`"),
            ("${{ inputs.name }}", "unknown (input `name`)"),
            ("${{ matrix.env }}", "`a` or `b` or `c`"),
            ("${{ matrix.extra }}", "`d`"),
            ("${{ matrix.os }}", "`x`"),
            ("eu-${{ matrix.env }}-1", "`eu-a-1` or `eu-b-1` or `eu-c-1`"),
            ("pr-${{ github.event.number }}", "like `pr-${{ github.event.number }}`"),
            (
                "${{ github.ref == 'refs/heads/main' && 'production' || 'staging' }}",
                "`production` or `staging`",
            ),
            ("${{ vars.ENVIRONMENT }}", "unknown (`vars.ENVIRONMENT`)"),
        ] {
            assert_eq!(names.values(text).to_string(), wanted, "{text}");
        }
    }
}
