//! The wall clock, handed to all that decides.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use passerelle_bus::keyed::Clock;

/// How long is slept at most before the clock is looked at again: it may have been set.
const LONGEST_SLEEP: Duration = Duration::from_millis(500);

/// The clock of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wall;

#[async_trait]
impl Clock for Wall {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    async fn sleep_until(&self, time: SystemTime) {
        while let Ok(left) = time.duration_since(self.now()) {
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(LONGEST_SLEEP)).await;
        }
    }
}
