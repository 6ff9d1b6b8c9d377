use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use daypass_trust::document::{Node, Span, Value};

use super::env::{Env, Instance};
use super::project::{Definition, ModuleSource, Project, variable_files};
use super::syntax::{Block, Body, File};
use super::value::{Part, Val, marked, parts, place, size};
use crate::found::Found;

/// How deep expressions and references may lead into one another.
pub(super) const DEPTH_LIMIT: usize = 100;
/// How many expressions one configuration may take to evaluate, copies of values counted.
const FUEL: usize = 2_000_000;
/// How many parts the value of one name may have.
const VALUE_LIMIT: usize = 50_000;
/// How many instances all modules of a configuration may have.
const MODULE_LIMIT: usize = 2_000;

/// The evaluation of one root module.
pub(crate) struct Session<'p> {
    pub(crate) project: &'p Project<'p>,
    modules: RefCell<Vec<Rc<Module<'p>>>>,
    unknowns: RefCell<Vec<String>>,
    fuel: Cell<usize>,
    pub(crate) found: RefCell<Found>,
    /// Policy documents that became parts of others.
    pub(crate) consumed: RefCell<BTreeSet<Span>>,
}

/// One instance of a module.
pub(crate) struct Module<'p> {
    /// Its number in the session.
    id: usize,
    /// `module.ci["a"].`, empty for the root.
    pub(crate) address: String,
    /// `ci.github`: the key of an installed module.
    key: String,
    pub(crate) folder: String,
    pub(crate) root: String,
    pub(crate) definition: Definition<'p>,
    inputs: Inputs<'p>,
    values: RefCell<HashMap<String, Memo>>,
    children: RefCell<HashMap<String, Rc<Vec<Child>>>>,
}

/// A module below another: what tells it from its sisters, and its number.
#[derive(Clone, Debug)]
pub(crate) struct Child {
    pub(crate) instance: Rc<Instance>,
    pub(crate) module: usize,
}

/// Where the values of variables come from.
enum Inputs<'p> {
    /// Files beside a root module.
    Files(BTreeMap<String, Val>),
    /// The call of a module, evaluated where it stands.
    Call { caller: usize, body: Body<'p>, instance: Rc<Instance> },
}

enum Memo {
    /// Being evaluated: asking again is going round in a circle.
    Open,
    Known(Val, usize),
}

impl<'p> Session<'p> {
    /// Starts at a root module, or at one file of it.
    pub(crate) fn new(project: &'p Project<'p>, root: &str, only: Option<usize>) -> (Self, Rc<Module<'p>>) {
        let session = Self {
            project,
            modules: RefCell::default(),
            unknowns: RefCell::default(),
            fuel: Cell::new(FUEL),
            found: RefCell::default(),
            consumed: RefCell::default(),
        };
        let empty = session.push_module(|id| Module {
            id,
            address: String::new(),
            key: String::new(),
            folder: root.to_owned(),
            root: root.to_owned(),
            definition: Definition::default(),
            inputs: Inputs::Files(BTreeMap::new()),
            values: RefCell::default(),
            children: RefCell::default(),
        });
        let inputs = session.read_variable_files(root, &empty);
        let module = session.push_module(|id| Module {
            id,
            address: String::new(),
            key: String::new(),
            folder: root.to_owned(),
            root: root.to_owned(),
            definition: project.definition(root, only),
            inputs: Inputs::Files(inputs),
            values: RefCell::default(),
            children: RefCell::default(),
        });
        (session, module)
    }

    fn push_module(&self, make: impl FnOnce(usize) -> Module<'p>) -> Rc<Module<'p>> {
        let mut modules = self.modules.borrow_mut();
        let module = Rc::new(make(modules.len()));
        modules.push(Rc::clone(&module));
        module
    }

    /// The module of that number.
    pub(crate) fn module(&self, id: usize) -> Option<Rc<Module<'p>>> {
        self.modules.borrow().get(id).cloned()
    }

    /// Takes from what the whole evaluation may use up; `false` when nothing is left.
    pub(crate) fn spend(&self, amount: usize) -> bool {
        match self.fuel.get().checked_sub(amount.max(1)) {
            Some(left) => {
                self.fuel.set(left);
                true
            }
            None => false,
        }
    }

