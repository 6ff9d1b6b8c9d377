//! What may be shown of text that a stranger wrote.

use daypass_claims::JsonError;

/// The longest excerpt of foreign text in an error, in characters.
const SHOWN: usize = 120;

/// The beginning of `text` with control characters escaped, so that an error stays one short line in any log.
pub(crate) fn excerpt(text: &str) -> String {
    let mut shown = String::with_capacity(text.len().min(SHOWN));
    for (count, c) in text.chars().enumerate() {
        if count == SHOWN {
            shown.push('…');
            break;
        }
        if c.is_control() || c == '`' {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// The same error with its message cut short: JSON readers quote the value that they did not expect, however long.
pub(crate) fn brief(error: JsonError) -> JsonError {
    match error.message.chars().nth(SHOWN) {
        Some(_) => JsonError { message: error.message.chars().take(SHOWN).chain(['…']).collect(), ..error },
        None => error,
    }
}

/// The one of the `registered` names that `name` is not, but for letter case or characters that fold to the same
/// letters (`ISS`, `ſub`, `iß`).
pub(crate) fn lookalike(name: &str, registered: &[&'static str]) -> Option<&'static str> {
    let ascii = name.is_ascii(); // nearly always, and then names of another length are out at once
    registered.iter().copied().find(|known| {
        if ascii {
            known.len() == name.len() && *known != name && name.eq_ignore_ascii_case(known)
        } else {
            folds_to(name, known)
        }
    })
}

/// Compares by case folding; `registered` is ASCII. Lower, upper, lower is Unicode's full case folding for everything
/// that can end up in ASCII, and a little more (`ı`), which is as easily confused.
fn folds_to(name: &str, registered: &str) -> bool {
    let folded =
        name.chars().flat_map(char::to_lowercase).flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    folded.eq(registered.chars().map(|c| c.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_and_one_line() {
        assert_eq!(excerpt("a\nb`c"), "a\\u{a}b\\u{60}c");
        assert_eq!(excerpt(&"é".repeat(500)).chars().count(), SHOWN + 1);
        let long = JsonError { message: "é".repeat(500), line: 1, column: 2 };
        assert_eq!(brief(long).message.chars().count(), SHOWN + 1);
    }

    #[test]
    fn folding_finds_every_spelling_that_some_parser_takes_for_the_same() {
        for (name, registered) in [
            ("ISS", "iss"),
            ("ſub", "sub"),
            ("iß", "iss"),
            ("iẞ", "iss"),
            ("ıss", "iss"),
            ("\u{212a}id", "kid"),
            ("X5T#s256", "x5t#S256"),
        ] {
            assert_eq!(lookalike(name, &["aud", registered]), Some(registered), "{name}");
        }
        for name in ["iss", "sub", "issuer", "súb", "", "ﬁ"] {
            assert_eq!(lookalike(name, &["iss", "sub"]), None, "{name}");
        }
    }
}
