//! Which keys have records in a part of the log, by the index of its segments.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use crate::{KeysPage, Position, ReadError};

use super::fresh::Step;
use super::read::read_error;
use super::segment::{Index, Place, Segment};
use super::store::STRIDE;
use super::walk::Stop;
use super::{Damage, Reader};

/// What is read at once to see one record, when they lie far apart.
const GLANCE: usize = 4 << 10;

impl Reader {
    /// See [`Journal::keys`](crate::Journal::keys): one segment a call.
    pub fn keys(&self, from: Position, before: Position) -> Result<KeysPage, ReadError> {
        let from = from.max(Position(1));
        let table = self.store.table();
        self.refuse_trimmed(from)?;
        let segment = &table.segments[table.at(from.0)];
        let end = segment.extent().next.min(before.0);
        if from.0 >= end {
            return Ok(KeysPage { keys: Vec::new(), next: before });
        }
        match self.keys_in(segment, from.0..end) {
            Ok(keys) => Ok(KeysPage { keys: keys.into_iter().collect(), next: Position(end) }),
            Err(stop) => {
                // The file is gone when it was trimmed meanwhile.
                self.refuse_trimmed(from)?;
                Err(read_error(stop, from.0))
            }
        }
    }

    fn keys_in(&self, segment: &Arc<Segment>, range: Range<u64>) -> Result<BTreeSet<Arc<str>>, Stop> {
        if let Some(steps) = self.store.all_steps(segment)? {
            return self.read_keys(segment, steps, &range);
        }
        let there = |steps: &[Step]| steps.iter().any(|step| range.contains(&step.position));
        Ok(match &*segment.index() {
            Index::Fresh(fresh) => fresh.keys.iter().filter(|(_, steps)| there(steps)).map(|(key, _)| key.clone()).collect(),
            Index::Sidecar(_) => BTreeSet::new(),
        })
    }

    /// A sidecar knows keys by their hashes: the records say what they are.
    fn read_keys(&self, segment: &Arc<Segment>, mut steps: Vec<Step>, range: &Range<u64>) -> Result<BTreeSet<Arc<str>>, Stop> {
        steps.retain(|step| range.contains(&step.position));
        steps.sort_unstable_by_key(|step| step.offset);
        let mut keys = BTreeSet::new();
        if steps.is_empty() {
            return Ok(keys);
        }
        let apart = segment.capacity as usize / steps.len();
        let at_once = if apart > 2 * GLANCE { GLANCE } else { STRIDE };
        let mut walk = segment.walk(&*self.store.folder, self.store.identity, segment.start(), at_once)?;
        for Step { position, offset, .. } in steps {
            walk.stand_at(Place { position, offset: offset.into() }, segment.epoch);
            let Some((_, block)) = walk.next()? else {
                let why = "it is not as it was written".into();
                return Err(Stop::Damaged(Damage {
                    file: segment.name(),
                    offset: offset.into(),
                    position: Some(Position(position)),
                    why,
                }));
            };
            if let Some(key) = block.key().filter(|key| !keys.contains(*key)) {
                keys.insert(Arc::from(key));
            }
        }
        Ok(keys)
    }
}
