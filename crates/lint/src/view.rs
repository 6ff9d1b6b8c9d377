//! A policy with all that the prover says about it: what the rules of trust look at.

use std::collections::BTreeSet;

use daypass_claims::{ClaimSet, ClaimValue, Issuer};
use daypass_issuers::{Identifies, Platform, catalogue};
use daypass_prove::{Answer, Exactness, Persona, PersonaAnswer, Verdict, Witness, dead, review};
use daypass_sources::FoundPolicy;
use daypass_trust::document::Span;
use daypass_trust::evaluate::outcome;
use daypass_trust::form::{
    Atom, ClaimPath, Clause, Condition, Effect, Permission, Policy, Quantifier, Reading, RequestKey,
    Statement, Test, TokenIssuers, Variable,
};
use daypass_trust::{Context, Facts};

use crate::Options;
use crate::blame::Blame;
use daypass_trust::dialect::Compiled;

/// A policy and the prover's answers about it.
#[derive(Debug)]
pub(crate) struct View<'a> {
    pub(crate) found: &'a FoundPolicy,
    pub(crate) compiled: &'a Compiled,
    pub(crate) options: &'a Options,
    /// What the prover was asked with.
    pub(crate) prover: daypass_prove::Options,
    /// The platform whose tokens were assumed where the policy leaves the issuer to its surroundings.
    pub(crate) assumed: Option<&'static Platform>,
    /// The platforms of its issuers.
    platforms: Vec<(Issuer, Option<&'static Platform>)>,
    /// Whether it admits nobody; `None` where it is not about tokens.
    pub(crate) dead: Option<Answer>,
    /// Whom it admits; empty where it is not about tokens, or dead.
    pub(crate) personas: Vec<PersonaAnswer>,
    /// What lets strangers in, where something does.
    pub(crate) blame: Option<Blame<'a>>,
}

impl<'a> View<'a> {
    /// Asks the prover about a policy, whose issuer may have been taken from the keys of its conditions.
    pub(crate) fn of(
        found: &'a FoundPolicy,
        compiled: &'a Compiled,
        options: &'a Options,
        taken: Option<&Issuer>,
    ) -> Self {
        let (prover, assumed) = surroundings(found, compiled, options);
        let assumed = assumed.or_else(|| taken.and_then(platform_known));
        let mut view = Self {
            found,
            compiled,
            options,
            prover,
            assumed,
            platforms: Vec::new(),
            dead: None,
            personas: Vec::new(),
            blame: None,
        };
        if !is_about_tokens(&compiled.policy) {
            return view;
        }
        view.platforms = view.issuers().into_iter().map(|it| (it.clone(), platform_known(it))).collect();
        let (dead, personas) = review(&compiled.policy, options.home.as_ref(), &view.prover);
        view.personas = personas;
        if dead.answer != Verdict::Yes {
            view.know_by_repository();
        }
        view.dead = Some(dead);
        view.blame = view.admitted(Persona::Stranger).cloned().and_then(|witness| Blame::of(&view, &witness));
        view
    }

    /// A repository's id is its own: where every token that gets in has the one id, nobody is a stranger, whatever the
    /// organisation is that the repository belongs to.
    fn know_by_repository(&mut self) {
        let Some(witness) = self.admitted(Persona::Stranger).cloned() else { return };
        let Some(platform) = self.platform(&witness.issuer) else { return };
        let ids = platform.tenants.repository.iter().filter(|slot| slot.filter.is_none());
        let known = ids.filter_map(|slot| {
            let spec = platform.claims.get(slot.name.as_str()).filter(|spec| spec.immutable)?;
            Some((spec.name.as_str(), witness.claims.get(slot.name.as_str())?.as_str()?))
        });
        for (claim, value) in known {
            let others = self.restricted([equals(claim, value).negated()]);
            if dead(&others, &self.prover).answer != Verdict::Yes {
                continue;
            }
            for it in &mut self.personas {
                if matches!(it.persona, Persona::Stranger | Persona::Lookalike) {
                    let why = vec![format!("`{claim}` is `{value}` in every token that gets in")];
                    it.answer =
                        Answer { answer: Verdict::No, exactness: Exactness::Exact, witness: None, why };
                }
            }
            return;
        }
    }

    /// The policy, asking for more.
    pub(crate) fn restricted(&self, conditions: impl IntoIterator<Item = Condition>) -> Policy {
        let conditions: Vec<Condition> = conditions.into_iter().collect();
        let mut policy = self.compiled.policy.clone();
        for statement in policy.statements.iter_mut().filter(|it| admits_tokens(it)) {
            let all = conditions.iter().cloned().chain([statement.condition.clone()]).collect();
            statement.condition = Condition::All(all);
        }
        policy
    }