    /// The number of something unknown.
    pub(crate) fn unknown_number(&self, why: &str) -> usize {
        let mut unknowns = self.unknowns.borrow_mut();
        if let Some(at) = unknowns.iter().position(|known| known == why) {
            return at;
        }
        unknowns.push(why.to_owned());
        unknowns.len().saturating_sub(1)
    }

    /// Why something of that number is unknown.
    pub(crate) fn why(&self, number: usize) -> Option<String> {
        self.unknowns.borrow().get(number).cloned()
    }

    /// Why a text is not wholly known.
    pub(crate) fn why_marked(&self, text: &str) -> Option<String> {
        if !marked(text) {
            return None;
        }
        parts(text).into_iter().find_map(|part| match part {
            Part::Unknown(number) => self.why(number),
            Part::Known(_) => None,
        })
    }

    /// Why a value is not known throughout.
    pub(crate) fn why_unknown(&self, node: &Node) -> Option<String> {
        match &node.value {
            Value::Unresolved(why) => Some(why.clone()),
            Value::String(text) => self.why_marked(text),
            Value::Array(items) => items.iter().find_map(|item| self.why_unknown(item)),
            Value::Table(members) => members
                .iter()
                .find_map(|member| self.why_marked(&member.name).or_else(|| self.why_unknown(&member.node))),
            _ => None,
        }
    }

    /// Makes a value part of an expression at `site`: what stands in another file is put where it is referred to.
    pub(crate) fn adopt(&self, node: Node, site: Span) -> Node {
        let mut node = node;
        if !self.project.map.same_file(node.span, site) {
            place(&mut node, site);
        }
        node
    }

    /// A value by name that is evaluated once per module.
    pub(crate) fn remember(
        &self,
        module: &Rc<Module<'p>>,
        name: &str,
        span: Span,
        evaluate: impl FnOnce() -> Val,
    ) -> Val {
        match module.values.borrow().get(name) {
            Some(Memo::Open) => return Val::failure(format!("`{name}` refers to itself"), span),
            Some(Memo::Known(value, nodes)) => {
                return if self.spend(*nodes) { value.clone() } else { Val::unknown(OUT_OF_FUEL, span) };
            }
            None => {}
        }
        module.values.borrow_mut().insert(name.to_owned(), Memo::Open);
        let mut value = evaluate();
        let mut nodes = size(&value.node);
        if nodes > VALUE_LIMIT {
            (value, nodes) = (Val::unknown(OUT_OF_FUEL, span), 1);
        }
        module.values.borrow_mut().insert(name.to_owned(), Memo::Known(value.clone(), nodes));
        value
    }

    /// The value of a variable, or why there is none.
    pub(crate) fn variable(&self, module: &Rc<Module<'p>>, name: &str, span: Span, depth: usize) -> Val {
        self.remember(module, &format!("var.{name}"), span, || {
            let given = match &module.inputs {
                Inputs::Files(values) => values.get(name).cloned(),
                Inputs::Call { caller, body, instance } => body
                    .attribute(name)
                    .and_then(|expression| {
                        let caller = self.module(*caller)?;
                        Some(self.eval(expression, &Env::top(&caller, instance, depth)))
                    })
                    .filter(|value| value.node.value != Value::Null),
            };
            let Some(block) = module.definition.variables.get(name) else {
                return given
                    .unwrap_or_else(|| Val::failure(format!("variable `{name}` is not declared"), span));
            };
            let env = Env::top(module, &Rc::new(Instance::Single), depth);
            let default = || block.body.attribute("default").map(|default| self.eval(default, &env));
            let Some(value) = given.or_else(default) else {
                let place = self.project.map.locate(block.head);
                let why = format!("variable `{name}` has no default ({}:{})", place.file, place.line);
                return Val::unknown(why, span);
            };
            match block.body.attribute("type") {
                Some(constraint) => self.constrain(value, constraint, &env),
                None => value,
            }
        })
    }

    /// The instances of a module call; none if its source is not in the tree.
    pub(crate) fn children(&self, module: &Rc<Module<'p>>, name: &str, depth: usize) -> Rc<Vec<Child>> {
        if let Some(known) = module.children.borrow().get(name) {
            return Rc::clone(known);
        }
        // Answers questions that arise on the way: a module whose number of instances depends on itself has none.
        module.children.borrow_mut().insert(name.to_owned(), Rc::default());
        let children = Rc::new(self.make_children(module, name, depth));
        module.children.borrow_mut().insert(name.to_owned(), Rc::clone(&children));
        children
    }

