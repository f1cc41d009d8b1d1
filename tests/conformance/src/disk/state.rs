//! The disk itself: files, names, and the names that are not durable yet.

use std::collections::BTreeMap;
use std::io;

use fastrand::Rng;

use super::cut;
use super::fault::{Fault, Faults, Operation, Verdict, power};
use super::inode::Inode;

/// Number of a file, whatever its name.
pub(super) type Number = u64;

pub(super) struct State {
    pub(super) rng: Rng,
    pub(super) faults: Faults,
    pub(super) capacity: Option<u64>,
    pub(super) locked: bool,
    pub(super) names: BTreeMap<String, Number>,
    durable_names: BTreeMap<String, Number>,
    pending_names: Vec<Change>,
    inodes: BTreeMap<Number, Inode>,
    next: Number,
}

/// A change of names that is not durable yet.
#[derive(Debug, Clone)]
enum Change {
    Create(String, Number),
    Rename(String, String),
    Remove(String),
}

impl Change {
    fn apply(&self, names: &mut BTreeMap<String, Number>) {
        match self {
            Self::Create(name, number) => {
                names.insert(name.clone(), *number);
            }
            Self::Rename(from, to) => {
                if let Some(number) = names.remove(from) {
                    names.insert(to.clone(), number);
                }
            }
            Self::Remove(name) => {
                names.remove(name);
            }
        }
    }
}

