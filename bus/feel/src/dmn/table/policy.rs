//! What a table's result is made of: the outputs of the rules that hit, by its hit policy.

use std::sync::Arc;

use crate::builtin;
use crate::evaluate::{Evaluation, Frame, Outcome};
use crate::limits::Exceeded;
use crate::node::Node;
use crate::number::Number;
use crate::value::{Context, Value, equal};

use super::{Aggregation, DecisionTable, HitPolicy};

/// A result, and the rows that made it.
type Made = Result<(Value, Vec<usize>), Exceeded>;

impl Evaluation {
    /// The result of the rows that hit.
    pub(super) fn result(&mut self, table: &DecisionTable, hits: &[usize], frame: Frame<'_>) -> Made {
        let Some(first) = hits.first() else { return Ok((self.otherwise(table, frame)?, Vec::new())) };
        match table.hit_policy {
            HitPolicy::First => Ok((self.output(table, *first, frame)?, vec![*first])),
            HitPolicy::Unique if hits.len() > 1 => {
                Ok((self.null(|| format!("more than one rule of '{}' hits, where one may", table.name)), hits.to_vec()))
            }
            HitPolicy::Unique => Ok((self.output(table, *first, frame)?, vec![*first])),
            HitPolicy::Any => self.any(table, hits, frame),
            HitPolicy::Priority => {
                let mut ranked = self.ranked(table, hits, frame)?;
                let (value, row) = ranked.swap_remove(0);
                Ok((value, vec![row]))
            }
            HitPolicy::OutputOrder => {
                let (values, rows) = self.ranked(table, hits, frame)?.into_iter().unzip();
                Ok((Value::list(values), rows))
            }
            HitPolicy::RuleOrder | HitPolicy::Collect(None) => {
                Ok((Value::list(self.outputs(table, hits, frame)?), hits.to_vec()))
            }
            HitPolicy::Collect(Some(aggregation)) => {
                let values = self.outputs(table, hits, frame)?;
                Ok((self.aggregated(table, aggregation, values)?, hits.to_vec()))
            }
        }
    }

    /// The output of a rule: its only column, or a context of all.
    pub(super) fn output(&mut self, table: &DecisionTable, row: usize, frame: Frame<'_>) -> Outcome {
        match table.rules[row].results.as_slice() {
            [single] => self.value(single, frame),
            results => self.columns(table, results.iter().map(Some), frame),
        }
    }

    fn columns<'n>(
        &mut self,
        table: &DecisionTable,
        nodes: impl ExactSizeIterator<Item = Option<&'n Node>>,
        frame: Frame<'_>,
    ) -> Outcome {
        self.budget.parts(nodes.len())?;
        let mut entries = Vec::with_capacity(nodes.len());
        for (node, output) in nodes.zip(&table.outputs) {
            let value = node.map_or(Ok(Value::Null), |node| self.value(node, frame))?;
            entries.push((output.name.clone(), value));
        }
        Ok(Value::Context(Arc::new(Context::of_distinct(entries))))
    }

    /// The result where no rule hits: what the outputs' defaults say, or null, no items, or a count of none.
    pub(super) fn otherwise(&mut self, table: &DecisionTable, frame: Frame<'_>) -> Outcome {
        if table.outputs.iter().all(|output| output.default_node.is_none()) {
            return Ok(match table.hit_policy {
                HitPolicy::Collect(None) => Value::list(Vec::new()),
                HitPolicy::Collect(Some(Aggregation::Count)) => Value::Number(Number::ZERO),
                _ => Value::Null,
            });
        }
        match table.outputs.as_slice() {
            [single] => single.default_node.as_ref().map_or(Ok(Value::Null), |node| self.value(node, frame)),
            outputs => self.columns(table, outputs.iter().map(|output| output.default_node.as_ref()), frame),
        }
    }

    fn outputs(&mut self, table: &DecisionTable, rows: &[usize], frame: Frame<'_>) -> Result<Vec<Value>, Exceeded> {
        self.budget.items(rows.len())?;
        self.budget.parts(rows.len())?;
        let mut values = Vec::with_capacity(rows.len());
        for row in rows {
            values.push(self.output(table, *row, frame)?);
        }
        Ok(values)
    }

    fn any(&mut self, table: &DecisionTable, hits: &[usize], frame: Frame<'_>) -> Made {
        let values = self.outputs(table, hits, frame)?;
        let mut values = values.into_iter();
        let first = values.next().unwrap_or(Value::Null);
        for value in values {
            self.budget.weigh(&first)?;
            if equal(&first, &value) != Some(true) {
                return Ok((self.null(|| format!("rules of '{}' hit that do not say the same", table.name)), hits.to_vec()));
            }
        }
        Ok((first, hits.to_vec()))
    }

    /// The outputs with their rows, those of the highest priority first; those that no list names come last.
    fn ranked(&mut self, table: &DecisionTable, hits: &[usize], frame: Frame<'_>) -> Result<Vec<(Value, usize)>, Exceeded> {
        let values = self.outputs(table, hits, frame)?;
        let mut ranked = Vec::with_capacity(values.len());
        for (value, row) in values.into_iter().zip(hits) {
            self.budget.steps(table.outputs.iter().map(|output| output.priorities.len()).sum())?;
            ranked.push((rank(table, &value), value, *row));
        }
        ranked.sort_by(|(a, ..), (b, ..)| a.cmp(b));
        Ok(ranked.into_iter().map(|(_, value, row)| (value, row)).collect())
    }

    fn aggregated(&mut self, table: &DecisionTable, aggregation: Aggregation, values: Vec<Value>) -> Outcome {
        if table.outputs.len() == 1 {
            return self.aggregate(aggregation, values);
        }
        let mut entries = Vec::with_capacity(table.outputs.len());
        for output in &table.outputs {
            let of_column = values.iter().map(|value| entry(value, &output.name).cloned().unwrap_or(Value::Null)).collect();
            entries.push((output.name.clone(), self.aggregate(aggregation, of_column)?));
        }
        Ok(Value::Context(Arc::new(Context::of_distinct(entries))))
    }

    fn aggregate(&mut self, aggregation: Aggregation, values: Vec<Value>) -> Outcome {
        let name = match aggregation {
            Aggregation::Sum => "sum",
            Aggregation::Min => "min",
            Aggregation::Max => "max",
            Aggregation::Count => "count",
        };
        match builtin::ALL.iter().find(|known| known.name == name) {
            Some(function) => self.call_built_in(function, &[Value::list(values)]),
            None => Ok(Value::Null),
        }
    }
}

fn entry<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match value {
        Value::Context(context) => context.get(name),
        _ => None,
    }
}

/// The place of an output among the values of each column, the first column first.
fn rank(table: &DecisionTable, value: &Value) -> Vec<usize> {
    let single = table.outputs.len() == 1;
    let of_column = |name: &str| if single { Some(value) } else { entry(value, name) };
    let place = |output: &super::OutputClause| {
        let value = of_column(&output.name)?;
        output.priorities.iter().position(|known| equal(known, value) == Some(true))
    };
    table.outputs.iter().map(|output| place(output).unwrap_or(usize::MAX)).collect()
}
