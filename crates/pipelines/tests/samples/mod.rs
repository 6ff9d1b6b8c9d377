//! The sample files of this folder as a tree.

use std::collections::BTreeMap;
use std::path::Path;

use daypass_pipelines::{Pipeline, read};

/// The files below a folder of `tests/samples`, by their path below it.
pub(crate) fn tree(folder: &str) -> BTreeMap<String, Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples").join(folder);
    let mut files = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_none_or(|extension| extension != "rs") {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
                files.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    files
}

/// One of them, read with the others around it.
pub(crate) fn pipeline(tree: &BTreeMap<String, Vec<u8>>, path: &str) -> Pipeline {
    read(path, &tree[path], tree).unwrap_or_else(|error| panic!("{error}"))
}
