//! `data "aws_iam_policy_document"`: blocks that the provider turns into a policy document.
//!
//! Reference: registry.terraform.io, hashicorp/aws, `aws_iam_policy_document` (merging by `sid`, order of documents).

use daypass_trust::document::{Member, Node, Span, Value};

use super::dynamic::Inner;
use super::env::Env;
use super::session::Session;
use super::syntax::{Block, Body};
use super::value::{Val, mark, set};

/// The document, in the form of IAM's JSON.
pub(super) fn read<'p>(session: &Session<'p>, block: &Block<'p>, env: &Env<'p>) -> Node {
    let body = block.body;
    let mut statements: Vec<Node> = Vec::new();
    // Sources come first, the own statements replace those with their `sid`, overrides replace both.
    for name in ["source_json", "source_policy_documents"] {
        merge_documents(session, body, name, env, &mut statements);
    }
    for Inner { block, env, perhaps } in session.blocks(body, "statement", env) {
        let mut new = statement(session, &block, &env);
        // An allowance that may be there is looked at as if it were; nobody may rely on a denial that may be.
        if let Some(why) = perhaps.filter(|_| new.get("Effect").and_then(Node::as_str) != Some("Allow")) {
            doubt(&mut new, why);
        }
        merge(&mut statements, new);
    }
    for name in ["override_json", "override_policy_documents"] {
        merge_documents(session, body, name, env, &mut statements);
    }
    let statements = statements.into_iter().map(|it| session.adopt(it, block.head)).collect();
    let mut members = Vec::new();
    let version = attribute(session, body, "version", env)
        .unwrap_or_else(|| Node { span: block.head, value: Value::String("2012-10-17".to_owned()) });
    push(&mut members, "Version", version.span, version);
    if let Some(id) = attribute(session, body, "policy_id", env) {
        push(&mut members, "Id", id.span, id);
    }
    push(&mut members, "Statement", block.head, Node { span: block.head, value: Value::Array(statements) });
    Node { span: block.head, value: Value::Table(members) }
}

fn statement<'p>(session: &Session<'p>, block: &Block<'p>, env: &Env<'p>) -> Node {
    let body = block.body;
    let mut members = Vec::new();
    for (name, member) in [("sid", "Sid"), ("effect", "Effect")] {
        if let Some(node) = attribute(session, body, name, env).filter(|it| it.as_str() != Some("")) {
            push(&mut members, member, node.span, node);
        }
    }
    if !members.iter().any(|member| member.name == "Effect") {
        push(
            &mut members,
            "Effect",
            block.head,
            Node { span: block.head, value: Value::String("Allow".into()) },
        );
    }
    for (name, member) in [("principals", "Principal"), ("not_principals", "NotPrincipal")] {
        if let Some(node) = principals(session, body, name, env) {
            push(&mut members, member, node.span, node);
        }
    }
    for (name, member) in [
        ("actions", "Action"),
        ("not_actions", "NotAction"),
        ("resources", "Resource"),
        ("not_resources", "NotResource"),
    ] {
        if let Some(node) = attribute(session, body, name, env).filter(|it| it.as_array() != Some(&[])) {
            push(&mut members, member, node.span, node);
        }
    }
    if let Some(node) = conditions(session, block, env) {
        push(&mut members, "Condition", node.span, node);
    }
    Node { span: block.head, value: Value::Table(members) }
}

/// Leaves open whether a statement applies.
fn doubt(statement: &mut Node, why: String) {
    let span = statement.span;
    let Value::Table(members) = &mut statement.value else { return };
    let unknown = Node { span, value: Value::Unresolved(why) };
    let test = Member { name: "aws:userid".to_owned(), name_span: span, node: unknown };
    let tests = Member {
        name: "StringLikeIfExists".to_owned(),
        name_span: span,
        node: Node { span, value: Value::Table(vec![test]) },
    };
    match members.iter_mut().find(|member| member.name == "Condition") {
        Some(Member { node: Node { value: Value::Table(known), .. }, .. }) => set(known, tests),
        _ => push(members, "Condition", span, Node { span, value: Value::Table(vec![tests]) }),
    }
}

