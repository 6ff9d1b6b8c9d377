/// Whether a pattern of IAM (`*` any run, `?` one character) matches all that another one does.
///
/// What it says yes to is so; patterns with several stars on both sides may be answered no although they nest.
pub(super) fn covers(wide: &str, narrow: &str) -> bool {
    let (wide, narrow): (Vec<char>, Vec<char>) = (wide.chars().collect(), narrow.chars().collect());
    // One row per character of `wide`: which prefixes of `narrow` are matched so far.
    let mut row = vec![false; narrow.len().saturating_add(1)];
    if let Some(first) = row.first_mut() {
        *first = true;
    }
    for pattern in wide {
        let mut next = Vec::with_capacity(row.len());
        if pattern == '*' {
            let mut any = false;
            for reached in &row {
                any |= reached;
                next.push(any);
            }
        } else {
            next.push(false);
            for (reached, c) in row.iter().zip(&narrow) {
                // A star of the other's may be anything, so only a star takes it.
                let one = if pattern == '?' { *c != '*' } else { pattern == *c };
                next.push(*reached && one);
            }
        }
        row = next;
    }
    row.last() == Some(&true)
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn patterns_nest() {
        for (wide, narrow, expected) in [
            ("*", "s3:*", true),
            ("s3:*", "s3:getobject", true),
            ("s3:get*", "s3:getobject*", true),
            ("s3:getobject", "s3:getobject", true),
            ("s3:get?bject", "s3:getobject", true),
            ("s3:getobject", "s3:get*", false),
            ("s3:get?bject", "s3:get*bject", false),
            ("arn:aws:s3:::acme/*", "arn:aws:s3:::acme/site/*", true),
            ("arn:aws:s3:::acme/*", "arn:aws:s3:::acme*", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(covers(wide, narrow), expected, "{wide} {narrow}");
        }
    }
}
