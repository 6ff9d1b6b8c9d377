//! Why somebody gets in: the statement, the condition and the way in which it is wider than it looks.
//!
//! That somebody gets in is the prover's word. What is told here is read off the form, for the token that it found.

use daypass_prove::{Persona, Verdict, Witness, dead, personas};
use daypass_trust::document::Span;
use daypass_trust::evaluate::parts;
use daypass_trust::form::{
    Atom, Clause, Condition, Pattern, Piece, Policy, Reading, Statement, Test, Variable,
};

use crate::view::{View, admits_tokens, claims_of, clauses};

/// How a stranger gets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Cause {
    /// Nothing is asked of the tenant, and nothing else but perhaps the audience.
    NoTenant,
    /// Only claims are asked for that any tenant's token can have.
    BorrowedClaim,
    /// The tenant may be anything.
    AnyTenant,
    /// A name may go on after what is written.
    OpenPrefix,
    /// A wildcard stands for a tenant, or for a part of its name.
    WildcardTenant,
    /// A text is looked for anywhere.
    Unanchored,
    /// A subject that any organisation can have made for itself.
    CustomSubject,
    /// A condition holds because what it looks at is not there.
    Vacuous,
    /// It is only said who is not meant.
    NegativeOnly,
    /// Another statement, value or branch is narrow, and this one undoes it.
    Alternative,
    /// A stranger is meant.
    Foreign,
}

/// What lets a token in.
#[derive(Clone, Debug)]
pub(crate) struct Blame<'a> {
    pub(crate) cause: Cause,
    pub(crate) statement: &'a Statement,
    pub(crate) span: Span,
}

impl<'a> Blame<'a> {
    /// What lets a token in that belongs to somebody else.
    pub(crate) fn of(view: &View<'a>, witness: &Witness) -> Option<Self> {
        let statement = view.admitting(witness)?;
        alternative(view, statement, witness).or_else(|| Some(plain(view, statement, witness)))
    }

    /// The condition to point at for a token that belongs to the tenant: the one that names the tenant, else the statement.
    pub(crate) fn place(view: &View<'a>, witness: &Witness) -> Option<(&'a Statement, Span)> {
        let statement = view.admitting(witness)?;
        let about = clauses(&statement.condition)
            .into_iter()
            .find(|clause| claims_of(&clause.body).iter().any(|claim| view.is_of_tenant(witness, claim)));
        let span = about.map_or(statement.span, |clause| match matching(clause, witness) {
            Some((pattern, _)) => written(view, clause, pattern),
            None => clause.span,
        });
        Some((statement, span))
    }
}

fn plain<'a>(view: &View<'a>, statement: &'a Statement, witness: &Witness) -> Blame<'a> {
    let all = clauses(&statement.condition);
    let of_tenant: Vec<&Clause> = all
        .iter()
        .copied()
        .filter(|clause| !asks_for_absence(&clause.body))
        .filter(|clause| claims_of(&clause.body).iter().any(|claim| view.is_of_tenant(witness, claim)))
        .collect();
    let blame = |cause, clause: Option<&'a Clause>, span: Option<Span>| Blame {
        cause,
        statement,
        span: span.or(clause.map(|clause| clause.span)).unwrap_or(statement.span),
    };
    let vacuous = |clause: &&'a Clause| holds_by_absence(clause, witness);
    if let Some(clause) = all.iter().copied().find(|clause| {
        vacuous(clause) && (of_tenant.is_empty() || of_tenant.iter().any(|it| std::ptr::eq(*it, *clause)))
    }) {
        return blame(Cause::Vacuous, Some(clause), None);
    }
    let Some(first) = of_tenant.first().copied() else {
        let other = all.iter().copied().find(|clause| {
            let mut claims = claims_of(&clause.body).into_iter();
            !asks_for_absence(&clause.body) && claims.any(|it| it != "aud" && it != "azp")
        });
        let cause = if other.is_some() { Cause::BorrowedClaim } else { Cause::NoTenant };
        return blame(cause, other, None);
    };
    if of_tenant.iter().all(|clause| !asks(&clause.body, false)) {
        return blame(Cause::NegativeOnly, Some(first), None);
    }
    if witness.form.as_deref().is_some_and(|form| form.starts_with("customised")) {
        return blame(Cause::CustomSubject, Some(first), None);
    }
    let patterns = of_tenant.iter().filter_map(|clause| Some((*clause, matching(clause, witness)?)));
    let named = patterns.map(|(clause, (pattern, value))| {
        let cause = cause_of(view, pattern, &value, witness);
        blame(cause, Some(clause), Some(written(view, clause, pattern)))
    });
    // The condition that names most of a tenant is the one that its author relied on.
    let rank = |cause: Cause| match cause {
        Cause::Foreign => 0,
        Cause::OpenPrefix => 1,
        Cause::WildcardTenant => 2,
        Cause::Unanchored => 3,
        _ => 4,
    };
    named.min_by_key(|blame| rank(blame.cause)).unwrap_or_else(|| {
        let regex =
            of_tenant.iter().copied().find(|it| it.body.atoms().iter().any(|atom| is_regex(&atom.test)));
        match regex {
            Some(clause) => blame(Cause::Unanchored, Some(clause), None),
            None => blame(Cause::WildcardTenant, Some(first), None),
        }
    })
}

