//! `docs/schemas`: what answers in JSON look like.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

/// Commands that have commands of their own.
const GROUPS: [&str; 7] = ["config", "token", "audit", "keys", "issuers", "prove", "estate"];

/// Where schemas lie.
fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas")
}

/// The name of the schema for an answer to these arguments.
pub(crate) fn of(arguments: &[String], answer: &Value) -> String {
    if answer.get("error").is_some() {
        return "error".to_owned();
    }
    let mut words = arguments.iter().map(String::as_str);
    let command = words.next().unwrap();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    match command {
        group if GROUPS.contains(&group) => format!("{group}-{}", words.next().unwrap()),
        "explain" if has("--decision") => "explain-decision".to_owned(),
        "evidence" if has("--sql") => "evidence-sql".to_owned(),
        "man" if has("--directory") => "man-directory".to_owned(),
        other => other.to_owned(),
    }
}

/// Holds an answer to its schema.
#[track_caller]
pub(crate) fn check(name: &str, answer: &Value) {
    let path = folder().join(format!("{name}.json"));
    let text =
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("docs/schemas/{name}.json: {error}"));
    let schema: Value = serde_json::from_str(&text).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(answer).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "docs/schemas/{name}.json: {errors:#?}\n{answer:#}");
}

#[test]
fn schemas_are_schemas_and_name_themselves() {
    for file in std::fs::read_dir(folder()).unwrap() {
        let path = file.unwrap().path();
        let schema: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert!(jsonschema::meta::is_valid(&schema), "{}", path.display());
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{}", path.display());
        for member in ["title", "description"] {
            assert!(schema[member].is_string(), "{}: no {member}", path.display());
        }
    }
}

#[test]
fn every_command_that_answers_in_json_has_a_schema_and_no_other() {
    let written: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let mut expected: BTreeSet<String> = crate::helps::leaves().iter().map(|words| words.join("-")).collect();
    // The command's own output is what `run` gives.
    expected.remove("run");
    // What has more than one shape, and what all have in common.
    let others = ["audit-export-line", "evidence-sql", "explain-decision", "man-directory", "error"];
    expected.extend(others.map(str::to_owned));
    assert_eq!(written, expected);
}
