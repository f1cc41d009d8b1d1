//! What a back office bears at a moment: its hours and batch windows, as limits with an end.

use super::super::settings::{BatchWindow, EnvelopeSettings, Limits, Rate};
use crate::calendar::Calendar;

/// Hours and batch windows of one endpoint.
#[derive(Debug)]
pub(super) struct Timetable {
    limits: Limits,
    hours: Option<Calendar>,
    windows: Vec<BatchWindow>,
}

/// What holds for a while. Moments are Unix seconds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Phase {
    /// What is borne; concurrency 0 while it is closed.
    pub(super) limits: Limits,
    /// The batch windows that are on.
    pub(super) windows: Vec<String>,
    /// When it opens again, if it is closed and ever does.
    pub(super) opens: Option<i64>,
    /// When something else holds, if ever.
    pub(super) until: Option<i64>,
}

impl Timetable {
    pub(super) fn new(settings: &EnvelopeSettings) -> Self {
        Self { limits: settings.limits, hours: settings.hours.clone(), windows: settings.batch_windows.clone() }
    }

    /// Whether the same holds at all times.
    pub(super) fn is_constant(&self) -> bool {
        self.hours.is_none() && self.windows.is_empty()
    }

    /// What holds at that moment.
    pub(super) fn at(&self, moment: i64) -> Phase {
        let mut phase = Phase { limits: self.limits, windows: Vec::new(), opens: None, until: None };
        let mut shut_until = moment;
        if let Some(hours) = &self.hours {
            let closes = hours.closes(moment);
            if closes.is_none() {
                phase.limits.concurrency = 0;
                shut_until = hours.next_open(moment).unwrap_or(i64::MAX);
            }
            phase.until = closes.or_else(|| hours.next_open(moment));
        }
        for window in &self.windows {
            let ends = window.during.closes(moment);
            if let Some(ends) = ends {
                phase.windows.push(window.name.clone());
                phase.limits = lesser(phase.limits, window.limits);
                if window.limits.concurrency == 0 {
                    shut_until = shut_until.max(ends);
                }
            }
            let changes = ends.or_else(|| window.during.next_open(moment));
            phase.until = [phase.until, changes].into_iter().flatten().min();
        }
        phase.opens = Some(shut_until).filter(|opens| phase.limits.concurrency == 0 && *opens < i64::MAX);
        phase
    }
}

fn lesser(one: Limits, other: Limits) -> Limits {
    let rate = match (one.rate, other.rate) {
        (Some(one), Some(other)) => {
            Some(Rate { per_second: one.per_second.min(other.per_second), burst: one.burst.min(other.burst) })
        }
        (one, other) => one.or(other),
    };
    Limits { concurrency: one.concurrency.min(other.concurrency), rate }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use expect_test::expect;

    use super::*;
    use crate::calendar::{ClosedDate, Hours, Week, ZoneName};

    fn calendar(hours: &str) -> Calendar {
        let hours = vec![Hours::try_from(hours.to_owned()).unwrap()];
        let week = Week { monday: hours.clone(), tuesday: hours, ..Week::default() };
        let holiday = ClosedDate::try_from("2026-12-01".to_owned()).unwrap();
        Calendar::new(&ZoneName::try_from("Europe/Paris".to_owned()).unwrap(), week, &[holiday], 1)
    }

    fn moment(text: &str) -> i64 {
        text.parse::<jiff::Timestamp>().unwrap().as_second()
    }

    #[test]
    fn hours_and_batch_windows_make_phases() {
        let slow = Some(Rate { per_second: 5.0, burst: 9 });
        let window = |name: &str, hours, concurrency, rate| BatchWindow {
            name: name.to_owned(),
            during: calendar(hours),
            limits: Limits { concurrency, rate },
        };
        let timetable = Timetable::new(&EnvelopeSettings {
            limits: Limits { concurrency: 10, rate: Some(Rate { per_second: 50.0, burst: 4 }) },
            hours: Some(calendar("06:00-22:00")),
            batch_windows: vec![window("interest", "12:00-13:00", 3, slow), window("backup", "12:30-14:00", 0, None)],
            ..EnvelopeSettings::default()
        });
        assert!(!timetable.is_constant() && Timetable::new(&EnvelopeSettings::default()).is_constant());
        let mut text = String::new();
        let shown =
            |moment: Option<i64>| moment.map_or("never".to_owned(), |at| jiff::Timestamp::from_second(at).unwrap().to_string());
        // A Monday, on a clock one hour ahead of UTC; the Tuesday after next is a holiday.
        for at in ["T04:00:00Z", "T05:00:00Z", "T11:00:00Z", "T11:30:00Z", "T12:00:00Z", "T13:00:00Z", "T21:00:00Z"] {
            let phase = timetable.at(moment(&format!("2026-11-23{at}")));
            let (concurrency, rate) = (phase.limits.concurrency, phase.limits.rate.unwrap());
            writeln!(
                text,
                "{at} {concurrency:>2} at a time, {} a second in {}, windows {:?}, opens {}, until {}",
                rate.per_second,
                rate.burst,
                phase.windows,
                shown(phase.opens),
                shown(phase.until)
            )
            .unwrap();
        }
        let holiday = timetable.at(moment("2026-11-30T22:00:00Z"));
        writeln!(text, "holiday: opens {}", shown(holiday.opens)).unwrap();
        expect![[r#"
            T04:00:00Z  0 at a time, 50 a second in 4, windows [], opens 2026-11-23T05:00:00Z, until 2026-11-23T05:00:00Z
            T05:00:00Z 10 at a time, 50 a second in 4, windows [], opens never, until 2026-11-23T11:00:00Z
            T11:00:00Z  3 at a time, 5 a second in 4, windows ["interest"], opens never, until 2026-11-23T11:30:00Z
            T11:30:00Z  0 at a time, 5 a second in 4, windows ["interest", "backup"], opens 2026-11-23T13:00:00Z, until 2026-11-23T12:00:00Z
            T12:00:00Z  0 at a time, 50 a second in 4, windows ["backup"], opens 2026-11-23T13:00:00Z, until 2026-11-23T13:00:00Z
            T13:00:00Z 10 at a time, 50 a second in 4, windows [], opens never, until 2026-11-23T21:00:00Z
            T21:00:00Z  0 at a time, 50 a second in 4, windows [], opens 2026-11-24T05:00:00Z, until 2026-11-24T05:00:00Z
            holiday: opens 2026-12-07T05:00:00Z
        "#]].assert_eq(&text);
    }

    #[test]
    fn what_never_opens_says_so() {
        let never = Calendar::new(&ZoneName::try_from("UTC".to_owned()).unwrap(), Week::default(), &[], 1);
        let timetable = Timetable::new(&EnvelopeSettings { hours: Some(never), ..EnvelopeSettings::default() });
        let phase = timetable.at(0);
        assert_eq!((phase.limits.concurrency, phase.opens, phase.until), (0, None, None));
    }
}
