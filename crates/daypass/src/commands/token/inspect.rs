use std::io::{self, Write};

use camino::Utf8PathBuf;
use clap::Args;
use daypass_claims::{Audience, Clock, Issuer, Timestamp};
use daypass_issuers::{Fit, Platform, catalogue, classify};
use daypass_server::SystemClock;
use daypass_token::{Expectations, JwksLimits, KeySet, UnverifiedToken, verify};
use daypass_trust::document::Source;
use serde_json::{Value, json};

use crate::commands::files;
use crate::failure::{Outcome, Result};
use crate::output::Output;
use crate::render::{self, Table, style};

/// Looks into a token without believing it.
///
/// Shows header and claims, which platform made it by its own word, and what the catalogue knows of each claim: whether it
/// outlives a rename, and whether somebody less trusted may have picked its value. Nothing is verified unless `--jwks` gives
/// the issuer's keys.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  echo \"$CIRCLE_OIDC_TOKEN_V2\" | daypass token inspect
  daypass token inspect token --jwks jwks.json

Exits 1 if the check with --jwks fails.")]
pub(crate) struct Arguments {
    /// A file with the token; `-` for stdin. Tokens are never taken as arguments, which other users can see.
    #[arg(value_name = "FILE", default_value = "-")]
    file: Utf8PathBuf,
    /// A file with the token, as other commands take it.
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    token_file: Option<Utf8PathBuf>,
    /// A file with the issuer's key set, to check the signature with.
    #[arg(long, value_name = "FILE")]
    jwks: Option<Utf8PathBuf>,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result {
    let source = files::read(arguments.token_file.as_ref().unwrap_or(&arguments.file))?;
    let token = UnverifiedToken::parse(source.text().trim())
        .map_err(|error| files::wrong(&source, error.to_string()))?;
    let issuer = token.issuer().and_then(|text| Issuer::parse(text).ok());
    let platform = issuer.as_ref().and_then(platform_of);
    let now = SystemClock.now();
    let checked = match &arguments.jwks {
        None => None,
        Some(path) => {
            let issuer = issuer.ok_or_else(|| files::wrong(&source, "the token names no issuer"))?;
            Some(check(&token, &issuer, platform, &files::read(path)?, now)?)
        }
    };
    let view = View { token: &token, platform, checked: checked.as_ref(), now };
    output.answer(&view.json(), |out| view.write(out))?;
    Ok(Outcome::fine_if(!matches!(checked, Some(Err(_)))))
}

/// Everything that a relying party checks but whom the token is for, with the given keys. The refusal, if there is one.
fn check(
    token: &UnverifiedToken,
    issuer: &Issuer,
    platform: Option<&Platform>,
    keys: &Source,
    now: Timestamp,
) -> Result<std::result::Result<(), String>> {
    let (set, _) = KeySet::from_jwks(issuer.clone(), keys.text().as_bytes(), JwksLimits::default())
        .map_err(|error| files::wrong(keys, error.to_string()))?;
    let stated = platform.map(|platform| platform.issuer.algorithms.clone()).filter(|all| !all.is_empty());
    let algorithms = stated.unwrap_or_else(|| vec![token.algorithm()]);
    let audiences: Vec<Audience> = token
        .unverified_claims()
        .audiences()
        .into_iter()
        .flatten()
        .filter_map(|audience| Audience::parse(audience).ok())
        .collect();
    let expected = Expectations { multiple_audiences: true, ..Expectations::new(issuer, &audiences) };
    Ok(set
        .select(token, &algorithms)
        .map_err(|error| error.to_string())
        .and_then(|keys| verify(token, &keys, &expected, now).map_err(|error| error.to_string()))
        .map(|_| ()))
}

fn platform_of(issuer: &Issuer) -> Option<&'static Platform> {
    catalogue().platforms_of(issuer).first().map(|found| found.platform)
}

struct View<'a> {
    token: &'a UnverifiedToken,
    platform: Option<&'static Platform>,
    checked: Option<&'a std::result::Result<(), String>>,
    now: Timestamp,
}

impl View<'_> {
    fn time(&self, claim: &str) -> Option<Timestamp> {
        let claims = serde_json::to_value(self.token.unverified_claims().get(claim)?).ok()?;
        Some(Timestamp::from_secs(claims.as_i64()?))
    }

    /// What the catalogue knows of a claim, in words.
    fn remarks(&self) -> Vec<(String, String, Vec<&'static str>)> {
        let claims = self.token.unverified_claims();
        let shown = |value: &daypass_claims::ClaimValue| value.to_string();
        let Some(platform) = self.platform else {
            return claims.iter().map(|(name, value)| (name.to_string(), shown(value), Vec::new())).collect();
        };
        let classified = classify(platform, claims);
        let remark = |claim: &daypass_issuers::ClassifiedClaim<'_>| {
            let mut remarks = Vec::new();
            if claim.spec.is_none() {
                remarks.push("unknown to the catalogue");
            } else if claim.is_immutable() {
                remarks.push("immutable");
            }
            if claim.spec.is_some() && claim.is_attacker_influenced() {
                remarks.push("attacker-influenced");
            }
            match claim.fit {
                Fit::Mismatch => remarks.push("of another type than the platform writes"),
                Fit::StringifiedBoolean(_) => remarks.push("a boolean as a string"),
                Fit::Fits => {}
            }
            (claim.name.to_string(), shown(claim.value), remarks)
        };
        classified.claims.iter().map(remark).collect()
    }

    fn json(&self) -> Value {
        let header = self.token.header();
        let about: serde_json::Map<String, Value> =
            self.remarks().into_iter().map(|(name, _, remarks)| (name, json!(remarks))).collect();
        json!({
            "header": {
                "alg": header.algorithm().as_str(),
                "kid": header.key_id().map(ToString::to_string),
                "typ": header.typ(),
            },
            "claims": self.token.unverified_claims(),
            "platform": self.platform.map(|platform| platform.id.as_str()),
            "about": about,
            "checked": self.checked.is_some(),
            "refused": self.checked.and_then(|checked| checked.as_ref().err()),
            "expired": self.time("exp").map(|time| time <= self.now),
        })
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let header = self.token.header();
        writeln!(
            out,
            "{} {} key {}",
            style::strong("header"),
            header.algorithm(),
            header.key_id().map_or("unnamed", |id| id.as_str())
        )?;
        let platform = self.platform.map_or("unknown to the catalogue", |platform| platform.name.as_str());
        writeln!(out, "{} {} ({platform})", style::strong("issuer"), self.token.issuer().unwrap_or("none"))?;
        let checked = match self.checked {
            None => style::unsure("not checked: everything below is the bearer's word"),
            Some(Ok(())) => style::good("the signature and the times hold"),
            Some(Err(why)) => style::bad(why),
        };
        writeln!(out, "{} {checked}\n", style::strong("checks"))?;
        let mut table = Table::new(["claim", "value", ""]);
        for (name, value, remarks) in self.remarks() {
            let mut remarks = remarks.join(", ");
            if let Some(time) =
                matches!(name.as_str(), "exp" | "iat" | "nbf").then(|| self.time(&name)).flatten()
            {
                remarks = format!("{}, {}", time.to_rfc3339(), render::ago(time, self.now));
            }
            table.row([name, value, style::faint(remarks)]);
        }
        table.write(out)
    }
}
