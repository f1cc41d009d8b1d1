//! The calls that an adapter carries at the same time: bounded, and none any more while it drains.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Fault;

/// When to come back to an adapter that is full.
const RETRY_WHEN_FULL: Duration = Duration::from_millis(250);

/// As many places as calls may be under way.
#[derive(Debug)]
pub struct Places {
    endpoint: String,
    most: u32,
    free: Arc<Semaphore>,
    /// Set before the calls in flight are waited for: who comes meanwhile goes elsewhere, and is not told to come back.
    is_draining: AtomicBool,
}

/// The place of one call; free again when dropped.
#[derive(Debug)]
pub struct Place(#[allow(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

impl Places {
    /// Places of an endpoint; `most` is at least 1.
    pub fn new(endpoint: String, most: u32) -> Self {
        Self { endpoint, most, free: Arc::new(Semaphore::new(most as usize)), is_draining: AtomicBool::new(false) }
    }

    /// A place for a call.
    ///
    /// # Errors
    /// [`Fault::Throttled`] when all are taken, [`Fault::Unavailable`] when the adapter drains.
    pub fn take(&self) -> Result<Place, Fault> {
        let place = self.free.clone().try_acquire_owned();
        // Looked at after a place was taken: a drain that began meanwhile waits for it, or is seen here.
        if self.is_draining.load(Ordering::Acquire) {
            return Err(Fault::unavailable("the adapter is draining"));
        }
        place.map(Place).map_err(|_| Fault::Throttled {
            retry_after: RETRY_WHEN_FULL,
            message: format!("{}: {} calls are under way, the limit", self.endpoint, self.most),
        })
    }

    /// Gives no more places, and waits until all are free, or for `grace`. What still runs then is cut when its caller is.
    pub async fn drain(&self, grace: Duration) {
        self.is_draining.store(true, Ordering::Release);
        let _ = tokio::time::timeout(grace, self.free.acquire_many(self.most)).await;
    }
}
