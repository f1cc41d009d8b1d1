//! Durable subscriptions: how far each has got, and whose turn it is.

mod decide;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use passerelle_bus::keyed::{Context, Decider};
use passerelle_journal::{Entry, History, Journal, KeyStep, Outcome, Position};
use passerelle_proto::bus::v1::{
    AcknowledgeRequest, AcknowledgeResponse, Message, Record, Snapshot, SubscriptionEvent, SubscriptionState,
};
use passerelle_proto::{Acknowledgement, AcknowledgementLevel};
use prost::Message as _;
use tokio::sync::oneshot;
use tonic::Status;

pub use self::decide::{Advance, Subscription};

use super::{Service, refusal};

/// Kind of the records of subscriptions.
pub(super) const KIND: &str = Subscription::KIND;
/// Characters of a name at most.
const LONGEST_NAME: usize = 128;

/// All durable subscriptions.
pub(super) struct Subscriptions {
    journal: Arc<dyn Journal>,
    now: fn() -> SystemTime,
    /// One acknowledgement at a time: the state is read before it is written.
    writing: tokio::sync::Mutex<()>,
    /// Who follows now, by name; what is dropped is over.
    following: Mutex<HashMap<String, oneshot::Sender<()>>>,
}

impl Subscriptions {
    pub(super) fn new(journal: Arc<dyn Journal>, now: fn() -> SystemTime) -> Self {
        Self { journal, now, writing: tokio::sync::Mutex::default(), following: Mutex::default() }
    }

    /// The turn to follow under that name; whoever had it before is over.
    pub(super) fn take_over(&self, name: &str) -> Turn {
        let (sender, receiver) = oneshot::channel();
        let mut following = self.following.lock().unwrap_or_else(PoisonError::into_inner);
        following.retain(|_, other| !other.is_closed());
        following.insert(name.to_owned(), sender);
        Turn(receiver)
    }

    /// Up to where the subscription of that name has been dealt with; 0 for a new one.
    pub(super) async fn acknowledged(&self, name: &str) -> Result<Position, Status> {
        let (state, _) = self.load(name).await?;
        Ok(Position(state.acknowledged))
    }

    async fn load(&self, name: &str) -> Result<(SubscriptionState, u64), Status> {
        let (journal, key) = (self.journal.clone(), format!("{KIND}/{name}"));
        let history = tokio::task::spawn_blocking(move || journal.history(&key)).await;
        let history = history.map_err(|_| Status::internal("reading the journal failed; see the log of the bus"))?;
        let History { records, sequence } = history.map_err(|error| refusal::of_read(&error))?;
        let mut state = SubscriptionState::default();
        for stored in records {
            let broken = |error| Status::data_loss(format!("position {} cannot be read: {error}", stored.position));
            let record = Record::decode(stored.entry.data).map_err(broken)?;
            match record.snapshot {
                Some(snapshot) => state = SubscriptionState::decode(snapshot.state.as_slice()).map_err(broken)?,
                None => {
                    for event in record.events {
                        Subscription.evolve(&mut state, &SubscriptionEvent::decode(event.data).map_err(broken)?);
                    }
                }
            }
        }
        Ok((state, sequence))
    }

    async fn advance(&self, name: &str, to: u64) -> Result<Acknowledgement, Status> {
        let _alone = self.writing.lock().await;
        let (mut state, sequence) = self.load(name).await?;
        let now = (self.now)();
        let Ok(decision) = Subscription.decide(&state, &Advance { to }, &Context { key: name, now });
        let durable = AcknowledgementLevel::Durable.into();
        if decision.events.is_empty() {
            return Ok(Acknowledgement { level: durable, position: 0, repeated: true });
        }
        let message = |event: &SubscriptionEvent| Message {
            r#type: Subscription::event_type(event).to_owned(),
            subject: name.to_owned(),
            time: Some(now.into()),
            data: event.encode_to_vec().into(),
            ..Message::default()
        };
        decision.events.iter().for_each(|event| Subscription.evolve(&mut state, event));
        let record = Record {
            time: Some(now.into()),
            kind: KIND.to_owned(),
            key: name.to_owned(),
            sequence: sequence + 1,
            answer: decision.answer.encode_to_vec().into(),
            events: decision.events.iter().map(message).collect(),
            snapshot: Some(Snapshot { state: state.encode_to_vec(), ..Snapshot::default() }),
            ..Record::default()
        };
        let step = KeyStep { key: format!("{KIND}/{name}").into(), sequence: sequence + 1, snapshot: true };
        let entry = Entry { data: record.encode_to_vec().into(), step: Some(step), fingerprint: None };
        let receipt = self.journal.append(vec![entry]).await.map_err(|error| refusal::of_append(&error))?;
        match receipt.durable().await.map_err(|error| refusal::of_append(&error))?.first() {
            Some(Outcome::Written(position)) => Ok(Acknowledgement { level: durable, position: position.0, repeated: false }),
            outcome => Err(Status::internal(format!("the journal answered {outcome:?} to an acknowledgement"))),
        }
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

impl Service {
    /// Says up to where a durable subscription has been dealt with.
    pub(super) async fn acknowledge(&self, request: AcknowledgeRequest) -> Result<AcknowledgeResponse, Status> {
        let AcknowledgeRequest { durable_name, position } = request;
        check_name(&durable_name)?;
        let last = self.parts.journal.durable().borrow().position;
        if position > last.0 {
            return Err(Status::out_of_range(format!("position: {position} is not written yet, the last one is {last}")));
        }
        let acknowledgement = self.subscriptions.advance(&durable_name, position).await?;
        Ok(AcknowledgeResponse { acknowledgement: Some(acknowledgement) })
    }
}
