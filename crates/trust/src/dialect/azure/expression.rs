//! Flexible credentials: `claims['sub'] matches 'repo:acme/*' and claims['job_workflow_ref'] eq '...'`.

use daypass_claims::Issuer;

use super::{Matching, compare};
use crate::dialect::api::{Object, Remarks, Text, clause, text};
use crate::document::{Node, Span, Value};
use crate::form::{Condition, Pattern, Test};
use crate::literal::shown_text;

/// One comparison of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The claim.
    pub claim: String,
    /// How it is compared.
    pub operator: Operator,
    /// With what.
    pub value: String,
    /// Where the comparison stands.
    pub span: Span,
}

/// The operators of expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `eq`: the same text.
    Eq,
    /// `matches`: `*` is any run of characters, `?` any one; the whole value.
    Matches,
}

impl Operator {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Matches => "matches",
        }
    }
}

/// The version of the expression language that is documented.
const LANGUAGE: &str = "1";

const GITHUB: [(&str, bool); 4] =
    [("sub", true), ("job_workflow_ref", true), ("repository_id", false), ("repository_owner_id", false)];
const OTHERS: [(&str, bool); 1] = [("sub", true)];

/// The claims that Entra compares, by issuer, and whether with `matches` too. An issuer that is not listed has no flexible
/// credentials.
pub fn comparable(issuer: &Issuer) -> Option<&'static [(&'static str, bool)]> {
    match issuer.as_str() {
        "https://token.actions.githubusercontent.com" => Some(&GITHUB),
        "https://gitlab.com" | "https://app.terraform.io" | "https://app.eu.terraform.io" => Some(&OTHERS),
        _ if issuer.host().starts_with("gitlab.") => Some(&OTHERS),
        _ => None,
    }
}

/// Reads `claimsMatchingExpression`: the object of the API, or the text alone as Terraform has it.
pub(super) fn read<'a>(
    node: &'a Node,
    issuer: Option<&Issuer>,
    remarks: &mut Remarks<'a>,
) -> Option<(Matching, Span, Vec<Condition>)> {
    let expression = match &node.value {
        Value::String(_) | Value::Unresolved(_) => text(node, "claimsMatchingExpression", remarks),
        _ => {
            let mut fields = Object::of(node, "`claimsMatchingExpression`", remarks)?;
            let value = fields.text(&["value"], remarks);
            let version = fields.take(&["languageVersion", "language_version"], remarks);
            fields.ignore(&["@odata.type"]);
            fields.finish(remarks);
            if value.is_none() {
                remarks.problem(node.span, "`value` is missing", "the text of the expression");
            }
            let value = value?;
            match version.map(|member| &member.node.value) {
                Some(Value::Number(version) | Value::String(version)) if version != LANGUAGE => {
                    let why = format!("version {version} of the expression language is not documented");
                    return Some(unknown(value.span, why));
                }
                Some(Value::Unresolved(why)) => return Some(unknown(value.span, why.clone())),
                _ => value,
            }
        }
    };
    let comparisons = match expression.value {
        Err(why) => return Some(unknown(expression.span, why.to_owned())),
        Ok(value) => match parse(value) {
            Ok(comparisons) => comparisons,
            Err(mistake) => {
                let span = remarks.source.inside(expression.span, value, mistake.span);
                remarks.problem(
                    span,
                    mistake.message,
                    "claims['NAME'] eq|matches 'VALUE', joined by ` and `",
                );
                return None;
            }
        },
    };
    let comparisons: Vec<Comparison> = comparisons
        .into_iter()
        .map(|comparison| Comparison { span: place(expression, comparison.span, remarks), ..comparison })
        .collect();
    if let Some(issuer) = issuer {
        check(&comparisons, expression.span, issuer, remarks);
    }
    let conditions = comparisons.iter().map(condition).collect();
    Some((Matching::Expression(comparisons), expression.span, conditions))
}

fn place(expression: Text<'_>, part: Span, remarks: &Remarks<'_>) -> Span {
    expression.value.map_or(expression.span, |text| remarks.source.inside(expression.span, text, part))
}

fn unknown(span: Span, why: String) -> (Matching, Span, Vec<Condition>) {
    let body = Condition::Unknown(why.clone());
    let condition = clause("claimsMatchingExpression", "an expression that is not known here", span, body);
    (Matching::Unknown(why), span, vec![condition])
}

