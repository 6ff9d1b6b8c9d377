use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use daypass_trust::document::{Source, Span, Value, parse_json};

use super::Call;
use crate::find::text;
use crate::terraform::env::{Env, Frame};
use crate::terraform::map::global;
use crate::terraform::value::{Val, each_span, mark, marked, place, to_json, trace};
use crate::tree::join;

/// Functions about JSON, files and encodings. JSON and templates carry unknown parts along.
pub(super) fn call(call: &Call<'_, '_>) -> Option<Val> {
    match call.name {
        "jsonencode" => {
            let node = call.arguments.first()?.node.clone();
            if let Value::Unresolved(why) = &node.value {
                return Some(Val::unknown(why.clone(), call.span));
            }
            let json = to_json(&node, &mut |why| mark(call.session.unknown_number(why)));
            Some(Val { json: Some(Rc::new(node)), ..call.string(json) })
        }
        "jsondecode" => decode(call),
        "file" => Some(match read(call) {
            Ok(source) => {
                let base = call.session.project.map.add(source.clone());
                let span = global(Span::new(0, source.text().len()), base);
                Val::file(source.text().to_owned(), span)
            }
            Err(failure) => failure,
        }),
        "templatefile" => Some(template_file(call)),
        "fileexists" => Some(call.boolean(read(call).is_ok())),
        "base64encode" => {
            let text = call.text(0).filter(|text| !marked(text))?;
            Some(call.string(STANDARD.encode(text)))
        }
        "base64decode" => {
            let text = call.text(0).filter(|text| !marked(text))?;
            let decoded = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            Some(decoded.map_or_else(|| call.failure("takes a text in base64"), |text| call.string(text)))
        }
        _ => None,
    }
}

fn decode(call: &Call<'_, '_>) -> Option<Val> {
    let argument = call.arguments.first()?;
    if let Some(tree) = &argument.json {
        return Some(Val::from(tree.as_ref().clone()));
    }
    let text = call.text(0)?;
    let Ok(mut tree) = parse_json(&Source::new("", text)) else {
        return Some(match call.session.why_marked(text) {
            Some(why) => Val::unknown(why, call.span),
            None => call.failure("takes a text in JSON"),
        });
    };
    match &argument.text {
        Some(pieces) => each_span(&mut tree, &|span| trace(pieces, span).unwrap_or(argument.node.span)),
        None => place(&mut tree, argument.node.span),
    }
    Some(Val::from(tree))
}

/// A path is as seen from where Terraform runs, which is the root module; `path.module` says so.
fn read(call: &Call<'_, '_>) -> Result<Source, Val> {
    let Some(path) = call.text(0) else {
        let why = call.node(0).and_then(|node| call.session.why_unknown(node));
        return Err(Val::unknown(why.unwrap_or_else(|| "the path is no text".to_owned()), call.span));
    };
    if let Some(why) = call.session.why_marked(path) {
        return Err(Val::unknown(why, call.span));
    }
    let tree = call.session.project.tree;
    // `path.module` and `path.root` are paths of the tree; a plain relative path starts at the root module.
    let module = &call.env.module;
    let direct = text(tree, &join("", path));
    let found = direct.or_else(|_| text(tree, &join(&module.root, path)));
    found.map_err(|problem| {
        Val::failure(format!("file `{path}` cannot be used: {}", problem.message), call.span)
    })
}

fn template_file(call: &Call<'_, '_>) -> Val {
    let source = match read(call) {
        Ok(source) => source,
        Err(failure) => return failure,
    };
    let Some(variables) = call.node(1).and_then(|node| node.as_table()) else {
        let why = call.node(1).and_then(|node| call.session.why_unknown(node));
        return Val::unknown(why.unwrap_or_else(|| "the variables are no map".to_owned()), call.span);
    };
    let frame = variables.iter().fold(None, |above, member| {
        let value = Val::from(member.node.clone());
        Some(Rc::new(Frame { name: member.name.clone(), value, above }))
    });
    let base = call.session.project.map.add(source.clone());
    let span = global(Span::new(0, source.text().len()), base);
    let env = Env { frame, depth: call.env.depth.saturating_add(1), ..call.env.clone() };
    call.session.template_file(source.text(), base, span, &env)
}
