//! What an expression gives, which parts of its variables it reads, and what in it can never be: told before there is a value.

mod builtin;
mod operator;
mod shape;

use std::sync::Arc;

use crate::expression::Expression;
use crate::node::{Body, Iterator, Node, Test};
use crate::types::Type;

pub use shape::{Schema, Shape, Span};

/// What is known of an expression.
#[derive(Debug, Clone)]
pub struct Inferred {
    /// What it gives.
    pub shape: Shape,
    /// What it reads: a variable by its place in the scope, and the names of entries from there. All below is read too.
    pub reads: Vec<(usize, Vec<Arc<str>>)>,
    /// What in it can never be as it is written.
    pub problems: Vec<String>,
}

/// A shape, and where in the variables the value comes from.
#[derive(Debug, Clone)]
struct Known {
    shape: Shape,
    from: Option<(usize, Vec<Arc<str>>)>,
}

impl From<Shape> for Known {
    fn from(shape: Shape) -> Self {
        Self { shape, from: None }
    }
}

/// Infers what an expression gives, from what is known of its variables.
#[must_use]
pub fn infer(expression: &Expression, variables: &[Shape]) -> Inferred {
    let slots = variables.iter().enumerate().map(|(place, shape)| Known { shape: shape.clone(), from: Some((place, vec![])) });
    let mut walk = Walk { slots: slots.collect(), reads: Vec::new(), problems: Vec::new() };
    let shape = walk.value(expression.node());
    Inferred { shape, reads: walk.reads, problems: walk.problems }
}

struct Walk {
    slots: Vec<Known>,
    reads: Vec<(usize, Vec<Arc<str>>)>,
    problems: Vec<String>,
}

impl Walk {
    /// A value that is used: all of it is read.
    fn value(&mut self, node: &Node) -> Shape {
        let known = self.known(node);
        if let Some(from) = known.from
            && !self.reads.contains(&from)
        {
            self.reads.push(from);
        }
        known.shape
    }

