use daypass_claims::Issuer;
use daypass_prove::Home;

/// What a check is told beside the files.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What the prover is told: the estate, the account, an issuer to ask about.
    pub prover: daypass_prove::Options,
    /// Where all roles belong; read off each policy where it is not given.
    pub home: Option<Home>,
}

impl Options {
    /// Whether the estate lists an issuer among its providers.
    pub(crate) fn approves(&self, issuer: &Issuer) -> bool {
        self.prover.estate.knows_issuer(issuer)
    }
}
