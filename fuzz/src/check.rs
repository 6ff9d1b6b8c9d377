//! What must hold of any answer, whatever the input.

use daypass_trust::document::{Problem, Source, Span};

/// Secrets shorter than this may stand in a message by chance.
const TELLING: usize = 16;

/// Nothing of `secret`, which stands in `input`, is in what people get to see: `shown` gives that for any input.
///
/// A fuzzer finds "secrets" that are words of the messages themselves, so what is shown is looked at a second time, with
/// another secret in the same place: words of the message stay, a leak goes along. Where the input has the secret more
/// than once, the message may quote the other place, and where it is written with escapes there is nothing to replace.
pub fn kept_secret(secret: &str, input: &str, shown: impl Fn(&str) -> String) {
    let Some(telling) = secret.get(..TELLING) else { return };
    if input.matches(telling).count() != 1 || !shown(input).contains(telling) {
        return;
    }
    let other = moved_on(telling);
    let shown = shown(&input.replacen(telling, &other, 1));
    assert!(!shown.contains(&other), "a secret stands in `{shown}`");
}

/// A text of the same shape: each letter and each digit gives way to the next.
fn moved_on(text: &str) -> String {
    let next = |byte: char| match byte {
        'z' => 'a',
        'Z' => 'A',
        '9' => '0',
        'a'..='y' | 'A'..='Y' | '0'..='8' => char::from_u32(u32::from(byte) + 1).unwrap_or(byte),
        other => other,
    };
    text.chars().map(next).collect()
}

/// Every problem points into the source that it is about, at a character, and says something. What is known by line and
/// column only has an empty span.
pub fn located(problems: &[Problem], sources: &[&Source]) {
    assert!(!problems.is_empty(), "refused without a reason");
    for problem in problems {
        let (at, span) = (&problem.location, problem.span);
        let source = sources.iter().find(|source| source.name() == &*at.file);
        let source = source.unwrap_or_else(|| panic!("`{}` is no file that was read: {problem}", at.file));
        assert!(
            source.text().get(span.start..span.end).is_some(),
            "{span:?} is no part of the text: {problem}"
        );
        if span == Span::default() {
            let line = at.line.checked_sub(1).and_then(|line| source.text().split('\n').nth(line));
            let line = line.unwrap_or_else(|| panic!("the text has no such line: {problem}"));
            assert!(
                (1..=line.chars().count() + 1).contains(&at.column),
                "the line has no such column: {problem}"
            );
        } else {
            assert_eq!(*at, source.at(span), "{problem}");
        }
        assert!(!problem.message.is_empty(), "at {at}");
    }
}

/// An error says something, and no more than a terminal or a log can take, however large the input.
pub fn readable(error: &str) {
    assert!(!error.is_empty());
    assert!(error.len() <= 64 * 1_024, "an error of {} bytes", error.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    const INPUT: &str = "token=eyJhbGciOiJub25lIn0.e30.";
    const SECRET: &str = "eyJhbGciOiJub25lIn0.e30.";

    #[test]
    #[should_panic(expected = "a secret stands in")]
    fn a_message_that_quotes_the_secret_is_found() {
        kept_secret(SECRET, INPUT, |input| format!("cannot read `{input}`"));
    }

    #[test]
    fn a_message_whose_own_words_are_the_secret_is_not() {
        let words = "the token cannot be read";
        kept_secret(words, &format!("token={words}"), |_| words.to_owned());
        kept_secret(SECRET, INPUT, |_| words.to_owned());
    }

    #[test]
    fn a_message_that_quotes_another_place_is_not() {
        kept_secret(SECRET, &format!("{INPUT}&name={SECRET}"), |_| {
            format!("the name `{SECRET}` is too long")
        });
    }

    #[test]
    #[should_panic(expected = "is no part of the text")]
    fn a_problem_that_points_past_the_text_is_found() {
        let source = Source::new("policy", "[[trust]]\n");
        let mut problem = Problem::new(&source, Span::new(0, 1), "wrong");
        problem.span.end = 11;
        located(&[problem], &[&source]);
    }

    #[test]
    #[should_panic(expected = "the text has no such line")]
    fn a_problem_on_a_line_that_is_not_there_is_found() {
        let source = Source::new("policy", "[[trust]]\n");
        let mut problem = Problem::new(&source, Span::default(), "wrong");
        problem.location.line = 3;
        located(&[problem], &[&source]);
    }
}
