//! The end of a stop: one for all that is waited for, so that it comes before whoever asked for the stop loses patience.

use std::time::{Duration, Instant};

/// What is waited for last gets at least so long, in which all that is not stuck ends.
pub(super) const LEAST: Duration = Duration::from_secs(1);

/// When a stop is to be over.
pub(super) struct Deadline(Instant);

impl Deadline {
    /// The grace begins now.
    pub(super) fn after(grace: Duration) -> Self {
        Self(Instant::now() + grace)
    }

    /// How long the next step may take.
    pub(super) fn left(&self) -> Duration {
        self.left_at(Instant::now())
    }

    fn left_at(&self, now: Instant) -> Duration {
        self.0.saturating_duration_since(now).max(LEAST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_step_takes_from_the_time_of_the_next_but_not_all_of_it() {
        let deadline = Deadline::after(Duration::from_secs(30));
        let ago = |seconds| deadline.0 - Duration::from_secs(seconds);
        assert_eq!(deadline.left_at(ago(30)), Duration::from_secs(30));
        assert_eq!(deadline.left_at(ago(5)), Duration::from_secs(5));
        assert_eq!(deadline.left_at(deadline.0 + Duration::from_secs(60)), LEAST);
    }
}
