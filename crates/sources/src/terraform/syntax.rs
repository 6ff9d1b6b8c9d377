use std::borrow::Cow;

use daypass_trust::document::{Node, Problem, Source, Span, Value, parse_json};
use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure;

use super::map::global;
use super::value::each_span;
use crate::tree::has_extension;

/// A file of a configuration. Terraform reads two syntaxes; what follows sees one.
#[derive(Debug)]
pub(crate) struct File {
    /// Where its offsets begin.
    pub(crate) base: usize,
    /// Whether its blocks amend those of other files (`override.tf`, `*_override.tf`).
    pub(crate) overrides: bool,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Native(structure::Body),
    /// Spans count through all files already.
    Json(Node),
}

/// The inside of a file or a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Body<'p> {
    pub(crate) base: usize,
    inner: Inner<'p>,
}

#[derive(Clone, Copy, Debug)]
enum Inner<'p> {
    Native(&'p structure::Body),
    Json(&'p Node),
    Plain(&'p Node),
}

/// A block with its labels.
#[derive(Clone, Debug)]
pub(crate) struct Block<'p> {
    pub(crate) labels: Vec<String>,
    pub(crate) body: Body<'p>,
    /// The block's head, for messages about the block.
    pub(crate) head: Span,
}

/// An expression.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expr<'p> {
    pub(crate) base: usize,
    pub(crate) kind: ExprKind<'p>,
}

