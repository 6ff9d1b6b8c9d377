//! Text that others wrote, on a terminal: pipelines, tokens and logs may hold what moves the cursor, names windows or turns lines
//! about. Of that, only the colours of this program pass; the rest is shown by its number.

use std::io::{self, Write};

/// More numbers than any sequence of colours that is written here has.
const LONGEST: usize = 12;
const ESCAPE: u8 = 0x1b;

/// Passes text on, with what a terminal would act upon written out.
#[derive(Debug)]
pub(crate) struct Tame<W: Write> {
    inner: W,
    /// The beginning of a character, or of a sequence of colours.
    held: Vec<u8>,
}

impl<W: Write> Tame<W> {
    pub(crate) const fn new(inner: W) -> Self {
        Self { inner, held: Vec::new() }
    }

    /// Passes on all that is whole; with `end`, all that there is.
    fn pass(&mut self, end: bool) -> io::Result<()> {
        let held = std::mem::take(&mut self.held);
        let mut rest = held.as_slice();
        while let Some(first) = rest.first() {
            let length = if *first == ESCAPE { colours(rest) } else { Part::Whole(0) };
            match length {
                Part::Whole(0) => {}
                Part::Whole(length) => {
                    let (whole, behind) = rest.split_at_checked(length).unwrap_or((rest, &[]));
                    self.inner.write_all(whole)?;
                    rest = behind;
                    continue;
                }
                Part::Begun if !end => break,
                Part::Begun | Part::None => {
                    self.inner.write_all(br"\u{1b}")?;
                    rest = rest.get(1..).unwrap_or_default();
                    continue;
                }
            }
            let until = rest.iter().position(|byte| *byte == ESCAPE).unwrap_or(rest.len());
            let (text, behind) = rest.split_at_checked(until).unwrap_or((rest, &[]));
            let whole = match std::str::from_utf8(text) {
                Ok(_) => text.len(),
                // The beginning of a character at the very end is kept until the rest of it comes.
                Err(error) if error.error_len().is_none() && behind.is_empty() && !end => error.valid_up_to(),
                Err(_) => text.len(),
            };
            let (now, later) = text.split_at_checked(whole).unwrap_or((text, &[]));
            self.inner.write_all(shown(&String::from_utf8_lossy(now)).as_bytes())?;
            if !later.is_empty() {
                rest = later;
                break;
            }
            rest = behind;
        }
        self.held = rest.to_vec();
        Ok(())
    }
}

impl<W: Write> Write for Tame<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        self.pass(false)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass(true)?;
        self.inner.flush()
    }
}

/// What stands behind an escape.
enum Part {
    /// Colours, of so many bytes.
    Whole(usize),
    /// What may become colours.
    Begun,
    /// Something else.
    None,
}

/// `ESC [`, numbers with `;` between them, `m`: bold, dim and the like, or a colour, as they are written here.
fn colours(bytes: &[u8]) -> Part {
    let Some(rest) = bytes.get(1..) else { return Part::None };
    let Some(rest) = rest.strip_prefix(b"[") else {
        return if rest.is_empty() { Part::Begun } else { Part::None };
    };
    let numbers = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
    match (rest.get(..numbers), rest.get(numbers)) {
        _ if numbers > LONGEST => Part::None,
        (_, None) => Part::Begun,
        (Some(style), Some(b'm')) if is_ours(style) => Part::Whole(numbers.saturating_add(3)),
        _ => Part::None,
    }
}

/// Not those that hide text, make it blink, or give it the colour of what is behind it.
fn is_ours(style: &[u8]) -> bool {
    match style {
        b"" | b"0" | b"1" | b"2" | b"3" | b"4" | b"22" | b"39" => true,
        [b'3' | b'9', b'0'..=b'7'] => true,
        _ => style.strip_prefix(b"38;5;").is_some_and(|rest| rest.iter().all(u8::is_ascii_digit)),
    }
}

fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c != '\n' && c != '\t' && (c.is_control() || turns(c)) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Marks of direction: what stands behind them is read the other way round.
const fn turns(c: char) -> bool {
    matches!(c, '\u{61C}' | '\u{200E}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However it is cut.
    fn tamed(text: &[u8]) -> String {
        let cut = |size: usize| {
            let mut tame = Tame::new(Vec::new());
            text.chunks(size).for_each(|chunk| tame.write_all(chunk).unwrap());
            tame.flush().unwrap();
            String::from_utf8(tame.inner).unwrap()
        };
        let whole = cut(1_000);
        for size in [1, 2, 3, 7] {
            assert_eq!(cut(size), whole, "{size} bytes at a time");
        }
        whole
    }

    #[test]
    fn colours_and_letters_pass() {
        for text in ["", "plain\n\tnaïve 東京\n", "\u{1b}[1m\u{1b}[38;5;208mx\u{1b}[0m", "\u{1b}[m"] {
            assert_eq!(tamed(text.as_bytes()), text);
        }
    }

    #[test]
    fn what_a_terminal_would_act_upon_is_shown() {
        for (text, expected) in [
            ("\u{1b}]0;title\u{7}", r"\u{1b}]0;title\u{7}"),
            ("\u{1b}[2J\u{1b}[1;1H", r"\u{1b}[2J\u{1b}[1;1H"),
            ("\u{1b}[8mhidden", r"\u{1b}[8mhidden"),
            ("\u{1b}[0;8mhidden", r"\u{1b}[0;8mhidden"),
            ("\u{1b}[40m", r"\u{1b}[40m"),
            ("over\rwritten\u{8}", r"over\u{d}written\u{8}"),
            ("\u{9b}31m", r"\u{9b}31m"),
            ("a\u{202e}b", r"a\u{202e}b"),
            ("\u{1b}", r"\u{1b}"),
            ("\u{1b}[1", r"\u{1b}[1"),
            ("\u{1b}[1111111111111111111111111111m", r"\u{1b}[1111111111111111111111111111m"),
        ] {
            assert_eq!(tamed(text.as_bytes()), expected);
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        assert_eq!(tamed(b"a\xffb"), "a\u{fffd}b");
        assert_eq!(tamed(b"a\xe6\x9d"), "a\u{fffd}");
    }
}
