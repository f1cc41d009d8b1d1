//! The reader of files of test cases.

use roxmltree::{Document, Node, ParsingOptions};

use super::{Expected, Input, Subject, TestCase, TestCases, typed};

/// Bytes of a file of test cases.
const FILE_BYTES: usize = 16 << 20;

/// Elements and texts of a file of test cases.
const NODES: u32 = 1 << 20;

/// A file that holds no test cases, or one that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct Unreadable {
    /// What is wrong.
    pub message: String,
    /// Counted from 1.
    pub line: u32,
    /// In characters, counted from 1.
    pub column: u32,
}

impl Unreadable {
    pub(super) fn at(node: Node<'_, '_>, message: impl Into<String>) -> Self {
        let position = node.document().text_pos_at(node.range().start);
        Self { message: message.into(), line: position.row, column: position.col }
    }
}

/// The child elements of this name.
pub(super) fn children<'a, 'input: 'a>(of: Node<'a, 'input>, name: &'static str) -> impl Iterator<Item = Node<'a, 'input>> {
    of.children().filter(move |child| child.is_element() && child.tag_name().name() == name)
}

impl TestCases {
    /// Reads a file of test cases.
    ///
    /// # Errors
    /// It is no XML, no file of test cases, larger than 16 MiB, or a value in it is not of the type it says.
    pub fn read(xml: &str) -> Result<Self, Unreadable> {
        if xml.len() > FILE_BYTES {
            let message = format!("the file has more than {FILE_BYTES} bytes");
            return Err(Unreadable { message, line: 1, column: 1 });
        }
        let options = ParsingOptions { nodes_limit: NODES, ..ParsingOptions::default() };
        let document = Document::parse_with_options(xml, options).map_err(|error| Unreadable {
            line: error.pos().row,
            column: error.pos().col,
            message: error.to_string(),
        })?;
        let root = document.root_element();
        if root.tag_name().name() != "testCases" {
            return Err(Unreadable::at(root, format!("expected 'testCases', not '{}'", root.tag_name().name())));
        }
        let model = children(root, "modelName").next().and_then(|name| name.text()).unwrap_or_default().trim().to_owned();
        let cases = children(root, "testCase").map(case).collect::<Result<_, _>>()?;
        Ok(Self { model, cases })
    }
}

fn named(node: Node<'_, '_>) -> Result<String, Unreadable> {
    node.attribute("name").map(str::to_owned).ok_or_else(|| Unreadable::at(node, "expected an attribute 'name'"))
}

fn case(node: Node<'_, '_>) -> Result<TestCase, Unreadable> {
    let invocable = || {
        let name = node.attribute("invocableName").map(str::to_owned);
        name.ok_or_else(|| Unreadable::at(node, "expected an attribute 'invocableName'"))
    };
    let subject = match node.attribute("type") {
        None | Some("decision") => Subject::Decisions,
        Some("bkm") => Subject::Knowledge(invocable()?),
        Some("decisionService") => Subject::Service(invocable()?),
        Some(other) => return Err(Unreadable::at(node, format!("there is no test case of type '{other}'"))),
    };
    let input = |node: Node<'_, '_>| {
        let namespace = node.attribute("namespace").map(str::to_owned);
        Ok(Input { name: named(node)?.into(), namespace, value: typed::value(node)? })
    };
    let expected = |node: Node<'_, '_>| {
        let value = children(node, "expected").next().map_or(Ok(crate::Value::Null), typed::value)?;
        let error = matches!(node.attribute("errorResult"), Some("true" | "1"));
        Ok(Expected { name: named(node)?, error, value })
    };
    Ok(TestCase {
        id: node.attribute("id").unwrap_or_default().to_owned(),
        subject,
        inputs: children(node, "inputNode").map(input).collect::<Result<_, _>>()?,
        results: children(node, "resultNode").map(expected).collect::<Result<_, _>>()?,
    })
}
