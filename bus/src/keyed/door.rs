//! The ways into the shards.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::Decider;
use super::ask::{Ask, Letter};
use super::key::Key;

/// One door a shard.
pub(super) struct Doors<D: Decider> {
    doors: Vec<Door<D>>,
    /// Seeded by chance, so that nobody can choose keys that all come to one shard. No record depends on it.
    hasher: RandomState,
}

/// What is sent through it holds a permit: that bounds the channel.
pub(super) struct Door<D: Decider> {
    letters: mpsc::UnboundedSender<Letter<D>>,
    permits: Arc<Semaphore>,
}

/// The shard does not take anything any more.
pub(super) struct Shut;

impl<D: Decider> Doors<D> {
    /// Doors to that many shards, and the shards' ends.
    pub(super) fn new(shards: usize, in_hand: usize) -> (Self, Vec<mpsc::UnboundedReceiver<Letter<D>>>) {
        let (doors, letters) = (0..shards)
            .map(|_| {
                let (sender, receiver) = mpsc::unbounded_channel();
                (Door { letters: sender, permits: Arc::new(Semaphore::new(in_hand.min(Semaphore::MAX_PERMITS))) }, receiver)
            })
            .unzip();
        (Self { doors, hasher: RandomState::new() }, letters)
    }

    /// The door to the shard that has the key.
    pub(super) fn of(&self, key: &Key) -> &Door<D> {
        let index = self.hasher.hash_one(key) % self.doors.len() as u64;
        &self.doors[index as usize]
    }
}

impl<D: Decider> Door<D> {
    /// A place, if there is one.
    pub(super) fn try_enter(&self) -> Option<OwnedSemaphorePermit> {
        self.permits.clone().try_acquire_owned().ok()
    }

    /// A place, as soon as there is one. Comes before those who only try.
    pub(super) async fn enter(&self) -> Result<OwnedSemaphorePermit, Shut> {
        self.permits.clone().acquire_owned().await.map_err(|_| Shut)
    }

    pub(super) fn send(&self, key: Key, ask: Ask<D>) -> Result<(), Shut> {
        self.letters.send(Letter { key, ask }).map_err(|_| Shut)
    }
}
