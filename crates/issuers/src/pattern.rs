use std::fmt;

use daypass_claims::{ClaimName, Issuer, IssuerError};

use crate::Shape;

/// The form of an issuer's URL: literal text with typed placeholders, such as
/// `https://oidc.circleci.com/org/{oidc.circleci.com/org-id:uuid}`.
///
/// A placeholder is `{name:shape}`. Its name is that of a claim or of a part of the platform, so that a minted
/// token's `iss` follows its claims; its [`Shape`] says which texts may stand there. Nothing is normalised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerPattern {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Slot { name: ClaimName, shape: Shape },
}

/// What the placeholders of a pattern stand for in one issuer.
pub type Captures = Vec<(ClaimName, String)>;

/// The text is not an issuer pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Every issuer of a CI platform is an https URL.
    #[error("issuer pattern `{0}` does not begin with https://")]
    Scheme(String),
    /// `{` without `}`, or the other way round.
    #[error("issuer pattern `{0}` has an unbalanced brace")]
    Unbalanced(String),
    /// `{org}` instead of `{org:uuid}`.
    #[error("placeholder `{{{0}}}` has no shape, as in `{{org:uuid}}`")]
    NoShape(String),
    /// A shape that does not exist.
    #[error("placeholder `{{{0}}}` has a shape that does not exist")]
    UnknownShape(String),
    /// Two placeholders without text between them: a reader could not tell where one ends.
    #[error("issuer pattern `{0}` has two placeholders side by side")]
    Adjacent(String),
}

/// The pattern could not be filled in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InstantiateError {
    /// A placeholder without a value.
    #[error("the issuer needs a value for `{0}`")]
    Missing(ClaimName),
    /// A value that the placeholder does not admit.
    #[error("`{value}` cannot stand for `{name}` in the issuer, which takes {}", shape.as_str())]
    Shape {
        /// The placeholder.
        name: ClaimName,
        /// The value that was given.
        value: String,
        /// What it should look like.
        shape: Shape,
    },
    /// All values fit, and yet the result is no issuer (it is too long, for instance).
    #[error(transparent)]
    Issuer(#[from] IssuerError),
}

impl IssuerPattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if !text.starts_with("https://") {
            return Err(PatternError::Scheme(text.to_owned()));
        }
        let unbalanced = || PatternError::Unbalanced(text.to_owned());
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once('{') {
            let (slot, after) = after.split_once('}').ok_or_else(unbalanced)?;
            // A claim's name may itself hold colons, a shape's never does.
            let (name, shape) =
                slot.rsplit_once(':').ok_or_else(|| PatternError::NoShape(slot.to_owned()))?;
            let shape = Shape::from_name(shape).ok_or_else(|| PatternError::UnknownShape(slot.to_owned()))?;
            if literal.is_empty() {
                return Err(PatternError::Adjacent(text.to_owned()));
            }
            pieces.push(Piece::Literal(literal.to_owned()));
            pieces.push(Piece::Slot { name: ClaimName::from(name), shape });
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        let stray = |piece: &Piece| matches!(piece, Piece::Literal(text) if text.contains('}'));
        if pieces.iter().any(stray) { Err(unbalanced()) } else { Ok(Self { text: text.to_owned(), pieces }) }
    }

    /// The pattern as it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The placeholders with their shapes, in order.
    pub fn slots(&self) -> impl Iterator<Item = (&ClaimName, Shape)> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Slot { name, shape } => Some((name, *shape)),
            Piece::Literal(_) => None,
        })
    }

    /// Whether the issuer has this form, and what its placeholders stand for.
    pub fn matches(&self, issuer: &Issuer) -> Option<Captures> {
        let mut captures = Vec::new();
        capture(&self.pieces, issuer.as_str(), &mut captures).then_some(captures)
    }

    /// Fills the placeholders in.
    pub fn instantiate(
        &self,
        mut value: impl FnMut(&ClaimName) -> Option<String>,
    ) -> Result<Issuer, InstantiateError> {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Slot { name, shape } => {
                    let value = value(name).ok_or_else(|| InstantiateError::Missing(name.clone()))?;
                    if !shape.admits(&value) {
                        return Err(InstantiateError::Shape { name: name.clone(), value, shape: *shape });
                    }
                    text.push_str(&value);
                }
            }
        }
        Ok(Issuer::parse(&text)?)
    }

    /// Whether the host belongs to the platform, wholly or by its ending (`{org:label}.app.spacelift.io`). The
    /// others are patterns of software that anyone can host anywhere.
    pub fn names_host(&self) -> bool {
        let rest = self.text.strip_prefix("https://").unwrap_or_default();
        let mut depth = 0_u32;
        let host: String = rest
            .chars()
            .take_while(|c| {
                match c {
                    '{' => depth += 1,
                    '}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                depth > 0 || *c != '/'
            })
            .collect();
        host.rsplit('}').next().is_some_and(|ending| ending.contains('.'))
    }

    /// How much of the pattern is literal text, in bytes: of two patterns that match, the longer one says more.
    pub fn specificity(&self) -> usize {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Literal(text) => text.len(),
                Piece::Slot { .. } => 0,
            })
            .sum()
    }
}

