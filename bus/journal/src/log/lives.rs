//! The records of one key, the newest first.

use std::sync::Arc;

use super::fresh::Step;
use super::record::Block;
use super::segment::{Segment, Table};
use super::store::Store;
use super::walk::{Stop, Walk, Window};

/// What is read at once to see one record.
const GLANCE: usize = 4 << 10;

/// Goes back through the segments, from one before `below` on, and reads each record of the key.
pub(super) struct Life<'a> {
    store: &'a Store,
    key: &'a str,
    table: Arc<Table>,
    /// How many of its segments are not looked at yet.
    left: usize,
    /// Of the segment looked at, oldest first.
    steps: Vec<Step>,
    looked_at: Option<(Arc<Segment>, Window)>,
    below: u64,
}

impl<'a> Life<'a> {
    /// Records of `key` before the position `below`.
    pub(super) fn of(store: &'a Store, key: &'a str, below: u64) -> Self {
        let table = store.table();
        let left = table.segments.partition_point(|segment| segment.base < below);
        Self { store, key, table, left, steps: Vec::new(), looked_at: None, below }
    }

    fn advance(&mut self) -> Result<Option<Block>, Stop> {
        loop {
            while let Some(step) = self.steps.pop() {
                if step.position >= self.below {
                    continue;
                }
                let block = self.read(step)?;
                // Another key may have the same hash.
                if block.key() == Some(self.key) {
                    return Ok(Some(block));
                }
            }
            let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
            self.left = left;
            let segment = self.table.segments[left].clone();
            self.steps = self.store.steps(&segment, self.key)?;
            self.looked_at = None;
            if !self.steps.is_empty() {
                let file = segment.open(&*self.store.folder)?;
                let window = Window::new(file, segment.capacity, GLANCE);
                self.looked_at = Some((segment, window));
            }
        }
    }

    fn read(&mut self, step: Step) -> Result<Block, Stop> {
        let Some((segment, window)) = self.looked_at.take() else { return Err(Stop::Disk(std::io::Error::other("no segment"))) };
        let mut walk = Walk::new(window, self.store.identity.seed(), u64::from(step.offset), step.position, segment.epoch);
        let block = walk.next()?;
        let damage = || super::Damage {
            file: segment.name(),
            offset: u64::from(step.offset),
            position: Some(crate::Position(step.position)),
            why: "it is not as it was written".into(),
        };
        let (_, block) = block.ok_or_else(|| Stop::Damaged(damage()))?;
        self.looked_at = Some((segment, walk.window));
        Ok(block)
    }
}

impl Iterator for Life<'_> {
    type Item = Result<Block, Stop>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}
