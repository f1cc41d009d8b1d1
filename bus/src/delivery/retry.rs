//! When a message is sent again, and when it is given up.

use std::time::Duration;

/// How a destination's failures are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryLimits {
    /// Attempts of one message that count, at most; then it is a dead letter.
    pub attempts: u32,
    /// Wait before the second attempt; twice as long before each further one.
    pub first_wait: Duration,
    /// Longest wait.
    pub longest_wait: Duration,
}

impl Default for RetryLimits {
    fn default() -> Self {
        Self { attempts: 10, first_wait: Duration::from_millis(500), longest_wait: Duration::from_secs(300) }
    }
}

/// What a destination made of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken.
    Delivered,
    /// The destination is not there, for this message and for others. That uses up no attempt, but for the message that finds it out first.
    Unavailable {
        /// When to come back, if the destination said so.
        retry_after: Option<Duration>,
        /// Whether what became of this attempt is still to be found out; else nothing did.
        is_open: bool,
        /// Why, without values of the message.
        why: String,
    },
    /// The destination wants it later. That uses up no attempt.
    Throttled {
        /// When to come back.
        retry_after: Duration,
        /// Why, without values of the message.
        why: String,
    },
    /// It failed, and may be sent again.
    Failed {
        /// When to come back, if the destination said so.
        retry_after: Option<Duration>,
        /// Why, without values of the message.
        why: String,
    },
    /// It is refused, and would be again.
    Rejected {
        /// Why, without values of the message.
        why: String,
    },
    /// Whether it was taken cannot be known, and sending it again might do it twice.
    Undecided {
        /// Why, without values of the message.
        why: String,
    },
}

/// Why a message is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The destination refuses it.
    Rejected,
    /// It failed as often as it may.
    Exhausted,
    /// Whether it was taken cannot be known.
    Undecided,
    /// Its deadline passed before it was taken.
    Expired,
}

/// What comes next for a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is done.
    Done,
    /// It is sent again after a while.
    Again {
        /// How long to wait.
        after: Duration,
        /// Whether the attempt counts.
        counts: bool,
        /// Whether what became of the attempt is still to be found out.
        is_open: bool,
    },
    /// It is a dead letter.
    Dead {
        /// Why.
        reason: Reason,
        /// In words.
        why: String,
    },
}

impl RetryLimits {
    /// What comes next after attempt number `attempt`; `chance` is in 0..1. `is_first_to_miss`: the destination was there until this message
    /// came. Who does that again and again, while others are taken, is the reason, and is given up at last.
    #[must_use]
    pub fn verdict(&self, outcome: Outcome, attempt: u32, is_first_to_miss: bool, chance: f64) -> Verdict {
        match outcome {
            Outcome::Delivered => Verdict::Done,
            Outcome::Rejected { why } => Verdict::Dead { reason: Reason::Rejected, why },
            Outcome::Undecided { why } => Verdict::Dead { reason: Reason::Undecided, why },
            Outcome::Failed { why, .. } if attempt >= self.attempts => Verdict::Dead { reason: Reason::Exhausted, why },
            Outcome::Failed { retry_after, .. } => {
                Verdict::Again { after: self.after(retry_after, attempt, chance), counts: true, is_open: false }
            }
            Outcome::Throttled { retry_after, .. } => {
                Verdict::Again { after: retry_after.min(self.longest_wait), counts: false, is_open: false }
            }
            Outcome::Unavailable { is_open: false, why, .. } if is_first_to_miss && attempt >= self.attempts => {
                Verdict::Dead { reason: Reason::Exhausted, why }
            }
            // It is the destination that is waited for: when that is back, the message goes at once.
            Outcome::Unavailable { is_open, .. } => {
                Verdict::Again { after: Duration::ZERO, counts: is_first_to_miss && !is_open, is_open }
            }
        }
    }

    /// What the destination asks for, at most the longest wait; else the usual one.
    fn after(&self, asked: Option<Duration>, attempt: u32, chance: f64) -> Duration {
        asked.map_or_else(|| self.wait(attempt, chance), |asked| asked.min(self.longest_wait))
    }

    /// The wait after so many failures in a row: twice as long each time, between 80 % and 120 % of that by chance (gRFC A6), so that what
    /// failed together does not come back together.
    #[must_use]
    pub fn wait(&self, failures: u32, chance: f64) -> Duration {
        let doubled = self.first_wait.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1).min(31)).unwrap_or(u32::MAX));
        doubled.min(self.longest_wait).mul_f64(0.8 + 0.4 * chance.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let limits = RetryLimits::default();
        let waits: Vec<u128> = [1, 2, 3, 9, 10, 11, 40, u32::MAX].map(|n| limits.wait(n, 0.5).as_millis()).to_vec();
        assert_eq!(waits, [500, 1_000, 2_000, 128_000, 256_000, 300_000, 300_000, 300_000]);
        assert_eq!(limits.wait(1, 0.0).as_millis(), 400);
        assert_eq!(limits.wait(1, 1.0).as_millis(), 600);
    }

    #[test]
    fn each_outcome_has_its_verdict() {
        let limits = RetryLimits { attempts: 3, ..RetryLimits::default() };
        let why = || "the shelf is locked".to_owned();
        let later = Some(Duration::from_secs(7));
        let dead = |reason| Verdict::Dead { reason, why: why() };
        let again = |seconds, counts, is_open| Verdict::Again { after: Duration::from_secs(seconds), counts, is_open };
        let away = |is_open| Outcome::Unavailable { retry_after: later, is_open, why: why() };
        let throttled = |retry_after| Outcome::Throttled { retry_after, why: why() };
        let cases = [
            (Outcome::Delivered, 1, Verdict::Done),
            (Outcome::Rejected { why: why() }, 1, dead(Reason::Rejected)),
            (Outcome::Undecided { why: why() }, 1, dead(Reason::Undecided)),
            (Outcome::Failed { retry_after: later, why: why() }, 2, again(7, true, false)),
            (Outcome::Failed { retry_after: later, why: why() }, 3, dead(Reason::Exhausted)),
            (Outcome::Failed { retry_after: None, why: why() }, 2, again(1, true, false)),
            (Outcome::Failed { retry_after: Some(Duration::MAX), why: why() }, 1, again(300, true, false)),
            // A destination that is away for a day, or wants less, uses up no attempts.
            (away(false), 3, again(0, false, false)),
            (away(true), 3, again(0, false, true)),
            (throttled(Duration::from_secs(7)), 3, again(7, false, false)),
            (throttled(Duration::MAX), 3, again(300, false, false)),
        ];
        assert_eq!(limits.verdict(away(false), 2, true, 0.5), again(0, true, false));
        assert_eq!(limits.verdict(away(false), 3, true, 0.5), dead(Reason::Exhausted));
        assert_eq!(limits.verdict(away(true), 3, true, 0.5), again(0, false, true), "it is still to be found out");
        for (outcome, attempt, verdict) in cases {
            assert_eq!(limits.verdict(outcome.clone(), attempt, false, 0.5), verdict, "{outcome:?}");
        }
    }
}
