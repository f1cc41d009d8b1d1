//! Dates, times of day and durations as FEEL has them (ISO 8601 with XML Schema's lexical rules, and `@zone`).

use std::cmp::Ordering;
use std::fmt::{self, Write as _};

use jiff::SignedDuration;
use jiff::civil::{self, Date};
use jiff::tz::{Offset, TimeZone};

pub use crate::duration::{AnyDuration, duration_text, months_text, parse_duration};

/// Which clock a time is read on.
#[derive(Debug, Clone)]
pub enum Zone {
    /// Not said.
    Local,
    /// So many seconds east of UTC.
    Offset(i32),
    /// A zone of the IANA database.
    Named(TimeZone),
}

/// A time of day, with or without a zone.
#[derive(Debug, Clone)]
pub struct Time {
    /// Hours, minutes, seconds.
    pub civil: civil::Time,
    /// Where.
    pub zone: Zone,
}

/// A date and a time of day, with or without a zone.
#[derive(Debug, Clone)]
pub struct DateTime {
    /// Date and time as the clock there shows them.
    pub civil: civil::DateTime,
    /// Where.
    pub zone: Zone,
}

impl Zone {
    fn parse(text: &str) -> Option<Self> {
        match text.as_bytes().first() {
            None => Some(Self::Local),
            Some(b'Z') if text.len() == 1 => Some(Self::Offset(0)),
            Some(b'@') => TimeZone::get(&text[1..]).ok().map(Self::Named),
            Some(sign @ (b'+' | b'-')) => {
                let parts: Vec<&str> = text[1..].split(':').collect();
                if !(2..=3).contains(&parts.len()) || !parts.iter().all(|part| part.len() == 2) {
                    return None;
                }
                let mut numbers = parts.iter().map(|part| digits(part));
                let (hours, minutes) = (numbers.next()??, numbers.next()??);
                let seconds = numbers.next().unwrap_or(Some(0))?;
                let total = i32::try_from(hours * 3600 + minutes * 60 + seconds).ok()?;
                if hours > 14 || minutes > 59 || seconds > 59 {
                    return None;
                }
                Some(Self::Offset(if *sign == b'-' { -total } else { total }))
            }
            _ => None,
        }
    }

    /// Seconds east of UTC at that moment.
    fn offset_at(&self, civil: civil::DateTime) -> Option<i32> {
        match self {
            Self::Local => None,
            Self::Offset(seconds) => Some(*seconds),
            Self::Named(zone) => {
                zone.to_ambiguous_timestamp(civil).compatible().ok().map(|moment| zone.to_offset(moment).seconds())
            }
        }
    }

    /// The zone's name, where it has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Named(zone) => zone.iana_name(),
            _ => None,
        }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => Ok(()),
            Self::Offset(0) => f.write_char('Z'),
            Self::Offset(seconds) => {
                let rest = seconds.unsigned_abs();
                write!(f, "{}{:02}:{:02}", if *seconds < 0 { '-' } else { '+' }, rest / 3600, rest / 60 % 60)?;
                if rest % 60 == 0 { Ok(()) } else { write!(f, ":{:02}", rest % 60) }
            }
            Self::Named(zone) => write!(f, "@{}", zone.iana_name().unwrap_or("UTC")),
        }
    }
}

pub(crate) fn digits(text: &str) -> Option<i64> {
    if text.is_empty() || text.len() > 18 || !text.bytes().all(|byte| byte.is_ascii_digit()) { None } else { text.parse().ok() }
}

/// A date: `-?YYYY-MM-DD`, years to 9999.
#[must_use]
pub fn parse_date(text: &str) -> Option<Date> {
    let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let mut parts = rest.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() < 4 || month.len() != 2 || day.len() != 2 || (year.len() > 4 && year.starts_with('0'))
    {
        return None;
    }
    let year = if negative { -digits(year)? } else { digits(year)? };
    date(year, digits(month)?, digits(day)?)
}

