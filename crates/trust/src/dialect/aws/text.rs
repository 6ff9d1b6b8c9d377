//! The text of condition values: policy variables and wildcards.

use super::key;
use super::{Scope, Version};
use crate::form::{Pattern, Piece, Principals};

/// How a value is read: whether `*` and `?` are wildcards.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wildcards {
    Literal,
    Matching,
}

/// Compiles the text of a condition value. `Err` says what is not documented about it.
///
/// In documents of version 2012-10-17, `${key}` and `${key, 'default'}` stand for the value of a condition key, and
/// `${*}`, `${?}`, `${$}` for the characters themselves.
pub(super) fn pattern(
    text: &str,
    wildcards: Wildcards,
    scope: &Scope<'_>,
    principals: Option<&Principals>,
) -> Result<Pattern, String> {
    let mut pattern = Pattern::default();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if scope.version == Version::V2012
            && let Some(after) = rest.strip_prefix("${")
        {
            let (inner, after) = after
                .split_once('}')
                .ok_or_else(|| format!("what `${{` without `}}` means in `{text}` is not documented"))?;
            pattern.push(variable(inner, principals)?);
            rest = after;
            continue;
        }
        match (c, wildcards) {
            ('*', Wildcards::Matching) => pattern.push(Piece::Run),
            ('?', Wildcards::Matching) => pattern.push(Piece::One),
            (c, _) => pattern.push_char(c),
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    Ok(pattern)
}

fn variable(inner: &str, principals: Option<&Principals>) -> Result<Piece, String> {
    if let "*" | "?" | "$" = inner {
        return Ok(Piece::Text(inner.to_owned()));
    }
    let (name, default) = match inner.split_once(", '") {
        Some((name, default)) => {
            let default = default
                .strip_suffix('\'')
                .ok_or_else(|| format!("the default in `${{{inner}}}` is not closed with a quote"))?;
            (name, Some(default.to_owned()))
        }
        None => (inner, None),
    };
    let key = key::resolve(name.trim(), principals);
    if key.multi_valued {
        // "If a variable refers to a multi-valued key, it never matches": no text, and no default either.
        let why = "a policy variable cannot refer to a key with several values".to_owned();
        return Ok(Piece::Variable(crate::form::Variable::Never { name: name.to_owned(), why }, None));
    }
    Ok(Piece::Variable(key.variable, default))
}
