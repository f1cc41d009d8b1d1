//! The disk under all of them: that it is one, how long it takes to sync, and that nobody's leftovers are written in another's time.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use passerelle_peers::process::folder;

/// The file system that folders are made on; memory is refused, for it syncs in no time.
pub(crate) fn file_system() -> Result<String, String> {
    let folder = folder();
    let output = Command::new("stat").args(["-f", "-c", "%T"]).arg(folder.path()).output().map_err(|error| error.to_string())?;
    let name = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if ["tmpfs", "ramfs"].contains(&name.as_str()) {
        return Err(format!("temporary folders are on {name}: set TMPDIR to a folder on a disk"));
    }
    Ok(name)
}

/// Writes out what is left in memory, so that the next target does not pay for it.
pub(crate) fn settle() {
    let _ = Command::new("sync").status();
}

/// A file whose blocks are there already, as a database's journal has them.
pub(crate) struct Probe {
    file: File,
    _folder: tempfile::TempDir,
}

const BLOCK: usize = 4096;
const BLOCKS: u64 = 256;

impl Probe {
    pub(crate) fn new() -> Result<Self, String> {
        let folder = folder();
        let file = Self::zeroed(&folder.path().join("probe")).map_err(|error| format!("the probe's file: {error}"))?;
        Ok(Self { file, _folder: folder })
    }

    fn zeroed(path: &Path) -> std::io::Result<File> {
        let file = File::create_new(path)?;
        for block in 0..BLOCKS {
            file.write_all_at(&[0; BLOCK], block * BLOCK as u64)?;
        }
        file.sync_all()?;
        Ok(file)
    }

    /// Microseconds of overwriting 4 KiB and fdatasync, one after the other for a tenth of a second.
    pub(crate) fn times(&self) -> Result<Vec<u32>, String> {
        let until = Instant::now() + Duration::from_millis(100);
        let mut times = Vec::new();
        for block in (0..BLOCKS).cycle() {
            let start = Instant::now();
            if start >= until {
                break;
            }
            let written = self.file.write_all_at(&[1; BLOCK], block * BLOCK as u64).and_then(|()| self.file.sync_data());
            written.map_err(|error| format!("the probe's file: {error}"))?;
            times.push(u32::try_from(start.elapsed().as_micros()).unwrap_or(u32::MAX));
        }
        Ok(times)
    }
}