    fn make_children(&self, module: &Rc<Module<'p>>, name: &str, depth: usize) -> Vec<Child> {
        let Some(call) = module.definition.calls.get(name) else { return Vec::new() };
        let key = if module.key.is_empty() { name.to_owned() } else { format!("{}.{name}", module.key) };
        let source = self.project.module_source(&module.folder, &module.root, &key, call.body);
        let ModuleSource::Folder(folder) = source else { return Vec::new() };
        if depth >= DEPTH_LIMIT || module.key.split('.').count() > 20 {
            return Vec::new();
        }
        let mut children = Vec::new();
        for instance in self.instances(module, call, depth) {
            if self.modules.borrow().len() >= MODULE_LIMIT {
                break;
            }
            let child = self.push_module(|id| Module {
                id,
                address: format!("{}module.{name}{}.", module.address, instance.suffix()),
                key: key.clone(),
                folder: folder.clone(),
                root: module.root.clone(),
                definition: self.project.definition(&folder, None),
                inputs: Inputs::Call { caller: module.id, body: call.body, instance: Rc::clone(&instance) },
                values: RefCell::default(),
                children: RefCell::default(),
            });
            children.push(Child { instance, module: child.id });
        }
        children
    }

    /// Which instances a block has by `count` and `for_each`.
    pub(crate) fn instances(
        &self,
        module: &Rc<Module<'p>>,
        block: &Block<'p>,
        depth: usize,
    ) -> Vec<Rc<Instance>> {
        let env = Env::top(module, &Rc::new(Instance::Single), depth);
        let instances = if let Some(count) = block.body.attribute("count") {
            count_instances(&self.eval(count, &env).node)
        } else if let Some(each) = block.body.attribute("for_each") {
            let value = self.eval(each, &env);
            self.each_instances(&value.node)
        } else {
            vec![Instance::Single]
        };
        instances.into_iter().map(Rc::new).collect()
    }

    fn each_instances(&self, node: &Node) -> Vec<Instance> {
        const LIMIT: usize = 2_000;
        match &node.value {
            Value::Unresolved(why) => vec![Instance::Unknown(why.clone())],
            Value::Table(members) => members
                .iter()
                .take(LIMIT)
                .map(|member| match self.why_marked(&member.name) {
                    Some(why) => Instance::Unknown(why),
                    None => Instance::Each { key: member.name.clone(), value: member.node.clone() },
                })
                .collect(),
            Value::Array(items) => items
                .iter()
                .take(LIMIT)
                .map(|item| match (self.why_unknown(item), item.as_str()) {
                    (None, Some(key)) => Instance::Each { key: key.to_owned(), value: item.clone() },
                    (Some(why), _) => Instance::Unknown(why),
                    (None, None) => Instance::Unknown(format!("`for_each` over {}", item.kind())),
                })
                .collect(),
            _ => vec![Instance::Unknown(format!("`for_each` over {}", node.kind()))],
        }
    }

    fn read_variable_files(&self, root: &str, module: &Rc<Module<'p>>) -> BTreeMap<String, Val> {
        let mut values = BTreeMap::new();
        for source in variable_files(self.project.tree, root) {
            let parsed = source.and_then(|source| {
                let base = self.project.map.add(source.clone());
                self.found.borrow_mut().files += 1;
                File::parse(&source, base)
            });
            match parsed {
                Ok(file) => {
                    let single = Rc::new(Instance::Single);
                    for (name, _, expression) in file.body().attributes() {
                        values.insert(name, self.eval(expression, &Env::top(module, &single, 0)));
                    }
                }
                Err(problem) => self.found.borrow_mut().problems.push(problem),
            }
        }
        values
    }
}

/// What is said of a configuration that multiplies itself.
pub(super) const OUT_OF_FUEL: &str = "the configuration takes too long to evaluate";

fn count_instances(node: &Node) -> Vec<Instance> {
    const LIMIT: usize = 2_000;
    match &node.value {
        Value::Number(text) | Value::String(text) => match text.parse::<usize>() {
            Ok(count) => (0..count.min(LIMIT)).map(Instance::Count).collect(),
            Err(_) => vec![Instance::Unknown("`count` is not a known whole number".to_owned())],
        },
        Value::Unresolved(why) => vec![Instance::Unknown(why.clone())],
        _ => vec![Instance::Unknown(format!("`count` is {}", node.kind()))],
    }
}
