//! Parts of values: entries, properties, filters.

use std::sync::Arc;

use crate::node::Node;
use crate::number::Number;
use crate::temporal::{self, Zone};
use crate::value::{Context, Value};

use super::{Evaluation, Frame, Outcome};

/// Entries of a context that are looked at in one step.
const ENTRIES_PER_STEP: usize = 16;

/// An entry that is already there, of a context that is small enough to look at without paying.
pub(super) fn lent_entry<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Context(context) if context.iter().len() <= 2 * ENTRIES_PER_STEP => context.get(name),
        _ => None,
    }
}

impl Evaluation {
    pub(super) fn path(&mut self, of: &Node, name: &Arc<str>, frame: Frame<'_>) -> Outcome {
        let found = match self.lent(of, frame) {
            Some(lent) => match lent_entry(lent, name) {
                Some(value) => return Ok(value.clone()),
                None => lent.clone(),
            },
            None => self.value(of, frame)?,
        };
        match &found {
            Value::List(items) => {
                self.budget.steps(items.len())?;
                self.budget.parts(items.len())?;
                Ok(Value::list(items.iter().map(|item| property(item, name).unwrap_or(Value::Null)).collect()))
            }
            Value::Context(context) => self.entry_of(context, name),
            other => Ok(match property(other, name) {
                Some(value) => value,
                None => self.null(|| format!("{} has no '{name}'", other.type_name())),
            }),
        }
    }

    /// In a filter: the item's own entry of this name, if it has one.
    pub(super) fn entry(&mut self, item: usize, name: &Arc<str>, otherwise: &Node, frame: Frame<'_>) -> Outcome {
        if let Value::Context(context) = self.slot(frame, item) {
            let context = context.clone();
            self.budget.steps(context.iter().len() / ENTRIES_PER_STEP)?;
            if let Some(value) = context.get(name) {
                return Ok(value.clone());
            }
        }
        self.value(otherwise, frame)
    }

    fn entry_of(&mut self, context: &Context, name: &str) -> Outcome {
        self.budget.steps(context.iter().len() / ENTRIES_PER_STEP)?;
        Ok(context.get(name).cloned().unwrap_or(Value::Null))
    }

    pub(super) fn filter(&mut self, list: &Node, item: usize, condition: &Node, boxed: bool, frame: Frame<'_>) -> Outcome {
        let list = match self.value(list, frame)? {
            Value::List(items) => items,
            Value::Null => Arc::default(),
            single => Arc::new(vec![single]),
        };
        if let Some(Value::Number(index)) = self.lent(condition, frame)
            && !boxed
        {
            let index = *index;
            return Ok(self.at(&list, index));
        }
        let mut kept = Vec::new();
        for value in list.iter() {
            self.budget.step()?;
            self.set(frame, item, value.clone());
            match self.value(condition, frame)? {
                Value::Boolean(true) => {
                    self.budget.memory(size_of::<Value>())?;
                    kept.push(value.clone());
                }
                Value::Boolean(false) | Value::Null => {}
                other if boxed => {
                    return Ok(self.null(|| format!("a boxed filter matches by true or false, not by {}", other.type_name())));
                }
                Value::Number(index) => return Ok(self.at(&list, index)),
                _ => {}
            }
        }
        Ok(Value::list(kept))
    }

    /// The n-th item, from the end where negative.
    fn at(&mut self, list: &[Value], index: Number) -> Value {
        let place = match index.integer() {
            Some(index) if index > 0 => usize::try_from(index - 1).ok(),
            Some(index) if index < 0 => usize::try_from(index.unsigned_abs()).ok().and_then(|back| list.len().checked_sub(back)),
            _ => None,
        };
        match place.and_then(|place| list.get(place)) {
            Some(value) => value.clone(),
            None => self.null(|| format!("there is no item {index} in a list of {}", list.len())),
        }
    }
}

/// A part of a value, by its name.
fn property(value: &Value, name: &str) -> Option<Value> {
    let number = |value: i64| Some(Value::Number(Number::from(value)));
    match (value, name) {
        (Value::Context(context), name) => context.get(name).cloned(),
        (Value::Date(date), "year") => number(date.year().into()),
        (Value::Date(date), "month") => number(date.month().into()),
        (Value::Date(date), "day") => number(date.day().into()),
        (Value::Date(date), "weekday") => number(date.weekday().to_monday_one_offset().into()),
        (Value::DateTime(moment), "year" | "month" | "day" | "weekday") => property(&Value::Date(moment.civil.date()), name),
        (Value::DateTime(moment), "time offset") => Some(offset(moment.offset())),
        (Value::DateTime(moment), "timezone") => Some(zone_name(&moment.zone)),
        (Value::DateTime(moment), name) => clock(moment.civil.time(), name),
        (Value::Time(time), "time offset") => Some(offset(time.offset())),
        (Value::Time(time), "timezone") => Some(zone_name(&time.zone)),
        (Value::Time(time), name) => clock(time.civil, name),
        (Value::Months(months), "years") => number(months / 12),
        (Value::Months(months), "months") => number(months % 12),
        (Value::Duration(duration), "days") => number(duration.as_secs() / 86_400),
        (Value::Duration(duration), "hours") => number(duration.as_secs() / 3600 % 24),
        (Value::Duration(duration), "minutes") => number(duration.as_secs() / 60 % 60),
        (Value::Duration(duration), "seconds") => Number::scaled(duration.as_nanos() % 60_000_000_000, -9).map(Value::Number),
        (Value::Range(range), "start") => Some(range.start.clone()),
        (Value::Range(range), "end") => Some(range.end.clone()),
        (Value::Range(range), "start included") => Some(Value::Boolean(range.start_included)),
        (Value::Range(range), "end included") => Some(Value::Boolean(range.end_included)),
        _ => None,
    }
}

fn clock(time: jiff::civil::Time, name: &str) -> Option<Value> {
    Some(Value::Number(match name {
        "hour" => Number::from(i64::from(time.hour())),
        "minute" => Number::from(i64::from(time.minute())),
        "second" => Number::scaled(i128::from(time.second()) * 1_000_000_000 + i128::from(time.subsec_nanosecond()), -9)?,
        _ => return None,
    }))
}

fn offset(seconds: Option<i32>) -> Value {
    seconds.map_or(Value::Null, |seconds| Value::Duration(temporal::offset_duration(seconds)))
}

fn zone_name(zone: &Zone) -> Value {
    zone.name().map_or(Value::Null, Value::text)
}
