use std::fmt;

use super::Variable;

/// A pattern over whole strings: literal text, wildcards, and references to other variables.
///
/// Matching is anchored at both ends, and what a variable resolves to is literal text: a `*` that comes from a
/// token is a star and nothing more.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Pattern {
    /// The pieces in order.
    pub pieces: Vec<Piece>,
}

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Piece {
    /// This text.
    Text(String),
    /// Exactly one character, any.
    One,
    /// Any characters, also none; crosses every separator.
    Run,
    /// Any characters, also none, but not `/`, `:` or `@`.
    RunWithin,
    /// The value of another variable, or the default where it is absent.
    Variable(Variable, Option<String>),
}

impl Piece {
    /// The characters that [`Piece::RunWithin`] stops at.
    pub const SEPARATORS: [char; 3] = ['/', ':', '@'];
}

impl Pattern {
    /// Exactly `text`.
    pub fn literal(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { pieces: if text.is_empty() { Vec::new() } else { vec![Piece::Text(text)] } }
    }

    /// A glob in which `*` is any run and `?` is any one character, without an escape.
    pub fn glob(text: &str) -> Self {
        let mut pattern = Self::default();
        for c in text.chars() {
            match c {
                '*' => pattern.push(Piece::Run),
                '?' => pattern.push(Piece::One),
                c => pattern.push_char(c),
            }
        }
        pattern
    }

    /// A glob in which `*` stays within a segment (it never crosses `/`, `:` or `@`), `**` crosses, and `?` is one character.
    pub fn segments(text: &str) -> Self {
        let mut pattern = Self::default();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '*' if chars.next_if_eq(&'*').is_some() => pattern.push(Piece::Run),
                '*' => pattern.push(Piece::RunWithin),
                '?' => pattern.push(Piece::One),
                c => pattern.push_char(c),
            }
        }
        pattern
    }

    /// Adds a piece; literal text joins the text before it and a run after a run is one run.
    pub fn push(&mut self, piece: Piece) {
        match (self.pieces.last_mut(), piece) {
            (Some(Piece::Text(before)), Piece::Text(text)) => before.push_str(&text),
            (Some(Piece::Run), Piece::Run | Piece::RunWithin) => {}
            (Some(last @ Piece::RunWithin), Piece::Run) => *last = Piece::Run,
            (_, Piece::Text(text)) if text.is_empty() => {}
            (_, piece) => self.pieces.push(piece),
        }
    }

    /// Adds one literal character.
    pub fn push_char(&mut self, c: char) {
        if let Some(Piece::Text(text)) = self.pieces.last_mut() {
            text.push(c);
        } else {
            self.pieces.push(Piece::Text(c.to_string()));
        }
    }

    /// The text, if the pattern matches exactly one string that is known without a token.
    pub fn as_literal(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether it has a wildcard.
    pub fn has_wildcard(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::One | Piece::Run | Piece::RunWithin))
    }

    /// The variables it refers to.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Variable(variable, _) => Some(variable),
            Piece::Text(_) | Piece::One | Piece::Run | Piece::RunWithin => None,
        })
    }

    /// Whether `text` matches. `resolve` gives the text of a variable; `None` means that it has none, and then nothing
    /// matches.
    pub fn matches(
        &self,
        text: &str,
        ignore_case: bool,
        resolve: &mut dyn FnMut(&Variable) -> Option<String>,
    ) -> bool {
        if self.pieces.iter().all(|piece| !matches!(piece, Piece::Variable(..))) {
            return matches_pieces(&self.pieces, text, ignore_case);
        }
        let mut resolved = Self::default();
        for piece in &self.pieces {
            match piece {
                Piece::Variable(variable, default) => match resolve(variable).or_else(|| default.clone()) {
                    Some(text) => resolved.push(Piece::Text(text)),
                    None => return false,
                },
                other => resolved.push(other.clone()),
            }
        }
        matches_pieces(&resolved.pieces, text, ignore_case)
    }
}

