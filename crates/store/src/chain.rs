//! The arithmetic of the audit chain: the one definition that appending and verifying share.

use aws_lc_rs::digest::{Context, SHA256, digest};
use daypass_claims::Timestamp;

use crate::ChainId;

const DOMAIN: &[u8] = b"daypass-chain-v1";

/// What stands in place of a predecessor's hash before the first entry.
pub const START: [u8; 32] = [0; 32];

/// The hash of entry `seq` of `chain`: binds its place, its time, its body and, through `previous`, everything before
/// it. Integers are big-endian; the time is in milliseconds since the epoch.
pub fn link(
    chain: ChainId,
    seq: u64,
    time: Timestamp,
    body_hash: &[u8; 32],
    previous: &[u8; 32],
) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(DOMAIN);
    context.update(chain.0.as_bytes());
    context.update(&seq.to_be_bytes());
    context.update(&time.as_millis().to_be_bytes());
    context.update(body_hash);
    context.update(previous);
    to_array(context.finish().as_ref())
}

/// SHA-256 of a record's body.
pub fn body_hash(body: &[u8]) -> [u8; 32] {
    to_array(digest(&SHA256, body).as_ref())
}

fn to_array(hash: &[u8]) -> [u8; 32] {
    let mut array = [0; 32];
    for (to, from) in array.iter_mut().zip(hash) {
        *to = *from;
    }
    array
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn every_part_is_bound() {
        let chain = ChainId(Uuid::from_u128(1));
        let base = link(chain, 1, Timestamp::from_millis(5), &[1; 32], &[2; 32]);
        assert_eq!(base, link(chain, 1, Timestamp::from_millis(5), &[1; 32], &[2; 32]));
        for other in [
            link(ChainId(Uuid::from_u128(2)), 1, Timestamp::from_millis(5), &[1; 32], &[2; 32]),
            link(chain, 2, Timestamp::from_millis(5), &[1; 32], &[2; 32]),
            link(chain, 1, Timestamp::from_millis(6), &[1; 32], &[2; 32]),
            link(chain, 1, Timestamp::from_millis(5), &[3; 32], &[2; 32]),
            link(chain, 1, Timestamp::from_millis(5), &[1; 32], &[3; 32]),
        ] {
            assert_ne!(base, other);
        }
    }
}
