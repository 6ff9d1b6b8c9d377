use serde::Deserialize;

/// The class of texts that a placeholder or a claim can hold.
///
/// A shape is a promise of the platform ("a project id is digits", "a git ref has no colon"), so that a subject
/// can be taken apart at its separators and a prover need not consider texts that the platform never writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Any text at all, the empty one included: nothing is promised.
    #[default]
    Text,
    /// A UUID in lower-case hexadecimal: `0a1b2c3d-0000-4000-8000-000000000001`.
    Uuid,
    /// A UUID in braces, as Bitbucket writes them.
    BracedUuid,
    /// Decimal digits.
    Digits,
    /// A git object id: 40 or 64 lower-case hexadecimal digits.
    Commit,
    /// One name of a path or a subject: no slash, colon, at sign or white space, and none of the wildcards of patterns.
    Name,
    /// Two names: `acme/app`.
    OwnerName,
    /// Two or more names, as GitLab nests groups: `acme/platform/app`.
    GroupPath,
    /// A branch or tag name as git allows it (git-check-ref-format): slashes but no colon or white space.
    GitName,
    /// A full ref: `refs/heads/main`, `refs/pull/7/merge`.
    GitRef,
    /// Letters, digits and hyphens: a GitHub enterprise slug.
    Handle,
    /// Letters, digits, hyphens and underscores.
    Id,
    /// A lower-case slug that begins with a letter or digit and may hold `_`, `.` and `-`.
    Slug,
    /// One lower-case DNS label.
    Label,
    /// Part of a host name, dots included, possibly empty.
    HostPart,
    /// A host name, with a port where there is one.
    Host,
    /// The rest of an URL: anything but white space, query and fragment.
    Path,
}

impl Shape {
    /// Every shape.
    pub const ALL: [Self; 17] = [
        Self::Text,
        Self::Uuid,
        Self::BracedUuid,
        Self::Digits,
        Self::Commit,
        Self::Name,
        Self::OwnerName,
        Self::GroupPath,
        Self::GitName,
        Self::GitRef,
        Self::Handle,
        Self::Id,
        Self::Slug,
        Self::Label,
        Self::HostPart,
        Self::Host,
        Self::Path,
    ];

    /// The name in catalogue files and in issuer patterns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Uuid => "uuid",
            Self::BracedUuid => "braced-uuid",
            Self::Digits => "digits",
            Self::Commit => "commit",
            Self::Name => "name",
            Self::OwnerName => "owner-name",
            Self::GroupPath => "group-path",
            Self::GitName => "git-name",
            Self::GitRef => "git-ref",
            Self::Handle => "handle",
            Self::Id => "id",
            Self::Slug => "slug",
            Self::Label => "label",
            Self::HostPart => "host-part",
            Self::Host => "host",
            Self::Path => "path",
        }
    }

    /// The shape of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shape| shape.as_str() == name)
    }

    /// The shape as a regular expression over the whole text, for automata: [`Shape::admits`] accepts exactly its
    /// language (a property test holds the two together).
    pub const fn regex(self) -> &'static str {
        match self {
            Self::Text => r"(?s:.*)",
            Self::Uuid => r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            Self::BracedUuid => r"\{[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}",
            Self::Digits => r"[0-9]+",
            Self::Commit => r"[0-9a-f]{40}(?:[0-9a-f]{24})?",
            Self::Name => r"[^/:@?*\s\p{Cc}]+",
            Self::OwnerName => r"[^/:@?*\s\p{Cc}]+/[^/:@?*\s\p{Cc}]+",
            Self::GroupPath => r"[^/:@?*\s\p{Cc}]+(?:/[^/:@?*\s\p{Cc}]+)+",
            Self::GitName => r"[^:~^?*\[\\\s\p{Cc}]+",
            Self::GitRef => r"refs/[^:~^?*\[\\\s\p{Cc}]+",
            Self::Handle => r"[A-Za-z0-9-]+",
            Self::Id => r"[A-Za-z0-9_-]+",
            Self::Slug => r"[a-z0-9][a-z0-9_.-]*",
            Self::Label => r"[a-z0-9-]+",
            Self::HostPart => r"[a-z0-9.-]*",
            Self::Host => r"[A-Za-z0-9.-]+(?::[0-9]+)?",
            Self::Path => r"[^?#\s\p{Cc}]+",
        }
    }

    /// Whether the text is of this shape.
    pub fn admits(self, text: &str) -> bool {
        match self {
            Self::Text => true,
            Self::Uuid => is_uuid(text),
            Self::BracedUuid => {
                text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).is_some_and(is_uuid)
            }
            Self::Digits => every(text, |c| c.is_ascii_digit()),
            Self::Commit => matches!(text.len(), 40 | 64) && text.chars().all(is_lower_hex),
            Self::Name => is_name(text),
            Self::OwnerName => {
                text.split_once('/').is_some_and(|(owner, name)| is_name(owner) && is_name(name))
            }
            Self::GroupPath => text.contains('/') && text.split('/').all(is_name),
            Self::GitName => is_git_name(text),
            Self::GitRef => text.strip_prefix("refs/").is_some_and(is_git_name),
            Self::Handle => every(text, |c| c.is_ascii_alphanumeric() || c == '-'),
            Self::Id => every(text, |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')),
            Self::Slug => {
                text.starts_with(is_lower_alphanumeric)
                    && every(text, |c| is_lower_alphanumeric(c) || matches!(c, '_' | '.' | '-'))
            }
            Self::Label => every(text, |c| is_lower_alphanumeric(c) || c == '-'),
            Self::HostPart => text.chars().all(|c| is_lower_alphanumeric(c) || matches!(c, '.' | '-')),
            Self::Host => is_host(text),
            Self::Path => every(text, |c| !c.is_whitespace() && !c.is_control() && !matches!(c, '?' | '#')),
        }
    }
}

