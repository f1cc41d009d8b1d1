//! A subject in this process: a kind of adapter, opened from the settings of the subject file.

use std::path::PathBuf;
use std::sync::Arc;

use passerelle_adapter::{Fault, Kind, Opening, Secrets, async_trait};
use passerelle_proto::adapter::v1::Limits;

use super::{Opened, Refused, Subject, SubjectFile};
use crate::law::Need;

/// Gives what the adapter has logged so far.
pub type Log = Arc<dyn Fn() -> String + Send + Sync>;

/// A kind of adapter in this process.
pub struct InProcess {
    /// The kind.
    pub kind: Arc<dyn Kind>,
    /// Where its file would lie: what it names is found beside it.
    pub path: PathBuf,
    /// Finds the secrets that the settings name.
    pub secrets: Arc<dyn Secrets>,
    /// What it logs, where it is caught.
    pub log: Option<Log>,
    /// Its settings, and examples of its traffic.
    pub subject: SubjectFile,
}

#[async_trait]
impl Subject for InProcess {
    fn file(&self) -> &SubjectFile {
        &self.subject
    }

    fn gives(&self, need: Need) -> bool {
        match need {
            Need::Renewal | Need::InProcess => true,
            Need::Output => self.log.is_some(),
            _ => false,
        }
    }

    async fn start(&self) -> Result<(), String> {
        Ok(())
    }

    async fn kill(&self) {}

    async fn configure(&self, settings: &str) -> Result<Opened, Refused> {
        let opening = Opening {
            endpoint: "conformance".to_owned(),
            path: self.path.clone(),
            text: settings.to_owned(),
            secrets: Arc::clone(&self.secrets),
        };
        let adapter = self.kind.open(opening).await.map_err(|error| Refused { code: None, message: error.to_string() })?;
        // In process the ability is declared by answering.
        let looks_up = !matches!(adapter.lookup("kit-is-it-there").await, Err(Fault::Unimplemented { .. }));
        Ok(Opened { adapter, looks_up, limits: Limits::default(), configured: None })
    }

    fn output(&self) -> Option<String> {
        self.log.as_ref().map(|log| log())
    }
}
