//! Pieces of Terraform, shell and TOML.

/// A string of HCL, in which `${` and `%{` would begin something.
pub(super) fn hcl(text: &str) -> String {
    let mut written = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            c if c.is_control() => written.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => written.push(c),
        }
    }
    written.push('"');
    written.replace("${", "$${").replace("%{", "%%{")
}

/// A document as a heredoc of HCL.
pub(super) fn heredoc(document: &str) -> String {
    let body = document.trim_end().replace("${", "$${").replace("%{", "%%{");
    format!("<<-EOT\n{}\n  EOT", indented(&body, "    "))
}

/// Every line with blanks in front.
pub(super) fn indented(text: &str, blanks: &str) -> String {
    let line = |line: &str| if line.is_empty() { String::new() } else { format!("{blanks}{line}") };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// A list of strings of HCL.
pub(super) fn hcl_list<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    format!("[{}]", texts.into_iter().map(hcl).collect::<Vec<_>>().join(", "))
}

/// A name of HCL: letters, digits, underscores.
pub(super) fn label(name: &str) -> String {
    let mut label: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if label.starts_with(|c: char| c.is_ascii_digit()) {
        label.insert(0, '_');
    }
    label
}

/// A word of a shell.
pub(super) fn sh(text: &str) -> String {
    let plain = |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '=' | '@' | ',' | '+')
    };
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// JSON without the blanks between its tokens; the text itself where it is none.
pub(super) fn compact(document: &str) -> String {
    serde_json::from_str::<serde_json::Value>(document)
        .map_or_else(|_| document.to_owned(), |it| it.to_string())
}

/// A string of TOML.
pub(super) fn toml(text: &str) -> String {
    toml_edit::Value::from(text).to_string().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_value_begins_something() {
        assert_eq!(hcl("a\"${b}\\"), r#""a\"$${b}\\""#);
        assert_eq!(hcl("a\r\n\u{1b}"), r#""a\u000d\n\u001b""#);
        assert_eq!(
            heredoc("{\n  \"x\": \"${aws:y}\"\n}"),
            "<<-EOT\n    {\n      \"x\": \"$${aws:y}\"\n    }\n  EOT"
        );
        assert_eq!(sh("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(sh("arn:aws:iam::1:role/x"), "arn:aws:iam::1:role/x");
        assert_eq!(label("1-a b"), "_1_a_b");
        assert_eq!(toml("a\"b"), "'a\"b'");
        assert_eq!(compact("{ \"a\" : [ 1 ] }"), "{\"a\":[1]}");
    }
}
