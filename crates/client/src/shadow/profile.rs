//! AWS's configuration files: sections of `name = value` lines.

use std::collections::BTreeMap;

/// The settings of one section: value and line, from 1, by the name in lower case.
pub(super) type Section = BTreeMap<String, (String, usize)>;

/// The settings of a section; empty where there is none of that name. Where it is there twice the later line counts.
///
/// Indented lines belong to the setting above them (`s3 =`) and are not settings of the profile.
pub(super) fn section(text: &str, wanted: &str) -> Section {
    let mut settings = Section::new();
    let mut inside = false;
    for (line, number) in text.lines().zip(1..) {
        if line.starts_with([' ', '\t', '#', ';']) {
            continue;
        }
        if let Some(rest) = line.strip_prefix('[') {
            let name = rest.split(']').next().unwrap_or_default();
            inside = name.split_whitespace().eq(wanted.split_whitespace());
            continue;
        }
        if let Some((name, value)) = line.split_once('=').filter(|_| inside) {
            settings.insert(name.trim().to_ascii_lowercase(), (value.trim().to_owned(), number));
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_a_section() {
        let text = "\
# aws_access_key_id = AKIA0
[default]
region=eu-west-1
; note
AWS_Access_Key_ID = AKIA1
s3 =
    role_arn = nested
[ profile  deploy ] # note
role_arn = arn:aws:iam::1:role/x=y
not a setting
[default]
region = eu-north-1
";
        let default = section(text, "default");
        assert_eq!(default["region"], ("eu-north-1".into(), 12));
        assert_eq!(default["aws_access_key_id"], ("AKIA1".into(), 5));
        assert!(!default.contains_key("role_arn"));
        let deploy = section(text, "profile deploy");
        assert_eq!(deploy["role_arn"], ("arn:aws:iam::1:role/x=y".into(), 9));
        assert_eq!(deploy.len(), 1);
        assert!(section(text, "deploy").is_empty());
        assert!(section("", "default").is_empty());
    }
}
