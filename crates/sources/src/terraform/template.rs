use std::rc::Rc;

use daypass_trust::document::{Node, Span, Value};
use hcl_edit::Span as _;
use hcl_edit::template::{Directive, Element, ForDirective, IfDirective, Strip, Template};

use super::env::Env;
use super::eval::entries;
use super::map::{global, local};
use super::operator;
use super::session::{OUT_OF_FUEL, Session};
use super::syntax::span_of;
use super::value::{Piece, Val, mark};

/// The longest text that a template may become, in bytes.
const TEXT_LIMIT: usize = 1024 * 1024;

/// A text being put together, with the places of its parts.
#[derive(Default)]
struct Writer {
    text: String,
    pieces: Vec<Piece>,
    /// What comes next loses the white space at its start (`~}`).
    trim: bool,
}

impl<'p> Session<'p> {
    /// The text of a template, or the value of its only element.
    pub(super) fn template<'t>(
        &self,
        template: impl IntoIterator<Item = &'t Element>,
        span: Span,
        env: &Env<'p>,
    ) -> Val {
        let elements: Vec<&Element> = template.into_iter().collect();
        if let [Element::Interpolation(only)] = elements.as_slice() {
            return self.eval_native(&only.expr, env);
        }
        let mut writer = Writer::default();
        match self.write_elements(&elements, env, &mut writer) {
            Ok(()) => Val { text: Some(Rc::new(writer.pieces)), ..Val::string(writer.text, span) },
            Err(why) => Val::unknown(why, span),
        }
    }

    /// A text without templates.
    pub(super) fn literal(&self, text: &str, span: Span) -> Val {
        let mut value = Val::string(text, span);
        // Only a document is ever asked for its places.
        if text.contains('{') {
            let mut writer = Writer::default();
            let inner = Span::new(span.start.saturating_add(1), span.end.saturating_sub(1).max(span.start));
            self.write_literal(text, inner, &mut writer);
            value.text = Some(Rc::new(writer.pieces));
        }
        value
    }

    /// A string of the JSON syntax. Its places are those of the whole string: JSON's escapes lie between.
    pub(super) fn json_template(&self, text: &str, span: Span, env: &Env<'p>) -> Val {
        if !text.contains("${") && !text.contains("%{") {
            return Val::string(text, span);
        }
        match hcl_edit::parser::parse_template(text) {
            Ok(template) => {
                let base = self.project.map.add(daypass_trust::document::Source::new(
                    self.project.map.locate(span).file.as_ref(),
                    text,
                ));
                let env = Env { base, ..env.clone() };
                let mut value = self.template(&template, span, &env);
                super::value::place(&mut value.node, span);
                value.text = None;
                value
            }
            Err(error) => Val::failure(format!("not a valid template: {}", error.message().trim()), span),
        }
    }

    /// The text of a template file with its variables.
    pub(super) fn template_file(&self, text: &str, base: usize, span: Span, env: &Env<'p>) -> Val {
        match hcl_edit::parser::parse_template(text) {
            Ok(template) => self.template(&template, span, &Env { base, ..env.clone() }),
            Err(error) => Val::failure(format!("not a valid template: {}", error.message().trim()), span),
        }
    }

    fn write_elements(
        &self,
        elements: &[&Element],
        env: &Env<'p>,
        writer: &mut Writer,
    ) -> Result<(), String> {
        for element in elements {
            if writer.text.len() > TEXT_LIMIT {
                return Err(OUT_OF_FUEL.to_owned());
            }
            match element {
                Element::Literal(text) => {
                    self.write_literal(text.value(), span_of(text.span(), env.base), writer);
                }
                Element::Interpolation(part) => {
                    let span = span_of(part.span(), env.base);
                    writer.before(part.strip);
                    let value = self.eval_native(&part.expr, env);
                    let text = self.as_text(&value.node)?;
                    writer.push(&text, span, false);
                    writer.after(part.strip);
                }
                Element::Directive(directive) => match &**directive {
                    Directive::If(directive) => self.write_if(directive, env, writer)?,
                    Directive::For(directive) => self.write_for(directive, env, writer)?,
                },
            }
        }
        Ok(())
    }

    fn write_if(&self, directive: &IfDirective, env: &Env<'p>, writer: &mut Writer) -> Result<(), String> {
        writer.before(directive.if_expr.strip);
        let condition = self.eval_native(&directive.if_expr.cond_expr, env).node;
        let chosen = match (operator::truth(&condition), self.why_unknown(&condition)) {
            (Some(true), _) => Some((&directive.if_expr.template, directive.if_expr.strip)),
            (Some(false), _) => directive.else_expr.as_ref().map(|it| (&it.template, it.strip)),
            (None, Some(why)) => return Err(why),
            (None, None) => return Err("a condition is true or false".to_owned()),
        };
        if let Some((template, strip)) = chosen {
            writer.after(strip);
            self.write_all(template, env, writer)?;
        }
        writer.before(directive.endif_expr.strip);
        writer.after(directive.endif_expr.strip);
        Ok(())
    }

    fn write_for(&self, directive: &ForDirective, env: &Env<'p>, writer: &mut Writer) -> Result<(), String> {
        let intro = &directive.for_expr;
        writer.before(intro.strip);
        let collection = self.eval_native(&intro.collection_expr, env).node;
        for (key, value) in entries(&collection)? {
            let mut inner = env.with(intro.value_var.as_str(), Val::from(value));
            if let Some(name) = &intro.key_var {
                inner = inner.with(name.as_str(), Val::from(key));
            }
            writer.after(intro.strip);
            self.write_all(&intro.template, &inner, writer)?;
            writer.before(directive.endfor_expr.strip);
        }
        writer.after(directive.endfor_expr.strip);
        Ok(())
    }

    fn write_all(&self, template: &Template, env: &Env<'p>, writer: &mut Writer) -> Result<(), String> {
        let elements: Vec<&Element> = template.iter().collect();
        self.write_elements(&elements, env, writer)
    }

    /// Notes the place of every line by itself: indentation that a heredoc takes away lies between them.
    fn write_literal(&self, text: &str, span: Span, writer: &mut Writer) {
        let text = if std::mem::take(&mut writer.trim) { text.trim_start() } else { text };
        let Some((source, base)) = self.project.map.file(span) else {
            writer.push(text, span, false);
            return;
        };
        let written = source.slice(local(span, base));
        if written == text {
            writer.push(text, span, true);
            return;
        }
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let originals: Vec<&str> = written.split_inclusive('\n').collect();
        if lines.len() != originals.len() || !lines.iter().zip(&originals).all(|(a, b)| b.ends_with(a)) {
            writer.push(text, span, false);
            return;
        }
        let mut at = local(span, base).start;
        for (line, original) in lines.iter().zip(originals) {
            let start = at.saturating_add(original.len().saturating_sub(line.len()));
            at = at.saturating_add(original.len());
            writer.push(line, global(Span::new(start, at), base), true);
        }
    }

    /// A value within a text. An unknown value becomes a marked part of it.
    pub(super) fn as_text(&self, node: &Node) -> Result<String, String> {
        match &node.value {
            Value::String(text) | Value::Number(text) => Ok(text.clone()),
            Value::Bool(value) => Ok(value.to_string()),
            Value::Unresolved(why) => Ok(mark(self.unknown_number(why))),
            _ => Err(format!("{} cannot be part of a text", node.kind())),
        }
    }
}

impl Writer {
    fn push(&mut self, text: &str, span: Span, exact: bool) {
        if text.is_empty() {
            return;
        }
        self.pieces.push(Piece { at: self.text.len(), span, exact });
        self.text.push_str(text);
    }

    /// `${~`
    fn before(&mut self, strip: Strip) {
        self.trim = false;
        if strip.strip_start() {
            self.text.truncate(self.text.trim_end().len());
            let end = self.text.len();
            self.pieces.retain(|piece| piece.at < end);
        }
    }

    /// `~}`
    fn after(&mut self, strip: Strip) {
        self.trim = strip.strip_end();
    }
}
