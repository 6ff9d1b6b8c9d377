use daypass_trust::document::{Member, Node, Source, Span, Value};

use crate::terraform::{Marks, OWN_ACCOUNT, same};

/// How deep intrinsic functions may lead into one another.
const DEPTH_LIMIT: usize = 60;

/// A template, as what its intrinsic functions refer to.
pub(super) struct Template<'t, 's, 'p> {
    source: &'t Source,
    root: &'t Node,
    marks: &'t Marks<'s, 'p>,
}

impl<'t, 's, 'p> Template<'t, 's, 'p> {
    pub(super) const fn of(source: &'t Source, root: &'t Node, marks: &'t Marks<'s, 'p>) -> Self {
        Self { source, root, marks }
    }

    /// Whether a resource has a condition that is known to be false.
    pub(super) fn is_left_out(&self, resource: &Node) -> bool {
        let condition = resource.get("Condition").and_then(Node::as_str);
        condition.is_some_and(|name| self.named_condition(name, 0) == Some(false))
    }

    /// A value without intrinsic functions: what they leave open is unresolved, or marked within a text.
    pub(super) fn resolve(&self, node: &Node) -> Node {
        self.at(node, 0)
    }

    fn at(&self, node: &Node, depth: usize) -> Node {
        let span = node.span;
        if depth >= DEPTH_LIMIT {
            return unknown("the template leads too deep", span);
        }
        let depth = depth.saturating_add(1);
        match &node.value {
            Value::Array(items) => {
                let items = items.iter().map(|item| self.at(item, depth));
                Node { span, value: Value::Array(items.filter(|item| !is_absent(item)).collect()) }
            }
            Value::Table(members) => {
                if let [Member { name, node: argument, .. }] = members.as_slice()
                    && (name == "Ref" || name.starts_with("Fn::"))
                {
                    return self.call(name, argument, span, depth);
                }
                let members = members.iter().filter_map(|member| {
                    let node = self.at(&member.node, depth);
                    (!is_absent(&node)).then(|| Member { node, ..member.clone() })
                });
                Node { span, value: Value::Table(members.collect()) }
            }
            _ => node.clone(),
        }
    }

    fn call(&self, name: &str, argument: &Node, span: Span, depth: usize) -> Node {
        let result = match name {
            "Ref" => argument.as_str().map(|name| self.reference(name, span)),
            "Fn::GetAtt" => self.attribute(argument, span),
            "Fn::Sub" => self.sub(argument, span, depth),
            "Fn::Join" => self.join(argument, span, depth),
            "Fn::Split" => self.split(argument, span, depth),
            "Fn::Select" => self.select(argument, span, depth),
            "Fn::If" => self.choose(argument, depth),
            "Fn::FindInMap" => self.find_in_map(argument, depth),
            other => Some(unknown(&format!("`{other}` is not modelled"), span)),
        };
        result.unwrap_or_else(|| unknown(&format!("`{name}` is called with other arguments"), span))
    }

    fn reference(&self, name: &str, span: Span) -> Node {
        if let Some(value) = self.pseudo(name, span) {
            return value;
        }
        if let Some(parameter) = self.root.get("Parameters").and_then(|it| it.get(name)) {
            return self.parameter(name, parameter, span);
        }
        match self.root.get("Resources").and_then(|it| it.get(name)) {
            Some(resource) => self.resource_reference(name, resource, span),
            None => unknown(&format!("`{name}` is not in the template"), span),
        }
    }

    fn pseudo(&self, name: &str, span: Span) -> Option<Node> {
        let value = match name {
            "AWS::AccountId" => Value::String(self.marks.unknown(OWN_ACCOUNT)),
            "AWS::Partition" => Value::String("aws".to_owned()),
            "AWS::URLSuffix" => Value::String("amazonaws.com".to_owned()),
            "AWS::NoValue" => Value::Null,
            name if name.starts_with("AWS::") => {
                Value::Unresolved(format!("`{name}` is known when the stack is deployed"))
            }
            _ => return None,
        };
        Some(Node { span, value })
    }

