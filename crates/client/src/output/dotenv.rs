//! `NAME=value` lines for files that other programs load as an environment.

use super::Variables;
use crate::Secret;

/// One line for each variable.
///
/// Readers disagree about quotes: Docker and GitLab keep them as part of the value. So a value is quoted only if it
/// must be, which those of credentials never are.
pub fn render(variables: &Variables) -> Secret {
    let lines =
        variables.iter().map(|variable| format!("{}={}\n", variable.name(), word(variable.value().expose())));
    Secret::new(lines.collect::<String>())
}

/// The text itself if no reader could take it otherwise; else in single quotes, which all that know quotes take
/// literally; else in double quotes with escapes.
fn word(text: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-_.,:/+=@%".contains(c);
    if text.chars().all(harmless) {
        return text.to_owned();
    }
    if !text.contains(['\'', '\n', '\r']) {
        return format!("'{text}'");
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '"' | '\\' | '$' | '`' => quoted.extend(['\\', c]),
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::session;

    #[test]
    fn a_session() {
        let variables = Variables::of_session(&session()).unwrap();
        insta::assert_snapshot!(render(&variables).expose(), @r"
        AWS_ACCESS_KEY_ID=ASIAIOSFODNN7EXAMPLE
        AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY
        AWS_SESSION_TOKEN=dps1_AAAA+/==
        AWS_CREDENTIAL_EXPIRATION=2026-11-23T06:00:00Z
        ");
    }

    #[test]
    fn quotes_are_a_last_resort() {
        for (text, expected) in [
            ("a.b_c-d/e+f==", "a.b_c-d/e+f=="),
            ("", ""),
            ("two words", "'two words'"),
            ("#$\"`\\", "'#$\"`\\'"),
            ("it's $5", "\"it's \\$5\""),
            ("a\nb\r", "\"a\\nb\\r\""),
        ] {
            assert_eq!(word(text), expected);
        }
    }
}
