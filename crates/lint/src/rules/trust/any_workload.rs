use daypass_prove::{Answer, Persona, Verdict, dead};

use crate::blame::texts;
use crate::finding::{Confidence, Draft, Severity};
use crate::rule::{Check, Rule, Subject};
use crate::view::{View, equals};

pub(super) const RULE: Rule = Rule {
    id: "any-workload",
    name: "Any workload of the issuer gets in",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "A subject that is left open on an issuer whose tokens do not say which organisation or repository they belong to, such as a cluster's.",
    why: "Every workload that the issuer signs for has the credential: every pod of the cluster, or of the namespace.",
    example: r#"{"StringLike": {"oidc.eks.eu-west-1.amazonaws.com/id/CLUSTER:sub": "system:serviceaccount:*"}}"#,
    instead: r#"{"StringEquals": {"oidc.eks.eu-west-1.amazonaws.com/id/CLUSTER:sub": "system:serviceaccount:ci:deployer"}}"#,
    references: &["https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html"],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let untold = |answer: &Answer| answer.answer == Verdict::No && !answer.why.is_empty();
    let known = view.issuers().into_iter().any(|issuer| view.platform(issuer).is_some());
    if !known || view.is_open() || !view.answer(Persona::Sibling).is_some_and(untold) {
        return;
    }
    // Subjects that are written out are meant; is there another?
    let atoms = view.allowing().flat_map(|statement| statement.condition.atoms());
    let of_subject = atoms.filter(|atom| atom.variable.to_string() == "sub").collect::<Vec<_>>();
    let written = of_subject.iter().flat_map(|atom| texts(&atom.test)).filter_map(|(it, _)| it.as_literal());
    let others = view.restricted(written.map(|subject| equals("sub", subject).negated()));
    let Some(witness) = dead(&others, &view.prover).witness else { return };
    let message = format!("any workload gets in: `{}`", witness.subject());
    let persona = Persona::Sibling;
    found.extend(super::inside(view, persona, &witness, message).map(|it| it.help("write the subject out")));
}
