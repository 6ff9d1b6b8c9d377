//! Pipelines that were not written for these tests: those of the repository's own samples, and those below the folder that
//! `DAYPASS_PIPELINES` names, a folder in it for each repository (`.../terraform-cdk/.github/workflows/release.yml`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use daypass_migrate::plan::draw;
use daypass_migrate::rewrite::rewrite;
use daypass_migrate::{Plan, Survey};
use daypass_pipelines::{Platform, Tree, may_be_pipeline, recognise};
use daypass_trust::document::Source;

use crate::semantic::{rest_is_unchanged, rest_means_the_same};

/// The files of a repository.
struct Files(PathBuf);

impl Tree for Files {
    fn read(&self, path: &str) -> Option<Vec<u8>> {
        std::fs::read(self.0.join(path)).ok()
    }
}

impl Files {
    /// The files that can be pipelines, by their names.
    fn pipelines(&self) -> Vec<String> {
        let (mut names, mut folders) = (Vec::new(), vec![self.0.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                let (path, kind) = (entry.path(), entry.file_type().unwrap());
                let name = path.strip_prefix(&self.0).unwrap().to_str().map(str::to_owned);
                match name {
                    Some(_) if kind.is_dir() => folders.push(path),
                    Some(name) if kind.is_file() && may_be_pipeline(&name) => names.push(name),
                    _ => {}
                }
            }
        }
        names.sort();
        names
    }
}

/// What became of all files.
#[derive(Debug, Default)]
struct Tally {
    read: usize,
    with_credentials: usize,
    changed: BTreeMap<Platform, usize>,
    edits: usize,
    left: usize,
    /// What a second time changed.
    again: Vec<String>,
}

/// Where everything lives, so that what can be edited is.
const TARGETS: &str = "
[target.aws]
account = \"111122223333\"
[target.gcp]
project_number = \"1\"
pool = \"p\"
provider = \"ci\"
service_account = \"d@p.iam.gserviceaccount.com\"
[target.azure]
client_id = \"c\"
tenant_id = \"t\"
subscription_id = \"s\"
service_connection_id = \"sc\"
[target.vault]
address = \"https://vault.acme.example\"
";

/// Rewrites every file of a repository, each by a plan of its own.
fn rewritten(root: &Path, tally: &mut Tally) {
    let files = Files(root.to_owned());
    for name in files.pipelines() {
        let bytes = files.read(&name).unwrap();
        let Some(platform) = recognise(&name, &bytes) else { continue };
        let mut survey = Survey::new();
        if survey.add(&name, &bytes, &files).is_err() {
            continue;
        }
        tally.read += 1;
        if survey.credentials().is_empty() {
            continue;
        }
        tally.with_credentials += 1;
        let drawn =
            draw(&survey, None, None).unwrap_or_else(|error| panic!("{}/{name}: {error}", root.display()));
        let plan = Plan::parse(&Source::new("p", format!("{}{TARGETS}", drawn.text))).unwrap();
        let first = rewrite(&plan, &name, &bytes, &files, None).unwrap();
        rest_is_unchanged(&first);
        if platform != Platform::Terraform && platform != Platform::Jenkins {
            rest_means_the_same(&first);
        }
        let second = rewrite(&plan, &name, first.after.as_bytes(), &files, None).unwrap();
        if second.is_changed() {
            let place = root.join(&name);
            tally.again.push(format!("{}\n{}\n{}", place.display(), first.diff(), second.diff()));
        }
        tally.edits += first.edits.len();
        tally.left += first.manual.len();
        *tally.changed.entry(platform).or_default() += usize::from(first.is_changed());
    }
}

#[test]
fn samples_keep_what_is_not_edited() {
    let mut tally = Tally::default();
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for samples in ["pipelines/tests/samples/own", "pipelines/tests/samples/shared", "../examples/acme/repos"]
    {
        rewritten(&crates.join(samples), &mut tally);
    }
    assert_eq!(tally.again, [""; 0]);
    assert!(tally.changed.values().filter(|count| **count > 0).count() >= 6, "{tally:?}");
}

#[test]
fn repositories_of_others_keep_what_is_not_edited() {
    let Some(folder) = std::env::var_os("DAYPASS_PIPELINES") else {
        println!("skipped: DAYPASS_PIPELINES names no folder of repositories");
        return;
    };
    let mut tally = Tally::default();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rewritten(&path, &mut tally);
        }
    }
    let Tally { again, .. } = &tally;
    assert!(again.is_empty(), "a second time changes nothing:\n{}", again.join("\n"));
    println!("{tally:?}");
    assert!(tally.read > 0);
}
