//! Comparisons and unary tests.

use std::cmp::Ordering;

use crate::node::{Comparison, Node, Test};
use crate::value::{Value, compare, equal};

use super::{Evaluation, Outcome};

/// Whether a comparison holds; nothing where the values cannot be compared.
pub(super) fn held(comparison: Comparison, left: &Value, right: &Value) -> Option<bool> {
    match comparison {
        Comparison::Equal => equal(left, right),
        Comparison::NotEqual => equal(left, right).map(|same| !same),
        Comparison::Less => compare(left, right).map(Ordering::is_lt),
        Comparison::LessOrEqual => compare(left, right).map(Ordering::is_le),
        Comparison::Greater => compare(left, right).map(Ordering::is_gt),
        Comparison::GreaterOrEqual => compare(left, right).map(Ordering::is_ge),
    }
}

/// Whether a value is what an expression in a cell stands for: the same, in a list, in a range.
fn fits(value: &Value, expected: &Value) -> Option<bool> {
    match expected {
        Value::Range(range) if !matches!(value, Value::Range(_)) => range.contains(value),
        Value::List(items) => {
            if equal(value, expected) == Some(true) {
                return Some(true);
            }
            let found = items.iter().any(|item| match item {
                Value::Range(range) if !matches!(value, Value::Range(_)) => range.contains(value) == Some(true),
                item => equal(value, item) == Some(true),
            });
            Some(found)
        }
        expected => equal(value, expected),
    }
}

impl Evaluation {
    pub(super) fn tests(&mut self, slot: usize, tests: &[Test], negated: bool) -> Outcome {
        Ok(match (self.any_test(slot, tests)?, negated) {
            (Value::Boolean(held), true) => Value::Boolean(!held),
            (other, _) => other,
        })
    }

    /// Whether one of the tests holds: null where none does and one cannot be told.
    pub(super) fn any_test(&mut self, slot: usize, tests: &[Test]) -> Outcome {
        let mut unknown = false;
        for test in tests {
            match self.test(slot, test)? {
                Some(true) => return Ok(Value::Boolean(true)),
                Some(false) => {}
                None => unknown = true,
            }
        }
        Ok(if unknown { Value::Null } else { Value::Boolean(false) })
    }

    fn test(&mut self, slot: usize, test: &Test) -> Result<Option<bool>, crate::Exceeded> {
        self.budget.step()?;
        match test {
            Test::Any => Ok(Some(true)),
            Test::Compare(comparison, node) => {
                let right = self.value(node)?;
                Ok(held(*comparison, self.slot(slot), &right))
            }
            Test::Condition(node) => Ok(match self.value(node)? {
                Value::Boolean(held) => Some(held),
                _ => None,
            }),
            Test::Not(tests) => Ok(match self.any_test(slot, tests)? {
                Value::Boolean(held) => Some(!held),
                _ => None,
            }),
            Test::Expression(node) => {
                if let Node::Constant(expected) = node {
                    return Ok(fits(self.slot(slot), expected));
                }
                let expected = self.value(node)?;
                Ok(fits(self.slot(slot), &expected))
            }
        }
    }
}
