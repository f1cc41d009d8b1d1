//! Where a day lies in its week, month and year; and the present moment.

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

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

/// In UTC: the machine's own zone is nobody's business here.
pub(super) fn now(_: &mut Evaluation, arguments: &[Value]) -> Given {
    let civil = TimeZone::UTC.to_datetime(Timestamp::now());
    Ok(arguments.is_empty().then(|| Value::DateTime(DateTime { civil, zone: Zone::Offset(0) }.into())))
}

pub(super) fn today(_: &mut Evaluation, arguments: &[Value]) -> Given {
    Ok(arguments.is_empty().then(|| Value::Date(TimeZone::UTC.to_datetime(Timestamp::now()).date())))
}
