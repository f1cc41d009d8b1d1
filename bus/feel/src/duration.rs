//! The two sorts of durations, as XML Schema writes them: years and months, days and time.

use std::fmt::Write as _;

use jiff::SignedDuration;

use crate::temporal::{digits, nanoseconds};

/// Either sort of duration, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnyDuration {
    /// Years and months, in months.
    Months(i64),
    /// Days and time.
    Time(SignedDuration),
}

/// `-?PnYnM` or `-?PnDTnHnMn.nS`.
#[must_use]
pub fn parse_duration(text: &str) -> Option<AnyDuration> {
    let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let rest = rest.strip_prefix('P')?;
    let (days, time) = rest.split_once('T').map_or((rest, None), |(days, time)| (days, Some(time)));
    if time == Some("") || rest.is_empty() {
        return None;
    }
    if days.contains(['Y', 'M']) {
        let [years, months] = fields(days, ['Y', 'M'])?;
        let months = digits(years)?.checked_mul(12)?.checked_add(digits(months)?)?;
        return time.is_none().then_some(AnyDuration::Months(if negative { -months } else { months }));
    }
    let [days] = fields(days, ['D'])?;
    let [hours, minutes, seconds] = fields(time.unwrap_or(""), ['H', 'M', 'S'])?;
    let (seconds, fraction) = seconds.split_once('.').map_or((seconds, None), |(whole, fraction)| (whole, Some(fraction)));
    // "0.S" is read, as the TCK has it.
    let nanos = fraction.filter(|fraction| !fraction.is_empty()).map_or(Some(0), nanoseconds)?;
    let parts = [(digits(days)?, 86_400), (digits(hours)?, 3600), (digits(minutes)?, 60), (digits(seconds)?, 1)];
    let seconds = parts.iter().try_fold(0_i64, |sum, (count, unit)| sum.checked_add(count.checked_mul(*unit)?))?;
    let duration = SignedDuration::new(seconds, nanos);
    Some(AnyDuration::Time(if negative { -duration } else { duration }))
}

/// The digits before each unit, in that order; "0" for one that is missing.
fn fields<const N: usize>(text: &str, units: [char; N]) -> Option<[&str; N]> {
    let mut found = ["0"; N];
    let mut rest = text;
    for (field, unit) in found.iter_mut().zip(units) {
        if let Some((before, after)) = rest.split_once(unit)
            && before.bytes().all(|byte| byte.is_ascii_digit() || (byte == b'.' && unit == 'S'))
        {
            if before.is_empty() {
                return None;
            }
            (*field, rest) = (before, after);
        }
    }
    rest.is_empty().then_some(found)
}

/// A years and months duration, as XML Schema writes it.
#[must_use]
pub fn months_text(months: i64) -> String {
    let (years, rest) = (months.unsigned_abs() / 12, months.unsigned_abs() % 12);
    let sign = if months < 0 { "-" } else { "" };
    match (years, rest) {
        (0, _) => format!("{sign}P{rest}M"),
        (_, 0) => format!("{sign}P{years}Y"),
        _ => format!("{sign}P{years}Y{rest}M"),
    }
}

/// A days and time duration, as XML Schema writes it.
#[must_use]
pub fn duration_text(duration: SignedDuration) -> String {
    let mut text = String::from(if duration.is_negative() { "-P" } else { "P" });
    let (seconds, nanos) = (duration.as_secs().unsigned_abs(), duration.subsec_nanos().unsigned_abs());
    let (days, hours, minutes, rest) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    if days > 0 {
        let _ = write!(text, "{days}D");
    }
    if hours + minutes + rest > 0 || nanos > 0 || days == 0 {
        text.push('T');
    }
    for (count, unit) in [(hours, 'H'), (minutes, 'M')] {
        if count > 0 {
            let _ = write!(text, "{count}{unit}");
        }
    }
    if nanos > 0 {
        let fraction = format!("{nanos:09}");
        let _ = write!(text, "{rest}.{}S", fraction.trim_end_matches('0'));
    } else if rest > 0 || text.ends_with('T') {
        let _ = write!(text, "{rest}S");
    }
    text
}