fn strip<'t>(text: &'t str, prefix: &str, ignore_case: bool) -> Option<&'t str> {
    if !ignore_case {
        return text.strip_prefix(prefix);
    }
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn matches_pieces(pieces: &[Piece], text: &str, ignore_case: bool) -> bool {
    let narrow_runs = pieces.iter().filter(|piece| matches!(piece, Piece::RunWithin)).count();
    if narrow_runs > 1 {
        matches_by_sets(pieces, text, ignore_case)
    } else {
        matches_greedily(pieces, text, ignore_case)
    }
}

/// A place to resume at when what follows a run does not fit: the pieces behind the run, the text from which it may
/// swallow one more character, and whether it crosses separators.
type Resume<'p, 't> = Option<(&'p [Piece], &'t str, bool)>;

/// Matching with one resume point per kind of run: linear in practice, quadratic at worst, no allocation. Right for
/// any number of wide runs and at most one narrow one.
fn matches_greedily(pieces: &[Piece], text: &str, ignore_case: bool) -> bool {
    let mut rest_pieces = pieces;
    let mut rest = text;
    let (mut wide, mut narrow): (Resume<'_, '_>, Resume<'_, '_>) = (None, None);
    loop {
        let step = match rest_pieces.split_first() {
            None if rest.is_empty() => return true,
            None => None,
            Some((Piece::Text(prefix), after)) => strip(rest, prefix, ignore_case).map(|left| (after, left)),
            Some((Piece::One, after)) => {
                let mut chars = rest.chars();
                chars.next().map(|_| (after, chars.as_str()))
            }
            Some((Piece::Run, after)) => {
                // The leftmost place to reach a wide run is as good as any other: earlier choices are settled.
                (wide, narrow) = (Some((after, rest, true)), None);
                Some((after, rest))
            }
            Some((Piece::RunWithin, after)) => {
                narrow = Some((after, rest, false));
                Some((after, rest))
            }
            Some((Piece::Variable(..), _)) => return false,
        };
        let next = step.or_else(|| swallow(&mut narrow)).or_else(|| {
            narrow = None;
            swallow(&mut wide)
        });
        match next {
            Some((pieces, left)) => (rest_pieces, rest) = (pieces, left),
            None => return false,
        }
    }
}

/// Lets a run take one more character, if it can.
fn swallow<'p, 't>(resume: &mut Resume<'p, 't>) -> Option<(&'p [Piece], &'t str)> {
    let (after, from, crosses) = resume.take()?;
    let mut chars = from.chars();
    let c = chars.next()?;
    if !crosses && Piece::SEPARATORS.contains(&c) {
        return None;
    }
    *resume = Some((after, chars.as_str(), crosses));
    Some((after, chars.as_str()))
}

/// Matching by the set of offsets that are reachable after each piece, in ascending order: time grows with pattern
/// times text, whatever the pattern.
fn matches_by_sets(pieces: &[Piece], text: &str, ignore_case: bool) -> bool {
    let mut reachable = vec![0];
    for piece in pieces {
        reachable = match piece {
            Piece::Text(prefix) => {
                reachable.retain(|from| strip(tail(text, *from), prefix, ignore_case).is_some());
                reachable.iter().map(|from| from.saturating_add(prefix.len())).collect()
            }
            Piece::One => {
                let width = |from: usize| tail(text, from).chars().next().map(char::len_utf8);
                reachable
                    .iter()
                    .filter_map(|from| width(*from).map(|width| from.saturating_add(width)))
                    .collect()
            }
            Piece::Run | Piece::RunWithin => {
                let stops = |c: char| matches!(piece, Piece::RunWithin) && Piece::SEPARATORS.contains(&c);
                let mut starts = reachable.iter().peekable();
                let mut running = false;
                let mut next = Vec::new();
                for (at, c) in text.char_indices().chain([(text.len(), '\0')]) {
                    running |= starts.next_if_eq(&&at).is_some();
                    if running {
                        next.push(at);
                    }
                    running &= !stops(c);
                }
                next
            }
            Piece::Variable(..) => return false,
        };
    }
    reachable.last() == Some(&text.len())
}