    fn values<'a>(&mut self, nodes: impl IntoIterator<Item = &'a Node>) -> Vec<Shape> {
        nodes.into_iter().map(|node| self.value(node)).collect()
    }

    fn problem(&mut self, problem: String) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    fn slot(&self, slot: usize) -> Known {
        self.slots.get(slot).cloned().unwrap_or(Shape::Unknown.into())
    }

    fn set(&mut self, slot: usize, known: Known) {
        if self.slots.len() <= slot {
            self.slots.resize(slot + 1, Shape::Unknown.into());
        }
        self.slots[slot] = known;
    }

    /// A value of which perhaps only a part will be used.
    fn known(&mut self, node: &Node) -> Known {
        match node {
            Node::Slot(slot) => self.slot(*slot),
            Node::Path(of, name) => {
                let of = self.known(of);
                self.part(&of, name)
            }
            Node::Filter { list, item, condition, .. } => {
                let list = self.known(list);
                self.set(*item, Known { shape: list.shape.item(), from: list.from.clone() });
                let index = matches!(self.value(condition), Shape::Number(_));
                let item = list.shape.item();
                let shape = match (&list.shape, index) {
                    (Shape::Unknown, _) => Shape::Unknown,
                    (_, true) => item,
                    _ => Shape::list(item),
                };
                Known { shape, from: list.from }
            }
            Node::Entry { item, name, otherwise } => {
                let item = self.slot(*item);
                match has(&item.shape, name) {
                    Some(true) => self.part(&item, name),
                    Some(false) => self.known(otherwise),
                    None => {
                        self.value(otherwise);
                        Shape::Unknown.into()
                    }
                }
            }
            node => self.made(node).into(),
        }
    }

    /// A value that the expression makes.
    fn made(&mut self, node: &Node) -> Shape {
        match node {
            Node::Constant(value) => Shape::of(value),
            Node::Slot(_) | Node::Path(..) | Node::Filter { .. } | Node::Entry { .. } => self.known(node).shape,
            // Only models of decisions are made of tables and what they name; no expression that is written is.
            Node::Unknown(_) | Node::Table(_) | Node::Named(_) => Shape::Unknown,
            Node::Negate(of) => match self.value(of) {
                Shape::Number(span) => Shape::Number(span.negated()),
                other => other,
            },
            Node::Arithmetic(operator, left, right) => {
                let (left, right) = (self.value(left), self.value(right));
                self.arithmetic(*operator, &left, &right)
            }
            Node::Compare(_, left, right) => {
                let (left, right) = (self.value(left), self.value(right));
                self.comparable(&left, &right);
                Shape::Boolean
            }
            Node::Between(parts) => {
                let shapes = self.values(parts.iter());
                shapes[1..].iter().for_each(|bound| self.comparable(&shapes[0], bound));
                Shape::Boolean
            }
            Node::In { slot, value, tests } => {
                let value = self.value(value);
                self.set(*slot, value.into());
                self.tests(tests);
                Shape::Boolean
            }
            Node::Tests { tests, .. } => {
                self.tests(tests);
                Shape::Boolean
            }
            Node::And(left, right) | Node::Or(left, right) => {
                self.values([&**left, &**right]);
                Shape::Boolean
            }
            Node::If(parts) => {
                self.value(&parts[0]);
                self.value(&parts[1]).or(self.value(&parts[2]))
            }
            Node::For { iterators, partial, body } => {
                self.iterators(iterators);
                if let Some(partial) = partial {
                    self.set(*partial, Shape::list(Shape::Unknown).into());
                }
                Shape::list(self.value(body))
            }
            Node::Quantified { iterators, body, .. } => {
                self.iterators(iterators);
                self.value(body);
                Shape::Boolean
            }
            Node::List(items) => Shape::list(self.values(items).into_iter().fold(Shape::Null, Shape::or)),
            Node::Context(entries) => {
                let mut shapes = Vec::with_capacity(entries.len());
                for (name, slot, node) in entries {
                    let shape = self.value(node);
                    self.set(*slot, shape.clone().into());
                    shapes.push((name.clone(), shape));
                }
                Shape::Context(Arc::new(shapes))
            }
            Node::Range { start, end, .. } => Shape::Range(Arc::new(self.value(start).or(self.value(end)))),
            Node::Function(body) => {
                self.function(body);
                Shape::Function
            }
            Node::Call(function, arguments) => {
                self.value(function);
                self.values(arguments);
                Shape::Unknown
            }
            Node::CallNamed(function, arguments) => {
                self.value(function);
                self.values(arguments.iter().map(|(_, argument)| argument));
                Shape::Unknown
            }
            Node::Builtin(function, arguments) => {
                let shapes = self.values(arguments);
                builtin::given(function.name, &shapes)
            }
            Node::InstanceOf(value, _) => {
                self.value(value);
                Shape::Boolean
            }
        }
    }

    fn iterators(&mut self, iterators: &[Iterator]) {
        for Iterator { slot, domain, to } in iterators {
            let known = self.known(domain);
            let item = match to {
                Some(to) => known.shape.or(self.value(to)).into(),
                None => Known { shape: known.shape.item(), from: known.from },
            };
            self.set(*slot, item);
        }
    }

    fn tests(&mut self, tests: &[Test]) {
        for test in tests {
            match test {
                Test::Any => {}
                Test::Compare(_, node) | Test::Condition(node) | Test::Expression(node) => {
                    self.value(node);
                }
                Test::Not(tests) => self.tests(tests),
            }
        }
    }

    /// A function's body, in slots of its own.
    fn function(&mut self, body: &Body) {
        let mut own = vec![Known::from(Shape::Unknown); body.slots];
        for (outer, inner) in &body.captures {
            own[*inner] = self.slot(*outer);
        }
        let first = body.itself.map_or(0, |itself| itself + 1);
        for (place, (_, of)) in body.parameters.iter().enumerate() {
            if let Some(slot) = own.get_mut(first + place) {
                *slot = of_type(of).into();
            }
        }
        let around = std::mem::replace(&mut self.slots, own);
        self.value(&body.code);
        self.slots = around;
    }

    /// An entry or property of a value.
    fn part(&mut self, of: &Known, name: &Arc<str>) -> Known {
        let from = of.from.as_ref().map(|(variable, path)| (*variable, path.iter().chain([name]).cloned().collect()));
        let shape = match &of.shape {
            Shape::List(item) => {
                let item = Known { shape: (**item).clone(), from: of.from.clone() };
                Shape::list(self.part(&item, name).shape)
            }
            Shape::Record(schema) => match schema.entry(name) {
                Some(shape) => shape,
                None => {
                    let known: Vec<String> = schema.entries().iter().map(ToString::to_string).collect();
                    self.problem(format!("{} has no '{name}' (it has: {})", schema.name(), known.join(", ")));
                    Shape::Unknown
                }
            },
            Shape::Context(entries) => match entries.iter().find(|(entry, _)| entry == name) {
                Some((_, shape)) => shape.clone(),
                None => {
                    self.problem(format!("the context has no '{name}'"));
                    Shape::Unknown
                }
            },
            Shape::Map(value) => (**value).clone(),
            Shape::Boolean | Shape::Number(_) | Shape::Text(_) => {
                self.problem(format!("a {} has no '{name}'", of.shape.type_name()));
                Shape::Unknown
            }
            Shape::Range(end) if matches!(&**name, "start" | "end") => (**end).clone(),
            _ => Shape::Unknown,
        };
        let whole = matches!(of.shape, Shape::Context(_) | Shape::Map(_) | Shape::Record(_) | Shape::List(_) | Shape::Unknown);
        // A property of a date reads the date.
        Known { shape, from: if whole { from } else { of.from.clone() } }
    }
}

/// Whether a filter's item has an entry of that name; nothing where nobody knows.
fn has(item: &Shape, name: &Arc<str>) -> Option<bool> {
    match item {
        Shape::Record(schema) => Some(schema.entry(name).is_some()),
        Shape::Context(entries) => Some(entries.iter().any(|(entry, _)| entry == name)),
        Shape::Unknown | Shape::Map(_) | Shape::Either(_) => None,
        _ => Some(false),
    }
}

fn of_type(of: &Type) -> Shape {
    match of {
        Type::Simple("number") => Shape::NUMBER,
        Type::Simple("string") => Shape::TEXT,
        Type::Simple("boolean") => Shape::Boolean,
        Type::Simple("date") => Shape::Date,
        _ => Shape::Unknown,
    }
}
