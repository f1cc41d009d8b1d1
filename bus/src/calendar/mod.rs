//! Opening hours as moments, cut into slots, right on the nights when the clock is changed.
//!
//! A place (an advisers' line, a back office) is open at a moment when the clock on its wall shows a time within its hours. So hours that
//! the clock skips in spring do not exist, and hours that it shows twice in autumn are there twice.

mod hours;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

pub use hours::{ClosedDate, Hours, Week, ZoneName};

/// Offsets of a day's moments differ from those of UTC by less than this.
const LARGEST_OFFSET_SECONDS: i64 = 26 * 3600;
const SECONDS_OF_DAY: i64 = 86_400;
/// What does not open for so long is closed for good.
const LONGEST_CLOSURE_DAYS: i64 = 366;

/// When a place is open, and how that is cut into slots. Moments are Unix seconds.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone: TimeZone,
    week: Week,
    closed: Vec<Date>,
    slot_seconds: i64,
}

/// A piece of open time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// First second.
    pub start: i64,
    /// First second after it.
    pub end: i64,
}

impl Calendar {
    /// The hours of that week on the clocks of that zone, but for the closed dates.
    pub fn new(zone: &ZoneName, week: Week, closed: &[ClosedDate], slot_seconds: i64) -> Self {
        let closed = closed.iter().map(|date| date.0).collect();
        Self { zone: TimeZone::from(zone), week, closed, slot_seconds: slot_seconds.max(1) }
    }

    /// The time zone's name in the IANA database.
    pub fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// Whether it is open at that moment.
    pub fn is_open(&self, moment: i64) -> bool {
        self.piece(moment).is_some()
    }

    /// The uncut piece of open time around that moment.
    fn piece(&self, moment: i64) -> Option<Slot> {
        self.opened(self.date(moment)?).into_iter().find(|piece| piece.start <= moment && moment < piece.end)
    }

    /// The slot that begins then, if one does.
    pub fn slot_at(&self, start: i64) -> Option<Slot> {
        self.slots(start).next().filter(|slot| slot.start == start)
    }

    /// Slots that end after that moment, in order, for as long as it opens at least once a year.
    pub fn slots(&self, after: i64) -> impl Iterator<Item = Slot> + '_ {
        let length = self.slot_seconds;
        let mut date = self.date(after);
        let mut closure = 0;
        let days = std::iter::from_fn(move || {
            let today = date?;
            let open = self.opened(today);
            closure = if open.iter().all(|piece| piece.end - piece.start < length) { closure + 1 } else { 0 };
            date = (closure <= LONGEST_CLOSURE_DAYS).then(|| today.checked_add(1.day()).ok()).flatten();
            Some(open)
        });
        days.flatten().flat_map(move |open| {
            let first = after.saturating_sub(open.start).div_euclid(length).max(0);
            (first..(open.end - open.start) / length).map(move |number| {
                let start = open.start + number * length;
                Slot { start, end: start + length }
            })
        })
    }

    /// The first moment from `moment` on at which it is open; none if it never is again.
    pub fn next_open(&self, moment: i64) -> Option<i64> {
        match self.is_open(moment) {
            true => Some(moment),
            false => self.slots(moment).map(|slot| slot.start).find(|start| *start >= moment),
        }
    }

    /// The first moment after `moment` at which it is open no more, if it is open then.
    pub fn closes(&self, moment: i64) -> Option<i64> {
        let mut end = self.piece(moment)?.end;
        // Around midnight two pieces may touch; what never closes is looked at once a week.
        for _ in 0..7 {
            match self.piece(end) {
                Some(next) => end = next.end,
                None => break,
            }
        }
        Some(end)
    }

    /// A moment as the clock on the wall shows it: `2026-11-23 09:00`.
    pub fn local(&self, moment: i64) -> String {
        match Timestamp::from_second(moment) {
            Ok(at) => self.zone.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string(),
            Err(_) => moment.to_string(),
        }
    }

    /// A slot as the clock shows it: `2026-11-23 09:00-09:15`; with the offset from UTC in the hours that come twice.
    pub fn local_slot(&self, slot: Slot) -> String {
        let (Ok(start), Ok(end)) = (Timestamp::from_second(slot.start), Timestamp::from_second(slot.end)) else {
            return slot.start.to_string();
        };
        let clock = self.zone.to_datetime(start);
        let twice = !matches!(self.zone.to_ambiguous_timestamp(clock).offset(), jiff::tz::AmbiguousOffset::Unambiguous { .. });
        let offset = if twice { format!(" (UTC{})", self.zone.to_offset(start)) } else { String::new() };
        let seconds = slot.start % 60 != 0 || slot.end % 60 != 0;
        let time = if seconds { "%H:%M:%S" } else { "%H:%M" };
        format!("{}-{}{offset}", clock.strftime(&format!("%Y-%m-%d {time}")), self.zone.to_datetime(end).strftime(time))
    }

    fn date(&self, moment: i64) -> Option<Date> {
        Timestamp::from_second(moment).ok().map(|at| self.zone.to_datetime(at).date())
    }

    /// The moments of a date at which it is open, in order; pieces that touch are one.
    fn opened(&self, date: Date) -> Vec<Slot> {
        let mut pieces: Vec<Slot> = Vec::new();
        if self.closed.contains(&date) {
            return pieces;
        }
        let Some(midnight) = seconds_on_utc_clock(date) else { return pieces };
        for (offset, valid) in self.offsets(midnight) {
            for hours in self.week.of(date.weekday()) {
                let (from, to) = hours.seconds();
                let start = (midnight + from - offset).max(valid.start);
                let end = (midnight + to - offset).min(valid.end);
                if start < end {
                    pieces.push(Slot { start, end });
                }
            }
        }
        pieces.sort_unstable();
        pieces.dedup_by(|next, piece| {
            let touches = next.start == piece.end;
            if touches {
                piece.end = next.end;
            }
            touches
        });
        pieces
    }

    /// The offsets from UTC that are valid around a date, in seconds, with the moments between which they are.
    fn offsets(&self, midnight: i64) -> Vec<(i64, Slot)> {
        let (from, to) = (midnight - LARGEST_OFFSET_SECONDS, midnight + SECONDS_OF_DAY + LARGEST_OFFSET_SECONDS);
        let Ok(first) = Timestamp::from_second(from) else { return Vec::new() };
        let mut found = Vec::new();
        let mut current = (i64::from(self.zone.to_offset(first).seconds()), from);
        for change in self.zone.following(first).take_while(|change| change.timestamp().as_second() < to) {
            let at = change.timestamp().as_second();
            found.push((current.0, Slot { start: current.1, end: at }));
            current = (i64::from(change.offset().seconds()), at);
        }
        found.push((current.0, Slot { start: current.1, end: to }));
        found
    }
}

/// What a clock at UTC makes of the date's midnight.
fn seconds_on_utc_clock(date: Date) -> Option<i64> {
    date.to_zoned(TimeZone::UTC).ok().map(|midnight| midnight.timestamp().as_second())
}
