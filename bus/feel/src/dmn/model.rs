//! A model, compiled, and its evaluation.

use std::collections::HashMap;
use std::sync::Arc;

use crate::environment::Environment;
use crate::evaluate::Evaluation;
use crate::limits::Exceeded;
use crate::node::Node;
use crate::types::Type;
use crate::value::{Context, Value};

use super::definitions::{Library, Sort};
use super::table::DecisionTable;
use super::trace::Trace;
use super::xml::ReadError;

/// A model of decisions, read and compiled. Shared between threads, evaluated by any number of them at once.
#[derive(Debug)]
pub struct Model {
    /// Its name.
    pub name: Arc<str>,
    /// Its namespace, by which other models import it.
    pub namespace: Arc<str>,
    /// What tells it from other states of the same model: whoever reads the file sets it, to the SHA-256 of the file for instance.
    pub version: Arc<str>,
    /// What the model lacks: decisions without logic, which are null. Where faults were tolerated, also expressions that could not be
    /// read, which are null, and tables that are declared total and are not.
    pub faults: Vec<ReadError>,
    pub(super) units: Vec<Unit>,
    /// The value of each unit before an evaluation: the functions are there.
    initial: Vec<Value>,
    /// Inputs and decisions, by name and id.
    pub(super) data: HashMap<Arc<str>, usize>,
    /// Knowledge models and services, by name and id.
    callable: HashMap<Arc<str>, usize>,
    tables: Vec<Arc<DecisionTable>>,
}

/// A part of a model, in its own slot.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) sort: Sort,
    /// By which the model itself calls it.
    pub(super) name: Arc<str>,
    pub(super) of: Type,
    pub(super) node: Option<Node>,
    /// The decisions that are evaluated for it, itself last.
    pub(super) order: Vec<usize>,
    /// The inputs that are needed for it.
    pub(super) inputs: Vec<usize>,
}

/// A result, and what was odd on the way to it.
#[derive(Debug, Clone)]
pub struct Decided {
    /// The result; null also stands for an error, which then is among the warnings.
    pub value: Value,
    /// What was not as it should be.
    pub warnings: Vec<String>,
}

/// No result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecideError {
    /// The model has nothing of this name or id.
    #[error("the model has no {sort} '{name}'; it has: {known}")]
    Unknown {
        /// What was looked for.
        sort: &'static str,
        /// By this name.
        name: String,
        /// Names that it has.
        known: String,
    },
    /// A limit was met.
    #[error(transparent)]
    Exceeded(#[from] Exceeded),
}

/// An evaluation that came to its end.
pub(super) struct Run {
    pub(super) value: Value,
    pub(super) warnings: Vec<String>,
    pub(super) trace: Option<Box<Trace>>,
}

impl Model {
    pub(super) fn of(
        library: &Library<'_>,
        units: Vec<Unit>,
        initial: Vec<Value>,
        tables: Vec<Arc<DecisionTable>>,
        faults: Vec<ReadError>,
    ) -> Self {
        let (mut data, mut callable) = (HashMap::new(), HashMap::new());
        let mut enter = |name: Arc<str>, part: usize| {
            let names = if matches!(units[part].sort, Sort::Input | Sort::Decision) { &mut data } else { &mut callable };
            names.entry(name).or_insert(part);
        };
        // Where two parts have one name it is that of the first way to call them: the model's own, then by import, by id, alone.
        (0..units.len()).for_each(|part| enter(units[part].name.clone(), part));
        for (part, found) in library.parts.iter().enumerate() {
            enter(found.id.clone(), part);
            enter(format!("{}#{}", library.all[found.home].namespace, found.name).into(), part);
        }
        library.parts.iter().enumerate().for_each(|(part, found)| enter(found.name.clone(), part));
        let root = &library.all[0];
        let (name, namespace, version) = (root.name.clone(), root.namespace.clone(), Arc::from(""));
        Self { name, namespace, version, faults, units, initial, data, callable, tables }
    }

    /// The same model, known by a version.
    #[must_use]
    pub fn with_version(self, version: impl Into<Arc<str>>) -> Self {
        Self { version: version.into(), ..self }
    }

    /// The decision tables, as they were read.
    #[must_use]
    pub fn tables(&self) -> &[Arc<DecisionTable>] {
        &self.tables
    }

