use std::fmt;

use regex::Regex;

/// A regular expression of RE2's language, which is that of the `regex` crate but for a few escapes.
#[derive(Clone)]
pub struct Expression(Regex);

/// The text is no regular expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ExpressionError(String);

/// The largest expression that is compiled, in bytes of its compiled form.
const LARGEST: usize = 256 * 1_024;

impl Expression {
    /// Compiles an expression.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        let compiled = regex::RegexBuilder::new(text).size_limit(LARGEST).build();
        compiled.map(Self).map_err(|error| {
            // The library draws the expression with a marker; the last line says what is wrong with it.
            let said = error.to_string();
            let last = said.lines().last().unwrap_or_default();
            ExpressionError(last.strip_prefix("error: ").unwrap_or(last).to_owned())
        })
    }

    /// The expression as it was written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether it matches some part of the text.
    pub fn is_found_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({:?})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_searches_unless_it_is_anchored() {
        assert!(Expression::parse("acme/.*").unwrap().is_found_in("evil-acme/x"));
        assert!(!Expression::parse("^acme/.*$").unwrap().is_found_in("evil-acme/x"));
    }

    #[test]
    fn what_is_no_expression_is_said_in_a_line() {
        assert_eq!(Expression::parse("(").unwrap_err().to_string(), "unclosed group");
        assert!(Expression::parse("a{1000}{1000}").unwrap_err().to_string().contains("size limit"));
    }
}
