//! The language rule by rule: what is true, what is false, what fails, and what is not known.

use daypass_claims::ClaimSet;

use super::{Attributes, condition, conjuncts, mapping};
use crate::context::Context;
use crate::dialect::api::{Remarks, Text};
use crate::document::{Source, Span};
use crate::evaluate::parts;
use crate::form::Condition;
use crate::truth::Truth;

use Truth::{False, True, Unknown};

const TOKEN: &str = r#"{"sub": "repo:acme/app:ref:refs/heads/main", "repository": "acme/app", "owner": "Acme",
    "id": 9919, "flag": true, "groups": ["dev", "ops"], "mixed": ["dev", 1], "none": [], "nil": null,
    "a/b": "slash", "o": {"k": "v", "l": ["x"]}}"#;

/// Whether an expression is true of the token; `problems` where it is refused.
fn compiled(expression: &str) -> Result<Condition, Vec<String>> {
    let source = Source::new("cel", expression);
    let text = |value| Text { span: Span::new(0, expression.len()), value: Ok(value) };
    let mut remarks = Remarks::new(&source);
    let mut attributes = Attributes::default();
    for (name, mapped) in [
        ("google.subject", "assertion.sub"),
        ("google.groups", "assertion.groups"),
        ("attribute.org", "assertion.sub.extract('repo:{o}/')"),
        ("attribute.kind", "assertion.repository == 'acme/app' ? 'app' : assertion.owner + '!'"),
    ] {
        attributes.insert(name, mapping(text(mapped), &mut remarks).unwrap());
    }
    let clauses = condition(text(expression), &attributes, &mut remarks);
    let problems = remarks.problems.into_vec();
    if problems.is_empty() {
        Ok(Condition::All(clauses))
    } else {
        Err(problems.iter().map(ToString::to_string).collect())
    }
}

fn truth(expression: &str) -> Truth {
    let claims = ClaimSet::from_json(TOKEN.as_bytes()).unwrap();
    parts::condition(&compiled(expression).unwrap(), &claims, &Context::new())
}

fn each(cases: &[(&str, Truth)]) {
    for (expression, expected) in cases {
        assert_eq!(truth(expression), *expected, "{expression}");
    }
}

