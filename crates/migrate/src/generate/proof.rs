//! Narrowing a document to the tokens that it is for, within its cloud's limits, and the proof that it admits them.

use daypass_claims::Issuer;
use daypass_issuers::Mintable;
use daypass_prove::fit::Slack;
use daypass_prove::{Intended, Options, Persona, PersonaAnswer, Tightened, Verdict, Witness, tighten};
use daypass_trust::document::Source;
use daypass_trust::{CompileOptions, Dialect, Policy, compile};

use super::jobs::Tokens;
use super::{Site, Target, Trust};
use crate::Cloud;
use crate::plan::Role;
use crate::plan::privilege::Permissions;

/// The longest `google.subject`.
const LONGEST_SUBJECT: usize = daypass_trust::dialect::gcp::LONGEST_SUBJECT;

/// A role, or part of one that was split, as proved.
pub(super) struct Part {
    pub(super) trust: Trust,
    policy: Policy,
    /// The tokens that it is for.
    tokens: Vec<Mintable>,
    issuers: Vec<Issuer>,
    long_subjects: bool,
}

impl Part {
    /// What its documents are rendered from.
    pub(super) fn site<'a>(
        &'a self,
        role: &'a Role,
        all: &'a Tokens,
        permissions: &[(&'a str, &'a Permissions)],
    ) -> Site<'a> {
        Site {
            role,
            name: &self.trust.name,
            issuers: self.issuers.clone(),
            audience: &all.audience,
            tokens: &self.tokens,
            permissions: permissions.to_vec(),
            long_subjects: self.long_subjects,
        }
    }
}

/// The role's trust; in several parts where one would be past a limit.
pub(super) fn prove(
    target: &dyn Target,
    role: &Role,
    tokens: &Tokens,
    permissions: &[(&str, &Permissions)],
) -> Result<Vec<Part>, String> {
    let all: Vec<(Issuer, Mintable)> =
        tokens.issuers.iter().cloned().zip(tokens.mintable.iter().cloned()).collect();
    let task = Task { target, role, tokens, permissions };
    let mut parts = Vec::new();
    task.split(&all, &mut parts)?;
    if parts.len() > 1 {
        for (number, part) in (1_usize..).zip(&mut parts) {
            part.trust.name = format!("{}-{number}", role.name);
        }
        // Where a document holds the role's name, it is made anew with that of the part.
        for part in parts.iter_mut().filter(|part| part.trust.document.contains(&role.name)) {
            let again: Vec<(Issuer, Mintable)> =
                part.issuers_of_tokens(&all).into_iter().zip(part.tokens.iter().cloned()).collect();
            *part = task.part(&again, &part.trust.name)?;
        }
    }
    Ok(parts)
}

impl Part {
    /// Its name, whom it admits, and the tokens that it is for.
    pub(super) fn asked(self) -> (String, Policy, Vec<Mintable>) {
        (self.trust.name, self.policy, self.tokens)
    }

    fn issuers_of_tokens(&self, all: &[(Issuer, Mintable)]) -> Vec<Issuer> {
        let of = |token: &Mintable| all.iter().find(|(_, it)| it == token).map(|(issuer, _)| issuer.clone());
        self.tokens.iter().filter_map(of).collect()
    }
}

struct Task<'t> {
    target: &'t dyn Target,
    role: &'t Role,
    tokens: &'t Tokens,
    permissions: &'t [(&'t str, &'t Permissions)],
}

