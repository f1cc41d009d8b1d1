//! The service: deciders, tables, desks and lines put together.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::time::Duration;

use passerelle_adapter::Adapter;
use passerelle_bus::keyed::{Carried, Clock, Done, Entities, Failure, Keyed, KeyedSettings, OpenError, Parts};
use passerelle_journal::Position;
use passerelle_projection::{Fold, Projection};
use passerelle_proto::bus::v1::{CallbackAnswer, CallbackState};
use passerelle_proto::customer::v1::callbacks_server::CallbacksServer;
use tokio::sync::Mutex;
use tonic::Status;

use super::call::Calls;
use super::decide::{CallbackRules, Command, Lines, OpenLine, Refusal, SlotRules};
use super::refusal;
use crate::KeepError;

/// Bytes of a request: the largest context, and room.
const MAX_REQUEST_BYTES: usize = 128 * 1024;
/// Callbacks settled at the same time, at most.
const TURNS: usize = 256;

/// What the service stands on.
pub struct CallbackParts {
    /// Journal, projection (with [`folds`], and those of the keyed runner) and clock.
    pub keyed: Parts,
    /// The lines.
    pub lines: Lines,
    /// The desks, by the name of their endpoint.
    pub desks: BTreeMap<String, Arc<dyn Adapter>>,
    /// What ids are derived with; must stay the same for one journal.
    pub secret: [u8; 16],
}

/// The tables that the service reads.
pub fn folds(lines: &Lines) -> Vec<Box<dyn Fold>> {
    let callbacks = Entities::with_columns(CallbackRules::new(lines.clone()));
    let slots = Entities::new(SlotRules::new(lines.clone()), 1);
    vec![Box::new(callbacks), Box::new(slots)]
}

/// The service. Cheap to clone.
#[derive(Clone)]
pub struct Callbacks(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) callbacks: Keyed<CallbackRules>,
    pub(super) slots: Keyed<SlotRules>,
    pub(super) projection: Arc<Projection>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) lines: Lines,
    pub(super) desks: BTreeMap<String, Arc<dyn Adapter>>,
    pub(super) secret: [u8; 16],
    pub(super) calls: Arc<Calls>,
    /// One settles a callback at a time; callbacks share the locks.
    turns: Vec<Mutex<()>>,
}

impl Callbacks {
    /// Starts the service within a tokio runtime: timers that are due fire, calls that were cut are taken up again.
    pub fn open(parts: CallbackParts) -> Result<Self, OpenError> {
        let CallbackParts { keyed, lines, desks, secret } = parts;
        let Parts { journal, projection, clock } = keyed;
        let parts = || Parts { journal: journal.clone(), projection: projection.clone(), clock: clock.clone() };
        let opened_at = journal.durable().borrow().position;
        let (calls, work) = Calls::new();
        let observer = calls.clone();
        let callbacks = Keyed::open(CallbackRules::new(lines.clone()), parts(), KeyedSettings::default(), move |observed| {
            observer.observe(&observed);
        })?;
        let slots = Keyed::open(SlotRules::new(lines.clone()), parts(), KeyedSettings::default(), |_| {})?;
        let turns = std::iter::repeat_with(|| Mutex::new(())).take(TURNS).collect();
        let inner = Inner { callbacks, slots, projection, clock, lines, desks, secret, calls: calls.clone(), turns };
        let callbacks = Self(Arc::new(inner));
        calls.start(&callbacks, work, opened_at);
        Ok(callbacks)
    }

    /// The service, ready for a listener.
    pub fn server(&self) -> CallbacksServer<Self> {
        CallbacksServer::new(self.clone()).max_decoding_message_size(MAX_REQUEST_BYTES)
    }

    /// Carries callbacks and slots over that cannot be known without records before `before`. See [`Keyed::keep`].
    pub async fn keep(&self, before: Position) -> Result<Carried, KeepError> {
        Ok(self.0.callbacks.keep(before).await? + self.0.slots.keep(before).await?)
    }

    /// Lets go of the desks: calls on their way are taken up by the next start.
    pub fn let_go(&self) {
        self.0.calls.stop();
    }

    /// Lets go of the desks, takes nothing new, and waits until all that was taken is answered; `false` when that takes longer than the grace.
    pub async fn drain(&self, grace: Duration) -> bool {
        self.0.calls.stop();
        self.0.callbacks.drain(grace).await & self.0.slots.drain(grace).await
    }
}

impl Inner {
    /// What is on disk of a callback.
    pub(super) async fn state(&self, id: &str) -> Result<CallbackState, Failure<Refusal>> {
        match self.callbacks.state(id).await? {
            Some((state, _)) if state.wish.is_some() => Ok(state),
            _ => Err(Failure::Refused(Refusal::Unknown)),
        }
    }

    /// Has a command decided.
    pub(super) async fn command(&self, id: &str, command: Command) -> Result<Done<CallbackAnswer>, Failure<Refusal>> {
        self.callbacks.command(id, None, command).await
    }

    pub(super) fn line(&self, name: &str) -> Result<&OpenLine, Status> {
        self.lines.get(name).ok_or_else(|| {
            let known = self.lines.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            refusal::status(&Refusal::UnknownLine { line: name.to_owned(), known })
        })
    }

    pub(super) fn line_of(&self, state: &CallbackState) -> Option<&OpenLine> {
        self.lines.get(&state.wish.as_ref()?.line)
    }

    /// The lock under which this callback is settled.
    pub(super) fn turn(&self, id: &str) -> &Mutex<()> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(id);
        &self.turns[hash as usize % self.turns.len()]
    }
}
