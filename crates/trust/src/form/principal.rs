use daypass_claims::Issuer;

/// Whom a statement is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principals {
    /// Bearers of tokens, by issuer.
    pub tokens: TokenIssuers,
    /// Callers who present something other than a CI token.
    pub others: Vec<OtherPrincipal>,
    /// Set when the document says something about principals that is not modelled: then nobody is known to match
    /// and nobody is known not to.
    pub unknown: Option<String>,
}

/// Which issuers' tokens match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenIssuers {
    /// No token matches.
    None,
    /// Tokens of these issuers, compared byte for byte.
    Exactly(Vec<Issuer>),
    /// Tokens of any issuer that the account knows.
    Any,
}

/// A caller who presents something other than a CI token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OtherPrincipal {
    /// Anybody at all, anonymous callers included.
    Anyone,
    /// Everybody in an account who is permitted there.
    Account(String),
    /// The sessions of a role, by ARN.
    Role(String),
    /// The sessions of a daypass role, by name.
    DaypassRole(String),
    /// One session of a role, by ARN.
    Session(String),
    /// A user with long-lived keys, by ARN.
    User(String),
    /// A cloud service.
    Service(String),
    /// A SAML provider, by ARN.
    Saml(String),
    /// A principal that was deleted: AWS shows the unique id (`AROA...`, `AIDA...`) in place of the ARN.
    Deleted(String),
    /// Written in a way that can match nobody.
    Nobody(String),
}

impl Principals {
    /// Tokens of exactly one issuer.
    pub fn issuer(issuer: Issuer) -> Self {
        Self { tokens: TokenIssuers::Exactly(vec![issuer]), others: Vec::new(), unknown: None }
    }

    /// Nobody yet.
    pub const fn nobody() -> Self {
        Self { tokens: TokenIssuers::None, others: Vec::new(), unknown: None }
    }

    /// The one issuer this is about, if it is about exactly one.
    pub fn single_issuer(&self) -> Option<&Issuer> {
        match &self.tokens {
            TokenIssuers::Exactly(issuers) => match issuers.as_slice() {
                [one] => Some(one),
                _ => None,
            },
            TokenIssuers::None | TokenIssuers::Any => None,
        }
    }
}
