//! Conditions: three-valued logic, comparisons and unary tests.

use std::cmp::Ordering;

use crate::limits::Exceeded;
use crate::node::{Comparison, Node, Test};
use crate::value::{Value, compare, equal};

use super::{Evaluation, Frame, Outcome};

/// Whether something holds (nothing: it cannot be told), or the limit that was met.
pub(crate) type Truth = Result<Option<bool>, Exceeded>;

/// Whether a comparison of values of one size holds, which costs no more than a step; nothing where it must be looked at closely.
fn quickly_held(comparison: Comparison, left: &Value, right: &Value) -> Option<bool> {
    if left.is_short() && right.is_short() { held(comparison, left, right) } else { None }
}

/// Whether one of a few plain values is this one; nothing where they must be looked at closely.
fn quickly_found(value: &Value, tests: &[Test]) -> Option<bool> {
    if !value.is_short() || tests.len() > 16 {
        return None;
    }
    let mut found = false;
    for test in tests {
        let Test::Expression(Node::Constant(expected)) = test else { return None };
        if !expected.is_short() {
            return None;
        }
        found |= equal(value, expected)?;
    }
    Some(found)
}

/// Whether a comparison holds; nothing where the values cannot be compared.
pub(crate) fn held(comparison: Comparison, left: &Value, right: &Value) -> Option<bool> {
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
pub(crate) fn fits(value: &Value, expected: &Value) -> Option<bool> {
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

fn as_truth(value: &Value) -> Option<bool> {
    match value {
        Value::Boolean(held) => Some(*held),
        _ => None,
    }
}

impl Evaluation {
    /// Whether a condition holds; nothing where it is no boolean. As [`value`](Self::value), without making one.
    pub(crate) fn truth(&mut self, node: &Node, frame: Frame<'_>) -> Truth {
        self.budget.step()?;
        match node {
            Node::Compare(comparison, left, right) => {
                if let (Some(left), Some(right)) = (self.lent(left, frame), self.lent(right, frame))
                    && let Some(held) = quickly_held(*comparison, left, right)
                {
                    return Ok(Some(held));
                }
            }
            Node::In { value, tests, .. } => {
                if let Some(value) = self.lent(value, frame)
                    && let Some(found) = quickly_found(value, tests)
                {
                    return Ok(Some(found));
                }
            }
            _ => {}
        }
        if self.budget.stack_is_low() {
            return Ok(as_truth(&self.on_a_larger_stack(node, frame)?));
        }
        self.budget.deeper()?;
        let held = self.held(node, frame)?;
        self.budget.shallower();
        Ok(held)
    }

    pub(super) fn condition(&mut self, node: &Node, frame: Frame<'_>) -> Outcome {
        Ok(Value::from(self.held(node, frame)?))
    }

    fn held(&mut self, node: &Node, frame: Frame<'_>) -> Truth {
        match node {
            Node::And(left, right) => self.logic(left, right, false, frame),
            Node::Or(left, right) => self.logic(left, right, true, frame),
            Node::Compare(comparison, left, right) => self.comparison(*comparison, left, right, frame),
            Node::Between(parts) => self.between(parts, frame),
            Node::In { slot, value, tests } => self.contained(*slot, value, tests, frame),
            Node::Tests { slot, tests, negated } => self.tests(*slot, tests, *negated, frame),
            Node::Quantified { every, iterators, body } => self.quantified(*every, iterators, body, frame),
            other => self.boolean(other, frame),
        }
    }

    fn boolean(&mut self, node: &Node, frame: Frame<'_>) -> Truth {
        match self.lent(node, frame) {
            Some(lent) => Ok(as_truth(lent)),
            None => Ok(as_truth(&self.compound(node, frame)?)),
        }
    }

    /// `and` and `or` by three-valued logic: what is no boolean is unknown.
    fn logic(&mut self, left: &Node, right: &Node, decisive: bool, frame: Frame<'_>) -> Truth {
        let left = self.truth(left, frame)?;
        if left == Some(decisive) {
            return Ok(left);
        }
        let right = self.truth(right, frame)?;
        Ok(if right == Some(decisive) { right } else { left.and(right) })
    }

    fn comparison(&mut self, comparison: Comparison, left: &Node, right: &Node, frame: Frame<'_>) -> Truth {
        let (left, right) = (self.value(left, frame)?, self.value(right, frame)?);
        self.budget.weigh(&left)?;
        let held = held(comparison, &left, &right);
        if held.is_none() {
            self.null(|| format!("cannot compare {} with {}", left.type_name(), right.type_name()));
        }
        Ok(held)
    }

    fn between(&mut self, parts: &[Node; 3], frame: Frame<'_>) -> Truth {
        let [value, from, to] = parts;
        let (value, from, to) = (self.value(value, frame)?, self.value(from, frame)?, self.value(to, frame)?);
        self.budget.weigh(&value)?;
        let Some((from, to)) = compare(&value, &from).zip(compare(&value, &to)) else {
            self.null(|| "between compares values of one type".to_owned());
            return Ok(None);
        };
        Ok(Some(from.is_ge() && to.is_le()))
    }

    fn contained(&mut self, slot: usize, value: &Node, tests: &[Test], frame: Frame<'_>) -> Truth {
        let value = self.value(value, frame)?;
        self.set(frame, slot, value);
        self.any_test(slot, tests, frame)
    }

    fn tests(&mut self, slot: usize, tests: &[Test], negated: bool, frame: Frame<'_>) -> Truth {
        Ok(self.any_test(slot, tests, frame)?.map(|held| held != negated))
    }

    /// Whether one of the tests holds: nothing where none does and one cannot be told.
    fn any_test(&mut self, slot: usize, tests: &[Test], frame: Frame<'_>) -> Truth {
        let mut unknown = false;
        for test in tests {
            match self.test(slot, test, frame)? {
                Some(true) => return Ok(Some(true)),
                Some(false) => {}
                None => unknown = true,
            }
        }
        Ok((!unknown).then_some(false))
    }

    fn test(&mut self, slot: usize, test: &Test, frame: Frame<'_>) -> Truth {
        self.budget.step()?;
        match test {
            Test::Any => Ok(Some(true)),
            Test::Compare(comparison, Node::Constant(right)) => {
                self.weigh(slot, right, frame)?;
                Ok(held(*comparison, self.slot(frame, slot), right))
            }
            Test::Compare(comparison, node) => {
                let right = self.value(node, frame)?;
                self.weigh(slot, &right, frame)?;
                Ok(held(*comparison, self.slot(frame, slot), &right))
            }
            Test::Condition(node) => self.truth(node, frame),
            Test::Not(tests) => Ok(self.any_test(slot, tests, frame)?.map(|held| !held)),
            Test::Expression(Node::Constant(expected)) => {
                self.weigh(slot, expected, frame)?;
                Ok(fits(self.slot(frame, slot), expected))
            }
            Test::Expression(node) => {
                let expected = self.value(node, frame)?;
                self.weigh(slot, &expected, frame)?;
                Ok(fits(self.slot(frame, slot), &expected))
            }
        }
    }

    /// Pays for looking at both values as a whole.
    fn weigh(&mut self, slot: usize, other: &Value, frame: Frame<'_>) -> Result<(), Exceeded> {
        if other.is_short() {
            return Ok(());
        }
        self.budget.weigh(other)?;
        // A list is searched for the value: each item may be as large as it is.
        let value = self.slot(frame, slot).clone();
        let times = if let Value::List(items) = other { items.len().max(1) } else { 1 };
        self.budget.weigh_times(&value, times)
    }
}
