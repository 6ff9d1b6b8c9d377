//! What Terraform's expressions come to.

use daypass_sources::{MemoryTree, find};

use crate::support::json;

/// The value of an expression, as the `claim_mappings` of a role of Vault, which stay as they are.
fn value(prelude: &str, expression: &str) -> String {
    let text = format!(
        "resource \"vault_jwt_auth_backend_role\" \"r\" {{\n  role_type = \"jwt\"\n  claim_mappings = {expression}\n}}\n{prelude}\n"
    );
    let tree = MemoryTree::new()
        .with("main.tf", text)
        .with("terraform.tfvars", "given = \"from a file\"\n")
        .with("a.auto.tfvars.json", "{\"automatic\": [\"x\"]}");
    let found = find(&[""], &tree);
    assert_eq!(found.problems, [], "{expression}");
    found.policies[0].tree.get("claim_mappings").map_or_else(|| "absent".to_owned(), json)
}

#[test]
fn functions_and_operators() {
    let table = [
        (r#"lower("ABC")"#, r#""abc""#),
        (r#"upper("a")"#, r#""A""#),
        (r#"title("ab cd")"#, r#""Ab Cd""#),
        (r#"format("%s-%d-%%-%q", "a", 1, "x")"#, r#""a-1-%-\"x\"""#),
        (r#"formatlist("repo:%s:%s", ["a", "b"], "x")"#, r#"["repo:a:x", "repo:b:x"]"#),
        (r#"join(",", ["a", "b"])"#, r#""a,b""#),
        (r#"split("/", "a/b")"#, r#"["a", "b"]"#),
        (r#"concat(["a"], ["b"])"#, r#"["a", "b"]"#),
        (r"merge({a = 1}, {a = 2, b = 3})", r#"{"a": 2, "b": 3}"#),
        (r#"lookup({a = "x"}, "b", "y")"#, r#""y""#),
        (r#"element(["a", "b"], 3)"#, r#""b""#),
        (r#"replace("a-b", "-", "/")"#, r#""a/b""#),
        (r#"substr("hello", 1, 3)"#, r#""ell""#),
        (r#"substr("hello", -2, -1)"#, r#""lo""#),
        (r#"trimprefix("https://a", "https://")"#, r#""a""#),
        (r#"trimsuffix("a/", "/")"#, r#""a""#),
        (r#"trim("xax", "x")"#, r#""a""#),
        (r#"trimspace(" a ")"#, r#""a""#),
        (r#"coalesce(null, "", "x")"#, r#""x""#),
        (r#"try(local.missing.x, "x")"#, r#""x""#),
        (r"can(local.missing)", "false"),
        (r#"tolist(toset(["b", "b"]))"#, r#"["b"]"#),
        (r#"flatten([["a"], [["b"]]])"#, r#"["a", "b"]"#),
        (r#"distinct(["a", "a", "b"])"#, r#"["a", "b"]"#),
        (r#"compact(["a", "", null])"#, r#"["a"]"#),
        (r"length({a = 1})", "1"),
        (r"keys({b = 1, a = 2})", r#"["a", "b"]"#),
        (r"values({b = 1, a = 2})", "[2, 1]"),
        (r#"zipmap(["a"], ["x"])"#, r#"{"a": "x"}"#),
        (r#"contains(["a"], "a")"#, "true"),
        (r#"startswith("abc", "ab")"#, "true"),
        (r#"endswith("abc", "ab")"#, "false"),
        (r#"base64decode(base64encode("x"))"#, r#""x""#),
        (r#"jsondecode("{\"a\": [1]}")"#, r#"{"a": [1]}"#),
        (r#"setproduct(["a"], ["x", "y"])"#, r#"[["a", "x"], ["a", "y"]]"#),
        (r"range(2)", "[0, 1]"),
        (r#"slice(["a", "b", "c"], 1, 2)"#, r#"["b"]"#),
        (r#"one(["a"])"#, r#""a""#),
        (r#"sort(["b", "a"])"#, r#"["a", "b"]"#),
        (r"1 + 2 * 3", "7"),
        (r"-(4 / 2)", "-2"),
        (r"1 < 2 && !false", "true"),
        (r#""1" == 1"#, "false"),
        (r#"true ? "a" : "b""#, r#""a""#),
        (r#"[for x in ["a", "b"] : upper(x) if x != "a"]"#, r#"["B"]"#),
        (r#"{for k, v in {a = 1} : "${k}x" => v}"#, r#"{"ax": 1}"#),
        (r#"{for x in ["a1", "a2"] : substr(x, 0, 1) => x...}"#, r#"{"a": ["a1", "a2"]}"#),
        (r#"[{n = "a"}, {n = "b"}][*].n"#, r#"["a", "b"]"#),
        (r#"[{n = ["a"]}].0.n[0]"#, r#""a""#),
        (r#""%{ if true }yes%{ else }no%{ endif }""#, r#""yes""#),
        (r#""%{ for x in ["a", "b"] }${x},%{ endfor }""#, r#""a,b,""#),
        (r#""a ${~ "b" ~} c""#, r#""abc""#),
        (r#""$${literal}""#, r#""${literal}""#),
        (r"max(1, 3, 2)", "3"),
        (r#"concat([["a"], ["b"]]...)"#, r#"["a", "b"]"#),
    ];
    for (expression, wanted) in table {
        assert_eq!(value("", expression), wanted, "{expression}");
    }
}

#[test]
fn variables_come_from_files_then_from_their_defaults() {
    let prelude = "variable \"given\" { default = \"unused\" }\nvariable \"automatic\" {}\nvariable \"d\" { default = 1 }";
    assert_eq!(value(prelude, "var.given"), r#""from a file""#);
    assert_eq!(value(prelude, "var.automatic"), r#"["x"]"#);
    assert_eq!(value(prelude, "var.d"), "1");
}

#[test]
fn types_fill_in_what_is_left_out() {
    let prelude = r#"
variable "roles" {
  type = map(object({
    subject = string
    effect  = optional(string, "Allow")
    tags    = optional(map(string))
    nested  = optional(object({ a = optional(string, "x") }), {})
  }))
  default = { ci = { subject = 12, more = true } }
}
variable "names" {
  type    = set(string)
  default = ["a", "a"]
}
"#;
    let wanted = r#"{"ci": {"subject": "12", "effect": "Allow", "tags": null, "nested": {"a": "x"}}}"#;
    assert_eq!(value(prelude, "var.roles"), wanted);
    assert_eq!(value(prelude, "var.names"), r#"["a"]"#);
}

#[test]
fn what_is_not_known_says_why() {
    let prelude = "variable \"org\" {}\nlocals {\n a = local.b\n b = local.a\n}";
    let table = [
        ("var.org", "<variable `org` has no default (main.tf:5)>"),
        (r#""repo:${var.org}/app""#, "<variable `org` has no default (main.tf:5)>"),
        (r#"join("/", [var.org, "x"])"#, "<variable `org` has no default (main.tf:5)>"),
        ("upper(var.org)", "<variable `org` has no default (main.tf:5)>"),
        (r#"var.org == "x" ? "a" : "b""#, "<variable `org` has no default (main.tf:5)>"),
        (r#"try(var.org, "x")"#, "<variable `org` has no default (main.tf:5)>"),
        ("[var.org, \"x\"]", "[<variable `org` has no default (main.tf:5)>, \"x\"]"),
        ("local.a", "<`local.a` refers to itself>"),
        ("var.nowhere", "<variable `nowhere` is not declared>"),
        ("data.http.x.body", "<`data.http.x` is not in this module>"),
        ("terraform.workspace", "<`terraform.workspace` is known when it runs>"),
        (r#"cidrsubnet("10.0.0.0/8", 8, 1)"#, "<function `cidrsubnet` is not modelled>"),
        (r#"provider::x::f("a")"#, "<function `f` belongs to a provider>"),
        (r#"["a"][3]"#, "<a list has no such element>"),
    ];
    for (expression, wanted) in table {
        assert_eq!(value(prelude, expression), wanted, "{expression}");
    }
}

#[test]
fn settled_questions_do_not_wait_for_unknown_ones() {
    let prelude = "variable \"x\" {}";
    assert_eq!(value(prelude, "false && var.x"), "false");
    assert_eq!(value(prelude, "var.x || true"), "true");
}

#[test]
fn a_configuration_that_multiplies_itself_comes_to_an_end() {
    let mut prelude = "locals {\n l0 = [\"x\", \"x\"]\n".to_owned();
    for level in 1..40 {
        prelude.push_str(&format!(" l{level} = [local.l{}, local.l{}]\n", level - 1, level - 1));
    }
    prelude.push_str("}\n");
    assert!(value(&prelude, "local.l39").contains("takes too long"));
}

/// Terraform takes the last of what a key is given; keys keep their places.
#[test]
fn a_key_that_is_there_again_is_given_its_last_value() {
    let table = [
        ("{ a = 1, a = 2 }", r#"{"a": 2}"#),
        ("{\n    a   = 1\n    b   = 2\n    a   = 3\n    a   = 4\n  }", r#"{"a": 4, "b": 2}"#),
        ("{ \"x:sub\" = 1, \"x:sub\" = { c : 2, c : 3 } }", r#"{"x:sub": {"c": 3}}"#),
        ("[\"${join(\"\", values({ a = \"x\", a = \"y\" }))}\"]", r#"["y"]"#),
    ];
    for (expression, wanted) in table {
        assert_eq!(value("", expression), wanted, "{expression}");
    }
}

#[test]
fn a_key_that_is_there_too_often_is_refused_where_it_stands() {
    for object in ["{a=1,a=2}".to_owned(), format!("{{ {} z = 1 }}", " a = 1, ".repeat(40))] {
        let found =
            find(&[""], &MemoryTree::new().with("main.tf", format!("locals {{\n  o = {object}\n}}\n")));
        let [problem] = &found.problems[..] else { panic!("{:?}", found.problems) };
        assert!(problem.message.contains("redefined object key"), "{problem:?}");
        assert_eq!(problem.location.line, 2);
    }
}