/// Several blocks of a type add up; the type `*` is everybody.
fn principals<'p>(session: &Session<'p>, body: Body<'p>, kind: &str, env: &Env<'p>) -> Option<Node> {
    let mut members: Vec<Member> = Vec::new();
    let mut span = None;
    for Inner { block, env, .. } in session.blocks(body, kind, env) {
        let at = *span.get_or_insert(block.head);
        let kind = attribute(session, block.body, "type", &env)?;
        let identifiers = attribute(session, block.body, "identifiers", &env)?;
        let kind_text = match (kind.as_str(), session.why_unknown(&kind)) {
            (Some(text), None) => text.to_owned(),
            (_, why) => {
                let why = why.unwrap_or_else(|| "the type of the principals is no text".to_owned());
                return Some(Node { span: kind.span, value: Value::Unresolved(why) });
            }
        };
        if kind_text == "*" {
            return Some(Node { span: at, value: Value::String("*".to_owned()) });
        }
        extend(&mut members, &kind_text, kind.span, identifiers);
    }
    Some(Node { span: span?, value: Value::Table(members) })
}

/// Conditions of one test and one variable add their values up.
fn conditions<'p>(session: &Session<'p>, statement: &Block<'p>, env: &Env<'p>) -> Option<Node> {
    let mut tests: Vec<Member> = Vec::new();
    for Inner { block, env, perhaps } in session.blocks(statement.body, "condition", env) {
        let get = |name| {
            attribute(session, block.body, name, &env).unwrap_or_else(|| Node {
                span: block.head,
                value: Value::Unresolved(format!("the condition has no `{name}`")),
            })
        };
        let (test, variable, mut values) = (get("test"), get("variable"), get("values"));
        // Whether it is met is as unknown as whether it is asked for.
        if let Some(why) = perhaps {
            values.value = Value::Unresolved(why);
        }
        let name = |node: &Node| session.key(node).unwrap_or_else(|why| mark(session.unknown_number(&why)));
        let (test_name, key) = (name(&test), name(&variable));
        if !tests.iter().any(|member| member.name == test_name) {
            let node = Node { span: block.head, value: Value::Table(Vec::new()) };
            push(&mut tests, &test_name, test.span, node);
        }
        let keys = tests.iter_mut().find(|member| member.name == test_name);
        if let Some(Member { node: Node { value: Value::Table(keys), .. }, .. }) = keys {
            extend(keys, &key, variable.span, values);
        }
    }
    (!tests.is_empty()).then_some(Node { span: statement.head, value: Value::Table(tests) })
}

/// Adds values to a member that may be there.
fn extend(members: &mut Vec<Member>, name: &str, name_span: Span, values: Node) {
    let Some(known) = members.iter_mut().find(|member| member.name == name) else {
        push(members, name, name_span, values);
        return;
    };
    let span = known.node.span;
    let old = std::mem::replace(&mut known.node.value, Value::Null);
    let mut items = match old {
        Value::Array(items) => items,
        value => vec![Node { span, value }],
    };
    match values.value {
        Value::Array(more) => items.extend(more),
        value => items.push(Node { span: values.span, value }),
    }
    known.node.value = Value::Array(items);
}

fn merge_documents<'p>(
    session: &Session<'p>,
    body: Body<'p>,
    name: &str,
    env: &Env<'p>,
    statements: &mut Vec<Node>,
) {
    let Some(expression) = body.attribute(name) else { return };
    let value = session.eval(expression, env);
    let span = expression.span();
    let unknown = |why: String| Node { span, value: Value::Unresolved(why) };
    let documents = match &value.node.value {
        // The elements lost their trees when they became a list: they are documents as text.
        Value::Array(items) => items.iter().cloned().map(Val::from).collect(),
        Value::Null => Vec::new(),
        _ => vec![value],
    };
    for document in documents {
        session.consume(&document);
        match session.document(&document) {
            Ok(tree) => match tree.get("Statement") {
                Some(Node { value: Value::Array(items), .. }) => {
                    for item in items {
                        merge(statements, item.clone());
                    }
                }
                Some(node) => merge(statements, node.clone()),
                None => {}
            },
            Err(why) => statements.push(unknown(why)),
        }
    }
}

fn merge(statements: &mut Vec<Node>, new: Node) {
    let sid = new.get("Sid").and_then(Node::as_str).filter(|sid| !sid.is_empty()).map(str::to_owned);
    let same = |old: &Node| sid.is_some() && old.get("Sid").and_then(Node::as_str) == sid.as_deref();
    match statements.iter_mut().find(|old| same(old)) {
        Some(old) => *old = new,
        None => statements.push(new),
    }
}

fn attribute<'p>(session: &Session<'p>, body: Body<'p>, name: &str, env: &Env<'p>) -> Option<Node> {
    let expression = body.attribute(name)?;
    let node = session.adopt(session.eval(expression, env).node, expression.span());
    (node.value != Value::Null).then_some(node)
}

fn push(members: &mut Vec<Member>, name: &str, name_span: Span, node: Node) {
    set(members, Member { name: name.to_owned(), name_span, node });
}
