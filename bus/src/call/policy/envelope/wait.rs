//! Waiting in the line: until one's turn, until it is no use any more, or until the caller goes away.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;

use super::line::Rank;
use super::place::Place;
use super::{Envelope, now};
use crate::call::policy::shed::{Reason, Shed};

/// A place in the line; dropped, it is left.
#[derive(Debug)]
pub(in crate::call::policy) struct Ticket {
    envelope: Arc<Envelope>,
    rank: Rank,
    give_up: Instant,
    why: Reason,
    told: oneshot::Receiver<Result<Place, Shed>>,
}

impl Ticket {
    pub(super) fn new(
        envelope: Arc<Envelope>,
        rank: Rank,
        give_up: Instant,
        why: Reason,
        told: oneshot::Receiver<Result<Place, Shed>>,
    ) -> Self {
        Self { envelope, rank, give_up, why, told }
    }

    /// Waits for one's turn. Dropping the future leaves the line.
    pub(in crate::call::policy) async fn turn(mut self) -> Result<(), Shed> {
        let told = tokio::time::timeout_at(self.give_up.into(), &mut self.told).await;
        let told = match told {
            Ok(told) => told.ok(),
            // At the last moment it may still have been one's turn.
            Err(_) => self.told.try_recv().ok(),
        };
        match told {
            Some(Ok(place)) => {
                place.forget();
                Ok(())
            }
            Some(Err(shed)) => Err(shed),
            None => {
                let come_back = self.envelope.come_back(&self.envelope.lock(), now(), 0);
                Err(Shed { reason: self.why, come_back })
            }
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut queue = self.envelope.lock();
        // Those behind may need less than this one did.
        if queue.line.leave(&self.rank).is_some() {
            self.envelope.settle(&mut queue, now());
        }
    }
}
