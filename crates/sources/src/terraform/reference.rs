use std::rc::Rc;

use daypass_trust::document::{Member, Node, Span, Value};

use super::computed;
use super::env::{Env, Instance};
use super::eval::Step;
use super::session::{Child, Session};
use super::syntax::Block;
use super::value::Val;

impl<'p> Session<'p> {
    /// The value that a name and the first steps after it mean, and how many of the steps that took.
    pub(super) fn reference(&self, root: &str, steps: &[Step], span: Span, env: &Env<'p>) -> (Val, usize) {
        if let Some(value) = env.local(root) {
            return (value.clone(), 0);
        }
        let first = match steps.first() {
            Some(Step::Attribute(name)) => name.as_str(),
            _ => "",
        };
        match root {
            "var" => (self.variable(&env.module, first, span, env.depth), 1),
            "local" => (self.local_value(first, span, env), 1),
            "each" | "count" => (each(&env.instance, root, first, span), 1),
            "path" => {
                let path = if first == "module" { &env.module.folder } else { &env.module.root };
                (Val::string(if path.is_empty() { "." } else { path.as_str() }, span), 1)
            }
            "terraform" | "tofu" => {
                (Val::unknown(format!("`{root}.{first}` is known when it runs"), span), 1)
            }
            "self" => (Val::unknown("`self` is known when it runs", span), steps.len()),
            "module" => self.module_value(first, steps.get(1..).unwrap_or_default(), span, env),
            "data" => match steps.get(1) {
                Some(Step::Attribute(name)) => {
                    let block = env.module.definition.data.get(&(first.to_owned(), name.clone()));
                    let rest = steps.get(2..).unwrap_or_default();
                    let (value, taken) = self.block_value(true, first, name, block, rest, span, env);
                    (value, taken.saturating_add(2))
                }
                _ => (Val::failure("`data` is followed by a type and a name", span), steps.len()),
            },
            kind if steps.is_empty() => (Val::failure(format!("there is nothing called `{kind}`"), span), 0),
            kind => {
                let block = env.module.definition.resources.get(&(kind.to_owned(), first.to_owned()));
                let rest = steps.get(1..).unwrap_or_default();
                let (value, taken) = self.block_value(false, kind, first, block, rest, span, env);
                (value, taken.saturating_add(1))
            }
        }
    }

    fn local_value(&self, name: &str, span: Span, env: &Env<'p>) -> Val {
        let Some((_, expression)) = env.module.definition.locals.get(name) else {
            return Val::failure(format!("there is no `local.{name}`"), span);
        };
        self.remember(&env.module, &format!("local.{name}"), span, || {
            let single = Rc::new(Instance::Single);
            self.eval(*expression, &Env::top(&env.module, &single, env.depth))
        })
    }

    /// An attribute of a resource or data source: of the one meant, or of all under a splat.
    #[expect(clippy::too_many_arguments, reason = "one reference has this many parts")]
    fn block_value(
        &self,
        data: bool,
        kind: &str,
        name: &str,
        block: Option<&Block<'p>>,
        steps: &[Step],
        span: Span,
        env: &Env<'p>,
    ) -> (Val, usize) {
        let address = format!("{}{kind}.{name}", if data { "data." } else { "" });
        let Some(block) = block else {
            return (Val::failure(format!("`{address}` is not in this module"), span), steps.len());
        };
        let instances = self.instances(&env.module, block, env.depth);
        let attribute = |instance: &Rc<Instance>, name: &str| {
            let key = format!("{address}{}.{name}", instance.suffix());
            self.remember(&env.module, &key, span, || {
                let inner = Env::top(&env.module, instance, env.depth);
                computed::attribute(self, data, kind, name, block, &inner, span).unwrap_or_else(|| {
                    Val::unknown(format!("`{address}.{name}` is not known from the configuration"), span)
                })
            })
        };
        match steps {
            [Step::Attribute(wanted), ..] => match instances.first() {
                Some(instance) => (attribute(instance, wanted), 1),
                None => (Val::failure(format!("`{address}` has no instance"), span), steps.len()),
            },
            [Step::Index(index), Step::Attribute(wanted), ..] => {
                match self.instance_of(&instances, &index.node) {
                    Ok(instance) => (attribute(&instance, wanted), 2),
                    Err(why) => (Val { failed: true, ..Val::unknown(why, span) }, steps.len()),
                }
            }
            [Step::Splat, Step::Attribute(wanted), ..] => {
                let items = instances.iter().map(|it| self.adopt(attribute(it, wanted).node, span)).collect();
                // What comes after applies to each element, so the splat itself stays for `walk`.
                let list = Val::of(Value::Array(items), span);
                let rest = steps.get(2..).unwrap_or_default();
                if rest.is_empty() || matches!(rest.first(), Some(Step::Index(_))) {
                    (list, 2)
                } else {
                    let each: Vec<Step> = std::iter::once(Step::Splat).chain(rest.iter().cloned()).collect();
                    (self.walk(list, &each, span), steps.len())
                }
            }
            _ => (Val::unknown(format!("`{address}` as a whole is not modelled"), span), steps.len()),
        }
    }

