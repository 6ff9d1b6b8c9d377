//! The committed inputs: `corpus/TARGET/*`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::TARGETS;

/// Where the inputs of a target lie.
pub fn directory(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}

/// The inputs of a target, by name.
pub fn inputs(target: &str) -> io::Result<Vec<PathBuf>> {
    let entries: Result<Vec<PathBuf>, _> =
        fs::read_dir(directory(target))?.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut inputs = entries?;
    inputs.sort();
    Ok(inputs)
}

/// Gives every committed input to a target and says how many there were. An input that makes it panic is named first.
pub fn replay(target: &str) -> io::Result<usize> {
    let Some((_, run)) = TARGETS.iter().find(|(name, _)| *name == target) else {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("no target is called `{target}`")));
    };
    let inputs = inputs(target)?;
    for path in &inputs {
        let _named = NamedOnPanic(path);
        run(&fs::read(path)?);
    }
    Ok(inputs.len())
}

/// Says which input it was, if the target panics on it.
struct NamedOnPanic<'a>(&'a Path);

impl Drop for NamedOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the input is {}", self.0.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &str, strip: &str) -> Vec<String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
        let mut names: Vec<String> = fs::read_dir(path)
            .unwrap()
            .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(strip).map(str::to_owned))
            .collect();
        names.sort();
        names
    }

    #[test]
    fn every_target_has_a_binary_a_body_and_a_corpus() {
        let listed: Vec<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(names("fuzz_targets", ".rs"), listed);
        assert_eq!(names("corpus", ""), listed);
        let bodies: Vec<String> = names("src/targets", ".rs")
            .into_iter()
            .filter(|name| !["evidence", "mod", "policy", "sources"].contains(&name.as_str()))
            .collect();
        assert_eq!(bodies, listed);
    }

    #[test]
    fn no_committed_input_panics() {
        for (target, _) in TARGETS {
            assert!(replay(target).unwrap() > 0, "{target}");
        }
    }
}
