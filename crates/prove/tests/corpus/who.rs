use daypass_prove::{Exactness, Verdict, dead, who};

use super::aws::{options, policy};

/// Samples that differ in what must be said.
const TOLD: [&str; 12] = ["A05", "A11", "A16", "A22", "A26", "A31", "A34", "A38", "A40", "A43", "C02", "L04"];

/// Everybody whom the samples admit, in words.
#[test]
fn who_is_admitted_is_said_in_the_issuers_own_words() {
    let mut said = String::new();
    for id in TOLD {
        let policy = policy(id);
        let who = who(&policy, &options());
        said.push_str(&format!("{id} ({:?})\n", who.answer.exactness));
        for callers in &who.who {
            said.push_str(&format!("  {} [{}]\n", callers.description, callers.forms.join("; ")));
        }
        for why in &who.answer.why {
            said.push_str(&format!("  ? {why}\n"));
        }
        assert_eq!(who.left_out, 0, "{id}");
        assert_eq!(who.who.is_empty(), dead(&policy, &options()).answer == Verdict::Yes, "{id}");
        if who.answer.exactness == Exactness::Exact {
            assert!(who.who.iter().all(|callers| callers.witness.is_some()), "{id}");
        }
    }
    insta::assert_snapshot!(said);
}
