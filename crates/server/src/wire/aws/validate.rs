//! Parameter validation in the words of AWS: all violations of a request in one message.

use std::time::Duration;

use super::error::AwsError;
use crate::wire::Parameters;

/// Violations, collected.
#[derive(Debug, Default)]
pub(super) struct Violations(Vec<String>);

/// `[\w+=,.@-]*`, the class of session names.
pub(super) const SESSION_NAME: &str = r"[\w+=,.@-]*";

impl Violations {
    /// A parameter that must be there, with a length in a range.
    pub(super) fn required<'p>(
        &mut self,
        parameters: &'p Parameters,
        name: &str,
        length: std::ops::RangeInclusive<usize>,
    ) -> &'p str {
        let Some(value) = parameters.get(name) else {
            self.push(name, "", "Member must not be null");
            return "";
        };
        self.length(name, value, length);
        value
    }

    /// A parameter that may be there, with a length in a range.
    pub(super) fn optional<'p>(
        &mut self,
        parameters: &'p Parameters,
        name: &str,
        length: std::ops::RangeInclusive<usize>,
    ) -> Option<&'p str> {
        let value = parameters.get(name)?;
        self.length(name, value, length);
        Some(value)
    }

    /// A session name, source identity or the like: 2 to 64 of `[\w+=,.@-]`.
    pub(super) fn name<'p>(&mut self, parameters: &'p Parameters, name: &str) -> &'p str {
        let value = self.required(parameters, name, 2..=64);
        self.class(name, value);
        value
    }

    /// Like [`Violations::name`], of a parameter that may be there.
    pub(super) fn optional_name<'p>(&mut self, parameters: &'p Parameters, name: &str) -> Option<&'p str> {
        let value = self.optional(parameters, name, 2..=64)?;
        self.class(name, value);
        Some(value)
    }

    /// `DurationSeconds`, 900 to 43,200.
    pub(super) fn duration(&mut self, parameters: &Parameters) -> Option<Duration> {
        let text = parameters.get("DurationSeconds")?;
        match text.parse::<u64>() {
            Ok(seconds) if seconds < 900 => {
                self.push("DurationSeconds", text, "Member must have value greater than or equal to 900");
            }
            Ok(seconds) if seconds > 43_200 => {
                self.push("DurationSeconds", text, "Member must have value less than or equal to 43200");
            }
            Ok(seconds) => return Some(Duration::from_secs(seconds)),
            Err(_) => self.push("DurationSeconds", text, "Member must be a whole number"),
        }
        None
    }

    /// Anything else.
    pub(super) fn push(&mut self, name: &str, value: &str, constraint: &str) {
        let shown: String = value.chars().take(64).collect();
        self.0.push(format!(
            "Value '{shown}' at '{}' failed to satisfy constraint: {constraint}",
            lower_camel(name)
        ));
    }

    /// Fine, or one error with all of them.
    pub(super) fn finish(self) -> Result<(), AwsError> {
        let count = self.0.len();
        if count == 0 {
            return Ok(());
        }
        let errors = if count == 1 { "error" } else { "errors" };
        Err(AwsError::sender(
            "ValidationError",
            format!("{count} validation {errors} detected: {}", self.0.join("; ")),
        ))
    }

    fn length(&mut self, name: &str, value: &str, length: std::ops::RangeInclusive<usize>) {
        // A token is a secret: what is wrong with its length is said without showing it.
        let shown = if name == "WebIdentityToken" { "" } else { value };
        let count = value.chars().count();
        if count < *length.start() {
            self.push(
                name,
                shown,
                &format!("Member must have length greater than or equal to {}", length.start()),
            );
        } else if count > *length.end() {
            self.push(
                name,
                shown,
                &format!("Member must have length less than or equal to {}", length.end()),
            );
        }
    }

    fn class(&mut self, name: &str, value: &str) {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        if !value.chars().all(allowed) {
            let constraint = format!("Member must satisfy regular expression pattern: {SESSION_NAME}");
            self.push(name, value, &constraint);
        }
    }
}

fn lower_camel(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
