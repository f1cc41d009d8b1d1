//! Where a day lies in its week, month and year; and the present moment.

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::Offset;

use crate::evaluate::Evaluation;
use crate::number::Number;
use crate::temporal::{DateTime, Zone};
use crate::value::Value;

use super::Given;

fn day(arguments: &[Value], of: fn(Date) -> Value) -> Given {
    Ok(match arguments {
        [Value::Date(date)] => Some(of(*date)),
        [Value::DateTime(moment)] => Some(of(moment.civil.date())),
        _ => None,
    })
}

pub(super) fn day_of_year(_: &mut Evaluation, arguments: &[Value]) -> Given {
    day(arguments, |date| Value::Number(Number::from(i64::from(date.day_of_year()))))
}

pub(super) fn day_of_week(_: &mut Evaluation, arguments: &[Value]) -> Given {
    day(arguments, |date| {
        Value::text(match date.weekday() {
            Weekday::Monday => "Monday",
            Weekday::Tuesday => "Tuesday",
            Weekday::Wednesday => "Wednesday",
            Weekday::Thursday => "Thursday",
            Weekday::Friday => "Friday",
            Weekday::Saturday => "Saturday",
            Weekday::Sunday => "Sunday",
        })
    })
}

const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

pub(super) fn month_of_year(_: &mut Evaluation, arguments: &[Value]) -> Given {
    day(arguments, |date| Value::text(MONTHS[usize::from(date.month().unsigned_abs()).saturating_sub(1).min(11)]))
}

/// Weeks of ISO 8601.
pub(super) fn week_of_year(_: &mut Evaluation, arguments: &[Value]) -> Given {
    day(arguments, |date| Value::Number(Number::from(i64::from(date.iso_week_date().week()))))
}

/// The moment that the environment tells: the machine's own clock and zone are nobody's business here.
fn present(evaluation: &Evaluation) -> Option<DateTime> {
    let (now, offset_seconds) = evaluation.now;
    let civil = Offset::from_seconds(offset_seconds).ok()?.to_datetime(Timestamp::try_from(now?).ok()?);
    Some(DateTime { civil, zone: Zone::Offset(offset_seconds) })
}

pub(super) fn now(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    Ok(present(evaluation).filter(|_| arguments.is_empty()).map(|moment| Value::DateTime(moment.into())))
}

pub(super) fn today(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    Ok(present(evaluation).filter(|_| arguments.is_empty()).map(|moment| Value::Date(moment.civil.date())))
}
