use std::fmt;

use daypass_claims::{ClaimName, ClaimValue};
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor, value::SeqAccessDeserializer};

use crate::template::Escapes;
use crate::{RenderError, Template, value};

/// A test of one claim, such as "`event_name` is `pull_request`".
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "GuardFile")]
pub struct Guard {
    /// The claim, or a part.
    pub claim: ClaimName,
    /// What must be true of it.
    pub test: Test,
}

/// What a [`Guard`] asks of a claim.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// The claim is there and not null.
    Present,
    /// The claim is there and neither null nor the empty string.
    NotEmpty,
    /// The claim is one of these values.
    OneOf(Vec<ClaimValue>),
    /// The claim is a string that begins so.
    Prefix(String),
}

/// A template that applies when every guard holds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// All of them must hold; none means always.
    #[serde(default)]
    pub when: Vec<Guard>,
    /// What is then written.
    pub template: Template,
}

/// Something that holds of every token of a platform: if all of `when` hold, so does `then`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consistency {
    /// All of them must hold for the rest to follow.
    pub when: Vec<Guard>,
    /// What follows.
    pub then: Guard,
    /// Why, in a sentence.
    pub about: String,
}

/// Rules in order of precedence: the first whose guards hold is the one. In a catalogue file a single template
/// stands for one rule that always applies.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules(pub Vec<Rule>);

impl Guard {
    /// Whether the test is true of `value`, the claim's value or `None` where it is absent.
    pub fn holds(&self, value: Option<&ClaimValue>) -> bool {
        match (&self.test, value) {
            (_, None | Some(ClaimValue::Null)) => false,
            (Test::Present, Some(_)) => true,
            (Test::NotEmpty, Some(value)) => value.as_str() != Some(""),
            (Test::OneOf(values), Some(value)) => values.contains(value),
            (Test::Prefix(prefix), Some(value)) => {
                value.as_str().is_some_and(|text| text.starts_with(prefix.as_str()))
            }
        }
    }
}

impl Rules {
    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every claim and part that the rules look at or fill in.
    pub fn names(&self) -> impl Iterator<Item = &ClaimName> {
        self.0.iter().flat_map(|rule| {
            let guards = rule.when.iter().map(|guard| &guard.claim);
            guards.chain(rule.template.slots().map(|slot| &slot.name))
        })
    }

    /// Fills in the first template whose guards hold; `None` where none applies.
    pub fn render<'v>(
        &self,
        escapes: &Escapes,
        value: impl Fn(&str) -> Option<&'v ClaimValue>,
    ) -> Option<Result<String, RenderError>> {
        let applies = |rule: &&Rule| rule.when.iter().all(|guard| guard.holds(value(guard.claim.as_str())));
        self.0.iter().find(applies).map(|rule| rule.template.render(escapes, &value))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GuardFile {
    claim: ClaimName,
    #[serde(default)]
    present: bool,
    #[serde(default)]
    not_empty: bool,
    #[serde(default, deserialize_with = "value::list")]
    one_of: Vec<ClaimValue>,
    prefix: Option<String>,
}

impl TryFrom<GuardFile> for Guard {
    type Error = String;

    fn try_from(file: GuardFile) -> Result<Self, String> {
        let test = match (file.present, file.not_empty, file.one_of.as_slice(), file.prefix) {
            (true, false, [], None) => Test::Present,
            (false, true, [], None) => Test::NotEmpty,
            (false, false, [_, ..], None) => Test::OneOf(file.one_of),
            (false, false, [], Some(prefix)) => Test::Prefix(prefix),
            _ => {
                return Err(format!(
                    "a guard of `{}` needs exactly one of present, not_empty, one_of and prefix",
                    file.claim
                ));
            }
        };
        Ok(Self { claim: file.claim, test })
    }
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.test {
            Test::Present => write!(f, "`{}` is present", self.claim),
            Test::NotEmpty => write!(f, "`{}` is not empty", self.claim),
            Test::Prefix(prefix) => write!(f, "`{}` begins with `{prefix}`", self.claim),
            Test::OneOf(values) => {
                write!(f, "`{}` is ", self.claim)?;
                // Beside `true` the string is written `"true"`.
                let mixed = values.iter().any(|value| value.as_str().is_none());
                for (index, value) in values.iter().enumerate() {
                    let separator = match index {
                        0 => "",
                        _ if index + 1 == values.len() => " or ",
                        _ => ", ",
                    };
                    match value.as_str() {
                        Some(text) if !mixed => write!(f, "{separator}`{text}`")?,
                        _ => write!(f, "{separator}`{value}`")?,
                    }
                }
                Ok(())
            }
        }
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Rules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RulesVisitor)
    }
}

