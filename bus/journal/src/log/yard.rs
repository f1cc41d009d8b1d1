//! Work beside the writer: making blank segments, writing sidecars, clearing away what was trimmed.

use std::collections::VecDeque;
use std::io;
use std::num::NonZeroU64;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::storage::{File, Folder};

use super::meta::Identity;
use super::segment::{Index, Segment};
use super::{names, sidecar};

/// So many sealed segments are left in memory.
const IN_MEMORY: usize = 2;

/// So much of a file gives its memory back at a time.
const PIECE: NonZeroU64 = NonZeroU64::new(1 << 20).unwrap();

/// Afterwards so many times as long as it took is left to others.
const REST: u32 = 4;

/// Until something that failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Until it is seen again whether readers have let go of a trimmed segment.
const READERS: Duration = Duration::from_millis(20);

/// A file ready to become a segment: all of it is on disk, zeroed or once used.
pub(super) struct Blank {
    pub(super) name: String,
    pub(super) file: Arc<dyn File>,
    pub(super) capacity: u64,
}

/// The writer's orders, and what is ready for it.
pub(super) struct Yard {
    folder: Arc<dyn Folder>,
    identity: Identity,
    stock: Stock,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// A thread does the work; otherwise whoever needs something does it.
    attended: bool,
    closing: bool,
    /// The writer has nothing to do: a good time to make spares.
    idle: bool,
    /// Capacity of the next segment, until a blank of it is ready.
    wanted: Option<u64>,
    ready: Option<Blank>,
    /// Why the last try to make one failed.
    shortage: Option<io::Error>,
    sealed: VecDeque<Arc<Segment>>,
    /// Files of the segments sealed last, which are still held in memory.
    recent: VecDeque<Arc<dyn File>>,
    discarded: VecDeque<Arc<Segment>>,
    /// Blanks that were not ordered: made in idle times, or once used.
    spares: Vec<Spare>,
    next_spare: u64,
}

/// Name and capacity of a blank.
pub(super) type Spare = (String, u64);

/// How many spares there are to be, and how large.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stock {
    pub(super) count: usize,
    pub(super) capacity: u64,
}

enum Job {
    Make(u64),
    Stock(u64),
    Seal(Arc<Segment>),
    Discard(Arc<Segment>),
}

