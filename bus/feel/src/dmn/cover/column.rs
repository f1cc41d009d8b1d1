//! A column as the examination sees it: its values cut into parts, on each of which every cell says the same.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use crate::temporal;
use crate::value::{Value, compare, equal};

use super::between::between;
use super::cell::Cell;
use super::set::{Set, Steps, TooLarge};
use super::{CONSTANTS, InputColumn, Rule, TESTS};

/// Values of a column that no cell tells apart.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) extent: Extent,
    /// One of them.
    pub(super) example: Value,
    /// Its place in the order of the column before the allowed values were looked at.
    pub(super) place: usize,
}

/// Which values a part holds.
#[derive(Debug, Clone)]
pub(super) enum Extent {
    /// One.
    Only(Value),
    /// All between these (no bound: to the end of the type).
    Between(Option<Value>, Option<Value>),
    /// All texts but those that cells name.
    Other,
}

/// A column, cut.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) parts: Vec<Part>,
    /// What each text of a cell lets pass; nothing for one that cannot be read as constants.
    cells: HashMap<Arc<str>, Option<Set>>,
    /// What is to be known about how the column was read.
    pub(super) notes: Vec<String>,
}

/// Why a column cannot be cut.
#[derive(Debug)]
pub(super) enum Uncut {
    /// It has too many different tests, or constants in them.
    TooManyTests,
    /// Too many of these for so many parts.
    TooLarge,
}

impl From<TooLarge> for Uncut {
    fn from(_: TooLarge) -> Self {
        Self::TooLarge
    }
}

/// An evaluation of a cell costs as much as so many comparisons of sets, and so many more for each constant.
const EVALUATION: usize = 16;

const NAMES: [&str; 8] =
    ["boolean", "number", "string", "date", "time", "date and time", "years and months duration", "days and time duration"];

impl Column {
    /// Cuts the column that stands at this place in every rule.
    pub(super) fn cut(input: &InputColumn, at: usize, rules: &[Rule], steps: &mut Steps) -> Result<Self, Uncut> {
        let mut read: HashMap<Arc<str>, Option<Cell>> = HashMap::new();
        for rule in rules {
            read.entry(Arc::clone(&rule.tests[at])).or_insert_with(|| Cell::read(&rule.tests[at]));
        }
        let mut notes = Vec::new();
        let allowed = input.allowed.as_deref().and_then(|text| {
            let cell = Cell::read(text);
            if cell.is_none() {
                notes.push("its allowed values are more than constants and are not looked at".to_owned());
            }
            cell
        });
        let constants: usize = read.values().flatten().chain(allowed.as_ref()).map(|cell| cell.constants.len()).sum();
        if read.len() > TESTS || constants > CONSTANTS {
            return Err(Uncut::TooManyTests);
        }
        let types = types(input, &read, &mut notes);
        for cell in read.values_mut() {
            if cell.as_ref().is_some_and(|cell| cell.constants.iter().any(|value| mixed(value, &types))) {
                *cell = None;
            }
        }
        let cells = read.values().flatten().chain(allowed.as_ref());
        let Some(mut parts) = parts(&types, cells) else {
            let cells = read.keys().map(|text| (Arc::clone(text), None)).collect();
            notes.push("it compares values that have no order among themselves".to_owned());
            return Ok(Self { parts: vec![Part { extent: Extent::Other, example: Value::Null, place: 0 }], cells, notes });
        };
        steps.cells(parts.len() * (read.len() + constants) * EVALUATION)?;
        parts.retain(|part| allowed.as_ref().is_none_or(|allowed| allowed.holds(&part.example)));
        let sets = read.into_iter().map(|(text, cell)| {
            let set = cell.map(|cell| Set::of(parts.len(), |part| cell.holds(&parts[part].example)));
            (text, set)
        });
        Ok(Self { cells: sets.collect(), parts, notes })
    }

    /// All values of the column.
    pub(super) fn whole(&self) -> Set {
        Set::of(self.parts.len(), |_| true)
    }

    /// What a cell lets pass; nothing where that cannot be told.
    pub(super) fn set(&self, text: &str) -> Option<&Set> {
        self.cells.get(text)?.as_ref()
    }
}

