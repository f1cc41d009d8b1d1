//! What is held against the laws: the file that describes it, and how it is opened.

pub(crate) mod file;
pub(crate) mod in_process;

use std::sync::Arc;

use passerelle_adapter::{Adapter, async_trait};
use passerelle_proto::adapter::v1::{ConfigureResponse, Limits};

pub use file::{
    Class, EffectExample, Example, Proof, RefusalExample, SlowExample, StreamExample, SubjectError, SubjectFile, is_endpoint,
};

use crate::law::Need;
use crate::wire::Wire;

/// An adapter with its settings.
pub(crate) struct Opened {
    pub(crate) adapter: Arc<dyn Adapter>,
    /// Whether it declares that it can look up.
    pub(crate) looks_up: bool,
    pub(crate) limits: Limits,
    /// What it said to its settings; nothing in process.
    pub(crate) configured: Option<ConfigureResponse>,
}

/// The adapter did not take its settings.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    /// The gRPC status; nothing in process.
    pub(crate) code: Option<tonic::Code>,
    pub(crate) message: String,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.code {
            Some(code) => write!(formatter, "{code:?}: {}", self.message),
            None => formatter.write_str(&self.message),
        }
    }
}

/// How an adapter is started and opened.
#[async_trait]
pub(crate) trait Subject: Send + Sync {
    /// What an integrator said of it.
    fn file(&self) -> &SubjectFile;

    /// Whether it gives what a law needs, beyond examples.
    fn gives(&self, need: Need) -> bool;

    /// Starts it, without settings; kills the one before.
    async fn start(&self) -> Result<(), String>;

    /// Kills it without a word, as a crash does.
    async fn kill(&self);

    /// Hands the settings over (JSON).
    async fn configure(&self, settings: &str) -> Result<Opened, Refused>;

    /// The way to it over the wire.
    fn wire(&self) -> Option<&Wire> {
        None
    }

    /// What it has written so far, to its log or its output.
    fn output(&self) -> Option<String> {
        None
    }

    /// Lets its clock jump by so many seconds from the true time.
    async fn set_clock(&self, seconds: i64) -> Result<(), String> {
        let _ = seconds;
        Err("its clock cannot be set".to_owned())
    }
}
