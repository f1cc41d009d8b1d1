//! The files of a folder, by what they are.

use std::io;

use crate::storage::Folder;

use super::OpenError;
use super::meta::Meta;
use super::names::{self, Name};
use super::yard::{Spare, Stock};

/// What the folder holds.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// First positions of the segments, in order.
    pub(super) bases: Vec<u64>,
    /// Numbers of the spare ones.
    pub(super) free: Vec<u64>,
    indexes: Vec<u64>,
    unfinished: Vec<String>,
}

/// Claims the folder.
pub(super) fn lock(folder: &dyn Folder) -> Result<Box<dyn Send + Sync>, OpenError> {
    folder.lock().map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => OpenError::Locked,
        _ => error.into(),
    })
}

impl Listing {
    pub(super) fn read(folder: &dyn Folder) -> io::Result<Self> {
        let mut listing = Self::default();
        for name in folder.names()? {
            match names::parse(&name) {
                Name::Segment(base) => listing.bases.push(base),
                Name::Index(base) => listing.indexes.push(base),
                Name::Free(number) => listing.free.push(number),
                Name::Unfinished => listing.unfinished.push(name),
                Name::Other => {}
            }
        }
        listing.bases.sort_unstable();
        listing.free.sort_unstable();
        Ok(listing)
    }

    /// Segments that were not given up.
    pub(super) fn kept(&self, first: u64) -> Vec<u64> {
        self.bases.iter().copied().filter(|base| *base >= first).collect()
    }

    /// Spare segments that can be used again, with their capacities.
    pub(super) fn spares(&self, folder: &dyn Folder, stock: Stock) -> Vec<Spare> {
        let names = self.free.iter().map(|number| names::free(*number));
        let measured = names.filter_map(|name| Some((folder.open(&name).ok()?.length().ok()?, name)));
        let fitting = measured.filter(|(length, _)| *length == stock.capacity);
        fitting.map(|(length, name)| (name, length)).take(stock.count).collect()
    }

    /// Removes what is of no use: unfinished files, what was trimmed, sidecars without segment, spares that do not fit.
    pub(super) fn clear_away(&self, folder: &dyn Folder, meta: &Meta, spares: &[Spare]) {
        let trimmed = self.bases.iter().filter(|base| **base < meta.first).map(|base| names::segment(*base));
        let orphans = self.indexes.iter().filter(|base| **base < meta.first || self.bases.binary_search(base).is_err());
        let free = self.free.iter().map(|number| names::free(*number));
        let free = free.filter(|name| !spares.iter().any(|(spare, _)| spare == name));
        for name in trimmed.chain(orphans.map(|base| names::index(*base))).chain(free).chain(self.unfinished.iter().cloned()) {
            // It is in nobody's way, and the next start tries again.
            if let Err(error) = folder.remove(&name) {
                tracing::warn!(%error, name, "a file of no use cannot be removed");
            }
        }
    }
}