    fn parameter(&self, name: &str, parameter: &Node, span: Span) -> Node {
        let Some(default) = parameter.get("Default") else {
            let line = self.source.at(parameter.span).line;
            let why = format!("parameter `{name}` has no default ({}:{line})", self.source.name());
            return unknown(&why, span);
        };
        let kind = parameter.get("Type").and_then(Node::as_str).unwrap_or_default();
        if kind.starts_with("AWS::SSM::") {
            return unknown(&format!("parameter `{name}` is the name of a stored one"), span);
        }
        let value = match (&default.value, kind) {
            (Value::String(text), kind) if kind == "CommaDelimitedList" || kind.starts_with("List<") => {
                let items = text.split(',').map(|item| string(item.trim(), span));
                Value::Array(items.collect())
            }
            (value, _) => value.clone(),
        };
        Node { span, value }
    }

    /// `Ref` of a provider is its ARN, of a role its name.
    fn resource_reference(&self, name: &str, resource: &Node, span: Span) -> Node {
        let property = |property| resource.get("Properties").and_then(|it| it.get(property));
        match (resource.get("Type").and_then(Node::as_str), property("RoleName")) {
            (Some("AWS::IAM::OIDCProvider"), _) => self.arn(resource, span),
            (Some("AWS::IAM::Role"), Some(role)) => self.at(role, 1),
            _ => unknown(&format!("resource `{name}` has its name when the stack is deployed"), span),
        }
    }

    /// `Fn::GetAtt` of `[resource, attribute]` or `resource.attribute`.
    fn attribute(&self, argument: &Node, span: Span) -> Option<Node> {
        let (name, attribute) = match &argument.value {
            Value::String(text) => text.split_once('.')?,
            Value::Array(items) => match items.as_slice() {
                [name, attribute] => (name.as_str()?, attribute.as_str()?),
                _ => return None,
            },
            _ => return None,
        };
        let resource = self.root.get("Resources").and_then(|it| it.get(name));
        let known = resource.filter(|resource| {
            let kind = resource.get("Type").and_then(Node::as_str);
            attribute == "Arn" && matches!(kind, Some("AWS::IAM::OIDCProvider" | "AWS::IAM::Role"))
        });
        Some(match known {
            Some(resource) => self.arn(resource, span),
            None => unknown(&format!("`{name}.{attribute}` is known when the stack is deployed"), span),
        })
    }

    fn arn(&self, resource: &Node, span: Span) -> Node {
        let provider = resource.get("Type").and_then(Node::as_str) == Some("AWS::IAM::OIDCProvider");
        let (property, kind) = if provider { ("Url", "oidc-provider") } else { ("RoleName", "role") };
        let named = resource.get("Properties").and_then(|it| it.get(property)).map(|it| self.at(it, 1));
        let name = named
            .as_ref()
            .and_then(|node| self.text(node))
            .unwrap_or_else(|| self.marks.unknown("the resource has its name when the stack is deployed"));
        let name = name.strip_prefix("https://").unwrap_or(&name);
        string(&format!("arn:aws:iam::{}:{kind}/{name}", self.marks.unknown(OWN_ACCOUNT)), span)
    }

