use std::collections::BTreeMap;

/// The files around a pipeline file, as far as the caller lets them be read: local actions, included files, templates.
///
/// Paths are relative to where the caller began, with `/` between names and without `.` or `..`.
pub trait Tree {
    /// The content of a file; `None` if there is none or the caller withholds it.
    fn read(&self, path: &str) -> Option<Vec<u8>>;

    /// The paths that begin so, for includes with wildcards. Without a listing such an include is reported as not
    /// followed.
    fn beginning_with(&self, prefix: &str) -> Option<Vec<String>> {
        let _ = prefix;
        None
    }
}

/// No files but the one at hand.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTree;

impl Tree for NoTree {
    fn read(&self, _path: &str) -> Option<Vec<u8>> {
        None
    }
}

impl Tree for BTreeMap<String, Vec<u8>> {
    fn read(&self, path: &str) -> Option<Vec<u8>> {
        self.get(path).cloned()
    }

    fn beginning_with(&self, prefix: &str) -> Option<Vec<String>> {
        let paths = self.range(prefix.to_owned()..).map(|(path, _)| path);
        Some(paths.take_while(|path| path.starts_with(prefix)).cloned().collect())
    }
}

/// Joins a path that a file names to a folder. `None` where it would leave the tree.
pub(crate) fn join(folder: &str, path: &str) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    for name in folder.split('/').chain(path.split(['/', '\\'])) {
        match name {
            "" | "." => {}
            ".." => {
                names.pop()?;
            }
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}

/// The folder of a path; empty for a file at the top.
pub(crate) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_do_not_leave_the_tree() {
        assert_eq!(join("a/b", "./c.yml").as_deref(), Some("a/b/c.yml"));
        assert_eq!(join("a/b", "../c.yml").as_deref(), Some("a/c.yml"));
        assert_eq!(join("", "/x.yml").as_deref(), Some("x.yml"));
        assert_eq!(join("a", "..\\..\\etc"), None);
    }

    #[test]
    fn a_map_of_files_is_a_tree() {
        let tree: BTreeMap<String, Vec<u8>> = [("ci/a.yml", "1"), ("ci/b.yml", "2"), ("d.yml", "3")]
            .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
            .into();
        assert_eq!(tree.beginning_with("ci/").unwrap(), ["ci/a.yml", "ci/b.yml"]);
        assert_eq!(tree.read("d.yml").unwrap(), b"3");
        assert_eq!((NoTree.read("d.yml"), NoTree.beginning_with("")), (None, None));
    }
}
