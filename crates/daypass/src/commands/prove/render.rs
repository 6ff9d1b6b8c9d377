use std::io::{self, Write};

use camino::Utf8Path;
use daypass_claims::ClaimValue;
use daypass_prove::fit::{Admission, Fit};
use daypass_prove::tighten::{Change, Relation, Tightened};
use daypass_prove::{Answer, Exactness, PersonaAnswer, Verdict, Who, Witness};

use crate::render::{Table, style};

pub(super) fn dead(out: &mut dyn Write, answer: &Answer) -> io::Result<()> {
    match answer.answer {
        Verdict::Yes => writeln!(out, "{}: no token that can be minted is admitted", style::bad("dead"))?,
        Verdict::No => writeln!(out, "{}: there are tokens that are admitted", style::good("alive"))?,
        Verdict::Unknown => writeln!(out, "{}: whether any token is admitted", style::unsure("unknown"))?,
    }
    rest(out, answer)
}

pub(super) fn implies(
    out: &mut dyn Write,
    answer: &Answer,
    one: &Utf8Path,
    two: &Utf8Path,
) -> io::Result<()> {
    match answer.answer {
        Verdict::Yes => writeln!(out, "{}: whatever {one} admits, {two} admits", style::good("yes"))?,
        Verdict::No => writeln!(out, "{}: {one} admits a token that {two} does not", style::bad("no"))?,
        Verdict::Unknown => {
            writeln!(out, "{}: whether {two} admits all that {one} does", style::unsure("unknown"))?;
        }
    }
    rest(out, answer)
}

pub(super) fn overlap(out: &mut dyn Write, answer: &Answer) -> io::Result<()> {
    match answer.answer {
        Verdict::Yes => writeln!(out, "{}: there are tokens that both admit", style::bad("overlap"))?,
        Verdict::No => writeln!(out, "{}: no token is admitted by both", style::good("apart"))?,
        Verdict::Unknown => writeln!(out, "{}: whether both admit a token", style::unsure("unknown"))?,
    }
    rest(out, answer)
}

/// The reasons and the token.
fn rest(out: &mut dyn Write, answer: &Answer) -> io::Result<()> {
    for why in &answer.why {
        writeln!(out, "  {why}")?;
    }
    match &answer.witness {
        Some(shown) => witness(out, shown),
        None => Ok(()),
    }
}

/// A token, claim by claim.
pub(crate) fn witness(out: &mut dyn Write, witness: &Witness) -> io::Result<()> {
    let form = witness.form.as_ref().map(|form| format!(" ({form})")).unwrap_or_default();
    writeln!(out, "\n  {}{form}", style::faint(&witness.issuer))?;
    let claims = witness.claims.iter().map(|(name, value)| (name.to_string(), value));
    let request = witness.request.iter().map(|(name, value)| (name.clone(), value));
    for (name, value) in claims.chain(request) {
        writeln!(out, "    {} = {}", style::strong(name), text(value))?;
    }
    Ok(())
}

fn text(value: &ClaimValue) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None => serde_json::to_string(value).unwrap_or_default(),
    }
}

pub(super) fn personas(out: &mut dyn Write, role: &str, answers: &[PersonaAnswer]) -> io::Result<()> {
    writeln!(out, "{}\n", style::strong(role))?;
    let mut table = Table::new(["CALLER", "ADMITTED", "WHO THAT IS", "BY THIS TOKEN"]);
    for PersonaAnswer { persona, answer } in answers {
        let intended = *persona == daypass_prove::Persona::Intended;
        let word = match (answer.answer, intended) {
            (Verdict::Yes, true) => style::good("yes"),
            (Verdict::No, true) => style::bad("no"),
            (Verdict::Yes, false) => style::bad("yes"),
            (Verdict::No, false) => style::good("no"),
            (Verdict::Unknown, _) => style::unsure("unknown"),
        };
        let shown = match (&answer.witness, answer.answer) {
            (Some(witness), Verdict::Yes) => witness.subject().to_owned(),
            (_, Verdict::Unknown) => answer.why.join("; "),
            _ => String::new(),
        };
        table.row([persona.as_str().to_owned(), word, style::faint(persona.about()), shown]);
    }
    table.write(out)
}

