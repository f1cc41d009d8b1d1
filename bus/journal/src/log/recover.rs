//! Opening: what is there, whether it is whole, and where it goes on.

use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use crate::durability::Announcer;
use crate::storage::Folder;
use crate::{Durability, Position};

use super::dedupe::Dedupe;
use super::fresh::Fresh;
use super::listing::{self, Listing};
use super::meta::{Identity, Meta};
use super::record::{self, HEAD};
use super::segment::{Extent, HEADER, Head, Index, Place, Segment, Table};
use super::sidecar::{self, Budget};
use super::stats::Counters;
use super::store::{STRIDE, Store, scan_sealed};
use super::walk::{Stop, Walk, Window};
use super::yard::{Stock, Yard};
use super::{Damage, LogSettings, OpenError, names, tail};

/// Everything that the writer begins with.
pub(super) struct Opened {
    pub(super) lock: Box<dyn Send + Sync>,
    pub(super) meta: Meta,
    pub(super) store: Arc<Store>,
    pub(super) active: Arc<Segment>,
    pub(super) dedupe: Dedupe,
}

/// Opens what is in the folder, or begins a journal in an empty one.
pub(super) fn open(folder: Arc<dyn Folder>, settings: &LogSettings) -> Result<Opened, OpenError> {
    let lock = listing::lock(&*folder)?;
    let listing = Listing::read(&*folder)?;
    let mut meta = match Meta::read(&*folder)? {
        Some(meta) => meta,
        None if listing.bases.is_empty() => Meta::create(&*folder, None, 1)?,
        None => return Err(missing(names::META.into(), None, "it is missing or damaged, though there are segments")),
    };
    let mut bases = listing.kept(meta.first);
    let stock = Stock { count: settings.spare_segments, capacity: settings.segment_bytes };
    let spares = listing.spares(&*folder, stock);
    let last_spare = listing.free.last().copied().unwrap_or_default();
    let yard = Yard::new(folder.clone(), meta.identity, stock, spares.clone(), last_spare);
    if bases.is_empty() && meta.epoch == 0 {
        // It may have been read from the page cache, and must be durable before a segment is.
        meta.write()?;
        begin(&*folder, &meta, &yard, settings)?;
        bases.push(meta.first);
    }
    if bases.first() != Some(&meta.first) {
        return Err(missing(names::segment(meta.first), Some(meta.first), "the file is missing"));
    }
    let mut segments = Vec::with_capacity(bases.len());
    for range in bases.windows(2) {
        segments.push(Arc::new(sealed(&*folder, meta.identity, [range[0], range[1]])?));
    }
    let active = Active::read(&*folder, &meta, bases[bases.len() - 1])?;
    let dedupe = fingerprints(&*folder, meta.identity, &segments, &active.fresh, settings.dedupe_keys)?;

    // From here on things are changed. What a process left behind that was killed before its sync is seen, but not durable: first the
    // names, or a segment might vanish with what will be acknowledged in it; then where the journal begins; then what it needs no more.
    folder.sync_names()?;
    meta.epoch = meta.epoch.max(active.epoch) + 1;
    meta.write()?;
    listing.clear_away(&*folder, &meta, &spares);
    for segment in segments.iter().filter(|segment| matches!(&*segment.index(), Index::Fresh(_))) {
        yard.seal(segment.clone());
    }
    let active = Arc::new(active.secure(&meta)?);
    segments.push(active.clone());
    yard.order(settings.next_segment(active.capacity));
    let position = Position(active.extent().next - 1);
    // Older segments are not looked into for it.
    let keyed = match &*active.index() {
        Index::Fresh(fresh) => fresh.last_step().unwrap_or(active.base - 1),
        Index::Sidecar(_) => position.0,
    };
    let durable = Durability { position, keyed: Position(keyed), failed: None };
    let store = Arc::new(Store {
        folder,
        identity: meta.identity,
        table: Mutex::new(Arc::new(Table { segments })),
        durable: Announcer::new(durable),
        newest: watch::Sender::new(Position(active.base)),
        counters: Counters::default(),
        budget: Budget::new(settings.index_bytes),
        yard,
    });
    Ok(Opened { lock, meta, store, active, dedupe })
}

fn missing(file: String, position: Option<u64>, why: &str) -> OpenError {
    OpenError::Damaged(Damage { file, offset: 0, position: position.map(Position), why: why.into() })
}

/// Makes the first segment of a new journal.
fn begin(folder: &dyn Folder, meta: &Meta, yard: &Yard, settings: &LogSettings) -> Result<(), OpenError> {
    yard.order(settings.first_segment());
    let blank = yard.take()?;
    let head = Head { base: meta.first, epoch: meta.epoch + 1, capacity: blank.capacity };
    head.write(meta.identity, &*blank.file)?;
    Ok(head.name(folder, &blank.name)?)
}

