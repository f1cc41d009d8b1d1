//! `journal.meta`: which journal this is, how often it was opened, and where it begins.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::sync::Arc;

use siphasher::sip::SipHasher13;

use crate::storage::{File, Folder};

use super::label::{LABEL, Label};
use super::{OpenError, names};

const KIND: [u8; 8] = *b"PASSMETA";

/// Two slots, written in turn, a block apart: a torn write leaves the other one, and no room on the disk is needed.
const SLOTS: [u64; 2] = [0, 4096];

/// What is random about a journal: its checksums and hashes are not those of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity(pub(super) [u8; 16]);

impl Identity {
    fn random() -> Self {
        let mut bytes = [0; 16];
        for half in bytes.chunks_exact_mut(8) {
            // The operating system seeds `RandomState`, once for each thread; each new one differs.
            half.copy_from_slice(&RandomState::new().build_hasher().finish().to_le_bytes());
        }
        Self(bytes)
    }

    /// What every record's checksum begins with.
    pub(super) fn seed(self) -> u32 {
        crc32c::crc32c(&self.0)
    }

    /// Hash of a key, in the sidecars.
    pub(super) fn hash(self, key: &str) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        hasher.write(key.as_bytes());
        hasher.finish()
    }
}

/// The file, and what its newest slot says.
pub(super) struct Meta {
    file: Arc<dyn File>,
    generation: u64,
    pub(super) identity: Identity,
    /// Grows at each open. 0: the journal was never open yet, so it may have no segment.
    pub(super) epoch: u32,
    /// The oldest record kept.
    pub(super) first: u64,
}

impl Meta {
    /// Reads it. `None` when there is none, or none that is whole.
    pub(super) fn read(folder: &dyn Folder) -> Result<Option<Self>, OpenError> {
        let file = match folder.open(names::META) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut newest = None;
        for slot in SLOTS {
            let mut bytes = [0; LABEL];
            file.read_at(slot, &mut bytes)?;
            let Some(label) = Label::decode(KIND, &bytes)? else { continue };
            let [generation, first] = label.numbers;
            if newest.as_ref().is_none_or(|meta: &Self| meta.generation < generation) {
                let identity = Identity(label.journal);
                newest = Some(Self { file: file.clone(), generation, identity, epoch: label.epoch, first });
            }
        }
        Ok(newest)
    }

    /// Begins a journal with an identity of its own, or with the one that is known from its segments.
    pub(super) fn create(folder: &dyn Folder, known: Option<Identity>, first: u64) -> io::Result<Self> {
        let file = match folder.create(names::META) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => folder.open(names::META)?,
            created => created?,
        };
        let identity = known.unwrap_or_else(Identity::random);
        let mut meta = Self { file, generation: 0, identity, epoch: 0, first };
        // Both slots, so that the file has its full length from now on.
        meta.write()?;
        meta.write()?;
        folder.sync_names()?;
        Ok(meta)
    }

    /// Makes what it says now durable.
    pub(super) fn write(&mut self) -> io::Result<()> {
        self.generation += 1;
        let label = Label { kind: KIND, epoch: self.epoch, journal: self.identity.0, numbers: [self.generation, self.first] };
        let slot = SLOTS[usize::from(self.generation % 2 == 1)];
        self.file.write_at(slot, &label.encode())?;
        self.file.sync()
    }
}
