//! A token bucket in one word of memory: the generic cell rate algorithm (ITU-T I.371).
//!
//! Instead of a number of tokens it keeps the moment at which the bucket will be full again. Taking a token moves that moment one interval
//! on; a token is there while the moment lies no further ahead than a full bucket takes to fill.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::super::settings::Rate;

/// A bucket that many take from at a time. Moments are nanoseconds since a beginning of the user's choice.
#[derive(Debug)]
pub(super) struct Bucket {
    /// Nanoseconds in which a token comes; 0: there is no limit.
    interval: AtomicU64,
    /// Nanoseconds in which the empty bucket fills.
    fill: AtomicU64,
    /// When the bucket is full, if nothing more is taken.
    full_at: AtomicU64,
}

impl Bucket {
    /// A full one.
    pub(super) fn new(rate: Option<Rate>) -> Self {
        let bucket = Self { interval: AtomicU64::new(0), fill: AtomicU64::new(0), full_at: AtomicU64::new(0) };
        bucket.set(rate);
        bucket
    }

    /// Another rate from now on; what was taken stays taken.
    pub(super) fn set(&self, rate: Option<Rate>) {
        // Rates that settings allow are far from the ends of the range: casting saturates.
        let interval = rate.map_or(0, |rate| ((1e9 / rate.per_second) as u64).max(1));
        let burst = rate.map_or(0, |rate| u64::from(rate.burst.max(1)));
        self.interval.store(interval, Ordering::Relaxed);
        self.fill.store(interval.saturating_mul(burst), Ordering::Relaxed);
    }

    /// Takes tokens, or says from when on they are there. Who wants more than fit into the bucket gets them when it is full, and leaves a debt.
    pub(super) fn take(&self, now: u64, tokens: u64) -> Result<(), u64> {
        if self.interval.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        let taken = |full_at: u64| (self.ready(full_at, now, tokens) <= now).then(|| self.spent(full_at, now, tokens));
        let outcome = self.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken);
        outcome.map(|_| ()).map_err(|full_at| self.ready(full_at, now, tokens))
    }

    /// Gives back what was taken and not used.
    pub(super) fn give_back(&self, tokens: u64) {
        let worth = self.worth(tokens);
        // Never refused: the function always gives a value.
        let _ = self.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| Some(full_at.saturating_sub(worth)));
    }

    /// How long it is until so many tokens have come that are not yet taken.
    pub(super) fn wait(&self, now: u64, tokens: u64) -> Duration {
        let full_at = self.full_at.load(Ordering::Relaxed).max(now).saturating_add(self.worth(tokens));
        Duration::from_nanos(full_at.saturating_sub(self.fill.load(Ordering::Relaxed)).saturating_sub(now))
    }

    fn worth(&self, tokens: u64) -> u64 {
        self.interval.load(Ordering::Relaxed).saturating_mul(tokens)
    }

    fn spent(&self, full_at: u64, now: u64, tokens: u64) -> u64 {
        full_at.max(now).saturating_add(self.worth(tokens))
    }

    /// When so many tokens are there, or the bucket is full.
    fn ready(&self, full_at: u64, now: u64, tokens: u64) -> u64 {
        let fill = self.fill.load(Ordering::Relaxed);
        full_at.max(now).saturating_sub(fill.saturating_sub(self.worth(tokens)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn bucket(per_second: f64, burst: u32) -> Bucket {
        Bucket::new(Some(Rate { per_second, burst }))
    }

    #[test]
    fn a_full_bucket_gives_its_burst_and_then_one_an_interval() {
        let bucket = bucket(10.0, 3);
        let now = 5 * SECOND;
        assert_eq!([0; 3].map(|_| bucket.take(now, 1)), [Ok(()); 3]);
        assert_eq!(bucket.take(now, 1), Err(now + SECOND / 10));
        assert_eq!(bucket.take(now + SECOND / 10, 1), Ok(()));
        assert_eq!(bucket.wait(now + SECOND / 10, 2), Duration::from_millis(200));
        assert_eq!(bucket.take(now + 10 * SECOND, 3), Ok(()), "it fills, and no further than its burst");
        assert_eq!(bucket.take(now + 10 * SECOND, 1), Err(now + 10 * SECOND + SECOND / 10));
        bucket.give_back(1);
        assert_eq!(bucket.take(now + 10 * SECOND, 1), Ok(()));
    }

    #[test]
    fn what_costs_more_than_a_burst_waits_for_a_full_bucket_and_leaves_a_debt() {
        let bucket = bucket(10.0, 3);
        assert_eq!(bucket.take(SECOND, 1), Ok(()));
        assert_eq!(bucket.take(SECOND, 10), Err(SECOND + SECOND / 10));
        assert_eq!(bucket.take(SECOND + SECOND / 10, 10), Ok(()));
        assert_eq!(bucket.take(SECOND + SECOND / 10, 1), Err(SECOND + SECOND / 10 + 8 * SECOND / 10));
    }

    #[test]
    fn without_a_rate_there_is_always_one() {
        let bucket = Bucket::new(None);
        assert_eq!(bucket.take(0, u64::MAX), Ok(()));
        assert_eq!(bucket.wait(0, u64::MAX), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn no_span_of_time_sees_more_than_its_share_and_a_burst(
            per_second in 1.0_f64..1000.0,
            burst in 1_u32..20,
            asks in prop::collection::vec((0_u64..SECOND / 20, 1_u64..4), 1..200),
        ) {
            let bucket = bucket(per_second, burst);
            let (mut now, mut taken): (u64, Vec<(u64, u64)>) = (SECOND, Vec::new());
            for (pause, tokens) in asks {
                now += pause;
                match bucket.take(now, tokens) {
                    Ok(()) => taken.push((now, tokens)),
                    Err(ready) => {
                        prop_assert!(ready > now);
                        // What it says is true, to the rounding of one interval.
                        prop_assert_eq!(bucket.wait(now, tokens.min(burst.into())), Duration::from_nanos(ready - now));
                    }
                }
            }
            for (index, (from, _)) in taken.iter().enumerate() {
                let mut sum = 0;
                for (at, tokens) in &taken[index..] {
                    sum += tokens;
                    let share = (at - from) as f64 * per_second / 1e9;
                    // One call over the burst may leave a debt of its own size.
                    prop_assert!(sum as f64 <= f64::from(burst).max(*tokens as f64) + share + 4.0);
                }
            }
        }
    }
}