/// A date of numbers.
#[must_use]
pub fn date(year: i64, month: i64, day: i64) -> Option<Date> {
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

impl Time {
    /// `hh:mm:ss(.fraction)?(Z|±hh:mm|@zone)?`
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let end = text.find(['Z', '+', '-', '@']).unwrap_or(text.len());
        let zone = Zone::parse(&text[end..])?;
        let mut parts = text[..end].split(':');
        let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
        let (second, fraction) = second.split_once('.').map_or((second, None), |(second, fraction)| (second, Some(fraction)));
        if parts.next().is_some() || hour.len() != 2 || minute.len() != 2 || second.len() != 2 {
            return None;
        }
        let nanos = fraction.map_or(Some(0), nanoseconds)?;
        let (hour, minute, second) = (digits(hour)?, digits(minute)?, digits(second)?);
        // The end of a day is the begin of one.
        let hour = if hour == 24 && minute == 0 && second == 0 && nanos == 0 { 0 } else { hour };
        Self::new(hour, minute, second, nanos, zone)
    }

    /// A time of numbers.
    #[must_use]
    pub fn new(hour: i64, minute: i64, second: i64, nanosecond: i32, zone: Zone) -> Option<Self> {
        let civil =
            civil::Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, i8::try_from(second).ok()?, nanosecond);
        Some(Self { civil: civil.ok()?, zone })
    }

    /// Seconds east of UTC, where they are known.
    #[must_use]
    pub fn offset(&self) -> Option<i32> {
        self.zone.offset_at(civil::date(1972, 1, 1).to_datetime(self.civil))
    }

    fn nanos(&self) -> i128 {
        i128::from(self.civil.duration_since(civil::Time::midnight()).as_nanos() as i64)
            - i128::from(self.offset().unwrap_or(0)) * 1_000_000_000
    }

    /// Whether both are the same moment, on the same sort of clock.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        self.order(other) == Some(Ordering::Equal)
    }

    /// Which is earlier; nothing where only one says its zone.
    #[must_use]
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        (self.offset().is_some() == other.offset().is_some())
            .then(|| milliseconds(self.nanos()).cmp(&milliseconds(other.nanos())))
    }

    /// From `other` to this.
    #[must_use]
    pub fn since(&self, other: &Self) -> Option<SignedDuration> {
        self.order(other)?;
        Some(SignedDuration::from_nanos_i128(self.nanos() - other.nanos()))
    }

    /// The time so much later, round the clock.
    #[must_use]
    pub fn plus(&self, duration: SignedDuration) -> Self {
        Self { civil: self.civil.wrapping_add(duration), zone: self.zone.clone() }
    }
}

/// What tells two times apart: the TCK holds those within one millisecond for equal.
fn milliseconds(nanos: i128) -> i128 {
    nanos.div_euclid(1_000_000)
}

pub(crate) fn nanoseconds(fraction: &str) -> Option<i32> {
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nine: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    nine.parse().ok()
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.civil;
        write!(f, "{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())?;
        if time.subsec_nanosecond() != 0 {
            let fraction = format!("{:09}", time.subsec_nanosecond());
            write!(f, ".{}", fraction.trim_end_matches('0'))?;
        }
        self.zone.fmt(f)
    }
}

