//! Writing down how far a delivery has got: one record at a time, with all that changed meanwhile.

use std::sync::Arc;
use std::time::Duration;

use super::Desk;
use crate::delivery::{Changes, Receipts};

/// How long is waited before progress that could not be written is written again.
const AGAIN: Duration = Duration::from_secs(1);
/// Where nothing is delivered, what was read is written down after so many records.
const READ_FOR_NOTHING: u64 = 10_000;

pub(super) async fn run(desk: Arc<Desk>) {
    let mut closing = desk.closing.subscribe();
    loop {
        let changed = desk.changed.notified();
        let is_closing = *closing.borrow();
        if let Some(changes) = changes(&desk, is_closing) {
            write(&desk, &changes).await;
            desk.writes.send_modify(|writes| *writes += 1);
            continue;
        }
        if is_closing && desk.state().lanes.under_way() == 0 {
            return;
        }
        tokio::select! {
            () = changed => {}
            _ = closing.changed() => {}
        }
    }
}

fn changes(desk: &Desk, is_last: bool) -> Option<Changes> {
    let mut state = desk.state();
    let read = state.lanes.frontier().position - state.written.position;
    // A record of ours is read as well: it is no reason for the next one.
    let has_fresh = state.receipts.as_ref().is_some_and(Receipts::has_fresh);
    if !state.lanes.has_changes() && !has_fresh && read < if is_last { 2 } else { READ_FOR_NOTHING } {
        return None;
    }
    state.written = state.lanes.frontier();
    state.writes += 1;
    let received = state.receipts.as_mut().map(Receipts::take_fresh).unwrap_or_default();
    Some(Changes { received, ..state.lanes.take_changes() })
}

async fn write(desk: &Desk, changes: &Changes) {
    while let Err(failure) = desk.parts.ledger.command(&desk.plan.name, None, changes.clone()).await {
        tracing::warn!(delivery = desk.plan.name, %failure, "how far a delivery has got cannot be written for now");
        tokio::time::sleep(AGAIN).await;
    }
}