struct RulesVisitor;

impl<'de> Visitor<'de> for RulesVisitor {
    type Value = Rules;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a template, or a list of rules")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Rules, E> {
        let template = Template::parse(text).map_err(E::custom)?;
        Ok(Rules(vec![Rule { when: vec![], template }]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<Rules, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(access)).map(Rules)
    }
}

#[cfg(test)]
mod tests {
    use daypass_claims::ClaimSet;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct File {
        rules: Rules,
    }

    fn rules(toml: &str) -> Result<Rules, toml::de::Error> {
        toml::from_str::<File>(toml).map(|file| file.rules)
    }

    fn render(rules: &Rules, json: &str) -> Option<Result<String, RenderError>> {
        let claims = ClaimSet::from_json(json.as_bytes()).unwrap();
        rules.render(&vec![], |name| claims.get(name))
    }

    #[test]
    fn the_first_rule_whose_guards_hold_is_the_one() {
        let rules = rules(
            r#"rules = [
                { when = [{ claim = "environment", present = true }], template = "environment:{environment}" },
                { when = [{ claim = "event", one_of = ["pr"] }, { claim = "n", not_empty = true }], template = "pr" },
                { when = [{ claim = "ref", prefix = "refs/" }], template = "ref:{ref}" },
            ]"#,
        )
        .unwrap();
        let text = |json: &str| render(&rules, json).map(Result::unwrap);
        assert_eq!(text(r#"{"environment":"prod","event":"pr"}"#).as_deref(), Some("environment:prod"));
        assert_eq!(text(r#"{"event":"pr","n":"1","ref":"refs/x"}"#).as_deref(), Some("pr"));
        assert_eq!(
            text(r#"{"environment":null,"event":"pr","n":"","ref":"refs/x"}"#).as_deref(),
            Some("ref:refs/x")
        );
        assert_eq!(text(r#"{"ref":7}"#), None);
    }

    #[test]
    fn one_template_is_one_rule() {
        assert_eq!(render(&rules(r#"rules = "a{b}""#).unwrap(), r#"{"b":1}"#), Some(Ok("a1".to_owned())));
    }

    #[test]
    fn a_guard_has_exactly_one_test() {
        for guard in
            ["", ", present = true, not_empty = true", ", one_of = []", ", present = false", ", is = 1"]
        {
            let toml = format!("rules = [{{ when = [{{ claim = 'x'{guard} }}], template = 'y' }}]");
            assert!(rules(&toml).is_err(), "{guard}");
        }
    }

    #[test]
    fn a_guard_reads_as_a_sentence() {
        let guard = |toml: &str| toml::from_str::<Guard>(&format!("claim = 'x'\n{toml}")).unwrap();
        for (toml, sentence) in [
            ("present = true", "`x` is present"),
            ("not_empty = true", "`x` is not empty"),
            ("prefix = 'refs/'", "`x` begins with `refs/`"),
            ("one_of = ['a']", "`x` is `a`"),
            ("one_of = ['a', 'b', 'c']", "`x` is `a`, `b` or `c`"),
            ("one_of = [true, 'true']", "`x` is `true` or `\"true\"`"),
        ] {
            assert_eq!(guard(toml).to_string(), sentence);
        }
    }

    #[test]
    fn a_listed_value_is_of_its_own_type() {
        let guard: Guard = toml::from_str("claim = 'personal'\none_of = [true, 'x']").unwrap();
        assert!(guard.holds(Some(&ClaimValue::Bool(true))));
        assert!(!guard.holds(Some(&ClaimValue::from("true"))));
    }
}
