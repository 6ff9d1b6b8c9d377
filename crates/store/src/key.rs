use std::fmt;

use daypass_claims::{Algorithm, Timestamp};

/// What a key is for. The purpose is bound into the wrapping, so one kind of key cannot be passed off as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyPurpose {
    /// Signs re-issued tokens; its public half is published as JWKS.
    Sign,
    /// Seals session tokens and derives session secrets.
    Seal,
    /// Signs chain geneses and checkpoints of the audit log (Ed25519).
    Audit,
}

impl KeyPurpose {
    /// The name in the database and in the wrapping's associated data.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sign => "sign",
            Self::Seal => "seal",
            Self::Audit => "audit",
        }
    }

    /// The purpose of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Sign, Self::Seal, Self::Audit].into_iter().find(|purpose| purpose.as_str() == name)
    }
}

impl fmt::Display for KeyPurpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A key as it lies in the store: the secret half wrapped by the key-encryption key, the public half readable.
///
/// The life of a key: published at `publish_from`, used from `use_from`, no longer used from `retire_at`, no
/// longer published (and deleted) from `remove_at`. The last two are unset while the key is the newest.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// The key id, as in `kid`.
    pub id: String,
    /// What it is for.
    pub purpose: KeyPurpose,
    /// 1, 2, 3 ... per purpose. (purpose, generation) is unique, so two replicas cannot both make the next key.
    pub generation: i64,
    /// The signature algorithm; `None` for sealing keys.
    pub algorithm: Option<Algorithm>,
    /// The public JWK as JSON; `None` for sealing keys.
    pub public: Option<String>,
    /// The wrapped secret; opaque to the store.
    pub wrapped: Vec<u8>,
    /// When the key was made.
    pub created_at: Timestamp,
    /// When it is first published.
    pub publish_from: Timestamp,
    /// When it is first used.
    pub use_from: Timestamp,
    /// When it is no longer used.
    pub retire_at: Option<Timestamp>,
    /// When nothing it made can still be valid.
    pub remove_at: Option<Timestamp>,
}

impl fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredKey")
            .field("id", &self.id)
            .field("purpose", &self.purpose)
            .field("generation", &self.generation)
            .field("use_from", &self.use_from)
            .field("retire_at", &self.retire_at)
            .finish_non_exhaustive()
    }
}
