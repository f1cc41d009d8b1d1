//! The index of a segment in memory: what each key did in it, and which fingerprints came.

use std::collections::HashMap;
use std::sync::Arc;

use crate::{Fingerprint, KeyStep};

use super::record::Block;

/// One record of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) position: u64,
    pub(super) sequence: u64,
    pub(super) offset: u32,
    pub(super) snapshot: bool,
}

#[derive(Debug, Default)]
pub(super) struct Fresh {
    /// Steps of each key, oldest first, never none.
    pub(super) keys: HashMap<Arc<str>, Vec<Step>>,
    /// Fingerprints with their positions, in order.
    pub(super) fingerprints: Vec<(Fingerprint, u64)>,
}

impl Fresh {
    pub(super) fn add(&mut self, position: u64, offset: u64, step: Option<&KeyStep>, fingerprint: Option<Fingerprint>) {
        if let Some(KeyStep { key, sequence, snapshot }) = step {
            // Segments are at most 1 GiB.
            let step = Step { position, sequence: *sequence, offset: offset as u32, snapshot: *snapshot };
            match self.keys.get_mut(key) {
                Some(steps) => steps.push(step),
                None => drop(self.keys.insert(key.clone(), vec![step])),
            }
        }
        self.fingerprints.extend(fingerprint.map(|fingerprint| (fingerprint, position)));
    }

    /// Adds a record found in a file.
    pub(super) fn add_block(&mut self, offset: u64, block: &Block) {
        let step =
            block.key().map(|key| KeyStep { key: Arc::from(key), sequence: block.sequence(), snapshot: block.is_snapshot() });
        self.add(block.stamp().position, offset, step.as_ref(), block.fingerprint());
    }

    pub(super) fn steps(&self, key: &str) -> &[Step] {
        self.keys.get(key).map_or(&[], Vec::as_slice)
    }

    /// Position of the last record that has a key.
    pub(super) fn last_step(&self) -> Option<u64> {
        self.keys.values().filter_map(|steps| steps.last()).map(|step| step.position).max()
    }

    /// Forgets records from `position` on.
    pub(super) fn forget_from(&mut self, position: u64) {
        self.keys.retain(|_, steps| {
            steps.retain(|step| step.position < position);
            !steps.is_empty()
        });
        self.fingerprints.retain(|(_, at)| *at < position);
    }
}