/// Whether a condition asks that something be so, and not only that something be not.
fn asks(condition: &Condition, negated: bool) -> bool {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(|part| asks(part, negated)),
        Condition::Not(inner) => asks(inner, !negated),
        Condition::Clause(clause) => asks(&clause.body, negated),
        Condition::Atom(atom) => atom.test != Test::Present && matches!(atom.test, Test::Not(_)) == negated,
        Condition::Unknown(_) => false,
    }
}

/// Whether a condition holds of a token although nothing that it looks at is in it.
fn holds_by_absence(clause: &Clause, witness: &Witness) -> bool {
    let atoms = clause.body.atoms();
    !atoms.is_empty()
        && !asks_for_absence(&clause.body)
        && atoms.iter().all(|atom| match &atom.variable {
            Variable::Never { .. } => true,
            Variable::Claim(path) | Variable::Unverified { claim: path, .. } => {
                !witness.claims.contains(path.claim.as_str())
            }
            Variable::Joined(_) | Variable::Request(_) => false,
        })
}

/// Whether all that a condition asks is whether something is there: what holds by absence then is meant to.
fn asks_for_absence(condition: &Condition) -> bool {
    condition.atoms().iter().all(|atom| is_of_presence(atom))
}

/// Whether a test is true of every text: then it asks whether there is one.
pub(crate) fn is_of_presence(atom: &Atom) -> bool {
    match &atom.test {
        Test::Present => true,
        // A pool's subject has to be a text, whatever it is. AWS's `*` is somebody's own.
        Test::Text { pattern, .. } => atom.reading == Reading::Strict && pattern.pieces == [Piece::Run],
        _ => false,
    }
}

/// The pattern of a condition that a token's value matches, and the value.
fn matching<'c>(clause: &'c Clause, witness: &Witness) -> Option<(&'c Pattern, String)> {
    clause.body.atoms().into_iter().find_map(|atom| {
        let Variable::Claim(path) = &atom.variable else { return None };
        let value = witness.claims.get(path.claim.as_str())?.as_str()?;
        texts(&atom.test)
            .into_iter()
            .find(|(pattern, ignore_case)| pattern.matches(value, *ignore_case, &mut |_| None))
            .map(|(pattern, _)| (pattern, value.to_owned()))
    })
}

