//! Throttling of retries (gRFC A6): a back office that fails most calls is not called more often for it.

use std::sync::atomic::{AtomicI64, Ordering};

/// Tokens are counted in thousandths.
const WHOLE: i64 = 1000;

/// Tokens that failures take and successes bring back slowly. Below half there are no retries.
#[derive(Debug)]
pub(super) struct Throttle {
    most: i64,
    ratio: i64,
    tokens: AtomicI64,
}

impl Throttle {
    pub(super) fn new(tokens: u32, ratio: f64) -> Self {
        let most = i64::from(tokens) * WHOLE;
        Self { most, ratio: (ratio * WHOLE as f64) as i64, tokens: AtomicI64::new(most) }
    }

    /// A call failed in a way that might be retried. Says whether it may.
    pub(super) fn failed(&self) -> bool {
        let less = |tokens: i64| Some((tokens - WHOLE).max(0));
        // Never refused: the function always gives a value.
        let before = self.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).unwrap_or_default();
        (before - WHOLE).max(0) > self.most / 2
    }

    /// Whether there may be further attempts.
    pub(super) fn may(&self) -> bool {
        self.tokens.load(Ordering::Relaxed) > self.most / 2
    }

    /// A call went well.
    pub(super) fn succeeded(&self) {
        if self.tokens.load(Ordering::Relaxed) < self.most {
            let more = |tokens: i64| Some((tokens + self.ratio).min(self.most));
            let _ = self.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_end_when_half_of_the_tokens_are_gone_and_come_back_with_success() {
        let throttle = Throttle::new(10, 0.1);
        assert_eq!([0; 6].map(|_| throttle.failed()), [true, true, true, true, false, false]);
        (0..19).for_each(|_| throttle.succeeded());
        assert!(!throttle.failed(), "5.9 - 1 tokens are less than half");
        (0..30).for_each(|_| throttle.succeeded());
        assert!(throttle.failed());
        (0..1000).for_each(|_| throttle.succeeded());
        assert_eq!(throttle.tokens.load(Ordering::Relaxed), 10 * WHOLE);
        assert_eq!((0..100).filter(|_| throttle.failed()).count(), 4);
        assert_eq!(throttle.tokens.load(Ordering::Relaxed), 0);
    }
}
