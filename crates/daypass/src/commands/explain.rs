//! `daypass explain`.

use anyhow::Context as _;
use camino::Utf8PathBuf;
use clap::{ArgGroup, Args};
use daypass_claims::{ClaimSet, ClaimValue, Issuer};
use daypass_exchange::config::Loaded;
use daypass_token::UnverifiedToken;
use daypass_trust::evaluate::{Evaluation, Outcome as Answer};
use daypass_trust::form::RequestKey;
use daypass_trust::{CompileOptions, Context, Dialect, Policy, compile, detect, evaluate};
use serde_json::{Value, json};

use super::files;
use crate::admin::Service;
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;
use crate::render;

/// Says what a trust policy decides about a token, and why.
///
/// The answer is allow, deny or unknown, with every statement and every condition, what was seen and what was wanted, and
/// for a denial the nearest miss: the smallest set of conditions whose change would admit the token. Nothing is verified
/// and nobody is admitted.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).args(["policy", "config", "decision"])))]
#[command(after_long_help = "\
Examples:
  daypass explain --policy trust.json --token-file token
  daypass explain --config daypass.toml --role deploy-prod --claims claims.json
  daypass explain --policy trust.json --claims claims.json \\
    --context sts:RoleSessionName=ci --context aws:SourceIp=192.0.2.1

  # What a running service decided, by the id that the job was told
  daypass explain --decision 0190f0c2-...

Exits 0 for allow, 1 for deny and unknown.")]
pub(crate) struct Arguments {
    /// The trust policy: that of an AWS role, a federated credential of Azure, or the native form.
    #[arg(long, value_name = "FILE")]
    policy: Option<Utf8PathBuf>,
    /// The policy's dialect, where its content does not tell: aws, azure, daypass, gcp, vault.
    #[arg(long, value_name = "DIALECT", requires = "policy")]
    dialect: Option<String>,
    /// A configuration, one role of which is to be explained.
    #[arg(long, value_name = "FILE", requires = "role")]
    config: Option<Utf8PathBuf>,
    /// The role of the configuration.
    #[arg(long, value_name = "NAME", requires = "config")]
    role: Option<String>,
    /// The claims, a JSON object; `-` for stdin.
    #[arg(long, value_name = "FILE", conflicts_with = "token_file")]
    claims: Option<Utf8PathBuf>,
    /// A token, of which the claims are taken as they are; `-` for stdin.
    #[arg(long, value_name = "FILE")]
    token_file: Option<Utf8PathBuf>,
    /// The issuer, for claims without `iss`.
    #[arg(long, value_name = "URL", conflicts_with = "decision")]
    issuer: Option<String>,
    /// A fact of the request: sts:RoleSessionName=ci, aws:SourceIp=192.0.2.1. Repeatable.
    #[arg(long = "context", value_name = "KEY=VALUE", conflicts_with = "decision")]
    context: Vec<String>,
    /// The account that the role lives in.
    #[arg(long, value_name = "ID", conflicts_with = "decision")]
    account: Option<String>,
    /// The id of a recorded decision; a running service is asked.
    #[arg(long, value_name = "ID", conflicts_with_all = ["claims", "token_file"])]
    decision: Option<String>,
    #[command(flatten)]
    service: Service,
}

pub(crate) async fn run(arguments: Arguments, output: &Output) -> Result {
    if let Some(id) = &arguments.decision {
        return decision(id, &arguments.service, output).await;
    }
    let claims = claims(&arguments)?;
    let (policy, account) = policy(&arguments)?;
    let mut context = Context::new();
    if let Some(account) = arguments.account.as_ref().or(account.as_ref()) {
        context = context.account(account.as_str());
    }
    if let Some(issuer) = &arguments.issuer {
        let issuer = Issuer::parse(issuer).map_err(|error| Failure::usage(format!("--issuer: {error}")))?;
        context = context.issuer(issuer);
    }
    for fact in &arguments.context {
        let (key, value) = fact
            .split_once('=')
            .ok_or_else(|| Failure::usage(format!("--context: `{fact}` is not KEY=VALUE")))?;
        context = context.with(RequestKey::from_name(key), ClaimValue::from(value));
    }
    let evaluation = evaluate(&policy, &claims, &context);
    output.answer(&as_json(&evaluation), |out| render::evaluation(out, &evaluation))?;
    Ok(Outcome::fine_if(evaluation.outcome == Answer::Allow))
}

/// `{"outcome", "reasons", "nearest_miss", "tree"}`.
pub(super) fn as_json(evaluation: &Evaluation) -> Value {
    json!({
        "outcome": evaluation.outcome,
        "reasons": evaluation.reasons,
        "nearest_miss": evaluation.nearest_miss,
        "tree": { "statements": evaluation.statements },
    })
}

fn claims(arguments: &Arguments) -> Result<ClaimSet> {
    match (&arguments.claims, &arguments.token_file) {
        (Some(path), None) => {
            let source = files::read(path)?;
            ClaimSet::from_json(source.text().as_bytes()).map_err(|error| files::not_claims(&source, &error))
        }
        (None, Some(path)) => {
            let source = files::read(path)?;
            let token = UnverifiedToken::parse(source.text().trim())
                .map_err(|error| files::wrong(&source, error.to_string()))?;
            Ok(token.unverified_claims().clone())
        }
        _ => Err(Failure::usage("whose request? give --claims FILE or --token-file FILE")),
    }
}

/// The policy, and the account that its role lives in where that is known.
fn policy(arguments: &Arguments) -> Result<(Policy, Option<String>)> {
    if let (Some(path), Some(name)) = (&arguments.config, &arguments.role) {
        let Loaded { config, .. } = super::config::load(path)?;
        let role = config.roles.iter().find(|role| role.name == *name);
        let role = role.ok_or_else(|| Failure::usage(format!("{path} has no role `{name}`")))?;
        return Ok((role.policy.clone(), Some(config.account_id.clone())));
    }
    let path = arguments.policy.as_ref().context("no policy was given")?;
    let source = files::read(path)?;
    let dialect: Dialect = match &arguments.dialect {
        Some(name) => name.parse().map_err(|error| Failure::usage(format!("--dialect: {error}")))?,
        None => detect(&source).map_err(|problem| Failure::input(vec![problem], vec![source.clone()]))?,
    };
    let compiled = compile(dialect, &source, &CompileOptions::default())
        .map_err(|error| Failure::input(error.problems, vec![source.clone()]))?;
    Ok((compiled.policy, None))
}

async fn decision(id: &str, service: &Service, output: &Output) -> Result {
    let answer: Value = service.admin()?.post("/api/v1/explain", &json!({ "decision": id })).await?;
    output.answer(&answer, |out| super::audit::write_explained(out, &answer))?;
    let admitted = answer.pointer("/record/outcome").and_then(Value::as_str) == Some("admitted");
    Ok(Outcome::fine_if(admitted))
}
