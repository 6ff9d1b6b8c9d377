use ::toml::Spanned;
use ::toml::de::{DeTable, DeValue};

use super::{Member, Node, Problem, Source, Span, Value};

/// Reads TOML 1.1; members come in the order of the source.
pub fn parse_toml(source: &Source) -> Result<Node, Problem> {
    let table = DeTable::parse(source.text()).map_err(|error| {
        let span = error.span().map_or_else(Span::default, |range| Span::new(range.start, range.end));
        Problem::new(source, span, format!("not valid TOML: {}", error.message()))
    })?;
    let span = Span::new(table.span().start, table.span().end);
    Ok(Node { span, value: members(table.into_inner()) })
}

fn members(table: DeTable<'_>) -> Value {
    let mut members: Vec<Member> = table
        .into_iter()
        .map(|(name, value)| Member {
            name_span: Span::new(name.span().start, name.span().end),
            name: name.into_inner().into_owned(),
            node: node(value),
        })
        .collect();
    members.sort_by_key(|member| member.name_span);
    Value::Table(members)
}

fn node(value: Spanned<DeValue<'_>>) -> Node {
    let span = Span::new(value.span().start, value.span().end);
    let value = match value.into_inner() {
        DeValue::String(text) => Value::String(text.into_owned()),
        DeValue::Integer(number) => Value::Number(
            i128::from_str_radix(number.as_str(), number.radix())
                .map_or_else(|_| number.to_string(), |number| number.to_string()),
        ),
        DeValue::Float(number) => Value::Number(number.to_string()),
        DeValue::Boolean(value) => Value::Bool(value),
        DeValue::Datetime(time) => Value::Datetime(time.to_string()),
        DeValue::Array(items) => Value::Array(items.into_iter().map(node).collect()),
        DeValue::Table(table) => members(table),
    };
    Node { span, value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_places_are_the_sources() {
        let source = Source::new("p.toml", "z = 1\na = \"x\"\n[t]\nd = 2027-01-31\nh = 0x10\n");
        let tree = parse_toml(&source).unwrap();
        let names: Vec<_> = tree.as_table().unwrap().iter().map(|member| member.name.as_str()).collect();
        assert_eq!(names, ["z", "a", "t"]);
        let table = tree.get("t").unwrap();
        assert_eq!(table.get("d").unwrap().value, Value::Datetime("2027-01-31".into()));
        assert_eq!(table.get("h").unwrap().value, Value::Number("16".into()));
        assert_eq!(source.at(table.get("d").unwrap().span).to_string(), "p.toml:4:5");
    }

    #[test]
    fn errors_are_located() {
        let error = parse_toml(&Source::new("p.toml", "a = 1\nb = = 2\n")).unwrap_err();
        assert_eq!(error.location.line, 2);
        let error = parse_toml(&Source::new("p.toml", "a = 1\na = 2\n")).unwrap_err();
        assert!(error.to_string().contains("duplicate key"), "{error}");
    }
}