impl Task<'_> {
    fn split(&self, tokens: &[(Issuer, Mintable)], parts: &mut Vec<Part>) -> Result<(), String> {
        let why = match self.part(tokens, &self.role.name) {
            Ok(part) => match self.target.limit(&part.trust.document) {
                None => {
                    parts.push(part);
                    return Ok(());
                }
                Some(why) => why,
            },
            // Where a dialect has one place for conditions, tokens of several kinds need several roles.
            Err(why) => why,
        };
        let (one, other) = tokens.split_at(tokens.len() / 2);
        if one.is_empty() {
            return Err(why);
        }
        self.split(one, parts)?;
        self.split(other, parts)
    }

    fn part(&self, tokens: &[(Issuer, Mintable)], name: &str) -> Result<Part, String> {
        let found = self.narrowed(tokens, name, false)?;
        // Past Google's limit a subject is refused at every exchange: another attribute takes its place.
        let long = self.target.cloud() == Cloud::Gcp && found.admits.iter().any(is_long);
        let found = if long { self.narrowed(tokens, name, true)? } else { found };
        let mut jobs: Vec<String> =
            tokens.iter().map(|(_, token)| format!("{}: {}", token.file, token.job)).collect();
        jobs.sort();
        jobs.dedup();
        let slack = found.beyond.iter().filter(|it| !is_of_the_same_place(it));
        let mut beyond: Vec<String> = slack.map(who).collect();
        beyond.extend(found.personas.iter().filter_map(outsider));
        beyond.dedup();
        let trust = Trust {
            name: name.to_owned(),
            jobs,
            is_tight: beyond.is_empty(),
            beyond,
            document: found.document,
            admits: found.admits,
            personas: found.personas,
            unseen: found.unseen,
        };
        Ok(Part {
            trust,
            policy: found.policy,
            tokens: tokens.iter().map(|(_, token)| token.clone()).collect(),
            issuers: distinct(tokens),
            long_subjects: long,
        })
    }

    fn narrowed(
        &self,
        tokens: &[(Issuer, Mintable)],
        name: &str,
        long_subjects: bool,
    ) -> Result<Tightened, String> {
        let mintable: Vec<Mintable> = tokens.iter().map(|(_, token)| token.clone()).collect();
        let issuers = distinct(tokens);
        let site = Site {
            role: self.role,
            name,
            issuers: issuers.clone(),
            audience: &self.tokens.audience,
            tokens: &mintable,
            permissions: self.permissions.to_vec(),
            long_subjects,
        };
        let seed = self.target.seed(&site)?;
        let dialect = dialect(self.target.cloud());
        let surroundings = CompileOptions {
            // A role of Vault leaves the issuer to its mount.
            issuer: issuers.first().filter(|_| dialect == Dialect::Vault).cloned(),
            account: self.role.target.get("account").cloned(),
            ..CompileOptions::default()
        };
        let source = Source::new(format!("{name} (generated)"), seed);
        let seeded = compile(dialect, &source, &surroundings).map_err(|error| error.to_string())?;
        let options = Options {
            account: self.role.target.get("account").cloned(),
            estate: self.tokens.estate.clone(),
            ..Options::default()
        };
        tighten(&seeded.policy, Intended::Jobs(&mintable), &surroundings, &options)
            .map_err(|error| error.to_string())
    }
}

/// Another workflow of a repository whose jobs are meant has a subject that is meant, too.
pub(super) fn is_of_the_same_place(slack: &Slack) -> bool {
    match slack.persona {
        Some(Persona::OtherWorkflow) => true,
        Some(Persona::Sibling) => slack.meant,
        _ => false,
    }
}

fn is_long(witness: &Witness) -> bool {
    witness.subject().len() > LONGEST_SUBJECT
}

fn distinct(tokens: &[(Issuer, Mintable)]) -> Vec<Issuer> {
    let mut issuers: Vec<Issuer> = tokens.iter().map(|(issuer, _)| issuer.clone()).collect();
    issuers.sort();
    issuers.dedup();
    issuers
}

/// A caller that no job of any role is, who gets in: whoever takes a name over makes the very subject that is intended.
fn outsider(answer: &PersonaAnswer) -> Option<String> {
    let outside = matches!(answer.persona, Persona::Stranger | Persona::Squatter | Persona::OtherAudience);
    let witness = answer.answer.witness.as_ref().filter(|_| answer.answer.answer == Verdict::Yes)?;
    outside.then(|| format!("{}: `{}`", answer.persona.about(), witness.subject()))
}

fn who(slack: &Slack) -> String {
    let persona = slack.persona.map_or("a job that the pipelines do not have", Persona::about);
    format!("{persona}: `{}`", slack.witness.subject())
}

const fn dialect(cloud: Cloud) -> Dialect {
    match cloud {
        Cloud::Aws => Dialect::Aws,
        Cloud::Gcp => Dialect::Gcp,
        Cloud::Azure => Dialect::Azure,
        Cloud::Vault => Dialect::Vault,
        Cloud::Daypass => Dialect::Daypass,
    }
}
