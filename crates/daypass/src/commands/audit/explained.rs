//! Records, for people.

use std::io::{self, Write};

use serde_json::Value;

use crate::render::style;

/// A record in one line.
pub(super) fn line(entry: &Value) -> String {
    let Some(record) = entry.get("record").filter(|record| record.is_object()) else {
        return format!("{} past its retention", place(entry));
    };
    let text = |member: &str| record.get(member).and_then(Value::as_str).unwrap_or_default();
    let head = format!("{} {}", style::faint(text("time")), style::faint(text("id")));
    match text("kind") {
        "exchange" => {
            let who = record.get("subject").or_else(|| record.get("from_session")).and_then(Value::as_str);
            let outcome = match text("outcome") {
                "admitted" => style::good("admitted"),
                _ => style::bad(format!("refused  {}", text("reason"))),
            };
            format!(
                "{head} {outcome} {} {}",
                style::strong(text("role")),
                who.unwrap_or("nobody that can be believed")
            )
        }
        "admin" => format!("{head} {} {} by {}", style::strong(text("act")), text("about"), text("by")),
        "summary" => {
            let refused = record.get("refused").map(Value::to_string).unwrap_or_default();
            format!("{head} refused in one second: {refused}")
        }
        "genesis" => format!("{head} {} {}", style::strong("a server starts"), text("program")),
        other => format!("{head} {other}"),
    }
}

fn place(entry: &Value) -> String {
    let chain = entry.get("chain").and_then(Value::as_str).unwrap_or_default();
    format!("{chain} {}", entry.get("seq").and_then(Value::as_u64).unwrap_or_default())
}

/// A decision with its explanation, as the admin listener gives it.
pub(in crate::commands) fn write_explained(out: &mut dyn Write, answer: &Value) -> io::Result<()> {
    writeln!(out, "{}", line(answer))?;
    let record = answer.get("record").cloned().unwrap_or_default();
    if let Some(detail) = record.get("detail").and_then(Value::as_str) {
        writeln!(out, "  {detail}")?;
    }
    if let Some(note) = answer.get("note").and_then(Value::as_str) {
        writeln!(out, "  {}", style::unsure(note))?;
    }
    let evaluation = answer.get("evaluation");
    let list =
        |member: &str| evaluation.and_then(|it| it.get(member)?.as_array().cloned()).unwrap_or_default();
    for reason in list("reasons") {
        writeln!(out, "  {}", reason.as_str().unwrap_or_default())?;
    }
    for miss in list("nearest_miss") {
        let text = |member: &str| miss.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
        writeln!(
            out,
            "  {} is {}, wanted {}  {}",
            style::strong(text("condition")),
            style::bad(text("seen")),
            style::good(text("wanted")),
            style::faint(text("statement")),
        )?;
    }
    if let Some(claims) = record.get("claims").and_then(Value::as_object) {
        writeln!(out, "  {}", style::strong("claims"))?;
        for (name, value) in claims {
            writeln!(out, "    {name} = {value}")?;
        }
    }
    Ok(())
}
