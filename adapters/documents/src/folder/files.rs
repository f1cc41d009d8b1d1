//! The files of a folder: uploads that are not whole yet, contents that never change, and the claim on the folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use passerelle_adapter::Fault;

use super::failed;

/// The folder's files.
pub(super) struct Files {
    path: PathBuf,
    /// Held until dropped.
    _claim: File,
}

impl Files {
    /// Makes the folder where it is not there, and claims it.
    pub(super) fn open(path: &Path) -> Result<Self, Fault> {
        let cannot = |what: &str, error: &dyn std::fmt::Display| failed(&format!("folder {}: {what}", path.display()), error);
        for folder in [path.to_owned(), path.join("uploads"), path.join("content")] {
            fs::create_dir_all(&folder).map_err(|error| cannot("it cannot be made", &error))?;
        }
        sync(path)?;
        let claim = File::options().create(true).truncate(false).write(true).open(path.join("lock"));
        let claim = claim.map_err(|error| cannot("it cannot be claimed", &error))?;
        claim.try_lock().map_err(|error| cannot("another running adapter has it", &error))?;
        Ok(Self { path: path.to_owned(), _claim: claim })
    }

    /// Where the index is.
    pub(super) fn index(&self) -> PathBuf {
        self.path.join("index.sqlite")
    }

    /// Where a version's content is. Versions are names that this driver gave: hexadecimal digits.
    pub(super) fn content(&self, version: &str) -> PathBuf {
        self.path.join("content").join(shelf(version)).join(version)
    }

    /// Removes what a crash left: uploads, and contents that the index does not know.
    pub(super) fn sweep(&self, known: impl Fn(&str) -> Result<bool, Fault>) -> Result<(), Fault> {
        let cannot = |error: std::io::Error| failed("the folder cannot be swept", &error);
        for upload in entries(&self.path.join("uploads")).map_err(cannot)? {
            fs::remove_file(upload).map_err(cannot)?;
        }
        for shelf in entries(&self.path.join("content")).map_err(cannot)? {
            for content in entries(&shelf).map_err(cannot)? {
                let version = content.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                if !known(version)? {
                    fs::remove_file(&content).map_err(cannot)?;
                }
            }
        }
        Ok(())
    }

    /// A new file to write to.
    pub(super) fn upload(&self, version: &str) -> Result<(Upload, File), Fault> {
        let path = self.path.join("uploads").join(version);
        let file = File::options().create_new(true).write(true).open(&path);
        let file = file.map_err(|error| failed("an upload cannot be begun", &error))?;
        Ok((Upload { path, content: self.content(version) }, file))
    }

    /// Removes contents that the index has forgotten. What cannot be removed now is at the next start.
    pub(super) fn remove(&self, versions: &[String]) {
        for version in versions {
            if let Err(error) = fs::remove_file(self.content(version)) {
                tracing::warn!(%error, "a content that is not needed any more cannot be removed");
            }
        }
    }
}

/// A file that is not whole yet; removed when dropped.
pub(super) struct Upload {
    path: PathBuf,
    content: PathBuf,
}

impl Upload {
    /// Makes a content of it, which outlives a power cut.
    pub(super) fn keep(self, file: &File) -> Result<(), Fault> {
        let cannot = |error: std::io::Error| failed("an upload cannot be kept", &error);
        file.sync_all().map_err(cannot)?;
        let shelf = self.content.parent().unwrap_or(Path::new(""));
        if !shelf.exists() {
            fs::create_dir_all(shelf).map_err(cannot)?;
            sync(shelf.parent().unwrap_or(Path::new("")))?;
        }
        fs::rename(&self.path, &self.content).map_err(cannot)?;
        sync(shelf)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // Gone already if it has become a content.
        let _ = fs::remove_file(&self.path);
    }
}

/// 256 folders, so that none grows too long.
fn shelf(version: &str) -> &str {
    version.get(..2).unwrap_or("00")
}

fn entries(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

/// Makes the names in a folder durable.
fn sync(folder: &Path) -> Result<(), Fault> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| failed("a folder cannot be synced", &error))
}
