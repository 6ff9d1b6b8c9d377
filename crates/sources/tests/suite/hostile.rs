//! Whatever the files hold, reading them ends, and without a panic.

use daypass_sources::{MemoryTree, find};
use proptest::prelude::*;

const NAMES: [&str; 7] =
    ["a.tf", "a.tf.json", "a.json", "a.yaml", "a.toml", "terraform.tfvars", "template.yml"];

/// Pieces of the languages that are read, so that arbitrary texts get past the first letter.
const PIECES: [&str; 40] = [
    "resource \"aws_iam_role\" \"r\" {\n",
    "assume_role_policy = ",
    "jsonencode(",
    "data.aws_iam_policy_document.r.json\n",
    "data \"aws_iam_policy_document\" \"r\" {\n",
    "statement {\n",
    "dynamic \"statement\" {\n for_each = var.x\n content {\n",
    "}\n",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "${",
    "%{ for x in ",
    "%{ endfor }",
    "local.a",
    "locals {\n a = ",
    "variable \"x\" {\n default = ",
    "module \"m\" {\n source = \"./\"\n",
    "<<-EOT\n",
    "\nEOT\n",
    "\"Statement\": ",
    "\"Principal\": \"*\", ",
    "\"Action\": \"sts:AssumeRole\", ",
    "\"AssumeRolePolicyDocument\": ",
    "\"Resources\": ",
    "Resources:\n  R:\n    Type: AWS::IAM::Role\n    Properties:\n      AssumeRolePolicyDocument: ",
    "!Sub '${A.B}'\n",
    "!If [a, b, c]\n",
    "&x ",
    "*x ",
    "\"Fn::Join\": ",
    "é\u{F0000}0\u{F0001}",
    "1",
    "null",
    ", ",
    ": ",
    "\n",
    "[[role.trust]]\n",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200), name in 0..NAMES.len()) {
        find(&["", NAMES[name]], &MemoryTree::new().with(NAMES[name], bytes));
    }

    #[test]
    fn any_words_of_the_languages(
        pieces in proptest::collection::vec(0..PIECES.len(), 0..40),
        name in 0..NAMES.len(),
    ) {
        let text: String = pieces.into_iter().map(|piece| PIECES[piece]).collect();
        let found = find(&["", NAMES[name]], &MemoryTree::new().with(NAMES[name], text));
        for policy in &found.policies {
            let _ = policy.compile();
        }
    }

    #[test]
    fn any_damage_to_a_configuration(at in 0..1000_usize, with in ".{0,3}") {
        let text = include_str!("../misconfig/tf/A44_doc.tf");
        let before: String = text.chars().take(at).collect();
        let after: String = text.chars().skip(at + 1).collect();
        let damaged = format!("{before}{with}{after}");
        find(&[""], &MemoryTree::new().with("a.tf", damaged));
    }
}

#[test]
fn modules_that_call_themselves_come_to_an_end() {
    let tree = MemoryTree::new()
        .with("main.tf", "module \"a\" { source = \"./a\" }")
        .with("a/main.tf", "module \"a\" {\n source = \"../a\"\n count = 3\n}\nmodule \"b\" {\n source = \"../b\"\n x = module.a[0].y\n}")
        .with("b/main.tf", "variable \"x\" {}\nmodule \"a\" { source = \"../a\" }\noutput \"y\" { value = var.x }");
    find(&[""], &tree);
}

#[test]
fn deep_expressions_come_to_an_end() {
    for (open, close) in [("[", "]"), ("(", ")"), ("{a=", "}"), ("upper(", ")"), ("\"${", "}\"")] {
        for depth in [60, 10_000] {
            let text = format!(
                "locals {{\n a = {}1{}\n}}\nresource \"aws_iam_role\" \"r\" {{\n assume_role_policy = local.a\n}}\n",
                open.repeat(depth),
                close.repeat(depth)
            );
            find(&[""], &MemoryTree::new().with("a.tf", text));
        }
    }
    let chain: String = (0..5_000).map(|at| format!(" l{} = local.l{at}\n", at + 1)).collect();
    let text = format!(
        "locals {{\n l0 = 1\n{chain}}}\nresource \"aws_iam_role\" \"r\" {{\n assume_role_policy = local.l5000\n}}\n"
    );
    let found = find(&[""], &MemoryTree::new().with("a.tf", text));
    assert_eq!(found.unresolved.len(), 1);
}
