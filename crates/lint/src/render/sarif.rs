//! SARIF 2.1.0 (OASIS): what code scanning services read.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{Confidence, Finding, RULES, Report, Rule, Severity, Subject};

/// What a path may not hold in an URI.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}')
    .add(b':');

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome<'a> {
    rule_id: &'a str,
    rule_index: usize,
    level: &'static str,
    message: Value,
    locations: Vec<Value>,
    partial_fingerprints: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<Value>,
    properties: Value,
}

/// The report as SARIF 2.1.0. `version` is the program's own.
pub fn sarif(report: &Report, version: &str) -> Result<String, serde_json::Error> {
    let results: Vec<Outcome<'_>> = report.findings.iter().filter_map(result).collect();
    let notifications: Vec<Value> = report
        .problems
        .iter()
        .map(|problem| {
            let region = json!({"startLine": problem.location.line, "startColumn": problem.location.column});
            json!({
                "level": "error",
                "message": {"text": problem.message},
                "locations": [place(&problem.location.file, &region)],
            })
        })
        .collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "daypass",
                "semanticVersion": version,
                "rules": RULES.iter().map(rule).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    });
    serde_json::to_string_pretty(&log)
}

fn rule(rule: &Rule) -> Value {
    let mut tags = vec!["security"];
    tags.extend(rule.applies_to.iter().map(|subject: &Subject| subject.as_str()));
    let help = format!("{}\n\n{}\n\nInstead:\n\n{}", rule.what, rule.why, rule.instead);
    json!({
        "id": rule.id,
        "shortDescription": {"text": rule.name},
        "fullDescription": {"text": rule.what},
        "help": {"text": help},
        "defaultConfiguration": {"level": level(rule.severity)},
        "properties": {
            "precision": precision(rule.confidence),
            "security-severity": score(rule.severity),
            "tags": tags,
        },
    })
}

fn result(finding: &Finding) -> Option<Outcome<'_>> {
    let rule_index = RULES.iter().position(|rule| rule.id == finding.rule)?;
    let text = match &finding.help {
        Some(help) => format!("{} ({help})", finding.message),
        None => finding.message.clone(),
    };
    let region = json!({
        "startLine": finding.line,
        "startColumn": finding.column,
        "endLine": finding.end_line,
        "endColumn": finding.end_column,
    });
    let mut location = place(&finding.file, &region);
    if let Some(members) = location.as_object_mut() {
        members.insert("logicalLocations".to_owned(), json!([{"fullyQualifiedName": finding.role}]));
    }
    let fixes = finding.fix.iter().map(|fix| {
        let replacements: Vec<Value> = fix
            .edits
            .iter()
            .map(|edit| {
                json!({
                    "deletedRegion": {
                        "byteOffset": edit.start,
                        "byteLength": edit.end.saturating_sub(edit.start),
                    },
                    "insertedContent": {"text": edit.text},
                })
            })
            .collect();
        json!({
            "description": {"text": fix.about},
            "artifactChanges": [{"artifactLocation": {"uri": uri(&finding.file)}, "replacements": replacements}],
        })
    });
    Some(Outcome {
        rule_id: finding.rule,
        rule_index,
        level: level(finding.severity),
        message: json!({"text": text}),
        locations: vec![location],
        partial_fingerprints: json!({"daypass/v1": finding.fingerprint}),
        fixes: fixes.collect(),
        properties: json!({
            "verdict": finding.verdict,
            "confidence": finding.confidence,
            "persona": finding.persona,
            "witness": finding.witness,
            "why": finding.why,
        }),
    })
}

pub(crate) fn place(file: &str, region: &Value) -> Value {
    json!({"physicalLocation": {"artifactLocation": {"uri": uri(file)}, "region": region}})
}

fn uri(file: &str) -> String {
    utf8_percent_encode(file, PATH).to_string()
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// The scale of GitHub's code scanning, which has no words.
const fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "8.8",
        Severity::Medium => "5.5",
        Severity::Low => "3.1",
        Severity::Info => "0.0",
    }
}

const fn precision(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "very-high",
        Confidence::Medium => "high",
        Confidence::Low => "medium",
    }
}
