//! What the rules of a table say, and which of two decides where both hit.

use crate::value::{Value, equal};

use super::cell::constant;
use super::{Policy, Table};

/// The outputs of every rule.
pub(super) struct Outcomes {
    policy: Policy,
    rules: Vec<Outcome>,
}

struct Outcome {
    texts: Vec<String>,
    values: Vec<Option<Value>>,
    /// For each output with an order its place there; nothing where one cannot be told.
    rank: Option<Vec<usize>>,
}

pub(super) fn read(table: &Table) -> Outcomes {
    let orders: Vec<Vec<Option<Value>>> =
        table.outputs.iter().map(|values| values.iter().map(|text| constant(text)).collect()).collect();
    let rules = table.rules.iter().map(|rule| {
        let values: Vec<Option<Value>> = rule.outputs.iter().map(|text| constant(text)).collect();
        let ordered = values.iter().zip(&orders).filter(|(_, order)| !order.is_empty());
        let rank = ordered.map(|(value, order)| place(value.as_ref()?, order)).collect();
        Outcome { texts: rule.outputs.iter().map(|text| text.trim().to_owned()).collect(), values, rank }
    });
    Outcomes { policy: table.policy, rules: rules.collect() }
}

/// A value's place in the order of priority; one that is not there comes last.
fn place(value: &Value, order: &[Option<Value>]) -> Option<usize> {
    for (place, other) in order.iter().enumerate() {
        if equal(value, other.as_ref()?) == Some(true) {
            return Some(place);
        }
    }
    Some(order.len())
}

impl Outcomes {
    /// Whether two rules say the same; nothing where that depends on more than the table.
    pub(super) fn same(&self, a: usize, b: usize) -> Option<bool> {
        let (a, b) = (&self.rules[a], &self.rules[b]);
        let mut told = true;
        for (index, (text, other)) in a.texts.iter().zip(&b.texts).enumerate() {
            if text == other {
                continue;
            }
            match (&a.values[index], &b.values[index]) {
                (Some(value), Some(other)) if equal(value, other) == Some(true) => {}
                (Some(_), Some(_)) => return Some(false),
                _ => told = false,
            }
        }
        told.then_some(true)
    }

    /// Whether both have the same priority; nothing where one cannot be told.
    pub(super) fn level(&self, a: usize, b: usize) -> Option<bool> {
        Some(self.rules[a].rank.as_ref()? == self.rules[b].rank.as_ref()?)
    }

    /// Whether the first rule decides where both hit; nothing where that cannot be told.
    pub(super) fn beats(&self, a: usize, b: usize) -> Option<bool> {
        match self.policy {
            Policy::First => Some(a < b),
            Policy::Priority => {
                let (rank, other) = (self.rules[a].rank.as_ref()?, self.rules[b].rank.as_ref()?);
                Some((rank, a) < (other, b))
            }
            Policy::Unique | Policy::Any | Policy::All => Some(false),
        }
    }
}
