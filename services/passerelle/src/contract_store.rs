//! Contracts on disk: one file each, written whole or not at all, checked when read.
//!
//! A file is a line that says what it is, the SHA-256 of what follows, and a `passerelle.bus.v1.StoredContract`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use passerelle_bus::contract::{Binding, Digest, Override, Record, Source, Store, StoreError};
use passerelle_proto::bus::v1;
use passerelle_proto::bus::v1::contract_binding::To;
use passerelle_proto::bus::v1::contract_source::From as Origin;
use prost::Message;

/// First bytes of every file; the number is the format's.
const HEADING: &[u8] = b"passerelle contract 1\n";
/// End of a contract file's name.
const SUFFIX: &str = ".contract";
/// End of the name of a file that is being written. One that is left was never acknowledged.
const UNFINISHED: &str = ".unfinished";

/// Keeps contracts in a folder. One process at a time.
#[derive(Debug)]
pub(crate) struct FolderStore {
    folder: PathBuf,
}

impl FolderStore {
    /// Uses `folder`, made if it is not there.
    pub(crate) fn open(folder: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let folder = folder.into();
        fs::create_dir_all(&folder).map_err(|error| failed("make", &folder, &error))?;
        Ok(Self { folder })
    }

    fn path(&self, name: &str, version: u32) -> PathBuf {
        self.folder.join(format!("{name}@{version}{SUFFIX}"))
    }

    /// Makes what was renamed or removed last through a power cut.
    fn sync_folder(&self) -> Result<(), StoreError> {
        let synced = File::open(&self.folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| failed("sync", &self.folder, &error))
    }
}

impl Store for FolderStore {
    fn load(&self) -> Result<Vec<Record>, StoreError> {
        let mut records = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(|error| failed("list", &self.folder, &error))? {
            let path = entry.map_err(|error| failed("list", &self.folder, &error))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.ends_with(UNFINISHED) {
                fs::remove_file(&path).map_err(|error| failed("remove", &path, &error))?;
            } else if name.ends_with(SUFFIX) {
                let record = read(&path)?;
                if path != self.path(&record.name, record.version) {
                    let reason = format!("it holds {}@{}", record.name, record.version);
                    return Err(damaged(&path, &reason));
                }
                records.push(record);
            } else {
                tracing::warn!(path = %path.display(), "a file that is no contract lies among the contracts");
            }
        }
        Ok(records)
    }

    fn save(&self, record: &Record) -> Result<(), StoreError> {
        let path = self.path(&record.name, record.version);
        let unfinished = self.folder.join(format!("{}@{}{UNFINISHED}", record.name, record.version));
        let written = write(&unfinished, record).and_then(|()| fs::rename(&unfinished, &path));
        if let Err(error) = written {
            let _ = fs::remove_file(&unfinished);
            return Err(failed("write", &path, &error));
        }
        self.sync_folder()
    }

    fn remove(&self, name: &str, version: u32) -> Result<(), StoreError> {
        let path = self.path(name, version);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", &path, &error)),
            _ => self.sync_folder(),
        }
    }
}

fn write(path: &Path, record: &Record) -> io::Result<()> {
    let content = stored(record).encode_to_vec();
    let mut file = File::create(path)?;
    file.write_all(HEADING)?;
    file.write_all(Digest::of([&content]).as_bytes())?;
    file.write_all(&content)?;
    file.sync_all()
}

fn read(path: &Path) -> Result<Record, StoreError> {
    let bytes = fs::read(path).map_err(|error| failed("read", path, &error))?;
    let rest = bytes.strip_prefix(HEADING).ok_or_else(|| damaged(path, "it does not begin as a contract does"))?;
    let (sum, content) = rest.split_at_checked(Digest::LENGTH).ok_or_else(|| damaged(path, "it ends too early"))?;
    if Digest::of([content]).as_bytes() != sum {
        return Err(damaged(path, "its checksum does not match its content"));
    }
    let stored = v1::StoredContract::decode(content).map_err(|error| damaged(path, &error.to_string()))?;
    record(stored).ok_or_else(|| damaged(path, "it lacks a field"))
}

fn stored(record: &Record) -> v1::StoredContract {
    let from = match record.source.clone() {
        Source::Upload(what) => Origin::Upload(what),
        Source::Reflection(address) => Origin::Reflection(address),
        Source::Settings(place) => Origin::Settings(place),
        Source::Adapter(endpoint) => Origin::Adapter(endpoint),
    };
    let to = record.binding.clone().map(|binding| match binding {
        Binding::Endpoint(name) => To::Endpoint(name),
        Binding::Addresses(address) => To::Addresses(v1::Addresses { address }),
    });
    v1::StoredContract {
        name: record.name.clone(),
        version: record.version,
        registered_at: Some(record.registered_at.into()),
        source: Some(v1::ContractSource { from: Some(from) }),
        binding: to.map(|to| v1::ContractBinding { to: Some(to) }),
        image: record.image.to_vec(),
        overridden: record.overridden.clone().map(|Override { reason, broken }| v1::ContractOverride { reason, broken }),
    }
}

