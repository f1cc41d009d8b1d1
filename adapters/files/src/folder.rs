//! The folder on disk: what lies there, what names it for ever, and where it goes. Blocks.

use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Bytes of a file at most; what is larger is set aside. A little less than what the journal takes as one message.
pub(crate) const LARGEST: u64 = (1 << 20) - (4 << 10);

/// A drop folder.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) endpoint: String,
    pub(crate) incoming: PathBuf,
    /// `None`: what was taken is removed.
    pub(crate) taken: Option<PathBuf>,
    pub(crate) aside: PathBuf,
    pub(crate) look_every: Duration,
}

/// A file that waits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Waiting {
    /// When it was written; the oldest goes first.
    pub(crate) time: SystemTime,
    pub(crate) path: PathBuf,
    pub(crate) id: String,
}

impl Folder {
    /// Files that wait, the oldest first.
    pub(crate) fn look(&self) -> io::Result<Vec<Waiting>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.incoming)? {
            let entry = entry?;
            if is_being_written(&entry.path()) {
                continue;
            }
            // Gone meanwhile, which is no failure of the folder.
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_file() {
                found.push(Waiting { time: metadata.modified()?, path: entry.path(), id: id(&metadata) });
            }
        }
        found.sort();
        Ok(found)
    }

    /// All of a file; `None`: it is too large.
    pub(crate) fn read(&self, waiting: &Waiting) -> io::Result<Option<Vec<u8>>> {
        let mut content = Vec::new();
        fs::File::open(&waiting.path)?.take(LARGEST + 1).read_to_end(&mut content)?;
        Ok((content.len() as u64 <= LARGEST).then_some(content))
    }

    /// It is on the bus's disk. One that was written to meanwhile is another one, and stays.
    pub(crate) fn take(&self, waiting: &Waiting) -> io::Result<()> {
        match fs::symlink_metadata(&waiting.path) {
            Ok(metadata) if id(&metadata) == waiting.id => {}
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        }
        match &self.taken {
            None => fs::remove_file(&waiting.path),
            Some(taken) => move_into(taken, waiting),
        }
    }

    /// It will never be taken.
    pub(crate) fn set_aside(&self, waiting: &Waiting) -> io::Result<()> {
        move_into(&self.aside, waiting)
    }
}

/// Under a name that nothing has: files of one name come again.
fn move_into(folder: &Path, waiting: &Waiting) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let name = waiting.path.file_name().unwrap_or_default();
    let mut to = folder.join(name);
    if to.exists() {
        let mut unlike = name.to_owned();
        unlike.push(format!(".{}", waiting.id));
        to = folder.join(unlike);
    }
    fs::rename(&waiting.path, to)
}

fn is_being_written(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') || name.ends_with(".part") || name.ends_with(".tmp")
}

/// No two files have ever the same: an inode is given again only later.
fn id(metadata: &Metadata) -> String {
    format!("{:x}-{:x}.{:x}-{:x}", metadata.ino(), metadata.mtime(), metadata.mtime_nsec(), metadata.size())
}
