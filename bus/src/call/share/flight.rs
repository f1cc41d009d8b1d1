//! A call that the bus makes for everybody who asks the same at that time.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::error::Elapsed;

use super::Share;
use super::answer::Answer;
use super::key::Key;

/// What a flight has brought, once it has.
pub(super) type Told = Option<Arc<Answer>>;

/// A call under way, held by those who wait for it. When the last one goes, the call is cancelled.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) share: Arc<Share>,
    pub(super) key: Key,
    pub(super) number: u64,
    /// Until when it may last; `None`: for ever.
    pub(super) until: Option<Instant>,
    /// When the back office was asked; empty while the call waits for it.
    pub(super) began: Arc<OnceLock<Instant>>,
    pub(super) told: watch::Receiver<Told>,
    pub(super) task: OnceLock<AbortHandle>,
}

impl Flight {
    /// Whether its answer serves a call that comes now: what it brings is not older than `oldest` as seen from then, and it lasts as
    /// long as that call may.
    pub(super) fn serves(&self, now: Instant, oldest: Duration, deadline: Option<Instant>) -> bool {
        let young = self.began.get().is_none_or(|began| now.saturating_duration_since(*began) <= oldest);
        let lasts = self.until.is_none_or(|until| deadline.is_some_and(|deadline| deadline <= until));
        young && lasts
    }

    /// Waits for the answer, within one's own deadline. `None`: there is none, for a reason that says nothing.
    pub(super) async fn answer(&self, deadline: Option<Instant>) -> Result<Told, Elapsed> {
        let mut told = self.told.clone();
        let answered = async move { told.wait_for(Option::is_some).await.ok().and_then(|told| told.clone()) };
        match deadline {
            None => Ok(answered.await),
            Some(at) => tokio::time::timeout_at(at.into(), answered).await,
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
        self.share.over(self);
    }
}