fn tail(text: &str, from: usize) -> &str {
    text.get(from..).unwrap_or_default()
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => f.write_str(text)?,
                Piece::One => f.write_str("?")?,
                Piece::Run => f.write_str("*")?,
                Piece::RunWithin => f.write_str("[^/:@]*")?,
                Piece::Variable(variable, None) => write!(f, "${{{variable}}}")?,
                Piece::Variable(variable, Some(default)) => write!(f, "${{{variable}, '{default}'}}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn glob(pattern: &str, text: &str) -> bool {
        Pattern::glob(pattern).matches(text, false, &mut |_| None)
    }

    #[test]
    fn globs_are_anchored_and_cross_separators() {
        assert!(glob("repo:acme/*", "repo:acme/x:pull_request"));
        assert!(glob("repo:acme*", "repo:acme-evil/x:ref:refs/heads/main"));
        assert!(!glob("repo:acme/*", "xrepo:acme/x"));
        assert!(!glob("repo:acme/app", "repo:acme/app:ref"));
        assert!(glob("acm?", "acmé"));
        assert!(!glob("acm?", "acm"));
        assert!(glob("*", ""));
        assert!(glob("", ""));
        assert!(!glob("?", ""));
    }

    #[test]
    fn a_narrow_run_stops_at_separators() {
        let mut pattern = Pattern::literal("refs/heads/release-");
        pattern.push(Piece::RunWithin);
        let matches = |text: &str| pattern.matches(text, false, &mut |_| None);
        assert!(matches("refs/heads/release-1.2"));
        assert!(!matches("refs/heads/release-1/x"));
        assert!(!matches("refs/heads/release-x@refs"));
    }

    #[test]
    fn a_star_from_a_token_is_a_star() {
        let variable = Variable::Claim(super::super::ClaimPath::claim("actor"));
        let pattern = Pattern { pieces: vec![Piece::Text("u-".into()), Piece::Variable(variable, None)] };
        let mut star = |_: &Variable| Some("*".to_owned());
        assert!(pattern.matches("u-*", false, &mut star));
        assert!(!pattern.matches("u-octocat", false, &mut star));
        assert!(!pattern.matches("u-", false, &mut |_| None));
    }

    /// The definition, by plain recursion.
    fn reference(pieces: &[Piece], text: &[char]) -> bool {
        match pieces.split_first() {
            None => text.is_empty(),
            Some((Piece::Text(prefix), after)) => {
                let prefix: Vec<char> = prefix.chars().collect();
                text.starts_with(&prefix) && reference(after, &text[prefix.len()..])
            }
            Some((Piece::One, after)) => !text.is_empty() && reference(after, &text[1..]),
            Some((piece, after)) => (0..=text.len()).any(|taken| {
                let swallowed = &text[..taken];
                let fits =
                    matches!(piece, Piece::Run) || !swallowed.iter().any(|c| Piece::SEPARATORS.contains(c));
                fits && reference(after, &text[taken..])
            }),
        }
    }

    fn piece() -> impl Strategy<Value = Piece> {
        prop_oneof![
            "[ab/:]{1,2}".prop_map(Piece::Text),
            Just(Piece::One),
            Just(Piece::Run),
            Just(Piece::RunWithin),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]
        #[test]
        fn matching_agrees_with_its_definition(pieces in prop::collection::vec(piece(), 0..6), text in "[ab/:]{0,8}") {
            let chars: Vec<char> = text.chars().collect();
            let expected = reference(&pieces, &chars);
            prop_assert_eq!(matches_pieces(&pieces, &text, false), expected);
            prop_assert_eq!(matches_by_sets(&pieces, &text, false), expected);
        }
    }
}
