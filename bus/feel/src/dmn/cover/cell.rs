//! A cell of a decision table as the examination reads it: its tests, and the constants that they are made of.

use crate::Scope;
use crate::dmn::constant;
use crate::environment::Environment;
use crate::evaluate::Evaluation;
use crate::node::{Comparison, Node, Test};
use crate::parse::Parser;
use crate::value::Value;

/// Tests made of nothing but constants: their answer changes only at those.
#[derive(Debug)]
pub(super) struct Cell {
    node: Node,
    pub(super) constants: Vec<Value>,
    /// Whether more than equality is tested.
    pub(super) ordered: bool,
}

impl Cell {
    /// Reads a cell; nothing where it asks for more than constants.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = if text.trim().is_empty() { "-" } else { text };
        let (node, _) = Parser::new(text, &Scope::of(&["?"])).whole(true).ok()?;
        let Node::Tests { tests, .. } = &node else { return None };
        let mut found = Found { constants: Vec::new(), ordered: false };
        found.tests(tests)?;
        let Found { constants, ordered } = found;
        Some(Self { node, constants, ordered })
    }

    /// Whether the cell lets a value pass, told by the very evaluation that a decision uses.
    pub(super) fn holds(&self, value: &Value) -> bool {
        let found = Evaluation::new(&Environment::timeless()).begin(&self.node, std::slice::from_ref(value));
        matches!(found, Ok(Value::Boolean(true)))
    }
}

struct Found {
    constants: Vec<Value>,
    ordered: bool,
}

impl Found {
    fn tests(&mut self, tests: &[Test]) -> Option<()> {
        tests.iter().try_for_each(|test| match test {
            Test::Any => Some(()),
            Test::Compare(comparison, node) => {
                self.ordered |= !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
                self.value(&constant::value(node)?)
            }
            Test::Expression(node) => self.value(&constant::value(node)?),
            Test::Not(tests) => self.tests(tests),
            Test::Condition(_) => None,
        })
    }

    fn value(&mut self, value: &Value) -> Option<()> {
        match value {
            Value::Null => {}
            Value::List(items) => return items.iter().try_for_each(|item| self.value(item)),
            Value::Range(range) => {
                self.ordered |= !range.outside;
                self.value(&range.start)?;
                self.value(&range.end)?;
            }
            Value::Context(_) | Value::Function(_) => return None,
            scalar => self.constants.push(scalar.clone()),
        }
        Some(())
    }
}

/// The value of an expression that is the same at every evaluation.
pub(super) fn constant(text: &str) -> Option<Value> {
    let (node, _) = Parser::new(text, &Scope::default()).whole(false).ok()?;
    constant::value(&node)
}
