//! The disk as the journal sees it.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use passerelle_journal::storage::{File, Folder};

use super::SimulatedDisk;
use super::state::{Number, State};

/// A file that is open. It keeps its content when the name goes.
struct Handle {
    disk: SimulatedDisk,
    number: Number,
}

/// The claim on the folder.
struct Claim(Arc<Mutex<State>>);

impl Drop for Claim {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).locked = false;
    }
}

impl SimulatedDisk {
    fn handle(&self, number: Number) -> Arc<dyn File> {
        Arc::new(Handle { disk: self.clone(), number })
    }
}

impl Folder for SimulatedDisk {
    fn names(&self) -> io::Result<Vec<String>> {
        let state = self.state();
        state.alive()?;
        Ok(state.names.keys().cloned().collect())
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let number = self.state().open(name)?;
        Ok(self.handle(number))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let number = self.state().create(name)?;
        Ok(self.handle(number))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.state().rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.state().remove(name)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.state().sync_names()
    }

    fn lock(&self) -> io::Result<Box<dyn Send + Sync>> {
        let mut state = self.state();
        state.alive()?;
        if std::mem::replace(&mut state.locked, true) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(Claim(self.0.clone())))
    }
}

impl File for Handle {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.disk.state().read(self.number, offset as usize, into)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.disk.state().write(self.number, offset as usize, bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.state().sync(self.number)
    }

    fn length(&self) -> io::Result<u64> {
        self.disk.state().length(self.number)
    }
}
