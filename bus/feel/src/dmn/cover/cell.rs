//! A cell of a decision table as the examination reads it: its tests, and the constants that they are made of.

use crate::Scope;
use crate::evaluate::Evaluation;
use crate::limits::Limits;
use crate::node::{Comparison, Node, Test};
use crate::parse::Parser;
use crate::value::Value;

/// Tests made of nothing but constants: their answer changes only at those.
#[derive(Debug)]
pub(super) struct Cell {
    node: Node,
    slots: usize,
    pub(super) constants: Vec<Value>,
    /// Whether more than equality is tested.
    pub(super) ordered: bool,
}

impl Cell {
    /// Reads a cell; nothing where it asks for more than constants.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = if text.trim().is_empty() { "-" } else { text };
        let (node, slots, _) = Parser::new(text, &Scope::of(&["?"])).whole(true).ok()?;
        let Node::Tests { tests, .. } = &node else { return None };
        let mut found = Found { constants: Vec::new(), ordered: false, slots };
        found.tests(tests)?;
        let Found { constants, ordered, .. } = found;
        Some(Self { node, slots, constants, ordered })
    }

    /// Whether the cell lets a value pass, told by the very evaluation that a decision uses.
    pub(super) fn holds(&self, value: &Value) -> bool {
        let found = Evaluation::new(Limits::default()).begin(&self.node, self.slots, std::slice::from_ref(value));
        matches!(found, Ok(Value::Boolean(true)))
    }
}

struct Found {
    constants: Vec<Value>,
    ordered: bool,
    slots: usize,
}

impl Found {
    fn tests(&mut self, tests: &[Test]) -> Option<()> {
        tests.iter().try_for_each(|test| match test {
            Test::Any => Some(()),
            Test::Compare(comparison, node) => {
                self.ordered |= !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
                self.value(&closed(node, self.slots)?)
            }
            Test::Expression(node) => self.value(&closed(node, self.slots)?),
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
    let (node, slots, _) = Parser::new(text, &Scope::default()).whole(false).ok()?;
    closed(&node, slots)
}

/// A constant that is a mistake (`[9..3]`, `date("soon")`) gives null and a warning, and is none.
fn closed(node: &Node, slots: usize) -> Option<Value> {
    if !fixed(node) {
        return None;
    }
    let mut evaluation = Evaluation::new(Limits::default());
    let value = evaluation.begin(node, slots, &[]).ok()?;
    evaluation.into_warnings().is_empty().then_some(value)
}

/// Functions that make the values which FEEL has no literals for.
const MAKERS: [&str; 5] = ["date", "time", "date and time", "duration", "years and months duration"];

fn fixed(node: &Node) -> bool {
    match node {
        Node::Constant(_) => true,
        Node::Negate(node) => fixed(node),
        Node::List(nodes) => nodes.iter().all(fixed),
        Node::Range { start, end, .. } => fixed(start) && fixed(end),
        Node::Builtin(function, nodes) => MAKERS.contains(&function.name) && nodes.iter().all(fixed),
        _ => false,
    }
}
