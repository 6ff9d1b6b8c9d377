//! `export` lines for `eval "$(daypass exchange ...)"`.

use super::Variables;
use crate::Secret;

/// One line for each variable, for any POSIX shell.
pub fn render(variables: &Variables) -> Secret {
    let lines = variables
        .iter()
        .map(|variable| format!("export {}={}\n", variable.name(), quote(variable.value().expose())));
    Secret::new(lines.collect::<String>())
}

/// A word that a POSIX shell reads as this text: nothing has a meaning between single quotes, except the quote itself,
/// which has to be written outside of them.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;
    use crate::testing::session;

    #[test]
    fn a_session() {
        let variables = Variables::of_session(&session()).unwrap();
        insta::assert_snapshot!(render(&variables).expose(), @r"
        export AWS_ACCESS_KEY_ID='ASIAIOSFODNN7EXAMPLE'
        export AWS_SECRET_ACCESS_KEY='wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY'
        export AWS_SESSION_TOKEN='dps1_AAAA+/=='
        export AWS_CREDENTIAL_EXPIRATION='2026-11-23T06:00:00Z'
        ");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn a_shell_reads_back_what_was_written(
            texts in proptest::collection::vec("[^\0]*|['\"\\\\$`!\n\r\t #;&|*?~-]*", 1..8),
        ) {
            let mut variables = Variables::default();
            let mut script = String::new();
            for (place, text) in texts.iter().enumerate() {
                variables.secret(&format!("V{place}"), text).unwrap();
                script.push_str(&format!("; printf '%s\\0' \"$V{place}\""));
            }
            let script = format!("{}{}", render(&variables).expose().trim_end(), script);
            let output = Command::new("sh").args(["-c", &script]).output().unwrap();
            prop_assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let read: Vec<&[u8]> = output.stdout.split(|byte| *byte == 0).collect();
            let written: Vec<&[u8]> = texts.iter().map(String::as_bytes).chain([&b""[..]]).collect();
            prop_assert_eq!(read, written);
        }
    }
}
