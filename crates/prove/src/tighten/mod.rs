//! The narrowest policy of a dialect that still admits what is intended, with the proof that it does and that it admits nothing else.
//!
//! From every form that subjects of the intended tokens take, patterns are read off: exact where the tokens are, and where a part
//! varies from run to run no wider than its form. To them come the ids that are never given to others, as far as the
//! cloud sees them. What comes out is compiled and asked like any other policy: nothing is claimed of it that was not proved.

mod grants;
mod shape;
mod subject;
mod wish;

use std::collections::BTreeSet;

use daypass_claims::{Audience, ClaimName};
use daypass_trust::document::{Node, Problem, Source, Span, Value, parse_json, parse_toml};
use daypass_trust::evaluate::Outcome;
use daypass_trust::form::{Audiences, Pattern, Policy, Test};
use daypass_trust::write::{Grant, Others, WriteError, write};
use daypass_trust::{CompileError, CompileOptions, Dialect, compile};
use serde::Serialize;

use crate::dead::wants;
use crate::estate::Facts;
use crate::fit::{Slack, beyond};
use crate::home::Home;
use crate::space::{Formula, Found, Leaf, Leaves};
use crate::universe::Universe;
use crate::world::{Options, World, claims_of, facts_about, issuers_of, universes};
use crate::{PersonaAnswer, Verdict, Witness, dead, implies, personas};

pub use wish::Intended;
use wish::Wish;

/// A narrower policy, and what was proved of it.
#[derive(Clone, Debug)]
pub struct Tightened {
    /// The document, in the dialect of the old one.
    pub document: String,
    /// The same, compiled.
    pub policy: Policy,
    /// What was taken out and what came in, in words.
    pub changes: Vec<Change>,
    /// How it stands to the old policy.
    pub relation: Relation,
    /// Intended tokens that it admits, of each kind and form one.
    pub admits: Vec<Witness>,
    /// Who is admitted, measured from where the intended tokens belong.
    pub personas: Vec<PersonaAnswer>,
    /// Tokens that it admits beside the intended ones; empty where there are none.
    pub beyond: Vec<Slack>,
    /// What should be asked for and cannot be in this dialect: an exchange can, and mint a token of its own.
    pub unseen: Vec<Unseen>,
    /// What to know about it: forms of subject that it refuses, what could not be decided.
    pub notes: Vec<String>,
}

/// A line of a difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// The old policy asks for this and the new one does not.
    Removed(String),
    /// The new policy asks for this and the old one does not.
    Added(String),
}

/// How a new policy stands to an old one.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// It admits the same.
    Same,
    /// Everything that it admits the old one admits.
    Narrower,
    /// The old one admits nothing, so it is in its place rather than narrower; and why it admits nothing.
    Replaces(Vec<String>),
    /// It admits this token, which the old one refuses: the intended tokens ask for that.
    Extends(Box<Witness>),
    /// Nobody can say, and why.
    Unknown(Vec<String>),
}

/// A claim that should be asked for and cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unseen {
    /// The claim.
    pub claim: ClaimName,
    /// Why the cloud cannot be asked for it.
    pub why: String,
}

/// Why there is no narrower policy.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TightenError {
    /// Nothing is intended.
    #[error("no token is intended: give jobs, observed tokens or a home")]
    NothingIntended,
    /// None of the intended tokens comes from an issuer that the policy trusts.
    #[error("the issuers that the policy trusts mint none of the intended tokens")]
    NotMinted,
    /// The subjects of the intended tokens cannot be written down.
    #[error("the subjects of the intended tokens cannot be told: {0}")]
    Subjects(String),
    /// The document is part of another one.
    #[error("the document cannot be read by itself: {0}")]
    Document(Problem),
    /// The dialect or the document has no place for it.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The dialect refuses what was written.
    #[error("the dialect refuses the new policy: {0}")]
    Compile(#[from] CompileError),
    /// The new policy refuses an intended token.
    #[error("the new policy refuses an intended token, `{}`", .0.subject())]
    Refuses(Box<Witness>),
    /// Whether the new policy admits every intended token cannot be decided.
    #[error("it cannot be proved that the new policy admits every intended token: {}", .0.join("; "))]
    NotProved(Vec<String>),
}

/// The narrowest policy in the same dialect that admits what is intended.
pub fn tighten(
    policy: &Policy,
    intended: Intended<'_>,
    surroundings: &CompileOptions,
    options: &Options,
) -> Result<Tightened, TightenError> {
    let tree = match policy.dialect {
        Dialect::Daypass => parse_toml(&policy.source),
        Dialect::Aws | Dialect::Azure | Dialect::Gcp | Dialect::Vault => parse_json(&policy.source),
    };
    let tree = tree.map_err(TightenError::Document)?;
    let wishes = intended.wishes();
    if wishes.is_empty() {
        return Err(TightenError::NothingIntended);
    }
    let audiences = audiences_of(policy, options);
    let task = Task { policy, tree: &tree, wishes: &wishes, surroundings, options, audiences };
    let forms = task.forms()?;
    let (forms, notes) = task.choose(forms);
    let others =
        if dead(policy, options).answer == Verdict::Yes { Others::Drop } else { task.needed(&forms)? };
    task.prove(&forms, others, notes)
}

