//! The index of a large table: by a column's value, the rows that can hit, so that not every row is looked at.

use std::collections::HashMap;
use std::sync::Arc;

use crate::number::Number;
use crate::value::Value;

use super::Rule;
use super::cell::Cell;

/// A smaller table is looked through as quickly.
const LEAST_RULES: usize = 24;

/// For each column of inputs, if it has one, its rows by value.
#[derive(Debug)]
pub(super) struct Index(Vec<Option<Column>>);

/// The rows of one column. A value's rows are those that name it, and those whose cell is no list of constants.
#[derive(Debug, Default)]
struct Column {
    texts: HashMap<Arc<str>, Vec<usize>>,
    numbers: HashMap<(i128, i32), Vec<usize>>,
    truths: [Vec<usize>; 2],
    others: Vec<usize>,
}

/// The rows that can hit, in their order: two lists that are, merged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidates<'a> {
    named: &'a [usize],
    others: &'a [usize],
}

impl Candidates<'_> {
    fn len(&self) -> usize {
        self.named.len() + self.others.len()
    }
}

impl Iterator for Candidates<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let from_named = match (self.named.first(), self.others.first()) {
            (Some(named), Some(other)) => named < other,
            (named, _) => named.is_some(),
        };
        let list = if from_named { &mut self.named } else { &mut self.others };
        let (first, rest) = list.split_first()?;
        *list = rest;
        Some(*first)
    }
}

/// A number in one form: 1.50 and 1.5 are the same.
fn key(number: Number) -> (i128, i32) {
    let (mut coefficient, mut exponent) = number.parts();
    if coefficient == 0 {
        return (0, 0);
    }
    while coefficient % 10 == 0 {
        coefficient /= 10;
        exponent += 1;
    }
    (coefficient, exponent)
}

impl Index {
    /// The index of rules; nothing where it would not help.
    pub(super) fn of(rules: &[Rule], columns: usize) -> Option<Self> {
        if rules.len() < LEAST_RULES {
            return None;
        }
        let columns: Vec<Option<Column>> = (0..columns).map(|column| Column::of(rules, column)).collect();
        columns.iter().any(Option::is_some).then_some(Self(columns))
    }

    /// The fewest rows that can hit for these values of the columns; nothing where all can.
    pub(super) fn candidates<'v>(&self, value: impl Fn(usize) -> &'v Value) -> Option<Candidates<'_>> {
        let columns = self.0.iter().enumerate();
        let found = columns.filter_map(|(at, column)| column.as_ref()?.candidates(value(at)));
        found.min_by_key(Candidates::len)
    }
}

impl Column {
    /// Nothing where few cells are lists of constants.
    fn of(rules: &[Rule], column: usize) -> Option<Self> {
        let mut index = Self::default();
        for (row, rule) in rules.iter().enumerate() {
            let constants = match rule.cells.get(column)? {
                Cell::OneOf(constants) if constants.iter().all(is_key) => constants,
                _ => {
                    index.others.push(row);
                    continue;
                }
            };
            for constant in constants {
                let rows = match constant {
                    Value::Text(text) => index.texts.entry(text.clone()).or_default(),
                    Value::Number(number) => index.numbers.entry(key(*number)).or_default(),
                    Value::Boolean(truth) => &mut index.truths[usize::from(*truth)],
                    _ => return None,
                };
                // A cell may name a value twice.
                if rows.last() != Some(&row) {
                    rows.push(row);
                }
            }
        }
        (index.others.len() * 2 <= rules.len()).then_some(index)
    }

    /// The rows for a value; nothing for one that is not looked up: a list may be equal to a cell in more than one way.
    fn candidates(&self, value: &Value) -> Option<Candidates<'_>> {
        let named = match value {
            Value::Text(text) => self.texts.get(text),
            Value::Number(number) => self.numbers.get(&key(*number)),
            Value::Boolean(truth) => Some(&self.truths[usize::from(*truth)]),
            _ => return None,
        };
        Some(Candidates { named: named.map_or(&[], Vec::as_slice), others: &self.others })
    }
}

fn is_key(value: &Value) -> bool {
    matches!(value, Value::Text(_) | Value::Number(_) | Value::Boolean(_))
}