    /// `${Name}`, `${Name.Attribute}` and `${!Literal}` in a text, with a map of more names.
    fn sub(&self, argument: &Node, span: Span, depth: usize) -> Option<Node> {
        let (template, names) = match argument.as_array() {
            Some([template, names]) => (template.as_str()?, Some(names)),
            Some(_) => return None,
            None => (argument.as_str()?, None),
        };
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("${") {
            text.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                text.push_str("${");
                rest = after;
                continue;
            };
            rest = after;
            if let Some(literal) = name.strip_prefix('!') {
                text.push_str(&format!("${{{literal}}}"));
                continue;
            }
            let value = match names.and_then(|names| names.get(name.trim())) {
                Some(node) => self.at(node, depth),
                None if name.contains('.') => self.attribute(&string(name.trim(), span), span)?,
                None => self.reference(name.trim(), span),
            };
            text.push_str(&self.text(&value)?);
        }
        text.push_str(rest);
        Some(string(&text, argument.span))
    }

    fn join(&self, argument: &Node, span: Span, depth: usize) -> Option<Node> {
        let [separator, list] = argument.as_array()? else { return None };
        let list = self.at(list, depth);
        if list.unresolved().is_some() {
            return Some(Node { span, ..list });
        }
        let texts: Option<Vec<String>> = list.as_array()?.iter().map(|item| self.text(item)).collect();
        Some(string(&texts?.join(separator.as_str()?), span))
    }

    fn split(&self, argument: &Node, span: Span, depth: usize) -> Option<Node> {
        let [separator, text] = argument.as_array()? else { return None };
        let text = self.at(text, depth);
        let items = text.as_str()?.split(separator.as_str()?).map(|part| string(part, span));
        Some(Node { span, value: Value::Array(items.collect()) })
    }

    fn select(&self, argument: &Node, span: Span, depth: usize) -> Option<Node> {
        let [index, list] = argument.as_array()? else { return None };
        let list = self.at(list, depth);
        if list.unresolved().is_some() {
            return Some(Node { span, ..list });
        }
        let index: usize = self.text(&self.at(index, depth))?.parse().ok()?;
        list.as_array()?.get(index).cloned()
    }

    fn choose(&self, argument: &Node, depth: usize) -> Option<Node> {
        let [condition, then, otherwise] = argument.as_array()? else { return None };
        Some(match self.named_condition(condition.as_str()?, depth) {
            Some(true) => self.at(then, depth),
            Some(false) => self.at(otherwise, depth),
            None => {
                let why =
                    format!("condition `{}` is decided when the stack is deployed", condition.as_str()?);
                unknown(&why, argument.span)
            }
        })
    }

    fn find_in_map(&self, argument: &Node, depth: usize) -> Option<Node> {
        let [map, first, second] = argument.as_array()? else { return None };
        let key = |node: &Node| {
            let node = self.at(node, depth);
            self.text(&node).filter(|_| node.unresolved().is_none())
        };
        let (Some(map), Some(first), Some(second)) = (key(map), key(first), key(second)) else {
            return Some(unknown("the keys of the map are known when the stack is deployed", argument.span));
        };
        let found = self.root.get("Mappings")?.get(&map)?.get(&first).and_then(|it| it.get(&second));
        Some(match found {
            Some(node) => self.at(node, depth),
            None => unknown(&format!("map `{map}` has no `{first}`, `{second}`"), argument.span),
        })
    }

    fn named_condition(&self, name: &str, depth: usize) -> Option<bool> {
        let condition = self.root.get("Conditions")?.get(name)?;
        self.condition(condition, depth.saturating_add(1))
    }

    fn condition(&self, node: &Node, depth: usize) -> Option<bool> {
        let [Member { name, node: argument, .. }] = node.as_table()? else { return None };
        if depth >= DEPTH_LIMIT {
            return None;
        }
        let depth = depth.saturating_add(1);
        let all = || argument.as_array().unwrap_or_default().iter().map(|item| self.condition(item, depth));
        match name.as_str() {
            "Condition" => self.named_condition(argument.as_str()?, depth),
            "Fn::Not" => self.condition(argument.as_array()?.first()?, depth).map(|value| !value),
            "Fn::And" if all().any(|value| value == Some(false)) => Some(false),
            "Fn::Or" if all().any(|value| value == Some(true)) => Some(true),
            "Fn::And" => all().collect::<Option<Vec<bool>>>().map(|values| values.into_iter().all(|it| it)),
            "Fn::Or" => all().collect::<Option<Vec<bool>>>().map(|values| values.into_iter().any(|it| it)),
            "Fn::Equals" => {
                let [a, b] = argument.as_array()? else { return None };
                let (a, b) = (self.at(a, depth), self.at(b, depth));
                let known = |node: &Node| {
                    node.strings().iter().all(|(text, _)| !crate::terraform::marked(text))
                        && node.unresolved().is_none()
                };
                (known(&a) && known(&b)).then(|| match (self.text(&a), self.text(&b)) {
                    (Some(a), Some(b)) => a == b,
                    _ => same(&a.value, &b.value),
                })
            }
            _ => None,
        }
    }

    /// A value within a text.
    fn text(&self, node: &Node) -> Option<String> {
        match &node.value {
            Value::String(text) | Value::Number(text) => Some(text.clone()),
            Value::Bool(value) => Some(value.to_string()),
            Value::Unresolved(why) => Some(self.marks.unknown(why)),
            _ => None,
        }
    }
}

/// `AWS::NoValue` takes the property away.
fn is_absent(node: &Node) -> bool {
    node.value == Value::Null
}

fn unknown(why: &str, span: Span) -> Node {
    Node { span, value: Value::Unresolved(why.to_owned()) }
}

fn string(text: &str, span: Span) -> Node {
    Node { span, value: Value::String(text.to_owned()) }
}
