use jsonc_parser::ast;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::{Member, Node, Problem, Source, Span, Value};

/// Reads strict JSON (RFC 8259): no comments, no trailing commas, one value. Repeated members are kept.
pub fn parse_json(source: &Source) -> Result<Node, Problem> {
    let strict = ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let parsed = parse_to_ast(source.text(), &CollectOptions::default(), &strict).map_err(|error| {
        let range = error.range();
        let message = error.kind().to_string();
        Problem::new(
            source,
            Span::new(range.start, range.end),
            format!("not valid JSON: {}", lower_first(&message)),
        )
    })?;
    match parsed.value {
        Some(value) => Ok(node(value)),
        None => Err(Problem::new(source, Span::default(), "not valid JSON: the document is empty")),
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.trim_end_matches('.').chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

const fn span(range: jsonc_parser::common::Range) -> Span {
    Span::new(range.start, range.end)
}

fn node(value: ast::Value<'_>) -> Node {
    match value {
        ast::Value::NullKeyword(it) => Node { span: span(it.range), value: Value::Null },
        ast::Value::BooleanLit(it) => Node { span: span(it.range), value: Value::Bool(it.value) },
        ast::Value::NumberLit(it) => Node { span: span(it.range), value: Value::Number(it.value.to_owned()) },
        ast::Value::StringLit(it) => {
            Node { span: span(it.range), value: Value::String(it.value.into_owned()) }
        }
        ast::Value::Array(it) => {
            Node { span: span(it.range), value: Value::Array(it.elements.into_iter().map(node).collect()) }
        }
        ast::Value::Object(it) => Node {
            span: span(it.range),
            value: Value::Table(it.properties.into_iter().map(member).collect()),
        },
    }
}

fn member(property: ast::ObjectProp<'_>) -> Member {
    let name_span = match &property.name {
        ast::ObjectPropName::String(name) => span(name.range),
        ast::ObjectPropName::Word(name) => span(name.range),
    };
    Member { name: property.name.into_string(), name_span, node: node(property.value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_members_are_kept_with_their_places() {
        let source = Source::new("p.json", "{\"a\": 1,\n \"a\": 2}");
        let tree = parse_json(&source).unwrap();
        let members = tree.as_table().unwrap();
        assert_eq!(members.len(), 2);
        assert_eq!(source.at(members[1].name_span).to_string(), "p.json:2:2");
    }

    #[test]
    fn leniency_is_off() {
        for text in [
            "",
            "{a:1}",
            "{\"a\":1,}",
            "// x\n{}",
            "{'a':1}",
            "[1 2]",
            "0x10",
            "{} {}",
            "NaN",
            "[+1]",
            "{\"a\"}",
        ] {
            assert!(parse_json(&Source::new("p.json", text)).is_err(), "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_an_error_not_a_crash() {
        let text = "[".repeat(100_000);
        assert!(parse_json(&Source::new("p.json", text)).is_err());
    }
}
