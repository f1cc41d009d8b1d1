//! Whether a destination is there: while it is not, one message at a time finds out, and the others wait without being tried.

use std::time::{Duration, Instant};

/// A destination as its last answers show it.
#[derive(Debug, Clone, Default)]
pub(super) struct Destination {
    /// Nothing while it answers.
    absence: Option<Absence>,
}

/// A destination that is away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    /// Since when.
    pub since: Instant,
    /// When one message may find out if it is back.
    pub until: Instant,
    /// Why, as it was heard last; without values of messages.
    pub why: String,
    /// How often in a row it was not there.
    failures: u32,
    /// One message is finding out.
    is_asked: bool,
}

impl Destination {
    /// Whether a message may go now; one that may while the destination is away is the one that finds out.
    pub(super) fn admits(&mut self, now: Instant) -> bool {
        match &mut self.absence {
            None => true,
            Some(absence) if absence.until <= now && !absence.is_asked => {
                absence.is_asked = true;
                true
            }
            Some(_) => false,
        }
    }

    /// No message went after all.
    pub(super) fn nobody_went(&mut self) {
        if let Some(absence) = &mut self.absence {
            absence.is_asked = false;
        }
    }

    /// It answered, whatever it said. Says whether it was away until now.
    pub(super) fn answered(&mut self) -> bool {
        self.absence.take().is_some()
    }

    /// It was not there: `wait` says how long it is left alone, by how often in a row that happened. Says whether it was there until now.
    pub(super) fn missed(&mut self, now: Instant, why: &str, wait: impl FnOnce(u32) -> Duration) -> bool {
        let (since, failures) = match &self.absence {
            None => (now, 1),
            // Others that were under way with the first one to fail say nothing new.
            Some(absence) if !absence.is_asked => return false,
            Some(absence) => (absence.since, absence.failures.saturating_add(1)),
        };
        self.absence = Some(Absence { since, until: now + wait(failures), why: why.to_owned(), failures, is_asked: false });
        failures == 1
    }

    /// When something may go again without anything else happening. `lanes`: when one of them has something to send; `None`: not by itself.
    pub(super) fn wakes_at(&self, lanes: Option<Instant>, now: Instant) -> Option<Instant> {
        match &self.absence {
            None => lanes,
            Some(absence) if absence.is_asked => None,
            Some(absence) if absence.until > now => Some(absence.until),
            Some(_) => lanes,
        }
    }

    /// Since when and why it is away, if it is.
    pub(super) fn absence(&self) -> Option<&Absence> {
        self.absence.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u32) -> Duration {
        Duration::from_secs(count.into())
    }

    #[test]
    fn one_message_finds_out_and_the_others_wait() {
        let now = Instant::now();
        let mut destination = Destination::default();
        assert!(destination.admits(now) && destination.admits(now));
        assert!(destination.missed(now, "gone", seconds));
        assert!(!destination.missed(now, "gone", seconds));
        assert!(!destination.admits(now));
        let then = now + seconds(1);
        assert_eq!(destination.wakes_at(Some(now), now), Some(then), "two that failed together are one failure");
        assert!(destination.admits(then));
        assert!(!destination.admits(then), "one at a time");
        assert_eq!(destination.wakes_at(Some(now), then), None);
        assert!(!destination.missed(then, "still gone", seconds));
        let absence = destination.absence().unwrap();
        assert_eq!((absence.since, absence.until, absence.why.as_str()), (now, then + seconds(2), "still gone"));
        assert!(destination.admits(then + seconds(2)));
        assert!(destination.answered() && !destination.answered());
        assert!(destination.admits(then) && destination.admits(then));
    }

    #[test]
    fn a_try_that_found_no_message_is_given_back() {
        let now = Instant::now();
        let mut destination = Destination::default();
        destination.missed(now, "gone", |_| Duration::ZERO);
        assert!(destination.admits(now));
        destination.nobody_went();
        assert_eq!(destination.wakes_at(None, now), None, "nothing is there to find out with");
        assert!(destination.admits(now));
    }
}
