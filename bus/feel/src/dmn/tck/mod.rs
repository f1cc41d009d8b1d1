//! Test cases in the format of the DMN TCK (testCases.xsd): what is asked of a model, and what it has to answer.

mod agree;
mod read;
mod run;
mod typed;

pub use agree::agrees;
pub use run::Outcome;

use std::sync::Arc;

use crate::value::Value;

/// A file of test cases.
#[derive(Debug, Clone)]
pub struct TestCases {
    /// The model's file, next to the test cases'.
    pub model: String,
    /// The cases, in the order in which they are written.
    pub cases: Vec<TestCase>,
}

/// One evaluation, or several of the same inputs.
#[derive(Debug, Clone)]
pub struct TestCase {
    /// Its name in the file; may be empty.
    pub id: String,
    /// What is evaluated.
    pub subject: Subject,
    /// The values of input data, and of decisions whose results are given, each with its namespace where it is imported.
    pub inputs: Vec<Input>,
    /// What has to come out.
    pub results: Vec<Expected>,
}

/// What a test case evaluates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Each decision that a result names.
    Decisions,
    /// This business knowledge model, called with the inputs as arguments.
    Knowledge(String),
    /// This decision service.
    Service(String),
}

/// A value that is handed in.
#[derive(Debug, Clone)]
pub struct Input {
    /// The input's name.
    pub name: Arc<str>,
    /// The namespace of the model that has it, where that is another one.
    pub namespace: Option<String>,
    /// Its value.
    pub value: Value,
}

/// A result that has to come out.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The decision, or the output of the service or function.
    pub name: String,
    /// An error is expected; FEEL's null is one.
    pub error: bool,
    /// The value that is expected.
    pub value: Value,
}

impl Expected {
    /// Whether a result (nothing: the evaluation gave an error) is as expected.
    #[must_use]
    pub fn is_met_by(&self, found: Option<&Value>) -> bool {
        match found {
            None => self.error,
            Some(found) if self.error => found.is_null(),
            Some(found) => agrees(&self.value, found),
        }
    }
}
