//! Secrets that are written in a file: by their looks, since nothing else tells them from settings.

/// Beginnings that only credentials have, the kind that each is of, and the least length.
const SHAPES: [(&str, &str, usize); 20] = [
    ("AKIA", "aws-access-key", 20),
    ("ghp_", "github-token", 36),
    ("gho_", "github-token", 36),
    ("ghs_", "github-token", 36),
    ("github_pat_", "github-token", 40),
    ("glpat-", "gitlab-token", 20),
    ("npm_", "npm-token", 36),
    ("pypi-AgE", "pypi-token", 40),
    ("rubygems_", "rubygems-token", 40),
    ("oy2", "nuget-token", 46),
    ("cio", "crates-io-token", 35),
    ("hvs.", "vault-token", 24),
    ("s.", "vault-token", 26),
    ("dckr_pat_", "docker-hub-password", 30),
    ("dop_v1_", "digitalocean-token", 64),
    ("pul-", "pulumi-token", 40),
    ("xoxb-", "slack-token", 40),
    ("AccountKey=", "azure-storage-key", 60),
    ("-----BEGIN ", "private-key", 40),
    ("{\"type\": \"service_account\"", "gcp-service-account-key", 60),
];

/// Words that stand where a secret would, in examples and tests.
const PLACEHOLDERS: [&str; 18] = [
    "test",
    "example",
    "dummy",
    "fake",
    "placeholder",
    "changeme",
    "localstack",
    "mock",
    "minioadmin",
    "password",
    "secret",
    "xxxx",
    "foobar",
    "your",
    "none",
    "null",
    "true",
    "false",
];

/// The kind of credential that a text is, by its looks alone.
pub(super) fn kind_of(text: &str) -> Option<&'static str> {
    let text = text.trim();
    let shape = SHAPES.iter().find(|(start, _, length)| text.starts_with(start) && text.len() >= *length);
    let (start, kind, _) = shape?;
    if is_placeholder(text) {
        return None;
    }
    match *start {
        "-----BEGIN " => {
            text.get(..60.min(text.len())).unwrap_or_default().contains("PRIVATE KEY").then_some(*kind)
        }
        "AccountKey=" | "{\"type\": \"service_account\"" => Some(kind),
        "AKIA" => is_key_id(text).then_some(*kind),
        _ => text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
            .then_some(*kind),
    }
}

/// Whether a literal where a secret belongs is likely to be one: long, of mixed characters, not a placeholder.
pub(super) fn looks_secret(text: &str) -> bool {
    let text = text.trim();
    if kind_of(text).is_some() {
        return true;
    }
    let has = |test: fn(&u8) -> bool| text.bytes().any(|byte| test(&byte));
    let dense = text.len() >= 16 && !text.contains(char::is_whitespace);
    dense
        && !is_placeholder(text)
        && has(u8::is_ascii_digit)
        && (has(u8::is_ascii_lowercase) || has(u8::is_ascii_uppercase))
        && !text.contains("://")
        && !text.starts_with(['/', '.', '~'])
        && distinct(text) >= 8
}

fn is_key_id(text: &str) -> bool {
    text.len() == 20 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// AWS' own examples end in EXAMPLE; others are words.
fn is_placeholder(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    PLACEHOLDERS.iter().any(|word| lower.contains(word))
        && !lower.starts_with("-----begin")
        && !lower.starts_with('{')
}

fn distinct(text: &str) -> usize {
    let mut seen = [false; 256];
    for byte in text.bytes() {
        if let Some(slot) = seen.get_mut(usize::from(byte)) {
            *slot = true;
        }
    }
    seen.iter().filter(|seen| **seen).count()
}

/// A literal as output may show it: its beginning, if that names a kind, and its length.
pub(super) fn masked(text: &str) -> String {
    let text = text.trim();
    let start =
        SHAPES.iter().map(|(start, _, _)| *start).find(|start| text.starts_with(start) && start.len() <= 11);
    format!("literal {}… ({} characters)", start.unwrap_or_default(), text.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_tell_secrets_from_settings() {
        for (text, wanted) in [
            ("AKIAX7QJ4TDN2WMV5KPA", Some("aws-access-key")),
            ("AKIAIOSFODNN7EXAMPLE", None),
            ("AKIA", None),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nabc\nabcdefgh", Some("private-key")),
            ("-----BEGIN CERTIFICATE-----\nabcdefghijklmnopqrstuvw", None),
        ] {
            assert_eq!(kind_of(text), wanted, "{text}");
        }
        assert!(looks_secret("q3Zt0Yw8LrV5mXcB1nHd7KfGs2PjUe9TaQ4oRi6M"));
        for text in [
            "test",
            "localstack-1234567890abcdef",
            "eu-west-1",
            "https://user@host/1234567890",
            "/tmp/key1234567890.json",
            "aaaaaaaaaaaaaaaaaaa1",
        ] {
            assert!(!looks_secret(text), "{text}");
        }
    }

    #[test]
    fn no_literal_is_shown() {
        assert_eq!(masked("AKIAX7QJ4TDN2WMV5KPA"), "literal AKIA… (20 characters)");
        assert_eq!(masked("q3Zt0Yw8LrV5mXcB1nHd"), "literal … (20 characters)");
    }
}