/// Matches `pieces` against all of `text`, the longest reading of a placeholder first. Issuers have at most 255
/// bytes and patterns at most three placeholders, so trying every end is cheap.
fn capture(pieces: &[Piece], text: &str, captures: &mut Captures) -> bool {
    match pieces.split_first() {
        None => text.is_empty(),
        Some((Piece::Literal(literal), rest)) => {
            text.strip_prefix(literal.as_str()).is_some_and(|text| capture(rest, text, captures))
        }
        Some((Piece::Slot { name, shape }, rest)) => {
            let ends = text.char_indices().map(|(end, _)| end).chain([text.len()]);
            let ends: Vec<usize> = ends.collect();
            ends.into_iter().rev().any(|end| {
                let Some((value, after)) = text.split_at_checked(end) else { return false };
                let kept = captures.len();
                captures.push((name.clone(), value.to_owned()));
                let fits = shape.admits(value) && capture(rest, after, captures);
                if !fits {
                    captures.truncate(kept);
                }
                fits
            })
        }
    }
}

impl fmt::Display for IssuerPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> IssuerPattern {
        IssuerPattern::parse(text).unwrap()
    }

    fn issuer(text: &str) -> Issuer {
        Issuer::parse(text).unwrap()
    }

    const CIRCLECI: &str = "https://oidc.circleci.com/org/{oidc.circleci.com/org-id:uuid}";
    const ORG: &str = "0a1b2c3d-0000-4000-8000-000000000001";

    #[test]
    fn a_placeholder_captures_and_fills_in() {
        let pattern = pattern(CIRCLECI);
        let url = format!("https://oidc.circleci.com/org/{ORG}");
        let captures = pattern.matches(&issuer(&url)).unwrap();
        assert_eq!(captures, [(ClaimName::from("oidc.circleci.com/org-id"), ORG.to_owned())]);
        assert_eq!(pattern.instantiate(|_| Some(ORG.to_owned())), Ok(issuer(&url)));
    }

    #[test]
    fn nothing_before_behind_or_beside_is_tolerated() {
        let pattern = pattern(CIRCLECI);
        for url in [
            format!("https://oidc.circleci.com/org/{ORG}/"),
            format!("https://oidc.circleci.com/org/{ORG}/x"),
            format!("https://oidc.circleci.com.evil.example/org/{ORG}"),
            format!("https://OIDC.circleci.com/org/{ORG}"),
            "https://oidc.circleci.com/org/acme".to_owned(),
            "https://oidc.circleci.com".to_owned(),
        ] {
            assert_eq!(pattern.matches(&issuer(&url)), None, "{url}");
        }
    }

    #[test]
    fn an_ambiguous_text_is_read_longest_first_and_back() {
        let pattern = pattern("https://{base:path}/oidc");
        let captures = pattern.matches(&issuer("https://ci.example/oidc/oidc")).unwrap();
        assert_eq!(captures, [(ClaimName::from("base"), "ci.example/oidc".to_owned())]);
    }

    #[test]
    fn every_malformed_pattern_is_refused_for_its_own_reason() {
        let refusal = |text: &str| IssuerPattern::parse(text).unwrap_err();
        assert!(matches!(refusal("http://a.example"), PatternError::Scheme(_)));
        assert!(matches!(refusal("https://{a:uuid"), PatternError::Unbalanced(_)));
        assert!(matches!(refusal("https://a}b"), PatternError::Unbalanced(_)));
        assert_eq!(refusal("https://{org}"), PatternError::NoShape("org".to_owned()));
        assert_eq!(refusal("https://{org:guid}"), PatternError::UnknownShape("org:guid".to_owned()));
        assert!(matches!(refusal("https://{a:uuid}{b:uuid}"), PatternError::Adjacent(_)));
    }

    #[test]
    fn filling_in_refuses_what_would_change_the_form() {
        let pattern = pattern("https://{account:label}.app.spacelift.io");
        let with = |value: &str| pattern.instantiate(|_| Some(value.to_owned()));
        assert!(with("acme").is_ok());
        assert!(matches!(with("acme.evil.example/x"), Err(InstantiateError::Shape { .. })));
        assert_eq!(pattern.instantiate(|_| None), Err(InstantiateError::Missing(ClaimName::from("account"))));
        assert!(matches!(with(&"a".repeat(250)), Err(InstantiateError::Issuer(IssuerError::TooLong(_)))));
    }

    #[test]
    fn a_host_is_the_platforms_own_when_its_ending_is_literal() {
        for (text, own) in [
            ("https://gitlab.com", true),
            (CIRCLECI, true),
            ("https://token.actions.{subdomain:label}.ghe.com", true),
            ("https://{account:label}.app.spacelift.io", true),
            ("https://{host:host}", false),
            ("https://{host:host}/_services/token", false),
            ("https://{base:path}/oidc", false),
        ] {
            assert_eq!(pattern(text).names_host(), own, "{text}");
        }
    }
}