/// The types of the values that the column may hold.
fn types(input: &InputColumn, read: &HashMap<Arc<str>, Option<Cell>>, notes: &mut Vec<String>) -> Vec<&'static str> {
    if let Some(declared) = NAMES.iter().find(|name| Some(**name) == input.type_name.as_deref()) {
        return vec![*declared];
    }
    let seen: Vec<&'static str> = NAMES
        .into_iter()
        .filter(|name| read.values().flatten().any(|cell| cell.constants.iter().any(|value| value.type_name() == *name)))
        .collect();
    if !seen.is_empty() {
        notes.push(format!("it declares no type; its cells say {}", seen.join(", ")));
    }
    seen
}

/// Whether a constant is compared with the column's values across types.
fn mixed(value: &Value, types: &[&str]) -> bool {
    match value {
        Value::Date(_) => types.contains(&"date and time"),
        Value::DateTime(_) => types.contains(&"date"),
        _ => false,
    }
}

/// The parts of the column; nothing where its constants have no order.
fn parts<'a>(types: &[&str], cells: impl Iterator<Item = &'a Cell>) -> Option<Vec<Part>> {
    let mut points: Vec<&Value> = Vec::new();
    let mut ordered = false;
    for cell in cells {
        points.extend(&cell.constants);
        ordered |= cell.ordered;
    }
    let mut extents = vec![(Extent::Only(Value::Null), Value::Null)];
    for name in types {
        let mut own: Vec<&Value> = points.iter().copied().filter(|value| value.type_name() == *name).collect();
        if *name == "boolean" {
            extents.extend([true, false].map(|value| (Extent::Only(value.into()), value.into())));
            continue;
        }
        sort(&mut own)?;
        if *name == "string" && !ordered {
            extents.extend(own.iter().map(|value| (Extent::Only((*value).clone()), (*value).clone())));
            extents.push((Extent::Other, another(&own)));
        } else {
            extents.extend(line(&own, name));
        }
    }
    let parts = extents.into_iter().enumerate().map(|(place, (extent, example))| Part { extent, example, place });
    Some(parts.collect())
}

/// Sorts values and drops those that are there twice; nothing where two of them have no order.
fn sort(values: &mut Vec<&Value>) -> Option<()> {
    if let Some(first) = values.first()
        && values.iter().any(|value| compare(first, value).is_none())
    {
        return None;
    }
    values.sort_by(|a, b| compare(a, b).unwrap_or(Ordering::Equal));
    values.dedup_by(|a, b| equal(a, b) == Some(true));
    Some(())
}

/// Points and what lies between them.
fn line(points: &[&Value], type_name: &str) -> Vec<(Extent, Value)> {
    let Some((first, last)) = points.first().zip(points.last()) else {
        return vec![(Extent::Between(None, None), ordinary(type_name))];
    };
    let mut found = Vec::new();
    let gap = |low: Option<&Value>, high: Option<&Value>| {
        let example = between(low, high)?;
        Some((Extent::Between(low.cloned(), high.cloned()), example))
    };
    found.extend(gap(None, Some(first)));
    for (index, point) in points.iter().enumerate() {
        found.push((Extent::Only((*point).clone()), (*point).clone()));
        if let Some(next) = points.get(index + 1) {
            found.extend(gap(Some(point), Some(next)));
        }
    }
    found.extend(gap(Some(last), None));
    found
}

/// A text that is none of these.
fn another(texts: &[&Value]) -> Value {
    let taken = |text: &str| texts.iter().any(|value| matches!(value, Value::Text(known) if **known == *text));
    let name = (1..).map(|count| if count == 1 { "other".to_owned() } else { format!("other {count}") });
    Value::text(name.into_iter().find(|name| !taken(name)).unwrap_or_default())
}

/// A value of a type that no cell looks into.
fn ordinary(type_name: &str) -> Value {
    match type_name {
        "number" => Value::Number(0_i64.into()),
        "string" => Value::text("other"),
        "years and months duration" => Value::Months(1),
        "days and time duration" => Value::Duration(jiff::SignedDuration::from_hours(1)),
        name => temporal::literal(match name {
            "date" => "2026-01-01",
            "time" => "12:00:00",
            _ => "2026-01-01T12:00:00",
        })
        .unwrap_or(Value::Null),
    }
}
