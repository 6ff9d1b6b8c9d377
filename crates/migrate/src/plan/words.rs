//! Texts of a plan that end up in commands, pipelines and names of files: none of them can begin anything there.

/// What a role can be called besides letters and digits: what IAM takes.
const IN_NAMES: &str = "+=,.@_-";
/// What can stand besides letters and digits in what says where a role lives: ids, URLs, addresses.
const IN_TARGETS: &str = "-._~:/@=+,";

/// What a role's name has that no name can have, in words.
pub(super) fn wrong_in_name(name: &str) -> Option<String> {
    if name.starts_with(|c: char| !c.is_ascii_alphanumeric()) {
        return Some("it begins with neither a letter nor a digit".to_owned());
    }
    stranger(name, IN_NAMES)
}

/// The same for a value of `target`.
pub(super) fn wrong_in_target(value: &str) -> Option<String> {
    stranger(value, IN_TARGETS)
}

/// What would be right.
pub(super) fn right(in_name: bool) -> String {
    let others = if in_name { IN_NAMES } else { IN_TARGETS };
    let others: Vec<String> = others.chars().map(|c| format!("`{c}`")).collect();
    format!("letters, digits and {}", others.join(" "))
}

fn stranger(text: &str, others: &str) -> Option<String> {
    let found = text.chars().find(|c| !c.is_ascii_alphanumeric() && !others.contains(*c))?;
    Some(format!("it has `{}`, which would mean something else in a command or a file", found.escape_debug()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_places_begin_nothing() {
        for name in ["shop-deploy", "a", "9+=,.@_-"] {
            assert_eq!(wrong_in_name(name), None, "{name}");
        }
        for name in ["-x", "..", "../x", "a/b", "a b", "a;b", "a$b", "a\n", "a`", "é", "a'", "a{"] {
            assert!(wrong_in_name(name).is_some(), "{name}");
        }
        let place =
            "https://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x";
        for value in [place, "d@p.iam.gserviceaccount.com", "api://AzureADTokenExchange", "1"] {
            assert_eq!(wrong_in_target(value), None, "{value}");
        }
        for value in ["$(id)", "a;b", "a b", "a\"b", "a%s", "${{ x }}", "a\u{1b}"] {
            assert!(wrong_in_target(value).is_some(), "{value}");
        }
        assert_eq!(
            wrong_in_target("a\n").unwrap(),
            "it has `\\n`, which would mean something else in a command or a file"
        );
    }
}
