//! `daypass prove`.

mod asking;
mod jobs;
mod render;

use camino::Utf8PathBuf;
use clap::{Args, Subcommand};
use daypass_claims::ClaimSet;
use daypass_prove::{
    Answer, Exactness, Intended, Invariant, Persona, PersonaAnswer, Verdict, certify, dead, fit, implies,
    overlap, personas, tighten, who,
};
use daypass_trust::CompileOptions;
use serde_json::{Map, Value, json};

pub(crate) use asking::{Asked, Choice, Known, estate};
pub(crate) use render::witness as write_witness;

use super::files;
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;

/// Answers questions about all tokens that an issuer can mint, each with a token that shows it.
///
/// A policy is decided over everything that its issuer can put into a token, not by what its patterns look like. An answer is
/// yes, no, or unknown with the reason; every token that is shown was decided by the policy once more before.
#[derive(Debug, Subcommand)]
#[command(after_long_help = "\
Policies are read wherever they stand: JSON and TOML documents, Terraform, plans, CloudFormation, exports of accounts.
Where a file has several roles, --role names one.

Exit codes: 0 where all is well, 1 where it is not or nobody can say: a role that is dead, that others than its own jobs may
assume, that refuses one of them, that admits what another does not, that overlaps, that breaks an invariant.")]
pub(crate) enum Question {
    Who(WhoIs),
    Personas(Personas),
    Dead(Dead),
    Implies(Implies),
    Overlap(Overlap),
    Assert(Assert),
    Fit(Fits),
    Tighten(Tighten),
}

/// Everybody whom a policy admits, in the issuer's own words.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass prove who trust.json")]
pub(crate) struct WhoIs {
    #[command(flatten)]
    one: One,
}

/// Which kinds of callers get in: strangers, siblings, pull requests, other branches, ...
///
/// Measured from the role's home: the repository, branch and environment that it is for. What is not given of it is read off
/// the policy.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass prove personas trust.json
  daypass prove personas main.tf --role aws_iam_role.deploy --home repo=acme/app --home ref=refs/heads/main")]
pub(crate) struct Personas {
    #[command(flatten)]
    one: One,
}

/// Whether a policy admits nothing that its issuer can mint, and what kills it.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass prove dead trust.json
  aws iam get-role --role-name deploy --query Role.AssumeRolePolicyDocument | daypass prove dead - --dialect aws")]
pub(crate) struct Dead {
    #[command(flatten)]
    one: One,
}

/// Whether everything that one policy admits is admitted by another.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass prove implies new.json old.json       # does the new one admit nothing that the old one did not?
  daypass prove implies new.json old.json --certificate proof.json")]
pub(crate) struct Implies {
    #[command(flatten)]
    two: Two,
    /// Write the proof down, case by case, so that it can be checked without being found again.
    #[arg(long, value_name = "FILE")]
    certificate: Option<Utf8PathBuf>,
}

/// Whether some token is admitted by both of two policies.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass prove overlap staging.json production.json")]
pub(crate) struct Overlap {
    #[command(flatten)]
    two: Two,
}

/// Whether roles keep to a written statement about the tokens that none may admit.
///
/// A statement is `no token with CLAIM ==|!=|like|not like VALUE`, or `present`, or `absent`; several are joined with `and`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass prove assert 'no token with repository_owner_id != 1001' infra
  daypass prove assert 'no token of github-actions with event_name == pull_request_target' trust.json")]
pub(crate) struct Assert {
    /// The statement.
    #[arg(value_name = "INVARIANT")]
    invariant: String,
    /// Files and folders with policies.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<Utf8PathBuf>,
    #[command(flatten)]
    known: Known,
}

/// Whether a role fits a repository's pipelines: which jobs it refuses, and whom it admits whom no job needs.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass prove fit trust.json --repository . --home repo=acme/app --home ref=refs/heads/main")]
pub(crate) struct Fits {
    #[command(flatten)]
    one: One,
    /// The repository whose pipelines are meant.
    #[arg(long, value_name = "DIR", default_value = ".")]
    repository: Utf8PathBuf,
}

/// The narrowest policy that still admits what is intended, proved.
///
/// What is intended is told by a home, by a repository's pipelines, or by claims that were seen. The new document is written
/// to stdout; what was proved of it goes to stderr, or both into one answer with --json.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass prove tighten trust.json --home repo=acme/app --home repo_id=2002 --home ref=refs/heads/main
  daypass prove tighten trust.json --observed claims.json --observed more.json
  daypass prove tighten trust.json --repository . --home repo=acme/app > tight.json")]
