//! Moments as Tryton writes them: date and time in UTC, in parts; here microseconds since 1970.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::civil::datetime;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

/// The moment that a record was written last; of one that never was, when it was made.
pub(super) fn of_record(record: &Value) -> Option<i64> {
    read(&record["write_date"]).or_else(|| read(&record["create_date"]))
}

pub(super) fn read(value: &Value) -> Option<i64> {
    let part = |name: &str| value.get(name).and_then(Value::as_i64);
    let small = |name: &str| i8::try_from(part(name).unwrap_or(0)).ok();
    let (year, microsecond) = (i16::try_from(part("year")?).ok()?, i32::try_from(part("microsecond").unwrap_or(0)).ok()?);
    if !(1..=9999).contains(&year) || !(0..1_000_000).contains(&microsecond) {
        return None;
    }
    let (month, day) = (small("month")?, small("day")?);
    let midnight = jiff::civil::Date::new(year, month, day).ok()?;
    let time = jiff::civil::Time::new(small("hour")?, small("minute")?, small("second")?, microsecond * 1_000).ok()?;
    midnight.to_datetime(time).to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp().as_microsecond())
}

pub(super) fn write(microseconds: i64) -> Value {
    let moment = Timestamp::from_microsecond(microseconds).map(|at| at.to_zoned(TimeZone::UTC).datetime());
    let at = moment.unwrap_or(datetime(1970, 1, 1, 0, 0, 0, 0));
    json!({
        "__class__": "datetime", "year": at.year(), "month": at.month(), "day": at.day(), "hour": at.hour(), "minute": at.minute(),
        "second": at.second(), "microsecond": at.subsec_nanosecond() / 1_000,
    })
}

pub(super) fn of_system(at: SystemTime) -> i64 {
    at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

pub(super) fn to_proto(microseconds: i64) -> prost_types::Timestamp {
    (SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(microseconds).unwrap_or(0))).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_as_it_is_written() {
        for microseconds in [0, 1, 951_782_400_000_000, 1_795_399_584_541_354] {
            assert_eq!(read(&write(microseconds)), Some(microseconds));
        }
        let leap =
            json!({ "__class__": "datetime", "year": 2028, "month": 2, "day": 29, "hour": 23, "minute": 59, "second": 59 });
        assert_eq!(read(&leap), Some(1_835_481_599_000_000));
        let strange =
            [json!(null), json!({}), json!({ "year": 2026, "month": 13, "day": 1 }), json!({ "year": -1, "month": 1, "day": 1 })];
        assert!(strange.iter().all(|value| read(value).is_none()));
    }
}