fn condition(comparison: &Comparison) -> Condition {
    let Comparison { claim, operator, value, span } = comparison;
    let (wants, pattern) = match operator {
        Operator::Eq => (shown_text(value), Pattern::literal(value.as_str())),
        Operator::Matches => (format!("like {}", shown_text(value)), Pattern::glob(value)),
    };
    let body = compare(claim, Test::Text { pattern, ignore_case: false });
    clause(&format!("claims['{claim}'] {}", operator.as_str()), wants, *span, body)
}

/// Notes what Entra would refuse to create today; credentials from earlier stages of the preview may still be there.
fn check(comparisons: &[Comparison], span: Span, issuer: &Issuer, remarks: &mut Remarks<'_>) {
    let Some(known) = comparable(issuer) else {
        let message = format!("Entra has no flexible credentials for the issuer {issuer}");
        remarks.note(span, message, "for those of GitHub, GitLab and HCP Terraform only");
        return;
    };
    for Comparison { claim, operator, span, .. } in comparisons {
        let allowed = known.iter().find(|(name, _)| name == claim);
        if allowed.is_none_or(|(_, globs)| *operator == Operator::Matches && !globs) {
            let message = format!("Entra does not let `{claim}` be compared with `{}`", operator.as_str());
            let listed: Vec<String> = known
                .iter()
                .map(|(name, globs)| format!("{name} ({})", if *globs { "eq, matches" } else { "eq" }))
                .collect();
            remarks.note(*span, message, format!("for this issuer: {}", listed.join(", ")));
        }
    }
    let compares = |names: &[&str]| comparisons.iter().any(|one| names.contains(&one.claim.as_str()));
    if known.len() == GITHUB.len()
        && !(compares(&["sub"]) && compares(&["repository_id", "repository_owner_id"]))
    {
        let message = "Entra no longer creates such a credential for GitHub";
        remarks.note(
            span,
            message,
            "it must compare `sub` and one of `repository_id` and `repository_owner_id`",
        );
    }
}

/// What is wrong with an expression, and where in it.
struct Mistake {
    span: Span,
    message: String,
}

/// `comparison *( " and " comparison )`, single spaces.
fn parse(text: &str) -> Result<Vec<Comparison>, Mistake> {
    let mut parser = Parser { text, at: 0 };
    let mut comparisons = vec![parser.comparison()?];
    while parser.at < text.len() {
        parser.expect(" and ")?;
        comparisons.push(parser.comparison()?);
    }
    Ok(comparisons)
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn mistake(&self, expected: &str) -> Mistake {
        let rest = self.rest();
        let found: String = rest.chars().take(20).collect();
        let found = if found.is_empty() { "the end".to_owned() } else { format!("`{found}`") };
        let end = self.at.saturating_add(rest.chars().next().map_or(0, char::len_utf8));
        Mistake { span: Span::new(self.at, end), message: format!("expected {expected}, found {found}") }
    }

    fn accept(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        if found {
            self.at = self.at.saturating_add(word.len());
        }
        found
    }

    fn expect(&mut self, word: &str) -> Result<(), Mistake> {
        if self.accept(word) { Ok(()) } else { Err(self.mistake(&format!("`{word}`"))) }
    }

    fn comparison(&mut self) -> Result<Comparison, Mistake> {
        let start = self.at;
        self.expect("claims[")?;
        let claim = self.quoted()?;
        self.expect("] ")?;
        let operator = if self.accept("eq ") {
            Operator::Eq
        } else if self.accept("matches ") {
            Operator::Matches
        } else {
            return Err(self.mistake("`eq` or `matches`"));
        };
        let value = self.quoted()?;
        Ok(Comparison { claim, operator, value, span: Span::new(start, self.at) })
    }

    /// A text in single quotes; two of them stand for one.
    fn quoted(&mut self) -> Result<String, Mistake> {
        let start = self.at;
        self.expect("'")?;
        let mut value = String::new();
        loop {
            let rest = self.rest();
            let Some((before, _)) = rest.split_once('\'') else {
                self.at = start;
                return Err(self.mistake("a text that ends with `'`"));
            };
            value.push_str(before);
            self.at = self.at.saturating_add(before.len()).saturating_add(1);
            if !self.accept("'") {
                return Ok(value);
            }
            value.push('\'');
        }
    }
}
