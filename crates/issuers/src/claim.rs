use daypass_claims::{ClaimName, ClaimValue};
use serde::Deserialize;

use crate::{Rules, Shape, value};

/// What the catalogue knows about one claim of a platform.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimSpec {
    /// The claim's name. One that ends in `*` describes every claim that begins so (`repo_property_*`).
    pub name: ClaimName,
    /// The JSON types that the platform writes; the first is the usual one.
    pub types: Vec<ClaimType>,
    /// What the value names.
    pub identifies: Identifies,
    /// When the token has the claim.
    pub presence: Presence,
    /// The value keeps its meaning when things are renamed or transferred, and is never given to something else.
    pub immutable: bool,
    /// Someone can pick the value who can only open a pull request, push an unprotected branch, edit the pipeline
    /// there, or run jobs in another tenant of the same issuer.
    pub attacker_influenced: bool,
    /// The class of texts that the value is of; says nothing about values that are not text.
    pub shape: Shape,
    /// All values there are, where the platform has a closed list; otherwise empty.
    pub values: Vec<String>,
    /// The value in the running example's default job.
    pub sample: Option<ClaimValue>,
    /// How the value follows from others, where it does.
    pub derive: Rules,
    /// What the claim means, in a sentence.
    pub about: String,
    /// Whether the above was found in a primary source.
    pub confidence: Confidence,
}

/// The JSON type of a claim's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClaimType {
    /// A string.
    String,
    /// The string `"true"` or `"false"`, which is easily taken for a boolean.
    BooleanString,
    /// A whole number.
    Integer,
    /// A JSON boolean.
    Boolean,
    /// A list of strings, possibly empty.
    Strings,
    /// A list of objects, possibly empty.
    Objects,
    /// An object.
    Object,
    /// JSON null.
    Null,
    /// The type was not established; every value fits.
    Any,
}

/// What a claim's value names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Identifies {
    /// Who made the token.
    Issuer,
    /// Whom the token is for.
    Audience,
    /// Several of the below in one text.
    Subject,
    /// The token itself.
    Token,
    /// A point in time.
    Time,
    /// A group of organisations.
    Enterprise,
    /// The tenant: an organisation, account, workspace, team or group.
    Organisation,
    /// Something between the tenant and the repository.
    Project,
    /// The repository, or what stands in its place: a project, pipeline, stack or workspace.
    Repository,
    /// A branch, tag or pull request.
    Ref,
    /// A commit.
    Commit,
    /// A deployment environment, or a context that guards secrets.
    Environment,
    /// The workflow, pipeline definition or job within one.
    Workflow,
    /// A person or account.
    Actor,
    /// One execution.
    Run,
    /// The machine that runs the job.
    Runner,
    /// Why the job runs.
    Trigger,
    /// A service account, role or similar workload identity.
    Workload,
    /// An OAuth client.
    Client,
    /// Something that was built.
    Artifact,
    /// AWS session tags.
    SessionTags,
    /// None of the above.
    Other,
}

/// When a token has a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Presence {
    /// In every token.
    Always,
    /// In the default job's token, though not in every one.
    Usually,
    /// Only in some tokens; the variants of the platform say which.
    Sometimes,
}

/// How well a fact is established.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// A cited source states it (classifications are derived from what it states).
    #[default]
    Stated,
    /// No primary source was found: check before relying on it.
    Low,
}

/// How a value relates to what the catalogue expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// The value is of a type that the platform writes.
    Fits,
    /// It is, and it is a string that reads as this boolean.
    StringifiedBoolean(bool),
    /// The platform does not write such values; see [`ClaimSpec::types`] for what it writes.
    Mismatch,
}

impl ClaimType {
    /// Whether the value is of this type.
    pub fn admits(self, value: &ClaimValue) -> bool {
        match self {
            Self::String => matches!(value, ClaimValue::String(_)),
            Self::BooleanString => stringified_boolean(value).is_some(),
            Self::Integer => {
                matches!(value, ClaimValue::Number(daypass_claims::Number::Integer(_)))
            }
            Self::Boolean => matches!(value, ClaimValue::Bool(_)),
            Self::Strings => every_item(value, |item| matches!(item, ClaimValue::String(_))),
            Self::Objects => every_item(value, |item| matches!(item, ClaimValue::Object(_))),
            Self::Object => matches!(value, ClaimValue::Object(_)),
            Self::Null => matches!(value, ClaimValue::Null),
            Self::Any => true,
        }
    }

    /// The type as a message names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "a string",
            Self::BooleanString => "the string \"true\" or \"false\"",
            Self::Integer => "a whole number",
            Self::Boolean => "a boolean",
            Self::Strings => "a list of strings",
            Self::Objects => "a list of objects",
            Self::Object => "an object",
            Self::Null => "null",
            Self::Any => "of any type",
        }
    }
}

impl ClaimSpec {
    /// Whether the platform writes values such as this one.
    pub fn fit(&self, value: &ClaimValue) -> Fit {
        match self.types.iter().find(|one| one.admits(value)) {
            None => Fit::Mismatch,
            Some(ClaimType::BooleanString) => {
                stringified_boolean(value).map_or(Fit::Mismatch, Fit::StringifiedBoolean)
            }
            Some(_) => Fit::Fits,
        }
    }

