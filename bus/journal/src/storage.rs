//! What an engine needs of a file system: a folder of flat files. The real one, and in tests a simulated one that fails.

mod directory;

use std::io;
use std::num::NonZeroU64;
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
    /// Makes a file of zeros that is not there yet; all of it is on disk, though its name may not be. `go_on` is asked now and then:
    /// `Interrupted` when it says no.
    fn create_zeroed(&self, name: &str, length: u64, go_on: &dyn Fn() -> bool) -> io::Result<Arc<dyn File>> {
        zeroed(self.create(name)?, length, go_on)
    }
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
    /// This part of its content will hardly be read again soon: it need not stay in memory.
    fn forget(&self, offset: u64, length: NonZeroU64) {
        let _ = (offset, length);
    }
    /// Length in bytes.
    fn length(&self) -> io::Result<u64>;
}

/// How much is zeroed between two syncs. Each costs a commit of the file system's own journal, and without any the disk would be
/// busy for long when somebody else wants it.
const BETWEEN_SYNCS: u64 = 8 << 20;
const STRIDE: usize = 256 << 10;

/// Fills a new file with zeros, by the means that every file has.
fn zeroed(file: Arc<dyn File>, length: u64, go_on: &dyn Fn() -> bool) -> io::Result<Arc<dyn File>> {
    let zeros = vec![0; STRIDE];
    let mut offset = 0;
    while offset < length {
        if !go_on() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let stride = zeros.len().min((length - offset) as usize);
        file.write_at(offset, &zeros[..stride])?;
        offset += stride as u64;
        if offset.is_multiple_of(BETWEEN_SYNCS) || offset == length {
            file.sync()?;
        }
    }
    Ok(file)
}
