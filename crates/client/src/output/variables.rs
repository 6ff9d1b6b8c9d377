use super::OutputError;
use crate::Secret;
use crate::credential::{AccessToken, AwsSession};

/// Environment variables that hand a credential over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables(Vec<Variable>);

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    name: String,
    value: Secret,
    is_secret: bool,
}

impl Variables {
    /// What every AWS SDK reads first, and the time when it ends for those who ask.
    pub fn of_session(session: &AwsSession) -> Result<Self, OutputError> {
        let mut variables = Self::default();
        variables.secret("AWS_ACCESS_KEY_ID", &session.access_key_id)?;
        variables.secret("AWS_SECRET_ACCESS_KEY", session.secret_access_key.expose())?;
        variables.secret("AWS_SESSION_TOKEN", session.session_token.expose())?;
        variables.plain("AWS_CREDENTIAL_EXPIRATION", &session.expiration.to_rfc3339())?;
        Ok(variables)
    }

    /// A token in a variable of the caller's choice.
    pub fn of_token(name: &str, token: &AccessToken) -> Result<Self, OutputError> {
        let mut variables = Self::default();
        variables.secret(name, token.access_token.expose())?;
        Ok(variables)
    }

    /// Adds something that anyone may see.
    pub(super) fn plain(&mut self, name: &str, value: &str) -> Result<(), OutputError> {
        self.add(name, value, false)
    }

    /// Adds something that is masked in logs, where the form can do so.
    pub(super) fn secret(&mut self, name: &str, value: &str) -> Result<(), OutputError> {
        self.add(name, value, true)
    }

    /// All of them, in the order in which they were added.
    pub fn iter(&self) -> std::slice::Iter<'_, Variable> {
        self.0.iter()
    }

    fn add(&mut self, name: &str, value: &str, is_secret: bool) -> Result<(), OutputError> {
        let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
        if !name.starts_with(letter) || !name.chars().all(|c| letter(c) || c.is_ascii_digit()) {
            return Err(OutputError::Name { name: name.to_owned() });
        }
        if value.contains('\0') {
            return Err(OutputError::Nul { name: name.to_owned() });
        }
        self.0.push(Variable { name: name.to_owned(), value: Secret::new(value), is_secret });
        Ok(())
    }
}

impl Variable {
    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value.
    pub const fn value(&self) -> &Secret {
        &self.value
    }

    /// Whether the value must not be seen.
    pub const fn is_secret(&self) -> bool {
        self.is_secret
    }
}

impl<'v> IntoIterator for &'v Variables {
    type Item = &'v Variable;
    type IntoIter = std::slice::Iter<'v, Variable>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::access_token;

    #[test]
    fn names_that_shells_would_read_otherwise_are_refused() {
        for bad in ["", "7UP", "A-B", "A;rm", "Ä", "A B", "A=B"] {
            let error = Variables::of_token(bad, &access_token()).unwrap_err();
            assert_eq!(error, OutputError::Name { name: bad.into() });
        }
        for good in ["A", "_", "DEPLOY_TOKEN_2"] {
            assert!(Variables::of_token(good, &access_token()).is_ok(), "{good}");
        }
    }

    #[test]
    fn values_that_no_environment_holds_are_refused_without_showing_them() {
        let token = AccessToken { access_token: Secret::new("hush\0"), ..access_token() };
        let error = Variables::of_token("A", &token).unwrap_err();
        assert_eq!(error, OutputError::Nul { name: "A".into() });
        assert!(!error.to_string().contains("hush"));
    }
}
