use std::collections::BTreeMap;

use daypass_claims::{ClaimName, ClaimValue};
use serde::Deserialize;
use serde::de::{Deserializer, Error};

use crate::template::Escapes;
use crate::{Confidence, RenderError, Rules, value};

/// One form of a platform's `sub`: the rule by which it is minted and the grammar by which it is understood.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectForm {
    /// The form's name, unique in its platform: `classic`, `immutable`, `v2`.
    #[serde(rename = "form")]
    pub name: String,
    /// When a token has this form.
    #[serde(default)]
    pub about: String,
    /// Characters that are written differently inside values.
    #[serde(default, rename = "escape", deserialize_with = "escapes")]
    pub escapes: Escapes,
    /// The shapes of the form in order of precedence.
    pub rules: Rules,
    /// Whether the form was found in a primary source.
    #[serde(default)]
    pub confidence: Confidence,
}

/// How a subject can be made to look different from every [`SubjectForm`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomSubject {
    /// Who can change it.
    pub by: Customiser,
    /// What it can be made of: claims, and the platform's own words for pieces of the usual subject. Empty where
    /// that is not a closed list.
    #[serde(default)]
    pub keys: Vec<String>,
    /// The keys that one must begin with; empty where any may come first.
    #[serde(default)]
    pub leads: Vec<String>,
    /// How.
    pub about: String,
}

/// Who can change the form of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Customiser {
    /// An administrator of the tenant, project or server.
    Administrator,
    /// Whoever can edit the pipeline: the job itself chooses, so a form proves nothing.
    Job,
}

/// A kind of token that the platform mints, for development and rehearsal.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// The variant's name, unique in its platform.
    pub name: String,
    /// Other names for it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Which job gets such a token.
    pub about: String,
    /// The subject's form; the platform's first where not given.
    pub form: Option<String>,
    /// The issuer's form, as its pattern is written; the platform's first where not given.
    pub issuer: Option<String>,
    /// Claims and parts with values other than their samples.
    #[serde(default, deserialize_with = "value::table")]
    pub set: BTreeMap<ClaimName, ClaimValue>,
    /// Claims that are JSON null, which TOML cannot write.
    #[serde(default)]
    pub null: Vec<ClaimName>,
    /// Claims that only some tokens have and this one does, with their samples.
    #[serde(default)]
    pub with: Vec<ClaimName>,
    /// Claims of the usual token that this one lacks.
    #[serde(default)]
    pub without: Vec<ClaimName>,
    /// Whether such tokens were described by a primary source.
    #[serde(default)]
    pub confidence: Confidence,
}

impl SubjectForm {
    /// The subject of a token with these claims and parts; `None` where no rule of the form applies.
    pub fn render<'v>(
        &self,
        value: impl Fn(&str) -> Option<&'v ClaimValue>,
    ) -> Option<Result<String, RenderError>> {
        self.rules.render(&self.escapes, value)
    }
}

impl Variant {
    /// The variant's name, then its aliases.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.name).chain(&self.aliases).map(String::as_str)
    }

    /// Whether the variant has this name or alias.
    pub fn is_called(&self, name: &str) -> bool {
        self.names().any(|one| one == name)
    }
}

impl Customiser {
    /// The word in catalogue files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Job => "job",
        }
    }
}

fn escapes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Escapes, D::Error> {
    let table = BTreeMap::<char, String>::deserialize(deserializer)?;
    if let Some((from, to)) = table.iter().find(|(from, to)| to.contains(**from)) {
        return Err(D::Error::custom(format!("`{from}` cannot be written as `{to}`, which holds it")));
    }
    Ok(table.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_must_remove_its_character() {
        let form = |escape: &str| {
            toml::from_str::<SubjectForm>(&format!(
                "form = 'x'\nrules = '{{a}}'\nescape = {{ ':' = '{escape}' }}"
            ))
        };
        assert_eq!(form("%3A").unwrap().escapes, [(':', "%3A".to_owned())]);
        assert!(form("::").is_err());
    }
}
