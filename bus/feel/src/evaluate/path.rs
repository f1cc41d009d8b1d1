//! Parts of values: entries, properties, filters.

use std::sync::Arc;

use crate::node::Node;
use crate::number::Number;
use crate::temporal::{self, Zone};
use crate::value::Value;

use super::{Evaluation, Outcome};

impl Evaluation {
    pub(super) fn path(&mut self, of: &Node, name: &Arc<str>) -> Outcome {
        let found = match self.lent(of) {
            Some(Value::Context(context)) => return Ok(context.get(name).cloned().unwrap_or(Value::Null)),
            Some(lent) => lent.clone(),
            None => self.value(of)?,
        };
        match &found {
            Value::List(items) => {
                self.budget.steps(items.len())?;
                self.budget.memory(items.len() * size_of::<Value>())?;
                Ok(Value::list(items.iter().map(|item| property(item, name).unwrap_or(Value::Null)).collect()))
            }
            other => Ok(match property(other, name) {
                Some(value) => value,
                None => self.null(|| format!("{} has no '{name}'", other.type_name())),
            }),
        }
    }

    pub(super) fn filter(&mut self, list: &Node, item: usize, condition: &Node) -> Outcome {
        let list = match self.value(list)? {
            Value::List(items) => items,
            Value::Null => Arc::default(),
            single => Arc::new(vec![single]),
        };
        if let Some(Value::Number(index)) = self.lent(condition) {
            let index = *index;
            return Ok(self.at(&list, index));
        }
        let mut kept = Vec::new();
        for value in list.iter() {
            self.budget.step()?;
            self.set(item, value.clone());
            match self.value(condition)? {
                Value::Boolean(true) => {
                    self.budget.memory(size_of::<Value>())?;
                    kept.push(value.clone());
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
