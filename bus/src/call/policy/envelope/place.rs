//! A place on its way to somebody who waits for it.

use std::sync::Arc;

use super::Envelope;

/// A place that was given to somebody who waits; it goes back if he is gone.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) envelope: Arc<Envelope>,
    pub(super) cost: u32,
}

impl Place {
    /// It has been taken, or given back otherwise.
    pub(super) fn forget(mut self) {
        self.cost = 0;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.cost > 0 {
            self.envelope.unused(self.cost);
        }
    }
}
