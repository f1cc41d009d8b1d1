//! Going through the blocks of a segment, one after the other.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use crate::storage::File;

use super::record::{Block, HEAD, Head, Invalid};
use super::segment::Place;
use super::{Damage, OpenError};

/// A part of a file in memory, moved on as it is asked for.
pub(super) struct Window {
    file: Arc<dyn File>,
    /// Nothing is read beyond.
    limit: u64,
    /// How much is read at once.
    step: usize,
    start: u64,
    bytes: Bytes,
}

impl Window {
    pub(super) fn new(file: Arc<dyn File>, limit: u64, step: usize) -> Self {
        Self { file, limit, step, start: 0, bytes: Bytes::new() }
    }

    pub(super) fn file(&self) -> Arc<dyn File> {
        self.file.clone()
    }

    /// `length` bytes from `offset` on; fewer where the file ends.
    pub(super) fn get(&mut self, offset: u64, length: usize) -> io::Result<Bytes> {
        let held = self.start + self.bytes.len() as u64;
        if offset < self.start || offset + length as u64 > held {
            let wanted = (self.step.max(length) as u64).min(self.limit.saturating_sub(offset));
            // What nobody holds any more is read over.
            let mut bytes = std::mem::take(&mut self.bytes).try_into_mut().unwrap_or_default();
            bytes.resize(wanted as usize, 0);
            let read = self.file.read_at(offset, &mut bytes)?;
            bytes.truncate(read);
            self.start = offset;
            self.bytes = bytes.freeze();
        }
        let from = (offset - self.start) as usize;
        let to = (from + length).min(self.bytes.len());
        Ok(self.bytes.slice(from..to))
    }

    /// As much as one reading gives from `offset` on, at least `least` unless the file ends.
    pub(super) fn rest(&mut self, offset: u64, least: usize) -> io::Result<Bytes> {
        self.get(offset, least)?;
        Ok(self.bytes.slice((offset - self.start) as usize..))
    }
}

/// Why a walk cannot go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    #[error("{0}")]
    Disk(#[from] io::Error),
    #[error("{0}")]
    Newer(String),
    #[error("{0}")]
    Damaged(Damage),
}

impl From<Stop> for OpenError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Disk(error) => error.into(),
            Stop::Newer(what) => Self::NewerVersion(what),
            Stop::Damaged(damage) => Self::Damaged(damage),
        }
    }
}

/// A walk from block to block, each proven to follow the one before.
///
/// A block is valid when its checksum is right, its position is the next one, and its epoch is not smaller than that of the block
/// before (or of the segment): so neither what a recycled file held before nor what was left behind a cut is ever taken for a record.
pub(super) struct Walk {
    pub(super) window: Window,
    seed: u32,
    /// Where the next block is.
    pub(super) offset: u64,
    /// Position of the next record.
    pub(super) position: u64,
    /// Epoch of the last block.
    pub(super) epoch: u32,
}

impl Walk {
    pub(super) fn new(window: Window, seed: u32, offset: u64, position: u64, epoch: u32) -> Self {
        Self { window, seed, offset, position, epoch }
    }

    /// The next block, with its offset; `None` where there is none that is valid.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Block)>, Stop> {
        let offset = self.offset;
        let Some(block) = self.block(offset)? else { return Ok(None) };
        let stamp = block.stamp();
        if stamp.position != self.position || stamp.epoch < self.epoch {
            return Ok(None);
        }
        self.offset += block.length();
        self.position += u64::from(!block.is_mark());
        self.epoch = stamp.epoch;
        Ok(Some((offset, block)))
    }

    /// Goes to another block, of a segment begun in that epoch.
    pub(super) fn stand_at(&mut self, Place { position, offset }: Place, epoch: u32) {
        (self.position, self.offset, self.epoch) = (position, offset, epoch);
    }

    /// Whatever whole block there is at `offset`.
    pub(super) fn block(&mut self, offset: u64) -> Result<Option<Block>, Stop> {
        let Some(head) = Head::parse(&self.window.get(offset, HEAD)?) else { return Ok(None) };
        let bytes = self.window.get(offset, head.length())?;
        match Block::decode(bytes, self.seed) {
            Ok(block) => Ok(Some(block)),
            Err(Invalid::Damaged) => Ok(None),
            Err(Invalid::Newer) => Err(Stop::Newer(format!("record {} is compressed or encrypted", head.stamp.position))),
        }
    }
}
