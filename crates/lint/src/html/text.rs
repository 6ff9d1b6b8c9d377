//! Text of others in HTML: escaped, cut to a length, and with what the eye would miss written out.

use std::fmt;

use askama::filters::HtmlSafe;

/// How many characters of one text are shown.
const LIMIT: usize = 4_000;

/// A text that anybody may have written. Shown, it is HTML: markup is escaped, and characters that reorder or hide others are
/// given by their numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Text<'a>(pub &'a str);

/// A sentence of ours, in which what others wrote stands in backticks. Shown, those parts are code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prose<'a>(pub(super) &'a str);

impl HtmlSafe for Text<'_> {}
impl HtmlSafe for Prose<'_> {}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((end, _)) = self.0.char_indices().nth(LIMIT) else { return escape(self.0, f) };
        let (shown, rest) = self.0.split_at(end);
        escape(shown, f)?;
        write!(f, "<i class=cut>… {} more characters</i>", rest.chars().count())
    }
}

impl fmt::Display for Prose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some((before, after)) = rest.split_once('`') {
            let Some((code, after)) = after.split_once('`') else { break };
            write!(f, "{}<code>{}</code>", Text(before), Text(code))?;
            rest = after;
        }
        Text(rest).fmt(f)
    }
}

fn escape(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut from = 0;
    for (at, c) in text.char_indices() {
        let entity = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            '\'' => "&#39;",
            '\t' => "    ",
            c if is_hidden(c) => "",
            _ => continue,
        };
        f.write_str(text.get(from..at).unwrap_or_default())?;
        if entity.is_empty() {
            write!(f, "<i class=hid>U+{:04X}</i>", u32::from(c))?;
        } else {
            f.write_str(entity)?;
        }
        from = at.saturating_add(c.len_utf8());
    }
    f.write_str(text.get(from..).unwrap_or_default())
}

/// Whether a character is not seen, or moves others about: controls, marks of direction, joiners, fillers and tags.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn escaped(text: &str) -> String {
        Text(text).to_string()
    }

    #[test]
    fn markup_is_text() {
        assert_eq!(
            escaped(r#"</script><img src=x onerror='alert("1")'>&amp;"#),
            "&lt;/script&gt;&lt;img src=x onerror=&#39;alert(&quot;1&quot;)&#39;&gt;&amp;amp;"
        );
    }

    #[test]
    fn what_hides_or_reorders_is_given_by_its_number() {
        assert_eq!(
            escaped("a\u{202E}b\u{200B}c\0\n"),
            "a<i class=hid>U+202E</i>b<i class=hid>U+200B</i>c<i class=hid>U+0000</i><i class=hid>U+000A</i>"
        );
        assert_eq!(
            escaped("naïve שלום 東京"),
            "naïve שלום 東京",
            "letters of every language are what they are"
        );
    }

    #[test]
    fn a_text_without_end_is_cut_and_says_so() {
        let shown = escaped(&"ü".repeat(LIMIT + 3));
        assert!(shown.ends_with("<i class=cut>… 3 more characters</i>"), "{}", shown.len());
        assert_eq!(escaped(&"ü".repeat(LIMIT)), "ü".repeat(LIMIT));
    }

    #[test]
    fn what_others_wrote_in_a_sentence_of_ours_is_code() {
        assert_eq!(Prose("`<b>` gets in").to_string(), "<code>&lt;b&gt;</code> gets in");
        assert_eq!(Prose("a ` alone <").to_string(), "a ` alone &lt;");
    }

    proptest! {
        #[test]
        fn no_text_becomes_markup(text in "\\PC*|[<>&'\"`a/\u{202E}\u{0}-\u{20}]*") {
            let plain = |shown: String| {
                let shown = shown.replace("<i class=hid>", "").replace("</i>", "").replace("<code>", "").replace("</code>", "");
                shown.replace("<i class=cut>", "")
            };
            let escaped = plain(escaped(&text));
            prop_assert!(!escaped.contains(['<', '>', '"', '\'']), "{escaped}");
            let prose = plain(Prose(&text).to_string());
            prop_assert!(!prose.contains(['<', '>', '"', '\'']), "{prose}");
        }
    }
}
