//! `daypass issuers list` and `show`.

use std::io::{self, Write};

use clap::{Args, Subcommand};
use daypass_issuers::{Binds, Confidence, Platform, Presence, catalogue};
use serde_json::{Value, json};

use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;
use crate::render::{Table, style};

/// Says what is known of CI platforms: issuers, claims, subjects.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(List),
    Show(Show),
}

/// Lists the CI platforms of the catalogue.
///
/// Where everybody's jobs share one issuer, a trust that does not bind the organisation by its claims is open to everybody.
#[derive(Debug, Args)]
pub(crate) struct List {}

/// Shows what is known of a platform: its issuers, its claims, its subjects.
///
/// Of each claim: its type, whether it is always there, whether it outlives a rename, and whether somebody less trusted
/// than the repository's owners may have picked its value.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass issuers show github-actions
  daypass issuers show circleci --json")]
pub(crate) struct Show {
    /// The platform's id (`daypass issuers list`).
    #[arg(value_name = "ID")]
    id: String,
}

pub(crate) fn run(command: &Command, output: &Output) -> Result {
    match command {
        Command::List(_) => list(output),
        Command::Show(arguments) => show(&arguments.id, output),
    }
}

fn list(output: &Output) -> Result {
    let platforms = catalogue().platforms();
    let answer: Vec<Value> = platforms
        .iter()
        .map(|platform| {
            json!({
                "id": platform.id,
                "name": platform.name,
                "issuers": issuers(platform),
                "shared": platform.issuer.is_shared(),
            })
        })
        .collect();
    output.answer(&json!({ "issuers": answer }), |out| {
        let mut table = Table::new(["id", "platform", "issuer"]);
        for platform in platforms {
            let shared =
                if platform.issuer.is_shared() { style::unsure(" shared by all") } else { String::new() };
            table.row([
                style::strong(&platform.id),
                platform.name.clone(),
                format!("{}{shared}", issuers(platform).first().copied().unwrap_or("not established")),
            ]);
        }
        table.write(out)
    })?;
    Ok(Outcome::Fine)
}

fn issuers(platform: &Platform) -> Vec<&str> {
    platform.issuer.forms.iter().map(|form| form.pattern.as_str()).collect()
}

fn show(id: &str, output: &Output) -> Result {
    let platform = catalogue().platform(id).ok_or_else(|| {
        Failure::usage(format!("no platform `{id}` is in the catalogue (`daypass issuers list` shows all)"))
    })?;
    output.answer(&as_json(platform), |out| write(out, platform))?;
    Ok(Outcome::Fine)
}

fn as_json(platform: &Platform) -> Value {
    let claims: Vec<Value> = platform
        .claims
        .iter()
        .map(|claim| {
            json!({
                "name": claim.name,
                "type": claim.expected(),
                "identifies": format!("{:?}", claim.identifies).to_lowercase(),
                "present": presence(claim.presence),
                "immutable": claim.immutable,
                "attacker_influenced": claim.attacker_influenced,
                "confidence": confidence(claim.confidence),
                "about": claim.about,
            })
        })
        .collect();
    let variants: Vec<Value> = platform
        .variants
        .iter()
        .map(|variant| json!({ "name": variant.name, "about": variant.about }))
        .collect();
    let subjects: Vec<Value> = platform
        .subjects
        .iter()
        .map(|subject| json!({ "form": subject.name, "about": subject.about }))
        .collect();
    json!({
        "id": platform.id,
        "name": platform.name,
        "about": platform.about,
        "docs": platform.docs,
        "issuers": issuers(platform),
        "shared": platform.issuer.is_shared(),
        "algorithms": platform.issuer.algorithms.iter().map(|algorithm| algorithm.as_str()).collect::<Vec<_>>(),
        "lifetime_seconds": platform.lifetime.seconds,
        "claims": claims,
        "subjects": subjects,
        "variants": variants,
        "gotchas": platform.gotchas,
    })
}

fn write(out: &mut dyn Write, platform: &Platform) -> io::Result<()> {
    writeln!(out, "{} ({})\n{}\n", style::strong(&platform.name), platform.id, platform.about)?;
    for form in &platform.issuer.forms {
        let binds = match form.binds {
            Binds::Nothing => style::unsure("shared by all: bind the organisation by its claims"),
            _ => style::good("the issuer itself binds the tenant"),
        };
        writeln!(out, "{} {}  {binds}", style::strong("issuer"), form.pattern.as_str())?;
    }
    for subject in &platform.subjects {
        writeln!(out, "{} {}  {}", style::strong("subject"), subject.name, subject.about)?;
    }
    writeln!(out)?;
    let mut table = Table::new(["claim", "type", "present", "", "about"]);
    for claim in &platform.claims {
        let mut marks = Vec::new();
        if claim.immutable {
            marks.push(style::good("immutable"));
        }
        if claim.attacker_influenced {
            marks.push(style::unsure("attacker-influenced"));
        }
        if claim.confidence == Confidence::Low {
            marks.push(style::faint("low confidence"));
        }
        table.row([
            claim.name.to_string(),
            claim.expected(),
            presence(claim.presence).to_owned(),
            marks.join(" "),
            claim.about.clone(),
        ]);
    }
    table.write(out)?;
    writeln!(out)?;
    for variant in &platform.variants {
        writeln!(out, "{} {}  {}", style::strong("--variant"), variant.name, variant.about)?;
    }
    for gotcha in &platform.gotchas {
        writeln!(out, "{} {gotcha}", style::warning("note:"))?;
    }
    Ok(())
}

const fn presence(presence: Presence) -> &'static str {
    match presence {
        Presence::Always => "always",
        Presence::Usually => "usually",
        Presence::Sometimes => "sometimes",
    }
}

const fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Stated => "stated",
        Confidence::Low => "low",
    }
}
