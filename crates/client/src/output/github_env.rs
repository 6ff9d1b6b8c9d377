//! Variables for the later steps of a GitHub Actions job, and masks for its log.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use daypass_claims::{Random, RandomError};

use super::{OutputError, Variables};
use crate::Secret;

/// Lines for standard output that make the runner blot the secrets out of the log. They come before anything that could
/// show one.
pub fn masks(variables: &Variables) -> Secret {
    let secrets = variables.iter().filter(|variable| variable.is_secret());
    // A mask is for one line, so a value of several needs several.
    let lines = secrets.flat_map(|variable| variable.value().expose().lines());
    let masks = lines.filter(|line| !line.is_empty()).map(|line| format!("::add-mask::{}\n", escape(line)));
    Secret::new(masks.collect::<String>())
}

/// What is to be appended to the file that `GITHUB_ENV` names: each value between two lines of a delimiter that nobody
/// could foresee, so that no value can end early and set a variable of its own.
pub fn render(variables: &Variables, random: &dyn Random) -> Result<Secret, RandomError> {
    let mut text = String::new();
    for variable in variables {
        let mut bytes = [0; 16];
        random.fill(&mut bytes)?;
        let (name, value, delimiter) = (variable.name(), variable.value().expose(), hex::encode(bytes));
        text.push_str(&format!("{name}<<daypass_{delimiter}\n{value}\ndaypass_{delimiter}\n"));
    }
    Ok(Secret::new(text))
}

/// Appends the variables to the file at `path`, in one write.
pub fn append(path: &Path, variables: &Variables, random: &dyn Random) -> Result<(), OutputError> {
    let text = render(variables, random)?;
    let written = OpenOptions::new()
        .append(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.expose().as_bytes()));
    written.map_err(|error| OutputError::file(path, &error))
}

/// The data of a workflow command: `%` and line ends are escaped.
fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FixedRandom, NoRandom, session};

    #[test]
    fn a_session() {
        let variables = Variables::of_session(&session()).unwrap();
        insta::assert_snapshot!(masks(&variables).expose(), @r"
        ::add-mask::ASIAIOSFODNN7EXAMPLE
        ::add-mask::wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY
        ::add-mask::dps1_AAAA+/==
        ");
        insta::assert_snapshot!(render(&variables, &FixedRandom(0xab)).unwrap().expose(), @r"
        AWS_ACCESS_KEY_ID<<daypass_abababababababababababababababab
        ASIAIOSFODNN7EXAMPLE
        daypass_abababababababababababababababab
        AWS_SECRET_ACCESS_KEY<<daypass_abababababababababababababababab
        wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY
        daypass_abababababababababababababababab
        AWS_SESSION_TOKEN<<daypass_abababababababababababababababab
        dps1_AAAA+/==
        daypass_abababababababababababababababab
        AWS_CREDENTIAL_EXPIRATION<<daypass_abababababababababababababababab
        2026-11-23T06:00:00Z
        daypass_abababababababababababababababab
        ");
    }

    #[test]
    fn values_of_several_lines_are_masked_line_by_line() {
        let mut variables = Variables::default();
        variables.secret("A", "100%\r\n\n::stop-commands::x").unwrap();
        variables.plain("B", "seen").unwrap();
        assert_eq!(masks(&variables).expose(), "::add-mask::100%25\n::add-mask::::stop-commands::x\n");
    }

    #[test]
    fn what_is_in_the_file_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("env");
        let variables = Variables::of_session(&session()).unwrap();
        let error = append(&path, &variables, &FixedRandom(1)).unwrap_err();
        assert!(matches!(error, OutputError::File { .. }), "the runner makes the file: {error}");
        std::fs::write(&path, "BEFORE=1\n").unwrap();
        append(&path, &variables, &FixedRandom(1)).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("BEFORE=1\nAWS_ACCESS_KEY_ID<<daypass_01"), "{text}");
    }

    #[test]
    fn without_randomness_nothing_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("env");
        std::fs::write(&path, "").unwrap();
        let variables = Variables::of_session(&session()).unwrap();
        assert_eq!(append(&path, &variables, &NoRandom), Err(OutputError::Random(RandomError)));
        assert_eq!(std::fs::read(&path).unwrap(), b"");
    }
}
