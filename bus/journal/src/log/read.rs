//! Reading what is durable, beside the writer.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

use crate::{Durability, History, Position, ReadError, Stored};

use super::Damage;
use super::lives::Life;
use super::segment::Segment;
use super::stats::Stats;
use super::store::Store;
use super::walk::Stop;

/// Least and most that is read from the disk at once.
const STEP: [usize; 2] = [64 << 10, 1 << 20];

/// The reading side of a log.
#[derive(Clone)]
pub struct Reader {
    pub(super) store: Arc<Store>,
}

impl fmt::Debug for Reader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Reader").field("durable", &*self.store.durable.now()).finish_non_exhaustive()
    }
}

impl Reader {
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    pub(super) fn identity(&self) -> [u8; 16] {
        self.store.identity.0
    }

    /// See [`Journal::read`](crate::Journal::read).
    pub fn read(&self, from: Position, bytes: usize) -> Result<Vec<Stored>, ReadError> {
        let from = from.max(Position(1));
        let table = self.store.table();
        self.refuse_trimmed(from)?;
        let mut page = Page { records: Vec::new(), room: bytes, full: false };
        let mut position = from.0;
        for segment in &table.segments[table.at(position)..] {
            position = match self.read_segment(segment, position, &mut page) {
                Ok(position) => position,
                Err(stop) => {
                    // The file is gone when it was trimmed meanwhile.
                    self.refuse_trimmed(from)?;
                    return if page.records.is_empty() { Err(read_error(stop, position)) } else { Ok(page.records) };
                }
            };
            if page.full {
                break;
            }
        }
        Ok(page.records)
    }

    /// See [`Journal::history`](crate::Journal::history); what is only queued is not seen.
    pub fn history(&self, key: &str) -> Result<History, ReadError> {
        let mut history = History::default();
        let next = self.store.durable.now().position.next();
        for block in Life::of(&self.store, key, next.0) {
            let block = block.map_err(|stop| read_error(stop, next.0))?;
            history.sequence = history.sequence.max(block.sequence());
            history.records.push(block.stored());
            if block.is_snapshot() || block.sequence() == 1 {
                break;
            }
        }
        history.records.reverse();
        Ok(history)
    }

    /// See [`Journal::first`](crate::Journal::first).
    pub fn first(&self) -> Position {
        Position(self.store.table().first())
    }

    /// See [`Journal::durable`](crate::Journal::durable).
    pub fn durable(&self) -> watch::Receiver<Durability> {
        self.store.durable.each()
    }

    /// See [`Journal::decided`](crate::Journal::decided).
    pub fn decided(&self) -> watch::Receiver<Durability> {
        self.store.durable.decided()
    }

    /// What the log has done since it was opened.
    pub fn stats(&self) -> Stats {
        self.store.counters.read(self.store.table().segments.len() as u64)
    }

    pub(super) fn refuse_trimmed(&self, asked: Position) -> Result<(), ReadError> {
        let first = self.first();
        if asked < first { Err(ReadError::Trimmed { asked, first }) } else { Ok(()) }
    }

    /// Adds records of one segment; the position after the last one looked at.
    fn read_segment(&self, segment: &Arc<Segment>, from: u64, page: &mut Page) -> Result<u64, Stop> {
        let next = segment.extent().next;
        if from >= next {
            return Ok(from);
        }
        let place = self.store.place(segment, from)?;
        let step = page.room.clamp(STEP[0], STEP[1]);
        let mut walk = segment.walk(&*self.store.folder, self.store.identity, place, step)?;
        while walk.position < next {
            let (position, offset) = (walk.position, walk.offset);
            let Some((_, block)) = walk.next()? else {
                let why = "it is not as it was written".into();
                return Err(Stop::Damaged(Damage { file: segment.name(), offset, position: Some(Position(position)), why }));
            };
            if position >= from && !block.is_mark() && !page.add(block.stored()) {
                return Ok(position);
            }
        }
        Ok(next)
    }
}

/// Records that are being gathered.
struct Page {
    records: Vec<Stored>,
    room: usize,
    full: bool,
}

impl Page {
    /// Whether it had room.
    fn add(&mut self, record: Stored) -> bool {
        let length = record.entry.data.len();
        self.full = length > self.room && !self.records.is_empty();
        if !self.full {
            self.room = self.room.saturating_sub(length);
            self.records.push(record);
        }
        !self.full
    }
}

pub(super) fn read_error(stop: Stop, position: u64) -> ReadError {
    match stop {
        Stop::Disk(error) => ReadError::Disk(error.to_string()),
        Stop::Newer(what) => ReadError::Disk(format!("it was written by a newer version: {what}")),
        Stop::Damaged(damage) => {
            ReadError::Damaged { position: damage.position.unwrap_or(Position(position)), why: damage.to_string() }
        }
    }
}
