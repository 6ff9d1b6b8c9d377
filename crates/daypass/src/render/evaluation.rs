use std::io::{self, Write};

use daypass_trust::Truth;
use daypass_trust::evaluate::{Evaluation, Outcome, StatementTrace, Trace, TraceKind};
use daypass_trust::form::Effect;

use super::style;

/// Writes a decision: the outcome, why, the nearest miss, and every statement with every condition.
pub(crate) fn evaluation(out: &mut dyn Write, evaluation: &Evaluation) -> io::Result<()> {
    let outcome = match evaluation.outcome {
        Outcome::Allow => style::good("allow"),
        Outcome::Deny => style::bad("deny"),
        Outcome::Unknown => style::unsure("unknown"),
    };
    writeln!(out, "{}: {}", style::strong(outcome), evaluation.reasons.join("; "))?;
    if !evaluation.nearest_miss.is_empty() {
        writeln!(out, "\n{}", style::strong("nearest miss"))?;
    }
    for miss in &evaluation.nearest_miss {
        writeln!(
            out,
            "  {}  is {}, wanted {}",
            style::strong(&miss.condition),
            style::bad(&miss.seen),
            style::good(&miss.wanted)
        )?;
        if let Some(why) = &miss.impossible {
            writeln!(out, "    {}: {why}", style::unsure("can never hold"))?;
        }
        writeln!(out, "    {}", style::faint(format!("{}, {}", miss.statement, miss.location)))?;
    }
    for statement in &evaluation.statements {
        writeln!(out)?;
        write_statement(out, statement)?;
    }
    Ok(())
}

fn write_statement(out: &mut dyn Write, statement: &StatementTrace) -> io::Result<()> {
    let effect = match statement.effect {
        Effect::Allow => "allow",
        Effect::Deny => "deny",
    };
    writeln!(
        out,
        "{} {} {} {}",
        mark(statement.result),
        style::strong(&statement.label),
        style::faint(format!("({effect} {})", statement.actions.join(", "))),
        style::faint(&statement.location),
    )?;
    statement.checks.iter().try_for_each(|check| write_trace(out, check, 1))
}

fn write_trace(out: &mut dyn Write, trace: &Trace, depth: usize) -> io::Result<()> {
    let indent = "  ".repeat(depth);
    let name = match trace.kind {
        TraceKind::All => "all of".to_owned(),
        TraceKind::Any => "any of".to_owned(),
        TraceKind::Not => "not".to_owned(),
        TraceKind::Principal => "principal".to_owned(),
        TraceKind::Audience => "audience".to_owned(),
        TraceKind::Condition => trace.name.clone(),
    };
    write!(out, "{indent}{} {name}", mark(trace.result))?;
    if let Some(seen) = &trace.seen {
        write!(out, "  {seen}")?;
    }
    if let Some(wanted) = trace.wanted.as_ref().filter(|_| !trace.result.is_true()) {
        write!(out, "  {} {wanted}", style::faint("wanted"))?;
    }
    writeln!(out)?;
    if let Some(note) = &trace.note {
        writeln!(out, "{indent}    {}", style::unsure(note))?;
    }
    trace.children.iter().try_for_each(|child| write_trace(out, child, depth.saturating_add(1)))
}

fn mark(result: Truth) -> String {
    match result {
        Truth::True => style::good("pass"),
        Truth::False => style::bad("fail"),
        Truth::Unknown => style::unsure("?   "),
    }
}