pub(super) fn who(out: &mut dyn Write, found: &Who) -> io::Result<()> {
    let how = match found.answer.exactness {
        Exactness::Exact => "exactly",
        Exactness::AtMost => "at most",
        Exactness::AtLeast => "at least",
    };
    if found.who.is_empty() {
        writeln!(out, "{}: nobody", style::strong(how))?;
    } else {
        writeln!(out, "{}", style::strong(how))?;
    }
    for callers in &found.who {
        writeln!(out, "  {}", callers.description)?;
        if let Some(shown) = &callers.witness {
            writeln!(out, "    {}", style::faint(format!("such as {}", shown.subject())))?;
        }
    }
    if found.left_out > 0 {
        writeln!(out, "  and {} kinds more", found.left_out)?;
    }
    found.answer.why.iter().try_for_each(|why| writeln!(out, "{}: {why}", style::unsure("unknown")))
}

pub(super) fn asserted(out: &mut dyn Write, roles: &[(String, Answer)]) -> io::Result<()> {
    for (role, answer) in roles {
        let word = match answer.answer {
            Verdict::Yes => style::good("holds"),
            Verdict::No => style::bad("broken"),
            Verdict::Unknown => style::unsure("unknown"),
        };
        writeln!(out, "{word} {}", style::strong(role))?;
        if answer.answer != Verdict::Yes {
            rest(out, answer)?;
        }
    }
    Ok(())
}

pub(super) fn fit(out: &mut dyn Write, found: &Fit) -> io::Result<()> {
    for job in &found.jobs {
        let word = match job.admission {
            Admission::Always => style::good("admitted"),
            Admission::Sometimes => style::unsure("sometimes"),
            Admission::Never => style::bad("refused"),
            Admission::Unknown => style::unsure("unknown"),
        };
        let place = style::faint(format!("{}:{}", job.file, job.line));
        writeln!(out, "{word} {} on {} {place}", style::strong(&job.job), job.trigger)?;
        for miss in job.refused.iter().flat_map(|refused| &refused.nearest_miss) {
            writeln!(out, "    {} is {}, wanted {}", miss.condition, miss.seen, miss.wanted)?;
        }
        job.why.iter().try_for_each(|why| writeln!(out, "    {}", style::faint(why)))?;
    }
    for slack in &found.slack {
        let who = slack.persona.map_or("a job that the pipelines do not have", daypass_prove::Persona::about);
        writeln!(out, "{} {who}: {}", style::unsure("slack"), slack.witness.subject())?;
    }
    found.why.iter().try_for_each(|why| writeln!(out, "{}: {why}", style::unsure("unknown")))
}

/// What was proved of a new policy.
pub(super) fn tightened(out: &mut dyn Write, found: &Tightened) -> io::Result<()> {
    for change in &found.changes {
        match change {
            Change::Removed(line) => writeln!(out, "{}", style::bad(format!("- {line}")))?,
            Change::Added(line) => writeln!(out, "{}", style::good(format!("+ {line}")))?,
        }
    }
    match &found.relation {
        Relation::Same => writeln!(out, "{}: it admits what the old one did", style::good("proved"))?,
        Relation::Narrower => {
            writeln!(out, "{}: it admits nothing that the old one did not", style::good("proved"))?;
        }
        Relation::Replaces(why) => writeln!(out, "the old one admits nothing: {}", why.join("; "))?,
        Relation::Extends(token) => {
            writeln!(out, "it admits what is intended and the old one refused: {}", token.subject())?;
        }
        Relation::Unknown(why) => {
            writeln!(out, "{}: how it stands to the old one: {}", style::unsure("unknown"), why.join("; "))?;
        }
    }
    for admitted in &found.admits {
        writeln!(out, "{}: it admits {}", style::good("proved"), admitted.subject())?;
    }
    for slack in &found.beyond {
        writeln!(out, "{} it admits {}", style::unsure("beside them"), slack.witness.subject())?;
    }
    for unseen in &found.unseen {
        writeln!(out, "{} `{}`: {}", style::unsure("cannot be asked for"), unseen.claim, unseen.why)?;
    }
    found.notes.iter().try_for_each(|note| writeln!(out, "{note}"))
}
