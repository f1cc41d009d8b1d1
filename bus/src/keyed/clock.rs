//! Time, handed in: the wall clock in the bus, one moved by hand in tests.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use tokio::sync::watch;

/// The wall clock, as deciders and timers see it.
#[async_trait]
pub trait Clock: Send + Sync + 'static {
    /// What time it is.
    fn now(&self) -> SystemTime;

    /// Returns when [`now`](Self::now) has reached that time; within a second also when the clock is set forward meanwhile.
    async fn sleep_until(&self, time: SystemTime);
}

/// A clock that stands still until it is moved, for tests.
#[derive(Debug)]
pub struct Manual(watch::Sender<SystemTime>);

impl Manual {
    /// A clock that shows that time.
    pub fn at(time: SystemTime) -> Self {
        Self(watch::Sender::new(time))
    }

    /// A clock that shows that many seconds after the beginning of 1970.
    pub fn at_seconds(seconds: u64) -> Self {
        Self::at(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
    }

    /// Moves on, and wakes whoever waited for a time up to the new one.
    pub fn advance(&self, duration: Duration) {
        self.0.send_modify(|now| *now += duration);
    }

    /// Shows another time, which may lie before: wall clocks do that.
    pub fn set(&self, time: SystemTime) {
        self.0.send_replace(time);
    }
}

#[async_trait]
impl Clock for Manual {
    fn now(&self) -> SystemTime {
        *self.0.borrow()
    }

    async fn sleep_until(&self, time: SystemTime) {
        // The sender lives as long as `self`: there is no other way out of the wait than the time.
        let _ = self.0.subscribe().wait_for(|now| *now >= time).await;
    }
}
