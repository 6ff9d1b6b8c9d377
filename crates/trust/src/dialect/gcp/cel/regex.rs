//! Regular expressions of RE2 in the words of the `regex` crate.
//!
//! The two languages are nearly one. In RE2 `\d`, `\s`, `\w` and `\b` are about ASCII, and character classes know no set operations.

use crate::form::Expression;

/// The expression, or why it is not known what it matches.
pub(super) fn translate(text: &str) -> Result<Expression, String> {
    let mut translated = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let Some(escaped) = chars.next() else {
                    return Err(format!("the regular expression `{text}` ends with a backslash"));
                };
                match (escaped, in_class) {
                    ('d', false) => translated.push_str("[0-9]"),
                    ('d', true) => translated.push_str("0-9"),
                    ('D', false) => translated.push_str("[^0-9]"),
                    ('w', false) => translated.push_str("[0-9A-Za-z_]"),
                    ('w', true) => translated.push_str("0-9A-Za-z_"),
                    ('W', false) => translated.push_str("[^0-9A-Za-z_]"),
                    ('s', false) => translated.push_str(r"[\t\n\f\r ]"),
                    ('s', true) => translated.push_str(r"\t\n\f\r "),
                    ('S', false) => translated.push_str(r"[^\t\n\f\r ]"),
                    ('b', false) => translated.push_str(r"(?-u:\b)"),
                    ('B' | 'C' | 'Q', _) | ('D' | 'W' | 'S' | 'b', true) => {
                        return Err(format!("`\\{escaped}` in a regular expression is not modelled"));
                    }
                    (escaped, _) => translated.extend(['\\', escaped]),
                }
            }
            '[' if in_class => {
                if chars.peek() == Some(&':') {
                    return Err("a named class in a regular expression is not modelled".to_owned());
                }
                translated.push_str(r"\[");
            }
            '[' => {
                in_class = true;
                translated.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    translated.push('^');
                }
                // A bracket that comes first is one of the characters.
                if chars.next_if_eq(&']').is_some() {
                    translated.push_str(r"\]");
                }
            }
            ']' => {
                in_class = false;
                translated.push(']');
            }
            '&' | '~' if in_class => translated.extend(['\\', c]),
            '-' if in_class && chars.peek() == Some(&'-') => {
                return Err("`--` in a character class is not modelled".to_owned());
            }
            c => translated.push(c),
        }
    }
    Expression::parse(&translated).map_err(|why| format!("`{text}` is not a regular expression: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(expression: &str, text: &str) -> bool {
        translate(expression).unwrap().is_found_in(text)
    }

    #[test]
    fn classes_are_about_ascii() {
        assert!(finds(r"^\d+$", "12") && !finds(r"^\d+$", "٣"));
        assert!(finds(r"^[\w-]+$", "a-b_c") && !finds(r"^\w$", "é"));
        assert!(finds(r"^\W\S\D$", "éxé"));
        assert!(finds(r"\bapp\b", "acme/app:x") && !finds(r"\bapp\b", "apple"));
    }

    #[test]
    fn classes_have_no_set_operations() {
        assert!(finds(r"^[a&&b]$", "&") && finds(r"^[a&&b]$", "a"));
        assert!(finds(r"^[[a]$", "[") && finds(r"^[]a]$", "]") && finds("^[^]a]$", "b"));
    }

    #[test]
    fn what_is_not_the_same_in_both_is_not_guessed() {
        for (text, why) in [
            (r"[\W]", "`\\W` in a regular expression is not modelled"),
            (r"\Qa.b\E", "`\\Q` in a regular expression is not modelled"),
            ("[[:alpha:]]", "a named class"),
            ("[a--b]", "`--` in a character class"),
            ("(", "is not a regular expression: unclosed group"),
            ("a\\", "ends with a backslash"),
        ] {
            assert!(translate(text).unwrap_err().contains(why), "{text}");
        }
    }
}
