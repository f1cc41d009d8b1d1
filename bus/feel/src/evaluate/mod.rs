//! Evaluation: a walk over the compiled tree, within a budget.

mod arithmetic;
mod function;
mod iterate;
mod path;
mod test;

use std::sync::Arc;

use crate::limits::{Budget, Exceeded, Limits};
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

/// One evaluation under way.
pub(crate) struct Evaluation {
    pub(crate) budget: Budget,
    stack: Vec<Value>,
    base: usize,
    warnings: Vec<String>,
}

impl Evaluation {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { budget: Budget::new(limits), stack: Vec::new(), base: 0, warnings: Vec::new() }
    }

    pub(crate) fn begin(&mut self, node: &Node, slots: usize, values: &[Value]) -> Outcome {
        self.stack.extend_from_slice(values);
        self.stack.resize(slots.max(values.len()), Value::Null);
        self.value(node)
    }

    pub(crate) fn into_warnings(self) -> Vec<String> {
        self.warnings
    }

    /// Null, for a reason.
    #[cold]
    pub(crate) fn null(&mut self, why: impl FnOnce() -> String) -> Value {
        if self.warnings.len() < WARNINGS {
            let why = why();
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
            return Err(Exceeded::Depth(NESTED));
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

    fn slot(&self, slot: usize) -> &Value {
        &self.stack[self.base + slot]
    }

    fn set(&mut self, slot: usize, value: Value) {
        let at = self.base + slot;
        self.stack[at] = value;
    }

    /// A value that is already there, without a clone.
    fn lent<'a>(&'a self, node: &'a Node) -> Option<&'a Value> {
        match node {
            Node::Constant(value) => Some(value),
            Node::Slot(slot) => Some(self.slot(*slot)),
            _ => None,
        }
    }

    /// The value of an expression.
    pub(crate) fn value(&mut self, node: &Node) -> Outcome {
        match node {
            Node::Constant(value) => Ok(value.clone()),
            Node::Slot(slot) => Ok(self.slot(*slot).clone()),
            Node::Compare(comparison, left, right) => {
                self.budget.step()?;
                if let (Some(left), Some(right)) = (self.lent(left), self.lent(right))
                    && let Some(held) = test::held(*comparison, left, right)
                {
                    return Ok(Value::Boolean(held));
                }
                self.nested(node)
            }
            _ => self.nested(node),
        }
    }

    fn nested(&mut self, node: &Node) -> Outcome {
        self.budget.step()?;
        self.budget.deeper()?;
        let value = self.compound(node)?;
        self.budget.shallower();
        if matches!(node, Node::List(_) | Node::Context(_) | Node::For { .. } | Node::Builtin(..)) {
            self.shallow(&value, NESTED)?;
        }
        Ok(value)
    }

    fn compound(&mut self, node: &Node) -> Outcome {
        match node {
            Node::Constant(_) | Node::Slot(_) => self.value(node),
            Node::Entry { item, name, otherwise } => match self.slot(*item) {
                Value::Context(context) if context.get(name).is_some() => Ok(context.get(name).cloned().unwrap_or(Value::Null)),
                _ => self.value(otherwise),
            },
            Node::Unknown(name) => Ok(self.null(|| format!("there is no name '{name}' here"))),
            Node::And(left, right) => self.logic(left, right, false),
            Node::Or(left, right) => self.logic(left, right, true),
            Node::Compare(comparison, left, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                Ok(test::held(*comparison, &left, &right).map_or_else(
                    || self.null(|| format!("cannot compare {} with {}", left.type_name(), right.type_name())),
                    Value::Boolean,
                ))
            }
            Node::Arithmetic(operator, left, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                self.arithmetic(*operator, &left, &right)
            }
            Node::Negate(operand) => {
                let operand = self.value(operand)?;
                Ok(self.negated(&operand))
            }
            Node::If(branches) => {
                let [condition, then, otherwise] = &**branches;
                let chosen = matches!(self.value(condition)?, Value::Boolean(true));
                self.value(if chosen { then } else { otherwise })
            }
            Node::Between(parts) => self.between(parts),
            Node::In { slot, value, tests } => {
                let value = self.value(value)?;
                self.set(*slot, value);
                self.any_test(*slot, tests)
            }
            Node::Tests { slot, tests, negated } => self.tests(*slot, tests, *negated),
            Node::For { iterators, partial, body } => self.iteration(iterators, *partial, body),
            Node::Quantified { every, iterators, body } => self.quantified(*every, iterators, body),
            Node::List(items) => {
                self.budget.items(items.len())?;
                self.budget.memory(items.len() * size_of::<Value>())?;
                items.iter().map(|item| self.value(item)).collect::<Result<Vec<_>, _>>().map(Value::list)
            }
            Node::Context(entries) => self.context(entries),
            Node::Range { start, start_included, end, end_included, outside } => {
                let (start, end) = (self.value(start)?, self.value(end)?);
                self.range(Range { start, start_included: *start_included, end, end_included: *end_included, outside: *outside })
            }
            Node::Path(of, name) => self.path(of, name),
            Node::Filter { list, item, condition } => self.filter(list, *item, condition),
            Node::Function(body) => Ok(self.close(body)),
            Node::Builtin(function, arguments) => {
                let arguments = self.values(arguments)?;
                self.call_built_in(function, &arguments)
            }
            Node::Call(function, arguments) => {
                let function = self.value(function)?;
                let arguments = self.values(arguments)?;
                self.call(&function, arguments)
            }
            Node::CallNamed(function, arguments) => self.call_named(function, arguments),
            Node::InstanceOf(value, of) => {
                let value = self.value(value)?;
                Ok(match of {
                    crate::Type::Unknown => self.null(|| "there is no such type".to_owned()),
                    of => Value::Boolean(of.holds(&value)),
                })
            }
        }
    }

    fn values(&mut self, nodes: &[Node]) -> Result<Vec<Value>, Exceeded> {
        nodes.iter().map(|node| self.value(node)).collect()
    }

    /// `and` and `or` by three-valued logic: what is no boolean is unknown.
    fn logic(&mut self, left: &Node, right: &Node, decisive: bool) -> Outcome {
        let left = self.value(left)?;
        if matches!(left, Value::Boolean(value) if value == decisive) {
            return Ok(left);
        }
        let right = self.value(right)?;
        Ok(match (left, right) {
            (_, Value::Boolean(value)) if value == decisive => Value::Boolean(decisive),
            (Value::Boolean(_), Value::Boolean(_)) => Value::Boolean(!decisive),
            _ => Value::Null,
        })
    }

    fn between(&mut self, parts: &[Node; 3]) -> Outcome {
        let [value, from, to] = parts;
        let (value, from, to) = (self.value(value)?, self.value(from)?, self.value(to)?);
        Ok(match (compare(&value, &from), compare(&value, &to)) {
            (Some(from), Some(to)) => Value::Boolean(from.is_ge() && to.is_le()),
            _ => self.null(|| "between compares values of one type".to_owned()),
        })
    }

    fn context(&mut self, entries: &[(Arc<str>, usize, Node)]) -> Outcome {
        self.budget.memory(entries.len() * size_of::<(Arc<str>, Value)>())?;
        let mut context = Context::default();
        for (name, slot, node) in entries {
            let value = self.value(node)?;
            self.set(*slot, value.clone());
            context.set(name.clone(), value);
        }
        Ok(Value::Context(Arc::new(context)))
    }

    fn range(&mut self, range: Range) -> Outcome {
        let sound = match (&range.start, &range.end) {
            (Value::Null, Value::Null) => false,
            (Value::Null, end) => compare(end, end).is_some(),
            (start, Value::Null) => compare(start, start).is_some() || range.outside,
            (start, end) => compare(start, end).is_some_and(|order| order.is_le()),
        };
        Ok(if sound { Value::Range(Arc::new(range)) } else { self.null(|| "the ends of this range have no order".to_owned()) })
    }
}