    fn instance_of(&self, instances: &[Rc<Instance>], index: &Node) -> Result<Rc<Instance>, String> {
        if let Some(why) = self.why_unknown(index) {
            return Err(why);
        }
        let found = instances.iter().find(|instance| match (&***instance, &index.value) {
            (Instance::Count(at), Value::Number(text) | Value::String(text)) => *text == at.to_string(),
            (Instance::Each { key, .. }, Value::String(text) | Value::Number(text)) => key == text,
            (Instance::Unknown(_), _) => true,
            _ => false,
        });
        found.cloned().ok_or_else(|| "there is no such instance".to_owned())
    }

    /// An output of a module.
    fn module_value(&self, name: &str, steps: &[Step], span: Span, env: &Env<'p>) -> (Val, usize) {
        let all = steps.len().saturating_add(1);
        let children = self.children(&env.module, name, env.depth);
        if children.is_empty() {
            let why = if env.module.definition.calls.contains_key(name) {
                format!("`module.{name}` has no instance in the tree")
            } else {
                format!("there is no `module.{name}`")
            };
            return (Val::unknown(why, span), all);
        }
        match steps {
            [Step::Attribute(output), ..] => (
                children
                    .first()
                    .map_or_else(|| Val::unknown("", span), |it| self.output(it, output, span, env)),
                2,
            ),
            [Step::Index(index), Step::Attribute(output), ..] => {
                let instances: Vec<_> = children.iter().map(|child| Rc::clone(&child.instance)).collect();
                let child = self.instance_of(&instances, &index.node).ok().and_then(|instance| {
                    children.iter().find(|child| Rc::ptr_eq(&child.instance, &instance))
                });
                match child {
                    Some(child) => (self.output(child, output, span, env), 3),
                    None => (Val::failure(format!("`module.{name}` has no such instance"), span), all),
                }
            }
            [Step::Splat, Step::Attribute(output)] => {
                let outputs =
                    children.iter().map(|it| self.adopt(self.output(it, output, span, env).node, span));
                (Val::of(Value::Array(outputs.collect()), span), 3)
            }
            _ => {
                let why = format!("`module.{name}` as a whole is not modelled");
                (Val::unknown(why, span), all)
            }
        }
    }

    fn output(&self, child: &Child, name: &str, span: Span, env: &Env<'p>) -> Val {
        let Some(module) = self.module(child.module) else { return Val::unknown("no such module", span) };
        let value = module.definition.outputs.get(name).and_then(|block| block.body.attribute("value"));
        let Some(expression) = value else {
            return Val::failure(format!("the module has no output `{name}`"), span);
        };
        self.remember(&module, &format!("output.{name}"), span, || {
            self.eval(expression, &Env::top(&module, &Rc::new(Instance::Single), env.depth))
        })
    }
}

fn each(instance: &Instance, root: &str, name: &str, span: Span) -> Val {
    match (instance, root, name) {
        (Instance::Count(index), "count", "index") => Val::of(Value::Number(index.to_string()), span),
        (Instance::Each { key, .. }, "each", "key") => Val::string(key.clone(), span),
        (Instance::Each { value, .. }, "each", "value") => Val::from(value.clone()),
        (Instance::Unknown(why), _, _) => Val::unknown(why.clone(), span),
        _ => Val::failure(format!("`{root}.{name}` has no meaning here"), span),
    }
}

/// A table from names and nodes, all at one place.
pub(super) fn table(members: Vec<(&str, Node)>, span: Span) -> Node {
    let members =
        members.into_iter().map(|(name, node)| Member { name: name.to_owned(), name_span: span, node });
    Node { span, value: Value::Table(members.collect()) }
}
