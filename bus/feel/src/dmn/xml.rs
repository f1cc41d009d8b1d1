//! The XML of models: read within limits, without DTDs, and always with the place of what is wrong.

use roxmltree::{Document, Node, ParsingOptions};

/// Bytes of one model's file.
pub(super) const FILE_BYTES: usize = 16 << 20;

/// Elements, texts and comments of one file.
const NODES: u32 = 1 << 20;

/// Boxed expressions within each other, and item components within each other.
pub(super) const DEPTH: u32 = 48;

/// A model that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}line {line}, column {column}: {message}", .model.as_ref().map(|model| format!("imported model {model}, ")).unwrap_or_default())]
pub struct ReadError {
    /// What is wrong, and what was expected.
    pub message: String,
    /// Counted from 1.
    pub line: u32,
    /// In characters, counted from 1.
    pub column: u32,
    /// The namespace of the model, where it is an imported one.
    pub model: Option<String>,
}

/// An element or a text of the file.
pub(super) type Xml<'x> = Node<'x, 'x>;

impl ReadError {
    /// An error at the begin of an element.
    pub(super) fn at(node: Xml<'_>, message: impl Into<String>) -> Self {
        Self::at_byte(node, node.range().start, message)
    }

    fn at_byte(node: Xml<'_>, byte: usize, message: impl Into<String>) -> Self {
        let position = node.document().text_pos_at(byte);
        Self { message: message.into(), line: position.row, column: position.col, model: None }
    }

    /// An error in an expression that an element holds.
    pub(super) fn within(node: Xml<'_>, error: &crate::SyntaxError) -> Self {
        let text = node.children().find(Node::is_text).unwrap_or(node);
        let start = node.document().text_pos_at(text.range().start);
        let column = if error.line == 1 { start.col.saturating_add(column(error.column)) - 1 } else { column(error.column) };
        let line = start.row.saturating_add(column_of_lines(error.line));
        Self { message: error.to_string(), line, column, model: None }
    }
}

fn column(counted: usize) -> u32 {
    u32::try_from(counted).unwrap_or(u32::MAX)
}

fn column_of_lines(line: usize) -> u32 {
    column(line.saturating_sub(1))
}

/// Reads a file.
pub(super) fn document(xml: &str) -> Result<Document<'_>, ReadError> {
    if xml.len() > FILE_BYTES {
        let message = format!("the file has more than {FILE_BYTES} bytes");
        return Err(ReadError { message, line: 1, column: 1, model: None });
    }
    let options = ParsingOptions { nodes_limit: NODES, allow_dtd: false, ..ParsingOptions::default() };
    Document::parse_with_options(xml, options).map_err(|error| {
        let place = error.pos();
        ReadError { message: error.to_string(), line: place.row, column: place.col, model: None }
    })
}

/// The child elements of DMN itself: those of vendors have other namespaces.
pub(super) fn elements<'x>(of: Xml<'x>) -> impl Iterator<Item = Xml<'x>> {
    of.children().filter(move |child| child.is_element() && child.tag_name().namespace() == of.tag_name().namespace())
}

/// The child elements of this name.
pub(super) fn children<'x>(of: Xml<'x>, name: &'static str) -> impl Iterator<Item = Xml<'x>> {
    elements(of).filter(move |child| child.tag_name().name() == name)
}

/// The first child element of this name.
pub(super) fn child<'x>(of: Xml<'x>, name: &'static str) -> Option<Xml<'x>> {
    children(of, name).next()
}

/// The text in an element, whole.
pub(super) fn text(of: Xml<'_>) -> String {
    of.children().filter(Node::is_text).filter_map(|part| part.text()).collect()
}

/// The text of the child element `text`; empty where there is none.
pub(super) fn text_of(of: Xml<'_>) -> String {
    child(of, "text").map(text).unwrap_or_default()
}

/// An attribute that must be there.
pub(super) fn needed<'x>(of: Xml<'x>, name: &'static str) -> Result<&'x str, ReadError> {
    of.attribute(name).ok_or_else(|| ReadError::at(of, format!("'{}' has no attribute '{name}'", of.tag_name().name())))
}

/// A name as FEEL knows it: one space where white space is.
pub(super) fn normal(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}
