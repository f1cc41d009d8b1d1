//! adapter-files: a drop folder. Files that others put there come in, as the messages of `passerelle.backoffice.files.v1`.
//!
//! A file stays where it is until it is on the bus's disk, so what a crash interrupts is handed over again. Nothing is remembered beside
//! the folder: what names a file for ever is its inode, its time and its length.

mod adapter;
mod file;
mod folder;
mod kind;
mod receiving;
#[cfg(test)]
mod tests;

pub use kind::Files;
