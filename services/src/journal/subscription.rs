//! Durable subscriptions: how far each has got, and whose turn it is.

mod decide;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use passerelle_bus::keyed::Decider;
use passerelle_journal::Position;
use passerelle_proto::Acknowledgement;
use passerelle_proto::bus::v1::{AcknowledgeRequest, AcknowledgeResponse};
use tokio::sync::oneshot;
use tonic::Status;

pub(super) use self::decide::{Advance, Subscription};

use super::{Service, refusal};

/// Kind of the records of subscriptions.
pub(super) const KIND: &str = Subscription::KIND;
/// Kinds of all things that the service keeps.
pub const KINDS: [&str; 1] = [KIND];
/// Characters of a name at most.
const LONGEST_NAME: usize = 128;

impl Service {
    /// Says up to where a durable subscription has been dealt with.
    pub(super) async fn acknowledge(&self, request: AcknowledgeRequest) -> Result<AcknowledgeResponse, Status> {
        let AcknowledgeRequest { durable_name, position } = request;
        check_name(&durable_name)?;
        let last = self.journal.durable().borrow().position;
        if position > last.0 {
            return Err(Status::out_of_range(format!("position: {position} is not written yet, the last one is {last}")));
        }
        let done = self.subscriptions.command(&durable_name, None, Advance { to: position }).await;
        let done = done.map_err(|failure| refusal::of_command(&failure))?;
        Ok(AcknowledgeResponse { acknowledgement: Some(Acknowledgement::durable(done.position.0, done.repeated)) })
    }

    /// Up to where the subscription of that name has been dealt with; 0 for a new one.
    pub(super) async fn acknowledged(&self, name: &str) -> Result<Position, Status> {
        let state = self.subscriptions.state(name).await.map_err(|failure| refusal::of_command(&failure))?;
        Ok(Position(state.map_or(0, |(state, _)| state.acknowledged)))
    }
}

/// Who follows now, by durable name.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<String, oneshot::Sender<()>>>);

impl Turns {
    /// The turn to follow under that name; whoever had it before is over.
    pub(super) fn take_over(&self, name: &str) -> Turn {
        let (sender, receiver) = oneshot::channel();
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, other| !other.is_closed());
        // The one before is dropped, which tells it.
        turns.insert(name.to_owned(), sender);
        Turn(receiver)
    }
}

/// The right to follow under a durable name.
pub(super) struct Turn(oneshot::Receiver<()>);

impl Turn {
    /// Waits until another one has taken over.
    pub(super) async fn over(&mut self) {
        let _ = (&mut self.0).await;
    }

    /// Whether another one has taken over.
    pub(super) fn is_over(&mut self) -> bool {
        !matches!(self.0.try_recv(), Err(oneshot::error::TryRecvError::Empty))
    }
}

/// Another one follows now.
pub(super) fn taken_over() -> Status {
    Status::aborted("another subscription has taken over this durable name; a name is for one at a time")
}

pub(super) fn check_name(name: &str) -> Result<(), Status> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    match (1..=LONGEST_NAME).contains(&name.len()) && name.chars().all(allowed) {
        true => Ok(()),
        false => {
            Err(Status::invalid_argument(format!("durable_name: 1 to {LONGEST_NAME} letters, digits, `.`, `-`, `_` are a name")))
        }
    }
}
