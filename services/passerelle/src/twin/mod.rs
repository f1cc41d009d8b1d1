//! A twin: answers as a back office did, from recordings of what it answered.
//!
//! A request is held against the recorded ones whole; then without the fields whose values are pseudonyms. Equal requests are
//! answered in the order in which they were recorded, the last one from then on.

mod bytes;
mod compare;
mod conversation;
mod echo;
mod load;
mod method;
mod play;
mod serve;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};

use passerelle_bus::contract::Image;

pub(crate) use self::load::load;
use self::method::Method;
pub(crate) use self::serve::Served;

/// What a twin may do beside what was recorded.
#[derive(Debug, Clone)]
pub(crate) struct Manner {
    /// As slowly as the back office was, or at once.
    pub(crate) speed: Speed,
    /// What a request gets that is like none.
    pub(crate) unknown: Unknown,
    /// Full names of fields that are not compared.
    pub(crate) ignored: HashSet<String>,
}

/// How fast a twin answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Speed {
    /// Each message and each outcome when it came in the recording
    Real,
    /// At once
    Fast,
}

/// What a request gets that is like none of the recorded ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Unknown {
    /// NOT_FOUND, with the fields in which the nearest recorded request differs
    NotFound,
    /// What the nearest recorded request was answered
    Nearest,
}

/// All that a twin knows.
pub(crate) struct Twin {
    pub(crate) methods: BTreeMap<String, std::sync::Arc<Method>>,
    /// The descriptors of each contract.
    pub(crate) contracts: Vec<Image>,
    /// What a person should know of the recordings, a line each.
    pub(crate) remarks: Vec<String>,
}

impl Twin {
    /// Each method with the number of its recorded calls.
    pub(crate) fn played(&self) -> impl Iterator<Item = (&str, usize)> {
        self.methods.iter().map(|(path, method)| (path.trim_start_matches('/'), method.calls.len()))
    }

    /// Refuses names of fields that no contract has.
    pub(crate) fn check_ignored(&self, fields: &[String]) -> Result<(), String> {
        let has = |image: &Image, name: &str| {
            let (message, field) = name.rsplit_once('.').unwrap_or_default();
            image.pool().get_message_by_name(message).is_some_and(|message| message.get_field_by_name(field).is_some())
        };
        let unknown = |name: &&String| !self.contracts.iter().any(|image| has(image, name));
        match fields.iter().find(unknown) {
            Some(name) => Err(format!("no recording has a field {name}; write package.Message.field")),
            None => Ok(()),
        }
    }
}
