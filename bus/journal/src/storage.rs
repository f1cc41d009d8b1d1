//! What an engine needs of a file system: a folder of flat files. The real one, and in tests a simulated one that fails.

mod directory;

use std::io;
use std::sync::Arc;

pub use directory::Directory;

/// One folder. Names are plain file names. Shared by the threads of one engine.
///
/// What is written is on disk only after [`File::sync`]; names made, changed or removed only after [`sync_names`](Self::sync_names).
pub trait Folder: Send + Sync + 'static {
    /// The names of all files.
    fn names(&self) -> io::Result<Vec<String>>;
    /// Opens a file that is there, for reading and writing.
    fn open(&self, name: &str) -> io::Result<Arc<dyn File>>;
    /// Makes a file that is not there yet (`AlreadyExists` otherwise), empty.
    fn create(&self, name: &str) -> io::Result<Arc<dyn File>>;
    /// Gives a file another name, at once or not at all; a file of that name is replaced.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a name. The content stays for those who have it open.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes names durable.
    fn sync_names(&self) -> io::Result<()>;
    /// Claims the folder for this process; `WouldBlock` when another has it. Held as long as the value lives.
    fn lock(&self) -> io::Result<Box<dyn Send + Sync>>;
}

/// One file.
pub trait File: Send + Sync + 'static {
    /// Fills `into` from `offset` on; how many bytes there were (fewer only at the end of the file).
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize>;
    /// Writes all of `bytes` at `offset`; the file grows where it must.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Makes what was written durable (`fdatasync`, with the length).
    fn sync(&self) -> io::Result<()>;
    /// Length in bytes.
    fn length(&self) -> io::Result<u64>;
}
