//! Values below, between and above the constants of a column: one stands for all those on which no test can differ.

use std::sync::Arc;

use jiff::SignedDuration;
use jiff::civil;

use crate::number::{Number, Rounding};
use crate::temporal::{DateTime, Time, Zone};
use crate::value::{Value, compare};

/// A value strictly between two others (nothing there: no bound on that side); nothing where there is none.
pub(super) fn between(low: Option<&Value>, high: Option<&Value>) -> Option<Value> {
    candidates(low, high).into_iter().flatten().find(|value| {
        low.is_none_or(|low| compare(low, value).is_some_and(std::cmp::Ordering::is_lt))
            && high.is_none_or(|high| compare(value, high).is_some_and(std::cmp::Ordering::is_lt))
    })
}

/// Values that may lie there, the plainest first; if none of them does, none exists.
fn candidates(low: Option<&Value>, high: Option<&Value>) -> Vec<Option<Value>> {
    let Some(one) = low.or(high) else { return Vec::new() };
    match one {
        Value::Number(_) => numbers(number(low), number(high)),
        Value::Text(_) => texts(low, high),
        Value::Date(_) => vec![day(low, civil::Date::tomorrow), day(high, civil::Date::yesterday)],
        Value::Time(time) => times(low, high, &time.zone),
        Value::DateTime(_) => moments(low, high),
        Value::Months(_) => vec![months(low, 1), months(high, -1)],
        Value::Duration(_) => durations(low, high),
        _ => Vec::new(),
    }
}

fn number(value: Option<&Value>) -> Option<Number> {
    match value {
        Some(Value::Number(number)) => Some(*number),
        _ => None,
    }
}

fn numbers(low: Option<Number>, high: Option<Number>) -> Vec<Option<Value>> {
    let one = Number::from(1_i64);
    let whole = |number: Number| number.rounded(0, Rounding::Floor);
    let middle = || low?.plus(high?)?.divided_by(2_i64.into());
    let tenth = || Number::scaled(1, -1)?.times(high?.minus(low?)?)?.plus(low?);
    let found = [
        low.and_then(|low| whole(low)?.plus(one)),
        high.and_then(|high| whole(high.minus(one)?)),
        middle(),
        tenth(),
        // Beyond 34 digits an addition of one changes nothing.
        low.and_then(|low| low.absolute().times(2_i64.into())),
        high.and_then(|high| high.absolute().times(2_i64.into()).map(Number::negated)),
    ];
    found.into_iter().map(|number| number.map(Value::Number)).collect()
}

fn texts(low: Option<&Value>, high: Option<&Value>) -> Vec<Option<Value>> {
    let low = match low {
        Some(Value::Text(text)) => text,
        _ => return vec![matches!(high, Some(Value::Text(_))).then(|| Value::text(""))],
    };
    ["a", " ", "\u{0}"].iter().map(|more| Some(Value::text(format!("{low}{more}")))).collect()
}

fn day(value: Option<&Value>, step: fn(civil::Date) -> Result<civil::Date, jiff::Error>) -> Option<Value> {
    match value {
        Some(Value::Date(date)) => step(*date).ok().map(Value::Date),
        _ => None,
    }
}

fn times(low: Option<&Value>, high: Option<&Value>, zone: &Zone) -> Vec<Option<Value>> {
    let time = |value: Option<&Value>| match value {
        Some(Value::Time(time)) => Some(Arc::clone(time)),
        _ => None,
    };
    let (low, high) = (time(low), time(high));
    let half = || {
        let (low, high) = (low.as_ref()?, high.as_ref()?);
        Some(low.plus(half_of(high.since(low)?)))
    };
    // The earliest and the latest time of all: fourteen hours is as far as zones go.
    let far = |hours: i32| if matches!(zone, Zone::Local) { Zone::Local } else { Zone::Offset(hours * 3600) };
    let first = Time::new(0, 0, 0, 0, far(14));
    let last = Time::new(23, 59, 59, 999_999_999, far(-14));
    let noon = Time::new(12, 0, 0, 0, zone.clone());
    let minute = low.as_ref().map(|low| low.plus(SignedDuration::from_mins(1)));
    [noon, minute, half(), first, last].into_iter().map(|time| time.map(|time| Value::Time(time.into()))).collect()
}

fn moments(low: Option<&Value>, high: Option<&Value>) -> Vec<Option<Value>> {
    let moment = |value: Option<&Value>| match value {
        Some(Value::DateTime(moment)) => Some(Arc::clone(moment)),
        _ => None,
    };
    let (low, high) = (moment(low), moment(high));
    let day = SignedDuration::from_hours(24);
    let after = |moment: &Option<Arc<DateTime>>, by| moment.as_ref().and_then(|moment| moment.plus(by));
    let half = || after(&low, half_of(high.as_ref()?.since(low.as_ref()?)?));
    let found = [after(&low, day), after(&high, -day), half()];
    found.into_iter().map(|moment| moment.map(|moment| Value::DateTime(moment.into()))).collect()
}

fn months(value: Option<&Value>, by: i64) -> Option<Value> {
    match value {
        Some(Value::Months(months)) => months.checked_add(by).map(Value::Months),
        _ => None,
    }
}

fn durations(low: Option<&Value>, high: Option<&Value>) -> Vec<Option<Value>> {
    let duration = |value: Option<&Value>| match value {
        Some(Value::Duration(duration)) => Some(*duration),
        _ => None,
    };
    let (low, high) = (duration(low), duration(high));
    let day = SignedDuration::from_hours(24);
    let half = || low?.checked_add(half_of(high?.checked_sub(low?)?));
    let found = [low.and_then(|low| low.checked_add(day)), high.and_then(|high| high.checked_sub(day)), half()];
    found.into_iter().map(|duration| duration.map(Value::Duration)).collect()
}

fn half_of(duration: SignedDuration) -> SignedDuration {
    duration / 2
}
