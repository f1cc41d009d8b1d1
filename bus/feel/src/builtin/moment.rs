//! Functions that make dates, times, durations and ranges of texts and numbers.

use std::sync::Arc;

use crate::evaluate::Evaluation;
use crate::temporal::{self, AnyDuration, DateTime, Time, Zone};
use crate::value::{Range, Value, compare};

use super::Given;

pub(super) fn date(_: &mut Evaluation, arguments: &[Value]) -> Given {
    Ok(match arguments {
        [Value::Text(text)] => temporal::parse_date(text),
        [Value::Date(date)] => Some(*date),
        [Value::DateTime(moment)] => Some(moment.civil.date()),
        [Value::Number(year), Value::Number(month), Value::Number(day)] => match (year.integer(), month.integer(), day.integer())
        {
            (Some(year), Some(month), Some(day)) => temporal::date(year, month, day),
            _ => None,
        },
        _ => None,
    }
    .map(Value::Date))
}

fn clock(arguments: &[Value]) -> Option<Time> {
    match arguments {
        [Value::Text(text)] => Time::parse(text),
        [Value::Time(time)] => Some(Time::clone(time)),
        [Value::DateTime(moment)] => Some(Time { civil: moment.civil.time(), zone: moment.zone.clone() }),
        [Value::Date(_)] => Time::new(0, 0, 0, 0, Zone::Offset(0)),
        [Value::Number(hour), Value::Number(minute), Value::Number(second), rest @ ..] => {
            let zone = match rest {
                [] | [Value::Null] => Zone::Local,
                [Value::Duration(offset)] => temporal::offset_zone(*offset)?,
                _ => return None,
            };
            let whole = second.truncated()?;
            let fraction =
                second.minus(crate::Number::from(whole))?.times(crate::Number::from(1_000_000_000_i64))?.truncated()?;
            Time::new(hour.integer()?, minute.integer()?, whole, i32::try_from(fraction).ok()?, zone)
        }
        _ => None,
    }
}

pub(super) fn time(_: &mut Evaluation, arguments: &[Value]) -> Given {
    Ok(clock(arguments).map(|time| Value::Time(Arc::new(time))))
}

fn moment(arguments: &[Value]) -> Option<DateTime> {
    match arguments {
        [Value::Text(text)] => DateTime::parse(text).or_else(|| {
            Some(DateTime { civil: temporal::parse_date(text)?.to_datetime(jiff::civil::Time::midnight()), zone: Zone::Local })
        }),
        [Value::DateTime(moment)] => Some(DateTime::clone(moment)),
        [Value::Date(date)] => Some(DateTime::midnight(*date)),
        [Value::Date(date), Value::Time(time)] => Some(DateTime { civil: date.to_datetime(time.civil), zone: time.zone.clone() }),
        [Value::DateTime(moment), Value::Time(time)] => {
            Some(DateTime { civil: moment.civil.date().to_datetime(time.civil), zone: time.zone.clone() })
        }
        [Value::Number(year), Value::Number(month), Value::Number(day), time @ ..] => {
            let date = temporal::date(year.integer()?, month.integer()?, day.integer()?)?;
            let (clock_parts, zone) = time.split_at_checked(3)?;
            let mut time = clock(clock_parts)?;
            match zone {
                [] | [Value::Null] => {}
                [Value::Text(name)] => time.zone = Time::parse(&format!("00:00:00@{name}"))?.zone,
                [Value::Duration(offset)] => time.zone = temporal::offset_zone(*offset)?,
                _ => return None,
            }
            Some(DateTime { civil: date.to_datetime(time.civil), zone: time.zone })
        }
        _ => None,
    }
}

pub(super) fn date_and_time(_: &mut Evaluation, arguments: &[Value]) -> Given {
    Ok(moment(arguments).map(|moment| Value::DateTime(Arc::new(moment))))
}

pub(super) fn duration(_: &mut Evaluation, arguments: &[Value]) -> Given {
    Ok(match arguments {
        [Value::Text(text)] => temporal::parse_duration(text).map(|duration| match duration {
            AnyDuration::Months(months) => Value::Months(months),
            AnyDuration::Time(duration) => Value::Duration(duration),
        }),
        [duration @ (Value::Months(_) | Value::Duration(_))] => Some(duration.clone()),
        _ => None,
    })
}

pub(super) fn years_and_months(_: &mut Evaluation, arguments: &[Value]) -> Given {
    let [from, to] = arguments else { return Ok(None) };
    let civil = |value: &Value| match value {
        Value::Date(date) => Some(date.to_datetime(jiff::civil::Time::midnight())),
        Value::DateTime(moment) => Some(moment.civil),
        _ => None,
    };
    Ok(civil(from).zip(civil(to)).map(|(from, to)| Value::Months(temporal::months_between(from, to))))
}

/// A range that is written in a text, its ends literals.
pub(super) fn range(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    let [Value::Text(text)] = arguments else { return Ok(None) };
    evaluation.budget.steps(100 + text.len())?;
    Ok(read_range(text))
}

fn read_range(text: &str) -> Option<Value> {
    let text = text.trim();
    let start_included = text.starts_with('[');
    let end_included = text.ends_with(']');
    let inner = text.strip_prefix(['[', '(', ']'])?.strip_suffix([']', ')', '['])?;
    let (start, end) = inner.split_once("..")?;
    let (start, end) = (endpoint(start)?, endpoint(end)?);
    let sound = match (&start, &end) {
        (Value::Null, Value::Null) => false,
        (Value::Null, _) => !start_included,
        (_, Value::Null) => !end_included,
        (start, end) => compare(start, end).is_some_and(|order| order.is_le()),
    };
    sound.then(|| Value::Range(Arc::new(Range { start, start_included, end, end_included, outside: false, compared: false })))
}

fn endpoint(text: &str) -> Option<Value> {
    let text = text.trim();
    let quoted = |text: &str| Some(text.strip_prefix('"')?.strip_suffix('"')?.to_owned());
    if text.is_empty() {
        return Some(Value::Null);
    }
    if let Some(string) = quoted(text) {
        return Some(Value::text(string));
    }
    if let Some(literal) = text.strip_prefix('@').and_then(quoted) {
        return temporal::literal(&literal);
    }
    if let Some((_, rest)) = text.split_once('(') {
        return temporal::literal(&quoted(rest.strip_suffix(')')?.trim())?);
    }
    text.parse().ok().map(Value::Number)
}
