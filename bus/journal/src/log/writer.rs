//! The engine without threads: opens a folder, writes batches, seals and trims.

use std::io;
use std::sync::Arc;

use crate::storage::{File, Folder};
use crate::{Answer, AppendError, Entry, KeyStep, Outcome, Position};

use super::dedupe::Dedupe;
use super::lives::Life;
use super::meta::Meta;
use super::read::Reader;
use super::record::{self, HEAD, Stamp};
use super::recover::{self, Opened};
use super::segment::{Extent, HEADER, Head, Index, Place, Segment};
use super::stats::Counters;
use super::store::Store;
use super::walk::Stop;
use super::{LogSettings, OpenError};

/// A batch is written when so much of it is together.
const BATCH_BYTES: usize = 8 << 20;

/// Bytes that a disk and its cache take as one.
const PAGE: u64 = 4096;

/// Entries and whom to answer.
#[derive(Debug)]
pub struct Append {
    /// What to write. All of it together must fit in the smallest segment.
    pub entries: Vec<Entry>,
    /// Told when all of it is durable, or refused.
    pub answer: Answer,
}

/// The log without its threads, so that faults can be tried on the very same code, step by step.
pub struct Core {
    store: Arc<Store>,
    settings: LogSettings,
    meta: Meta,
    dedupe: Dedupe,
    active: Arc<Segment>,
    file: Arc<dyn File>,
    /// Grows beyond the one in `meta` when a refused write must be told from what follows.
    epoch: u32,
    seed: u32,
    /// Where the next batch goes.
    end: u64,
    /// Position of its first record.
    batch: u64,
    /// The last thing written was a mark.
    marked: bool,
    rests: bool,
    /// The batch that is being made, with its places, and those who wait for it.
    buffer: Vec<u8>,
    next: u64,
    keyed: Option<u64>,
    places: Vec<Place>,
    waiting: Vec<(Answer, Vec<Outcome>)>,
    failed: Option<Arc<str>>,
    /// Let go last.
    _lock: Box<dyn Send + Sync>,
}

impl Core {
    /// Opens what is in the folder, or begins a new journal in an empty one.
    pub fn open(folder: Arc<dyn Folder>, settings: LogSettings) -> Result<Self, OpenError> {
        let settings = settings.limited();
        let Opened { lock, meta, store, active, dedupe } = recover::open(folder, &settings)?;
        let file = active.open(&*store.folder)?;
        let Extent { next, end, .. } = *active.extent();
        Ok(Self {
            seed: meta.identity.seed(),
            epoch: meta.epoch,
            marked: true,
            rests: false,
            batch: next,
            buffer: Vec::new(),
            keyed: None,
            places: Vec::new(),
            waiting: Vec::new(),
            failed: None,
            _lock: lock,
            store,
            settings,
            meta,
            dedupe,
            active,
            file,
            end,
            next,
        })
    }

    /// Writes all of it in as few batches as it takes (each one write and one sync) and answers.
    pub fn write(&mut self, appends: Vec<Append>) {
        for Append { entries, answer } in appends {
            match self.add(&entries) {
                Ok(outcomes) => self.waiting.push((answer, outcomes)),
                // Whoever asked may have gone, here and below.
                Err(error) => drop(answer.send(Err(error))),
            }
            if self.buffer.len() >= BATCH_BYTES {
                self.commit();
            }
        }
        self.commit();
    }

    /// Writes a mark when the last thing written was a batch: from then on damage in that batch is told from a torn tail.
    pub fn mark(&mut self) {
        if self.marked || self.failed.is_some() || self.end + HEAD as u64 > self.active.capacity {
            return;
        }
        match self.write_mark() {
            Ok(()) => {}
            // The next batch is written over it.
            Err(error) if is_full(&error) => {}
            Err(error) => drop(self.fail(&error)),
        }
    }

    /// Whether the preparer has been told that there is nothing to write.
    pub(super) fn rests(&self) -> bool {
        self.rests
    }

    /// Tells it.
    pub(super) fn rest(&mut self, rests: bool) {
        if self.rests != rests {
            self.store.yard.rest(rests);
        }
        self.rests = rests;
    }

    /// Does what the preparer would do beside the writer: next segment, sidecar indexes of sealed ones, removing trimmed ones.
    /// Without it `write` does what it cannot go on without.
    pub fn prepare(&mut self) {
        self.store.yard.work();
    }

