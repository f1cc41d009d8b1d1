//! A folder in memory that fails when told, and counts what is read.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::log::names;
use crate::storage::{File, Folder};

/// Everything written is there at once; what a power cut leaves is made by [`Ram::spoil`].
#[derive(Default)]
pub(super) struct Ram {
    files: Mutex<BTreeMap<String, Arc<RamFile>>>,
    pub(super) control: Arc<Control>,
}

#[derive(Default)]
pub(super) struct Control {
    /// What the next writes and syncs give instead of being done.
    pub(super) failing_writes: Mutex<Vec<ErrorKind>>,
    pub(super) failing_syncs: Mutex<Vec<ErrorKind>>,
    /// Nothing can grow.
    pub(super) full: AtomicBool,
    pub(super) bytes_read: AtomicU64,
    /// How many segments were made, and not only used again.
    pub(super) segments_made: AtomicU64,
    /// Syncs wait as long as somebody holds it.
    pub(super) gate: Mutex<()>,
    locked: AtomicBool,
}

struct RamFile {
    bytes: Mutex<Vec<u8>>,
    control: Arc<Control>,
}

impl Ram {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    pub(super) fn all_names(&self) -> Vec<String> {
        self.files.lock().unwrap().keys().cloned().collect()
    }

    pub(super) fn bytes(&self, name: &str) -> Vec<u8> {
        self.files.lock().unwrap()[name].bytes.lock().unwrap().clone()
    }

    pub(super) fn spoil(&self, name: &str, spoil: impl FnOnce(&mut Vec<u8>)) {
        spoil(&mut self.files.lock().unwrap()[name].bytes.lock().unwrap());
    }

    /// Flips a bit of the record that holds this text, in the file that holds it.
    pub(super) fn flip(&self, text: &str) -> String {
        let name = self.all_names().into_iter().find(|name| name.ends_with(".log") && find(&self.bytes(name), text).is_some());
        let name = name.expect("some file holds it");
        self.spoil(&name, |bytes| {
            let at = find(bytes, text).expect("it is there");
            bytes[at] ^= 1;
        });
        name
    }

    fn find(&self, name: &str) -> io::Result<Arc<RamFile>> {
        self.files.lock().unwrap().get(name).cloned().ok_or_else(|| ErrorKind::NotFound.into())
    }
}

pub(super) fn find(bytes: &[u8], text: &str) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text.as_bytes())
}

impl Folder for Ram {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.all_names())
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn File>> {
        Ok(self.find(name)?)
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let mut files = self.files.lock().unwrap();
        if files.contains_key(name) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        self.control.segments_made.fetch_add(u64::from(name == names::ZEROING), Ordering::SeqCst);
        let file = Arc::new(RamFile { bytes: Mutex::default(), control: self.control.clone() });
        files.insert(name.to_owned(), file.clone());
        Ok(file)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut files = self.files.lock().unwrap();
        let file = files.remove(from).ok_or(ErrorKind::NotFound)?;
        files.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.files.lock().unwrap().remove(name).map(drop).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn sync_names(&self) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self) -> io::Result<Box<dyn Send + Sync>> {
        if self.control.locked.swap(true, Ordering::SeqCst) {
            return Err(ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(Unlock(self.control.clone())))
    }
}

struct Unlock(Arc<Control>);

impl Drop for Unlock {
    fn drop(&mut self) {
        self.0.locked.store(false, Ordering::SeqCst);
    }
}

impl File for RamFile {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let bytes = self.bytes.lock().unwrap();
        let rest = bytes.get(offset as usize..).unwrap_or_default();
        let length = rest.len().min(into.len());
        into[..length].copy_from_slice(&rest[..length]);
        self.control.bytes_read.fetch_add(length as u64, Ordering::SeqCst);
        Ok(length)
    }

    fn write_at(&self, offset: u64, new: &[u8]) -> io::Result<()> {
        let mut bytes = self.bytes.lock().unwrap();
        let end = offset as usize + new.len();
        if end > bytes.len() {
            if self.control.full.load(Ordering::SeqCst) {
                return Err(ErrorKind::StorageFull.into());
            }
            bytes.resize(end, 0);
        }
        // A failed write may have done its work all the same.
        bytes[offset as usize..end].copy_from_slice(new);
        self.control.failing_writes.lock().unwrap().pop().map_or(Ok(()), |kind| Err(kind.into()))
    }

    fn sync(&self) -> io::Result<()> {
        let _open = self.control.gate.lock();
        self.control.failing_syncs.lock().unwrap().pop().map_or(Ok(()), |kind| Err(kind.into()))
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.bytes.lock().unwrap().len() as u64)
    }
}
