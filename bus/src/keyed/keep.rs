//! Compaction: what is needed of old records is written anew, so that they can be given up.

use std::ops::Add;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use passerelle_journal::{KeysPage, Position, ReadError};
use tokio::task;

use super::ask::{Ask, Reply};
use super::key::Key;
use super::{Decider, Failure, Keyed};

/// What was written anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Carried {
    /// How many things.
    pub snapshots: u64,
    /// How large they are together.
    pub bytes: u64,
}

impl Add for Carried {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { snapshots: self.snapshots + other.snapshots, bytes: self.bytes + other.bytes }
    }
}

/// Snapshots asked for at the same time.
const TOGETHER: usize = 64;

impl<D: Decider> Keyed<D> {
    /// Writes a snapshot of every thing that cannot be known without records before `before`.
    ///
    /// Things that [`ended`](Decider::ended) long enough ago, have no records since `before` and no timers left are let go: their key is as one
    /// that was never written. `before` must be where the journal can cut, or what is left of them makes no sense. Once every runner on
    /// the journal has done this, and the projection has got to `before`, the journal may be trimmed there. Works beside commands; an error
    /// leaves it where it was, to be done again.
    pub async fn keep(&self, before: Position) -> Result<Carried, Failure<D::Refusal>> {
        let mut from = self.home.parts.journal.first();
        let mut carried = Carried::default();
        while from < before {
            let page = self.page(from, before).await?;
            let mut snapshots =
                stream::iter(of_kind::<D>(&page.keys)).map(|key| self.keep_one(key, before)).buffer_unordered(TOGETHER);
            while let Some(snapshot) = snapshots.try_next().await? {
                carried.snapshots += u64::from(snapshot.is_some());
                carried.bytes += snapshot.unwrap_or_default() as u64;
            }
            from = page.next;
        }
        Ok(carried)
    }

    async fn page(&self, from: Position, before: Position) -> Result<KeysPage, Failure<D::Refusal>> {
        let journal = self.home.parts.journal.clone();
        let read = task::spawn_blocking(move || journal.keys(from, before)).await;
        read.unwrap_or_else(|error| Err(ReadError::Disk(error.to_string()))).map_err(Failure::Unreadable)
    }

    async fn keep_one(&self, key: Key, before: Position) -> Result<Option<usize>, Failure<D::Refusal>> {
        let door = self.doors.of(&key);
        let permit = door.enter().await.map_err(|_| Failure::Closed)?;
        let (reply, answer) = Reply::open(permit);
        door.send(key, Ask::Keep(before, reply)).map_err(|_| Failure::Closed)?;
        answer.await.unwrap_or(Err(Failure::Closed))
    }
}

fn of_kind<D: Decider>(keys: &[Arc<str>]) -> Vec<Key> {
    let plain = |key: &Arc<str>| Key::new::<D>(key.strip_prefix(D::KIND)?.strip_prefix('/')?).ok();
    keys.iter().filter_map(plain).collect()
}
