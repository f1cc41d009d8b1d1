//! One segment: its file, how far it goes, and what finds its records.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::storage::{File, Folder};

use super::fresh::Fresh;
use super::label::{LABEL, Label};
use super::meta::Identity;
use super::sidecar::Sidecar;
use super::walk::{Walk, Window};
use super::{Damage, OpenError, names};

/// Length of the head of a segment: one block of the disk, so that records do not share it.
pub(super) const HEADER: u64 = 4096;

/// Between two places that a record can be looked for from.
const PLACES_APART: u64 = 32 << 10;

const KIND: [u8; 8] = *b"PASSSEGM";

/// Where a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) position: u64,
    pub(super) offset: u64,
}

/// How far a segment is durable.
#[derive(Debug, Clone, Default)]
pub(super) struct Extent {
    /// Position after its last record.
    pub(super) next: u64,
    /// Byte after its last block.
    pub(super) end: u64,
    /// Some of its records, in order.
    pub(super) places: Vec<Place>,
}

impl Extent {
    /// Adds a place, if it is far enough from the last one.
    pub(super) fn note(places: &mut Vec<Place>, place: Place) {
        if places.last().is_none_or(|last| place.offset >= last.offset + PLACES_APART) {
            places.push(place);
        }
    }
}

/// What finds the records of a key.
pub(super) enum Index {
    /// In memory: of the active segment, and of a sealed one until its sidecar is written.
    Fresh(Fresh),
    /// In the sidecar, read when first asked for.
    Sidecar(Option<Arc<Sidecar>>),
}

/// One segment that holds records.
pub(super) struct Segment {
    /// Position of its first record.
    pub(super) base: u64,
    /// Epoch in which it was begun.
    pub(super) epoch: u32,
    /// Length of the file.
    pub(super) capacity: u64,
    extent: Mutex<Extent>,
    index: Mutex<Index>,
    /// Held open while it is written; there may be more segments than a process may have files.
    file: Mutex<Option<Arc<dyn File>>>,
}

impl Segment {
    pub(super) fn new(head: Head, extent: Extent, index: Index, file: Option<Arc<dyn File>>) -> Self {
        let Head { base, epoch, capacity } = head;
        Self { base, epoch, capacity, extent: Mutex::new(extent), index: Mutex::new(index), file: Mutex::new(file) }
    }

    pub(super) fn extent(&self) -> MutexGuard<'_, Extent> {
        self.extent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn name(&self) -> String {
        names::segment(self.base)
    }

    pub(super) fn open(&self, folder: &dyn Folder) -> io::Result<Arc<dyn File>> {
        let held = self.file.lock().unwrap_or_else(PoisonError::into_inner).clone();
        held.map_or_else(|| folder.open(&self.name()), Ok)
    }

    /// It is not written any more, and its sidecar is there.
    pub(super) fn close(&self) {
        *self.index() = Index::Sidecar(None);
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// A walk over what is durable, from a place on, reading `step` bytes at once.
    pub(super) fn walk(&self, folder: &dyn Folder, identity: Identity, from: Place, step: usize) -> io::Result<Walk> {
        let window = Window::new(self.open(folder)?, self.extent().end, step);
        Ok(Walk::new(window, identity.seed(), from.offset, from.position, self.epoch))
    }

    /// Where its first block is.
    pub(super) fn start(&self) -> Place {
        Place { position: self.base, offset: HEADER }
    }
}

/// What the head of a segment says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) base: u64,
    pub(super) epoch: u32,
    pub(super) capacity: u64,
}

impl Head {
    fn encode(self, identity: Identity) -> Vec<u8> {
        let Self { base, epoch, capacity } = self;
        let label = Label { kind: KIND, epoch, journal: identity.0, numbers: [base, capacity] };
        let mut block = label.encode().to_vec();
        block.resize(HEADER as usize, 0);
        block
    }

    /// Whatever whole head the file has, with its journal.
    pub(super) fn read(file: &dyn File) -> Result<Option<(Self, Identity)>, OpenError> {
        let mut bytes = [0; LABEL];
        file.read_at(0, &mut bytes)?;
        let label = Label::decode(KIND, &bytes)?;
        Ok(label.map(|label| {
            let [base, capacity] = label.numbers;
            (Self { base, epoch: label.epoch, capacity }, Identity(label.journal))
        }))
    }

    /// Writes it into a blank file.
    pub(super) fn write(self, identity: Identity, file: &dyn File) -> io::Result<()> {
        file.write_at(0, &self.encode(identity))?;
        file.sync()
    }

    /// Gives the blank file the name of its segment, durably.
    pub(super) fn name(self, folder: &dyn Folder, blank: &str) -> io::Result<()> {
        folder.rename(blank, &names::segment(self.base))?;
        folder.sync_names()
    }

    /// The head of the segment at `base` of this journal.
    pub(super) fn expect(file: &dyn File, base: u64, identity: Identity) -> Result<Self, OpenError> {
        let damage = |why: &str| {
            let (file, why) = (names::segment(base), why.to_owned());
            OpenError::Damaged(Damage { file, offset: 0, position: Some(crate::Position(base)), why })
        };
        let (head, journal) = Self::read(file)?.ok_or_else(|| damage("its head is not as it was written"))?;
        if journal != identity {
            return Err(damage("it belongs to another journal"));
        }
        if head.base != base {
            return Err(damage(&format!("its head says that it begins with record {}", head.base)));
        }
        if file.length()? < head.capacity {
            return Err(damage(&format!("it is shorter than its {} bytes", head.capacity)));
        }
        Ok(head)
    }
}

/// All segments, oldest first; the last one is the active one. Never empty.
pub(super) struct Table {
    pub(super) segments: Vec<Arc<Segment>>,
}

impl Table {
    /// The oldest record kept.
    pub(super) fn first(&self) -> u64 {
        self.segments.first().map_or(1, |segment| segment.base)
    }

    /// Place of the segment that holds `position`, which is not before the first.
    pub(super) fn at(&self, position: u64) -> usize {
        self.segments.partition_point(|segment| segment.base <= position).saturating_sub(1)
    }
}
