//! Everything that policies can be asked about together: each issuer they name, in each form that its tokens take.

use daypass_claims::{Audience, Issuer};
use daypass_trust::evaluate::{Outcome, evaluate};
use daypass_trust::form::{Audiences, JoinPart, Piece, Policy, Test, TokenIssuers, Variable};
use daypass_trust::{Context, Dialect};

use crate::estate::{Estate, Fact, Facts};
use crate::home::{Home, Places};
use crate::space::{Choice, Formula, Found, Hints, Leaf, Leaves, Space, words_of};
use crate::universe::Universe;
use crate::{Cache, Witness};

/// What is known about the questions at hand beside the policies.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The account that the roles live in, where a policy asks for it.
    pub account: Option<String>,
    /// Values of the role's own home, which witnesses show before others: owner, repository, ref, environment.
    pub home: Vec<String>,
    /// Ask about this issuer's tokens, whatever issuers the policies name.
    pub issuer: Option<Issuer>,
    /// What is known about what is ours.
    pub estate: Estate,
    /// What earlier questions have had built; share it among those that go together.
    pub cache: Cache,
}

/// What a policy leaves open about its issuers.
pub(crate) struct Issuers {
    pub(crate) known: Vec<Issuer>,
    /// Why there may be others.
    pub(crate) others: Vec<String>,
}

/// The issuers whose tokens the policies are about.
pub(crate) fn issuers_of(policies: &[&Policy], options: &Options) -> Issuers {
    let mut issuers = Issuers { known: options.issuer.iter().cloned().collect(), others: Vec::new() };
    if options.issuer.is_some() {
        return issuers;
    }
    for statement in policies.iter().flat_map(|policy| &policy.statements) {
        match &statement.principals.tokens {
            TokenIssuers::Exactly(named) => {
                for issuer in named {
                    if !issuers.known.contains(issuer) {
                        issuers.known.push(issuer.clone());
                    }
                }
            }
            TokenIssuers::Any => {
                issuers
                    .others
                    .push("a statement is about the tokens of any issuer that the account knows".to_owned());
            }
            TokenIssuers::None => {}
        }
    }
    issuers
}

/// Policies and one universe, and what they leave open of it.
pub(crate) struct World<'u> {
    pub(crate) space: Space<'u>,
    pub(crate) admits: Vec<Formula>,
    /// What was asked beside the policies.
    pub(crate) asked: Vec<Formula>,
    /// Tokens of organisations that are known to be ours, where some are.
    pub(crate) ours: Option<Formula>,
    /// What the estate says of every token of today.
    pub(crate) today: Vec<Fact>,
}

/// The universes of an issuer, with every claim that the policies look at.
pub(crate) fn universes(issuer: &Issuer, policies: &[&Policy], options: &Options) -> Vec<Universe> {
    let mut universes = options.cache.universes(issuer).to_vec();
    universes.extend(customised(issuer, &universes, policies));
    for universe in &mut universes {
        for name in policies.iter().flat_map(|policy| claims_of(policy)) {
            let minted = universe.platform().is_none_or(|platform| platform.claims.get(&name).is_some());
            if minted {
                universe.admit_claim(&name);
            }
        }
    }
    universes
}

/// The universes of organisations that customise their subjects in a way that fits what the policies ask of them: the
/// claims that a pattern of `sub` begins with and names, and one more where it goes on.
fn customised(issuer: &Issuer, usual: &[Universe], policies: &[&Policy]) -> Vec<Universe> {
    let mut found: Vec<Vec<String>> = Vec::new();
    let Some(platform) = usual.iter().find_map(Universe::platform) else { return Vec::new() };
    for text in policies.iter().flat_map(|policy| subjects_of(policy)) {
        let names = text.split(':').step_by(2).map(str::to_owned);
        let is_claim = |name: &String| name != "sub" && platform.claims.get(name).is_some();
        let keys: Vec<String> = names.take_while(is_claim).collect();
        if keys.is_empty() {
            continue;
        }
        let further = ["ref", "actor"].into_iter().find(|name| platform.claims.get(name).is_some());
        let longer = keys.iter().cloned().chain(further.map(str::to_owned)).collect();
        for keys in [keys, longer] {
            if !found.contains(&keys) {
                found.push(keys);
            }
        }
    }
    found.iter().filter_map(|keys| Universe::customised(issuer, platform, keys)).collect()
}

/// What the patterns begin with that a policy holds subjects against.
fn subjects_of(policy: &Policy) -> Vec<String> {
    let mut leaves = Leaves::default();
    for statement in &policy.statements {
        leaves.condition(&statement.condition);
    }
    let of_sub = leaves.all().iter().filter_map(|leaf| match leaf {
        Leaf::Atom(atom) if atom.variable.to_string() == "sub" => Some(&atom.test),
        _ => None,
    });
    of_sub.flat_map(beginnings).collect()
}

fn beginnings(test: &Test) -> Vec<String> {
    match test {
        Test::Text { pattern, .. } => match pattern.pieces.first() {
            Some(Piece::Text(text)) => vec![text.clone()],
            _ => Vec::new(),
        },
        Test::OneOf(tests) => tests.iter().flat_map(beginnings).collect(),
        Test::Not(inner) => beginnings(inner),
        _ => Vec::new(),
    }
}