/// The texts of which a test wants one.
pub(crate) fn texts(test: &Test) -> Vec<(&Pattern, bool)> {
    match test {
        Test::Text { pattern, ignore_case } => vec![(pattern, *ignore_case)],
        Test::OneOf(tests) => tests.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

fn is_regex(test: &Test) -> bool {
    match test {
        Test::Regex(_) => true,
        Test::OneOf(tests) => tests.iter().any(is_regex),
        _ => false,
    }
}

/// Where a value that is a pattern stands.
pub(crate) fn written(view: &View<'_>, clause: &Clause, pattern: &Pattern) -> Span {
    view.value_span(clause, |text| Pattern::glob(text) == *pattern)
}

/// How a pattern lets in a tenant that it does not name.
fn cause_of(view: &View<'_>, pattern: &Pattern, value: &str, witness: &Witness) -> Cause {
    let before = match pattern.pieces.first() {
        Some(Piece::Text(text)) => text.len(),
        _ => 0,
    };
    let has_text = |piece: &Piece| matches!(piece, Piece::Text(_));
    let after = pattern.pieces.iter().skip(usize::from(before > 0));
    let rest_is_open = !after.clone().any(has_text);
    if pattern.as_literal().is_some() {
        return Cause::Foreign;
    }
    let ends_open = |piece: Option<&Piece>| matches!(piece, Some(Piece::Run));
    if before == 0 && ends_open(pattern.pieces.first()) && ends_open(pattern.pieces.last()) && !rest_is_open {
        return Cause::Unanchored;
    }
    let names = tenant_names(view, witness);
    let place = names.iter().find_map(|name| value.find(name.as_str()).map(|at| (at, name.len())));
    match place {
        Some((at, length)) if before >= at.saturating_add(length) => Cause::Foreign,
        Some((at, _)) if before > at => match pattern.pieces.get(1) {
            Some(Piece::One) => Cause::WildcardTenant,
            _ => Cause::OpenPrefix,
        },
        _ if rest_is_open && pattern.pieces.contains(&Piece::Run) => Cause::AnyTenant,
        _ => Cause::WildcardTenant,
    }
}

/// What the organisation of a token is called in it.
fn tenant_names(view: &View<'_>, witness: &Witness) -> Vec<String> {
    let Some(platform) = view.platform(&witness.issuer) else { return Vec::new() };
    let slots = platform.tenants.organisation_names.iter().chain(&platform.tenants.organisation);
    slots.filter_map(|slot| slot.take(witness.claims.get(slot.name.as_str())).ok()?).collect()
}

/// Finds the statement, value or branch without which nobody from outside gets in, though others still do.
fn alternative<'a>(view: &View<'a>, statement: &'a Statement, witness: &Witness) -> Option<Blame<'a>> {
    let holds = |condition: &Condition| {
        parts::condition(condition, &witness.claims, &view.context(witness)).is_true()
    };
    let mut others = view.policy().clone();
    let at = view.policy().statements.iter().position(|it| std::ptr::eq(it, statement))?;
    if view.allowing().count() > 1 {
        others.statements.remove(at);
        if others.statements.iter().any(admits_tokens) && keeps_strangers_out(view, &others) {
            return Some(Blame { cause: Cause::Alternative, statement, span: statement.span });
        }
    }
    for clause in clauses(&statement.condition) {
        if claims_of(&clause.body).iter().all(|claim| claim == "aud" || claim == "azp") {
            continue;
        }
        let Some((body, span)) = without(view, clause, witness, &holds) else { continue };
        let mut narrowed = view.policy().clone();
        let Some(changed) = narrowed.statements.get_mut(at) else { continue };
        replace(&mut changed.condition, clause, &body);
        if keeps_strangers_out(view, &narrowed) {
            return Some(Blame { cause: Cause::Alternative, statement, span });
        }
    }
    None
}

fn keeps_strangers_out(view: &View<'_>, policy: &Policy) -> bool {
    if dead(policy, &view.prover).answer != Verdict::No {
        return false;
    }
    let answers = personas(policy, view.options.home.as_ref(), &view.prover);
    answers.iter().any(|it| it.persona == Persona::Stranger && it.answer.answer == Verdict::No)
}

/// A condition without the values and branches that let a token in, if others remain; and where the first of those stands.
fn without(
    view: &View<'_>,
    clause: &Clause,
    witness: &Witness,
    holds: &impl Fn(&Condition) -> bool,
) -> Option<(Condition, Span)> {
    match &clause.body {
        Condition::Any(branches) => {
            let kept: Vec<Condition> = branches.iter().filter(|branch| !holds(branch)).cloned().collect();
            let some = !kept.is_empty() && kept.len() < branches.len();
            some.then(|| (Condition::Any(kept), clause.span))
        }
        Condition::Atom(atom) => {
            let Test::OneOf(tests) = &atom.test else { return None };
            let of = |test: &Test| Condition::Atom(Atom { test: test.clone(), ..atom.clone() });
            let kept: Vec<Test> = tests.iter().filter(|test| !holds(&of(test))).cloned().collect();
            if kept.is_empty() || kept.len() == tests.len() {
                return None;
            }
            let span =
                matching(clause, witness).map_or(clause.span, |(pattern, _)| written(view, clause, pattern));
            Some((Condition::Atom(Atom { test: Test::OneOf(kept), ..atom.clone() }), span))
        }
        _ => None,
    }
}

/// Gives a clause of a condition another body.
pub(crate) fn replace(condition: &mut Condition, clause: &Clause, body: &Condition) {
    match condition {
        Condition::All(parts) => parts.iter_mut().for_each(|part| replace(part, clause, body)),
        Condition::Clause(one) if **one == *clause => one.body = body.clone(),
        _ => {}
    }
}