    /// Gives up whole segments before `position`; see [`Journal::trim`](crate::Journal::trim).
    pub fn trim(&mut self, position: Position) -> Result<Position, AppendError> {
        if let Some(failed) = &self.failed {
            return Err(AppendError::Failed(failed.clone()));
        }
        let table = self.store.table();
        let kept = table.at(position.0);
        let first = table.segments[kept].base;
        if kept > 0 {
            self.meta.first = first;
            self.meta.write().map_err(|error| self.fail(&error))?;
            self.store.replace(table.segments[kept..].to_vec());
            for segment in &table.segments[..kept] {
                self.store.yard.discard(segment.clone());
            }
        }
        Ok(Position(first))
    }

    /// Goes on in a new segment, unless the one being written holds nothing; returns where it begins.
    pub fn begin_segment(&mut self) -> Result<Position, AppendError> {
        if let Some(failed) = &self.failed {
            return Err(AppendError::Failed(failed.clone()));
        }
        if self.next > self.active.base {
            self.roll()?;
        }
        Ok(Position(self.active.base))
    }

    /// Reads what is durable; shared, and good for longer than the engine.
    pub fn reader(&self) -> Reader {
        Reader::new(self.store.clone())
    }

    pub(super) fn store(&self) -> Arc<Store> {
        self.store.clone()
    }

    /// Marks the end and lets go of the folder.
    pub fn close(mut self) {
        self.mark();
    }

    /// Adds entries to the batch, all of them or, when it is refused, none.
    fn add(&mut self, entries: &[Entry]) -> Result<Vec<Outcome>, AppendError> {
        let need = measure(entries, &self.settings)?;
        if !self.fits(need) {
            self.commit();
        }
        if let Some(failed) = &self.failed {
            return Err(AppendError::Failed(failed.clone()));
        }
        if !self.fits(need) {
            self.roll()?;
        }
        entries.iter().map(|entry| self.add_one(entry)).collect()
    }

    /// Room for a mark is always left.
    fn fits(&self, bytes: u64) -> bool {
        self.end + self.buffer.len() as u64 + bytes + HEAD as u64 <= self.active.capacity
    }

    fn add_one(&mut self, entry: &Entry) -> Result<Outcome, AppendError> {
        if let Some(position) = entry.fingerprint.and_then(|fingerprint| self.dedupe.position(fingerprint)) {
            Counters::add(&self.store.counters.repeated, 1);
            return Ok(Outcome::Repeated(Position(position)));
        }
        if let Some(KeyStep { key, sequence, .. }) = &entry.step {
            let last = self.last_sequence(key).map_err(|stop| self.fail(&stop))?;
            if last.checked_add(1) != Some(*sequence) {
                return Ok(Outcome::OutOfSequence { last });
            }
        }
        let position = self.next;
        let offset = self.end + self.buffer.len() as u64;
        record::encode(&mut self.buffer, self.seed, Stamp { epoch: self.epoch, position, batch: self.batch }, entry);
        self.next += 1;
        self.keyed = entry.step.as_ref().map(|_| position).or(self.keyed);
        Extent::note(&mut self.places, Place { position, offset });
        if let Some(fingerprint) = entry.fingerprint {
            self.dedupe.add(fingerprint, position);
        }
        if let (Index::Fresh(fresh), true) = (&mut *self.active.index(), entry.step.is_some() || entry.fingerprint.is_some()) {
            fresh.add(position, offset, entry.step.as_ref(), entry.fingerprint);
        }
        Ok(Outcome::Written(Position(position)))
    }

    /// Number of the last record of a key, written or in the batch; 0 when there is none.
    fn last_sequence(&self, key: &str) -> Result<u64, Stop> {
        if let Index::Fresh(fresh) = &*self.active.index()
            && let Some(step) = fresh.steps(key).last()
        {
            return Ok(step.sequence);
        }
        let newest = Life::of(&self.store, key, self.active.base).next().transpose()?;
        Ok(newest.map_or(0, |block| block.sequence()))
    }

    /// Writes the batch, makes it durable, shows and answers it. Who asked hears of it before who follows: the next batch waits for those.
    fn commit(&mut self) {
        let is_new = !self.buffer.is_empty();
        let written = if is_new { self.write_batch() } else { Ok(()) };
        for (answer, outcomes) in self.waiting.drain(..) {
            let _ = answer.send(written.clone().map(|()| outcomes));
        }
        if is_new && written.is_ok() {
            self.store.durable.wake();
        }
    }

    fn write_batch(&mut self) -> Result<(), AppendError> {
        if let Some(failed) = &self.failed {
            return Err(AppendError::Failed(failed.clone()));
        }
        let length = self.buffer.len();
        self.pad();
        let written = self.file.write_at(self.end, &self.buffer).and_then(|()| self.file.sync());
        self.buffer.truncate(length);
        match written {
            Ok(()) => {
                self.show();
                Ok(())
            }
            Err(error) if is_full(&error) => Err(self.take_back(&error)),
            Err(error) => Err(self.fail(&error)),
        }
    }

