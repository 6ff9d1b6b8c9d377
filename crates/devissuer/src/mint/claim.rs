//! Claims on the command line: `NAME=VALUE`.

use daypass_claims::{ClaimName, ClaimValue, JsonError, JsonLimits, Number, parse_value};
use daypass_issuers::{ClaimType, Override, Platform};

/// Why an argument is no claim.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimArgumentError {
    /// Neither `=` nor `!`.
    #[error("`{0}` is not a claim: write NAME=VALUE, NAME:=JSON, or NAME! to leave it out")]
    Form(String),
    /// Nothing before the `=`.
    #[error("`{0}` names no claim")]
    NoName(String),
    /// The platform writes another type, and the text cannot be read as one.
    #[error("`{claim}` is {expected} and cannot be `{text}` (`{claim}:=JSON` writes any value)")]
    Type {
        /// The claim.
        claim: ClaimName,
        /// What the platform writes.
        expected: String,
        /// What was given.
        text: String,
    },
    /// What follows `:=` is not one JSON value.
    #[error("`{claim}` is not JSON: {reason}")]
    Json {
        /// The claim.
        claim: ClaimName,
        /// What is wrong with it.
        reason: JsonError,
    },
}

/// Reads a claim as `--claim` takes it.
///
/// | argument | claim |
/// |---|---|
/// | `ref=refs/heads/main` | of the type that the platform writes: text, whole number, `true` and `false` |
/// | `context-ids=a,b` or `context-ids=["a","b"]` | a list of texts; empty with nothing after the `=` |
/// | `head_ref=` | the empty text |
/// | `jti!` | absent |
/// | `head_ref:=null` | any JSON value, whatever the platform writes |
///
/// `NAME=null` is the text `null` where the platform writes text, because a branch may be called so. A claim that the
/// catalogue does not know is text.
pub fn parse_claim(platform: &Platform, argument: &str) -> Result<(ClaimName, Override), ClaimArgumentError> {
    let Some((name, text)) = argument.split_once('=') else {
        let name = argument.strip_suffix('!').ok_or_else(|| ClaimArgumentError::Form(argument.to_owned()))?;
        return Ok((named(name, argument)?, Override::Remove));
    };
    if let Some(name) = name.strip_suffix(':') {
        let claim = named(name, argument)?;
        let value = parse_value(text.as_bytes(), JsonLimits::default())
            .map_err(|reason| ClaimArgumentError::Json { claim: claim.clone(), reason })?;
        return Ok((claim, Override::Set(value)));
    }
    let claim = named(name, argument)?;
    let Some(spec) = platform.variable(name) else {
        return Ok((claim, Override::Set(ClaimValue::from(text))));
    };
    match spec.types.iter().find_map(|one| read_as(*one, text)) {
        Some(value) => Ok((claim, Override::Set(value))),
        None => Err(ClaimArgumentError::Type { claim, expected: spec.expected(), text: text.to_owned() }),
    }
}

fn named(name: &str, argument: &str) -> Result<ClaimName, ClaimArgumentError> {
    if name.is_empty() {
        return Err(ClaimArgumentError::NoName(argument.to_owned()));
    }
    Ok(ClaimName::from(name))
}

