//! Which rules of a table hit.

use std::sync::Arc;

use crate::dmn::trace::{RunnerUp, Step, Survey};
use crate::evaluate::{Evaluation, Frame, Outcome};
use crate::limits::Exceeded;
use crate::value::Value;

use super::cell::Cell;
use super::{DecisionTable, HitPolicy, Rule};

impl Evaluation {
    /// The result of a decision table.
    pub(crate) fn table(&mut self, table: &Arc<DecisionTable>, frame: Frame<'_>) -> Outcome {
        for input in &table.inputs {
            if let Some(node) = &input.node {
                let value = self.value(node, frame)?;
                self.set(frame, input.slot, value);
            }
            // Null passes where nobody counts on the column's values being these.
            if let Some(check) = &input.check
                && (table.total.is_some() || !self.slot(frame, input.slot).is_null())
                && self.truth(check, frame)? != Some(true)
            {
                return Ok(self.null(|| format!("the value of column '{}' is not one of those allowed", input.label)));
            }
        }
        if self.trace.is_some() {
            return self.surveyed(table, frame);
        }
        match table.hit_policy {
            HitPolicy::First => match self.hits(table, frame, 1)?.first() {
                Some(row) => self.output(table, *row, frame),
                None => self.otherwise(table, frame),
            },
            HitPolicy::Unique => {
                let hits = self.hits(table, frame, 2)?;
                self.result(table, &hits, frame).map(|(value, _)| value)
            }
            _ => {
                let hits = self.hits(table, frame, usize::MAX)?;
                self.result(table, &hits, frame).map(|(value, _)| value)
            }
        }
    }

    /// The rows that hit, the first so many of them.
    fn hits(&mut self, table: &DecisionTable, frame: Frame<'_>, most: usize) -> Result<Vec<usize>, Exceeded> {
        let index = table.index.as_ref();
        match index.and_then(|index| index.candidates(|column| self.slot(frame, table.inputs[column].slot))) {
            Some(candidates) => self.search(table, candidates, frame, most),
            None => self.search(table, 0..table.rules.len(), frame, most),
        }
    }

    fn search(
        &mut self,
        table: &DecisionTable,
        rows: impl Iterator<Item = usize>,
        frame: Frame<'_>,
        most: usize,
    ) -> Result<Vec<usize>, Exceeded> {
        let mut hits = Vec::new();
        for row in rows {
            if self.row_hits(&table.rules[row], table, frame)? {
                hits.push(row);
                if hits.len() == most {
                    break;
                }
            }
        }
        Ok(hits)
    }

    fn row_hits(&mut self, rule: &Rule, table: &DecisionTable, frame: Frame<'_>) -> Result<bool, Exceeded> {
        self.budget.steps(rule.weight)?;
        for (cell, input) in rule.cells.iter().zip(&table.inputs) {
            if !self.cell_holds(cell, input.slot, frame)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn cell_holds(&mut self, cell: &Cell, slot: usize, frame: Frame<'_>) -> Result<bool, Exceeded> {
        if let Some(holds) = cell.quickly(self.slot(frame, slot)) {
            return Ok(holds);
        }
        match cell {
            Cell::Tests(node) => Ok(self.truth(node, frame)? == Some(true)),
            _ => Ok(false),
        }
    }

    /// The result, with a look at every rule, for the trace.
    fn surveyed(&mut self, table: &Arc<DecisionTable>, frame: Frame<'_>) -> Outcome {
        let mut against: Vec<Vec<usize>> = Vec::with_capacity(table.rules.len());
        for rule in &table.rules {
            self.budget.steps(rule.weight)?;
            self.budget.memory(size_of::<Vec<usize>>())?;
            let mut columns = Vec::new();
            for (at, (cell, input)) in rule.cells.iter().zip(&table.inputs).enumerate() {
                if !self.cell_holds(cell, input.slot, frame)? {
                    columns.push(at);
                }
            }
            against.push(columns);
        }
        let hits: Vec<usize> = (0..against.len()).filter(|row| against[*row].is_empty()).collect();
        let hits = if table.hit_policy == HitPolicy::First { hits.get(..1).unwrap_or_default() } else { &hits };
        // Outputs may be tables, too: their steps come first.
        let inputs: Vec<Value> = table.inputs.iter().map(|input| self.slot(frame, input.slot).clone()).collect();
        let (value, rows) = self.result(table, hits, frame)?;
        let others = against.into_iter().enumerate().filter(|(row, _)| !rows.contains(row));
        let runner_up = others.min_by_key(|(_, columns)| columns.len()).map(|(row, against)| RunnerUp { row, against });
        if let Some(trace) = &mut self.trace {
            trace.add(Step::Table(Survey { table: table.clone(), inputs, rows, runner_up }));
        }
        Ok(value)
    }
}
