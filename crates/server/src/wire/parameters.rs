use percent_encoding::percent_decode_str;

/// The parameters of a form or query, decoded strictly, in the order in which they came.
#[derive(Clone, Default)]
pub(crate) struct Parameters(Vec<(String, String)>);

/// A form that is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ParameterError {
    /// `%` without two hex digits, or bytes that are not UTF-8.
    #[error("parameter {0} is not percent-encoded UTF-8")]
    Encoding(usize),
    /// Sent more than once; two readers might take different ones.
    #[error("parameter `{0}` is there more than once")]
    Duplicate(String),
    /// More of them than any request has.
    #[error("there are more than {0} parameters")]
    TooMany(usize),
}

const MOST: usize = 256;

impl Parameters {
    /// Reads `application/x-www-form-urlencoded` text.
    pub(crate) fn parse(text: &str) -> Result<Self, ParameterError> {
        let mut parameters = Vec::new();
        for (index, pair) in text.split('&').filter(|pair| !pair.is_empty()).enumerate() {
            if index >= MOST {
                return Err(ParameterError::TooMany(MOST));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode = |text: &str| decode(text).ok_or(ParameterError::Encoding(index.saturating_add(1)));
            parameters.push((decode(name)?, decode(value)?));
        }
        Ok(Self(parameters))
    }

    /// Adds those of `other`.
    pub(crate) fn join(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Refuses parameters that came more than once, but for those of `repeatable`.
    pub(crate) fn once(self, repeatable: &[&str]) -> Result<Self, ParameterError> {
        for (index, (name, _)) in self.0.iter().enumerate() {
            let earlier = self.0.iter().take(index).any(|(earlier, _)| earlier == name);
            if earlier && !repeatable.contains(&name.as_str()) {
                return Err(ParameterError::Duplicate(name.chars().take(64).collect()));
            }
        }
        Ok(self)
    }

    /// Without those that have no value.
    pub(crate) fn with_values(mut self) -> Self {
        self.0.retain(|(_, value)| !value.is_empty());
        self
    }

    /// The value of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of a parameter that may be repeated.
    pub(crate) fn all<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// What stands under a prefix (`Tags.`): the rest of each name, and the value.
    pub(crate) fn under(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }
}

fn decode(text: &str) -> Option<String> {
    // Tokens, which are nearly all of a form, have nothing to decode.
    if !text.contains('%') && !text.contains('+') {
        return Some(text.to_owned());
    }
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('%') {
        let digits = after.get(..2)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        rest = after;
    }
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_decoded_strictly() {
        let form = Parameters::parse("Action=X&a%20b=c+d%2Be&empty=&flag").unwrap();
        assert_eq!(form.get("Action"), Some("X"));
        assert_eq!(form.get("a b"), Some("c d+e"));
        assert_eq!(form.get("empty"), Some(""));
        assert_eq!(form.get("flag"), Some(""));
        assert_eq!(form.get("none"), None);
        for bad in ["a=%", "a=%2", "a=%zz", "a=%ff", "%c3=1", "a=%e2%82"] {
            assert_eq!(Parameters::parse(bad).err(), Some(ParameterError::Encoding(1)), "{bad}");
        }
        assert!(Parameters::parse(&"a=1&".repeat(257)).is_err());
    }

    #[test]
    fn a_parameter_comes_once() {
        let twice = || Parameters::parse("a=1&a=2").unwrap();
        assert_eq!(twice().once(&[]).err(), Some(ParameterError::Duplicate("a".into())));
        assert!(twice().once(&["a"]).is_ok());
        assert_eq!(twice().all("a").collect::<Vec<_>>(), ["1", "2"]);
    }

    #[test]
    fn parameters_without_a_value_can_be_left_out() {
        let form = Parameters::parse("a=&b&c=1").unwrap().with_values();
        assert_eq!((form.get("a"), form.get("b"), form.get("c")), (None, None, Some("1")));
    }

    #[test]
    fn names_under_a_prefix_are_found() {
        let form = Parameters::parse("Tags.member.1.Key=k&TagsX=1&Tags.member.1.Value=v").unwrap();
        let under: Vec<_> = form.under("Tags.").collect();
        assert_eq!(under, [("member.1.Key", "k"), ("member.1.Value", "v")]);
    }
}
