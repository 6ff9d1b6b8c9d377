//! The exchange: the ten steps, in order, each able to refuse with its own reason.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use daypass_claims::{ClaimSet, Clock, Random, Timestamp};
use daypass_store::{ChainId, DecisionId, Entry, Receipt, Store, UseOutcome, UseRequest};
use daypass_token::{Expectations, LEEWAY, SelectedKeys, TokenKind, UnverifiedToken, VerifiedToken};
use daypass_trust::{Context, Truth, outcome};

use crate::admin::{AdminDenied, Scope};
use crate::caller::{Refused, refused};
use crate::config::{Config, IssuerConfig};
use crate::credential::{self, Credential, Mint, ProvenSession};
use crate::decide::{Decision, SessionRequest, decide, decide_session};
use crate::draft::{Draft, Knowledge, compose};
use crate::keys::{IssuerKeys, KeyRing};
use crate::record::{Bearer, Counted, Limiter, Record, RecordKind, SummaryRecord, Verdict};
use crate::refusal::Refusal;
use crate::request::{Request, SessionPolicy, SubjectToken, Wire};
use crate::revocation::Revocations;
use crate::role::{Role, Roles};
use crate::start::{StartError, genesis, restore_keys, uuid};

/// What watches the exchange, for metrics. Called on the path of every request: it must be quick.
pub trait Observe: Send + Sync {
    /// A request was answered: with a credential, or with this refusal.
    fn answered(&self, wire: &'static str, refusal: Option<&'static str>, took_ms: u64);
    /// A key set was fetched, or was not.
    fn fetched(&self, issuer: &str, ok: bool);
}

/// Everything that the exchange is given.
pub struct Parts {
    /// The configuration.
    pub config: Config,
    /// Where state is kept.
    pub store: Arc<dyn Store>,
    /// Our own keys.
    pub ring: KeyRing,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// What watches.
    pub observe: Arc<dyn Observe>,
    /// Whether keys that are named as development keys are accepted.
    pub development: bool,
}

/// From tokens to credentials.
pub struct Exchange {
    config: Config,
    store: Arc<dyn Store>,
    ring: KeyRing,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    observe: Arc<dyn Observe>,
    issuers: HashMap<String, ConfiguredIssuer>,
    roles: Roles,
    revocations: ArcSwap<Revocations>,
    limiter: Mutex<Limiter>,
}

struct ConfiguredIssuer {
    config: IssuerConfig,
    keys: Arc<IssuerKeys>,
}

/// A credential that may leave: its record is committed.
#[derive(Debug)]
pub struct Admitted {
    /// The decision.
    pub decision: DecisionId,
    /// The credential.
    pub credential: Credential,
    /// Who got it, for the reply.
    pub who: Who,
    receipt: Receipt,
}

impl Admitted {
    /// The proof that the decision is on record.
    pub const fn receipt(&self) -> &Receipt {
        &self.receipt
    }
}

/// What a reply says about the session.
#[derive(Clone, Debug)]
pub struct Who {
    /// The ARN of the session.
    pub arn: String,
    /// The role's unique id and the session's name, joined by a colon.
    pub assumed_role_id: String,
    /// The issuer of the token.
    pub issuer: String,
    /// The subject of the token.
    pub subject: String,
    /// The audience that the token was accepted for.
    pub audience: String,
    /// The source identity.
    pub source_identity: Option<String>,
    /// The scopes of the credential, joined by spaces.
    pub scope: Option<String>,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("store", &self.store).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchange")
            .field("store", &self.store)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}

