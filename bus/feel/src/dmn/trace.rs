//! What a model names, held to its type, and the trace of what was evaluated: what certificates are made of.

use std::fmt;
use std::sync::Arc;

use crate::evaluate::{Evaluation, Frame, Outcome};
use crate::limits::Exceeded;
use crate::node::Node;
use crate::types::Type;
use crate::value::Value;

use super::table::DecisionTable;

/// Steps that a trace keeps; a decision that takes more is none that a person could follow.
const STEPS: usize = 10_000;

/// What sort of thing a model names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// A decision.
    Decision,
    /// A business knowledge model, called.
    Knowledge,
    /// A decision service, called.
    Service,
    /// An entry of a boxed context, which leaves no trace.
    Entry,
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Decision => "decision",
            Self::Knowledge => "knowledge model",
            Self::Service => "decision service",
            Self::Entry => "entry",
        })
    }
}

/// An expression whose result has a name and a type in a model.
#[derive(Debug)]
pub(crate) struct Named {
    pub(super) element: Element,
    pub(super) name: Arc<str>,
    pub(super) id: Arc<str>,
    pub(super) of: Type,
    pub(super) node: Node,
    /// The parameters of what is called; the last values of its frame that are handed in are theirs.
    pub(super) parameters: Vec<Arc<str>>,
}

/// What was evaluated, in the order in which it ended.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    pub(super) steps: Vec<Step>,
    /// Steps that were not kept.
    pub(super) lost: usize,
}

/// One thing that was evaluated.
#[derive(Debug)]
pub(super) enum Step {
    /// A decision, or a call.
    Result { element: Element, name: Arc<str>, id: Arc<str>, arguments: Vec<(Arc<str>, Value)>, value: Value },
    /// A decision table.
    Table(Survey),
}

/// What a decision table saw and which rules made its result.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) table: Arc<DecisionTable>,
    pub(super) inputs: Vec<Value>,
    /// The rows whose outputs made the result, from 0.
    pub(super) rows: Vec<usize>,
    pub(super) runner_up: Option<RunnerUp>,
}

/// Of the rules that did not make the result, the one that came closest: the fewest columns said no (none at all: the rule did hit,
/// and the hit policy preferred another), and among those the first.
#[derive(Debug)]
pub(super) struct RunnerUp {
    pub(super) row: usize,
    /// The columns that said no.
    pub(super) against: Vec<usize>,
}

impl Trace {
    pub(super) fn add(&mut self, step: Step) {
        if self.steps.len() < STEPS {
            self.steps.push(step);
        } else {
            self.lost += 1;
        }
    }
}

impl Evaluation {
    /// The value of something that a model names.
    pub(crate) fn named(&mut self, named: &Named, frame: Frame<'_>) -> Outcome {
        let value = self.value(&named.node, frame)?;
        let value = self.of_type(&named.of, value, &named.name)?;
        if self.trace.is_some() && named.element != Element::Entry {
            self.record(named, frame, &value)?;
        }
        Ok(value)
    }

    /// A value as a type wants it; null and a warning where it is of another.
    pub(super) fn of_type(&mut self, of: &Type, value: Value, name: &str) -> Outcome {
        if matches!(of, Type::Any) || value.is_null() {
            return Ok(value);
        }
        let found = value.type_name();
        let value = of.coerce_within(value, self)?;
        if value.is_null() {
            self.null(|| format!("the value of '{name}', a {found}, is not of its type"));
        }
        Ok(value)
    }

    fn record(&mut self, named: &Named, frame: Frame<'_>, value: &Value) -> Result<(), Exceeded> {
        self.budget.parts(named.parameters.len() + 2)?;
        let first = frame.given.len().saturating_sub(named.parameters.len());
        let arguments = named.parameters.iter().cloned().zip(frame.given.get(first..).unwrap_or_default().iter().cloned());
        let step = Step::Result {
            element: named.element,
            name: named.name.clone(),
            id: named.id.clone(),
            arguments: arguments.collect(),
            value: value.clone(),
        };
        if let Some(trace) = &mut self.trace {
            trace.add(step);
        }
        Ok(())
    }
}
