//! Text that others wrote, made fit for our messages.

use std::io;

/// The most that a message quotes, in characters.
const QUOTED: usize = 300;

/// One harmless line out of what a server or a program said.
///
/// Messages end up in job logs, where a line of its own can be a command to the runner (`::set-env`, `##vso[...]`),
/// an escape sequence can rewrite the screen, and a token would stay for good.
pub(crate) fn quote(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words: Vec<&str> =
        spaced.split_whitespace().map(|word| if holds_token(word) { "[token]" } else { word }).collect();
    let line = words.join(" ");
    match line.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}...", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// The same, of bytes that should be text.
pub(crate) fn quote_bytes(bytes: &[u8]) -> String {
    let start = bytes.get(..bytes.len().min(4 * QUOTED)).unwrap_or_default();
    quote(&String::from_utf8_lossy(start))
}

/// What the system says, without the number of the error.
pub(crate) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "not found".to_owned(),
        kind => kind.to_string(),
    }
}

/// Whether something in a word looks like a JWT or like another long-lived secret: a JWT's header and payload both
/// begin with `{"`, which base64 writes as `eyJ`.
fn holds_token(word: &str) -> bool {
    word.contains("eyJ") && word.len() > 20
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_is_one_line_without_commands() {
        assert_eq!(quote("no\n::add-mask::x\r\n\u{1b}[2Jyes"), "no ::add-mask::x [2Jyes");
        assert_eq!(quote(""), "");
    }

    #[test]
    fn a_token_is_not_repeated() {
        let said = "bad token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln, sorry";
        assert_eq!(quote(said), "bad token [token] sorry");
        assert_eq!(quote(r#"{"value":"eyJhbGciOiJSUzI1NiJ9.e30.c2ln"}"#), "[token]");
    }

    #[test]
    fn a_quote_is_short() {
        let long = "é".repeat(1_000);
        assert_eq!(quote(&long).chars().count(), QUOTED + 3);
        assert!(quote_bytes(long.as_bytes()).ends_with("..."));
        assert_eq!(quote_bytes(b"\xff\xfe"), "\u{fffd}\u{fffd}");
    }
}