impl State {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            rng: Rng::with_seed(seed),
            faults: Faults::default(),
            capacity: None,
            locked: false,
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            pending_names: Vec::new(),
            inodes: BTreeMap::new(),
            next: 0,
        }
    }

    pub(super) fn alive(&self) -> io::Result<()> {
        if self.faults.dead { Err(power()) } else { Ok(()) }
    }

    fn inode(&mut self, number: Number) -> io::Result<&mut Inode> {
        self.inodes.get_mut(&number).ok_or_else(|| io::Error::other("a file that never was"))
    }

    pub(super) fn used(&self) -> u64 {
        self.names.values().filter_map(|number| self.inodes.get(number)).map(|inode| inode.cache.len() as u64).sum()
    }

    pub(super) fn length(&mut self, number: Number) -> io::Result<u64> {
        self.alive()?;
        Ok(self.inode(number)?.cache.len() as u64)
    }

    pub(super) fn read(&mut self, number: Number, offset: usize, into: &mut [u8]) -> io::Result<usize> {
        if let Verdict::Fail(fault) = self.faults.begin(Operation::Read)? {
            return Err(fault.error());
        }
        let content = self.inode(number)?.cache.get(offset..).unwrap_or_default();
        let length = content.len().min(into.len());
        into[..length].copy_from_slice(&content[..length]);
        Ok(length)
    }

    pub(super) fn write(&mut self, number: Number, offset: usize, bytes: &[u8]) -> io::Result<()> {
        let verdict = self.faults.begin(Operation::Write)?;
        let length = self.inode(number)?.cache.len();
        let grows = (offset + bytes.len()).saturating_sub(length) as u64;
        let room = self.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(self.used()));
        let (reached, told) = match verdict {
            Verdict::Fail(fault) => (self.rng.usize(..=bytes.len()), Err(fault.error())),
            _ if grows > room => (bytes.len().saturating_sub((grows - room) as usize), Err(Fault::NoRoom.error())),
            Verdict::Cut => (bytes.len(), Err(power())),
            Verdict::Proceed => (bytes.len(), Ok(())),
        };
        self.inode(number)?.write(offset, &bytes[..reached]);
        told
    }

    pub(super) fn sync(&mut self, number: Number) -> io::Result<()> {
        let verdict = self.faults.begin(Operation::Sync)?;
        let mut chance = self.rng.fork();
        let inode = self.inode(number)?;
        match verdict {
            // What becomes of it is the cut's affair.
            Verdict::Cut => return Err(power()),
            Verdict::Fail(fault) => {
                inode.durable = cut::remains(inode, &mut chance);
                // The length is metadata: it comes to the disk with the next commit, data or not.
                inode.durable.resize(inode.cache.len(), 0);
                inode.pending.clear();
                return Err(fault.error());
            }
            Verdict::Proceed => inode.sync(),
        }
        Ok(())
    }

    pub(super) fn create(&mut self, name: &str) -> io::Result<Number> {
        if self.names.contains_key(name) {
            self.alive()?;
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let number = self.next;
        self.next += 1;
        self.change(Operation::Create, Change::Create(name.to_owned(), number))?;
        Ok(number)
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.open(from)?;
        self.change(Operation::Rename, Change::Rename(from.to_owned(), to.to_owned()))
    }

    pub(super) fn remove(&mut self, name: &str) -> io::Result<()> {
        self.open(name)?;
        self.change(Operation::Remove, Change::Remove(name.to_owned()))
    }

    pub(super) fn open(&self, name: &str) -> io::Result<Number> {
        self.alive()?;
        self.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn change(&mut self, operation: Operation, change: Change) -> io::Result<()> {
        let verdict = self.faults.begin(operation)?;
        if let Verdict::Fail(fault) = verdict {
            return Err(fault.error());
        }
        if let Change::Create(_, number) = change {
            self.inodes.insert(number, Inode::default());
        }
        change.apply(&mut self.names);
        self.pending_names.push(change);
        self.alive()
    }

    pub(super) fn sync_names(&mut self) -> io::Result<()> {
        match self.faults.begin(Operation::SyncNames)? {
            Verdict::Cut => Err(power()),
            Verdict::Fail(fault) => Err(fault.error()),
            Verdict::Proceed => {
                self.pending_names.drain(..).for_each(|change| change.apply(&mut self.durable_names));
                Ok(())
            }
        }
    }

    pub(super) fn flip(&mut self, name: &str, offset: u64, mask: u8) -> bool {
        let Some(inode) = self.names.get(name).and_then(|number| self.inodes.get_mut(number)) else { return false };
        inode.flip(offset as usize, mask)
    }

    pub(super) fn content(&self, name: &str) -> Option<Vec<u8>> {
        Some(self.inodes.get(self.names.get(name)?)?.cache.clone())
    }

    pub(super) fn place(&mut self, name: &str, content: Vec<u8>) {
        self.inodes.insert(self.next, Inode::at_rest(content));
        self.names.insert(name.to_owned(), self.next);
        self.durable_names.insert(name.to_owned(), self.next);
        self.next += 1;
    }

    /// The machine goes down and comes up again.
    pub(super) fn cut(&mut self, rng: &mut Rng) -> Self {
        self.faults.dead = true;
        let mut names = self.durable_names.clone();
        let changes = self.pending_names.len();
        let reached = match rng.u8(..4) {
            0 => 0,
            1 => changes,
            _ => rng.usize(..=changes),
        };
        self.pending_names.iter().take(reached).for_each(|change| change.apply(&mut names));
        let found = |number: &Number| self.inodes.get(number).map(|inode| cut::remains(inode, rng)).unwrap_or_default();
        let contents: Vec<Vec<u8>> = names.values().map(found).collect();
        self.successor(names.into_keys().zip(contents))
    }

    /// The process goes down and comes up again.
    pub(super) fn restart(&mut self, rng: &mut Rng) -> Self {
        self.faults.dead = true;
        let mut next = self.successor(std::iter::empty());
        next.names = self.names.clone();
        next.durable_names = self.durable_names.clone();
        next.pending_names = self.pending_names.clone();
        next.inodes = self.inodes.clone();
        next.next = self.next;
        if rng.bool() {
            next.inodes.values_mut().for_each(Inode::evict);
        }
        next
    }

    /// The same content, at rest.
    pub(super) fn copy(&self) -> Self {
        self.successor(self.names.keys().filter_map(|name| Some((name.clone(), self.content(name)?))))
    }

    fn successor(&self, files: impl Iterator<Item = (String, Vec<u8>)>) -> Self {
        let mut next = Self::new(self.rng.clone().u64(..));
        next.capacity = self.capacity;
        files.for_each(|(name, content)| next.place(&name, content));
        next
    }
}