impl DateTime {
    /// A date, and after `T` a time.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.split_once('T')?;
        let midnight = time.starts_with("24:");
        let (date, time) = (parse_date(date)?, Time::parse(time)?);
        let date = if midnight { date.tomorrow().ok()? } else { date };
        Some(Self { civil: date.to_datetime(time.civil), zone: time.zone })
    }

    /// The begin of a day in UTC: what a date is where a moment is wanted.
    #[must_use]
    pub fn midnight(date: Date) -> Self {
        Self { civil: date.to_datetime(civil::Time::midnight()), zone: Zone::Offset(0) }
    }

    /// Seconds east of UTC, where they are known.
    #[must_use]
    pub fn offset(&self) -> Option<i32> {
        self.zone.offset_at(self.civil)
    }

    fn nanos(&self) -> i128 {
        let civil = self.civil.duration_since(civil::date(1970, 1, 1).to_datetime(civil::Time::midnight())).as_nanos();
        civil - i128::from(self.offset().unwrap_or(0)) * 1_000_000_000
    }

    /// Whether both are the same moment, on the same sort of clock.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        self.order(other) == Some(Ordering::Equal)
    }

    /// Which is earlier; nothing where only one says its zone.
    #[must_use]
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        (self.offset().is_some() == other.offset().is_some())
            .then(|| milliseconds(self.nanos()).cmp(&milliseconds(other.nanos())))
    }

    /// From `other` to this.
    #[must_use]
    pub fn since(&self, other: &Self) -> Option<SignedDuration> {
        self.order(other)?;
        Some(SignedDuration::from_nanos_i128(self.nanos() - other.nanos()))
    }

    /// So much later.
    #[must_use]
    pub fn plus(&self, duration: SignedDuration) -> Option<Self> {
        Some(Self { civil: self.civil.checked_add(duration).ok()?, zone: self.zone.clone() })
    }

    /// So many months later, on the last day of a month that is too short.
    #[must_use]
    pub fn plus_months(&self, months: i64) -> Option<Self> {
        let date = plus_months(self.civil.date(), months)?;
        Some(Self { civil: date.to_datetime(self.civil.time()), zone: self.zone.clone() })
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}T{}", DateText(self.civil.date()), Time { civil: self.civil.time(), zone: self.zone.clone() })
    }
}

/// So many months later, on the last day of a month that is too short.
#[must_use]
pub fn plus_months(date: Date, months: i64) -> Option<Date> {
    let total = i64::from(date.year()).checked_mul(12)?.checked_add(i64::from(date.month()) - 1)?.checked_add(months)?;
    let first = self::date(total.div_euclid(12), total.rem_euclid(12) + 1, 1)?;
    Date::new(first.year(), first.month(), date.day().min(first.days_in_month())).ok()
}

/// Whole months from one moment to another.
#[must_use]
pub fn months_between(from: civil::DateTime, to: civil::DateTime) -> i64 {
    let months = |moment: civil::DateTime| i64::from(moment.year()) * 12 + i64::from(moment.month());
    let whole = months(to) - months(from);
    let (from, to) = ((from.day(), from.time()), (to.day(), to.time()));
    match whole.cmp(&0) {
        Ordering::Greater if to < from => whole - 1,
        Ordering::Less if to > from => whole + 1,
        _ => whole,
    }
}

/// A date as XML Schema writes it.
pub(crate) struct DateText(pub(crate) Date);

impl fmt::Display for DateText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0.year() < 0 { "-" } else { "" };
        write!(f, "{sign}{:04}-{:02}-{:02}", self.0.year().unsigned_abs(), self.0.month(), self.0.day())
    }
}

/// The offset as a duration.
#[must_use]
pub fn offset_duration(seconds: i32) -> SignedDuration {
    SignedDuration::from_secs(i64::from(seconds))
}

/// The zone of an offset, where it is one.
#[must_use]
pub fn offset_zone(duration: SignedDuration) -> Option<Zone> {
    let seconds = i32::try_from(duration.as_secs()).ok()?;
    Offset::from_seconds(seconds).ok().map(|_| Zone::Offset(seconds))
}

/// What `@"…"` may hold: a date, a time, a date and time, or a duration.
#[must_use]
pub fn literal(text: &str) -> Option<crate::Value> {
    use crate::Value;
    if let Some(duration) = parse_duration(text) {
        return Some(match duration {
            AnyDuration::Months(months) => Value::Months(months),
            AnyDuration::Time(duration) => Value::Duration(duration),
        });
    }
    parse_date(text)
        .map(Value::Date)
        .or_else(|| DateTime::parse(text).map(|moment| Value::DateTime(moment.into())))
        .or_else(|| Time::parse(text).map(|time| Value::Time(time.into())))
}
