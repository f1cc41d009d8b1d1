//! Whether a destination is there: while it is not, one message at a time finds out, and the others wait without being tried.

use std::time::Instant;

/// A destination as its last answers show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Destination {
    /// It answers.
    #[default]
    There,
    /// It does not; it is asked again at that time.
    Away {
        /// When one message may try.
        until: Instant,
        /// How often in a row it was not there.
        failures: u32,
    },
    /// One message is trying.
    Asked {
        /// How often in a row it was not there before.
        failures: u32,
    },
}

impl Destination {
    /// Whether a message may go now; one that may while the destination is away is the one that finds out.
    pub fn admits(&mut self, now: Instant) -> bool {
        match *self {
            Self::There => true,
            Self::Away { until, failures } if until <= now => {
                *self = Self::Asked { failures };
                true
            }
            Self::Away { .. } | Self::Asked { .. } => false,
        }
    }

    /// No message went after all.
    pub fn nobody_went(&mut self, now: Instant) {
        if let Self::Asked { failures } = *self {
            *self = Self::Away { until: now, failures };
        }
    }

    /// It answered, whatever it said.
    pub fn answered(&mut self) {
        *self = Self::There;
    }

    /// It was not there: how often in a row now, for the length of the wait that `wait` gives.
    pub fn missed(&mut self, now: Instant, wait: impl FnOnce(u32) -> std::time::Duration) {
        let failures = match *self {
            Self::There => 0,
            // Others that were under way with the first one to fail say nothing new.
            Self::Away { .. } => return,
            Self::Asked { failures } => failures,
        } + 1;
        *self = Self::Away { until: now + wait(failures), failures };
    }

    /// When a message may go again, if none may now.
    #[must_use]
    pub fn opens_at(&self) -> Option<Instant> {
        match self {
            Self::Away { until, .. } => Some(*until),
            Self::There | Self::Asked { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn one_message_finds_out_and_the_others_wait() {
        let now = Instant::now();
        let wait = |failures: u32| Duration::from_secs(u64::from(failures));
        let mut destination = Destination::default();
        assert!(destination.admits(now) && destination.admits(now));
        destination.missed(now, wait);
        destination.missed(now, wait);
        assert!(!destination.admits(now));
        assert_eq!(destination.opens_at(), Some(now + Duration::from_secs(1)), "two that failed together are one failure");
        let then = now + Duration::from_secs(1);
        assert!(destination.admits(then));
        assert!(!destination.admits(then), "one at a time");
        destination.missed(then, wait);
        assert_eq!(destination.opens_at(), Some(then + Duration::from_secs(2)));
        assert!(destination.admits(then + Duration::from_secs(2)));
        destination.answered();
        assert!(destination.admits(then) && destination.admits(then));
    }

    #[test]
    fn a_try_that_found_no_message_is_given_back() {
        let now = Instant::now();
        let mut destination = Destination::Away { until: now, failures: 3 };
        assert!(destination.admits(now));
        destination.nobody_went(now);
        assert!(destination.admits(now));
    }
}
