//! What would have changed a decision: one input at a time, the values at which the tables' cells change their answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::number::{Number, Rounding};
use crate::value::{Context, Value, equal};

use super::certificate::Certificate;
use super::model::{DecideError, Model};
use super::trace::Step;
use super::written;

/// Values tried for one input, or one entry of it.
const TRIED: usize = 200;

/// Evaluations in all.
const EVALUATIONS: usize = 1_000;

/// Another value of one input, and the outcome it would have had.
#[derive(Debug, Clone)]
pub struct Change {
    /// The input.
    pub input: Arc<str>,
    /// The entry of it, and of that; none where it is the input as a whole.
    pub entries: Vec<Arc<str>>,
    /// Its other value.
    pub value: Value,
    /// The outcome with it.
    pub outcome: Value,
}

impl Change {
    /// As JSON, its values as in a certificate.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let entries: Vec<&str> = self.entries.iter().map(|entry| &**entry).collect();
        let (value, outcome) = (written::value(&self.value), written::value(&self.outcome));
        json!({ "input": &*self.input, "entries": entries, "value": value, "outcome": outcome })
    }
}

impl Model {
    /// For one input at a time, the values that would have changed the outcome. Tried are the constants of the cells whose column is
    /// that input (or an entry of it) in the tables on the way to this decision, and of ranges the values on either side of their
    /// ends: 200 at most of each input, 1,000 in all. Inputs that reach a table only by a calculation are not tried.
    ///
    /// # Errors
    /// The model has no such decision. A value with which a limit is met is left out.
    pub fn what_if(&self, certificate: &Certificate) -> Result<Vec<Change>, DecideError> {
        let decision = self.find(&certificate.decision)?;
        let environment = certificate.environment();
        let run = self.run(decision, &certificate.inputs, &environment, true)?;
        let mut constants: BTreeMap<(usize, Vec<Arc<str>>), Vec<Value>> = BTreeMap::new();
        for step in run.trace.map(|trace| trace.steps).unwrap_or_default() {
            let Step::Table(survey) = step else { continue };
            for (column, input) in survey.table.inputs.iter().enumerate() {
                if let Some(source) = &input.source {
                    constants.entry(source.clone()).or_default().extend(survey.table.constants(column));
                }
            }
        }
        let mut changes = Vec::new();
        let mut left = EVALUATIONS;
        for ((part, entries), constants) in constants {
            let name = &self.units[part].name;
            for value in worth_trying(constants) {
                let Some(inputs) = with(&certificate.inputs, name, &entries, &value) else { continue };
                if left == 0 {
                    return Ok(changes);
                }
                left -= 1;
                if let Ok(run) = self.run(decision, &inputs, &environment, false)
                    && equal(&run.value, &certificate.outcome) != Some(true)
                {
                    changes.push(Change { input: name.clone(), entries: entries.clone(), value, outcome: run.value });
                }
            }
        }
        Ok(changes)
    }
}

/// The inputs with another value of one of them; nothing where it has that value, or there is no such entry.
fn with(inputs: &Context, name: &Arc<str>, entries: &[Arc<str>], value: &Value) -> Option<Context> {
    let current = inputs.get(name).unwrap_or(&Value::Null);
    let other = match entries.split_first() {
        None if equal(current, value) == Some(true) => return None,
        None => value.clone(),
        Some((first, rest)) => {
            let Value::Context(current) = current else { return None };
            current.get(first)?;
            Value::Context(Arc::new(with(current, first, rest, value)?))
        }
    };
    let mut changed = inputs.clone();
    changed.set(name.clone(), other);
    Some(changed)
}

/// The constants once each, in their order where they have one, and the values between and around them.
fn worth_trying(constants: Vec<Value>) -> Vec<Value> {
    let mut numbers: Vec<Number> = Vec::new();
    let mut others: Vec<Value> = Vec::new();
    for constant in constants.into_iter().take(10_000) {
        match constant {
            Value::Number(number) => numbers.push(number),
            Value::Boolean(truth) => others.extend([Value::Boolean(truth), Value::Boolean(!truth)]),
            Value::Date(date) => {
                others.extend(date.yesterday().map(Value::Date));
                others.push(Value::Date(date));
                others.extend(date.tomorrow().map(Value::Date));
            }
            other => others.push(other),
        }
    }
    numbers.sort();
    numbers.dedup();
    let mut worth: Vec<Value> = around(&numbers).into_iter().map(Value::Number).collect();
    for value in others {
        if worth.len() >= TRIED {
            break;
        }
        if !worth.iter().any(|known| equal(known, &value) == Some(true)) {
            worth.push(value);
        }
    }
    worth.truncate(TRIED);
    worth
}

/// Numbers in order, with one below, one between each two, and one above. Where all are whole numbers, so are those.
fn around(numbers: &[Number]) -> Vec<Number> {
    let whole = numbers.iter().all(|number| number.is_integer());
    let mut found = Vec::new();
    found.extend(numbers.first().and_then(|first| first.minus(Number::ONE)));
    for (at, number) in numbers.iter().enumerate() {
        found.push(*number);
        let middle = numbers.get(at + 1).and_then(|next| number.plus(*next)?.divided_by(Number::from(2_i64)));
        let middle = if whole { middle.and_then(|middle| middle.rounded(0, Rounding::Floor)) } else { middle };
        found.extend(middle.filter(|middle| middle > number));
    }
    found.extend(numbers.last().and_then(|last| last.plus(Number::ONE)));
    found
}