    /// The names of the decisions.
    pub fn decisions(&self) -> impl Iterator<Item = &str> {
        self.units.iter().filter(|unit| unit.sort == Sort::Decision).map(|unit| &*unit.name)
    }

    /// The names and types of the inputs.
    pub fn inputs(&self) -> impl Iterator<Item = (&str, &Type)> {
        self.units.iter().filter(|unit| unit.sort == Sort::Input).map(|unit| (&*unit.name, &unit.of))
    }

    /// Evaluates a decision, by its name or id. Inputs go by name (those of an imported model by `Import.name`, in a context
    /// `Import`, or by `namespace#name`); a decision that is among them is not evaluated but taken as given. Inputs that are missing
    /// are null, those that the model does not have are left.
    ///
    /// # Errors
    /// There is no such decision; a limit was met.
    pub fn evaluate(&self, decision: &str, inputs: &Context, environment: &Environment) -> Result<Decided, DecideError> {
        let Run { value, warnings, .. } = self.run(self.find(decision)?, inputs, environment, false)?;
        Ok(Decided { value, warnings })
    }

    /// Calls a business knowledge model or a decision service, by its name or id; arguments go by the names of the parameters.
    ///
    /// # Errors
    /// There is none of the name; a limit was met.
    pub fn call(&self, name: &str, arguments: &Context, environment: &Environment) -> Result<Decided, DecideError> {
        let part = self.callable.get(name).copied();
        let part =
            part.ok_or_else(|| self.unknown("knowledge model or decision service", name, &[Sort::Knowledge, Sort::Service]))?;
        let mut evaluation = Evaluation::new(environment);
        let function = &self.initial[part];
        let given = match function {
            Value::Function(function) => {
                let parameters = function.parameters().iter();
                parameters.map(|(name, _)| arguments.get(name).cloned().unwrap_or(Value::Null)).collect()
            }
            _ => Vec::new(),
        };
        let value = evaluation.call(function, given)?;
        evaluation.budget.given_back(&value)?;
        Ok(Decided { value, warnings: evaluation.into_warnings() })
    }

    /// The place of a decision.
    pub(super) fn find(&self, decision: &str) -> Result<usize, DecideError> {
        let part = self.data.get(decision).copied().filter(|part| self.units[*part].sort == Sort::Decision);
        part.ok_or_else(|| self.unknown("decision", decision, &[Sort::Decision]))
    }

    fn unknown(&self, sort: &'static str, name: &str, sorts: &[Sort]) -> DecideError {
        let known = self.units.iter().filter(|unit| sorts.contains(&unit.sort)).take(20);
        let known: Vec<&str> = known.map(|unit| &*unit.name).collect();
        DecideError::Unknown { sort, name: name.chars().take(100).collect(), known: known.join(", ") }
    }

    /// Evaluates a decision and all that it needs, each once.
    pub(super) fn run(
        &self,
        decision: usize,
        inputs: &Context,
        environment: &Environment,
        traced: bool,
    ) -> Result<Run, Exceeded> {
        let mut evaluation = Evaluation::new(environment);
        evaluation.trace = traced.then(Box::default);
        let mut values = self.initial.clone();
        let mut given = Vec::new();
        for (name, value) in inputs.iter() {
            self.take(name, value, &mut values, &mut given, &mut evaluation)?;
        }
        for part in &self.units[decision].order {
            if !given.contains(part)
                && let Some(node) = &self.units[*part].node
            {
                values[*part] = evaluation.begin(node, &values)?;
            }
        }
        let value = std::mem::replace(&mut values[decision], Value::Null);
        let trace = evaluation.trace.take();
        Ok(Run { value, warnings: evaluation.into_warnings(), trace })
    }

    /// Takes an input in, or a context of an import's inputs.
    fn take(
        &self,
        name: &str,
        value: &Value,
        values: &mut [Value],
        given: &mut Vec<usize>,
        evaluation: &mut Evaluation,
    ) -> Result<(), Exceeded> {
        if let Some(part) = self.data.get(name).copied() {
            values[part] = evaluation.of_type(&self.units[part].of, value.clone(), name)?;
            if self.units[part].sort == Sort::Decision {
                given.push(part);
            }
        } else if let Value::Context(entries) = value {
            for (entry, value) in entries.iter() {
                if let Some(part) = self.data.get(&*format!("{name}.{entry}")) {
                    values[*part] = evaluation.of_type(&self.units[*part].of, value.clone(), entry)?;
                }
            }
        }
        Ok(())
    }
}
