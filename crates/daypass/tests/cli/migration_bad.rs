//! Files that are wrong, before every step of a migration: each is said with its place, the rest goes on, and nothing but what was
//! asked for is written. What `inventory` says of them is in its own tests.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::migration::{WORKFLOW, evidence, organisation};
use crate::program::{daypass, write};

/// The steps after the inventory, with what they exit with where nothing else is wrong.
const STEPS: [(&[&str], i32); 6] = [
    (&["plan", ".", "--dry-run"], 0),
    (&["generate", "--target", "aws", "--out", "roles"], 0),
    (&["rehearse"], 0),
    (&["rewrite", "--write"], 0),
    (&["retire", "--evidence", "unused.json"], 0),
    (&["status", "--evidence", "unused.json"], 0),
];

/// An organisation with one good repository among files of every kind of bad, and what lies outside of it.
fn surrounded() -> (TempDir, TempDir) {
    let place = organisation();
    let root = place.path();
    evidence(root, "unused");
    let bad = root.join("bad");
    let outside = tempfile::tempdir().unwrap();
    let theirs = write(outside.path(), "outside.yml", WORKFLOW);
    write(&bad, ".github/workflows/binary.yml", b"on:\xff\xfe\0");
    write(&bad, ".github/workflows/broken.yml", "on: push\njobs: [\n");
    let bomb: String = (1..12)
        .map(|level| format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 9].join(", ")))
        .collect();
    write(&bad, ".github/workflows/bomb.yml", format!("a0: &a0 [x]\n{bomb}on: push\njobs: {{}}\n"));
    write(
        &bad,
        ".gitlab-ci.yml",
        "include: [/b.yml]\n.x: {extends: .y}\n.y: {extends: .x}\nj: {extends: .x, script: [x]}\n",
    );
    write(&bad, "b.yml", "include: [/.gitlab-ci.yml]\n");
    let large = write(&bad, ".github/workflows/large.yml", WORKFLOW);
    fs::OpenOptions::new().write(true).open(large).unwrap().set_len(100 * 1024 * 1024).unwrap();
    symlink(&bad, bad.join("again")).unwrap();
    symlink("itself.yml", bad.join("itself.yml")).unwrap();
    symlink(theirs, bad.join(".github/workflows/outside.yml")).unwrap();
    (place, outside)
}

/// Every file below a folder with its text, as far as that is one.
fn content(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            if kind.is_dir() {
                folders.push(path);
            } else {
                let is_small = kind.is_file() && entry.metadata().unwrap().len() < 1_000_000;
                let bytes = if is_small { fs::read(&path).unwrap() } else { Vec::new() };
                files.push((path.to_str().unwrap().to_owned(), bytes));
            }
        }
    }
    files.sort();
    files
}

fn why(answer: &Value, file: &str) -> String {
    let skipped = answer["skipped"].as_array().unwrap().iter();
    let about = skipped.filter(|it| it["file"] == format!("bad/{file}"));
    about.map(|it| it["why"].as_str().unwrap()).collect::<Vec<_>>().join(" | ")
}

#[test]
fn bad_files_are_said_and_the_rest_goes_on() {
    let (place, outside) = surrounded();
    let (bad, theirs) = (content(&place.path().join("bad")), content(outside.path()));
    for (step, code) in STEPS {
        let answer = daypass(step.iter().copied().chain(["--json"])).within(place.path()).exits(code).json();
        for (file, said) in [
            (".github/workflows/binary.yml", "binary.yml:1:4: these bytes are not UTF-8"),
            (".github/workflows/broken.yml", "broken.yml:"),
            (".github/workflows/bomb.yml", "bomb.yml:7:"),
            (".github/workflows/large.yml", "the file has 104857600 bytes"),
            (".github/workflows/outside.yml", "leads out of the given path"),
            (".gitlab-ci.yml", "it extends itself"),
            ("again", "a loop"),
            ("itself.yml", "leads to itself"),
        ] {
            assert!(why(&answer, file).contains(said), "{step:?}: {file}: {answer:#}");
        }
        let cyclic = answer["skipped"].to_string();
        assert!(cyclic.contains("was not followed: it includes itself"), "{step:?}: {cyclic}");
    }
    let good = fs::read_to_string(place.path().join("shop/.github/workflows/deploy.yml")).unwrap();
    assert!(good.contains("role-to-assume"), "{good}");
    assert!(place.path().join("roles/aws-s3-write-shop-production.tf").exists());
    assert_eq!(content(&place.path().join("bad")), bad);
    assert_eq!(content(outside.path()), theirs);
}

#[test]
fn a_plan_that_is_nonsense_is_located_at_every_step() {
    let place = organisation();
    let root = place.path();
    evidence(root, "unused");
    let plan = fs::read_to_string(root.join("daypass.migration.toml")).unwrap();
    let before = content(root);
    let edited = |from: &str, to: &str| {
        assert!(plan.contains(from), "{plan}");
        plan.replace(from, to).into_bytes()
    };
    let nonsense: [(&str, Vec<u8>); 6] = [
        ("toml:1:", b"\x7fELF not a plan".to_vec()),
        ("cannot read it: it is not UTF-8", b"version = 1 # \xff\xfe".to_vec()),
        ("no group is called `nobody`", edited("group = \"aws-s3-write\"", "group = \"nobody\"")),
        ("no role can be called `a; reboot`", edited("aws-s3-write-shop-production", "a; reboot")),
        ("`hoped-for` is no state", edited("state = \"planned\"", "state = \"hoped-for\"")),
        ("`account` cannot be used", edited("111122223333", "$(id)")),
    ];
    for (said, bytes) in nonsense {
        let path = write(root, "daypass.migration.toml", bytes);
        for (step, _) in STEPS {
            let step: Vec<&str> = step.iter().copied().filter(|word| *word != "--dry-run").collect();
            let ran = daypass(step.iter().copied()).within(root).exits(2);
            assert!(ran.stderr.contains(said), "{step:?}: {said}: {}", ran.stderr);
            assert!(ran.stderr.contains("daypass.migration.toml"), "{step:?}: {}", ran.stderr);
        }
        fs::write(path, &plan).unwrap();
    }
    assert_eq!(content(root), before, "nothing was written");
}
