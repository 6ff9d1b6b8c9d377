//! Parameter validation in the words of AWS: all violations of a request in one message.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::AwsError;
use crate::wire::Parameters;

/// Violations, collected.
#[derive(Debug, Default)]
pub(super) struct Violations(Vec<String>);

/// What session names may have beside letters and digits.
const NAME_PUNCTUATION: &str = "_+=,.@-";

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
        self.class(name, value, NAME_PUNCTUATION);
        value
    }

    /// Like [`Violations::name`], of a parameter that may be there.
    pub(super) fn optional_name<'p>(&mut self, parameters: &'p Parameters, name: &str) -> Option<&'p str> {
        self.optional_of_class(parameters, name, 2..=64, NAME_PUNCTUATION)
    }

    /// Like [`Violations::optional`], with a class of characters beside letters and digits.
    pub(super) fn optional_of_class<'p>(
        &mut self,
        parameters: &'p Parameters,
        name: &str,
        length: std::ops::RangeInclusive<usize>,
        punctuation: &str,
    ) -> Option<&'p str> {
        let value = self.optional(parameters, name, length)?;
        self.class(name, value, punctuation);
        Some(value)
    }

    /// The members of a list, in the order of their numbers: `Name.member.1`, or with fields `Name.member.1.Field`. (An empty
    /// list is sent as `Name=`.) A name under the list that has another form is a violation: were it dropped, what it says
    /// would not hold, and it may be what bounds the session.
    pub(super) fn list<'p>(
        &mut self,
        parameters: &'p Parameters,
        name: &str,
        fields: &[&'static str],
        most: usize,
    ) -> Vec<BTreeMap<&'static str, &'p str>> {
        let mut members: BTreeMap<u32, BTreeMap<&'static str, &'p str>> = BTreeMap::new();
        for (rest, value) in parameters.under(&format!("{name}.")) {
            match member(rest, fields) {
                Some((number, field)) => {
                    members.entry(number).or_default().insert(field, value);
                }
                None => {
                    let forms: Vec<String> =
                        fields.iter().map(|field| format!("{name}.member.N{}{field}", dot(field))).collect();
                    let constraint = format!("Member must be named {}", forms.join(" or "));
                    self.push(name, rest, &constraint);
                }
            }
        }
        if members.len() > most {
            self.push(name, "", &format!("Member must have length less than or equal to {most}"));
        }
        members.into_values().collect()
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

    /// Says it of a value that is there, of a length in a range.
    pub(super) fn length(&mut self, name: &str, value: &str, length: std::ops::RangeInclusive<usize>) {
        // A token is a secret: what is wrong with its length is said without showing it.
        let shown = if name == "WebIdentityToken" { "" } else { value };
        let count = value.chars().count();
        let (bound, limit) = if count < *length.start() {
            ("greater", length.start())
        } else if count > *length.end() {
            ("less", length.end())
        } else {
            return;
        };
        self.push(name, shown, &format!("Member must have length {bound} than or equal to {limit}"));
    }

    fn class(&mut self, name: &str, value: &str, punctuation: &str) {
        let allowed = |c: char| c.is_ascii_alphanumeric() || punctuation.contains(c);
        if !value.chars().all(allowed) {
            let class = punctuation.trim_start_matches('_');
            let constraint = format!(r"Member must satisfy regular expression pattern: [\w{class}]*");
            self.push(name, value, &constraint);
        }
    }
}

/// The number and the field of `member.1.Field`. One member has one name: `member.01` and `member.+1` are not `member.1`.
fn member(rest: &str, fields: &[&'static str]) -> Option<(u32, &'static str)> {
    let rest = rest.strip_prefix("member.").filter(|rest| !rest.ends_with('.'))?;
    let (digits, field) = rest.split_once('.').unwrap_or((rest, ""));
    let field = fields.iter().find(|known| **known == field)?;
    let canonical = !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse().ok().filter(|_| canonical)?;
    Some((number, field))
}

const fn dot(field: &str) -> &'static str {
    if field.is_empty() { "" } else { "." }
}

/// Refuses what is no ARN of a role. On the other wires a role may be called by its name; AWS knows ARNs only.
pub(super) fn role_arn(text: &str) -> Result<&str, AwsError> {
    let mut parts = text.splitn(6, ':');
    let is_role = parts.next() == Some("arn")
        && parts.next().is_some_and(|partition| partition.starts_with("aws"))
        && parts.next() == Some("iam")
        && parts.next() == Some("")
        && parts
            .next()
            .is_some_and(|account| account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()))
        && parts.next().and_then(|rest| rest.strip_prefix("role/")).is_some_and(|name| !name.is_empty());
    if is_role {
        return Ok(text);
    }
    Err(AwsError::sender(
        "ValidationError",
        "Request ARN is invalid: it is not like arn:aws:iam::123456789012:role/NAME",
    ))
}

fn lower_camel(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_have_one_name_each() {
        assert_eq!(member("member.1", &[""]), Some((1, "")));
        assert_eq!(member("member.12.Key", &["Key", "Value"]), Some((12, "Key")));
        let misnamed =
            ["member", "member.", "member.0", "member.01", "member.+1", "member.-1", "member.x", "1"];
        let fields = ["member.1.", "member.1.key", "member.1.Key.x", "member.99999999999", "Member.1"];
        for misnamed in misnamed.into_iter().chain(fields) {
            assert_eq!(member(misnamed, &["", "Key"]), None, "{misnamed}");
        }
    }

    #[test]
    fn only_arns_of_roles_name_roles() {
        for right in ["arn:aws:iam::123456789012:role/deploy", "arn:aws-cn:iam::123456789012:role/ci/deploy"]
        {
            assert_eq!(role_arn(right).unwrap(), right);
        }
        for wrong in [
            "deploy-production-eu-west-1",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::123456789012:user/deploy",
            "arn:aws:iam::12345678901:role/deploy",
            "arn:aws:iam::12345678901x:role/deploy",
            "arn:aws:iam:eu:123456789012:role/deploy",
            "arn:aws:sts::123456789012:assumed-role/deploy/run-1",
            "arn:gcp:iam::123456789012:role/deploy",
        ] {
            assert!(role_arn(wrong).is_err(), "{wrong}");
        }
    }
}