/// What a policy is worth in the place of another: whether it admits every intended token, and whom it admits besides.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// An intended token that it refuses.
    pub refuses: Option<Witness>,
    /// Tokens that it admits beside the intended ones: of each kind of caller and form of subject one.
    pub beyond: Vec<Slack>,
    /// Why it cannot be decided, where that is so.
    pub why: Vec<String>,
}

impl Judgement {
    /// Whether the policy admits exactly what is intended, as far as subjects tell: every intended token, and beside them only
    /// tokens that differ in the workflow.
    ///
    /// Names that somebody takes over one day make the very subject that is intended; that shows in [`Judgement::beyond`] and
    /// does not count here.
    pub fn is_exact(&self) -> bool {
        self.refuses.is_none() && self.why.is_empty() && self.beyond.iter().all(Slack::is_inherent)
    }
}

/// Judges a policy, whoever wrote it, against what is intended.
pub fn judge(policy: &Policy, intended: Intended<'_>, options: &Options) -> Result<Judgement, TightenError> {
    let wishes = intended.wishes();
    if wishes.is_empty() {
        return Err(TightenError::NothingIntended);
    }
    let surroundings = CompileOptions::default();
    let tree = Node { span: Span::default(), value: Value::Null };
    let audiences = audiences_of(policy, options);
    let task = Task { policy, tree: &tree, wishes: &wishes, surroundings: &surroundings, options, audiences };
    let forms = task.forms()?;
    let (beyond, mut why) = task.beyond(policy);
    let refuses = match task.admitted(policy, &forms) {
        Ok(_) => None,
        Err(TightenError::Refuses(witness)) => Some(*witness),
        Err(TightenError::NotProved(said)) => {
            why.extend(said);
            None
        }
        Err(other) => return Err(other),
    };
    Ok(Judgement { refuses, beyond, why })
}

/// What the intended tokens of one form of subject come to.
#[derive(Clone)]
struct Form {
    universe: Universe,
    grants: Vec<Grant>,
    unseen: Vec<Unseen>,
}

struct Task<'t> {
    policy: &'t Policy,
    tree: &'t Node,
    wishes: &'t [Wish<'t>],
    surroundings: &'t CompileOptions,
    options: &'t Options,
    /// The audiences of intended tokens that name none themselves: those of the old policy.
    audiences: Vec<Audience>,
}