/// The text as a value of that type, if it can be read as one.
fn read_as(claim_type: ClaimType, text: &str) -> Option<ClaimValue> {
    let json = || parse_value(text.as_bytes(), JsonLimits::default()).ok();
    let value = match claim_type {
        ClaimType::String | ClaimType::BooleanString | ClaimType::Any => ClaimValue::from(text),
        ClaimType::Integer => {
            let number: i64 = text.parse().ok()?;
            ClaimValue::Number(Number::Integer(number.into()))
        }
        ClaimType::Strings if !text.starts_with('[') => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            ClaimValue::from(items.collect::<Vec<_>>())
        }
        ClaimType::Boolean
        | ClaimType::Null
        | ClaimType::Strings
        | ClaimType::Objects
        | ClaimType::Object => json()?,
    };
    claim_type.admits(&value).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use daypass_issuers::catalogue;
    use proptest::prelude::*;

    fn parse(platform: &str, argument: &str) -> Result<(ClaimName, Override), ClaimArgumentError> {
        parse_claim(catalogue().platform(platform).unwrap(), argument)
    }

    fn value(platform: &str, argument: &str) -> String {
        match parse(platform, argument).unwrap().1 {
            Override::Set(value) => value.to_string(),
            Override::Remove => "removed".to_owned(),
        }
    }

    #[test]
    fn a_value_has_the_type_that_the_platform_writes() {
        assert_eq!(value("github-actions", "repository=acme/web"), r#""acme/web""#);
        assert_eq!(value("github-actions", "repository_id=2002"), r#""2002""#);
        assert_eq!(value("github-actions", "ref_protected=true"), r#""true""#);
        assert_eq!(value("github-actions", "exp=1800000000"), "1800000000");
        assert_eq!(value("github-actions", "repo_property_tier=1"), r#""1""#);
        assert_eq!(value("circleci", "oidc.circleci.com/ssh-rerun=true"), "true");
        assert_eq!(value("buildkite", "build_number=7"), "7");
    }

    #[test]
    fn a_list_is_written_with_commas_or_in_json() {
        let contexts = |text: &str| value("circleci", &format!("oidc.circleci.com/context-ids={text}"));
        assert_eq!(contexts("a, b"), r#"["a","b"]"#);
        assert_eq!(contexts(r#"["a,b"]"#), r#"["a,b"]"#);
        assert_eq!(contexts("a"), r#"["a"]"#);
        assert_eq!(contexts(""), "[]");
    }

    #[test]
    fn four_kinds_of_nothing_can_be_written() {
        assert_eq!(value("github-actions", "head_ref="), r#""""#);
        assert_eq!(value("github-actions", "head_ref=null"), r#""null""#);
        assert_eq!(value("github-actions", "head_ref:=null"), "null");
        assert_eq!(value("github-actions", "head_ref!"), "removed");
    }

    #[test]
    fn json_writes_what_the_platform_never_would() {
        assert_eq!(value("github-actions", "repository_id:=2002"), "2002");
        assert_eq!(value("github-actions", r#"aud:=["a","b"]"#), r#"["a","b"]"#);
        assert_eq!(value("github-actions", r#"made_up:={"a":[1]}"#), r#"{"a":[1]}"#);
        assert_eq!(value("github-actions", "made_up=1=2"), r#""1=2""#);
    }

    #[test]
    fn each_malformed_argument_has_its_reason() {
        let refusal = |argument: &str| parse("github-actions", argument).unwrap_err().to_string();
        insta::assert_snapshot!(refusal("repository"), @"`repository` is not a claim: write NAME=VALUE, NAME:=JSON, or NAME! to leave it out");
        insta::assert_snapshot!(refusal("=x"), @"`=x` names no claim");
        insta::assert_snapshot!(refusal("!"), @"`!` names no claim");
        insta::assert_snapshot!(refusal(":=1"), @"`:=1` names no claim");
        insta::assert_snapshot!(refusal("exp=soon"), @"`exp` is a whole number and cannot be `soon` (`exp:=JSON` writes any value)");
        insta::assert_snapshot!(refusal("ref_protected=yes"), @r#"`ref_protected` is the string "true" or "false" and cannot be `yes` (`ref_protected:=JSON` writes any value)"#);
        insta::assert_snapshot!(refusal("ref:=main"), @"`ref` is not JSON: expected value at line 1 column 1");
    }

    proptest! {
        #[test]
        fn no_argument_makes_it_panic_and_what_is_read_fits(argument in "\\PC{0,20}[=!:]{0,2}\\PC{0,20}") {
            if let Ok((name, Override::Set(value))) = parse("gitlab-com", &argument)
                && !argument.contains(":=")
                && let Some(spec) = catalogue().platform("gitlab-com").unwrap().variable(name.as_str())
            {
                prop_assert!(spec.types.iter().any(|one| one.admits(&value)));
            }
        }
    }
}
