//! Editing block YAML in place: pairs replaced and taken out, lines put in, the indentation taken from the neighbours.

use daypass_pipelines::yaml::{Node, Pair, Value};
use daypass_pipelines::{Job, Place};
use daypass_trust::document::Span;

use super::{Case, Edit};

/// A pair with where it is.
#[derive(Clone)]
pub(super) struct Spot<'a> {
    /// The mapping that holds it.
    pub(super) mapping: &'a Node,
    /// The pair.
    pub(super) pair: &'a Pair,
    /// The names of the pairs around it, outermost first, the pair's own last; list items have no name.
    pub(super) path: Vec<&'a str>,
    /// The pair that has the mapping for its value, and the mapping that this is in.
    pub(super) around: Option<(&'a Node, &'a Pair)>,
    /// The list item that it is in: the innermost mapping that stands in a list.
    pub(super) item: Option<&'a Node>,
}

/// The pair whose value is at a place.
pub(super) fn find<'a>(case: &Case<'a>, place: &Place) -> Option<Spot<'a>> {
    let wanted = |pair: &Pair| pair.value.alias.is_none() && pair.value.place.span == place.span;
    search(case.documents, &wanted)
}

/// The mapping that defines a job.
pub(super) fn job<'a>(case: &Case<'a>, job: &Job) -> Result<&'a Node, Vec<String>> {
    let span = job.place.span;
    // A mapping of one job begins and ends where that job's pair does: the pair is looked for first.
    let named = |pair: &Pair| pair.place().span == span && pair.value.is_mapping();
    let listed = || case.documents.iter().find_map(|root| root.at(span));
    let found = search(case.documents, &named).map(|spot| &spot.pair.value).or_else(listed);
    let found = found.filter(|node| node.is_mapping() && block(case.text, node));
    found.ok_or_else(|| {
        vec![format!("job `{}` is not written as a block of its own here: edit it where it is", job.path())]
    })
}

fn search<'a>(documents: &'a [Node], wanted: &dyn Fn(&Pair) -> bool) -> Option<Spot<'a>> {
    documents.iter().find_map(|root| descend(root, wanted, &mut Vec::new(), None, None))
}

fn descend<'a>(
    node: &'a Node,
    wanted: &dyn Fn(&Pair) -> bool,
    path: &mut Vec<&'a str>,
    around: Option<(&'a Node, &'a Pair)>,
    item: Option<&'a Node>,
) -> Option<Spot<'a>> {
    if node.alias.is_some() {
        return None;
    }
    match &node.value {
        Value::Scalar(_) => None,
        Value::Sequence(items) => items.iter().find_map(|one| descend(one, wanted, path, None, Some(one))),
        Value::Mapping(pairs) => pairs.iter().find_map(|pair| {
            path.push(pair.key.as_str().unwrap_or_default());
            let found = if wanted(pair) {
                Some(Spot { mapping: node, pair, path: path.clone(), around, item })
            } else {
                descend(&pair.value, wanted, path, Some((node, pair)), item)
            };
            path.pop();
            found
        }),
    }
}

/// Whether an alias somewhere repeats what stands at a place: an edit there would be one in several jobs.
pub(super) fn is_shared(documents: &[Node], span: Span) -> bool {
    fn repeats(node: &Node, span: Span) -> bool {
        let covers = node.place.span.start <= span.start && span.end <= node.place.span.end;
        if node.alias.is_some() {
            return covers;
        }
        match &node.value {
            Value::Scalar(_) => false,
            Value::Sequence(items) => items.iter().any(|item| repeats(item, span)),
            Value::Mapping(pairs) => pairs.iter().any(|pair| repeats(&pair.value, span)),
        }
    }
    documents.iter().any(|root| repeats(root, span))
}

/// Whether a mapping or list is written on lines of its own and not in brackets.
pub(super) fn block(text: &str, node: &Node) -> bool {
    !matches!(text.as_bytes().get(node.place.span.start), Some(b'{' | b'['))
}