impl Exchange {
    /// Puts the exchange together and opens its chain of records.
    pub async fn start(parts: Parts) -> Result<Self, StartError> {
        let Parts { config, store, ring, clock, random, observe, development } = parts;
        let now = clock.now();
        let issuers: HashMap<String, ConfiguredIssuer> = config
            .issuers
            .iter()
            .map(|issuer| {
                let keys = Arc::new(IssuerKeys::new(issuer, development, now));
                (issuer.issuer.to_string(), ConfiguredIssuer { config: issuer.clone(), keys })
            })
            .collect();
        restore_keys(&*store, |issuer| issuers.get(issuer).map(|known| &*known.keys), now).await?;
        let roles = Roles::new(&config);
        for version in roles.versions() {
            store.put_policy(version.hash(), version.document().to_owned()).await?;
        }
        let revocations = store.revocations(now).await?.into_iter().collect();
        let chain = ChainId(uuid(&*random, now)?);
        let exchange = Self {
            config,
            store,
            ring,
            clock,
            random,
            observe,
            issuers,
            roles,
            revocations: ArcSwap::from_pointee(revocations),
            limiter: Mutex::new(Limiter::default()),
        };
        genesis(&exchange, chain, now).await?;
        Ok(exchange)
    }

    /// The configuration.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The roles.
    pub const fn roles(&self) -> &Roles {
        &self.roles
    }

    /// Our own keys.
    pub const fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// The store.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// The clock.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// The random source.
    pub fn random(&self) -> &dyn Random {
        &*self.random
    }

    /// What watches.
    pub fn observe(&self) -> &dyn Observe {
        &*self.observe
    }

    /// The keys of every issuer.
    pub fn issuer_keys(&self) -> impl Iterator<Item = &Arc<IssuerKeys>> {
        self.issuers.values().map(|issuer| &issuer.keys)
    }

    /// The keys of one issuer.
    pub fn keys_of(&self, issuer: &str) -> Option<&Arc<IssuerKeys>> {
        self.issuers.get(issuer).map(|issuer| &issuer.keys)
    }

    /// The revocations, at most a few seconds old.
    pub fn revocations(&self) -> Arc<Revocations> {
        self.revocations.load_full()
    }

    /// Reads revocations anew.
    pub async fn refresh_revocations(&self) -> Result<(), daypass_store::StoreError> {
        let revocations = self.store.revocations(self.clock.now()).await?;
        self.revocations.store(Arc::new(revocations.into_iter().collect()));
        Ok(())
    }

    /// Exchanges a token for a credential. Whatever the answer, it is on record before it is given.
    pub async fn exchange(&self, request: Request) -> Result<Admitted, Refused> {
        let now = self.clock.now();
        let id = match uuid(&*self.random, now) {
            Ok(id) => DecisionId(id),
            Err(error) => {
                return Err(self.tell(DecisionId(uuid::Uuid::nil()), error.into(), &Knowledge::NOTHING));
            }
        };
        let wire = request.wire.as_str();
        let result = self.judge(id, &request).await;
        let took = crate::draft::millis(self.clock.now().since(request.received_at));
        self.observe.answered(wire, result.as_ref().err().map(|refused| refused.refusal.code()), took);
        result
    }

    /// Steps 2 to 10.
    async fn judge(&self, id: DecisionId, request: &Request) -> Result<Admitted, Refused> {
        let mut known = Knowledge::NOTHING;
        let unverified = match UnverifiedToken::parse(request.token.expose()) {
            Ok(token) => token,
            Err(error) => {
                return Err(self
                    .refuse(id, request, known, daypass_token::Refusal::from(error).into())
                    .await);
            }
        };
        known.token_sha256 = Some(unverified.digest().to_string());
        let issuer = match self.issuer_of(&unverified) {
            Ok(issuer) => issuer,
            Err(refusal) => return Err(self.refuse(id, request, known, refusal).await),
        };
        known.issuer = Some(issuer.config.issuer.as_str());
        known.platform = issuer.config.platform;
        let token = match self.verify(&unverified, issuer).await {
            Ok(token) => token,
            Err(refusal) => return Err(self.refuse(id, request, known, refusal).await),
        };
        known.token = Some(&token);
        let Some(role) = self.roles.find(&request.role) else {
            let refusal = Refusal::UnknownRole(request.role.chars().take(256).collect());
            return Err(self.refuse(id, request, known, refusal).await);
        };
        known.role = Some(role);
        // One moment for the decision, the credential and the record: a retry derives the same answer from it.
        let at = self.clock.now();
        let (decision, credential) = match self.admit(id, at, request, &token, issuer, role) {
            Ok(admitted) => admitted,
            Err(refusal) => return Err(self.refuse(id, request, known, refusal).await),
        };
        self.record(id, at, request, known, &token, &decision, credential).await
    }

