//! A simulated disk: everything that a real one may do to a journal, by seed.
//!
//! # The model
//!
//! A file is what POSIX promises and no more: a write is read back at once, and is on disk only after a `sync` that succeeded.
//! Until then the disk holds, for each sector of 512 bytes, any of the versions that it had since the last sync: writeback runs when
//! it likes, in any order, and a disk writes sectors one by one. That is what the papers on crash consistency found to be true of
//! ext4, XFS and btrfs (ALICE, "All File Systems Are Not Created Equal", OSDI 2014), and what tools like LazyFS and dm-log-writes
//! make happen; the modes of a cut are in `cut`.
//!
//! - **Torn sectors.** A cut may leave a sector of which a front part is new and the rest old, or in which the bytes that were to
//!   change are garbage. Bytes that a write did not change are never harmed: SQLite calls this "powersafe overwrite" and relies
//!   on it too; a journal that appends within a sector cannot do without it.
//! - **Length.** A file that grew without a sync has its old length, its new one (zeros where data is missing, as after delayed
//!   allocation), or ends with the last sector that made it.
//! - **Names.** Creations, renames and removals are on disk after `sync_names`. Before, any *prefix* of them is: ext4 puts them into
//!   one ordered journal, and a rename is there wholly or not at all. The sync of a file does not make its name durable; ext4
//!   happens to do so, POSIX does not say it.
//! - **A failed sync** is final, as on Linux since 4.13: the error is told once, the pages count as clean, some of them were
//!   written and the others never will be, and the next sync succeeds without them (PostgreSQL's "fsyncgate", 2018; Rebello et al.,
//!   "Can Applications Recover from fsync Failures?", ATC 2020). They are still read back until their pages are evicted, which
//!   [`SimulatedDisk::restart`] may do.
//! - **A write that fails** may have written a front part. Overwriting what is allocated needs no room; growing does.
//!
//! Faults are asked for by [`SimulatedDisk::fail`], [`capacity`](SimulatedDisk::capacity),
//! [`flip`](SimulatedDisk::flip) and [`cut_at`](SimulatedDisk::cut_at).

mod cut;
mod fault;
mod folder;
mod inode;
mod state;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fastrand::Rng;
pub use fault::{Fault, Operation};
use state::State;

/// Bytes that a disk writes at once, or not.
pub const SECTOR: usize = 512;

/// Bytes that the kernel writes back together, mostly.
pub const PAGE: usize = 4096;

/// One folder on a disk of its own. Clones share it; after a cut or a restart, all handles to it are dead and the disk goes on as
/// the returned value.
#[derive(Clone)]
pub struct SimulatedDisk(Arc<Mutex<State>>);

impl SimulatedDisk {
    /// An empty disk without bound.
    pub fn new(seed: u64) -> Self {
        Self::with(State::new(seed))
    }

    fn with(state: State) -> Self {
        Self(Arc::new(Mutex::new(state)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Operations so far that change something (all but reads).
    pub fn operations(&self) -> u64 {
        self.state().faults.operations
    }

    /// Whether the power is gone: nothing works any more.
    pub fn is_cut(&self) -> bool {
        self.state().faults.dead
    }

    /// Whether a fault that was asked for has struck.
    pub fn has_failed(&self) -> bool {
        self.state().faults.struck
    }

    /// Cuts the power in the midst of the operation after `operations` more that change something.
    pub fn cut_at(&self, operations: u64) {
        let mut state = self.state();
        state.faults.cut_at = Some(state.faults.operations + operations);
    }

    /// After `operations` more of this kind, one fails.
    pub fn fail(&self, operation: Operation, operations: u64, fault: Fault) {
        self.state().faults.once.push((operation, operations, fault));
    }

    /// No more faults of the kind above.
    pub fn heal(&self) {
        self.state().faults.once.clear();
    }

    /// How many bytes the files may have together; `None` for no bound.
    pub fn capacity(&self, bytes: Option<u64>) {
        self.state().capacity = bytes;
    }

    /// Bytes that the named files have together.
    pub fn used(&self) -> u64 {
        self.state().used()
    }

    /// Flips bits of one byte at rest: on the platter, and where it is read. Whether there was such a byte.
    pub fn flip(&self, name: &str, offset: u64, mask: u8) -> bool {
        self.state().flip(name, offset, mask)
    }

    /// The content of a file, as read.
    pub fn content(&self, name: &str) -> Option<Vec<u8>> {
        self.state().content(name)
    }

    /// Names of the files, as seen.
    pub fn files(&self) -> Vec<String> {
        self.state().names.keys().cloned().collect()
    }

    /// Puts a file there, durable: a disk that comes from somewhere else.
    pub fn place(&self, name: &str, content: Vec<u8>) {
        self.state().place(name, content);
    }

    /// The power fails now, if it has not: the disk as it may be found afterwards.
    #[must_use]
    pub fn power_cut(&self, seed: u64) -> Self {
        Self::with(self.state().cut(&mut Rng::with_seed(seed)))
    }

    /// The process dies, the machine lives: what was written is still read, what was not synced is still not durable. Clean
    /// pages may be evicted, which shows what a failed sync has lost.
    #[must_use]
    pub fn restart(&self, seed: u64) -> Self {
        Self::with(self.state().restart(&mut Rng::with_seed(seed)))
    }

    /// A disk of its own with the same content, all of it durable, without faults: to look at what is there.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self::with(self.state().copy())
    }
}
