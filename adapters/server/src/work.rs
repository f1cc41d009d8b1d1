//! What is in flight: so many calls at most, and none that begins once the adapter is drained.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use passerelle_adapter::Fault;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// When a call that found no place may come again.
const COME_BACK: Duration = Duration::from_millis(100);
/// When one that found the adapter draining may: by then another process may serve in its place.
const DRAINED: Duration = Duration::from_secs(1);

/// Places for calls.
pub(crate) struct Work {
    places: Arc<Semaphore>,
    all: AtomicU32,
    stage: watch::Sender<Stage>,
}

/// How far the end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    Draining,
    Cut,
}

/// A call in flight.
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
    stage: watch::Receiver<Stage>,
}

impl Work {
    pub(crate) fn new(calls: u32) -> Self {
        Self {
            places: Arc::new(Semaphore::new(calls as usize)),
            all: AtomicU32::new(calls),
            stage: watch::Sender::new(Stage::Open),
        }
    }

    /// The adapter bears fewer than its server. Before the first call only.
    pub(crate) fn bound(&self, calls: u32) {
        let all = self.all.load(Ordering::Relaxed);
        let calls = calls.clamp(1, all);
        self.places.forget_permits((all - calls) as usize);
        self.all.store(calls, Ordering::Relaxed);
    }

    /// Places there are.
    pub(crate) fn all(&self) -> u32 {
        self.all.load(Ordering::Relaxed)
    }

    /// A place for one call.
    pub(crate) fn begin(&self) -> Result<Place, Fault> {
        if self.is_draining() {
            let message = "the adapter is draining and takes no further call".to_owned();
            return Err(Fault::Unavailable { retry_after: Some(DRAINED), message });
        }
        let permit = self.places.clone().try_acquire_owned().map_err(|_| Fault::Throttled {
            retry_after: COME_BACK,
            message: format!("the adapter carries {} calls already, its limit", self.all()),
        })?;
        Ok(Place { _permit: permit, stage: self.stage.subscribe() })
    }

    /// Returns when nothing further is taken.
    pub(crate) async fn draining(&self) {
        // Never an error: the other half is ours.
        let _ = self.stage.subscribe().wait_for(|stage| *stage != Stage::Open).await;
    }

    pub(crate) fn is_draining(&self) -> bool {
        *self.stage.borrow() != Stage::Open
    }

    /// Takes nothing further; returns when nothing is in flight, or cuts off what is after `grace`, and tells how many that were.
    pub(crate) async fn drain(&self, grace: Duration) -> u32 {
        self.stage.send_if_modified(|stage| *stage == Stage::Open && std::mem::replace(stage, Stage::Draining) == Stage::Open);
        if tokio::time::timeout(grace, self.places.acquire_many(self.all())).await.is_ok() {
            return 0;
        }
        let all = self.all();
        let left = all.saturating_sub(u32::try_from(self.places.available_permits()).unwrap_or(all));
        self.stage.send_replace(Stage::Cut);
        left
    }
}

impl Place {
    /// Returns when the grace is over.
    pub(crate) async fn cut(&mut self) {
        if self.stage.wait_for(|stage| *stage == Stage::Cut).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_over_the_limit_is_throttled_and_what_outlasts_the_grace_is_cut() {
        let work = Work::new(1);
        let mut place = work.begin().unwrap();
        work.bound(7);
        assert!(matches!(work.begin(), Err(Fault::Throttled { .. })));
        assert_eq!(work.drain(Duration::from_secs(1)).await, 1);
        place.cut().await;
        drop(place);
        assert!(matches!(work.begin(), Err(Fault::Unavailable { .. })));
        assert_eq!(work.drain(Duration::from_secs(1)).await, 0, "it can be repeated");
    }
}
