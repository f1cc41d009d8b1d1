//! The reader of files of test cases.

use crate::dmn::xml::{self, ReadError, Xml, children};

use super::{Expected, Input, Subject, TestCase, TestCases, typed};

impl TestCases {
    /// Reads a file of test cases.
    ///
    /// # Errors
    /// It is no XML, no file of test cases, larger than 16 MiB, or a value in it is not of the type it says.
    pub fn read(xml: &str) -> Result<Self, ReadError> {
        let document = xml::document(xml)?;
        let root = document.root_element();
        if root.tag_name().name() != "testCases" {
            return Err(ReadError::at(root, format!("expected 'testCases', not '{}'", root.tag_name().name())));
        }
        let model = children(root, "modelName").next().and_then(|name| name.text()).unwrap_or_default().trim().to_owned();
        let cases = children(root, "testCase").map(case).collect::<Result<_, _>>()?;
        Ok(Self { model, cases })
    }
}

fn named(node: Xml<'_>) -> Result<String, ReadError> {
    node.attribute("name").map(str::to_owned).ok_or_else(|| ReadError::at(node, "expected an attribute 'name'"))
}

fn case(node: Xml<'_>) -> Result<TestCase, ReadError> {
    let invocable = || {
        let name = node.attribute("invocableName").map(str::to_owned);
        name.ok_or_else(|| ReadError::at(node, "expected an attribute 'invocableName'"))
    };
    let subject = match node.attribute("type") {
        None | Some("decision") => Subject::Decisions,
        Some("bkm") => Subject::Knowledge(invocable()?),
        Some("decisionService") => Subject::Service(invocable()?),
        Some(other) => return Err(ReadError::at(node, format!("there is no test case of type '{other}'"))),
    };
    let input = |node: Xml<'_>| {
        let namespace = node.attribute("namespace").map(str::to_owned);
        Ok(Input { name: named(node)?.into(), namespace, value: typed::value(node)? })
    };
    let expected = |node: Xml<'_>| {
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
