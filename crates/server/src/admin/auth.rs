//! Who may use the admin listener: whoever can read the bootstrap token's file, and CI jobs that `[[admin.trust]]` admits.

use std::io;
use std::path::Path;

use daypass_claims::Random;
use daypass_exchange::admin::Scope;
use daypass_exchange::config::Config;
use daypass_exchange::record::{AdminAct, RecordKind};
use daypass_exchange::{AdminDenied, SubjectToken};
use http::{HeaderMap, StatusCode, header};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{AdminApp, AdminError};
use crate::wire::Peer;

/// What bootstrap tokens begin with, so that a scanner for leaked secrets can know them.
const PREFIX: &str = "dpa1_";

/// The bootstrap token: made at the first start, readable by the service's user alone, good on loopback only.
pub(crate) struct AdminToken {
    path: String,
    token: Zeroizing<String>,
}

/// Why the bootstrap token is not at hand.
#[derive(Debug, thiserror::Error)]
pub enum AdminTokenError {
    /// The file.
    #[error("cannot use the admin token file `{path}`: {why}")]
    File {
        /// Which.
        path: String,
        /// Why.
        why: io::Error,
    },
    /// The file is there and does not hold a token.
    #[error("the admin token file `{path}` does not hold a token; remove it to have one made")]
    Content {
        /// Which.
        path: String,
    },
    /// No randomness to make one.
    #[error(transparent)]
    Random(#[from] daypass_claims::RandomError),
}

impl AdminToken {
    /// Reads the token, or makes one.
    pub(crate) fn open(config: &Config, random: &dyn Random) -> Result<Option<Self>, AdminTokenError> {
        let Some(path) = config.admin.token_file.clone() else { return Ok(None) };
        let failed = |why: io::Error| AdminTokenError::File { path: path.clone(), why };
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let token = Zeroizing::new(text.trim().to_owned());
                if !token.starts_with(PREFIX) || token.len() < PREFIX.len() + 32 {
                    return Err(AdminTokenError::Content { path });
                }
                Ok(Some(Self { path, token }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut bytes = Zeroizing::new([0; 32]);
                random.fill(bytes.as_mut_slice())?;
                let token = Zeroizing::new(format!("{PREFIX}{}", hex::encode(bytes.as_slice())));
                let content = Zeroizing::new(format!("{}\n", token.as_str()));
                crate::private_file::create(Path::new(&path), content.as_bytes()).map_err(failed)?;
                Ok(Some(Self { path, token }))
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}

/// An administrator, for one act.
#[derive(Debug)]
pub(crate) struct Admin {
    by: String,
    client: String,
}

impl AdminApp {
    /// Lets an administrator in for one scope, or says why not.
    pub(crate) async fn admit(
        &self,
        scope: Scope,
        peer: Peer,
        headers: &HeaderMap,
    ) -> Result<Admin, AdminError> {
        let presented = bearer(headers).ok_or_else(|| {
            AdminError::new(StatusCode::UNAUTHORIZED, "an Authorization header with a Bearer token is needed")
        })?;
        let client = peer.address.ip().to_canonical();
        if let Some(token) = &self.token
            && bool::from(token.token.as_bytes().ct_eq(presented.as_bytes()))
        {
            if !client.is_loopback() {
                let message = "the bootstrap token is good on loopback only";
                return Err(AdminError::new(StatusCode::FORBIDDEN, message));
            }
            return Ok(Admin { by: "bootstrap-token".to_owned(), client: client.to_string() });
        }
        let token = SubjectToken::new(presented.to_owned());
        let denied = match self.app.exchange.admit_admin(&token, scope).await {
            Ok(subject) => return Ok(Admin { by: subject, client: client.to_string() }),
            Err(denied) => denied,
        };
        tracing::warn!(%client, %scope, %denied, "an administrator was not let in");
        Err(match denied {
            AdminDenied::Token => AdminError::new(StatusCode::UNAUTHORIZED, denied.to_string()),
            AdminDenied::Scope => {
                AdminError::new(StatusCode::FORBIDDEN, format!("the token is not trusted with `{scope}`"))
            }
            AdminDenied::Later => AdminError::new(StatusCode::SERVICE_UNAVAILABLE, denied.to_string()),
        })
    }

    /// Puts an act on record; only then is it done.
    pub(crate) async fn record(&self, admin: &Admin, act: &str, about: String) -> Result<(), AdminError> {
        let kind = RecordKind::Admin(AdminAct {
            act: act.to_owned(),
            about,
            by: admin.by.clone(),
            client: admin.client.clone(),
        });
        self.app.exchange.put(kind).await.map(|_| ()).map_err(|error| AdminError::failed(&error))
    }
}

/// The token of an `Authorization: Bearer` header; the scheme is written in any case (RFC 9110 section 11.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

impl std::fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AdminToken({})", self.path)
    }
}