    /// Step 2: the issuer, byte for byte, from the configuration. An unknown one costs no network traffic.
    fn issuer_of(&self, token: &UnverifiedToken) -> Result<&ConfiguredIssuer, Refusal> {
        let named = token.issuer().ok_or(Refusal::NoIssuer)?;
        self.issuers.get(named).ok_or_else(|| Refusal::UnknownIssuer(named.chars().take(255).collect()))
    }

    /// Steps 3 and 4: the key, and everything that is checked with it.
    async fn verify(
        &self,
        token: &UnverifiedToken,
        issuer: &ConfiguredIssuer,
    ) -> Result<VerifiedToken, Refusal> {
        let keys: SelectedKeys = issuer.keys.select(token, &issuer.config.algorithms, &*self.clock).await?;
        let expected = Expectations {
            issuer: &issuer.config.issuer,
            audiences: &issuer.config.audiences,
            multiple_audiences: issuer.config.multiple_audiences,
            max_lifetime: issuer.config.max_token_lifetime,
            max_age: issuer.config.max_token_lifetime,
            kind: TokenKind::CiIdToken,
        };
        Ok(daypass_token::verify(token, &keys, &expected, self.clock.now())?)
    }

    /// Steps 5, 6 and 8: decide on the claims, and make the credential. It cannot leave yet.
    fn admit<'r>(
        &self,
        id: DecisionId,
        at: Timestamp,
        request: &Request,
        token: &VerifiedToken,
        issuer: &ConfiguredIssuer,
        role: &'r Role,
    ) -> Result<(Decision<'r>, Credential), Refusal> {
        if let Some(why) = &role.config().refused {
            return Err(Refusal::RoleRefused(why.clone()));
        }
        let decision = decide(token, issuer.config.platform, role, request)?;
        if !role.carried_by(request.wire) {
            return Err(Refusal::WrongWire { kind: role.kind() });
        }
        let credential = self.mint(id, at, &decision, token.claims(), request, None)?;
        Ok((decision, credential))
    }

    fn mint(
        &self,
        id: DecisionId,
        at: Timestamp,
        decision: &Decision<'_>,
        claims: &ClaimSet,
        request: &Request,
        retry: Option<&[u8]>,
    ) -> Result<Credential, Refusal> {
        let mint = Mint {
            id,
            at,
            keys: &self.ring.keys(),
            issuer: &self.config.public_url,
            claims,
            token: Some(&request.token),
            session_policy: &request.session_policy,
        };
        credential::mint(decision, &mint, retry)
    }

    /// Steps 7, 9 and 10: the use is counted and the decision recorded in one commit; then the credential may leave.
    #[expect(clippy::too_many_arguments, reason = "each is a step's result, and they meet only here")]
    async fn record(
        &self,
        id: DecisionId,
        at: Timestamp,
        request: &Request,
        known: Knowledge<'_>,
        token: &VerifiedToken,
        decision: &Decision<'_>,
        credential: Credential,
    ) -> Result<Admitted, Refused> {
        let role = decision.role();
        let max = role.config().max_uses.unwrap_or_else(|| request.wire.default_max_uses());
        let draft = Draft::new(request, &known, at).admitted(decision, &credential);
        let entry = Entry {
            decision: id,
            time: at,
            token_use: Some(UseRequest {
                key: token.replay_key(),
                request: request.fingerprint(&token.digest()),
                max_uses: max,
                retry_window: role.config().retry_window,
                expires_at: token.expires_at() + LEEWAY,
                sealed: credential.retry_material(),
            }),
            compose: compose(draft, id, at, max),
        };
        let receipt = match self.store.append(entry).await {
            Ok(receipt) => receipt,
            // The credential is dropped here: what is not on record does not leave.
            Err(error) => return Err(self.tell(id, error.into(), &known)),
        };
        let credential = match receipt.outcome() {
            UseOutcome::Fresh { .. } | UseOutcome::NotCounted => credential,
            UseOutcome::Retry { decision: first, at, sealed, .. } => {
                match self.mint(*first, *at, decision, token.claims(), request, Some(sealed)) {
                    Ok(credential) => credential,
                    Err(refusal) => return Err(self.tell(id, refusal, &known)),
                }
            }
            UseOutcome::Exhausted { uses, first_at } => {
                let refusal = Refusal::Used { uses: *uses, first_at: *first_at };
                return Err(self.tell(id, refusal, &known));
            }
        };
        let session = decision.session();
        let who = Who {
            arn: role.session_arn(&session.name),
            assumed_role_id: format!("{}:{}", role.id(), session.name),
            issuer: session.issuer.clone(),
            subject: session.subject.clone(),
            audience: token.audience().to_string(),
            source_identity: session.source_identity.clone(),
            scope: (!session.scopes.is_empty()).then(|| session.scopes.join(" ")),
        };
        Ok(Admitted { decision: id, credential, who, receipt })
    }

    /// A session of one role assumes another. Nothing is counted: a session may be used as long as it lives.
    pub async fn assume_from_session(
        &self,
        first: &ProvenSession,
        target: &str,
        wanted: &SessionRequest<'_>,
        session_policy: &SessionPolicy,
    ) -> Result<Admitted, Refused> {
        let now = self.clock.now();
        let id = match uuid(&*self.random, now) {
            Ok(id) => DecisionId(id),
            Err(error) => {
                return Err(self.tell(DecisionId(uuid::Uuid::nil()), error.into(), &Knowledge::NOTHING));
            }
        };
        let role = self.roles.find(target);
        let known = Knowledge { role, ..Knowledge::NOTHING };
        let result = match role {
            None => Err(Refusal::UnknownRole(target.chars().take(256).collect())),
            Some(role) => self.admit_session(id, now, first, role, wanted, session_policy),
        };
        let mut draft = Draft::of_session(target, first, wanted, now);
        draft.record.policy = role.map(|role| hex::encode(role.policy_hash()));
        let (draft, result) = match result {
            Ok((decision, credential)) => {
                (draft.admitted(&decision, &credential), Ok((decision, credential)))
            }
            Err(refusal) => (draft.refused(&refusal), Err(refusal)),
        };
        let entry = Entry { decision: id, time: now, token_use: None, compose: compose(draft, id, now, 0) };
        let receipt = match self.store.append(entry).await {
            Ok(receipt) => receipt,
            Err(error) => return Err(self.tell(id, error.into(), &known)),
        };
        match result {
            Err(refusal) => Err(self.tell(id, refusal, &known)),
            Ok((decision, credential)) => {
                let (role, session) = (decision.role(), decision.session());
                let who = Who {
                    arn: role.session_arn(&session.name),
                    assumed_role_id: format!("{}:{}", role.id(), session.name),
                    issuer: session.issuer.clone(),
                    subject: session.subject.clone(),
                    audience: String::new(),
                    source_identity: session.source_identity.clone(),
                    scope: None,
                };
                Ok(Admitted { decision: id, credential, who, receipt })
            }
        }
    }

    fn admit_session<'r>(
        &self,
        id: DecisionId,
        at: Timestamp,
        first: &ProvenSession,
        role: &'r Role,
        wanted: &SessionRequest<'_>,
        session_policy: &SessionPolicy,
    ) -> Result<(Decision<'r>, Credential), Refusal> {
        if let Some(why) = &role.config().refused {
            return Err(Refusal::RoleRefused(why.clone()));
        }
        let decision = decide_session(first, role, wanted)?;
        if !role.carried_by(Wire::AwsQuery) {
            return Err(Refusal::WrongWire { kind: role.kind() });
        }
        let claims = ClaimSet::new();
        let keys = self.ring.keys();
        let issuer = &self.config.public_url;
        let mint = Mint { id, at, keys: &keys, issuer, claims: &claims, token: None, session_policy };
        let credential = credential::mint(&decision, &mint, None)?;
        Ok((decision, credential))
    }

    /// Lets the bearer of a CI token act as administrator, if `[[admin.trust]]` admits it with the scope. Answers with its
    /// subject, for the record.
    pub async fn admit_admin(&self, token: &SubjectToken, scope: Scope) -> Result<String, AdminDenied> {
        let unverified = UnverifiedToken::parse(token.expose()).map_err(|_| AdminDenied::Token)?;
        let issuer = self.issuer_of(&unverified).map_err(|_| AdminDenied::Token)?;
        let verified = match self.verify(&unverified, issuer).await {
            Ok(verified) => verified,
            Err(Refusal::Keys(_)) => return Err(AdminDenied::Later),
            Err(_) => return Err(AdminDenied::Token),
        };
        let mut context = Context::new().complete().issuer(verified.issuer().clone()).time(self.clock.now());
        context.audience = Some(verified.audience().clone());
        let trusted = self.config.admin.trust.iter().filter(|trust| trust.scopes.contains(&scope));
        let admits = |policy| outcome(policy, verified.claims(), &context).0 == Truth::True;
        if trusted.into_iter().any(|trust| admits(&trust.policy)) {
            Ok(verified.subject().to_string())
        } else {
            Err(AdminDenied::Scope)
        }
    }

    /// Records a refusal and words it for the caller.
    async fn refuse(
        &self,
        id: DecisionId,
        request: &Request,
        known: Knowledge<'_>,
        refusal: Refusal,
    ) -> Refused {
        let now = self.clock.now();
        let bearer = known.token.map_or(Bearer::Unverified, |token| Bearer::Verified {
            issuer: token.issuer().as_str(),
            subject: token.subject().as_str(),
        });
        let (verdict, summary) =
            self.limiter.lock().unwrap_or_else(PoisonError::into_inner).take(bearer, refusal.code(), now);
        if let Some(summary) = summary {
            self.summarise(summary).await;
        }
        if verdict == Verdict::Counted {
            return self.tell(id, refusal, &known);
        }
        let draft = Draft::new(request, &known, now).refused(&refusal);
        let entry = Entry { decision: id, time: now, token_use: None, compose: compose(draft, id, now, 0) };
        match self.store.append(entry).await {
            Ok(_) => self.tell(id, refusal, &known),
            Err(error) => self.tell(id, error.into(), &known),
        }
    }

    /// Words a refusal for the caller.
    fn tell(&self, id: DecisionId, refusal: Refusal, known: &Knowledge<'_>) -> Refused {
        refused(self.config.explain_to_caller, id, refusal, known.token.map(|token| (token, known.platform)))
    }

    /// Writes down refusals that were only counted.
    pub async fn flush_summary(&self) {
        let now = self.clock.now();
        let summary = self.limiter.lock().unwrap_or_else(PoisonError::into_inner).flush(now);
        if let Some(summary) = summary {
            self.summarise(summary).await;
        }
    }

    async fn summarise(&self, (second, refused): Counted) {
        let kind = RecordKind::Summary(SummaryRecord { refused, second: second.to_rfc3339() });
        if let Err(error) = self.put(kind).await {
            tracing::error!(%error, "a summary of refusals could not be recorded");
        }
    }

    /// Appends a record that is about no exchange.
    pub async fn put(&self, kind: RecordKind) -> Result<Receipt, StartError> {
        let now = self.clock.now();
        let decision = DecisionId(uuid(&*self.random, now)?);
        let record = Record { v: 1, id: decision.to_string(), time: now.to_string(), kind };
        let body = record.to_body();
        let entry = Entry { decision, time: now, token_use: None, compose: Box::new(move |_| body.clone()) };
        Ok(self.store.append(entry).await?)
    }
}
