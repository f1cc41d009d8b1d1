//! Test cases asked of a model.

use crate::dmn::{DecideError, Model};
use crate::environment::Environment;
use crate::value::{Context, Value};

use super::{Expected, Subject, TestCase, TestCases};

/// What came of one result of a test case.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The case's id.
    pub case: String,
    /// The result's name.
    pub result: String,
    /// Whether it is as expected.
    pub passed: bool,
    /// What was expected, as FEEL writes it.
    pub expected: String,
    /// What came out, as FEEL writes it, with its warnings; or the error.
    pub found: String,
}

impl TestCases {
    /// Asks a model for every result.
    #[must_use]
    pub fn verify(&self, model: &Model, environment: &Environment) -> Vec<Outcome> {
        let results = self.cases.iter().flat_map(|case| case.results.iter().map(move |expected| (case, expected)));
        results.map(|(case, expected)| outcome(case, expected, model, environment)).collect()
    }
}

fn outcome(case: &TestCase, expected: &Expected, model: &Model, environment: &Environment) -> Outcome {
    let (value, found) = match evaluated(case, expected, model, environment) {
        Ok((value, warnings)) if warnings.is_empty() => (Some(value.clone()), value.to_string()),
        Ok((value, warnings)) => (Some(value.clone()), format!("{value} ({})", warnings.join("; "))),
        Err(error) => (None, error.to_string()),
    };
    Outcome {
        case: case.id.clone(),
        result: expected.name.clone(),
        passed: expected.is_met_by(value.as_ref()),
        expected: if expected.error { "an error".to_owned() } else { expected.value.to_string() },
        found,
    }
}

fn evaluated(
    case: &TestCase,
    expected: &Expected,
    model: &Model,
    environment: &Environment,
) -> Result<(Value, Vec<String>), DecideError> {
    let name = |input: &super::Input| match &input.namespace {
        Some(namespace) => format!("{namespace}#{}", input.name).into(),
        None => input.name.clone(),
    };
    let inputs: Context = case.inputs.iter().map(|input| (name(input), input.value.clone())).collect();
    match &case.subject {
        Subject::Decisions => {
            model.evaluate(&expected.name, &inputs, environment).map(|decided| (decided.value, decided.warnings))
        }
        Subject::Knowledge(called) | Subject::Service(called) => {
            let decided = model.call(called, &inputs, environment)?;
            // A service with several outputs gives them as a context.
            let output = match &decided.value {
                Value::Context(outputs) if expected.name != *called => outputs.get(&expected.name).cloned(),
                _ => None,
            };
            Ok((output.unwrap_or(decided.value), decided.warnings))
        }
    }
}
