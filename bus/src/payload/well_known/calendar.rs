//! Moments, durations, dates and times.

use std::sync::Arc;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use passerelle_feel::Value;
use passerelle_feel::temporal::{DateTime, Time, Zone, date};
use prost_reflect::{DynamicMessage, MessageDescriptor, Value as Field};

use super::super::error::{PayloadError, Rule};
use super::super::write as writing;
use super::{Single, build, field, text, whole};

/// `0001-01-01T00:00:00Z` and `9999-12-31T23:59:59Z`, the limits of a Timestamp.
const MOMENTS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
/// About 10,000 years, the limits of a Duration.
const SECONDS: std::ops::RangeInclusive<i64> = -315_576_000_000..=315_576_000_000;
const NANOS: i64 = 1_000_000_000;

/// A Timestamp.
pub(super) fn moment(seconds: i64, nanos: i64) -> Result<Value, PayloadError> {
    if !MOMENTS.contains(&seconds) {
        return Err(Rule::OutOfRange("a Timestamp (years 1 to 9999)").into());
    }
    let nanos = i32::try_from(nanos).ok().filter(|nanos| (0..1_000_000_000).contains(nanos));
    let at = nanos.and_then(|nanos| jiff::Timestamp::new(seconds, nanos).ok());
    let at = at.ok_or(Rule::Unfit("nanos of a Timestamp are 0 to 999,999,999"))?;
    let civil = TimeZone::UTC.to_datetime(at);
    Ok(Value::DateTime(Arc::new(DateTime { civil, zone: Zone::Offset(0) })))
}

pub(super) fn write_moment(value: &Value, message: &MessageDescriptor) -> Result<DynamicMessage, PayloadError> {
    let Value::DateTime(moment) = value else { return Err(writing::wrong("date and time", value).into()) };
    let offset = moment.offset().ok_or(Rule::NoZone)?;
    let local = moment.civil.duration_since(jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0)).as_nanos();
    let nanos = local - i128::from(offset) * i128::from(NANOS);
    let seconds = i64::try_from(nanos.div_euclid(NANOS.into())).unwrap_or(i64::MAX);
    if !MOMENTS.contains(&seconds) {
        return Err(Rule::OutOfRange("a Timestamp (years 1 to 9999)").into());
    }
    let rest = i32::try_from(nanos.rem_euclid(NANOS.into())).unwrap_or_default();
    build(message, vec![("seconds", Field::I64(seconds)), ("nanos", Field::I32(rest))])
}

/// A Duration.
pub(super) fn duration(seconds: i64, nanos: i64) -> Result<Value, PayloadError> {
    if !SECONDS.contains(&seconds) {
        return Err(Rule::OutOfRange("a Duration (about 10,000 years)").into());
    }
    if nanos.abs() >= NANOS || seconds.signum() * nanos.signum() < 0 {
        return Err(Rule::Unfit("nanos of a Duration are below 1,000,000,000, with the sign of its seconds").into());
    }
    Ok(Value::Duration(SignedDuration::from_secs(seconds) + SignedDuration::from_nanos(nanos)))
}

pub(super) fn write_duration(value: &Value, message: &MessageDescriptor) -> Result<DynamicMessage, PayloadError> {
    let Value::Duration(duration) = value else { return Err(writing::wrong("days and time duration", value).into()) };
    if !SECONDS.contains(&duration.as_secs()) {
        return Err(Rule::OutOfRange("a Duration (about 10,000 years)").into());
    }
    build(message, vec![("seconds", Field::I64(duration.as_secs())), ("nanos", Field::I32(duration.subsec_nanos()))])
}

/// A date or time whose parts are all there; nothing where they are not.
pub(super) fn of_parts(single: Single, message: &DynamicMessage) -> Option<Value> {
    let part = |name| whole(message, name);
    let day = || date(part("year"), part("month"), part("day")).filter(|_| part("year") >= 1);
    let clock = |zone| Time::new(part("hours"), part("minutes"), part("seconds"), i32::try_from(part("nanos")).ok()?, zone);
    match single {
        Single::Date => day().map(Value::Date),
        Single::TimeOfDay => clock(Zone::Local).map(|time| Value::Time(Arc::new(time))),
        _ => {
            let zone = zone(message)?;
            let civil = day()?.to_datetime(clock(Zone::Local)?.civil);
            Some(Value::DateTime(Arc::new(DateTime { civil, zone })))
        }
    }
}

fn zone(message: &DynamicMessage) -> Option<Zone> {
    let inner = |name: &str| {
        let set = message.has_field_by_name(name);
        message.get_field_by_name(name).filter(|_| set)?.as_message().cloned()
    };
    if let Some(offset) = inner("utc_offset") {
        // FEEL's zones are at most 14 hours from UTC.
        let seconds = i32::try_from(whole(&offset, "seconds")).ok()?;
        return (whole(&offset, "nanos") == 0 && seconds.abs() <= 50_400).then_some(Zone::Offset(seconds));
    }
    match inner("time_zone") {
        None => Some(Zone::Local),
        Some(zone) if text(&zone, "version").is_empty() => {
            TimeZone::get(&text(&zone, "id")).ok().filter(|found| found.iana_name() == Some(&text(&zone, "id"))).map(Zone::Named)
        }
        Some(_) => None,
    }
}

/// A date or time in its parts.
pub(super) fn write_parts(single: Single, value: &Value, message: &MessageDescriptor) -> Result<DynamicMessage, PayloadError> {
    let number = |name, value: i32| (name, Field::I32(value));
    let day = |date: &jiff::civil::Date| {
        if date.year() < 1 {
            return Err(Rule::OutOfRange("a date (years 1 to 9999)"));
        }
        Ok(vec![number("year", date.year().into()), number("month", date.month().into()), number("day", date.day().into())])
    };
    let clock = |time: &jiff::civil::Time| {
        let (hours, minutes, seconds) = (time.hour().into(), time.minute().into(), time.second().into());
        let nanos = time.subsec_nanosecond();
        [number("hours", hours), number("minutes", minutes), number("seconds", seconds), number("nanos", nanos)]
    };
    match (single, value) {
        (Single::Date, Value::Date(date)) => build(message, day(date)?),
        (Single::Date, other) => Err(writing::wrong("date", other).into()),
        (Single::TimeOfDay, Value::Time(time)) if matches!(time.zone, Zone::Local) => build(message, clock(&time.civil).into()),
        (Single::TimeOfDay, Value::Time(_)) => Err(Rule::Unfit("a TimeOfDay has no zone").into()),
        (Single::TimeOfDay, other) => Err(writing::wrong("time", other).into()),
        (_, Value::DateTime(moment)) => {
            let mut fields = day(&moment.civil.date())?;
            fields.extend(clock(&moment.civil.time()));
            let inner = |name| match field(message, name)?.kind() {
                prost_reflect::Kind::Message(inner) => Ok(inner),
                _ => Err(Rule::Unfit("the contract has another type under a well-known name")),
            };
            match &moment.zone {
                Zone::Local => {}
                Zone::Offset(seconds) => {
                    let offset = build(&inner("utc_offset")?, vec![("seconds", Field::I64((*seconds).into()))])?;
                    fields.push(("utc_offset", Field::Message(offset)));
                }
                Zone::Named(_) => {
                    let id = moment.zone.name().unwrap_or("UTC").to_owned();
                    let zone = build(&inner("time_zone")?, vec![("id", Field::String(id))])?;
                    fields.push(("time_zone", Field::Message(zone)));
                }
            }
            build(message, fields)
        }
        (_, other) => Err(writing::wrong("date and time", other).into()),
    }
}
