use std::path::PathBuf;
use std::time::Duration;

use daypass_claims::{Audience, Timestamp};

use super::Origin;
use crate::http::HttpError;

/// Why there is no token. Says what to change, in the pipeline file where that helps; never shows a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Nothing in the environment looks like a CI job.
    #[error(
        "no CI platform is recognised here; name it (--platform), or say where the token is (--token-file, --token-env)"
    )]
    NoPlatform,
    /// More than one platform fits.
    #[error("this looks like a job of {} alike; name the platform (--platform)", list(.ids, "and"))]
    Ambiguous {
        /// Their ids.
        ids: Vec<String>,
    },
    /// Not in the catalogue.
    #[error("`{id}` is not a platform; known are {}", list(.known, "and"))]
    UnknownPlatform {
        /// What was named.
        id: String,
        /// What could have been.
        known: Vec<String>,
    },
    /// The platform would put the token, or what is needed to ask for it, into variables that are not set.
    #[error("no token of {platform}: {} is not set{}", list(.variables, "or"), add(.setup))]
    NotSet {
        /// The platform's name.
        platform: String,
        /// The variables, any one of which would do.
        variables: Vec<String>,
        /// What the pipeline file must say; empty if nothing.
        setup: String,
    },
    /// The variable that the user named.
    #[error("`{variable}` was to hold the token (--token-env), but is not set{}", add(.setup))]
    NamedNotSet {
        /// The variable.
        variable: String,
        /// What the pipeline file must say, where the platform is known.
        setup: String,
    },
    /// The platform lets the pipeline choose the file.
    #[error("the pipeline chooses where {platform} writes the token; name the file (--token-file){}", add(.setup))]
    FileNotNamed {
        /// The platform's name.
        platform: String,
        /// What the pipeline file must say; empty if nothing.
        setup: String,
    },
    /// The token file cannot be read.
    #[error("the token file `{}` cannot be read: {reason}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The platform hands tokens to clouds, not to jobs, or how it does was not established.
    #[error("how a job gets the token of {platform} is not known to daypass{}; say where it is (--token-file, --token-env)", note(.about))]
    NoWay {
        /// The platform's name.
        platform: String,
        /// What is known.
        about: String,
    },
    /// A request that must name an audience.
    #[error("{platform} gives no token without an audience; name one (--audience)")]
    AudienceRequired {
        /// The platform's name.
        platform: String,
    },
    /// A service connection was asked for where there are none.
    #[error("{platform} has no service connections; Azure DevOps has (--service-connection)")]
    NoServiceConnections {
        /// The platform's name.
        platform: String,
    },
    /// A request that needs the id of a service connection.
    #[error("{platform} needs the id of the service connection (--service-connection)")]
    ServiceConnectionRequired {
        /// The platform's name.
        platform: String,
    },
    /// The URL of the token service is none.
    #[error("`{from}` does not hold the URL of a token service")]
    BadUrl {
        /// The variable, or the catalogue's entry.
        from: String,
    },
    /// The token is for somebody else.
    #[error("the token in {origin} is addressed to {}, not to `{wanted}`{remedy}", list(.found, "and"))]
    WrongAudience {
        /// Where the token came from.
        origin: Origin,
        /// The audience asked for.
        wanted: Audience,
        /// Its audiences.
        found: Vec<String>,
        /// What to do, with the punctuation before it.
        remedy: String,
    },
    /// The token is over, and there is no newer one where it came from.
    #[error(
        "the token in {origin} ended at {at}, and there is no newer one; the job took too long, or its clock is wrong"
    )]
    Ended {
        /// Where the token came from.
        origin: Origin,
        /// When it ended.
        at: Timestamp,
    },
    /// What was handed out cannot be a token.
    #[error("{origin} holds {problem} where a token should be")]
    Malformed {
        /// Where it came from.
        origin: Origin,
        /// What it holds.
        problem: &'static str,
    },
    /// The token service had no answer.
    #[error("no token: {0}")]
    Http(#[from] HttpError),
    /// The token service says no.
    #[error("`{host}` gives no token: status {status}{}", note(.said))]
    Refused {
        /// The service.
        host: String,
        /// The HTTP status.
        status: u16,
        /// What it says.
        said: String,
    },
    /// The token service's answer has no token in it.
    #[error("the answer of `{host}` has no text `{member}`")]
    Answer {
        /// The service.
        host: String,
        /// The member that should hold the token.
        member: String,
    },
    /// The platform's program cannot be started.
    #[error("`{program}`, which fetches the token, cannot be started: {reason}")]
    ProgramMissing {
        /// The program.
        program: String,
        /// What the system says.
        reason: String,
    },
    /// The platform's program failed.
    #[error("`{program}` gives no token: {status}{}", note(.said))]
    ProgramFailed {
        /// The program.
        program: String,
        /// How it ended.
        status: String,
        /// What it wrote to standard error.
        said: String,
    },
    /// The platform's program does not end.
    #[error("`{program}` did not give a token within {} s", .after.as_secs_f32())]
    ProgramSlow {
        /// The program.
        program: String,
        /// How long it had.
        after: Duration,
    },
    /// The platform's program wrote something else.
    #[error("the output of `{program}` has no text `{member}`")]
    ProgramOutput {
        /// The program.
        program: String,
        /// The member that should hold the token.
        member: String,
    },
}

/// "`a`, `b` or `c`".
fn list(names: &[String], word: &str) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => "nobody".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} {word} {last}", most.join(", ")),
    }
}

/// What the pipeline file needs, on lines of its own so that it can be copied.
pub(super) fn add(setup: &str) -> String {
    if setup.is_empty() {
        return String::new();
    }
    let lines: String = setup.lines().map(|line| format!("\n  {line}")).collect();
    format!("; the pipeline needs:{lines}")
}

fn note(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" ({text})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_as_in_a_sentence() {
        let names = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(list(&[], "or"), "nobody");
        assert_eq!(list(&names[..1], "or"), "`a`");
        assert_eq!(list(&names[..2], "or"), "`a` or `b`");
        assert_eq!(list(&names, "and"), "`a`, `b` and `c`");
    }

    #[test]
    fn what_to_add_stands_on_lines_of_its_own() {
        assert_eq!(add("a:\n  b: c\n"), "; the pipeline needs:\n  a:\n    b: c");
        assert_eq!(add(""), "");
    }
}