fn every(text: &str, admits: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(admits)
}

fn is_lower_hex(c: char) -> bool {
    matches!(c, '0'..='9' | 'a'..='f')
}

fn is_lower_alphanumeric(c: char) -> bool {
    matches!(c, '0'..='9' | 'a'..='z')
}

fn is_uuid(text: &str) -> bool {
    let groups = text.split('-').map(|group| every(group, is_lower_hex).then_some(group.len()));
    groups.eq([8, 4, 4, 4, 12].map(Some))
}

fn is_name(text: &str) -> bool {
    every(text, |c| !c.is_whitespace() && !c.is_control() && !matches!(c, '/' | ':' | '@' | '?' | '*'))
}

fn is_git_name(text: &str) -> bool {
    every(text, |c| {
        !c.is_whitespace() && !c.is_control() && !matches!(c, ':' | '~' | '^' | '?' | '*' | '[' | '\\')
    })
}

fn is_host(text: &str) -> bool {
    let (name, port) = text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port)));
    every(name, |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
        && port.is_none_or(|port| every(port, |c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::string::string_regex;

    #[test]
    fn names_round_trip() {
        for shape in Shape::ALL {
            assert_eq!(Shape::from_name(shape.as_str()), Some(shape));
        }
        assert_eq!(Shape::from_name("hostname"), None);
    }

    #[test]
    fn each_shape_refuses_its_near_misses() {
        let refused: [(Shape, &[&str]); 16] = [
            (
                Shape::Uuid,
                &["", "0A1B2C3D-0000-4000-8000-000000000001", "0a1b2c3d-0000-4000-8000-00000000000", "x"],
            ),
            (Shape::BracedUuid, &["0a1b2c3d-0000-4000-8000-000000000001", "{}", "{x}"]),
            (Shape::Digits, &["", "1a", "-1", "1.0"]),
            (Shape::Commit, &["", "abc", "ABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCD"]),
            (Shape::Name, &["", "a/b", "a:b", "a@1", "a b", "a\n", "a*", "a?"]),
            (Shape::OwnerName, &["acme", "acme/", "/app", "acme/app/x", "acme@1/app", "*/app"]),
            (Shape::GroupPath, &["acme", "acme//app", "acme/app/", "a:b/c", "acme/*"]),
            (Shape::GitName, &["", "a:b", "a b", "a*", "a\\b"]),
            (Shape::GitRef, &["main", "refs/", "refs/heads/a:b"]),
            (Shape::Handle, &["", "a_b", "a.b"]),
            (Shape::Id, &["", "a.b", "a/b"]),
            (Shape::Slug, &["", "-a", "A", "a/b"]),
            (Shape::Label, &["", "a.b", "A"]),
            (Shape::HostPart, &["A", "a/b", "a:1"]),
            (Shape::Host, &["", "a/b", "a:", "a:x", "a@b"]),
            (Shape::Path, &["", "a b", "a?b", "a#b"]),
        ];
        for (shape, texts) in refused {
            for text in texts {
                assert!(!shape.admits(text), "{}: {text:?}", shape.as_str());
            }
        }
    }

    proptest! {
        #[test]
        fn what_the_regex_generates_is_admitted(
            (shape, text) in prop::sample::select(Shape::ALL.to_vec())
                .prop_flat_map(|shape| (Just(shape), string_regex(shape.regex()).unwrap()))
        ) {
            prop_assert!(shape.admits(&text), "{}: {:?}", shape.as_str(), text);
        }
    }
}
