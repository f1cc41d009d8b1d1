//! The gRPC contract of an integrator's file, and the lock that keeps its field numbers.

use std::path::{Path, PathBuf};

use passerelle_adapter::beside;
use passerelle_copybook::{Contract, ContractBuilder, Item, Layout, Lock};

use crate::copybooks::{self, Copybooks};
use crate::file::{File, FileError, read_yaml};

/// What `passerelle copybook proto FILE` writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// Path to import the contract by: `bank/accounts/v1/account_inquiry.proto`.
    pub proto_path: String,
    /// Text of the `.proto`.
    pub proto_text: String,
    /// Where the lock file belongs.
    pub lock_path: PathBuf,
    /// Text of the lock file: it gives new fields their numbers, and keeps all earlier ones.
    pub lock_text: String,
}

/// Makes the contract of an integrator's file, taking up its lock file if there is one. Writes nothing.
///
/// # Errors
/// A file, copybook or lock that cannot be read, with its place.
pub fn generate(path: &Path) -> Result<Generated, FileError> {
    let text = read_text(path)?;
    let file = File::parse(path, &text)?;
    let copybooks = Copybooks::read(path, &file)?;
    let lock_path = beside(path, &file.contract.lock);
    let lock = if lock_path.exists() { read_lock(&lock_path)? } else { Lock::default() };
    let contract = build(path, &file, &copybooks, lock)?;
    Ok(Generated {
        proto_path: contract.proto_path.clone(),
        proto_text: contract.proto_text.clone(),
        lock_path,
        lock_text: contract.lock.to_yaml(),
    })
}

/// The contract as the lock file has it.
///
/// # Errors
/// No lock file, or one that does not know every field: then the command to run.
pub(crate) fn locked(path: &Path, file: &File, copybooks: &Copybooks) -> Result<Contract, FileError> {
    let lock_path = beside(path, &file.contract.lock);
    let command = format!("run `passerelle copybook proto {}` and keep the lock file with the sources", path.display());
    if !lock_path.exists() {
        return Err(FileError::whole(path, format!("the lock file {} is missing: {command}", lock_path.display())));
    }
    let lock = read_lock(&lock_path)?;
    let contract = build(path, file, copybooks, lock.clone())?;
    if contract.lock != lock {
        let message = format!("the lock file {} does not fit the copybooks and rules any more: {command}", lock_path.display());
        return Err(FileError::whole(path, message));
    }
    Ok(contract)
}

/// The layouts of all records in an integrator's file (`.yaml`, `.yml`) or in a copybook, as text for people.
///
/// # Errors
/// A file or copybook that cannot be read, a record that cannot be laid out.
pub fn layout(path: &Path) -> Result<String, FileError> {
    let is_yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    if !is_yaml {
        let copybook = copybooks::read(path)?;
        return copybook.records().iter().map(|record| layout_of(path, record)).collect();
    }
    let file = File::parse(path, &read_text(path)?)?;
    let copybooks = Copybooks::read(path, &file)?;
    let mut text = String::new();
    let mut seen: Vec<&Item> = Vec::new();
    for operation in file.operations.values() {
        for rules in [&operation.value.request, &operation.value.response] {
            let record = copybooks.record(rules).map_err(|error| FileError::at(path, operation.referenced, error.to_string()))?;
            if !seen.iter().any(|other| std::ptr::eq(*other, record)) {
                seen.push(record);
                text.push_str(&layout_of(path, record)?);
            }
        }
    }
    Ok(text)
}

fn layout_of(path: &Path, record: &Item) -> Result<String, FileError> {
    Layout::of(record).map(|layout| format!("{layout}\n")).map_err(|error| FileError::whole(path, error.to_string()))
}

pub(crate) fn build(path: &Path, file: &File, copybooks: &Copybooks, lock: Lock) -> Result<Contract, FileError> {
    let mut builder = ContractBuilder::new(&file.contract.package, &file.contract.service, lock);
    for (name, operation) in &file.operations {
        let (request, response) = copybooks
            .messages(name, &operation.value)
            .map_err(|error| FileError::at(path, operation.referenced, format!("operation {name}: {error}")))?;
        builder = builder.operation(name, &request, &response);
    }
    builder.finish().map_err(|error| FileError::whole(path, error.to_string()))
}

pub(crate) fn read_text(path: &Path) -> Result<String, FileError> {
    std::fs::read_to_string(path).map_err(|error| FileError::unreadable(path, &error))
}

fn read_lock(path: &Path) -> Result<Lock, FileError> {
    let text = read_text(path)?;
    Lock::parse(&path.display().to_string(), &text).map_err(|error| match read_yaml::<Option<Lock>>(path, &text) {
        // Says line and column where `Lock` shows a piece of the text.
        Err(placed) => placed,
        Ok(_) => error.into(),
    })
}
