//! Reviews as SARIF 2.1.0: a result for each place that stands against a check.

use serde_json::{Value, json};

use super::{Check, Place, Review, STANDARD};
use crate::render::place;

/// The review as SARIF 2.1.0. `version` is the program's own.
pub fn sarif(review: &Review, version: &str) -> Result<String, serde_json::Error> {
    let rules = STANDARD.iter().map(|standard| {
        json!({
            "id": standard.id,
            "shortDescription": {"text": standard.asks},
            "defaultConfiguration": {"level": "warning"},
        })
    });
    let results: Vec<Value> = review.checks.iter().enumerate().flat_map(results).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "daypass review",
                "semanticVersion": version,
                "rules": rules.collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
            "properties": {"score": review.score},
        }],
    });
    serde_json::to_string_pretty(&log)
}

fn results((index, check): (usize, &Check)) -> Vec<Value> {
    let result = |text: String, at: Option<&Place>| {
        let locations: Vec<Value> = at
            .filter(|it| !it.file.is_empty())
            .map(|it| place(&it.file, &json!({"startLine": it.line})))
            .into_iter()
            .collect();
        json!({
            "ruleId": check.id,
            "ruleIndex": index,
            "kind": match check.pass {
                Some(true) => "pass",
                Some(false) => "fail",
                None => "open",
            },
            // What passes, and what is open, has no level of its own.
            "level": if check.pass == Some(false) { "warning" } else { "none" },
            "message": {"text": text},
            "locations": locations,
        })
    };
    if check.pass == Some(false) && !check.places.is_empty() {
        return check.places.iter().map(|it| result(it.what.clone(), Some(it))).collect();
    }
    vec![result(check.why.clone(), None)]
}
