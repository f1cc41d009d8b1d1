//! How long calls usually take: a moving average in one word of memory.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How much a new call counts against all before it.
const WEIGHT: u64 = 16;

/// The usual duration; zero until there was one.
#[derive(Debug, Default)]
pub(in crate::call) struct Pace(AtomicU64);

impl Pace {
    /// A call has taken that long. Of two at the very same moment one may not count.
    pub(in crate::call) fn took(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX).max(1);
        let before = self.0.load(Ordering::Relaxed);
        let after = if before == 0 { nanos } else { before - before / WEIGHT + nanos / WEIGHT };
        self.0.store(after, Ordering::Relaxed);
    }

    pub(in crate::call) fn usual(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_call_is_usual_and_many_others_change_it() {
        let pace = Pace::default();
        assert_eq!(pace.usual(), Duration::ZERO);
        pace.took(Duration::from_millis(100));
        assert_eq!(pace.usual(), Duration::from_millis(100));
        pace.took(Duration::from_millis(260));
        assert_eq!(pace.usual().as_millis(), 110);
        (0..100).for_each(|_| pace.took(Duration::from_millis(10)));
        assert_eq!(pace.usual().as_millis(), 10);
    }
}