    pub(crate) const fn policy(&self) -> &'a Policy {
        &self.compiled.policy
    }

    pub(crate) fn role(&self) -> &'a str {
        &self.found.role
    }

    /// The token with which a persona gets in.
    pub(crate) fn admitted(&self, persona: Persona) -> Option<&Witness> {
        self.answer(persona).filter(|it| it.answer == Verdict::Yes)?.witness.as_ref()
    }

    /// What is known about a persona.
    pub(crate) fn answer(&self, persona: Persona) -> Option<&Answer> {
        self.personas.iter().find(|it| it.persona == persona).map(|it| &it.answer)
    }

    /// Whether somebody outside the tenant gets in: then the rules about those inside have nothing to add.
    pub(crate) fn is_open(&self) -> bool {
        self.admitted(Persona::Stranger).is_some()
    }

    /// The issuers whose tokens the policy is about, as far as it names them.
    pub(crate) fn issuers(&self) -> Vec<&Issuer> {
        let mut issuers: Vec<&Issuer> = self.prover.issuer.iter().collect();
        if issuers.is_empty() {
            for statement in self.allowing() {
                let TokenIssuers::Exactly(named) = &statement.principals.tokens else { continue };
                for issuer in named {
                    if !issuers.contains(&issuer) {
                        issuers.push(issuer);
                    }
                }
            }
        }
        issuers
    }

    /// The platform of an issuer, if the catalogue knows it.
    pub(crate) fn platform(&self, issuer: &Issuer) -> Option<&'static Platform> {
        let known =
            || self.platforms.iter().find(|(known, _)| known == issuer).map(|(_, platform)| *platform);
        self.assumed.or_else(|| known().unwrap_or_else(|| platform_known(issuer)))
    }

    /// The statements that let tokens in.
    pub(crate) fn allowing(&self) -> impl Iterator<Item = &'a Statement> {
        self.compiled.policy.statements.iter().filter(|it| admits_tokens(it))
    }

    /// The statement that lets a token in, which the prover has found. That somebody gets in is not kept quiet because
    /// nothing can be pointed at: then it is the first that lets tokens in.
    pub(crate) fn admitting(&self, witness: &Witness) -> Option<&'a Statement> {
        let (_, index) = outcome(self.policy(), &witness.claims, &self.context(witness));
        let named = index.and_then(|index| self.compiled.policy.statements.get(index));
        named.or_else(|| self.allowing().next())
    }

    /// Whether the policy admits a token.
    pub(crate) fn admits(&self, policy: &Policy, witness: &Witness, claims: &ClaimSet) -> bool {
        outcome(policy, claims, &self.context(witness)).0.is_true()
    }

    /// The request that a token is shown in, which nobody sends in the clear.
    pub(crate) fn context(&self, witness: &Witness) -> Context {
        let mut context =
            Context::new().issuer(witness.issuer.clone()).with(RequestKey::SecureTransport, true);
        if let Some(account) = &self.prover.account {
            context = context.account(account.as_str());
        }
        witness.request.iter().fold(context, |context, (name, value): &(String, ClaimValue)| {
            context.with(RequestKey::from_name(name), value.clone())
        })
    }

    /// Whether a claim says whose token it is: its organisation or repository, by itself or as a part of the subject.
    pub(crate) fn is_of_tenant(&self, witness: &Witness, claim: &str) -> bool {
        let Some(platform) = self.platform(&witness.issuer) else { return claim == "sub" };
        let known = platform.claims.get(claim).map(|spec| spec.identifies);
        matches!(
            known,
            Some(
                Identifies::Subject
                    | Identifies::Organisation
                    | Identifies::Enterprise
                    | Identifies::Project
                    | Identifies::Repository
            )
        ) || platform.tenants.slots().any(|slot| slot.name.as_str() == claim)
    }

    /// The string of the document that a condition's value was written as, or the condition itself.
    pub(crate) fn value_span(&self, clause: &Clause, is_it: impl Fn(&str) -> bool) -> Span {
        value_span(self.found, clause, is_it)
    }
}

/// The string of a document that a condition's value was written as, or the condition itself.
pub(crate) fn value_span(found: &FoundPolicy, clause: &Clause, is_it: impl Fn(&str) -> bool) -> Span {
    let strings = found.tree.strings();
    let after = strings.iter().filter(|(text, span)| span.start >= clause.span.start && is_it(text));
    after.min_by_key(|(_, span)| span.start).map_or(clause.span, |(_, span)| *span)
}

/// Whether a statement lets tokens in.
pub(crate) fn admits_tokens(statement: &Statement) -> bool {
    statement.effect == Effect::Allow
        && statement.permissions.contains(Permission::AssumeWithToken)
        && statement.principals.tokens != TokenIssuers::None
}

/// Whether a policy means tokens to get in; one that names an identity provider and the wrong action does, too.
fn is_about_tokens(policy: &Policy) -> bool {
    policy.statements.iter().any(|it| {
        admits_tokens(it)
            || (it.effect == Effect::Allow && matches!(it.principals.tokens, TokenIssuers::Exactly(_)))
    })
}

/// Takes the issuers that a statement's keys name for those of a principal that the files leave open: `ISSUER:sub` is a key of
/// no other's tokens. The first of them, if there are any.
pub(crate) fn take_issuers_from_keys(policy: &mut Policy) -> Option<Issuer> {
    let mut first = None;
    for statement in policy.statements.iter_mut().filter(|it| leaves_principal_open(it)) {
        let named = issuers_in(&statement.condition);
        if let Some(issuer) = named.first() {
            first.get_or_insert_with(|| issuer.clone());
            statement.principals.tokens = TokenIssuers::Exactly(named);
            statement.principals.unknown = None;
        }
    }
    first
}

