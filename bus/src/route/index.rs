//! Which conditions can hold at all: found by equality and by beginning, so that of ten thousand routes a call looks at a few.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use passerelle_feel::{Guard, Number, Value};

/// Routes by one thing that must hold for each of them; the rest stand apart.
#[derive(Debug, Default)]
pub(super) struct Index {
    exact: Vec<Exact>,
    beginnings: Vec<Beginnings>,
    rest: Vec<u32>,
}

/// Routes by the value of one variable.
#[derive(Debug, Default)]
struct Exact {
    variable: usize,
    texts: HashMap<Arc<str>, Vec<u32>>,
    numbers: BTreeMap<Number, Vec<u32>>,
    booleans: [Vec<u32>; 2],
}

/// Routes by how the text of one variable begins.
#[derive(Debug, Default)]
struct Beginnings {
    variable: usize,
    /// In bytes, each once.
    lengths: Vec<usize>,
    texts: HashMap<Arc<str>, Vec<u32>>,
}

/// How often a thing is asked for: what is rare tells most.
type Counts = HashMap<(usize, bool, String), usize>;

impl Index {
    /// An index of routes by their guards, in their order. A route without one is always looked at.
    pub(super) fn new(guards: &[Vec<Guard>]) -> Self {
        let mut counts = Counts::new();
        for key in guards.iter().flatten().flat_map(keys) {
            *counts.entry(key).or_default() += 1;
        }
        let weight = |guard: &Guard| keys(guard).iter().map(|key| counts.get(key).copied().unwrap_or_default()).sum::<usize>();
        let mut index = Self::default();
        for (number, guards) in (0_u32..).zip(guards) {
            match guards.iter().min_by_key(|guard| weight(guard)) {
                Some(guard) => index.add(number, guard),
                None => index.rest.push(number),
            }
        }
        index
    }

    /// The routes whose conditions may hold, in their order.
    pub(super) fn candidates<'a>(&'a self, values: &[Value]) -> Candidates<'a> {
        let mut lists = vec![self.rest.as_slice()];
        for exact in &self.exact {
            lists.extend(values.get(exact.variable).and_then(|value| exact.find(value)));
        }
        for beginnings in &self.beginnings {
            if let Some(Value::Text(text)) = values.get(beginnings.variable) {
                lists.extend(beginnings.find(text));
            }
        }
        lists.retain(|list| !list.is_empty());
        Candidates { lists }
    }

    fn add(&mut self, number: u32, guard: &Guard) {
        match guard {
            Guard::OneOf { variable, values } => {
                let exact = find_or_add(
                    &mut self.exact,
                    |exact| exact.variable == *variable,
                    || Exact { variable: *variable, ..Exact::default() },
                );
                for value in values {
                    let list = match value {
                        Value::Text(text) => exact.texts.entry(text.clone()).or_default(),
                        Value::Number(number) => exact.numbers.entry(*number).or_default(),
                        Value::Boolean(value) => &mut exact.booleans[usize::from(*value)],
                        _ => continue,
                    };
                    if list.last() != Some(&number) {
                        list.push(number);
                    }
                }
            }
            Guard::Begins { variable, with } => {
                let beginnings = find_or_add(
                    &mut self.beginnings,
                    |beginnings| beginnings.variable == *variable,
                    || Beginnings { variable: *variable, ..Beginnings::default() },
                );
                if !beginnings.lengths.contains(&with.len()) {
                    beginnings.lengths.push(with.len());
                }
                beginnings.texts.entry(with.clone()).or_default().push(number);
            }
        }
    }
}

fn find_or_add<T>(all: &mut Vec<T>, is_it: impl Fn(&T) -> bool, new: impl Fn() -> T) -> &mut T {
    let place = all.iter().position(is_it).unwrap_or_else(|| {
        all.push(new());
        all.len() - 1
    });
    &mut all[place]
}

fn keys(guard: &Guard) -> Vec<(usize, bool, String)> {
    match guard {
        Guard::OneOf { variable, values } => values.iter().map(|value| (*variable, true, value.to_string())).collect(),
        Guard::Begins { variable, with } => vec![(*variable, false, with.to_string())],
    }
}

impl Exact {
    fn find(&self, value: &Value) -> Option<&[u32]> {
        let list = match value {
            Value::Text(text) => self.texts.get(text)?,
            Value::Number(number) => self.numbers.get(number)?,
            Value::Boolean(value) => &self.booleans[usize::from(*value)],
            _ => return None,
        };
        Some(list)
    }
}

impl Beginnings {
    fn find<'a>(&'a self, text: &str) -> impl Iterator<Item = &'a [u32]> {
        let beginnings = self.lengths.iter().filter_map(move |length| text.get(..*length));
        beginnings.filter_map(|beginning| self.texts.get(beginning).map(Vec::as_slice))
    }
}

/// Several ordered lists, walked as one.
#[derive(Debug)]
pub(super) struct Candidates<'a> {
    lists: Vec<&'a [u32]>,
}

impl Iterator for Candidates<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let next = self.lists.iter().filter_map(|list| list.first().copied()).min()?;
        for list in &mut self.lists {
            if let [first, rest @ ..] = list
                && *first == next
            {
                *list = rest;
            }
        }
        Some(next as usize)
    }
}