impl Yard {
    pub(super) fn new(folder: Arc<dyn Folder>, identity: Identity, stock: Stock, spares: Vec<Spare>, next_spare: u64) -> Self {
        let state = State { spares, next_spare, ..State::default() };
        Self { folder, identity, stock, state: Mutex::new(state), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    /// A segment of this capacity will be needed.
    pub(super) fn order(&self, capacity: u64) {
        self.change(|state| state.wanted = Some(capacity));
    }

    /// A sidecar is to be written, unless the segment is trimmed meanwhile.
    pub(super) fn seal(&self, segment: Arc<Segment>) {
        self.change(|state| {
            if !state.discarded.iter().any(|discarded| Arc::ptr_eq(discarded, &segment)) {
                state.sealed.push_back(segment);
            }
        });
    }

    /// Whether the writer has something to do.
    pub(super) fn rest(&self, idle: bool) {
        self.change(|state| state.idle = idle);
    }

    /// The segment is not in the table any more.
    pub(super) fn discard(&self, segment: Arc<Segment>) {
        self.change(|state| {
            state.sealed.retain(|sealed| !Arc::ptr_eq(sealed, &segment));
            state.discarded.push_back(segment);
        });
    }

    /// The blank that was ordered; waits while it is being made. An error when it cannot be made now.
    pub(super) fn take(&self) -> io::Result<Blank> {
        let mut state = self.state();
        loop {
            if let Some(blank) = state.ready.take() {
                return Ok(blank);
            }
            if !state.attended {
                break;
            }
            if let Some(shortage) = &state.shortage {
                return Err(io::Error::new(shortage.kind(), shortage.to_string()));
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let wanted = state.wanted.take();
        drop(state);
        let wanted = wanted.ok_or_else(|| io::Error::other("no segment was ordered"))?;
        self.make(wanted).inspect_err(|_| self.order(wanted))
    }

    /// Puts back a blank that could not be used.
    pub(super) fn put_back(&self, blank: Blank) {
        self.change(|state| state.ready = Some(blank));
    }

    /// Does all that waits; what fails is left for another time.
    pub(super) fn work(&self) {
        while let Some(job) = self.job() {
            if self.work_on(job).is_err() {
                break;
            }
        }
    }

    /// Does what comes, until the yard is closed: the body of the preparer's thread.
    pub(super) fn attend(&self) {
        self.change(|state| state.attended = true);
        // Whatever ends this thread, the writer must not wait for it.
        let _leaving = Leaving(self);
        let mut again = false;
        loop {
            let mut state = self.state();
            if again {
                let (held, _) = self.changed.wait_timeout(state, AGAIN).unwrap_or_else(PoisonError::into_inner);
                state = held;
            } else {
                while !state.closing && !state.has_job(self.stock) {
                    state = if state.discarded.is_empty() {
                        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
                    } else {
                        self.changed.wait_timeout(state, READERS).unwrap_or_else(PoisonError::into_inner).0
                    };
                }
            }
            if state.closing {
                // Or the next start would have to read these segments.
                let sealed = std::mem::take(&mut state.sealed);
                drop(state);
                let _ = sealed.iter().try_for_each(|segment| self.write_sidecar(segment));
                return;
            }
            let job = state.job(self.stock);
            drop(state);
            again = job.is_some_and(|job| self.work_on(job).is_err());
        }
    }

    pub(super) fn close(&self) {
        self.change(|state| state.closing = true);
    }

    fn job(&self) -> Option<Job> {
        self.state().job(self.stock)
    }

    /// Does one thing; a segment or a sidecar that fails is put back, what was to be cleared away is left to the next start.
    fn work_on(&self, job: Job) -> io::Result<()> {
        match job {
            Job::Make(capacity) => {
                let made = self.make(capacity);
                let failed = made.as_ref().err().map(|error| io::Error::new(error.kind(), error.to_string()));
                self.change(|state| match made {
                    Ok(blank) => (state.ready, state.shortage) = (Some(blank), None),
                    Err(error) => (state.wanted, state.shortage) = (Some(capacity), Some(error)),
                });
                failed.map_or(Ok(()), |error| {
                    tracing::warn!(%error, "no next segment for the journal yet");
                    Err(error)
                })
            }
            Job::Stock(capacity) => {
                let made = self.zero(capacity);
                self.change(|state| match made {
                    Ok(blank) => state.spares.push((blank.name, capacity)),
                    // No need to fill the disk again and again: until the next idle time.
                    Err(_) => state.idle = false,
                });
                Ok(())
            }
            Job::Seal(segment) => self.write_sidecar(&segment).inspect_err(|error| {
                tracing::warn!(%error, segment = segment.name(), "a segment's index stays in memory for now");
                self.seal(segment);
            }),
            Job::Discard(segment) => self.clear_away(segment),
        }
    }

    /// A spare of at least that capacity, or a new file.
    fn make(&self, capacity: u64) -> io::Result<Blank> {
        let spare = {
            let mut state = self.state();
            let at = state.spares.iter().position(|(_, spare)| *spare >= capacity);
            at.map(|at| state.spares.swap_remove(at))
        };
        if let Some((name, capacity)) = spare
            && let Ok(file) = self.folder.open(&name)
        {
            return Ok(Blank { name, file, capacity });
        }
        self.zero(capacity)
    }

    fn zero(&self, capacity: u64) -> io::Result<Blank> {
        self.try_zero(capacity).inspect_err(|_| {
            // What is left of it takes room that is wanted.
            let _ = self.folder.remove(names::ZEROING);
        })
    }

    fn try_zero(&self, capacity: u64) -> io::Result<Blank> {
        match self.folder.remove(names::ZEROING) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = self.folder.create_zeroed(names::ZEROING, capacity, &|| !self.state().closing)?;
        let name = self.spare_name();
        self.folder.rename(names::ZEROING, &name)?;
        Ok(Blank { name, file, capacity })
    }

    fn spare_name(&self) -> String {
        let mut state = self.state();
        state.next_spare += 1;
        names::free(state.next_spare)
    }

    /// Writes the sidecar of a sealed segment, which then need not be held in memory.
    fn write_sidecar(&self, segment: &Segment) -> io::Result<()> {
        let extent = segment.extent().clone();
        let bytes = match &*segment.index() {
            Index::Fresh(fresh) => {
                sidecar::encode(self.identity, segment.epoch, [segment.base, extent.next], &extent.places, fresh)
            }
            Index::Sidecar(_) => return Ok(()),
        };
        match self.folder.remove(names::INDEXING) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = self.folder.create(names::INDEXING)?;
        // Not synced, for the writer would wait for it. What does not last, or not whole, is noticed and made again.
        file.write_at(0, &bytes)?;
        self.folder.rename(names::INDEXING, &names::index(segment.base))?;
        self.remember(segment.open(&*self.folder)?);
        segment.close();
        Ok(())
    }

    /// Whoever follows reads what was sealed last; what is older gives its memory to what comes.
    fn remember(&self, file: Arc<dyn File>) {
        let oldest = {
            let mut state = self.state();
            state.recent.push_back(file);
            if state.recent.len() > IN_MEMORY { state.recent.pop_front() } else { None }
        };
        if let Some(oldest) = oldest {
            self.forget(&*oldest);
        }
    }

    /// Gives the memory of a file back in pieces: all of it at once takes the processor from the writer for as long as many batches last.
    fn forget(&self, file: &dyn File) {
        let length = file.length().unwrap_or_default();
        for offset in (0..length).step_by(PIECE.get() as usize) {
            let began = Instant::now();
            file.forget(offset, PIECE);
            let rest = began.elapsed() * REST;
            let state = self.state();
            if state.attended && !state.closing && state.wanted.is_none() {
                drop(self.changed.wait_timeout(state, rest));
            }
        }
    }

    /// Removes a trimmed segment, or keeps its file to be used again. What fails is left to the next start.
    fn clear_away(&self, segment: Arc<Segment>) -> io::Result<()> {
        let _ = self.folder.remove(&names::index(segment.base));
        let (name, capacity) = (segment.name(), segment.capacity);
        let wanted = capacity == self.stock.capacity && self.state().spares.len() < self.stock.count;
        if wanted {
            let spare = self.spare_name();
            self.folder.rename(&name, &spare)?;
            // Or a crash might bring back the old name, with what is written into the file from now on.
            self.folder.sync_names()?;
            self.change(|state| state.spares.push((spare, capacity)));
            return Ok(());
        }
        self.folder.remove(&name)?;
        self.folder.sync_names()
    }
}

impl State {
    fn has_job(&self, stock: Stock) -> bool {
        self.wanted.is_some() || !self.sealed.is_empty() || self.released().is_some() || self.wants_spare(stock)
    }

    /// A trimmed segment that no reader is at any more: its content must stay as long as one is.
    fn released(&self) -> Option<usize> {
        self.discarded.iter().position(|segment| Arc::strong_count(segment) == 1)
    }

    fn wants_spare(&self, stock: Stock) -> bool {
        self.idle && self.spares.len() < stock.count && self.shortage.is_none()
    }

    /// The most urgent first; discarding may give what making needs.
    fn job(&mut self, stock: Stock) -> Option<Job> {
        if let Some(segment) = self.released().and_then(|at| self.discarded.remove(at)) {
            return Some(Job::Discard(segment));
        }
        if let Some(capacity) = self.wanted.take() {
            return Some(Job::Make(capacity));
        }
        if let Some(segment) = self.sealed.pop_front() {
            return Some(Job::Seal(segment));
        }
        self.wants_spare(stock).then_some(Job::Stock(stock.capacity))
    }
}

struct Leaving<'a>(&'a Yard);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.change(|state| state.attended = false);
    }
}
