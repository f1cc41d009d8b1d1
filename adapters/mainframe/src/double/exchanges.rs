//! Recorded exchanges: request and answer records as hexadecimal digits in YAML, written and played back.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::contract::read_text;
use crate::file::{FileError, read_yaml};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    exchanges: Vec<Spanned<Exchange>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    #[allow(dead_code, reason = "for people who read the file")]
    operation: String,
    request: String,
    answer: String,
}

/// Exchanges to play back: a request gets its answers in the order in which they were recorded, then the last one again.
#[derive(Debug)]
pub(super) struct Recording(HashMap<Bytes, Answers>);

#[derive(Debug, Default)]
struct Answers {
    all: Vec<Bytes>,
    given: AtomicUsize,
}

impl Recording {
    pub(super) fn read(path: &Path) -> Result<Self, FileError> {
        let recorded: Recorded = read_yaml(path, &read_text(path)?)?;
        let mut recording: HashMap<Bytes, Answers> = HashMap::new();
        for exchange in recorded.exchanges {
            let bytes = |what: &str, digits: &str| {
                from_hex(digits).ok_or_else(|| {
                    FileError::at(path, exchange.referenced, format!("{what}: write two hexadecimal digits a byte"))
                })
            };
            let request = bytes("request", &exchange.value.request)?;
            recording.entry(request).or_default().all.push(bytes("answer", &exchange.value.answer)?);
        }
        Ok(Self(recording))
    }

    pub(super) fn answer(&self, request: &[u8]) -> Option<Bytes> {
        let answers = self.0.get(request)?;
        let turn = answers.given.fetch_add(1, Ordering::Relaxed).min(answers.all.len() - 1);
        answers.all.get(turn).cloned()
    }
}

/// Writes exchanges as they happen.
#[derive(Debug)]
pub(super) struct Recorder(Mutex<std::fs::File>);

impl Recorder {
    /// Opens the file to write at its end. It holds customers' data.
    pub(super) fn open(path: &Path) -> Result<Self, FileError> {
        let cannot = |error: std::io::Error| FileError::whole(path, error.to_string());
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).map_err(cannot)?;
        if file.metadata().map_err(cannot)?.len() == 0 {
            file.write_all(b"# Recorded from a real host: these records hold customers' data.\nexchanges:\n").map_err(cannot)?;
        }
        Ok(Self(Mutex::new(file)))
    }

    pub(super) fn add(&self, operation: &str, request: &[u8], answer: &[u8]) -> std::io::Result<()> {
        let text =
            format!("  - operation: {operation}\n    request: \"{}\"\n    answer: \"{}\"\n", to_hex(request), to_hex(answer));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(text.as_bytes())
    }
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(digits: &str) -> Option<Bytes> {
    let digits: Option<Vec<u8>> = digits.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(high << 4 | low),
        _ => None,
    };
    digits?.chunks(2).map(pair).collect()
}