/// An expression by syntax.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ExprKind<'p> {
    /// Of the native syntax.
    Native(&'p Expression),
    /// Of the JSON syntax: every string is a template.
    Json(&'p Node),
    /// A value: it stands for itself.
    Plain(&'p Node),
}

impl File {
    /// Reads a file by the syntax that its name tells.
    pub(crate) fn parse(source: &Source, base: usize) -> Result<Self, Problem> {
        let content = if has_extension(source.name(), "json") {
            let mut tree = parse_json(source)?;
            each_span(&mut tree, &|span| global(span, base));
            Content::Json(tree)
        } else {
            Content::Native(parse_native(source)?)
        };
        let stem = source.name().rsplit('/').next().unwrap_or_default().split('.').next().unwrap_or_default();
        Ok(Self { base, overrides: stem == "override" || stem.ends_with("_override"), content })
    }

    /// What it holds.
    pub(crate) fn body(&self) -> Body<'_> {
        match &self.content {
            Content::Native(body) => Body::native(body, self.base),
            Content::Json(node) => Body::json(node, self.base),
        }
    }
}

/// Reads the native syntax.
pub(crate) fn parse_native(source: &Source) -> Result<structure::Body, Problem> {
    // A byte order mark is allowed and means nothing; a blank keeps the offsets.
    let mut text = match source.text().strip_prefix('\u{feff}') {
        Some(rest) => Cow::Owned(format!("   {rest}")),
        None => Cow::Borrowed(source.text()),
    };
    let mut respelt = 0;
    loop {
        let error = match hcl_edit::parser::parse_body(&text) {
            Ok(body) => return Ok(body),
            Err(error) => error,
        };
        let at = error.location().offset();
        if error.message().contains(KEY_AGAIN) && respelt < MOST_RESPELT {
            respelt += 1;
            if let Some(other) = respell_key(&text, at) {
                text = Cow::Owned(other);
                continue;
            }
        }
        let message = error.message().trim().replace('\n', ", ");
        return Err(Problem::new(source, Span::new(at, at), format!("not valid HCL: {message}")));
    }
}

/// What the parser says of a key that an object has already. Terraform takes the last of them.
const KEY_AGAIN: &str = "redefined object key";
/// How many keys of a file may be there again: each has the file read once more.
const MOST_RESPELT: u32 = 16;

/// Writes a key another way that means the same, and makes use of the blanks around it to keep all offsets: the parser compares
/// keys as they are written.
fn respell_key(text: &str, at: usize) -> Option<String> {
    let (before, rest) = (text.get(..at)?.strip_suffix([' ', '\t'])?, text.get(at..)?);
    let (key, open, close) = if let Some(quoted) = rest.strip_prefix('"') {
        let inner = quoted.split_once('"')?.0;
        // An escaped quote or a template's is not the last.
        if inner.contains(['\\', '$', '%', '\n']) {
            return None;
        }
        (rest.get(..inner.len().checked_add(2)?)?, '(', ')')
    } else {
        let end = rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-'))?;
        (rest.get(..end).filter(|key| !key.is_empty())?, '"', '"')
    };
    let after = rest.strip_prefix(key)?.strip_prefix([' ', '\t'])?;
    Some(format!("{before}{open}{key}{close}{after}"))
}

impl<'p> Body<'p> {
    const fn native(body: &'p structure::Body, base: usize) -> Self {
        Self { base, inner: Inner::Native(body) }
    }

    const fn json(node: &'p Node, base: usize) -> Self {
        Self { base, inner: Inner::Json(node) }
    }

    /// Values that are no configuration: those of a plan, or of a template of another language.
    pub(crate) const fn plain(node: &'p Node) -> Self {
        Self { base: 0, inner: Inner::Plain(node) }
    }

    /// The attribute of that name.
    pub(crate) fn attribute(self, name: &str) -> Option<Expr<'p>> {
        let kind = match self.inner {
            Inner::Native(body) => ExprKind::Native(&body.get_attribute(name)?.value),
            Inner::Json(node) => ExprKind::Json(node.get(name)?),
            Inner::Plain(node) => ExprKind::Plain(node.get(name)?),
        };
        Some(Expr { base: self.base, kind })
    }

    /// All attributes. In the JSON syntax blocks are among them: nothing tells them apart.
    pub(crate) fn attributes(self) -> Vec<(String, Span, Expr<'p>)> {
        match self.inner {
            Inner::Native(body) => body
                .attributes()
                .map(|attribute| {
                    let kind = ExprKind::Native(&attribute.value);
                    let span = span_of(attribute.key.span(), self.base);
                    (attribute.key.as_str().to_owned(), span, Expr { base: self.base, kind })
                })
                .collect(),
            Inner::Json(node) | Inner::Plain(node) => node
                .as_table()
                .unwrap_or_default()
                .iter()
                .filter_map(|member| {
                    let expression = self.attribute(&member.name)?;
                    Some((member.name.clone(), member.name_span, expression))
                })
                .collect(),
        }
    }

    /// The blocks of that kind with as many labels.
    pub(crate) fn blocks(self, kind: &str, labels: usize) -> Vec<Block<'p>> {
        match self.inner {
            Inner::Native(body) => body
                .blocks()
                .filter(|block| block.has_ident(kind) && block.labels.len() == labels)
                .map(|block| Block {
                    labels: block.labels.iter().map(|label| label.as_str().to_owned()).collect(),
                    head: head(block, self.base),
                    body: Body::native(&block.body, self.base),
                })
                .collect(),
            Inner::Json(node) | Inner::Plain(node) => {
                let mut found = Vec::new();
                for member in node.as_table().unwrap_or_default().iter().filter(|it| it.name == kind) {
                    self.json_blocks(&member.node, member.name_span, labels, &mut Vec::new(), &mut found);
                }
                found
            }
        }
    }

    /// In JSON labels are nested tables, and several blocks are a list.
    fn json_blocks(
        self,
        node: &'p Node,
        head: Span,
        labels: usize,
        above: &mut Vec<String>,
        found: &mut Vec<Block<'p>>,
    ) {
        if let Value::Array(items) = &node.value {
            for item in items {
                self.json_blocks(item, head, labels, above, found);
            }
            return;
        }
        let Some(members) = node.as_table() else { return };
        if above.len() == labels {
            let plain = matches!(self.inner, Inner::Plain(_));
            let body = if plain { Body::plain(node) } else { Body::json(node, self.base) };
            found.push(Block { labels: above.clone(), body, head });
            return;
        }
        for member in members {
            above.push(member.name.clone());
            self.json_blocks(&member.node, member.name_span, labels, above, found);
            above.pop();
        }
    }
}

fn head(block: &structure::Block, base: usize) -> Span {
    let start = block.ident.span().map_or(0, |range| range.start);
    let ident_end = block.ident.span().map_or(start, |range| range.end);
    let end = block.labels.last().and_then(hcl_edit::Span::span).map_or(ident_end, |range| range.end);
    global(Span::new(start, end.max(start)), base)
}

/// A span of the parser among all files.
pub(crate) fn span_of(range: Option<std::ops::Range<usize>>, base: usize) -> Span {
    global(range.map_or_else(Span::default, |range| Span::new(range.start, range.end)), base)
}

impl Expr<'_> {
    /// Where it stands.
    pub(crate) fn span(&self) -> Span {
        match self.kind {
            ExprKind::Native(expression) => span_of(expression.span(), self.base),
            ExprKind::Json(node) | ExprKind::Plain(node) => node.span,
        }
    }
}
