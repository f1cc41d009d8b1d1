//! A decider: what a command changes, as pure functions.

use std::fmt;
use std::time::SystemTime;

use passerelle_proto::bus::v1::Message;

/// The rules of one sort of thing (a callback, a hand-off): pure, and so replayed, explored and tested as data.
///
/// The same state, command and context give the same decision, byte for byte: no clock, no randomness, no map whose order is by chance
/// (protobuf maps in events, state and answers are `btree_map` in `proto/build.rs`).
pub trait Decider: Send + Sync + 'static {
    /// All that must be known of one thing to decide about it. The default is the thing that does not exist yet.
    type State: prost::Message + Default + Clone + PartialEq + 'static;
    /// What happened, a message with one `oneof`.
    type Event: prost::Message + Default + Clone + PartialEq + 'static;
    /// What is asked for. What depends on chance (a code, an id) stands in it.
    type Command: Clone + Send + Sync + fmt::Debug + 'static;
    /// What a command is answered, now and when it is repeated.
    type Answer: prost::Message + Default + Clone + PartialEq + 'static;
    /// Why a command changes nothing. Not written down: the same command may be right a moment later.
    type Refusal: std::error::Error + Clone + Send + Sync + 'static;

    /// The sort of thing, as in `Record.kind`: lower case, one word.
    const KIND: &'static str;

    /// What the command changes, or why it changes nothing.
    fn decide(
        &self,
        state: &Self::State,
        command: &Self::Command,
        context: &Context<'_>,
    ) -> Result<Decision<Self>, Self::Refusal>
    where
        Self: Sized;

    /// What the thing is after the event.
    fn evolve(&self, state: &mut Self::State, event: &Self::Event);

    /// The command that a timer of that name stands for when it is due.
    fn due(&self, timer: &str) -> Self::Command;

    /// Since when the thing is over, or from when on it will be if nothing happens. Some time after that
    /// ([`ended_kept`](super::KeyedSettings::ended_kept)) and without timers left, [`Keyed::keep`](super::Keyed::keep) lets it go with its
    /// records. `None`: it is not over. The default is never.
    fn ended(&self, _key: &str, _state: &Self::State) -> Option<SystemTime> {
        None
    }

    /// CloudEvents type of an event: `passerelle.customer.v1.CallbackPromised`.
    fn event_type(event: &Self::Event) -> &'static str;
}

/// What stands around a command.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The key of the thing, without its kind.
    pub key: &'a str,
    /// When it is decided. For a timer: when it fires, which may be long after it was due.
    pub now: SystemTime,
}

/// All that a command changes; written as one record.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision<D: Decider> {
    /// What happened. None: nothing is written, unless there is an idempotency key to remember.
    pub events: Vec<D::Event>,
    /// What is to be sent because of it.
    pub outbox: Vec<Message>,
    /// Timers to set; one of the same name is replaced.
    pub timers: Vec<Timer>,
    /// Names of timers to take back.
    pub cleared: Vec<String>,
    /// What the command is answered.
    pub answer: D::Answer,
}

impl<D: Decider> Decision<D> {
    /// Events and an answer, no timers, nothing to send.
    pub fn new(events: Vec<D::Event>, answer: D::Answer) -> Self {
        Self { events, outbox: Vec::new(), timers: Vec::new(), cleared: Vec::new(), answer }
    }
}

/// A moment at which the thing wants to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    /// Names it among those of its key.
    pub name: String,
    /// When it is due. One that lies in the past fires at once.
    pub due: SystemTime,
}