    /// What the platform writes, for messages: `a string or null`.
    pub fn expected(&self) -> String {
        let types: Vec<&str> = self.types.iter().map(|one| one.as_str()).collect();
        types.join(" or ")
    }

    /// The beginning that all claims of this description share, where it describes more than one.
    pub fn wildcard(&self) -> Option<&str> {
        self.name.as_str().strip_suffix('*')
    }
}

impl Identifies {
    /// The word in catalogue files and on the reference page.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Subject => "subject",
            Self::Token => "token",
            Self::Time => "time",
            Self::Enterprise => "enterprise",
            Self::Organisation => "organisation",
            Self::Project => "project",
            Self::Repository => "repository",
            Self::Ref => "ref",
            Self::Commit => "commit",
            Self::Environment => "environment",
            Self::Workflow => "workflow",
            Self::Actor => "actor",
            Self::Run => "run",
            Self::Runner => "runner",
            Self::Trigger => "trigger",
            Self::Workload => "workload",
            Self::Client => "client",
            Self::Artifact => "artifact",
            Self::SessionTags => "session tags",
            Self::Other => "other",
        }
    }
}

fn stringified_boolean(value: &ClaimValue) -> Option<bool> {
    match value.as_str() {
        Some("true") => Some(true),
        Some("false") => Some(false),
        _ => None,
    }
}

fn every_item(value: &ClaimValue, admits: impl Fn(&ClaimValue) -> bool) -> bool {
    value.as_array().is_some_and(|items| items.iter().all(admits))
}

impl<'de> Deserialize<'de> for ClaimSpec {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ClaimFile::deserialize(deserializer).map(Self::from)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimFile {
    name: ClaimName,
    #[serde(default = "string")]
    types: Vec<ClaimType>,
    identifies: Identifies,
    #[serde(default)]
    is: Vec<Trait>,
    #[serde(default)]
    shape: Shape,
    #[serde(default)]
    values: Vec<String>,
    #[serde(default, deserialize_with = "value::optional")]
    sample: Option<ClaimValue>,
    #[serde(default)]
    derive: Rules,
    about: String,
    #[serde(default)]
    confidence: Confidence,
}

/// The words of `is = [...]`.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Trait {
    Always,
    Usually,
    Immutable,
    AttackerInfluenced,
}

fn string() -> Vec<ClaimType> {
    vec![ClaimType::String]
}

impl From<ClaimFile> for ClaimSpec {
    fn from(file: ClaimFile) -> Self {
        let is = |one| file.is.contains(&one);
        Self {
            presence: match (is(Trait::Always), is(Trait::Usually)) {
                (true, _) => Presence::Always,
                (false, true) => Presence::Usually,
                (false, false) => Presence::Sometimes,
            },
            immutable: is(Trait::Immutable),
            attacker_influenced: is(Trait::AttackerInfluenced),
            name: file.name,
            types: file.types,
            identifies: file.identifies,
            shape: file.shape,
            values: file.values,
            sample: file.sample,
            derive: file.derive,
            about: file.about,
            confidence: file.confidence,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(types: &str) -> ClaimSpec {
        toml::from_str(&format!("name = 'x'\nidentifies = 'other'\nabout = ''\ntypes = {types}")).unwrap()
    }

    fn value(json: &str) -> ClaimValue {
        daypass_claims::parse_value(json.as_bytes(), daypass_claims::JsonLimits::default()).unwrap()
    }

    #[test]
    fn each_type_admits_its_values_and_no_others() {
        let values = [r#""x""#, r#""true""#, "7", "true", r#"["a"]"#, "[{}]", "{}", "null", "1.5"];
        for (name, fitting) in [
            ("string", vec![r#""x""#, r#""true""#]),
            ("boolean-string", vec![r#""true""#]),
            ("integer", vec!["7"]),
            ("boolean", vec!["true"]),
            ("strings", vec![r#"["a"]"#]),
            ("objects", vec!["[{}]"]),
            ("object", vec!["{}"]),
            ("null", vec!["null"]),
            ("any", values.to_vec()),
        ] {
            let spec = spec(&format!("['{name}']"));
            for json in values {
                assert_eq!(spec.fit(&value(json)) != Fit::Mismatch, fitting.contains(&json), "{name} {json}");
            }
        }
    }

    #[test]
    fn a_stringified_boolean_is_marked() {
        let spec = spec("['boolean-string']");
        assert_eq!(spec.fit(&value(r#""false""#)), Fit::StringifiedBoolean(false));
        assert_eq!(spec.fit(&value("false")), Fit::Mismatch);
        assert_eq!(spec.fit(&value(r#""False""#)), Fit::Mismatch);
    }

    #[test]
    fn alternatives_are_named_in_order() {
        assert_eq!(spec("['string', 'null']").expected(), "a string or null");
    }

    #[test]
    fn a_misspelt_trait_or_field_is_refused() {
        let base = "name = 'x'\nidentifies = 'run'\nabout = ''\n";
        assert!(toml::from_str::<ClaimSpec>(base).is_ok());
        for line in ["is = ['imutable']", "immutable = true", "shape = 'guid'", "types = ['int']"] {
            assert!(toml::from_str::<ClaimSpec>(&format!("{base}{line}")).is_err(), "{line}");
        }
    }
}
