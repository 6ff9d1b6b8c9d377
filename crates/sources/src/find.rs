use std::collections::BTreeSet;

use daypass_trust::document::{Problem, Source, Span};

use crate::found::{Found, Origin};
use crate::tree::{EntryKind, FILE_LIMIT, FileTree, ReadError, given, join, parent};
use crate::{document, terraform};

/// Folders that hold other people's code, or what was made from one's own.
const SKIPPED: [&str; 7] =
    [".git", ".hg", ".terraform", ".terragrunt-cache", "node_modules", "target", "vendor"];
/// How deep folders are followed.
const DEPTH_LIMIT: usize = 64;
/// How many files are looked at.
const FILES_LIMIT: usize = 500_000;

/// The files to read, by how they are read.
#[derive(Default)]
struct Files {
    /// Folders with Terraform configurations.
    folders: BTreeSet<String>,
    /// Terraform files that were named while their folder was not.
    named: BTreeSet<String>,
    /// Files that are documents, templates or exports if they look like it.
    documents: Vec<(String, bool)>,
    seen: usize,
}

/// Finds the trust policies in files and below folders.
///
/// What a file holds is told from its content where its name leaves that open. A file that cannot be read is a problem and
/// does not stop the others; one that was named and holds no trust is a problem too. Folders of other people's code are
/// skipped: `.git`, `node_modules`, `target`, `vendor`, and `.terraform` but for the modules that a configuration calls.
pub fn find(paths: &[&str], tree: &dyn FileTree) -> Found {
    let mut found = Found::default();
    let mut files = Files::default();
    for path in paths {
        let path = given(path);
        if tree.list(&path).is_ok() {
            files.walk(tree, &path, 0, &mut found);
        } else {
            files.add(&path, true);
        }
    }
    let folders: BTreeSet<String> =
        files.folders.iter().cloned().chain(files.named.iter().map(|it| parent(it).to_owned())).collect();
    let mut configurations = terraform::read(tree, &folders);
    // The folder of a named file is read for its variables and locals, not for its policies.
    let wanted = |file: &str| {
        let only_named = !files.folders.contains(parent(file)) && folders.contains(parent(file));
        !only_named || files.named.contains(file)
    };
    configurations.policies.retain(|it| wanted(it.source.name()) || wanted(&it.location.file));
    configurations.unresolved.retain(|it| wanted(&it.location.file));
    configurations.problems.retain(|it| wanted(&it.location.file));
    // A document that a configuration reads is that configuration's.
    let read: BTreeSet<&str> = configurations.policies.iter().map(|it| it.source.name()).collect();
    let documents: Vec<_> =
        files.documents.iter().filter(|(path, _)| !read.contains(path.as_str())).collect();
    for (path, named) in documents {
        found.append(document::read(tree, path, *named));
    }
    found.append(configurations);
    std::mem::take(&mut found.pools).finish(&mut found);
    missing_audiences(&mut found);
    found.sort();
    found
}

/// A problem of a whole file.
pub(crate) fn file_problem(path: &str, message: impl Into<String>) -> Problem {
    Problem::new(&Source::new(path, ""), Span::default(), message)
}

/// A file as text.
pub(crate) fn text(tree: &dyn FileTree, path: &str) -> Result<Source, Problem> {
    let bytes = tree.read(path, FILE_LIMIT).map_err(|error| {
        let problem = file_problem(path, error.to_string());
        match error {
            ReadError::TooLarge { .. } => problem.help("no configuration or export of trust is as long"),
            _ => problem,
        }
    })?;
    if bytes.contains(&0) {
        return Err(file_problem(path, "the file is binary"));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source::new(path, text)),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let span = Span::new(valid, valid.saturating_add(1));
            Err(Problem::new(&Source::new(path, text), span, "the file is not UTF-8"))
        }
    }
}

impl Files {
    fn walk(&mut self, tree: &dyn FileTree, folder: &str, depth: usize, found: &mut Found) {
        if depth >= DEPTH_LIMIT {
            found.problems.push(file_problem(folder, "the folder lies too deep and is not read"));
            return;
        }
        let mut entries = match tree.list(folder) {
            Ok(entries) => entries,
            Err(error) => {
                found.problems.push(file_problem(folder, error.to_string()));
                return;
            }
        };
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        for entry in entries {
            if self.seen >= FILES_LIMIT {
                found.problems.push(file_problem(
                    folder,
                    format!("more than {FILES_LIMIT} files: the rest is not read"),
                ));
                return;
            }
            let path = join(folder, &entry.name);
            match entry.kind {
                EntryKind::Folder if SKIPPED.contains(&entry.name.as_str()) => {}
                EntryKind::Folder => self.walk(tree, &path, depth.saturating_add(1), found),
                EntryKind::File => self.add(&path, false),
            }
        }
    }

    fn add(&mut self, path: &str, named: bool) {
        self.seen = self.seen.saturating_add(1);
        let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
        if terraform::is_configuration(path) {
            if named {
                self.named.insert(path.to_owned());
            } else {
                self.folders.insert(parent(path).to_owned());
            }
        } else if named || matches!(extension, "json" | "toml" | "yaml" | "yml" | "template") {
            self.documents.push((path.to_owned(), named));
        }
    }
}

/// Policies that stand alone learn the audiences of providers that the same files list.
fn missing_audiences(found: &mut Found) {
    let providers = std::mem::take(&mut found.providers);
    for policy in &mut found.policies {
        if policy.origin != Origin::Terraform && policy.options.audiences.is_none() {
            policy.options.audiences = providers.audiences(&policy.tree);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::MemoryTree;

    const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal":
        {"Federated": "arn:aws:iam::111122223333:oidc-provider/a.example"}, "Action": "sts:AssumeRoleWithWebIdentity"}]}"#;

    #[test]
    fn other_peoples_folders_are_skipped() {
        let tree = MemoryTree::new()
            .with("a/trust.json", POLICY)
            .with("a/node_modules/x/trust.json", POLICY)
            .with("vendor/trust.json", POLICY);
        let found = find(&[""], &tree);
        assert_eq!(found.policies.len(), 1);
        assert_eq!(found.policies[0].source.name(), "a/trust.json");
        assert_eq!(found.problems, []);
    }

    #[test]
    fn what_was_named_and_holds_no_trust_is_a_problem() {
        let tree = MemoryTree::new()
            .with("a.json", "{}")
            .with("b.json", vec![0, 1])
            .with("c.json", vec![b'{', 0xff]);
        let found = find(&["a.json", "b.json", "c.json", "d.json"], &tree);
        let problems: Vec<String> = found.problems.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(problems.join("\n"), @r"
        a.json:1:1: nothing in the file is known as trust
        b.json:1:1: the file is binary
        c.json:1:2: the file is not UTF-8
        d.json:1:1: there is no such file
        ");
    }

    #[test]
    fn one_bad_file_does_not_stop_the_rest() {
        let tree = MemoryTree::new()
            .with("x/bad.tf", "resource \"a\" {")
            .with("y/good.json", POLICY)
            .with("z.json", "{\"Statement\": [");
        let found = find(&[""], &tree);
        assert_eq!(found.policies.len(), 1);
        assert_eq!(found.problems.len(), 2);
        assert!(found.problems.iter().any(|it| it.to_string().starts_with("x/bad.tf:1:")));
    }
}
