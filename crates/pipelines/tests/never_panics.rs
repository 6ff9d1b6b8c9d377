use daypass_pipelines::inventory::{credentials, inventory};
use daypass_pipelines::{NoTree, Platform, RepositoryFacts, mintable, read_as, recognise};
use proptest::prelude::*;

use crate::samples::tree;

fn exercise(path: &str, bytes: &[u8]) {
    let _ = recognise(path, bytes);
    let _ = inventory("main.tf", bytes, &NoTree);
    for platform in Platform::ALL {
        if let Ok(pipeline) = read_as(platform, path, bytes, &NoTree) {
            let facts = RepositoryFacts::default().on_branch("main");
            let _ = format!("{pipeline:?} {:?} {:?}", mintable(&pipeline, &facts), credentials(&pipeline));
        }
    }
}

/// Pieces that pipeline files of all platforms are made of.
fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "on",
        "jobs",
        "steps",
        "run",
        "uses",
        "with",
        "env",
        "permissions",
        "id-token: write",
        "if",
        "strategy",
        "matrix",
        "include",
        "script",
        "extends",
        "!reference",
        "id_tokens",
        "aud",
        "rules",
        "only",
        "variables",
        "environment",
        "orbs",
        "workflows",
        "context",
        "filters",
        "version: 2.1",
        "pipelines",
        "step",
        "oidc",
        "deployment",
        "stages",
        "task",
        "inputs",
        "template",
        "parameters",
        "command",
        "plugins",
        "- ",
        ": ",
        "\n",
        "\n  ",
        "\n    ",
        "\n- ",
        "{",
        "}",
        "[",
        "]",
        "|",
        ">-",
        "&a ",
        "*a",
        "<<",
        "'",
        "\"",
        "${{ ",
        " }}",
        "$(",
        ")",
        "${",
        "github.ref == ",
        "secrets.X",
        "<< parameters.x >>",
        "#",
        "é",
        "\u{feff}",
        "---",
        "\t",
        "\r\n",
        "~",
        "pipeline {",
        "stage('x') {",
        "credentials('k')",
        "$CI_COMMIT_BRANCH == \"main\"",
        "=~ /^v/",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn on_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        exercise("x.yml", &bytes);
    }

    #[test]
    fn on_words(words in prop::collection::vec(word(), 0..60)) {
        exercise("x.yml", words.concat().as_bytes());
    }

    #[test]
    fn on_samples_with_bytes_changed(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let files: Vec<_> = tree("").into_iter().collect();
        let (path, mut bytes) = which.get(&files).clone();
        for (at, byte) in changes {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        let length = cut.index(bytes.len() + 1);
        exercise(&path, &bytes);
        exercise(&path, &bytes[..length]);
    }
}
