//! The secret of hand-offs, in a file of its own: journal and views, which are copied and backed up, must not hold it.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use passerelle_services::customer::handoff::Secret;

use crate::explain::Code;
use crate::failure::Failure;

/// Its name in the data folder.
const NAME: &str = "handoff.key";
const BYTES: usize = 32;

/// The secret kept in that folder; made at the first start. Blocks on the disk.
pub(super) fn open(data_dir: &Path) -> Result<Secret, Failure> {
    let path = data_dir.join(NAME);
    let unusable = |why: String| Failure::new(Code::DATA_DIR_UNUSABLE, format!("{}: {why}", path.display()));
    match read(&path) {
        Ok(bytes) => <&[u8; BYTES]>::try_from(&*bytes).map(Secret::new).map_err(|_| {
            unusable(format!(
                "not the secret of hand-offs, which has {BYTES} bytes; put it back from a backup, or remove the file: the codes \
                 given out are void then, and new ones can be asked for"
            ))
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => make(data_dir).map_err(|error| unusable(error.to_string())),
        Err(error) => Err(unusable(error.to_string())),
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One more byte tells that it is too long.
    File::open(path)?.take(BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whole or not at all, and on disk before the first code is given out.
fn make(data_dir: &Path) -> io::Result<Secret> {
    let bytes = Secret::chance().ok_or_else(|| io::Error::other("the system has no randomness to give"))?;
    let unfinished = data_dir.join(format!("{NAME}.tmp"));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, data_dir.join(NAME))?;
    File::open(data_dir)?.sync_all()?;
    Ok(Secret::new(&bytes))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_secret_is_made_once_for_nobody_else_to_read() {
        let folder = tempfile::tempdir().unwrap();
        let id = open(folder.path()).unwrap().id("customer", "key");
        assert_eq!(open(folder.path()).unwrap().id("customer", "key"), id);
        let mode = std::fs::metadata(folder.path().join(NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let other = tempfile::tempdir().unwrap();
        assert_ne!(open(other.path()).unwrap().id("customer", "key"), id);
    }

    #[test]
    fn what_is_no_secret_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        for bytes in [0, 31, 33] {
            std::fs::write(folder.path().join(NAME), vec![7; bytes]).unwrap();
            let error = open(folder.path()).unwrap_err().text();
            assert!(error.contains("not the secret of hand-offs"), "{error}");
            assert_eq!(std::fs::read(folder.path().join(NAME)).unwrap().len(), bytes);
        }
    }
}
