//! Opening hours as people write them: a week of `09:00-12:30`, closed dates, a time zone.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const SECONDS_OF_MINUTE: i64 = 60;
const MINUTES_OF_HOUR: i64 = 60;
const MINUTES_OF_DAY: i64 = 24 * MINUTES_OF_HOUR;

/// Hours by day of the week; a day that is not named is closed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Week {
    /// Hours of Mondays.
    pub monday: Vec<Hours>,
    /// Hours of Tuesdays.
    pub tuesday: Vec<Hours>,
    /// Hours of Wednesdays.
    pub wednesday: Vec<Hours>,
    /// Hours of Thursdays.
    pub thursday: Vec<Hours>,
    /// Hours of Fridays.
    pub friday: Vec<Hours>,
    /// Hours of Saturdays.
    pub saturday: Vec<Hours>,
    /// Hours of Sundays.
    pub sunday: Vec<Hours>,
}

/// From a time of day to another, `09:00-12:30`, on the clock on the wall; the second one is the first moment that is closed again,
/// at the latest `24:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Hours {
    /// Minutes after midnight.
    from: i64,
    /// Minutes after midnight, more than `from`.
    to: i64,
}

/// A day, `2026-12-25`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct ClosedDate(pub Date);

/// A time zone by its name in the IANA database. The database is built in: what the machine has does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct ZoneName(TimeZone);

impl Week {
    /// Hours of that day.
    pub(super) fn of(&self, day: Weekday) -> &[Hours] {
        match day {
            Weekday::Monday => &self.monday,
            Weekday::Tuesday => &self.tuesday,
            Weekday::Wednesday => &self.wednesday,
            Weekday::Thursday => &self.thursday,
            Weekday::Friday => &self.friday,
            Weekday::Saturday => &self.saturday,
            Weekday::Sunday => &self.sunday,
        }
    }

    /// Whether it never opens.
    pub fn is_empty(&self) -> bool {
        self.days().iter().all(|(_, hours)| hours.is_empty())
    }

    /// `(day, what is wrong)`: hours that overlap or are out of order, or hold no slot.
    pub fn problems(&self, slot_seconds: i64) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        for (day, hours) in self.days() {
            if let Some(pair) = hours.windows(2).find(|pair| pair[1].from < pair[0].to) {
                let (one, other) = (String::from(pair[0]), String::from(pair[1]));
                found.push((day, format!("{other} begins before {one} ends; write hours in order, without overlap")));
            }
            if let Some(short) = hours.iter().find(|hours| (hours.to - hours.from) * SECONDS_OF_MINUTE < slot_seconds) {
                found.push((day, format!("{} is shorter than one slot of {slot_seconds} seconds", String::from(*short))));
            }
        }
        found
    }

    fn days(&self) -> [(&'static str, &[Hours]); 7] {
        [
            ("monday", &self.monday),
            ("tuesday", &self.tuesday),
            ("wednesday", &self.wednesday),
            ("thursday", &self.thursday),
            ("friday", &self.friday),
            ("saturday", &self.saturday),
            ("sunday", &self.sunday),
        ]
    }
}

impl Hours {
    /// Seconds after midnight on the clock, from and to.
    pub(super) fn seconds(self) -> (i64, i64) {
        (self.from * SECONDS_OF_MINUTE, self.to * SECONDS_OF_MINUTE)
    }
}

impl TryFrom<String> for Hours {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = |why: &str| format!("`{text}` {why}; write for example \"09:00-12:30\", at the latest until 24:00");
        let (from, to) = text
            .split_once('-')
            .and_then(|(from, to)| Some((minutes(from)?, minutes(to)?)))
            .ok_or_else(|| wrong("is no hours"))?;
        match from < to {
            true => Ok(Self { from, to }),
            false => Err(wrong("ends before it begins (hours over midnight are two: one for each day)")),
        }
    }
}

fn minutes(text: &str) -> Option<i64> {
    let (hour, minute) = text.trim().split_once(':')?;
    let number = |text: &str| (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse::<i64>().ok())?;
    let (hour, minute) = (number(hour)?, number(minute)?);
    let sum = hour * MINUTES_OF_HOUR + minute;
    (minute < MINUTES_OF_HOUR && sum <= MINUTES_OF_DAY).then_some(sum)
}

impl From<Hours> for String {
    fn from(hours: Hours) -> Self {
        let time = |minutes: i64| format!("{:02}:{:02}", minutes / MINUTES_OF_HOUR, minutes % MINUTES_OF_HOUR);
        format!("{}-{}", time(hours.from), time(hours.to))
    }
}

impl TryFrom<String> for ClosedDate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| format!("`{text}` is no day; write for example 2026-12-25"))
    }
}

impl From<ClosedDate> for String {
    fn from(date: ClosedDate) -> Self {
        date.0.to_string()
    }
}

impl TryFrom<String> for ZoneName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        TimeZone::get(&text)
            .map(Self)
            .map_err(|_| format!("`{text}` is no time zone of the IANA database; write for example Europe/Paris or UTC"))
    }
}

impl From<ZoneName> for String {
    fn from(zone: ZoneName) -> Self {
        zone.0.iana_name().unwrap_or("UTC").to_owned()
    }
}

impl From<&ZoneName> for TimeZone {
    fn from(zone: &ZoneName) -> Self {
        zone.0.clone()
    }
}
