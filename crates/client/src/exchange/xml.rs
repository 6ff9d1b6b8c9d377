//! Reading the XML of the AWS Query protocol: elements and text, nothing else.

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::Event;

/// How deep elements may nest: an answer of STS has four levels.
const DEPTH: usize = 16;

/// An element with the elements in it, or with its text. Prefixes and attributes are dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

/// The text is no XML that STS would send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NotXml;

impl Element {
    /// Reads a document. A document type declaration, with which entities can be made to explode, is refused.
    pub(super) fn parse(document: &[u8]) -> Result<Self, NotXml> {
        let text = std::str::from_utf8(document).map_err(|_| NotXml)?;
        let mut reader = Reader::from_str(text);
        let mut open = vec![Self::default()];
        loop {
            let event = reader.read_event().map_err(|_| NotXml)?;
            match event {
                Event::Start(start) => {
                    if open.len() > DEPTH {
                        return Err(NotXml);
                    }
                    open.push(Self::named(start.local_name().as_ref()));
                }
                Event::Empty(empty) => {
                    innermost(&mut open)?.children.push(Self::named(empty.local_name().as_ref()));
                }
                Event::End(_) => {
                    let closed = open.pop().ok_or(NotXml)?;
                    innermost(&mut open)?.children.push(closed);
                }
                Event::Text(text) => innermost(&mut open)?.text.push_str(&text.xml10_content()),
                Event::CData(text) => innermost(&mut open)?.text.push_str(&text.xml10_content()),
                Event::GeneralRef(entity) => {
                    let text = &mut innermost(&mut open)?.text;
                    match entity.resolve_char_ref().map_err(|_| NotXml)? {
                        Some(c) => text.push(c),
                        None => text.push_str(resolve_xml_entity(&entity.xml10_content()).ok_or(NotXml)?),
                    }
                }
                Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
                Event::DocType(_) => return Err(NotXml),
                Event::Eof => break,
            }
        }
        match open.as_mut_slice() {
            [document] if document.children.len() == 1 => document.children.pop().ok_or(NotXml),
            _ => Err(NotXml),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The first element along a path of names.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |element, name| element.children.iter().find(|child| child.name == *name))
    }

    /// The text of the first element along a path of names, without the white space around it; `None` if it is empty.
    pub(super) fn text_at(&self, path: &[&str]) -> Option<&str> {
        Some(self.at(path)?.text.trim()).filter(|text| !text.is_empty())
    }

    fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }
}

fn innermost(open: &mut [Element]) -> Result<&mut Element, NotXml> {
    open.last_mut().ok_or(NotXml)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(document: &str, path: &[&str]) -> Option<String> {
        Element::parse(document.as_bytes()).unwrap().text_at(path).map(str::to_owned)
    }

    #[test]
    fn text_is_found_by_path() {
        let document = r#"<?xml version="1.0"?>
            <A xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><!-- c --><B><C> one </C></B><B><C>two</C></B><D/></A>
        "#;
        assert_eq!(text(document, &["B", "C"]).as_deref(), Some("one"));
        assert_eq!(text(document, &["D"]), None);
        assert_eq!(text(document, &["C"]), None);
        assert_eq!(Element::parse(document.as_bytes()).unwrap().name(), "A");
    }

    #[test]
    fn entities_and_sections_are_text() {
        assert_eq!(
            text("<A><B>a &lt;&#38;&#x26;&amp; <![CDATA[<b>]]></B></A>", &["B"]).unwrap(),
            "a <&&& <b>"
        );
        assert_eq!(text("<x:A><x:B>prefixed</x:B></x:A>", &["B"]).unwrap(), "prefixed");
    }

    #[test]
    fn what_sts_does_not_send_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(DEPTH + 1), "</a>".repeat(DEPTH + 1));
        for bad in [
            "",
            "plain",
            "<a><b></a>",
            "<a/><b/>",
            "</a>",
            "<a>&nbsp;</a>",
            "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
            "{\"a\": 1}",
            "<a",
            &deep,
        ] {
            assert_eq!(Element::parse(bad.as_bytes()), Err(NotXml), "{bad}");
        }
        assert_eq!(Element::parse(b"<a>\xff</a>"), Err(NotXml));
    }
}
