//! Every engine keeps the laws of the journal.
#![allow(clippy::expect_used, reason = "a test that cannot begin fails")]

use std::sync::Arc;

use passerelle_conformance::journal::{Place, hold};
use passerelle_journal::Journal;
use passerelle_journal::log::{Log, LogSettings};
use passerelle_journal::memory::Memory;
use passerelle_journal::storage::Directory;

struct InMemory;

impl Place for InMemory {
    fn open(&self) -> Arc<dyn Journal> {
        Arc::new(Memory::new())
    }

    fn lasts(&self) -> bool {
        false
    }
}

struct InDirectory(tempfile::TempDir);

impl Place for InDirectory {
    fn open(&self) -> Arc<dyn Journal> {
        let settings = LogSettings { segment_bytes: 64 << 10, ..LogSettings::default() };
        let directory = Directory::open(self.0.path()).expect("a temporary directory");
        Arc::new(Log::open(Arc::new(directory), settings).expect("it opens"))
    }

    fn lasts(&self) -> bool {
        true
    }
}

#[test]
fn the_journal_in_memory_keeps_the_laws() {
    hold(|| Box::new(InMemory));
}

#[test]
fn the_log_keeps_the_laws() {
    hold(|| Box::new(InDirectory(tempfile::tempdir().expect("a temporary directory"))));
}
