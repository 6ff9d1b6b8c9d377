//! What the unit tests of this room share.

use std::sync::atomic::{AtomicU64, Ordering};

use daypass_claims::{Random, RandomError, Timestamp};

use crate::request::{Client, Request, SessionPolicy, SubjectToken, Wire};

/// Bytes that are different every time and the same in every run.
#[derive(Default)]
pub(crate) struct CountingRandom(AtomicU64);

impl Random for CountingRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        for byte in bytes {
            let n = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            *byte = n.to_be_bytes()[3];
        }
        Ok(())
    }
}

/// A plain request.
pub(crate) fn request(role: &str, token: &str) -> Request {
    Request {
        wire: Wire::TokenExchange,
        role: role.to_owned(),
        token: SubjectToken::new(token.to_owned()),
        duration: None,
        session_name: None,
        session_policy: SessionPolicy::default(),
        scope: None,
        client: Client { address: "127.0.0.1".parse().unwrap(), user_agent: None, secure: false },
        received_at: Timestamp::from_secs(1_790_000_000),
    }
}
