//! Which connection a call takes: the least loaded one of those whose server is well.
//!
//! All connections are looked at, not two at random (gRPC A48): how loaded each is is known exactly and costs an atomic load, servers
//! behind one endpoint are few, and ties go round.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use arc_swap::Guard;
use tonic::Status;

use super::super::hedge::Tried;
use super::Remote;
use super::connection::{Lease, Queue};
use super::fleet::Servers;
use super::slot::State;

impl Remote {
    /// A place on the least loaded open connection. Waits while one is being opened or all are full; fails at once when every
    /// server is known to be down (gRPC's default, "not wait for ready").
    /// `tried`: elsewhere than there, if there is a choice.
    pub(super) async fn lease(&self, deadline: Option<Instant>, tried: Option<&Tried>) -> Result<Lease, Status> {
        let mut lease = match self.least_loaded(tried) {
            Some(lease) => lease,
            None => self.wait_for_lease(tried).await?,
        };
        if let Some(tried) = tried {
            tried.note(lease.connection.track());
        }
        lease.due(deadline);
        Ok(lease)
    }

    async fn wait_for_lease(&self, tried: Option<&Tried>) -> Result<Lease, Status> {
        let _waiting = Waiting::enter(&self.signals.queue);
        let mut changes = self.signals.changed.subscribe();
        loop {
            let mut freed = pin!(self.signals.queue.freed.notified());
            freed.as_mut().enable();
            changes.mark_unchanged();
            let servers = self.fleet.servers();
            servers.slots.iter().for_each(|slot| slot.connection().iter().for_each(|open| open.refresh_limit()));
            if let Some(lease) = self.least_loaded(tried) {
                return Ok(lease);
            }
            if let Some(down) = self.all_down(&servers) {
                return Err(down);
            }
            drop(servers);
            tokio::select! {
                // The sender of changes lives as long as self.
                _ = changes.changed() => {}
                () = freed => {}
            }
        }
    }

    /// An ejected server is taken only when there is no other: it is better than none.
    fn least_loaded(&self, tried: Option<&Tried>) -> Option<Lease> {
        let servers = self.fleet.servers();
        let slots = &servers.slots;
        let (before, from) = slots.split_at(self.next.fetch_add(1, Ordering::Relaxed) % slots.len().max(1));
        let open = from.iter().chain(before).filter_map(|slot| {
            let open = slot.connection();
            let rank = open.as_ref().and_then(|connection| {
                let again = tried.is_some_and(|tried| tried.contains(connection.track()));
                Some((connection.is_ejected(), again, connection.load()?))
            })?;
            Some((rank, open))
        });
        let ((is_ejected, ..), least) = open.min_by_key(|(rank, _)| *rank)?;
        if is_ejected && servers.has_a_well_one() {
            return None;
        }
        Guard::into_inner(least).and_then(Lease::take)
    }

    fn all_down(&self, servers: &Servers) -> Option<Status> {
        if servers.slots.is_empty() {
            return Some(Status::unavailable(format!("back office {} has no address", self.name)));
        }
        let mut why = None;
        for slot in &servers.slots {
            match slot.state() {
                State::Failed { error, again_at } => why = Some((slot, error, Some(again_at))),
                State::NotServing { reason } => why = Some((slot, reason, None)),
                State::Connecting | State::Ready => return None,
            }
        }
        let (slot, error, again_at) = why?;
        let text = format!("back office {} is down: {}: {error}", self.name, slot.label);
        Some(Status::unavailable(match again_at {
            None => text,
            Some(at) => {
                let wait = at.saturating_duration_since(Instant::now());
                format!("{text}; next attempt in {} ms", wait.as_millis())
            }
        }))
    }
}

impl Servers {
    /// Whether calls could go to a server that is not ejected, now or when it has room.
    fn has_a_well_one(&self) -> bool {
        let is_well = |slot: &Arc<super::slot::Slot>| {
            slot.connection().as_ref().is_some_and(|connection| connection.is_open() && !connection.is_ejected())
        };
        self.slots.iter().any(is_well)
    }
}

/// A call in the queue for as long as this lives.
struct Waiting<'a>(&'a Queue);

impl<'a> Waiting<'a> {
    fn enter(queue: &'a Queue) -> Self {
        queue.waiting.fetch_add(1, Ordering::SeqCst);
        Self(queue)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}
