use daypass_prove::{Verdict, Witness, implies};
use daypass_trust::document::Node;
use daypass_trust::form::{Condition, Policy};

use crate::view::{View, admits_tokens, equals};

/// The policy of a changed document.
fn compiled(view: &View<'_>, tree: Node) -> Option<Policy> {
    let mut found = view.found.clone();
    found.tree = tree;
    Some(found.compile().ok()?.policy)
}

/// Whether a changed document admits nobody whom this one does not, and still the token that it is for.
pub(crate) fn narrows(view: &View<'_>, tree: Node, intended: &Witness) -> bool {
    let Some(new) = compiled(view, tree) else { return false };
    view.admits(&new, intended, &intended.claims)
        && implies(&new, view.policy(), &view.prover).answer == Verdict::Yes
}

/// Whether a changed document admits all that this one does, and beside it only tokens of one more subject.
pub(crate) fn widens_only_by(view: &View<'_>, tree: Node, subject: &str) -> bool {
    let Some(new) = compiled(view, tree) else { return false };
    let mut others = new.clone();
    for statement in others.statements.iter_mut().filter(|it| admits_tokens(it)) {
        let condition = statement.condition.clone();
        statement.condition = Condition::All(vec![equals("sub", subject).negated(), condition]);
    }
    implies(view.policy(), &new, &view.prover).answer == Verdict::Yes
        && implies(&others, view.policy(), &view.prover).answer == Verdict::Yes
}
