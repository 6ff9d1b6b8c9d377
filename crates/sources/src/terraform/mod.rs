//! Terraform and OpenTofu configurations: evaluated as far as the tree tells, without providers and without state.

mod computed;
mod constraint;
mod dynamic;
mod env;
mod eval;
mod finish;
mod function;
mod map;
mod operator;
mod plain;
mod policy_document;
mod project;
mod reference;
mod resource;
mod session;
mod syntax;
mod template;
mod value;

use std::collections::BTreeSet;
use std::rc::Rc;

pub(crate) use computed::OWN_ACCOUNT;
pub(crate) use plain::{Marks, PlainResource, overlay, read as read_plain};
pub(crate) use project::is_configuration;
pub(crate) use value::{marked, place, same, size};

use self::env::Env;
use self::project::{ModuleSource, Project};
use self::resource::Collected;
use self::session::{Module, Session};
use crate::found::Found;
use crate::tree::FileTree;

/// Reads the configurations in these folders.
pub(crate) fn read(tree: &dyn FileTree, folders: &BTreeSet<String>) -> Found {
    let project = Project::load(tree, folders);
    let mut found = Found { files: project.files, ..Found::default() };
    found.problems.extend(project.problems.iter().cloned());
    for (root, only) in project.roots() {
        let (session, module) = Session::new(&project, &root, only);
        let mut collected = Collected::default();
        session.visit(&module, 0, &mut collected);
        collected.finish(&session);
        found.append(session.found.into_inner());
    }
    found
}

impl<'p> Session<'p> {
    /// Reads the resources of a module and of the modules below it.
    fn visit(&self, module: &Rc<Module<'p>>, depth: usize, collected: &mut Collected) {
        let resources = module.definition.resources.iter().map(|entry| (false, entry));
        let data = module.definition.data.iter().map(|entry| (true, entry));
        for (is_data, ((kind, name), block)) in resources.chain(data) {
            if !resource::concerns(is_data, kind) {
                continue;
            }
            for instance in self.instances(module, block, depth) {
                let address = format!(
                    "{}{}{kind}.{name}{}",
                    module.address,
                    if is_data { "data." } else { "" },
                    instance.suffix()
                );
                let env = Env::top(module, &instance, depth);
                collected.read(self, &resource::Resource { kind, address, block, env });
            }
        }
        for (name, call) in &module.definition.calls {
            let children = self.children(module, name, depth);
            if children.is_empty() {
                self.visit_absent(module, name, call, depth);
            }
            for child in children.iter() {
                if let Some(child) = self.module(child.module) {
                    self.visit(&child, depth.saturating_add(1), collected);
                }
            }
        }
    }

    /// A module that is not in the tree is worth a word if it may be about trust.
    fn visit_absent(&self, module: &Rc<Module<'p>>, name: &str, call: &syntax::Block<'p>, depth: usize) {
        const NAMES: [&str; 7] = ["iam", "oidc", "federat", "identity", "trust", "assum", "role"];
        const INPUTS: [&str; 7] =
            ["oidc", "federat", "trust", "assume_role", "assumable", "subjects", "identity_provider"];
        let key = format!("{}{name}", module.address.replace("module.", ""));
        let source = self.project.module_source(&module.folder, &module.root, &key, call.body);
        let ModuleSource::Elsewhere(why) = source else { return };
        let path = project::literal(call.body, "source").unwrap_or_default();
        let tells =
            |text: &str, words: &[&str]| words.iter().any(|word| text.to_ascii_lowercase().contains(word));
        let inputs = call.body.attributes();
        let about = tells(&path, &NAMES)
            || tells(name, &NAMES)
            || inputs.iter().any(|(input, ..)| tells(input, &INPUTS));
        let none = self.instances(module, call, depth).is_empty();
        if about && !none {
            let place = self.project.map.locate(call.head);
            self.unresolved_as(place, format!("{}module.{name}", module.address), why);
        }
    }
}
