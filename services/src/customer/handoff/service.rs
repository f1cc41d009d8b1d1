//! The service: checks what is asked, hands it to the decider, answers when it is on disk.

use std::sync::Arc;
use std::time::Duration;

use passerelle_bus::keyed::{Carried, Clock, Done, Entities, Keyed, KeyedSettings, OpenError, Parts};
use passerelle_journal::{Journal, Position};
use passerelle_projection::{Fold, Projection};
use passerelle_proto::bus::v1::HandoffState;
use passerelle_proto::bus::v1::handoff_state::Phase;
use passerelle_proto::customer::v1::handoffs_server::HandoffsServer;
use tonic::Status;

use super::codes::{Codes, Found};
use super::throttle::Throttle;
use super::{Code, Command, Drawn, Handoff, HandoffSettings, Secret, refusal};
use crate::KeepError;

/// Bytes of a request: the largest context, and room.
const MAX_REQUEST_BYTES: usize = 256 * 1024;
/// Codes drawn before giving up on one that nobody has. With a million codes given out, one in 30,000 draws is in vain.
const DRAWS: usize = 8;

/// The tables that the service reads; the projection must have them, with those of the keyed runner.
pub fn folds(settings: &HandoffSettings) -> Vec<Box<dyn Fold>> {
    vec![Box::new(Entities::with_columns(Handoff::new(settings))), Box::new(Codes)]
}

/// The service. Cheap to clone.
#[derive(Clone)]
pub struct Handoffs(pub(super) Arc<Inner>);

pub(super) struct Inner {
    keyed: Keyed<Handoff>,
    journal: Arc<dyn Journal>,
    pub(super) projection: Arc<Projection>,
    clock: Arc<dyn Clock>,
    secret: Secret,
    settings: HandoffSettings,
    throttle: Throttle,
}

impl Handoffs {
    /// Starts the service, and the timers of all hand-offs, within a tokio runtime.
    pub fn open(parts: Parts, secret: Secret, settings: HandoffSettings) -> Result<Self, OpenError> {
        let Parts { journal, projection, clock } = parts;
        let parts = Parts { journal: journal.clone(), projection: projection.clone(), clock: clock.clone() };
        let keyed = Keyed::open(Handoff::new(&settings), parts, KeyedSettings::default(), |_| {})?;
        let throttle = Throttle::new(settings.wrong_codes_per_minute, clock.now());
        Ok(Self(Arc::new(Inner { keyed, journal, projection, clock, secret, settings, throttle })))
    }

    /// The service, ready for a listener.
    pub fn server(&self) -> HandoffsServer<Self> {
        HandoffsServer::new(self.clone()).max_decoding_message_size(MAX_REQUEST_BYTES)
    }

    /// Carries hand-offs over that cannot be known without records before `before`. See [`Keyed::keep`].
    pub async fn keep(&self, before: Position) -> Result<Carried, KeepError> {
        Ok(self.0.keyed.keep(before).await?)
    }

    /// Takes nothing new and waits until all that was taken is answered; `false` when that takes longer than the grace.
    pub async fn drain(&self, grace: Duration) -> bool {
        self.0.keyed.drain(grace).await
    }

    pub(super) fn settings(&self) -> &HandoffSettings {
        &self.0.settings
    }

    pub(super) fn secret(&self) -> &Secret {
        &self.0.secret
    }

    pub(super) fn projection(&self) -> &Projection {
        &self.0.projection
    }

    /// Has the command decided. `idempotency_key` is one told apart by [`Secret::apart`].
    pub(super) async fn command(&self, id: &str, idempotency_key: &str, command: Command) -> Result<Done<HandoffState>, Status> {
        let done = self.0.keyed.command(id, Some(idempotency_key), command).await;
        done.map_err(|failure| refusal::of_failure(&failure))
    }

    /// What is on disk of a hand-off.
    pub(super) async fn state(&self, id: &str) -> Result<HandoffState, Status> {
        match self.0.keyed.state(id).await {
            Ok(Some((state, _))) if state.phase.is_some() => Ok(state),
            Ok(_) => Err(refusal::status(&super::Refusal::Unknown)),
            Err(failure) => Err(refusal::of_failure(&failure)),
        }
    }

    /// Draws a code that no other matter has.
    pub(super) async fn draw(&self) -> Result<Drawn, Status> {
        for _ in 0..DRAWS {
            let drawn = self.0.secret.draw().ok_or_else(|| Status::internal("the system has no randomness to give"))?;
            let hash = drawn.hash.clone();
            let found = self.0.projection.read(move |connection| Codes::find(connection, &hash)).await;
            if found.map_err(|error| refusal::of_read(&error))? == Found::Nothing {
                return Ok(drawn);
            }
        }
        Err(Status::resource_exhausted("too many codes are given out to find one that is free; try again"))
    }

    /// The code in a state that was just answered.
    pub(super) fn code(&self, state: &HandoffState) -> String {
        match &state.phase {
            Some(Phase::Open(open)) => open.code.as_ref().map(|code| self.0.secret.code(&code.nonce).to_string()),
            _ => None,
        }
        .unwrap_or_default()
    }

    /// The hand-off that a code was given to. A wrong code is held against the channel.
    pub(super) async fn opened_by(&self, code: &Code, channel: &str) -> Result<(String, Vec<u8>), Status> {
        let Inner { journal, projection, clock, secret, throttle, .. } = &*self.0;
        throttle.allows(channel, clock.now()).map_err(|wait| {
            let wait = wait.as_secs();
            Status::resource_exhausted(format!("too many wrong codes from channel {channel}; try again in {wait} seconds"))
        })?;
        let hash = secret.hash(code);
        // A code that has been shown to anybody is durable, and so found.
        let shown = journal.durable().borrow().position;
        let sought = hash.clone();
        let found = projection.read_at_least(shown, move |connection| Codes::find(connection, &sought)).await;
        match found.map_err(|error| refusal::of_read(&error))? {
            Found::Handoff(id) => Ok((id, hash)),
            Found::Ambiguous => Err(refusal::status(&super::Refusal::CodeVoid)),
            Found::Nothing => {
                throttle.wrong(channel, clock.now());
                Err(Status::not_found("no matter has this code"))
            }
        }
    }
}