#[test]
fn literals_come_in_every_form() {
    each(&[
        (r#"assertion.repository == "acme/app""#, True),
        ("assertion.repository == '''acme/app'''", True),
        (r#"assertion.repository == """acme/app""""#, True),
        (r"assertion.repository == r'acme/app'", True),
        (r"assertion.repository == 'acme\x2fapp'", True),
        (r"assertion.repository == 'acme\u002fapp'", True),
        (r"assertion.repository == 'acme\U0000002fapp'", True),
        (r"assertion.repository == 'acme\057app'", True),
        (r"assertion.repository == R'acme\x2fapp'", False),
        ("// a comment\nassertion.flag", True),
        ("1 == 1 && 1u == 1u && null == null && !(2 == 0x3)", True),
        ("assertion.repository == b'acme/app'", Unknown),
    ]);
}

#[test]
fn claims_are_members_and_indices() {
    each(&[
        ("assertion['a/b'] == 'slash'", True),
        ("assertion.o.k == 'v' && assertion.o['k'] == 'v'", True),
        ("assertion.o.l[0] == 'x'", True),
        ("assertion.groups[1] == 'ops'", True),
        ("assertion.groups[2] == 'ops'", False),
        ("assertion.groups[-1] == 'ops'", False),
        ("assertion.repository.k == 'v'", False),
        ("assertion[assertion.owner] == 'v'", Unknown),
    ]);
}

#[test]
fn what_is_absent_fails_and_a_failure_is_neither_true_nor_false() {
    each(&[
        ("assertion.nope == 'x'", False),
        ("assertion.nope != 'x'", False),
        ("!(assertion.nope == 'x')", False),
        ("assertion.nope == 'x' || assertion.flag", True),
        ("assertion.flag || assertion.nope == 'x'", True),
        ("!(assertion.nope == 'x' && !assertion.flag)", True),
        ("'x' in assertion.nope", False),
        ("!('x' in assertion.nope)", False),
        ("!(assertion.nope in ['x'])", False),
        ("!assertion.nope.startsWith('x')", False),
        ("(assertion.nope == 'x') ? true : true", False),
        ("!(assertion.repository)", False),
        ("!(assertion.id.startsWith('9'))", False),
    ]);
}

#[test]
fn presence() {
    each(&[
        ("has(assertion.sub) && !has(assertion.nope)", True),
        ("has(assertion.nil)", True),
        ("has(assertion.o.k) && !has(assertion.o.nope)", True),
        ("has(assertion.sub.k)", False),
        ("!has(assertion.sub.k)", False),
        ("!has(assertion.nope.k)", False),
        ("has(attribute.org) && has(google.groups) && !has(attribute.nope)", True),
    ]);
}

#[test]
fn values_of_two_types_are_not_equal_and_whether_they_are_unequal_is_not_known() {
    each(&[
        ("assertion.repository == 9919", False),
        ("assertion.repository != 9919", Unknown),
        ("assertion.repository == true", False),
        ("assertion.repository == null", False),
        ("assertion.id == '9919'", False),
        ("assertion.id != '9919'", Unknown),
        ("assertion.id == 9919", Unknown),
        ("assertion.id == 9920", False),
        ("assertion.flag == true && assertion.flag != false", True),
        ("'1' == 1", False),
        ("'1' != 1", Unknown),
        ("assertion.repository == ['acme/app']", Unknown),
        ("assertion.groups == assertion.groups", Unknown),
        ("assertion.repository == assertion.repository", True),
        ("assertion.repository != assertion.owner", True),
        ("assertion.repository == assertion.groups", False),
    ]);
}

#[test]
fn lists() {
    each(&[
        ("assertion.repository in ['x', 'acme/app']", True),
        ("!(assertion.repository in ['x', 'y'])", True),
        ("assertion.repository in []", False),
        ("'dev' in assertion.groups && !('qa' in assertion.groups)", True),
        ("'dev' in assertion.mixed", True),
        ("'qa' in assertion.mixed", False),
        ("!('qa' in assertion.mixed)", Unknown),
        ("!('qa' in assertion.none)", True),
        ("'k' in assertion.o && !('z' in assertion.o)", True),
        ("'a' in assertion.repository", False),
        ("assertion.owner in assertion.groups", Unknown),
        ("assertion.groups.exists(g, g.startsWith('de')) && !assertion.groups.exists(g, g == 'qa')", True),
        ("assertion.groups.all(g, g.startsWith('d') || g == 'ops')", True),
        ("assertion.groups.all(g, g == 'dev')", False),
        ("!assertion.groups.all(g, g == 'dev')", True),
        ("assertion.none.all(g, g == 'dev') && !assertion.none.exists(g, g == 'dev')", True),
        ("assertion.mixed.exists(g, g == 'dev')", True),
        ("assertion.mixed.all(g, g.startsWith('d'))", False),
        ("['acme/', 'other/'].exists(p, assertion.repository.startsWith(p))", True),
        ("['acme/', 'other/'].all(p, assertion.repository.startsWith(p))", False),
        ("assertion.groups.exists_one(g, g == 'dev')", Unknown),
        ("assertion.groups.exists(g, g == assertion.owner)", Unknown),
        ("assertion.o.exists(k, k == 'k')", Unknown),
    ]);
}

#[test]
fn methods_of_texts() {
    each(&[
        ("assertion.repository.startsWith('acme/') && assertion.repository.endsWith('/app')", True),
        ("assertion.repository.contains('e/a') && !assertion.repository.contains('x')", True),
        ("assertion.sub.contains(assertion.repository)", True),
        ("'repo:acme/app'.endsWith(assertion.repository)", True),
        ("'abc'.startsWith('ab')", True),
        ("assertion.sub.contains(9)", False),
        ("assertion.repository.matches('me/.*')", True),
        ("matches(assertion.repository, '^acme/[a-z]+$')", True),
        ("assertion.repository.matches('^me/.*$')", False),
        ("assertion.repository.matches('(')", Unknown),
        ("assertion.repository.matches(assertion.owner)", Unknown),
        ("assertion.owner.lowerAscii() == 'acme' && assertion.owner.upperAscii() == 'ACME'", True),
        ("(assertion.owner + '/X').lowerAscii() == 'acme/x'", True),
        (
            "assertion.repository.size() == 8 && size(assertion.repository) > 7 && 9 > size(assertion.repository)",
            True,
        ),
        ("size(assertion.groups) > 0 && size(assertion.none) == 0 && size(assertion.o) != 0", True),
        ("size(assertion.groups) == 2", Unknown),
        ("size(assertion.id) > 0 || size(assertion.sub) > 999", Unknown),
        ("assertion.repository.split('/')[0] == 'acme'", Unknown),
        ("assertion.repository.startsWith('acme', 1)", Unknown),
        ("assertion.repository < 'b'", Unknown),
    ]);
}

#[test]
fn extract_takes_what_stands_between() {
    each(&[
        ("assertion.sub.extract('repo:{o}/') == 'acme'", True),
        ("assertion.sub.extract('{all}') == assertion.sub", True),
        ("assertion.sub.extract('ref:{r}') == 'refs/heads/main'", True),
        ("assertion.sub.extract('{r}:') == 'repo'", True),
        ("assertion.sub.extract('environment:{e}') == ''", True),
        ("assertion.sub.extract('repo:{o}@') == ''", True),
        ("assertion.sub.extract('ref:{r}').extract('heads/{b}') == 'main'", True),
        ("assertion.id.extract('{x}') == ''", False),
        ("assertion.sub.extract('none') == ''", Unknown),
        ("assertion.sub.extract('{a}/{b}') == ''", Unknown),
        ("(assertion.owner + '/x').extract('{o}/') == 'Acme'", Unknown),
    ]);
}

#[test]
fn texts_are_joined_and_chosen() {
    each(&[
        ("assertion.owner + '/' + assertion.repository == 'Acme/acme/app'", True),
        ("assertion.owner + assertion.nope != 'x'", False),
        ("'a' + 'b' == 'ab'", True),
        ("assertion.owner + 1 == 'Acme1'", Unknown),
        ("assertion.id + assertion.id == 'x'", Unknown),
        ("1 + 1 == 2", Unknown),
        ("(assertion.flag ? assertion.owner : assertion.nope) == 'Acme'", True),
        ("assertion.flag ? assertion.repository == 'acme/app' : assertion.nope == 'x'", True),
        ("(assertion.nope == 'x' ? 'a' : 'a') == 'a'", False),
    ]);
}

#[test]
fn attributes_are_what_they_are_mapped_to() {
    each(&[
        ("google.subject == assertion.sub", True),
        ("'dev' in google.groups", True),
        ("attribute.org == 'acme'", True),
        ("attribute['kind'] == 'app'", True),
        ("attribute.kind != 'Acme!'", True),
        ("attribute.nope == 'x'", False),
        ("!(attribute.nope == 'x')", False),
    ]);
}

#[test]
fn names_that_nothing_has_are_refused_where_they_stand() {
    assert_eq!(
        compiled("assertion.flag && asertion.sub == 'x'").unwrap_err(),
        [
            "cel:1:19: the expression speaks of `asertion` (it can speak of `assertion`, `google` and `attribute`)"
        ]
    );
    let source = Source::new("cel", "google.subject");
    let mut remarks = Remarks::new(&source);
    mapping(Text { span: Span::new(0, 14), value: Ok("google.subject") }, &mut remarks);
    let problems: Vec<String> = remarks.problems.into_vec().iter().map(ToString::to_string).collect();
    assert_eq!(problems, ["cel:1:1: the expression speaks of `google` (it can speak of `assertion`)"]);
}

#[test]
fn malformed_expressions_are_located() {
    let refusal = |text: &str| {
        let text = compiled(text).unwrap_err().join("; ");
        text.replace(" (for example assertion.repository == 'acme/app')", "")
    };
    let all = [
        "",
        "assertion.sub ==",
        "assertion.sub = 'x'",
        "assertion.sub == 'x",
        "assertion.sub == 'x' && && true",
        "assertion.sub == 'x'\n  & true",
        "(assertion.flag",
        "assertion.flag)",
        "assertion.sub == '\\q'",
        "has(assertion)",
        "assertion.groups.exists(1, true)",
        "assertion.sub == é",
        "assertion.if == 1 && if",
        "99999999999999999999 == 1",
        "a ? b",
        &"(".repeat(2_000),
    ];
    insta::assert_snapshot!(all.map(refusal).join("\n"), @"
    cel:1:1: not a CEL expression: mismatched input '<EOF>' expecting expression
    cel:1:17: not a CEL expression: mismatched input '<EOF>' expecting expression
    cel:1:15: not a CEL expression: mismatched input '=' expecting <EOF>
    cel:1:18: not a CEL expression: unterminated string literal
    cel:1:25: not a CEL expression: unexpected token
    cel:2:3: not a CEL expression: unexpected single '&', expected '&&'
    cel:1:16: not a CEL expression: expected ')'
    cel:1:15: not a CEL expression: mismatched input ')' expecting <EOF>
    cel:1:18: not a CEL expression: unable to unescape string
    cel:1:5: not a CEL expression: invalid argument to has() macro
    cel:1:25: not a CEL expression: argument must be a simple name
    cel:1:18: not a CEL expression: unexpected character
    cel:1:22: not a CEL expression: reserved identifier: if
    cel:1:1: not a CEL expression: invalid int literal
    cel:1:6: not a CEL expression: expected ':' in conditional expression
    cel:1:98: not a CEL expression: expected ')'
    ");
}

#[test]
fn what_is_too_long_or_too_deep_ends_and_is_not_guessed() {
    let deep = format!("{}assertion.flag{}", "!(".repeat(80), ")".repeat(80));
    assert_eq!(truth(&deep), Unknown);
    assert_eq!(truth(&format!("assertion.sub{} == 'x'", ".extract('{x}')".repeat(100))), Unknown);
    assert_eq!(truth(&format!("'x' == {}'x'", "'a' + ".repeat(800))), Unknown);
    assert_eq!(truth(&vec!["assertion.flag"; 250].join(" && ")), True);
    let choices = (0..5)
        .fold("assertion.flag".to_owned(), |test, _| format!("({test} ? assertion.flag : !assertion.flag)"));
    assert_eq!(truth(&choices), True);
    let choices = (0..40)
        .fold("assertion.flag".to_owned(), |test, _| format!("({test} ? assertion.flag : !assertion.flag)"));
    assert_eq!(truth(&choices), Unknown);
    let nested = (0..6).fold("a == b".to_owned(), |body, _| {
        format!("['1','2','3','4','5','6','7','8','9'].exists(a, ['1'].exists(b, {body}))")
    });
    assert_eq!(truth(&nested), True);
}

#[test]
fn an_expression_falls_into_the_parts_that_must_all_hold() {
    let parts = |text: &str| {
        conjuncts(text)
            .iter()
            .map(|span| text.get(span.start..span.end).unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        parts("a == 'x && y' && (b || c) &&\n d[e && f] // && g"),
        ["a == 'x && y'", "(b || c)", "d[e && f]"]
    );
    assert_eq!(parts("a || b && c"), ["a || b && c"]);
    assert_eq!(parts("a ? b && c : d"), ["a ? b && c : d"]);
}
