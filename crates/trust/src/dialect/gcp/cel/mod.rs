//! The Common Expression Language, as far as attribute mappings and conditions use it.
//!
//! An expression has a value, or fails: a claim that is absent, a method of a value that is no string. It is compiled to two
//! [conditions](Condition), when it is true and when it is false; where it fails neither holds. So `!` exchanges the two,
//! `&&` and `||` pass over a failure that cannot matter, and what denies is that the first does not hold.
//!
//! Known: literals, `assertion`, `google`, `attribute`, `.`, `[]`, `has`, `==`, `!=`, `&&`, `||`, `!`, `?:`, `+`, `in`, the methods
//! `startsWith`, `endsWith`, `contains`, `matches`, `extract`, `lowerAscii`, `upperAscii`, `size`, lists, `exists` and `all`. Anything
//! else is unknown, and so is what Google does not document, above all whether comparing values of two types is false or
//! fails.
//!
//! Reference: cel-spec, `doc/langdef.md`; IAM's REST reference, `WorkloadIdentityPoolProvider`.

mod compile;
mod regex;
mod test;
mod text;
mod value;

use cel::parser::PrattParser;
use cel::parser::pratt_parser::{Lexer, TokenKind};

use compile::Compiler;
pub(super) use test::{equal, is_among, is_text};
pub(super) use value::{Logic, Simple, Value};

use crate::dialect::api::{Remarks, Text, clause};
use crate::document::Span;
use crate::form::Condition;

/// What the attributes of a pool are mapped to.
#[derive(Default)]
pub(super) struct Attributes {
    known: Vec<(String, Value)>,
    /// What every other attribute is, where the document leaves the mapping open.
    other: Option<Value>,
}

impl Attributes {
    /// Adds what `google.subject`, `attribute.NAME`, ... is.
    pub(super) fn insert(&mut self, name: &str, value: Value) {
        self.known.push((name.to_owned(), value));
    }

    /// Leaves every attribute open that is not known.
    pub(super) fn leave_open(&mut self, why: &str) {
        self.other = Some(Simple::Unknown(why.to_owned()).into());
    }

    /// The value of an attribute; `None` where it is not mapped.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.known.iter().find(|(known, _)| known == name).map(|(_, value)| value).or(self.other.as_ref())
    }
}

/// Compiles an expression of an attribute mapping.
pub(super) fn mapping(text: Text<'_>, remarks: &mut Remarks<'_>) -> Option<Value> {
    let source = match text.value {
        Ok(source) => source,
        Err(why) => return Some(Simple::Unknown(why.to_owned()).into()),
    };
    let expression = parse(source).map_err(|mistake| mistake.report(text, source, remarks)).ok()?;
    let mut compiler = Compiler::new(None);
    let value = compiler.value(&expression);
    compiler.report(text.span, remarks);
    Some(value)
}

/// Compiles an attribute condition to clauses of which all must hold, one for each part that `&&` joins.
pub(super) fn condition(
    text: Text<'_>,
    attributes: &Attributes,
    remarks: &mut Remarks<'_>,
) -> Vec<Condition> {
    const NAME: &str = "attributeCondition";
    let source = match text.value {
        Ok(source) => source,
        Err(why) => {
            let body = Condition::Unknown(why.to_owned());
            return vec![clause(NAME, "something that is not known here", text.span, body)];
        }
    };
    if let Err(mistake) = parse(source) {
        mistake.report(text, source, remarks);
        return Vec::new();
    }
    let mut clauses = Vec::new();
    for part in conjuncts(source) {
        let words = source.get(part.start..part.end).unwrap_or_default();
        let Ok(expression) = parse(words) else { continue };
        let span = remarks.source.inside(text.span, source, part);
        let mut compiler = Compiler::new(Some(attributes));
        let body = compiler.logic(&expression).yes;
        compiler.report(span, remarks);
        clauses.push(clause(NAME, words, span, body));
    }
    clauses
}

/// What is wrong with an expression, and at which byte of it.
struct Mistake {
    at: usize,
    message: String,
}

impl Mistake {
    fn report(self, text: Text<'_>, source: &str, remarks: &mut Remarks<'_>) {
        // One character, of however many bytes.
        let size = source.get(self.at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        let span = remarks.source.inside(text.span, source, Span::new(self.at, self.at.saturating_add(size)));
        let message = format!("not a CEL expression: {}", self.message);
        remarks.problem(span, message, "for example assertion.repository == 'acme/app'");
    }
}

fn parse(source: &str) -> Result<cel::IdedExpr, Mistake> {
    PrattParser::new().parse(source).map_err(|errors| {
        let first = errors.errors.into_iter().find(|error| error.pos.0 > 0);
        first.map_or_else(
            || Mistake { at: 0, message: "it is nested too deeply".to_owned() },
            |error| {
                let message = error.msg.strip_prefix("Syntax error: ").unwrap_or(&error.msg).to_owned();
                Mistake { at: offset(source, error.pos), message }
            },
        )
    })
}

/// The byte at a line and column, both from 1 and columns in bytes.
fn offset(source: &str, (line, column): (isize, isize)) -> usize {
    let lines_before = usize::try_from(line.saturating_sub(1)).unwrap_or(0);
    let before: usize = source.split_inclusive('\n').take(lines_before).map(str::len).sum();
    before.saturating_add(usize::try_from(column.saturating_sub(1)).unwrap_or(0)).min(source.len())
}

/// The parts of a well-formed expression that `&&` joins at its top; all of it, if anything binds less.
fn conjuncts(source: &str) -> Vec<Span> {
    let mut lexer = Lexer::new(source);
    let mut parts = Vec::new();
    let mut current: Option<Span> = None;
    let mut depth = 0_usize;
    loop {
        let token = lexer.lex();
        match token.kind {
            TokenKind::TokEnd | TokenKind::TokError => break,
            TokenKind::TokWhitespace | TokenKind::TokComment => continue,
            TokenKind::TokLogicalOr | TokenKind::TokQuestion if depth == 0 => {
                return vec![Span::new(0, source.len())];
            }
            TokenKind::TokLogicalAnd if depth == 0 => {
                parts.extend(current.take());
                continue;
            }
            TokenKind::TokLeftParen | TokenKind::TokLeftBracket | TokenKind::TokLeftBrace => {
                depth = depth.saturating_add(1);
            }
            TokenKind::TokRightParen | TokenKind::TokRightBracket | TokenKind::TokRightBrace => {
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
        current = Some(Span::new(current.map_or(token.start, |span| span.start), token.end));
    }
    parts.extend(current);
    parts
}

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
