//! What the writer, the preparer and the readers have before them together: the segments, and how far they are durable.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::Position;
use crate::durability::Announcer;
use crate::storage::Folder;

use super::fresh::{Fresh, Step};
use super::meta::Identity;
use super::segment::{Extent, HEADER, Index, Place, Segment, Table};
use super::sidecar::{Budget, Sidecar};
use super::stats::Counters;
use super::walk::{Stop, Walk, Window};
use super::yard::Yard;
use super::{Damage, names};

/// How much of a segment is read at once when all of it is: it stays in the processor's cache.
pub(super) const STRIDE: usize = 256 << 10;

pub(super) struct Store {
    pub(super) folder: Arc<dyn Folder>,
    pub(super) identity: Identity,
    pub(super) table: Mutex<Arc<Table>>,
    pub(super) durable: Announcer,
    /// First position of the segment that is being written.
    pub(super) newest: watch::Sender<Position>,
    pub(super) counters: Counters,
    pub(super) budget: Arc<Budget>,
    pub(super) yard: Yard,
}

impl Store {
    /// The segments as they are now.
    pub(super) fn table(&self) -> Arc<Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn replace(&self, segments: Vec<Arc<Segment>>) {
        let newest = segments.last().map_or(Position(1), |segment| Position(segment.base));
        *self.table.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(Table { segments });
        self.newest.send_if_modified(|known| std::mem::replace(known, newest) != newest);
    }

    /// The last known place at or before `position`.
    pub(super) fn place(&self, segment: &Arc<Segment>, position: u64) -> Result<Place, Stop> {
        let before = |places: &[Place]| {
            let after = places.partition_point(|place| place.position <= position);
            after.checked_sub(1).and_then(|at| places.get(at)).copied().unwrap_or(segment.start())
        };
        Ok(match self.sidecar(segment)? {
            Some(sidecar) => before(sidecar.places()),
            None => before(&segment.extent().places),
        })
    }

    /// Steps of a key in a segment, oldest first; from a sidecar also those of a key with the same hash.
    pub(super) fn steps(&self, segment: &Arc<Segment>, key: &str) -> Result<Vec<Step>, Stop> {
        if let Some(sidecar) = self.sidecar(segment)? {
            if let Some(steps) = sidecar.steps(&*self.folder, segment.base, self.identity.hash(key)) {
                return Ok(steps);
            }
            self.rebuild(segment)?;
        }
        Ok(match &*segment.index() {
            Index::Fresh(fresh) => fresh.steps(key).to_vec(),
            Index::Sidecar(_) => Vec::new(),
        })
    }

    /// All steps in a segment. `None`: they are in its index, in memory.
    pub(super) fn all_steps(&self, segment: &Arc<Segment>) -> Result<Option<Vec<Step>>, Stop> {
        let Some(sidecar) = self.sidecar(segment)? else { return Ok(None) };
        let steps = sidecar.all_steps(&*self.folder, segment.base);
        if steps.is_none() {
            self.rebuild(segment)?;
        }
        Ok(steps)
    }

    /// The sidecar of a segment whose index is not in memory.
    fn sidecar(&self, segment: &Arc<Segment>) -> Result<Option<Arc<Sidecar>>, Stop> {
        match &*segment.index() {
            Index::Fresh(_) => return Ok(None),
            Index::Sidecar(Some(sidecar)) => return Ok(Some(sidecar.clone())),
            Index::Sidecar(None) => {}
        }
        let range = [segment.base, segment.extent().next];
        let Some(sidecar) = Sidecar::read(&*self.folder, self.identity, range, &self.budget) else {
            self.rebuild(segment)?;
            return Ok(None);
        };
        let sidecar = Arc::new(sidecar);
        // Whoever else has read it meanwhile has read the same.
        if let index @ Index::Sidecar(None) = &mut *segment.index() {
            *index = Index::Sidecar(Some(sidecar.clone()));
        }
        Ok(Some(sidecar))
    }

    /// Makes the index again from the segment itself, and has the sidecar written again.
    fn rebuild(&self, segment: &Arc<Segment>) -> Result<(), Stop> {
        tracing::info!(segment = segment.name(), "a segment's index is made again: its sidecar is missing or damaged");
        let next = segment.extent().next;
        let file = segment.open(&*self.folder)?;
        let walk =
            Walk::new(Window::new(file, segment.capacity, STRIDE), self.identity.seed(), HEADER, segment.base, segment.epoch);
        let (extent, fresh) = scan_sealed(walk, next)?;
        *segment.extent() = extent;
        *segment.index() = Index::Fresh(fresh);
        self.yard.seal(segment.clone());
        Ok(())
    }

    /// Everything before `next` is durable now, for who looks; `keyed` is the last new one that has a key.
    pub(super) fn reached(&self, next: u64, keyed: Option<u64>) {
        self.durable.change(|durable| {
            durable.position = Position(next - 1);
            durable.keyed = keyed.map_or(durable.keyed, Position);
        });
    }
}

/// Reads all of a sealed segment, which must go up to `next`.
pub(super) fn scan_sealed(mut walk: Walk, next: u64) -> Result<(Extent, Fresh), Stop> {
    let base = walk.position;
    let (mut fresh, mut places) = (Fresh::default(), Vec::new());
    while walk.position < next {
        let Some((offset, block)) = walk.next()? else {
            return Err(Stop::Damaged(Damage {
                file: names::segment(base),
                offset: walk.offset,
                position: Some(Position(walk.position)),
                why: format!("no whole record, though the next segment begins with record {next}"),
            }));
        };
        if !block.is_mark() {
            Extent::note(&mut places, Place { position: block.stamp().position, offset });
            fresh.add_block(offset, &block);
        }
    }
    Ok((Extent { next, end: walk.offset, places }, fresh))
}