pub(crate) struct Tighten {
    #[command(flatten)]
    one: One,
    /// A repository whose jobs are intended.
    #[arg(long, value_name = "DIR", conflicts_with = "observed")]
    repository: Option<Utf8PathBuf>,
    /// Claims of a token that was used and shall be admitted; repeatable.
    #[arg(long, value_name = "FILE")]
    observed: Vec<Utf8PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct One {
    /// The policy, or a file that has it; `-` for stdin.
    #[arg(value_name = "FILE")]
    file: Utf8PathBuf,
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    known: Known,
}

#[derive(Debug, Args)]
struct Two {
    /// One policy.
    #[arg(value_name = "A")]
    first: Utf8PathBuf,
    /// The other.
    #[arg(value_name = "B")]
    second: Utf8PathBuf,
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    known: Known,
}

pub(crate) fn run(question: &Question, output: &Output) -> Result {
    match question {
        Question::Who(WhoIs { one }) => {
            let Asked { policy, .. } = one.choice.read(&one.file)?;
            let found = who(&policy, &one.known.options(&one.file)?);
            let mut value = as_json(&found.answer);
            set(&mut value, "who", json!(found.who));
            set(&mut value, "left_out", json!(found.left_out));
            output.answer(&value, |out| render::who(out, &found))?;
            Ok(Outcome::Fine)
        }
        Question::Personas(asked) => run_personas(asked, output),
        Question::Dead(Dead { one }) => {
            let Asked { policy, .. } = one.choice.read(&one.file)?;
            let answer = dead(&policy, &one.known.options(&one.file)?);
            output.answer(&as_json(&answer), |out| render::dead(out, &answer))?;
            Ok(Outcome::fine_if(answer.answer == Verdict::No))
        }
        Question::Implies(Implies { two, certificate }) => {
            let (first, second) = (two.choice.read(&two.first)?, two.choice.read(&two.second)?);
            let options = two.known.options(&two.first)?;
            let answer = implies(&first.policy, &second.policy, &options);
            if let (Some(file), Verdict::Yes) = (certificate, answer.answer) {
                let proof = certify(&first.policy, &second.policy, &options).ok_or_else(|| {
                    Failure::usage("--certificate: the proof has too many cases to be written down")
                })?;
                std::fs::write(file, serde_json::to_vec(&proof)?)
                    .map_err(|error| Failure::usage(format!("cannot write `{file}`: {error}")))?;
            }
            output.answer(&as_json(&answer), |out| render::implies(out, &answer, &two.first, &two.second))?;
            Ok(Outcome::fine_if(answer.answer == Verdict::Yes))
        }
        Question::Overlap(Overlap { two }) => {
            let (first, second) = (two.choice.read(&two.first)?, two.choice.read(&two.second)?);
            let answer = overlap(&first.policy, &second.policy, &two.known.options(&two.first)?);
            output.answer(&as_json(&answer), |out| render::overlap(out, &answer))?;
            Ok(Outcome::fine_if(answer.answer == Verdict::No))
        }
        Question::Assert(asked) => assert(asked, output),
        Question::Fit(asked) => fits(asked, output),
        Question::Tighten(asked) => tightened(asked, output),
    }
}

/// An invariant held against every role below the paths.
fn assert(asked: &Assert, output: &Output) -> Result {
    let invariant: Invariant =
        asked.invariant.parse().map_err(|error| Failure::usage(format!("INVARIANT: {error}")))?;
    let mut roles = Vec::new();
    for path in &asked.paths {
        let options = asked.known.options(path)?;
        for Asked { role, policy } in asking::all(path)? {
            roles.push((role, invariant.holds(&policy, &options)));
        }
    }
    let of = |verdict| roles.iter().map(|(_, answer)| answer).find(move |it| it.answer == verdict);
    let worst = of(Verdict::No).or_else(|| of(Verdict::Unknown)).or_else(|| of(Verdict::Yes));
    let Some(answer) = worst else { return Err(Failure::usage("there is no trust policy to ask about")) };
    let mut value = as_json(answer);
    let all = roles.iter().map(|(role, answer)| json!({ "role": role, "answer": answer }));
    set(&mut value, "roles", Value::Array(all.collect()));
    output.answer(&value, |out| render::asserted(out, &roles))?;
    Ok(Outcome::fine_if(answer.answer == Verdict::Yes))
}

/// A role held against pipelines.
fn fits(asked: &Fits, output: &Output) -> Result {
    let Asked { policy, .. } = asked.one.choice.read(&asked.one.file)?;
    let jobs = jobs::below(&asked.repository, asked.one.known.home()?.as_ref())?;
    let found = fit(&policy, &jobs, &asked.one.known.options(&asked.one.file)?);
    output.answer(&found, |out| render::fit(out, &found))?;
    Ok(Outcome::fine_if(found.is_exact()))
}

fn tightened(asked: &Tighten, output: &Output) -> Result {
    let one = &asked.one;
    let Asked { policy, .. } = one.choice.read(&one.file)?;
    let (options, home) = (one.known.options(&one.file)?, one.known.home()?);
    let (jobs, seen);
    let intended = match (&asked.repository, asked.observed.as_slice(), &home) {
        (Some(root), _, _) => {
            jobs = jobs::below(root, home.as_ref())?;
            Intended::Jobs(&jobs)
        }
        (None, [], Some(home)) => Intended::Home(home),
        (None, [], None) => {
            return Err(Failure::usage("what is intended? give --home, --repository or --observed"));
        }
        (None, files, _) => {
            seen = files.iter().map(observed).collect::<Result<Vec<_>>>()?;
            Intended::Observed(&seen)
        }
    };
    let found = tighten(&policy, intended, &CompileOptions::default(), &options)
        .map_err(|error| Failure::refused(error.to_string()))?;
    let personas: Map<String, Value> =
        found.personas.iter().map(|it| (it.persona.as_str().to_owned(), json!(it.answer))).collect();
    let value = json!({
        "document": found.document,
        "changes": found.changes,
        "relation": found.relation,
        "admits": found.admits,
        "personas": personas,
        "beyond": found.beyond,
        "unseen": found.unseen,
        "notes": found.notes,
    });
    output.answer(&value, |out| writeln!(out, "{}", found.document.trim_end()))?;
    if !output.is_json() {
        output.remark(|err| render::tightened(err, &found));
    }
    Ok(Outcome::Fine)
}

fn observed(path: &Utf8PathBuf) -> Result<ClaimSet> {
    let source = files::read(path)?;
    ClaimSet::from_json(source.text().as_bytes()).map_err(|error| files::not_claims(&source, &error))
}

/// The personas of one role.
pub(crate) fn run_personas(Personas { one }: &Personas, output: &Output) -> Result {
    let Asked { role, policy } = one.choice.read(&one.file)?;
    let answers = personas(&policy, one.known.home()?.as_ref(), &one.known.options(&one.file)?);
    let answer = only_its_own(&answers);
    let value = with_personas(&answer, &answers);
    output.answer(&value, |out| render::personas(out, &role, &answers))?;
    Ok(Outcome::fine_if(answer.answer == Verdict::Yes))
}

/// Whether nobody but the jobs that a role is for gets in.
fn only_its_own(answers: &[PersonaAnswer]) -> Answer {
    let others = || answers.iter().filter(|it| it.persona != Persona::Intended);
    let of = |verdict| others().find(move |it| it.answer.answer == verdict).map(|it| &it.answer);
    let (verdict, shown) = match (of(Verdict::Yes), of(Verdict::Unknown)) {
        (Some(admitted), _) => (Verdict::No, Some(admitted)),
        (None, Some(unknown)) => (Verdict::Unknown, Some(unknown)),
        (None, None) => (Verdict::Yes, None),
    };
    Answer {
        answer: verdict,
        exactness: shown.map_or(Exactness::Exact, |shown| shown.exactness),
        witness: shown.and_then(|shown| shown.witness.clone()),
        why: shown.map(|shown| shown.why.clone()).unwrap_or_default(),
    }
}

/// The form that every question is answered in.
fn as_json(answer: &Answer) -> Value {
    json!({
        "answer": answer.answer,
        "exactness": answer.exactness,
        "witness": answer.witness,
        "who": [],
        "personas": {},
        "why": answer.why,
    })
}

fn with_personas(answer: &Answer, answers: &[PersonaAnswer]) -> Value {
    let mut value = as_json(answer);
    let personas: Map<String, Value> =
        answers.iter().map(|it| (it.persona.as_str().to_owned(), json!(it.answer))).collect();
    set(&mut value, "personas", Value::Object(personas));
    value
}

fn set(value: &mut Value, member: &str, to: Value) {
    if let Value::Object(members) = value {
        members.insert(member.to_owned(), to);
    }
}
