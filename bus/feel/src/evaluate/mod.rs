//! Evaluation: a walk over the compiled tree, within a budget.

mod arithmetic;
pub(crate) mod condition;
mod function;
mod iterate;
mod path;
pub(crate) mod stack;

use std::sync::Arc;
use std::time::SystemTime;

use crate::environment::Environment;
use crate::limits::{Budget, Exceeded};
use crate::node::Node;
use crate::value::{Context, Range, Value, compare};

pub use function::Function;
pub(crate) use function::place;

/// A value, or the limit that was met.
pub(crate) type Outcome = Result<Value, Exceeded>;

/// How deeply lists and contexts may hold one another.
pub(crate) const NESTED: u32 = 128;

/// Warnings kept of one evaluation.
const WARNINGS: usize = 32;

/// Of each.
const WARNING_CHARACTERS: usize = 200;

static NULL: Value = Value::Null;

/// One evaluation under way.
pub(crate) struct Evaluation {
    /// The moment, and the offset of the clock that shows it.
    pub(crate) now: (Option<SystemTime>, i32),
    pub(crate) budget: Budget,
    /// The slots of all frames under way that are not handed in, as far as they were set.
    stack: Vec<Value>,
    warnings: Vec<String>,
    /// What a decision's certificate is made of, where one is wanted.
    pub(crate) trace: Option<Box<crate::dmn::Trace>>,
}

/// The slots that an expression sees: those handed in (the scope's values, a function's arguments) are read where they are; its own
/// follow on the stack of the evaluation.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) given: &'a [Value],
    base: usize,
}

impl Evaluation {
    pub(crate) fn new(environment: &Environment) -> Self {
        let now = (environment.now, environment.offset_seconds);
        Self { now, budget: Budget::new(&environment.limits), stack: Vec::new(), warnings: Vec::new(), trace: None }
    }

    pub(crate) fn begin(&mut self, node: &Node, values: &[Value]) -> Outcome {
        let value = self.value(node, Frame { given: values, base: self.stack.len() })?;
        self.stack.clear();
        if !value.is_short() {
            self.budget.given_back(&value)?;
        }
        Ok(value)
    }

    /// Whether the tests of another expression hold for a value, on the same budget.
    pub(crate) fn holds_for(&mut self, node: &Node, value: &Value) -> Result<bool, Exceeded> {
        let base = self.stack.len();
        let held = self.truth(node, Frame { given: std::slice::from_ref(value), base })?;
        self.stack.truncate(base);
        Ok(held == Some(true))
    }

    pub(crate) fn into_warnings(self) -> Vec<String> {
        self.warnings
    }

    /// Null, for a reason.
    #[cold]
    pub(crate) fn null(&mut self, why: impl FnOnce() -> String) -> Value {
        if self.warnings.len() < WARNINGS {
            let why: String = why().chars().take(WARNING_CHARACTERS).collect();
            if !self.warnings.contains(&why) {
                self.warnings.push(why);
            }
        }
        Value::Null
    }

    /// Refuses a value that holds lists or contexts nested too deeply: it could not even be given back.
    pub(crate) fn shallow(&mut self, value: &Value, levels: u32) -> Result<(), Exceeded> {
        let (Value::List(_) | Value::Context(_)) = value else { return Ok(()) };
        if levels == 0 {
            return Err(Exceeded::Nesting(NESTED));
        }
        match value {
            Value::List(items) => {
                self.budget.steps(1 + items.len() / 16)?;
                items.iter().try_for_each(|item| self.shallow(item, levels - 1))
            }
            Value::Context(context) => {
                self.budget.steps(1 + context.iter().len() / 16)?;
                context.iter().try_for_each(|(_, value)| self.shallow(value, levels - 1))
            }
            _ => Ok(()),
        }
    }

    fn made(&mut self, value: Value) -> Outcome {
        self.shallow(&value, NESTED)?;
        Ok(value)
    }

    pub(crate) fn slot<'a>(&'a self, frame: Frame<'a>, slot: usize) -> &'a Value {
        match frame.given.get(slot) {
            Some(given) => given,
            None => self.stack.get(frame.base + slot - frame.given.len()).unwrap_or(&NULL),
        }
    }

    pub(crate) fn set(&mut self, frame: Frame<'_>, slot: usize, value: Value) {
        let at = frame.base + slot - frame.given.len();
        if at >= self.stack.len() {
            self.stack.resize(at + 1, Value::Null);
        }
        self.stack[at] = value;
    }

    /// Takes what a slot of the frame's own holds.
    fn take(&mut self, frame: Frame<'_>, slot: usize) -> Value {
        let taken = self.stack.get_mut(frame.base + slot - frame.given.len());
        taken.map_or(Value::Null, |value| std::mem::replace(value, Value::Null))
    }

