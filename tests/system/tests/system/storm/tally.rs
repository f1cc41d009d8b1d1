//! How far the storm has got, for all who take part in it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;
use tonic::Status;

/// How long nothing at all may get done before that is called a hang.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Tally {
    progress: watch::Sender<Progress>,
    /// The daemon is being killed.
    over: AtomicBool,
    /// How often nothing was acknowledged, by the status.
    refusals: Mutex<BTreeMap<String, usize>>,
}

#[derive(Debug, Default)]
struct Progress {
    done: usize,
    /// What must not be.
    wrong: Option<String>,
}

impl Tally {
    pub(super) fn new() -> Arc<Self> {
        let progress = watch::Sender::default();
        Arc::new(Self { progress, over: AtomicBool::new(false), refusals: Mutex::default() })
    }

    /// One more callback or matter has come to its end.
    pub(super) fn one_more(&self) {
        self.progress.send_modify(|progress| progress.done += 1);
    }

    /// Something is not as it must be.
    pub(super) fn wrong(&self, what: String) {
        self.progress.send_modify(|progress| progress.wrong = Some(what));
    }

    /// Nothing was acknowledged.
    pub(super) fn refused(&self, status: &Status) {
        *self.refusals.lock().unwrap().entry(format!("{:?}", status.code())).or_default() += 1;
    }

    pub(super) fn refusals(&self) -> BTreeMap<String, usize> {
        self.refusals.lock().unwrap().clone()
    }

    pub(super) fn done(&self) -> usize {
        self.progress.borrow().done
    }

    /// Waits until so many are done.
    pub(super) async fn until(&self, count: usize) -> Result<(), String> {
        let mut progress = self.progress.subscribe();
        loop {
            let done = {
                let progress = progress.borrow_and_update();
                if let Some(wrong) = &progress.wrong {
                    return Err(wrong.clone());
                }
                progress.done
            };
            if done >= count {
                return Ok(());
            }
            if timeout(PATIENCE, progress.changed()).await.is_err() {
                return Err(format!("{done} are done, and nothing more for {PATIENCE:?}: {:?}", self.refusals()));
            }
        }
    }

    /// A life of the daemon ends.
    pub(super) fn ends(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Another one begins.
    pub(super) fn begins(&self) {
        self.over.store(false, Ordering::Relaxed);
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}
