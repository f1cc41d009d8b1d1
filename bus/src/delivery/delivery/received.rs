//! What a destination has received already is not delivered again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use passerelle_journal::Position;

use super::{Desk, Parcel};
use crate::delivery::receipts::{Admitted, Receipts};

/// How long is waited before receipts that could not be read are read again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a message waits while another one with its key, of another lane, is with the destination.
const WAIT: Duration = Duration::from_millis(50);

/// Reads what was received before; until then nothing is handed out.
pub(super) async fn load(desk: Arc<Desk>, known: Position) {
    let Some(most) = desk.plan.once.as_ref().map(|once| once.most) else { return };
    let mut closing = desk.closing.subscribe();
    loop {
        let name = desk.plan.name.clone();
        let query = desk.parts.projection.read_at_least(known, move |connection| Receipts::written(connection, &name, most));
        let read = tokio::select! {
            biased;
            _ = closing.wait_for(|closing| *closing) => return,
            read = query => read,
        };
        match read {
            Ok(receipts) => {
                if let Some(loading) = &mut desk.state().receipts {
                    loading.load(receipts);
                }
                return desk.arrived.notify_one();
            }
            Err(error) => {
                tracing::warn!(delivery = desk.plan.name, %error, "what was delivered before cannot be read for now: nothing is delivered");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

/// Lets a message go that was not received, nor is with the destination.
pub(super) fn admit(desk: &Desk, mut parcel: Parcel) -> Option<Parcel> {
    let receipt = desk.plan.once.as_ref().and_then(|once| (once.receipt)(&parcel.message));
    let Some(receipt) = receipt else { return Some(parcel) };
    let mut state = desk.state();
    let admitted = state.receipts.as_mut().map(|receipts| receipts.admit(receipt, parcel.is_replayed()));
    match admitted {
        None | Some(Admitted::Goes) => {
            drop(state);
            parcel.receipt = Some(receipt);
            Some(parcel)
        }
        Some(Admitted::Waits) => {
            drop(state);
            parcel.put_back(Instant::now() + WAIT);
            None
        }
        Some(Admitted::Repeats) => {
            state.counts.repeated += 1;
            drop(state);
            parcel.pass_over();
            None
        }
    }
}