    /// Fills up the last page: what is not in memory need not be read for it.
    fn pad(&mut self) {
        let end = self.end + self.buffer.len() as u64;
        let padded = end.next_multiple_of(PAGE).min(self.active.capacity);
        self.buffer.resize((padded - self.end) as usize, 0);
    }

    /// The batch is durable: readers see it.
    fn show(&mut self) {
        let counters = &self.store.counters;
        Counters::add(&counters.records, self.next - self.batch);
        Counters::add(&counters.bytes, self.buffer.len() as u64);
        Counters::add(&counters.batches, 1);
        Counters::add(&counters.syncs, 1);
        self.end += self.buffer.len() as u64;
        self.batch = self.next;
        self.marked = false;
        self.buffer.clear();
        {
            let mut extent = self.active.extent();
            (extent.next, extent.end) = (self.next, self.end);
            for place in self.places.drain(..) {
                Extent::note(&mut extent.places, place);
            }
        }
        self.dedupe.settle();
        self.store.reached(self.next, self.keyed.take());
    }

    /// The batch found no room, though its blocks were there (a copying file system): nothing of it may ever be read. A mark of
    /// a new epoch takes its place, so that what is left of it does not follow anything any more.
    fn take_back(&mut self, error: &io::Error) -> AppendError {
        self.dedupe.forget_from(self.batch);
        if let Index::Fresh(fresh) = &mut *self.active.index() {
            fresh.forget_from(self.batch);
        }
        self.next = self.batch;
        self.keyed = None;
        self.places.clear();
        self.buffer.clear();
        self.epoch += 1;
        match self.write_mark() {
            Ok(()) => AppendError::Full(error.to_string()),
            Err(error) => self.fail(&error),
        }
    }

    fn write_mark(&mut self) -> io::Result<()> {
        let mut mark = Vec::with_capacity(HEAD);
        record::encode_mark(&mut mark, self.seed, self.epoch, self.batch);
        self.file.write_at(self.end, &mark)?;
        self.file.sync()?;
        Counters::add(&self.store.counters.syncs, 1);
        self.end += HEAD as u64;
        self.active.extent().end = self.end;
        self.marked = true;
        Ok(())
    }

    /// Goes on in the next segment. The batch was committed.
    fn roll(&mut self) -> Result<(), AppendError> {
        let blank = self.store.yard.take().map_err(|error| self.refuse(&error))?;
        let head = Head { base: self.next, epoch: self.epoch, capacity: blank.capacity };
        if let Err(error) = head.write(self.meta.identity, &*blank.file) {
            self.store.yard.put_back(blank);
            return Err(self.refuse(&error));
        }
        // A segment of that name that holds nothing while the one before goes on would be taken for damage: no second try.
        head.name(&*self.store.folder, &blank.name).map_err(|error| self.fail(&error))?;
        Counters::add(&self.store.counters.syncs, 1);

        let extent = Extent { next: self.next, end: HEADER, places: Vec::new() };
        let segment = Arc::new(Segment::new(head, extent, Index::Fresh(Default::default()), Some(blank.file.clone())));
        let sealed = std::mem::replace(&mut self.active, segment);
        self.file = blank.file;
        self.end = HEADER;
        self.marked = true;
        let mut segments = self.store.table().segments.clone();
        segments.push(self.active.clone());
        self.store.replace(segments);
        self.store.yard.seal(sealed);
        self.store.yard.order(self.settings.next_segment(blank.capacity));
        Ok(())
    }

    fn refuse(&mut self, error: &io::Error) -> AppendError {
        if is_full(error) { AppendError::Full(error.to_string()) } else { self.fail(error) }
    }

    /// Nothing is written any more: a failed sync says nothing about what it was to make durable, and a second one succeeds on pages
    /// that were thrown away.
    fn fail(&mut self, error: &dyn std::fmt::Display) -> AppendError {
        let why: Arc<str> = error.to_string().into();
        tracing::error!(error = %why, "the journal has failed");
        self.failed = Some(why.clone());
        self.store.durable.tell(|durable| durable.failed = Some(why.clone()));
        AppendError::Failed(why)
    }
}

/// Room that entries take, when they keep their limits.
pub(super) fn measure(entries: &[Entry], settings: &LogSettings) -> Result<u64, AppendError> {
    let mut bytes = 0;
    for entry in entries {
        entry.check()?;
        bytes += record::length(entry);
    }
    let most = settings.first_segment() - HEADER - HEAD as u64;
    if bytes > most {
        return Err(AppendError::TooLarge(format!("{bytes} bytes to be written at once, at most {most} are taken")));
    }
    Ok(bytes)
}

/// Whether an error clears by itself when there is room.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