/// Whether a statement is about tokens of an issuer that the files do not name.
pub(crate) fn leaves_principal_open(statement: &Statement) -> bool {
    statement.effect == Effect::Allow
        && statement.principals.unknown.is_some()
        && statement.principals.tokens == TokenIssuers::None
        && statement.permissions.contains(Permission::AssumeWithToken)
}

/// The issuers whose keys a condition is about.
pub(crate) fn issuers_in(condition: &Condition) -> Vec<Issuer> {
    let hosts = condition.atoms().into_iter().filter_map(|atom| match &atom.variable {
        Variable::Claim(path) | Variable::Unverified { claim: path, .. } => path.of_issuer.clone(),
        _ => None,
    });
    let hosts: BTreeSet<String> = hosts.collect();
    hosts.iter().filter_map(|host| Issuer::parse(&format!("https://{host}")).ok()).collect()
}

/// Whether whose tokens are meant is nowhere in the document, as in a role of Vault without its mount.
fn leaves_issuer_open(policy: &Policy) -> bool {
    policy.dialect != daypass_trust::Dialect::Aws
        && policy.statements.iter().any(|it| it.principals.tokens == TokenIssuers::Any)
}

/// The first platform of the catalogue that everybody shares and whose tokens have all the claims that a document names.
fn platform_of(compiled: &Compiled) -> Option<&'static Platform> {
    let mut claims: Vec<String> = Vec::new();
    for statement in &compiled.policy.statements {
        claims.extend(claims_of(&statement.condition));
    }
    if let Facts::Vault(role) = &compiled.facts {
        claims.extend(role.user_claim.iter().map(|claim| claim.value.trim_start_matches('/').to_owned()));
    }
    let registered = ["iss", "aud", "sub", "exp", "nbf", "iat", "jti"];
    claims.retain(|claim| !registered.contains(&claim.as_str()));
    let fits = |platform: &&Platform| {
        issuer_of(platform).is_some()
            && platform.issuer.is_shared()
            && claims.iter().all(|claim| platform.claims.iter().any(|spec| spec.name.as_str() == claim))
    };
    let preferred = ["github-actions", "gitlab-com"].iter().filter_map(|id| catalogue().platform(id));
    preferred.chain(catalogue().platforms()).find(fits)
}

/// The platform of an issuer, if the catalogue knows it.
fn platform_known(issuer: &Issuer) -> Option<&'static Platform> {
    catalogue().platforms_of(issuer).first().map(|found| found.platform)
}

/// The one issuer of a platform that everybody shares.
fn issuer_of(platform: &Platform) -> Option<Issuer> {
    let form = platform.issuer.forms.iter().find(|form| !form.on_request)?;
    Issuer::parse(&form.pattern.to_string()).ok()
}

/// The claims that a condition looks at.
pub(crate) fn claims_of(condition: &Condition) -> Vec<String> {
    let mut names = Vec::new();
    for atom in condition.atoms() {
        match &atom.variable {
            Variable::Claim(path) | Variable::Unverified { claim: path, .. } => {
                names.push(path.claim.to_string());
            }
            Variable::Joined(parts) => names.extend(parts.iter().filter_map(|part| match part {
                daypass_trust::form::JoinPart::Claim(path) => Some(path.claim.to_string()),
                daypass_trust::form::JoinPart::Text(_) => None,
            })),
            Variable::Request(_) | Variable::Never { .. } => {}
        }
    }
    names
}

/// The conditions of a statement that must all hold, as their author wrote them.
pub(crate) fn clauses(condition: &Condition) -> Vec<&Clause> {
    match condition {
        Condition::All(parts) => parts.iter().flat_map(clauses).collect(),
        Condition::Clause(clause) => vec![clause],
        _ => Vec::new(),
    }
}

/// What the prover is told of a policy: the account that the role lives in, and an issuer where the policy leaves that open and
/// its claims tell the platform.
pub(crate) fn surroundings(
    found: &FoundPolicy,
    compiled: &Compiled,
    options: &Options,
) -> (daypass_prove::Options, Option<&'static Platform>) {
    let mut prover = options.prover.clone();
    prover.account = prover.account.or_else(|| found.options.account.clone());
    let open =
        is_about_tokens(&compiled.policy) && prover.issuer.is_none() && leaves_issuer_open(&compiled.policy);
    let assumed = if open { platform_of(compiled) } else { None };
    if open {
        prover.issuer = assumed.and_then(issuer_of);
    }
    (prover, assumed)
}

/// The condition that a claim has a value.
pub(crate) fn equals(claim: &str, value: &str) -> Condition {
    Condition::Atom(Atom {
        variable: ClaimPath::claim(claim).into(),
        reading: Reading::Strict,
        quantifier: Quantifier::Scalar,
        test: Test::equals(value),
    })
}