impl Task<'_> {
    /// The forms that the intended tokens' subjects take, with what to ask of each.
    fn forms(&self) -> Result<Vec<Form>, TightenError> {
        let asked_before: BTreeSet<String> = claims_of(self.policy).into_iter().collect();
        let mut forms = Vec::new();
        let mut why = None;
        for issuer in issuers_of(&[self.policy], self.options).known {
            // The old policy's own claims are in its universes only if they are asked for here.
            for universe in universes(&issuer, &[self.policy], self.options) {
                if !(universe.has_usual_form() || universe.form().is_none()) {
                    continue;
                }
                let mut form = Form { universe: universe.clone(), grants: Vec::new(), unseen: Vec::new() };
                for wish in self.wishes {
                    match subject::patterns(&universe, *wish, self.options) {
                        Ok(subjects) if subjects.is_empty() => {}
                        Ok(subjects) => form.grants.push(grants::grant(
                            self.policy.dialect,
                            &universe,
                            *wish,
                            subjects,
                            &asked_before,
                            &mut form.unseen,
                        )),
                        Err(said) => why = Some(said),
                    }
                }
                grants::with_audiences(&mut form.grants, &self.audiences);
                if !form.grants.is_empty() {
                    forms.push(form);
                }
            }
        }
        match (forms.is_empty(), why) {
            (true, Some(why)) => Err(TightenError::Subjects(why)),
            (true, None) => Err(TightenError::NotMinted),
            _ => Ok(forms),
        }
    }

    /// The tokens of a universe that a wish means.
    fn meant(
        &self,
        wish: Wish<'_>,
        universe: &Universe,
        facts: &Facts<'_>,
        leaves: &mut Leaves,
    ) -> Option<Formula> {
        let meant = wish.tokens(universe, facts, leaves)?;
        if !wish.audiences().is_empty() || self.audiences.is_empty() {
            return Some(meant);
        }
        Some(meant.and(leaves.audiences(&Audiences::OneOf(self.audiences.clone()))))
    }

    /// Of several forms those that let nobody else in by themselves, where there are such: a form whose subject leaves out what
    /// matters is better refused.
    fn choose(&self, forms: Vec<Form>) -> (Vec<Form>, Vec<String>) {
        if forms.len() < 2 {
            return (forms, Vec::new());
        }
        let tight: Vec<bool> = forms.iter().map(|form| self.is_tight(form)).collect();
        if tight.iter().all(|tight| *tight) || !tight.iter().any(|tight| *tight) {
            return (forms, Vec::new());
        }
        let mut notes = Vec::new();
        let mut kept = Vec::new();
        for (form, tight) in forms.into_iter().zip(tight) {
            if tight {
                kept.push(form);
            } else {
                let name = form.universe.form().unwrap_or_default();
                notes.push(format!(
                    "tokens with {name} subjects are refused: such a subject lets others in as well"
                ));
            }
        }
        (kept, notes)
    }

    fn is_tight(&self, form: &Form) -> bool {
        let forms = std::slice::from_ref(form);
        let Ok((_, policy)) = self.written(forms, Others::Drop) else { return false };
        let (slack, why) = self.beyond(&policy);
        why.is_empty() && slack.iter().all(Slack::is_inherent)
    }

    /// Whether the old conditions on other claims have to stay for the new policy to be narrower.
    fn needed(&self, forms: &[Form]) -> Result<Others, TightenError> {
        let (_, policy) = self.written(forms, Others::Drop)?;
        if implies(&policy, self.policy, self.options).answer == Verdict::Yes {
            return Ok(Others::Drop);
        }
        let Ok((_, kept)) = self.written(forms, Others::Keep) else { return Ok(Others::Drop) };
        let narrower = implies(&kept, self.policy, self.options).answer == Verdict::Yes;
        let admits = self.admitted(&kept, forms).is_ok();
        Ok(if narrower && admits { Others::Keep } else { Others::Drop })
    }

    fn written(&self, forms: &[Form], others: Others) -> Result<(String, Policy), TightenError> {
        let grants =
            grants::merged(self.policy.dialect, forms.iter().flat_map(|form| form.grants.clone()).collect());
        let document = write(self.policy, self.tree, &grants, others)?;
        let source = Source::new(self.policy.source.name(), document.as_str());
        let policy = compile(self.policy.dialect, &source, self.surroundings)?.policy;
        Ok((document, policy))
    }

    fn prove(
        &self,
        forms: &[Form],
        others: Others,
        mut notes: Vec<String>,
    ) -> Result<Tightened, TightenError> {
        let (document, policy) = self.written(forms, others)?;
        let admits = self.admitted(&policy, forms)?;
        let (beyond, why) = self.beyond(&policy);
        notes.extend(why);
        let relation = self.relation(&policy);
        let mut unseen: Vec<Unseen> = Vec::new();
        for it in forms.iter().flat_map(|form| &form.unseen) {
            if !unseen.contains(it) {
                unseen.push(it.clone());
            }
        }
        let home = self.home(&policy);
        let personas = personas(&policy, home.as_ref(), self.options);
        let changes = changes(self.policy, &policy);
        Ok(Tightened { document, policy, changes, relation, admits, personas, beyond, unseen, notes })
    }

    /// An intended token of each kind and form, when all of them are admitted.
    fn admitted(&self, policy: &Policy, forms: &[Form]) -> Result<Vec<Witness>, TightenError> {
        let mut admits = Vec::new();
        for form in forms {
            for wish in self.wishes {
                let universe = &form.universe;
                let facts = facts_about(universe, &[policy], &self.options.estate);
                let ask =
                    |leaves: &mut Leaves| self.meant(*wish, universe, &facts, leaves).into_iter().collect();
                let world = World::new(universe, &[policy], self.options, ask);
                let (Some(admitted), Some(meant)) = (world.admits.first(), world.asked.first()) else {
                    continue;
                };
                let refused = meant.clone().and(admitted.clone().negated());
                match world.find(&refused, &[(policy, Outcome::Deny)]) {
                    Found::None => {}
                    Found::Token(choice) => {
                        return Err(TightenError::Refuses(Box::new(world.witness(&choice))));
                    }
                    Found::Unknown(why) => return Err(TightenError::NotProved(why)),
                }
                let shown = meant.clone().and(admitted.clone());
                if let Found::Token(choice) = world.find(&shown, &[(policy, Outcome::Allow)]) {
                    admits.push(world.witness(&choice));
                }
            }
        }
        Ok(admits)
    }

    /// What a policy admits beside the intended tokens, and why nobody can say where that is so.
    fn beyond(&self, policy: &Policy) -> (Vec<Slack>, Vec<String>) {
        let home = self.home(policy).unwrap_or_default();
        let mut why = Vec::new();
        let universes: Vec<Universe> = issuers_of(&[policy], self.options)
            .known
            .iter()
            .flat_map(|issuer| universes(issuer, &[policy], self.options))
            .collect();
        let needed = |universe: &Universe, leaves: &mut Leaves| {
            let facts = facts_about(universe, &[policy], &self.options.estate);
            let each = self.wishes.iter().filter_map(|wish| self.meant(*wish, universe, &facts, leaves));
            Formula::Any(each.collect())
        };
        let mut slack = beyond(policy, &universes, &home, self.options, &needed, &mut why);
        for it in &mut slack {
            it.meant = self.wishes.iter().any(|wish| self.has_subject(*wish, &it.witness));
        }
        (slack, why)
    }

    /// Whether an intended token has the subject of this one.
    fn has_subject(&self, wish: Wish<'_>, witness: &Witness) -> bool {
        let same = |universe: &Universe| universe.form() == witness.form.as_deref();
        universes(&witness.issuer, &[self.policy], self.options).iter().filter(|universe| same(universe)).any(
            |universe| {
                let facts = facts_about(universe, &[self.policy], &self.options.estate);
                let ask = |leaves: &mut Leaves| {
                    let subject = leaves.claim(&"sub".into(), vec![Pattern::literal(witness.subject())]);
                    wish.tokens(universe, &facts, leaves)
                        .map(|meant| meant.and(subject))
                        .into_iter()
                        .collect()
                };
                let world = World::new(universe, &[], self.options, ask);
                world.asked.first().is_some_and(|wanted| matches!(world.find(wanted, &[]), Found::Token(_)))
            },
        )
    }

    /// Where the intended tokens belong: as given, else as the first of them says.
    fn home(&self, policy: &Policy) -> Option<Home> {
        if let [Wish::Home(home)] = self.wishes {
            return Some((*home).clone());
        }
        for issuer in issuers_of(&[policy], self.options).known {
            for universe in universes(&issuer, &[policy], self.options) {
                let facts = facts_about(&universe, &[policy], &self.options.estate);
                for wish in self.wishes {
                    let ask =
                        |leaves: &mut Leaves| wish.tokens(&universe, &facts, leaves).into_iter().collect();
                    let world = World::new(&universe, &[policy], self.options, ask);
                    let Some(meant) = world.asked.first() else { continue };
                    if let Found::Token(choice) = world.find(meant, &[]) {
                        return Some(world.home(&choice));
                    }
                }
            }
        }
        None
    }

    fn relation(&self, policy: &Policy) -> Relation {
        let was = dead(self.policy, self.options);
        if was.answer == Verdict::Yes {
            return Relation::Replaces(was.why);
        }
        let narrower = implies(policy, self.policy, self.options);
        match (narrower.answer, narrower.witness) {
            (Verdict::Yes, _) => match implies(self.policy, policy, self.options).answer {
                Verdict::Yes => Relation::Same,
                Verdict::No | Verdict::Unknown => Relation::Narrower,
            },
            (Verdict::No, Some(witness)) => Relation::Extends(Box::new(witness)),
            _ => Relation::Unknown(narrower.why),
        }
    }
}