fn record(stored: v1::StoredContract) -> Option<Record> {
    let source = match stored.source?.from? {
        Origin::Upload(what) => Source::Upload(what),
        Origin::Reflection(address) => Source::Reflection(address),
        Origin::Settings(place) => Source::Settings(place),
        Origin::Adapter(endpoint) => Source::Adapter(endpoint),
    };
    let binding = match stored.binding {
        None => None,
        Some(binding) => Some(match binding.to? {
            To::Endpoint(name) => Binding::Endpoint(name),
            To::Addresses(addresses) => Binding::Addresses(addresses.address),
        }),
    };
    Some(Record {
        name: stored.name,
        version: stored.version,
        source,
        registered_at: SystemTime::try_from(stored.registered_at?).ok()?,
        binding,
        overridden: stored.overridden.map(|v1::ContractOverride { reason, broken }| Override { reason, broken }),
        image: stored.image.into(),
    })
}

fn failed(what: &str, path: &Path, error: &io::Error) -> StoreError {
    StoreError(format!("cannot {what} {}: {error}", path.display()))
}

fn damaged(path: &Path, reason: &str) -> StoreError {
    let path = path.display();
    StoreError(format!(
        "{path} is damaged: {reason}; move it away and register that contract again, or bring it back from a copy"
    ))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn kept(name: &str, version: u32) -> Record {
        Record {
            name: name.to_owned(),
            version,
            source: Source::Reflection("http://127.0.0.1:1".to_owned()),
            registered_at: SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_789),
            binding: Some(Binding::Addresses(vec!["http://127.0.0.1:1".to_owned(), "https://b:2".to_owned()])),
            overridden: Some(Override { reason: "agreed".to_owned(), broken: vec!["FIELD_SAME_NAME: …".to_owned()] }),
            image: b"image".as_slice().into(),
        }
    }

    fn folder() -> (tempfile::TempDir, FolderStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = FolderStore::open(folder.path().join("contracts")).unwrap();
        (folder, store)
    }

    fn loaded(store: &FolderStore) -> Vec<Record> {
        let mut records = store.load().unwrap();
        records.sort_by_key(|record| (record.name.clone(), record.version));
        records
    }

    #[test]
    fn what_is_saved_is_loaded_and_what_is_removed_is_gone() {
        let (_folder, store) = folder();
        let upload = Record { source: Source::Upload("a.proto".to_owned()), binding: None, ..kept("a.v1", 2) };
        let endpoint = Record { binding: Some(Binding::Endpoint("bank".to_owned())), ..kept("b", 1) };
        for record in [&kept("a.v1", 1), &upload, &endpoint] {
            store.save(record).unwrap();
        }
        assert_eq!(loaded(&store), [kept("a.v1", 1), upload.clone(), endpoint.clone()]);
        let moved = Record { binding: None, ..kept("a.v1", 1) };
        store.save(&moved).unwrap();
        store.remove("b", 1).unwrap();
        store.remove("b", 1).unwrap();
        assert_eq!(loaded(&store), [moved, upload]);
    }

    #[test]
    fn a_file_that_was_never_finished_is_swept_away() {
        let (_folder, store) = folder();
        let left = store.folder.join("a@1.unfinished");
        fs::write(&left, b"half").unwrap();
        assert!(loaded(&store).is_empty());
        assert!(!left.exists());
    }

    #[test]
    fn every_damaged_byte_is_found_and_the_file_named() {
        let (_folder, store) = folder();
        store.save(&kept("a", 1)).unwrap();
        let path = store.path("a", 1);
        let good = fs::read(&path).unwrap();
        for place in 0..good.len() {
            let mut bad = good.clone();
            bad[place] ^= 0x20;
            fs::write(&path, bad).unwrap();
            let error = store.load().unwrap_err().to_string();
            assert!(error.contains("a@1.contract is damaged: ") && error.contains("move it away"), "{error}");
        }
        for length in 0..good.len() {
            fs::write(&path, &good[..length]).unwrap();
            assert!(store.load().is_err(), "{length} bytes of {}", good.len());
        }
    }

    #[test]
    fn a_file_under_another_name_is_refused() {
        let (_folder, store) = folder();
        store.save(&kept("a", 1)).unwrap();
        fs::rename(store.path("a", 1), store.path("a", 2)).unwrap();
        let error = store.load().unwrap_err().to_string();
        assert!(error.contains("a@2.contract is damaged: it holds a@1"), "{error}");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error() {
        let (folder, store) = folder();
        fs::remove_dir(&store.folder).unwrap();
        assert!(store.save(&kept("a", 1)).unwrap_err().to_string().starts_with("cannot write "));
        fs::write(folder.path().join("file"), b"").unwrap();
        assert!(FolderStore::open(folder.path().join("file")).is_err());
    }
}
