//! Whether a result is the one expected, as the runners of the TCK compare them.

use crate::number::Number;
use crate::value::{Value, equal};

/// Whether two values are the same result: numbers within 1e-8 of each other (files of test cases do not write more digits),
/// moments in the same zone, contexts with the same entries in any order.
#[must_use]
pub fn agrees(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::Number(expected), Value::Number(found)) => close(*expected, *found),
        (Value::List(expected), Value::List(found)) => {
            expected.len() == found.len() && expected.iter().zip(found.iter()).all(|(expected, found)| agrees(expected, found))
        }
        (Value::Context(expected), Value::Context(found)) => {
            expected.iter().len() == found.iter().len()
                && expected.iter().all(|(name, expected)| found.get(name).is_some_and(|found| agrees(expected, found)))
        }
        (expected, found) => equal(expected, found) == Some(true),
    }
}

fn close(expected: Number, found: Number) -> bool {
    let tolerance = Number::scaled(1, -8).unwrap_or(Number::ZERO);
    expected == found || expected.minus(found).is_some_and(|difference| difference.absolute() < tolerance)
}
