use daypass_trust::document::{Node, Value};

use super::Call;
use crate::terraform::value::Val;

/// Functions that leave the unknown parts of a text where they are.
pub(super) fn passing(call: &Call<'_, '_>) -> Option<Val> {
    match call.name {
        "format" => Some(format(call, call.arguments)),
        "join" => {
            let separator = call.text(0)?;
            let mut parts = Vec::new();
            for list in call.arguments.get(1..)? {
                for item in list.node.as_array()? {
                    parts.push(call.session.as_text(item).ok()?);
                }
            }
            Some(call.string(parts.join(separator)))
        }
        _ => None,
    }
}

/// Functions of known texts.
pub(super) fn call(call: &Call<'_, '_>) -> Option<Val> {
    let one = || call.text(0);
    let two = || Some((call.text(0)?, call.text(1)?));
    let wrong = || call.failure("is called with other arguments than texts");
    let text = |text: Option<String>| text.map_or_else(wrong, |text| call.string(text));
    let truth = |truth: Option<bool>| truth.map_or_else(wrong, |truth| call.boolean(truth));
    Some(match call.name {
        "lower" => text(one().map(str::to_lowercase)),
        "upper" => text(one().map(str::to_uppercase)),
        "title" => text(one().map(title)),
        "trimspace" => text(one().map(|text| text.trim().to_owned())),
        "chomp" => text(one().map(|text| text.trim_end_matches(['\r', '\n']).to_owned())),
        "trimprefix" => {
            text(two().map(|(text, prefix)| text.strip_prefix(prefix).unwrap_or(text).to_owned()))
        }
        "trimsuffix" => {
            text(two().map(|(text, suffix)| text.strip_suffix(suffix).unwrap_or(text).to_owned()))
        }
        "trim" => text(two().map(|(text, set)| text.trim_matches(|c| set.contains(c)).to_owned())),
        "startswith" => truth(two().map(|(text, prefix)| text.starts_with(prefix))),
        "endswith" => truth(two().map(|(text, suffix)| text.ends_with(suffix))),
        "strcontains" => truth(two().map(|(text, part)| text.contains(part))),
        "replace" => replace(call),
        "substr" => text(substr(call)),
        "split" => match two() {
            Some((_, "")) => call.items(Vec::new()),
            Some((separator, text)) => {
                let parts = text.split(separator).map(|part| call.string(part).node);
                call.items(parts.collect())
            }
            None => wrong(),
        },
        "formatlist" => formatlist(call),
        _ => return None,
    })
}

fn title(text: &str) -> String {
    let mut start = true;
    let upper = |c: char| {
        let first = std::mem::replace(&mut start, c.is_whitespace());
        if first { c.to_uppercase().collect::<String>() } else { c.to_string() }
    };
    text.chars().map(upper).collect()
}

fn replace(call: &Call<'_, '_>) -> Val {
    match (call.text(0), call.text(1), call.text(2)) {
        (Some(_), Some(pattern), Some(_))
            if pattern.len() > 1 && pattern.starts_with('/') && pattern.ends_with('/') =>
        {
            Val::unknown("`replace` with a regular expression is not modelled", call.span)
        }
        (Some(text), Some(from), Some(to)) => call.string(text.replace(from, to)),
        _ => call.failure("takes a text and two more"),
    }
}

/// By characters; a negative length means up to the end, a negative start counts from there.
fn substr(call: &Call<'_, '_>) -> Option<String> {
    let integer = |at: usize| match &call.node(at)?.value {
        Value::Number(text) => text.parse::<i64>().ok(),
        _ => None,
    };
    let characters: Vec<char> = call.text(0)?.chars().collect();
    let (start, length) = (integer(1)?, integer(2)?);
    let start = match usize::try_from(start) {
        Ok(start) => start,
        Err(_) => characters.len().checked_sub(usize::try_from(start.unsigned_abs()).ok()?)?,
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    Some(characters.into_iter().skip(start).take(length).collect())
}

/// `%s`, `%d`, `%v`, `%q` and `%%`; other verbs are not modelled.
fn format(call: &Call<'_, '_>, arguments: &[Val]) -> Val {
    let Some((pattern, rest)) = arguments.split_first() else { return call.failure("takes a pattern") };
    let Some(pattern) = pattern.node.as_str() else {
        let why =
            call.session.why_unknown(&pattern.node).unwrap_or_else(|| "the pattern is no text".to_owned());
        return Val::unknown(why, call.span);
    };
    let mut values = rest.iter();
    let mut text = String::new();
    let mut characters = pattern.chars();
    while let Some(c) = characters.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        let verb = characters.next();
        if verb == Some('%') {
            text.push('%');
            continue;
        }
        let Some(value) = values.next() else { return call.failure("has fewer values than its pattern") };
        let written = call.session.as_text(&value.node);
        match (verb, written) {
            (Some('s' | 'd' | 'v'), Ok(written)) => text.push_str(&written),
            (Some('q'), Ok(written)) => text.push_str(&format!("\"{written}\"")),
            (_, Err(why)) => return Val::failure(why, call.span),
            (verb, _) => {
                let verb = verb.map(String::from).unwrap_or_default();
                return Val::unknown(format!("`format` with %{verb} is not modelled"), call.span);
            }
        }
    }
    call.string(text)
}

fn formatlist(call: &Call<'_, '_>) -> Val {
    let lengths = call.arguments.iter().filter_map(|argument| argument.node.as_array().map(<[Node]>::len));
    let Some(length) = lengths.max() else { return format(call, call.arguments) };
    let mut items = Vec::with_capacity(length);
    for at in 0..length {
        let row: Option<Vec<Val>> = call
            .arguments
            .iter()
            .map(|argument| match argument.node.as_array() {
                Some(list) => list.get(at).cloned().map(Val::from),
                None => Some(argument.clone()),
            })
            .collect();
        let Some(row) = row else { return call.failure("takes lists of one length") };
        items.push(format(call, &row).node);
    }
    call.items(items)
}
