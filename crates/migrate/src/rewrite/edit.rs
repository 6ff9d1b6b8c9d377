use daypass_trust::document::Span;

/// Bytes that are replaced.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    /// Which.
    pub span: Span,
    /// By what.
    pub text: String,
}

impl Edit {
    pub(super) fn replace(span: Span, text: impl Into<String>) -> Self {
        Self { span, text: text.into() }
    }

    pub(super) fn insert(at: usize, text: impl Into<String>) -> Self {
        Self::replace(Span::new(at, at), text)
    }

    pub(super) fn remove(span: Span) -> Self {
        Self::replace(span, "")
    }

    /// Whether both cannot be made: they share bytes, or one is within the other.
    fn collides(&self, other: &Self) -> bool {
        let (one, two) = (self.span, other.span);
        one.start < two.end && two.start < one.end
            || (one.start..one.end).contains(&two.start) && one != two && two.start > one.start
    }
}

/// Adds edits to those that are made already. An edit that is among them is made once. All or none: the answer is where the
/// first stands that is in the way.
pub(super) fn add(edits: &mut Vec<Edit>, new: Vec<Edit>) -> Result<(), usize> {
    let mut all = edits.clone();
    for edit in new {
        if all.contains(&edit) {
            continue;
        }
        if let Some(other) = all.iter().find(|other| other.collides(&edit)) {
            return Err(other.span.start);
        }
        all.push(edit);
    }
    // Several insertions at one place stay in the order in which they came.
    all.sort_by_key(|edit| edit.span);
    *edits = all;
    Ok(())
}

/// The text with the edits made. They are in order and do not overlap.
pub(super) fn apply(text: &str, edits: &[Edit]) -> String {
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        result.push_str(text.get(at..edit.span.start).unwrap_or_default());
        result.push_str(&edit.text);
        at = edit.span.end.max(at);
    }
    result.push_str(text.get(at..).unwrap_or_default());
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_edits_are_one_and_overlapping_ones_are_refused() {
        let mut edits = Vec::new();
        add(&mut edits, vec![Edit::insert(2, "x"), Edit::remove(Span::new(4, 6))]).unwrap();
        add(&mut edits, vec![Edit::insert(2, "x"), Edit::insert(2, "y")]).unwrap();
        assert_eq!(add(&mut edits, vec![Edit::insert(0, "z"), Edit::remove(Span::new(5, 7))]), Err(4));
        assert_eq!(add(&mut edits, vec![Edit::insert(5, "z")]), Err(4));
        add(&mut edits, vec![Edit::insert(6, "z")]).unwrap();
        assert_eq!(apply("abcdefgh", &edits), "abxycdzgh");
    }
}
