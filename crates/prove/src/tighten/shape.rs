//! Globs for texts of a known form: a character that may differ is a `?`, so that a glob spans no more than it must.

use daypass_trust::form::{Pattern, Piece};
use regex_syntax::hir::{Hir, HirKind};

/// The most globs that one expression may come to.
const MOST: usize = 4;
/// The longest run of `?`.
const LONGEST: u32 = 64;

/// Globs that together match at least the texts of an expression; `None` where there would be many.
pub(super) fn globs(expression: &str) -> Option<Vec<Pattern>> {
    let hir = regex_syntax::parse(expression).ok()?;
    of(&hir)
}

fn of(hir: &Hir) -> Option<Vec<Pattern>> {
    let one = |pieces: Vec<Piece>| {
        let mut pattern = Pattern::default();
        for piece in pieces {
            pattern.push(piece);
        }
        Some(vec![pattern])
    };
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => one(Vec::new()),
        HirKind::Literal(literal) => {
            let text = String::from_utf8(literal.0.to_vec()).ok()?;
            one(vec![Piece::Text(text)])
        }
        HirKind::Class(_) => one(vec![Piece::One]),
        HirKind::Capture(capture) => of(&capture.sub),
        HirKind::Repetition(repetition) => {
            let inner = of(&repetition.sub)?;
            match repetition.max {
                Some(max) if max <= LONGEST && max.saturating_sub(repetition.min) <= 1 => {
                    let mut all = Vec::new();
                    for times in repetition.min..=max {
                        all.extend(
                            (0..times)
                                .try_fold(vec![Pattern::default()], |before, _| product(&before, &inner))?,
                        );
                    }
                    few(all)
                }
                _ if repetition.min == 0 => one(vec![Piece::Run]),
                _ => one(vec![Piece::One, Piece::Run]),
            }
        }
        HirKind::Concat(parts) => {
            parts.iter().try_fold(vec![Pattern::default()], |before, part| product(&before, &of(part)?))
        }
        HirKind::Alternation(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(of(part)?);
            }
            few(all)
        }
    }
}

/// Each of the first followed by each of the second.
pub(super) fn product(one: &[Pattern], two: &[Pattern]) -> Option<Vec<Pattern>> {
    let joined = one.iter().flat_map(|before| {
        two.iter().map(|after| {
            let mut joined = before.clone();
            for piece in &after.pieces {
                joined.push(piece.clone());
            }
            joined
        })
    });
    few(joined.collect())
}

fn few(mut all: Vec<Pattern>) -> Option<Vec<Pattern>> {
    all.dedup();
    (all.len() <= MOST).then_some(all)
}

#[cfg(test)]
mod tests {
    use daypass_issuers::Shape;

    use super::*;

    fn written(expression: &str) -> Option<Vec<String>> {
        let write = |pattern: &Pattern| {
            let pieces = pattern.pieces.iter().map(|piece| match piece {
                Piece::Text(text) => text.as_str(),
                Piece::One => "?",
                _ => "*",
            });
            pieces.collect::<String>()
        };
        Some(globs(expression)?.iter().map(write).collect())
    }

    #[test]
    fn what_has_a_length_is_counted() {
        assert_eq!(written(Shape::Uuid.regex()).unwrap(), ["????????-????-????-????-????????????"]);
        assert_eq!(written("refs/heads/release/(?s:.*)").unwrap(), ["refs/heads/release/*"]);
        assert_eq!(written(Shape::Digits.regex()).unwrap(), ["?*"]);
        assert_eq!(written("v[0-9]{1,2}").unwrap(), ["v?", "v??"]);
        assert_eq!(written("true|false").unwrap(), ["true", "false"]);
        assert_eq!(written("a|b|c|d|e.x|f.y"), None, "too many");
    }
}
