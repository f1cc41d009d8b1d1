//! Parts of columns in the words of FEEL, and examples as JSON.

use serde_json::{Map, Value as Json};

use crate::json::to_json;
use crate::value::Value;

use super::Table;
use super::column::{Column, Extent, Part};
use super::report::Input;
use super::set::{Cuboid, Set};

/// What a box asks of each column that it does not leave free.
pub(super) fn inputs(table: &Table, columns: &[Column], cuboid: &Cuboid) -> Vec<Input> {
    let sides = table.inputs.iter().zip(columns).zip(&cuboid.0);
    sides
        .filter(|((_, column), set)| **set != column.whole())
        .map(|((input, column), set)| Input { column: input.name.to_string(), values: values(column, set) })
        .collect()
}

/// One input that lies in a box, by the names of the columns. Values are preferred to null.
pub(super) fn example(table: &Table, columns: &[Column], cuboid: &Cuboid) -> Map<String, Json> {
    let mut example = Map::new();
    for (at, ((input, column), set)) in table.inputs.iter().zip(columns).zip(&cuboid.0).enumerate() {
        let value = set.parts().map(|part| &column.parts[part].example).find(|value| !value.is_null());
        let taken = example.contains_key(&*input.name);
        let name = if taken { format!("{} (column {})", input.name, at + 1) } else { input.name.to_string() };
        example.insert(name, to_json(value.unwrap_or(&Value::Null)));
    }
    example
}

/// A set of values as tests of FEEL.
fn values(column: &Column, set: &Set) -> String {
    let mut texts = Vec::new();
    let mut run: Vec<&Part> = Vec::new();
    for part in set.parts().map(|part| &column.parts[part]) {
        if run.last().is_some_and(|last| !continues(last, part)) {
            texts.push(run_text(&run));
            run.clear();
        }
        run.push(part);
    }
    if !run.is_empty() {
        texts.push(run_text(&run));
    }
    texts.join(", ")
}

/// Whether a part begins where another ends.
fn continues(last: &Part, part: &Part) -> bool {
    let line = |part: &Part| match &part.extent {
        Extent::Between(..) => true,
        Extent::Only(value) => !matches!(value, Value::Null | Value::Boolean(_) | Value::Text(_)),
        Extent::Other => false,
    };
    let touching = part.place == last.place + 1 && last.example.type_name() == part.example.type_name();
    touching && line(last) && line(part)
}

fn run_text(run: &[&Part]) -> String {
    let (Some(first), Some(last)) = (run.first(), run.last()) else { return String::new() };
    let (low, from) = match &first.extent {
        Extent::Only(value) if run.len() == 1 => return literal(value),
        Extent::Other => return "any other string".to_owned(),
        Extent::Only(value) => (Some(value), true),
        Extent::Between(low, _) => (low.as_ref(), false),
    };
    let (high, to) = match &last.extent {
        Extent::Only(value) => (Some(value), true),
        Extent::Between(_, high) => (high.as_ref(), false),
        Extent::Other => (None, false),
    };
    match (low, high) {
        (None, None) => format!("any {}", first.example.type_name()),
        (Some(low), None) => format!("{} {}", if from { ">=" } else { ">" }, literal(low)),
        (None, Some(high)) => format!("{} {}", if to { "<=" } else { "<" }, literal(high)),
        (Some(low), Some(high)) => {
            format!("{}{}..{}{}", if from { '[' } else { '(' }, literal(low), literal(high), if to { ']' } else { ')' })
        }
    }
}

/// A value as FEEL writes it.
pub(super) fn literal(value: &Value) -> String {
    match value {
        Value::Text(_) | Value::Null | Value::Boolean(_) | Value::Number(_) => value.quoted().to_string(),
        other => format!("@\"{other}\""),
    }
}