/// How lines end here.
pub(super) fn newline(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// The blanks that bring a new line to the column of a key.
pub(super) fn indent(place: &Place) -> String {
    " ".repeat(place.column.saturating_sub(1))
}

fn joined(text: &str, lines: &[String], indent: &str) -> String {
    lines.join(&format!("{}{indent}", newline(text)))
}

/// Lines in front of a pair, in its column.
pub(super) fn before(text: &str, pair: &Pair, lines: &[String]) -> Edit {
    let indent = indent(&pair.key.place);
    let new = format!("{}{}{indent}", joined(text, lines, &indent), newline(text));
    Edit::insert(pair.key.place.span.start, new)
}

/// A list item of these lines in front of another. `None` where the list is not a block.
pub(super) fn item_before(text: &str, item: &Node, lines: &[String]) -> Option<Edit> {
    let start = item.place.span.start;
    let ahead = text.get(..start)?;
    let dash = ahead.trim_end_matches([' ', '\t']).strip_suffix('-')?.len();
    let line = ahead.rfind('\n').map_or(0, |at| at.saturating_add(1));
    let indent = ahead.get(line..dash)?;
    if !indent.chars().all(|c| c == ' ') {
        return None;
    }
    let (first, rest) = lines.split_first()?;
    let mut all = vec![format!("- {first}")];
    all.extend(rest.iter().map(|line| format!("  {line}")));
    Some(Edit::insert(dash, format!("{}{}{indent}", joined(text, &all, indent), newline(text))))
}

/// Replaces pairs by lines, which stand where the first of each mapping was, or takes them out where there are none. A mapping
/// that would be left empty goes with the pair that holds it.
pub(super) fn replace(text: &str, spots: &[Spot<'_>], lines: &[String]) -> Result<Vec<Edit>, Vec<String>> {
    let Some(first) = spots.first() else { return Ok(Vec::new()) };
    let together = |spot: &Spot<'_>| spot.mapping.place.span == first.mapping.place.span;
    let (these, others): (Vec<Spot<'_>>, Vec<Spot<'_>>) = spots.iter().cloned().partition(together);
    let mut edits = of_mapping(text, &these, lines)?;
    edits.extend(replace(text, &others, lines)?);
    Ok(edits)
}

/// The same for pairs of one mapping.
fn of_mapping(text: &str, spots: &[Spot<'_>], lines: &[String]) -> Result<Vec<Edit>, Vec<String>> {
    let Some(first) = spots.first() else { return Ok(Vec::new()) };
    let pairs: Vec<&Pair> = spots.iter().map(|spot| spot.pair).collect();
    let all = pairs.len() == first.mapping.pairs().len();
    if lines.is_empty() && all {
        let refusal = || vec!["nothing would be left of what holds it: take it out by hand".to_owned()];
        let (mapping, pair) = first.around.ok_or_else(refusal)?;
        return Ok(vec![removal(text, mapping, pair).ok_or_else(refusal)?]);
    }
    if !block(text, first.mapping) {
        return flow(text, first.mapping, &pairs, lines);
    }
    let mut edits = Vec::new();
    let mut left = lines;
    for pair in pairs {
        if left.is_empty() {
            let refusal = || vec!["the line cannot be taken out by itself: do it by hand".to_owned()];
            edits.push(removal(text, first.mapping, pair).ok_or_else(refusal)?);
        } else {
            let indent = indent(&pair.key.place);
            edits.push(Edit::replace(
                Span::new(pair.key.place.span.start, end(text, pair)),
                joined(text, left, &indent),
            ));
            left = &[];
        }
    }
    Ok(edits)
}

/// Where the last byte of a pair is, without the line break of a block of text.
fn end(text: &str, pair: &Pair) -> usize {
    let place = pair.place().span;
    text.get(..place.end).map_or(place.end, |ahead| ahead.trim_end().len().max(place.start))
}

/// Takes a pair out of a block: its lines, or where it follows a dash, all up to its next sibling.
fn removal(text: &str, mapping: &Node, pair: &Pair) -> Option<Edit> {
    if !block(text, mapping) {
        return None;
    }
    let start = pair.key.place.span.start;
    let line = text.get(..start)?.rfind('\n').map_or(0, |at| at.saturating_add(1));
    if text.get(line..start)?.trim_start().is_empty() {
        let end = end(text, pair);
        let rest = text.get(end..)?;
        let to = rest.find('\n').map_or(text.len(), |at| end.saturating_add(at).saturating_add(1));
        return Some(Edit::remove(Span::new(line, to)));
    }
    let next = mapping.pairs().iter().find(|other| other.key.place.span.start > start)?;
    Some(Edit::remove(Span::new(start, next.key.place.span.start)))
}

/// The same between braces.
fn flow(text: &str, mapping: &Node, pairs: &[&Pair], lines: &[String]) -> Result<Vec<Edit>, Vec<String>> {
    let breaks = |line: &String| {
        line.starts_with(' ') || line.ends_with(':') || line.contains(['{', '}', '[', ']', ','])
    };
    if lines.iter().any(breaks) {
        return Err(vec![
            "what takes its place does not fit into braces: write the mapping as a block first".to_owned(),
        ]);
    }
    let mut edits = Vec::new();
    let siblings = mapping.pairs();
    let mut left = lines;
    for pair in pairs {
        let span = Span::new(pair.key.place.span.start, end(text, pair));
        if !left.is_empty() {
            edits.push(Edit::replace(span, left.join(", ")));
            left = &[];
            continue;
        }
        let at = siblings.iter().position(|other| other.key.place.span == pair.key.place.span).unwrap_or(0);
        let next = siblings.get(at.saturating_add(1)).filter(|_| at == 0);
        let removed = match (next, at.checked_sub(1).and_then(|at| siblings.get(at))) {
            (Some(next), _) => Span::new(span.start, next.key.place.span.start),
            (None, Some(previous)) => Span::new(end(text, previous), span.end),
            (None, None) => span,
        };
        edits.push(Edit::remove(removed));
    }
    Ok(edits)
}

/// A value as YAML has it: in quotes where it would be something else without.
pub(super) fn scalar(value: &str) -> String {
    if value.contains(char::is_control) {
        // What JSON escapes, YAML reads in double quotes.
        return serde_json::Value::from(value).to_string();
    }
    let plain = !value.is_empty()
        && value.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '$' | '.' | '_'))
        && !value.contains(": ")
        && !value.contains(" #")
        && !value.ends_with([':', ' '])
        && !matches!(value, "true" | "false" | "null" | "yes" | "no" | "on" | "off")
        && value.parse::<f64>().is_err();
    if plain { value.to_owned() } else { format!("'{}'", value.replace('\'', "''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rewrite::edit::apply;

    fn after(text: &str, gone: &[&str], lines: &[&str]) -> String {
        let documents = daypass_pipelines::yaml::parse(&"t.yml".into(), text.as_bytes()).unwrap();
        let spots: Vec<Spot<'_>> = gone
            .iter()
            .map(|name| search(&documents, &|pair| pair.key.as_str() == Some(name)).unwrap())
            .collect();
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        match replace(text, &spots, &lines) {
            Ok(edits) => apply(text, &edits),
            Err(why) => why.join("; "),
        }
    }

    #[test]
    fn pairs_are_replaced_where_they_stand() {
        let text = "a:\n  k: 1 # keep\n  x: 2\n  s: |\n    t\n  z: 3\n";
        assert_eq!(
            after(text, &["x", "s"], &["n: 5", "m: 6"]),
            "a:\n  k: 1 # keep\n  n: 5\n  m: 6\n  z: 3\n"
        );
        assert_eq!(after(text, &["x"], &[]), "a:\n  k: 1 # keep\n  s: |\n    t\n  z: 3\n");
        assert_eq!(
            after("a:\r\n  x: 2\r\nb: 1\r\n", &["x"], &["n:", "  m: 6"]),
            "a:\r\n  n:\r\n    m: 6\r\nb: 1\r\n"
        );
    }

    #[test]
    fn each_mapping_gets_what_stands_in_for_its_pairs() {
        let text = "a:\n  x: 1\n  k: 2\nb:\n  s: 3\n  k: 4\n";
        assert_eq!(after(text, &["x", "s"], &["n: 5"]), "a:\n  n: 5\n  k: 2\nb:\n  n: 5\n  k: 4\n");
    }

    #[test]
    fn what_would_be_empty_goes_too() {
        assert_eq!(after("a:\n  env:\n    x: 2\n  z: 3\n", &["x"], &[]), "a:\n  z: 3\n");
        assert_eq!(after("- x: 1\n  y: 2\n- z: 3\n", &["x"], &[]), "- y: 2\n- z: 3\n");
        assert!(after("x: 2\n", &["x"], &[]).contains("nothing would be left"));
        assert!(after("a:\n  - x: 2\n", &["x"], &[]).contains("nothing would be left"));
    }

    #[test]
    fn braces_keep_their_commas() {
        let text = "a: { k: 1, x: 2, s: 3 }\n";
        assert_eq!(after(text, &["x", "s"], &["n: 5"]), "a: { k: 1, n: 5 }\n");
        assert_eq!(after(text, &["k"], &[]), "a: { x: 2, s: 3 }\n");
        assert_eq!(after(text, &["s"], &[]), "a: { k: 1, x: 2 }\n");
        assert!(after(text, &["s"], &["n:", "  m: 1"]).contains("does not fit into braces"));
        assert!(after(text, &["s"], &["n: ${{ env.X }}"]).contains("does not fit into braces"));
    }

    #[test]
    fn items_go_in_front_of_items() {
        let text = "s:\n  - run: x\n";
        let documents = daypass_pipelines::yaml::parse(&"t.yml".into(), text.as_bytes()).unwrap();
        let item = &documents[0].get("s").unwrap().items()[0];
        let edit = item_before(text, item, &["uses: y".to_owned(), "with:".to_owned(), "  z: 1".to_owned()])
            .unwrap();
        assert_eq!(apply(text, &[edit]), "s:\n  - uses: y\n    with:\n      z: 1\n  - run: x\n");
        assert_eq!(
            item_before(
                "s: [x]",
                &daypass_pipelines::yaml::parse(&"t".into(), b"s: [x]").unwrap()[0].get("s").unwrap().items()
                    [0],
                &["y".to_owned()]
            ),
            None
        );
    }

    #[test]
    fn values_are_quoted_where_they_must_be() {
        assert_eq!(scalar("arn:aws:iam::1:role/x"), "arn:aws:iam::1:role/x");
        assert_eq!(scalar("true"), "'true'");
        assert_eq!(scalar("a: b"), "'a: b'");
        assert_eq!(scalar("it's #1"), "'it''s #1'");
        assert_eq!(scalar("12"), "'12'");
        assert_eq!(scalar("a\nb: c"), r#""a\nb: c""#);
    }
}
