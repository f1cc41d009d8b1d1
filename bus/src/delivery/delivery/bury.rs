//! Dead letters of a delivery: written down before the message is settled, so that a crash in between writes it down again.

use std::sync::Arc;
use std::time::Duration;

use passerelle_proto::bus::v1::Message;

use super::Desk;
use crate::delivery::{Bury, GivenUp, Reason, Receipt, Sending, Settlement};
use crate::keyed::Failure;

/// How long is waited before a dead letter that could not be written is written again.
const AGAIN: Duration = Duration::from_secs(1);

/// A message that is given up.
pub(super) struct Loss {
    pub(super) sending: Sending,
    /// The dead letter that it was before.
    pub(super) letter: Option<Arc<str>>,
    pub(super) receipt: Option<Receipt>,
    pub(super) message: Message,
    pub(super) reason: Reason,
    pub(super) why: String,
}

/// Writes it down, and settles it.
pub(super) async fn given_up(desk: Arc<Desk>, loss: Loss) {
    let Loss { sending, letter, receipt, message, reason, why } = loss;
    let delivery = desk.plan.name.clone();
    let key = letter.unwrap_or_else(|| format!("{delivery}/{}", sending.place).into());
    let given_up =
        GivenUp { delivery, message, place: sending.place.into(), lane: sending.lane, reason, why, attempts: sending.attempt };
    write(&desk, &key, Bury::Up(Box::new(given_up))).await;
    // What may have been received must not come a second time by itself, either. Not before the letter is there: after a crash in between
    // the message would be passed over.
    desk.receive(receipt, reason == Reason::Undecided);
    desk.finish(&sending, Settlement::Done);
}

/// A dead letter was sent again, and taken.
pub(super) async fn recovered(desk: Arc<Desk>, letter: Arc<str>, sending: Sending) {
    write(&desk, &letter, Bury::Recovered).await;
    desk.finish(&sending, Settlement::Done);
}

/// Until it is written: the message must not be settled before.
async fn write(desk: &Desk, key: &str, command: Bury) {
    while let Err(failure) = desk.parts.graves.command(key, None, command.clone()).await {
        if let Failure::Refused(refusal) = &failure {
            // What is over needs no more.
            tracing::warn!(delivery = desk.plan.name, letter = key, %refusal, "a dead letter is not what it was taken for");
            return;
        }
        tracing::warn!(delivery = desk.plan.name, letter = key, %failure, "a dead letter cannot be written for now");
        tokio::time::sleep(AGAIN).await;
    }
}
