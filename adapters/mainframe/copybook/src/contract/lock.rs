//! The lock: which number each field has had, so that no change of a copybook gives it another.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::limits;

/// Field numbers given so far. Text form is YAML, to be kept with the sources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    version: u32,
    /// By message, `InquireResponse`, and for groups the path of the group behind it, `InquireResponse/CA-ACC`.
    #[serde(default)]
    pub(super) messages: BTreeMap<String, Numbers>,
    /// By the item that is an enum, `InquireResponse/CA-ACC.CA-ACC-TYPE`.
    #[serde(default)]
    pub(super) enums: BTreeMap<String, Numbers>,
}

/// Numbers of the fields of a message or of the values of an enum.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Numbers {
    /// By COBOL path, or by condition name.
    #[serde(default)]
    pub(super) fields: BTreeMap<String, Locked>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) reserved: Vec<Reserved>,
}

/// A number in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Locked {
    pub(super) number: u32,
    pub(super) name: String,
    /// What the number stands for on the wire; another type gets another number.
    #[serde(rename = "type", default, skip_serializing_if = "String::is_empty")]
    pub(super) type_name: String,
}

/// A number that was in use and is never given again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reserved {
    pub(super) number: u32,
    pub(super) name: String,
}

/// Why a lock cannot be read or a contract not be numbered by it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LockError(pub(super) String);

const VERSION: u32 = 1;
/// Greatest field number, and the numbers that protobuf keeps for itself (protobuf.dev, "Assigning Field Numbers").
const GREATEST: u32 = (1 << 29) - 1;
const KEPT: std::ops::RangeInclusive<u32> = 19_000..=19_999;
const HEADER: &str = "# Numbers of the contract's fields. Keep this file with the sources and leave the numbers as they are.\n";

impl Default for Lock {
    fn default() -> Self {
        Self { version: VERSION, messages: BTreeMap::new(), enums: BTreeMap::new() }
    }
}

impl Lock {
    /// Reads the YAML text; `path` is only for messages. A text without content is an empty lock.
    ///
    /// # Errors
    /// Text that is no lock, or a lock that contradicts itself (a number twice).
    pub fn parse(path: &str, text: &str) -> Result<Lock, LockError> {
        if text.len() > limits::LOCK_BYTES {
            return Err(LockError(format!("{path}: longer than {} bytes", limits::LOCK_BYTES)));
        }
        let advice = "take it from the sources' history";
        if text.lines().all(|line| line.trim().is_empty() || line.starts_with('#')) {
            return Ok(Lock::default());
        }
        let lock: Lock =
            serde_saphyr::from_str(text).map_err(|error| LockError(format!("{path}: not a lock: {error}; {advice}")))?;
        if lock.version != VERSION {
            return Err(LockError(format!("{path}: version {}, and {VERSION} is the one that is known", lock.version)));
        }
        for (name, numbers) in lock.messages.iter().chain(&lock.enums) {
            numbers.check().map_err(|error| LockError(format!("{path}: {name}: {error}; {advice}")))?;
        }
        Ok(lock)
    }

    /// The YAML text.
    pub fn to_yaml(&self) -> String {
        // Maps of strings and numbers always have a YAML form.
        let yaml = serde_saphyr::to_string(self).unwrap_or_default();
        format!("{HEADER}{yaml}")
    }
}

impl Numbers {
    fn check(&self) -> Result<(), String> {
        let mut seen = BTreeSet::new();
        let used = self.fields.values().map(|field| field.number).chain(self.reserved.iter().map(|reserved| reserved.number));
        for number in used {
            if number == 0 || number > GREATEST || KEPT.contains(&number) {
                return Err(format!("{number} is no field number"));
            }
            if !seen.insert(number) {
                return Err(format!("the number {number} is given twice"));
            }
        }
        Ok(())
    }

    /// The number of a field: the one it had, if it had one and its type is the same; else a new one.
    pub(super) fn give(&mut self, path: &str, name: &str, type_name: &str) -> Result<u32, LockError> {
        if let Some(locked) = self.fields.get_mut(path).filter(|locked| locked.type_name == type_name) {
            name.clone_into(&mut locked.name);
            return Ok(locked.number);
        }
        let used = self.fields.values().map(|field| field.number).chain(self.reserved.iter().map(|reserved| reserved.number));
        let mut number = used.max().unwrap_or(0) + 1;
        if KEPT.contains(&number) {
            number = KEPT.end() + 1;
        }
        if number > GREATEST {
            return Err(LockError(format!("{path}: no field numbers are left in its message")));
        }
        let locked = Locked { number, name: name.to_owned(), type_name: type_name.to_owned() };
        if let Some(Locked { number, name, .. }) = self.fields.insert(path.to_owned(), locked) {
            self.reserved.push(Reserved { number, name });
        }
        Ok(number)
    }

    /// Reserves the numbers of fields that are no more.
    pub(super) fn retain(&mut self, present: &BTreeSet<&str>) {
        let gone: Vec<String> = self.fields.keys().filter(|path| !present.contains(path.as_str())).cloned().collect();
        for path in gone {
            if let Some(Locked { number, name, .. }) = self.fields.remove(&path) {
                self.reserved.push(Reserved { number, name });
            }
        }
        self.reserved.sort_by_key(|reserved| reserved.number);
    }
}
