use std::fmt;
use std::time::Duration;

use daypass_claims::Timestamp;
use uuid::Uuid;

/// One decision, and what came of it: a UUID version 7 (RFC 9562), so ids sort by time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DecisionId(pub Uuid);

/// One chain of records: one boot of one server.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChainId(pub Uuid);

macro_rules! uuid_text {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0.hyphenated())
            }
        }
        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self)
            }
        }
    )*};
}
uuid_text!(DecisionId, ChainId);

/// What makes two presentations of a token the same token: SHA-256 over (issuer, jti), else over the issuer and the
/// signing input; never over the signature, which an ECDSA signer can vary.
pub type UseKey = [u8; 32];

/// The wish to count one use of a token.
#[derive(Clone)]
pub struct UseRequest {
    /// Which token.
    pub key: UseKey,
    /// Hash of everything that was asked (token, role, every parameter): a repetition is a retry, not a use.
    pub request: [u8; 32],
    /// How often the token may be used in all; at least 1.
    pub max_uses: u32,
    /// How long after a use the identical request is a retry of it.
    pub retry_window: Duration,
    /// When the use may be forgotten: expiry of the token plus leeway.
    pub expires_at: Timestamp,
    /// What a replica needs, beside its sealing key and the request itself, to give the same answer again. Sealed
    /// under a key that needs the presented token, so nothing that lies here opens anything. Often empty.
    pub sealed: Vec<u8>,
}

impl fmt::Debug for UseRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UseRequest")
            .field("key", &hex::encode(self.key))
            .field("max_uses", &self.max_uses)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// What became of the wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UseOutcome {
    /// Nothing was to be counted (the decision was a refusal).
    NotCounted,
    /// The token's `ordinal`-th use (1-based), now taken by this decision.
    Fresh {
        /// 1 for the first use.
        ordinal: u32,
    },
    /// The identical request was answered at `at` by `decision`; no new use was taken.
    Retry {
        /// The decision that took the use.
        decision: DecisionId,
        /// The ordinal it took.
        ordinal: u32,
        /// When.
        at: Timestamp,
        /// What was stored with the use.
        sealed: Vec<u8>,
    },
    /// All uses are taken.
    Exhausted {
        /// How many there were.
        uses: u32,
        /// When the first was taken.
        first_at: Timestamp,
    },
}

/// The body of a record: canonical JSON, written once and never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordBody(pub Vec<u8>);

/// Writes the body once the outcome of the use is known. Runs inside the transaction: it must be quick and must not
/// block.
///
/// Called again, perhaps with another outcome, when a replica took the use first and the database made us run the
/// transaction anew. The body of the last call is the one that is committed.
pub type Compose = Box<dyn FnMut(&UseOutcome) -> RecordBody + Send>;

/// One record to append, with the use it takes, in one commit.
pub struct Entry {
    /// The decision; unique in the store.
    pub decision: DecisionId,
    /// When the decision was taken.
    pub time: Timestamp,
    /// The use to count, if the decision admits.
    pub token_use: Option<UseRequest>,
    /// Makes the body.
    pub compose: Compose,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("decision", &self.decision)
            .field("time", &self.time)
            .field("token_use", &self.token_use)
            .finish_non_exhaustive()
    }
}

/// Proof that a record is committed. Only a backend makes one, and only after the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    chain: ChainId,
    seq: u64,
    decision: DecisionId,
    outcome: UseOutcome,
}

impl Receipt {
    pub(crate) const fn new(chain: ChainId, seq: u64, decision: DecisionId, outcome: UseOutcome) -> Self {
        Self { chain, seq, decision, outcome }
    }

    /// The chain the record lies on.
    pub const fn chain(&self) -> ChainId {
        self.chain
    }

    /// Its place on the chain.
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// The decision that was recorded.
    pub const fn decision(&self) -> DecisionId {
        self.decision
    }

    /// What became of the use.
    pub const fn outcome(&self) -> &UseOutcome {
        &self.outcome
    }
}

/// A record as it lies in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// The chain it lies on.
    pub chain: ChainId,
    /// Its place: 0 is the genesis.
    pub seq: u64,
    /// When it was written.
    pub time: Timestamp,
    /// The decision; also inside the body.
    pub decision: DecisionId,
    /// The body; `None` once its retention has ended.
    pub body: Option<RecordBody>,
    /// SHA-256 of the body.
    pub body_hash: [u8; 32],
    /// The chained hash of this entry ([`crate::chain::link`]).
    pub hash: [u8; 32],
}

/// The last entry of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The chain.
    pub chain: ChainId,
    /// The place of its last entry.
    pub seq: u64,
    /// The hash of its last entry.
    pub hash: [u8; 32],
    /// When the last entry was written.
    pub time: Timestamp,
}

/// A signed statement of all known heads at one time; opaque to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// When it was made.
    pub time: Timestamp,
    /// The signed statement, JSON.
    pub statement: String,
}
