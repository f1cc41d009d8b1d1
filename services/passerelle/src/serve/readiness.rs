//! Whether new work should be sent here, and if not, why.

use std::sync::atomic::{AtomicBool, Ordering};

use passerelle_journal::Durability;
use tokio::sync::watch;

/// What stands in the way of new work. Calls that come all the same are carried.
pub(crate) struct Readiness {
    draining: AtomicBool,
    durability: watch::Receiver<Durability>,
}

impl Readiness {
    /// Ready as long as the journal is.
    pub(crate) fn new(durability: watch::Receiver<Durability>) -> Self {
        Self { draining: AtomicBool::new(false), durability }
    }

    /// From now on it is not.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Why it is not, for operators.
    pub(crate) fn obstacle(&self) -> Option<String> {
        if self.draining.load(Ordering::Relaxed) {
            return Some("draining".to_owned());
        }
        let failed = self.durability.borrow().failed.clone();
        failed.map(|why| format!("the journal cannot be written any more: {why}; calls to back offices go on"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_that_has_failed_stands_in_the_way() {
        let (durability, watched) = watch::channel(Durability::default());
        let readiness = Readiness::new(watched);
        assert_eq!(readiness.obstacle(), None);
        durability.send_modify(|durability| durability.failed = Some("no such device".into()));
        assert!(readiness.obstacle().is_some_and(|why| why.contains("no such device")));
        readiness.drain();
        assert_eq!(readiness.obstacle().as_deref(), Some("draining"));
    }
}
