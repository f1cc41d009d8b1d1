//! Cells of decision tables: most compare with constants, which takes no walk over a tree.

use crate::dmn::constant::fold;
use crate::evaluate::condition::{fits, held};
use crate::node::{Comparison, Node, Test};
use crate::value::Value;

/// What a cell asks of its column's value.
#[derive(Debug)]
pub(super) enum Cell {
    /// Nothing.
    Any,
    /// To be one of these: the same, in one of the lists, in one of the ranges.
    OneOf(Vec<Value>),
    /// To be less, or greater.
    Order(Comparison, Value),
    /// Anything else: a condition.
    Tests(Node),
}

impl Cell {
    /// A cell of what its text was compiled to.
    pub(super) fn of(node: Node) -> Self {
        let Node::Tests { slot, tests, negated } = node else { return Self::Tests(node) };
        let mut tests: Vec<Test> = tests.into_iter().map(folded).collect();
        if negated {
            return Self::Tests(Node::Tests { slot, tests, negated });
        }
        if tests.iter().any(|test| matches!(test, Test::Any)) {
            return Self::Any;
        }
        if tests.iter().all(|test| matches!(test, Test::Expression(Node::Constant(_)))) {
            let constant = |test| match test {
                Test::Expression(Node::Constant(value)) => Some(value),
                _ => None,
            };
            return Self::OneOf(tests.into_iter().filter_map(constant).collect());
        }
        match (tests.len(), tests.pop()) {
            (1, Some(Test::Compare(comparison, Node::Constant(value)))) => Self::Order(comparison, value),
            (_, last) => {
                tests.extend(last);
                Self::Tests(Node::Tests { slot, tests, negated })
            }
        }
    }

    /// Whether a value passes; nothing where that takes an evaluation.
    pub(super) fn quickly(&self, value: &Value) -> Option<bool> {
        match self {
            Self::Any => Some(true),
            Self::OneOf(constants) => Some(constants.iter().any(|constant| fits(value, constant) == Some(true))),
            Self::Order(comparison, constant) => Some(held(*comparison, value, constant) == Some(true)),
            Self::Tests(_) => None,
        }
    }

    /// Steps that looking at it costs.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::OneOf(constants) => {
                constants.iter().map(|constant| if let Value::List(items) = constant { items.len() } else { 1 }).sum()
            }
            _ => 1,
        }
    }

    /// The constants it compares with.
    pub(super) fn constants(&self, found: &mut Vec<Value>) {
        match self {
            Self::Any => {}
            Self::OneOf(constants) => constants.iter().for_each(|constant| parts(constant, found)),
            Self::Order(_, constant) => parts(constant, found),
            Self::Tests(node) => constants_of(node, found),
        }
    }
}

/// The constants of tests that are an expression.
pub(super) fn constants_of(node: &Node, found: &mut Vec<Value>) {
    fn of_tests(tests: &[Test], found: &mut Vec<Value>) {
        for test in tests {
            match test {
                Test::Compare(_, Node::Constant(value)) | Test::Expression(Node::Constant(value)) => parts(value, found),
                Test::Not(tests) => of_tests(tests, found),
                _ => {}
            }
        }
    }
    if let Node::Tests { tests, .. } = node {
        of_tests(tests, found);
    }
}

fn parts(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::List(items) => items.iter().for_each(|item| parts(item, found)),
        Value::Range(range) => {
            [&range.start, &range.end].into_iter().filter(|end| !end.is_null()).for_each(|end| parts(end, found))
        }
        other => found.push(other.clone()),
    }
}

pub(super) fn folded(test: Test) -> Test {
    match test {
        Test::Expression(node) => Test::Expression(fold(node)),
        Test::Compare(comparison, node) => Test::Compare(comparison, fold(node)),
        Test::Not(tests) => Test::Not(tests.into_iter().map(folded).collect()),
        other => other,
    }
}
