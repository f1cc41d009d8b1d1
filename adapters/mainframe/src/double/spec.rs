//! The file that says what a double answers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use passerelle_copybook::Constant;
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::contract::read_text;
use crate::file::{FileError, read_yaml};

/// What a double of a host answers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spec {
    /// The integrator's file whose host is played, relative to this one.
    pub(crate) file: PathBuf,
    /// Which of its hosts; may be left out when there is one.
    pub(crate) host: Option<String>,
    /// Sample answers by operation; the first whose `match` fits is given.
    #[serde(default)]
    pub(crate) answers: BTreeMap<String, Vec<Spanned<Sample>>>,
    /// Recorded exchanges to answer from before the samples, relative to this file.
    pub(crate) replay: Option<PathBuf>,
    /// Ask the real host, and write its answers to this file. It then holds real customers' data: guard it.
    pub(crate) record: Option<PathBuf>,
}

/// One sample answer: `reply`, `abend`, `close` or `garbage`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Sample {
    /// Values that the request must have, by the JSON names of the contract; any request when left out.
    #[serde(rename = "match")]
    pub(crate) matches: serde_json::Map<String, serde_json::Value>,
    /// The answer, by the JSON names of the contract.
    pub(crate) reply: Option<serde_json::Map<String, serde_json::Value>>,
    /// Fields of the request to repeat in the answer, by their JSON names.
    pub(crate) echo: Vec<String>,
    /// Values for fields that the contract does not show, by COBOL name: a return code.
    pub(crate) set: BTreeMap<String, Constant>,
    /// End abnormally with this code: `ASRA`, `S0C7`.
    pub(crate) abend: Option<String>,
    /// Hang up without an answer.
    pub(crate) close: bool,
    /// Send bytes that are no answer.
    pub(crate) garbage: bool,
    /// Take this long, in milliseconds.
    pub(crate) latency_ms: u64,
}

impl Spec {
    pub(crate) fn read(path: &Path) -> Result<Self, FileError> {
        let spec: Self = read_yaml(path, &read_text(path)?)?;
        for (operation, samples) in &spec.answers {
            for sample in samples {
                sample
                    .value
                    .check()
                    .map_err(|problem| FileError::at(path, sample.referenced, format!("{operation}: {problem}")))?;
            }
        }
        Ok(spec)
    }
}

impl Sample {
    fn check(&self) -> Result<(), String> {
        let is_reply = self.reply.is_some() || !self.set.is_empty() || !self.echo.is_empty();
        match u8::from(is_reply) + u8::from(self.abend.is_some()) + u8::from(self.close) + u8::from(self.garbage) {
            1 => {}
            _ => return Err("a sample has one of: reply (with set, echo), abend, close, garbage".into()),
        }
        let is_code =
            |code: &str| (3..=5).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        match &self.abend {
            Some(code) if !is_code(code) => Err(format!("`{code}` is no abend code: 3 to 5 capital letters and digits")),
            _ => Ok(()),
        }
    }
}