/// The claims that a policy looks at.
pub(crate) fn claims_of(policy: &Policy) -> Vec<String> {
    let mut leaves = Leaves::default();
    for statement in &policy.statements {
        leaves.condition(&statement.condition);
    }
    let mut names = vec!["aud".to_owned()];
    for leaf in leaves.all() {
        let Leaf::Atom(atom) = leaf else { continue };
        match &atom.variable {
            Variable::Claim(path) | Variable::Unverified { claim: path, .. } => {
                names.push(path.claim.to_string());
            }
            Variable::Joined(parts) => names.extend(parts.iter().filter_map(|part| match part {
                JoinPart::Claim(path) => Some(path.claim.to_string()),
                JoinPart::Text(_) => None,
            })),
            Variable::Request(_) | Variable::Never { .. } => {}
        }
    }
    names
}

/// The audiences that the cloud's registration of the issuer accepts, where the policies leave them to it (AWS).
fn accepted_by_registration(policies: &[&Policy], issuer: &Issuer, estate: &Estate) -> Option<Vec<Audience>> {
    let all = !policies.is_empty() && policies.iter().all(|policy| policy.dialect == Dialect::Aws);
    estate.audiences(issuer).filter(|_| all)
}

/// The facts of the estate that some policies can be about.
pub(crate) fn facts_about<'e>(universe: &Universe, policies: &[&Policy], estate: &'e Estate) -> Facts<'e> {
    let mut leaves = Leaves::default();
    for policy in policies {
        leaves.policy(policy, universe.issuer());
    }
    Facts::of(universe, estate, &words_of(&leaves))
}

impl<'u> World<'u> {
    /// The world of some policies, and of questions about tokens that are put in the same terms.
    pub(crate) fn new(
        universe: &'u Universe,
        policies: &[&Policy],
        options: &Options,
        ask: impl FnOnce(&mut Leaves) -> Vec<Formula>,
    ) -> Self {
        let mut leaves = Leaves::default();
        let issuer = universe.issuer();
        let admits = policies.iter().map(|policy| leaves.policy(policy, issuer)).collect();
        let asked = ask(&mut leaves);
        let words = words_of(&leaves);
        let looks_at: Vec<String> = policies.iter().flat_map(|policy| claims_of(policy)).collect();
        let facts = Facts::of(universe, &options.estate, &words);
        let ours = facts.ours(&looks_at, &mut leaves);
        let mut today = facts.today(universe, &looks_at, &mut leaves);
        if let Some(audiences) = accepted_by_registration(policies, issuer, &options.estate) {
            let named: Vec<&str> = audiences.iter().map(Audience::as_str).collect();
            let about = format!("the registration of {issuer} accepts {} only", named.join(", "));
            today.push(Fact::new(about, leaves.audiences(&Audiences::OneOf(audiences))));
        }
        let mut context = Context::new();
        if let Some(account) = &options.account {
            context = context.account(account.as_str());
        }
        let hints = Hints { home: options.home.clone(), words: Vec::new() };
        let space = Space::new(universe, leaves, context, &hints, &options.cache);
        Self { space, admits, asked, ours, today }
    }

    /// A token of these classes, as it is shown.
    pub(crate) fn witness(&self, choice: &Choice) -> Witness {
        let request = self.space.request_of(choice);
        Witness {
            issuer: self.space.universe().issuer().clone(),
            form: self.space.universe().form().map(str::to_owned),
            claims: self.space.token(choice),
            request: request.into_iter().map(|(key, value)| (key.name(), value)).collect(),
        }
    }

    /// Where a token of these classes belongs.
    pub(crate) fn home(&self, choice: &Choice) -> Home {
        let universe = self.space.universe();
        let token = self.space.token(choice);
        Home::of_token(universe, &Places::of(universe), &token, |part| self.space.part_value(part, choice))
    }

    /// Looks for a token of which the formula holds, and has every policy decide the one that is found: what the prover
    /// says must be what `evaluate` says.
    pub(crate) fn find(&self, formula: &Formula, policies: &[(&Policy, Outcome)]) -> Found {
        let today = self.today.iter().map(|fact| fact.holds.clone());
        self.find_ever(&Formula::All(std::iter::once(formula.clone()).chain(today).collect()), policies)
    }

    /// The same among tokens that the issuer could mint one day: names can be given up and taken over, and what is gone can
    /// be made anew.
    pub(crate) fn find_ever(&self, formula: &Formula, policies: &[(&Policy, Outcome)]) -> Found {
        let found = self.space.find(formula);
        if let Found::Token(choice) = &found
            && let Some(why) = self.decided_otherwise(choice, policies)
        {
            return Found::Unknown(vec![why]);
        }
        found
    }

    /// What is wrong with a token that the policies should decide in these ways.
    pub(crate) fn decided_otherwise(
        &self,
        choice: &Choice,
        policies: &[(&Policy, Outcome)],
    ) -> Option<String> {
        let token = self.space.token(choice);
        let context = self.space.context_of(choice);
        policies.iter().find_map(|(policy, expected)| {
            let decided = evaluate(policy, &token, &context).outcome;
            (decided != *expected).then(|| {
                format!("the token that was found is decided otherwise: {decided:?} instead of {expected:?}")
            })
        })
    }
}