/// A segment that is followed by another one: not read, if its sidecar says that it goes up to there.
fn sealed(folder: &dyn Folder, identity: Identity, [base, next]: [u64; 2]) -> Result<Segment, OpenError> {
    let file = folder.open(&names::segment(base))?;
    let head = Head::expect(&*file, base, identity)?;
    if sidecar::is_there(folder, identity, [base, next]) {
        let extent = Extent { next, end: head.capacity, places: Vec::new() };
        return Ok(Segment::new(head, extent, Index::Sidecar(None), None));
    }
    let window = Window::new(file, head.capacity, STRIDE);
    let (extent, fresh) = scan_sealed(Walk::new(window, identity.seed(), HEADER, base, head.epoch), next)?;
    Ok(Segment::new(head, extent, Index::Fresh(fresh), None))
}

/// The newest fingerprints: of the active segment, then of older ones until there are enough.
fn fingerprints(
    folder: &dyn Folder,
    identity: Identity,
    segments: &[Arc<Segment>],
    active: &Fresh,
    most: usize,
) -> Result<Dedupe, OpenError> {
    let mut newest_first = vec![active.fingerprints.clone()];
    let mut count = active.fingerprints.len();
    for segment in segments.iter().rev() {
        if count >= most {
            break;
        }
        let next = segment.extent().next;
        let held = match &*segment.index() {
            Index::Fresh(fresh) => Some(fresh.fingerprints.clone()),
            Index::Sidecar(_) => None,
        };
        let found = match held.or_else(|| sidecar::fingerprints(folder, identity, [segment.base, next])) {
            Some(found) => found,
            None => {
                let walk = segment.walk(folder, identity, segment.start(), STRIDE)?;
                scan_sealed(walk, next)?.1.fingerprints
            }
        };
        count += found.len();
        newest_first.push(found);
    }
    let mut dedupe = Dedupe::new(most);
    dedupe.expect(count);
    for (fingerprint, position) in newest_first.into_iter().rev().flatten() {
        dedupe.add(fingerprint, position);
        // At once, as it was when they came: one that had left the window and came again is among the newest.
        dedupe.settle();
    }
    Ok(dedupe)
}

/// The last segment, read to its last valid block.
struct Active {
    walk: Walk,
    head: Head,
    fresh: Fresh,
    places: Vec<Place>,
    /// Where the last batch begins: nothing that came later shows that it was ever durable.
    unproven: u64,
    epoch: u32,
}

impl Active {
    fn read(folder: &dyn Folder, meta: &Meta, base: u64) -> Result<Self, OpenError> {
        let file = folder.open(&names::segment(base))?;
        let head = Head::expect(&*file, base, meta.identity)?;
        let mut walk = Walk::new(Window::new(file, head.capacity, STRIDE), meta.identity.seed(), HEADER, base, head.epoch);
        let (mut fresh, mut places, mut unproven) = (Fresh::default(), Vec::new(), HEADER);
        while let Some((offset, block)) = walk.next()? {
            let stamp = block.stamp();
            if stamp.batch == stamp.position {
                unproven = offset;
            }
            if !block.is_mark() {
                Extent::note(&mut places, Place { position: stamp.position, offset });
                fresh.add_block(offset, &block);
            }
        }
        let epoch = walk.epoch;
        match tail::examine(&mut walk, head.capacity)? {
            tail::Tail::Clean => {}
            tail::Tail::Torn { records } => tracing::warn!(
                segment = names::segment(base),
                offset = walk.offset,
                position = walk.position,
                records,
                "a torn write is cut: its batch was never acknowledged"
            ),
            tail::Tail::Damaged { by } => return Err(Stop::Damaged(tail::damage(base, &walk, by)).into()),
        }
        Ok(Self { walk, head, fresh, places, unproven, epoch })
    }

    /// Makes its end durable, whatever it was before, and marks it with the new epoch.
    ///
    /// What is read here may be in the page cache only: written by a process that was killed before its sync, or whose sync failed
    /// (then the pages count as clean, and a sync alone would do nothing). So the last batch is written once more.
    fn secure(self, meta: &Meta) -> Result<Segment, OpenError> {
        let Self { mut walk, head, fresh, places, unproven, .. } = self;
        let mut bytes = walk.window.get(unproven, (walk.offset - unproven) as usize)?.to_vec();
        let mut end = walk.offset;
        if end + HEAD as u64 <= head.capacity {
            record::encode_mark(&mut bytes, meta.identity.seed(), meta.epoch, walk.position);
            end += HEAD as u64;
        }
        let file = walk.window.file();
        file.write_at(unproven, &bytes)?;
        file.sync()?;
        let extent = Extent { next: walk.position, end, places };
        Ok(Segment::new(head, extent, Index::Fresh(fresh), Some(file)))
    }
}