    /// A value that is already there, without a clone.
    fn lent<'a>(&'a self, node: &'a Node, frame: Frame<'a>) -> Option<&'a Value> {
        match node {
            Node::Constant(value) => Some(value),
            Node::Slot(slot) => Some(self.slot(frame, *slot)),
            Node::Path(of, name) => path::lent_entry(self.lent(of, frame)?, name),
            Node::Entry { item, name, .. } => path::lent_entry(self.slot(frame, *item), name),
            _ => None,
        }
    }

    /// The value of an expression.
    pub(crate) fn value(&mut self, node: &Node, frame: Frame<'_>) -> Outcome {
        match node {
            Node::Constant(value) => return Ok(value.clone()),
            Node::Slot(slot) => return Ok(self.slot(frame, *slot).clone()),
            _ => {}
        }
        self.budget.step()?;
        if self.budget.stack_is_low() {
            return self.on_a_larger_stack(node, frame);
        }
        self.budget.deeper()?;
        let value = self.compound(node, frame)?;
        self.budget.shallower();
        Ok(value)
    }

    /// Every arm is one call: what an arm keeps on the thread's stack, all of them pay for at each level.
    fn compound(&mut self, node: &Node, frame: Frame<'_>) -> Outcome {
        match node {
            Node::Constant(_) | Node::Slot(_) => self.value(node, frame),
            Node::And(..)
            | Node::Or(..)
            | Node::Compare(..)
            | Node::Between(_)
            | Node::In { .. }
            | Node::Tests { .. }
            | Node::Quantified { .. } => self.condition(node, frame),
            Node::Entry { item, name, otherwise } => self.entry(*item, name, otherwise, frame),
            Node::Unknown(name) => self.unknown(name),
            Node::Arithmetic(operator, left, right) => self.calculation(*operator, left, right, frame),
            Node::Negate(operand) => self.negation(operand, frame),
            Node::If(branches) => self.branch(branches, frame),
            Node::For { iterators, partial, body } => self.iteration(iterators, *partial, body, frame),
            Node::List(items) => self.list(items, frame),
            Node::Context(entries) => self.context(entries, frame),
            Node::Range { start, start_included, end, end_included, outside, compared } => {
                self.range(start, end, [*start_included, *end_included, *outside, *compared], frame)
            }
            Node::Path(of, name) => self.path(of, name, frame),
            Node::Filter { list, item, condition, boxed } => self.filter(list, *item, condition, *boxed, frame),
            Node::Function(body) => self.close(body, frame),
            Node::Builtin(function, arguments) => self.builtin(function, arguments, frame),
            Node::Call(function, arguments) => self.application(function, arguments, frame),
            Node::CallNamed(function, arguments) => self.call_named(function, arguments, frame),
            Node::InstanceOf(value, of) => self.instance(value, of, frame),
            Node::Table(table) => self.table(table, frame),
            Node::Named(named) => self.named(named, frame),
        }
    }

    fn values(&mut self, nodes: &[Node], frame: Frame<'_>) -> Result<Vec<Value>, Exceeded> {
        let mut values = Vec::with_capacity(nodes.len());
        for node in nodes {
            values.push(self.value(node, frame)?);
        }
        Ok(values)
    }

    fn unknown(&mut self, name: &str) -> Outcome {
        Ok(self.null(|| format!("there is no name '{name}' here")))
    }

    fn branch(&mut self, branches: &[Node; 3], frame: Frame<'_>) -> Outcome {
        let [condition, then, otherwise] = branches;
        let chosen = self.truth(condition, frame)? == Some(true);
        self.value(if chosen { then } else { otherwise }, frame)
    }

    fn list(&mut self, items: &[Node], frame: Frame<'_>) -> Outcome {
        self.budget.items(items.len())?;
        self.budget.parts(items.len())?;
        let items = self.values(items, frame)?;
        self.made(Value::list(items))
    }

    fn context(&mut self, entries: &[(Arc<str>, usize, Node)], frame: Frame<'_>) -> Outcome {
        self.budget.items(entries.len())?;
        self.budget.parts(entries.len())?;
        let mut context = Vec::with_capacity(entries.len());
        for (name, slot, node) in entries {
            let value = self.value(node, frame)?;
            self.set(frame, *slot, value.clone());
            context.push((name.clone(), value));
        }
        self.made(Value::Context(Arc::new(Context::of_distinct(context))))
    }

    fn range(&mut self, start: &Node, end: &Node, marks: [bool; 4], frame: Frame<'_>) -> Outcome {
        let (start, end) = (self.value(start, frame)?, self.value(end, frame)?);
        let [start_included, end_included, outside, compared] = marks;
        self.budget.parts(2)?;
        let sound = match (&start, &end) {
            (Value::Null, Value::Null) => false,
            (Value::Null, end) => compare(end, end).is_some(),
            (start, Value::Null) => compare(start, start).is_some() || outside,
            (start, end) => compare(start, end).is_some_and(|order| order.is_le()),
        };
        let range = Range { start, start_included, end, end_included, outside, compared };
        Ok(if sound { Value::Range(Arc::new(range)) } else { self.null(|| "the ends of this range have no order".to_owned()) })
    }

    fn instance(&mut self, value: &Node, of: &crate::Type, frame: Frame<'_>) -> Outcome {
        let value = self.value(value, frame)?;
        Ok(match of {
            crate::Type::Unknown => self.null(|| "there is no such type".to_owned()),
            of => Value::Boolean(of.holds_within(&value, self)?),
        })
    }
}