/// The audiences that a policy names, else those that the cloud's registration is known to accept.
fn audiences_of(policy: &Policy, options: &Options) -> Vec<Audience> {
    let mut leaves = Leaves::default();
    for statement in &policy.statements {
        leaves.condition(&statement.condition);
    }
    let mut found: Vec<Audience> = Vec::new();
    found.extend(policy.statements.iter().flat_map(|it| it.audiences.named().iter().cloned()));
    for leaf in leaves.all() {
        if let Leaf::Atom(atom) = leaf
            && atom.variable.to_string() == "aud"
        {
            found.extend(literals(&atom.test).iter().filter_map(|text| Audience::parse(text).ok()));
        }
    }
    // Other dialects say it elsewhere, where it stays as it is.
    if found.is_empty() && policy.dialect == Dialect::Aws {
        let issuers = issuers_of(&[policy], options).known;
        found.extend(issuers.iter().filter_map(|issuer| options.estate.audiences(issuer)).flatten());
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn literals(test: &Test) -> Vec<String> {
    match test {
        Test::Text { pattern, .. } => pattern.as_literal().map(str::to_owned).into_iter().collect(),
        Test::OneOf(tests) => tests.iter().flat_map(literals).collect(),
        _ => Vec::new(),
    }
}

/// The conditions that one policy has and the other has not, as their authors wrote them.
fn changes(old: &Policy, new: &Policy) -> Vec<Change> {
    let (before, after) = (wants(old), wants(new));
    let removed = before.iter().filter(|it| !after.contains(it)).cloned().map(Change::Removed);
    let added = after.iter().filter(|it| !before.contains(it)).cloned().map(Change::Added);
    removed.chain(added).collect()
}
