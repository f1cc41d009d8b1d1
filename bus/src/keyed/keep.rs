//! Compaction: what is needed of old records is written anew, so that they can be given up.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use passerelle_journal::{Position, ReadError, Stored};
use tokio::task;

use super::ask::{Ask, Reply};
use super::key::Key;
use super::{Decider, Failure, Keyed};

/// Bytes of records looked through at once.
const PAGE: usize = 1 << 20;
/// Snapshots asked for at the same time.
const TOGETHER: usize = 64;

impl<D: Decider> Keyed<D> {
    /// Writes a snapshot of every thing that cannot be known without records before `before`; how many were written.
    ///
    /// Things that have [`ended`](Decider::ended) before that position and have no timers left are let go: their key is as one that was never
    /// written. Once every runner on the journal has done this, and the projection has got to `before`, the journal may be trimmed there.
    /// Works beside commands, and through the journal from its beginning; an error leaves it where it was, to be done again.
    pub async fn keep(&self, before: Position) -> Result<u64, Failure<D::Refusal>> {
        let mut from = self.home.parts.journal.first();
        let mut written = 0;
        while from < before {
            let page = self.page(from).await?;
            let Some(last) = page.last() else { break };
            from = last.position.next();
            let snapshots = stream::iter(keys::<D>(&page, before)).map(|key| self.keep_one(key, before));
            let page_written = snapshots.buffer_unordered(TOGETHER);
            written += page_written.try_fold(0, async |sum, written| Ok(sum + u64::from(written))).await?;
        }
        Ok(written)
    }

    async fn page(&self, from: Position) -> Result<Vec<Stored>, Failure<D::Refusal>> {
        let journal = self.home.parts.journal.clone();
        let read = task::spawn_blocking(move || journal.read(from, PAGE)).await;
        read.unwrap_or_else(|error| Err(ReadError::Disk(error.to_string()))).map_err(Failure::Unreadable)
    }

    async fn keep_one(&self, key: Key, before: Position) -> Result<bool, Failure<D::Refusal>> {
        let door = self.doors.of(&key);
        let permit = door.enter().await.map_err(|_| Failure::Closed)?;
        let (reply, answer) = Reply::open(permit);
        door.send(key, Ask::Keep(before, reply)).map_err(|_| Failure::Closed)?;
        answer.await.unwrap_or(Err(Failure::Closed))
    }
}

/// The keys of this kind that have records there, each once.
fn keys<D: Decider>(page: &[Stored], before: Position) -> Vec<Key> {
    let old = page.iter().take_while(|stored| stored.position < before);
    let plain: BTreeSet<&str> =
        old.filter_map(|stored| stored.entry.step.as_ref()?.key.strip_prefix(D::KIND)?.strip_prefix('/')).collect();
    plain.into_iter().filter_map(|key| Key::new::<D>(key).ok()).collect()
}
