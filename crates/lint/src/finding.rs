use std::sync::Arc;

use daypass_prove::{Persona, Witness};
use daypass_trust::document::{Source, Span};
use serde::{Deserialize, Serialize};

use crate::fix::Fix;

/// How much a finding matters; the order is that of importance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something to know.
    Info,
    /// Poor hygiene.
    Low,
    /// Wider than it should be, or an outage.
    Medium,
    /// Open to people who should not be in.
    High,
}

impl Severity {
    /// Every severity, the least first.
    pub const ALL: [Self; 4] = [Self::Info, Self::Low, Self::Medium, Self::High];

    /// The word in output and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// It rests on a hint, such as a word in a name.
    Low,
    /// It rests on something that the files leave to others.
    Medium,
    /// It is proved, or stands in the file.
    High,
}

impl Confidence {
    /// The word in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// What a finding says about a role as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It admits callers of the tenant that the role is not for.
    Warn,
    /// It admits no token that the issuer can mint.
    Dead,
    /// It admits a caller outside the tenant.
    Bad,
}

impl Verdict {
    /// The word in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Dead => "dead",
            Self::Bad => "bad",
        }
    }
}

/// Something that a rule found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The rule's id.
    pub rule: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// What it says about the role as a whole, if it does.
    pub verdict: Option<Verdict>,
    /// The file.
    pub file: Arc<str>,
    /// 1-based line of the first character.
    pub line: usize,
    /// 1-based column of the first character, in characters.
    pub column: usize,
    /// 1-based line of the last character.
    pub end_line: usize,
    /// 1-based column after the last character.
    pub end_column: usize,
    /// The bytes meant.
    #[serde(skip)]
    pub span: Span,
    /// The role, as its file calls it; the job for a pipeline.
    pub role: String,
    /// What is wrong: lower-case, no full stop.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
    /// Who gets in.
    pub persona: Option<Persona>,
    /// A token that shows it.
    pub witness: Option<Witness>,
    /// What it rests on: the conditions that cannot be met, the facts that are not known.
    pub why: Vec<String>,
    /// What stays the same when lines are added above: see [`crate::Baseline`].
    pub fingerprint: String,
    /// A change of the text that mends it, proved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
}

/// A finding in the making: what a rule knows, without what the engine adds.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) source: Source,
    pub(crate) span: Span,
    pub(crate) role: String,
    pub(crate) verdict: Option<Verdict>,
    /// Less than the rule's own, where this case is.
    pub(crate) severity: Option<Severity>,
    pub(crate) confidence: Option<Confidence>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    pub(crate) persona: Option<Persona>,
    pub(crate) witness: Option<Witness>,
    pub(crate) why: Vec<String>,
    pub(crate) fix: Option<Fix>,
}

impl Draft {
    pub(crate) fn new(source: &Source, span: Span, role: &str, message: impl Into<String>) -> Self {
        Self {
            source: source.clone(),
            span,
            role: role.to_owned(),
            verdict: None,
            severity: None,
            confidence: None,
            message: message.into(),
            help: None,
            persona: None,
            witness: None,
            why: Vec::new(),
            fix: None,
        }
    }

    pub(crate) fn verdict(mut self, verdict: Verdict) -> Self {
        self.verdict = Some(verdict);
        self
    }

    pub(crate) fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    pub(crate) fn confidence(mut self, confidence: Confidence) -> Self {
        self.confidence = Some(confidence);
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn shown_by(mut self, persona: Persona, witness: &Witness) -> Self {
        self.persona = Some(persona);
        self.witness = Some(witness.clone());
        self
    }

    pub(crate) fn witness(mut self, witness: &Witness) -> Self {
        self.witness = Some(witness.clone());
        self
    }

    pub(crate) fn why(mut self, why: impl IntoIterator<Item = String>) -> Self {
        self.why.extend(why);
        self
    }

    /// The finding of a rule. What tells it from others of the same rule is its role and the words that it is about, however they
    /// are set out, and not its line.
    pub(crate) fn finish(self, rule: &crate::Rule) -> Finding {
        let start = self.source.at(self.span);
        let end = self.source.locate(self.span.end);
        let words: Vec<&str> = self.source.slice(self.span).split_whitespace().collect();
        let fingerprint = format!("{}:{}:{}:{:016x}", rule.id, start.file, self.role, fnv(&words.join(" ")));
        Finding {
            rule: rule.id,
            severity: self.severity.unwrap_or(rule.severity),
            confidence: self.confidence.unwrap_or(rule.confidence),
            verdict: self.verdict,
            file: start.file,
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
            span: self.span,
            role: self.role,
            message: self.message,
            help: self.help,
            persona: self.persona,
            witness: self.witness,
            why: self.why,
            fingerprint,
            fix: self.fix,
        }
    }
}

/// FNV-1a: the same in every version and on every machine. It tells texts apart and protects nothing.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
