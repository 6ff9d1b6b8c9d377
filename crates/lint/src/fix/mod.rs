//! Changes of the text that mend a finding. None is offered that was not proved.

mod proof;
mod value;

use serde::Serialize;

pub(crate) use proof::{narrows, widens_only_by};
pub(crate) use value::replacing;

/// A change of the text that mends a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// What it does, and what is proved of it: lower-case, no full stop.
    pub about: String,
    /// The replacements, by place.
    pub edits: Vec<Edit>,
}

/// A replacement in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Edit {
    /// The first byte that is replaced.
    pub start: usize,
    /// One past the last byte that is replaced.
    pub end: usize,
    /// What stands there instead.
    pub text: String,
}

impl Fix {
    /// Makes the changes of several fixes to one file's text; all else stays as it is. A fix that touches what an earlier one
    /// changed is left out.
    pub fn apply_all<'f>(text: &str, fixes: impl IntoIterator<Item = &'f Self>) -> String {
        let mut edits: Vec<&Edit> = Vec::new();
        for fix in fixes {
            let touches = |edit: &Edit| edits.iter().any(|one| edit.start < one.end && one.start < edit.end);
            if !fix.edits.iter().any(touches) {
                edits.extend(&fix.edits);
            }
        }
        edits.sort();
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for edit in edits {
            out.push_str(text.get(from..edit.start).unwrap_or_default());
            out.push_str(&edit.text);
            from = edit.end;
        }
        out.push_str(text.get(from..).unwrap_or_default());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fix(start: usize, end: usize, text: &str) -> Fix {
        Fix { about: String::new(), edits: vec![Edit { start, end, text: text.to_owned() }] }
    }

    #[test]
    fn changes_keep_all_else_and_do_not_touch_each_other() {
        let text = "a = \"x\" # why\nb = \"y\"\n";
        let fixes = [fix(18, 21, "\"z\""), fix(4, 7, "\"w\""), fix(5, 6, "v")];
        assert_eq!(Fix::apply_all(text, &fixes), "a = \"w\" # why\nb = \"z\"\n");
    }
}
