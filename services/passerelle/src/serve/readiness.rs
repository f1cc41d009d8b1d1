//! Whether new work should be sent here, and if not, why.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::durable::Durable;

/// What stands in the way of new work. Calls that come all the same are carried.
pub(crate) struct Readiness {
    draining: AtomicBool,
    durable: Arc<Durable>,
}

impl Readiness {
    /// Ready as long as what stands on the journal works.
    pub(crate) fn new(durable: Arc<Durable>) -> Self {
        Self { draining: AtomicBool::new(false), durable }
    }

    /// From now on it is not.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Why it is not, for operators.
    pub(crate) fn obstacle(&self) -> Option<String> {
        match self.draining.load(Ordering::Relaxed) {
            true => Some("draining".to_owned()),
            false => self.durable.obstacle(),
        }
    }
}
