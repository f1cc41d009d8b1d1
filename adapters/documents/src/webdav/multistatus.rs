//! The answer 207 of a server (RFC 4918, section 13): resources with their properties.

use std::collections::BTreeMap;

use quick_xml::NsReader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;

/// The namespace of WebDAV's own names.
pub(super) const DAV: &str = "DAV:";

/// Most elements inside one another.
const DEEPEST: usize = 64;

/// A resource as the server describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Resource {
    /// Its path or URL, as the server wrote it.
    pub(super) href: String,
    /// Whether it is a collection.
    pub(super) collection: bool,
    /// The properties that it has, by namespace and name; of one with elements inside, their text.
    pub(super) properties: BTreeMap<(String, String), String>,
    /// Whether the server refused anything about it.
    pub(super) refused: bool,
}

impl Resource {
    /// A property of WebDAV's own.
    pub(super) fn dav(&self, name: &str) -> Option<&str> {
        self.property(DAV, name)
    }

    pub(super) fn property(&self, namespace: &str, name: &str) -> Option<&str> {
        self.properties.get(&(namespace.to_owned(), name.to_owned())).map(String::as_str)
    }

    /// What tells its states apart. Servers write it strong (`"x"`), weak (`W/"x"`, and strong a second later), or without quotes.
    pub(super) fn etag(&self) -> &str {
        self.dav("getetag").map_or("", bare_etag)
    }
}

/// An ETag without what servers differ in.
pub(super) fn bare_etag(etag: &str) -> &str {
    let etag = etag.trim();
    etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"')
}

/// Reads an answer; at most `most` resources.
pub(super) fn read(text: &str, most: usize) -> Result<Vec<Resource>, String> {
    let mut reader = NsReader::from_str(text);
    let mut reading = Reading::default();
    loop {
        let at = reader.buffer_position();
        let broken = |why: &dyn std::fmt::Display| format!("byte {at} of the answer: {why}");
        let (namespace, event) = reader.read_resolved_event().map_err(|error| broken(&error))?;
        match event {
            Event::Start(element) => reading.open(name(&namespace, &element)?)?,
            Event::Empty(element) => {
                reading.open(name(&namespace, &element)?)?;
                reading.close();
            }
            Event::End(_) => reading.close(),
            Event::Text(text) => reading.text(&text.xml10_content()),
            Event::CData(text) => reading.text(&text.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref().map_err(|error| broken(&error))? {
                Some(c) => reading.text(c.encode_utf8(&mut [0; 4])),
                None => {
                    let entity = resolve_predefined_entity(&reference);
                    reading.text(entity.ok_or_else(|| broken(&"an entity that XML does not know"))?);
                }
            },
            Event::DocType(_) => return Err(broken(&"a document type, which no such answer has")),
            Event::Eof if reading.stack.is_empty() && reading.seen => return Ok(reading.resources),
            Event::Eof => return Err(broken(&"it ends too early")),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
        if reading.resources.len() > most {
            return Err(format!("the answer has more than {most} resources, the limit"));
        }
    }
}

type Name = (String, String);

fn name(namespace: &ResolveResult<'_>, element: &BytesStart<'_>) -> Result<Name, String> {
    let namespace = match namespace {
        ResolveResult::Bound(namespace) => namespace.0.to_owned(),
        ResolveResult::Unbound => String::new(),
        ResolveResult::Unknown(prefix) => return Err(format!("the prefix {prefix} is not declared")),
    };
    Ok((namespace, element.local_name().as_ref().to_owned()))
}

/// What is being read: where we are, and what has been read there.
#[derive(Default)]
struct Reading {
    stack: Vec<Name>,
    seen: bool,
    resources: Vec<Resource>,
    resource: Resource,
    properties: BTreeMap<Name, String>,
    status: String,
}

impl Reading {
    fn open(&mut self, name: Name) -> Result<(), String> {
        if self.stack.is_empty() && !is(&name, "multistatus") {
            return Err("the answer is no multistatus".to_owned());
        }
        self.seen = true;
        self.stack.push(name);
        match self.path().as_slice() {
            [_, "response"] => self.resource = Resource::default(),
            [_, "response", "propstat"] => self.properties.clear(),
            [_, "response", "status"] | [_, "response", "propstat", "status"] => self.status.clear(),
            [_, "response", "propstat", "prop", _] => {
                let property = self.stack.last().cloned().unwrap_or_default();
                self.properties.insert(property, String::new());
            }
            [_, "response", "propstat", "prop", "resourcetype", "collection"] => self.resource.collection = true,
            deep if deep.len() > DEEPEST => {
                return Err(format!("the answer has more than {DEEPEST} elements inside one another"));
            }
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        match self.path().as_slice() {
            [_, "response", "href"] => self.resource.href += text,
            [_, "response", "status"] | [_, "response", "propstat", "status"] => self.status += text,
            [_, "response", "propstat", "prop", _, ..] => {
                if let Some(value) = self.stack.get(4).and_then(|name| self.properties.get_mut(name)) {
                    *value += text;
                }
            }
            _ => {}
        }
    }

    fn close(&mut self) {
        match self.path().as_slice() {
            [_, "response", "propstat"] => {
                let properties = std::mem::take(&mut self.properties);
                if good(&self.status) {
                    self.resource.properties.extend(properties);
                } else {
                    self.resource.refused = true;
                }
            }
            [_, "response", "status"] => self.resource.refused |= !good(&self.status),
            [_, "response"] => self.resources.push(std::mem::take(&mut self.resource)),
            _ => {}
        }
        self.stack.pop();
    }

    /// The local names of WebDAV's own elements; a property's name stands for itself.
    fn path(&self) -> Vec<&str> {
        let own = |(depth, name): (usize, &'_ Name)| depth == 4 || name.0 == DAV;
        let path = self.stack.iter().enumerate();
        path.map(|(depth, name)| if own((depth, name)) { name.1.as_str() } else { "" }).collect()
    }
}

fn is(name: &Name, local: &str) -> bool {
    name.0 == DAV && name.1 == local
}

/// `HTTP/1.1 200 OK` (RFC 4918, section 14.28).
fn good(status: &str) -> bool {
    status.split_whitespace().nth(1).is_some_and(|code| code.len() == 3 && code.starts_with('2'))
}
