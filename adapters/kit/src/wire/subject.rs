//! A subject over the wire: an adapter that runs, or one that the kit starts.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use passerelle_adapter::{ContractSource, Descriptor, ProtoFile, async_trait};
use passerelle_proto::adapter::v1::{ConfigureRequest, DescribeRequest, Limits};
use tokio::time::Instant;

use super::process::{Output, Process, faketime};
use super::{Wire, WireAdapter};
use crate::law::Need;
use crate::subject::{Opened, Refused, Subject, SubjectFile};

/// The name under which the adapter is configured.
const ENDPOINT: &str = "conformance";
/// How long an adapter may take until it listens.
const STARTING: Duration = Duration::from_secs(15);
/// Between attempts to connect while it starts.
const AGAIN: Duration = Duration::from_millis(20);
/// How long an answer to Describe or Configure is waited for.
const ANSWER: Duration = Duration::from_secs(15);

/// An adapter over the wire.
pub(crate) struct WireSubject {
    file: SubjectFile,
    wire: Wire,
    endpoint: String,
    /// Where the command runs.
    folder: PathBuf,
    /// Where its socket and its clock are.
    temporary: tempfile::TempDir,
    process: Mutex<Option<Process>>,
    output: Output,
}

impl WireSubject {
    /// Of the subject file, which lies in `folder`.
    ///
    /// # Errors
    /// Neither `endpoint` nor a `command` with `{endpoint}`.
    pub(crate) fn new(file: SubjectFile, folder: PathBuf) -> Result<Self, String> {
        let temporary = tempfile::tempdir().map_err(|error| format!("cannot make a temporary folder: {error}"))?;
        let chosen =
            file.command.iter().chain(file.environment.values()).any(|argument| argument.contains(super::process::PLACEHOLDER));
        let endpoint = match (&file.endpoint, chosen) {
            (_, true) => format!("unix:{}", temporary.path().join("adapter.sock").display()),
            (Some(endpoint), false) => endpoint.clone(),
            (None, false) => return Err("say where the adapter listens: `endpoint`, or `{endpoint}` in `command`".to_owned()),
        };
        let wire = Wire::new(&endpoint);
        Ok(Self { file, wire, endpoint, folder, temporary, process: Mutex::default(), output: Output::default() })
    }

    fn take(&self) -> Option<Process> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[async_trait]
impl Subject for WireSubject {
    fn file(&self) -> &SubjectFile {
        &self.file
    }

    fn gives(&self, need: Need) -> bool {
        match need {
            Need::Wire => true,
            Need::Renewal | Need::Process | Need::Output => self.file.is_started_here(),
            Need::Clock => self.file.is_started_here() && faketime(&self.file).is_some(),
            _ => false,
        }
    }

    async fn start(&self) -> Result<(), String> {
        if self.file.is_started_here() {
            self.kill().await;
            let process = Process::start(&self.file, &self.endpoint, &self.folder, self.temporary.path(), &self.output)?;
            *self.process.lock().unwrap_or_else(PoisonError::into_inner) = Some(process);
        }
        let begin = Instant::now();
        loop {
            match self.wire.client().await {
                Ok(_) => return Ok(()),
                Err(error) if begin.elapsed() > STARTING => {
                    return Err(format!("{error} (for {} s){}", STARTING.as_secs(), self.last_words()));
                }
                Err(_) => tokio::time::sleep(AGAIN).await,
            }
        }
    }

    async fn kill(&self) {
        if let Some(process) = self.take() {
            process.kill().await;
        }
        self.wire.forget().await;
    }

    async fn configure(&self, settings: &str) -> Result<Opened, Refused> {
        let lost = |message: String| Refused { code: None, message };
        let status = |status: tonic::Status| Refused { code: Some(status.code()), message: status.message().to_owned() };
        let mut client = self.wire.client().await.map_err(lost)?;
        let late = |_| lost(format!("no answer in {} s", ANSWER.as_secs()));
        let describe = DescribeRequest { versions: vec![1], bus: "passerelle-conformance".to_owned() };
        let described =
            tokio::time::timeout(ANSWER, client.describe(describe)).await.map_err(late)?.map_err(status)?.into_inner();
        let request = ConfigureRequest { endpoint: ENDPOINT.to_owned(), settings: settings.to_owned() };
        let configured =
            tokio::time::timeout(ANSWER, client.configure(request)).await.map_err(late)?.map_err(status)?.into_inner();
        let contracts = configured.contracts.iter().map(|contract| ContractSource {
            name: contract.name.clone(),
            files: contract.files.iter().map(|file| ProtoFile { path: file.path.clone(), text: file.text.clone() }).collect(),
        });
        let descriptor = Descriptor {
            kind: kind(described.kind),
            contracts: contracts.collect(),
            idempotent: configured.idempotent.clone(),
            behind: configured.behind.clone(),
        };
        let limits = configured.limits.unwrap_or(Limits { message_bytes: 0, calls: 0, first_credits: 0 });
        Ok(Opened {
            adapter: Arc::new(WireAdapter { wire: self.wire.clone(), descriptor, first_credits: limits.first_credits }),
            looks_up: configured.abilities.is_some_and(|abilities| abilities.lookup),
            limits,
            configured: Some(configured),
        })
    }

    fn wire(&self) -> Option<&Wire> {
        Some(&self.wire)
    }

    fn output(&self) -> Option<String> {
        let output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        self.file.is_started_here().then(|| String::from_utf8_lossy(&output).into_owned())
    }

    async fn set_clock(&self, seconds: i64) -> Result<(), String> {
        Process::set_clock(self.temporary.path(), seconds)
    }
}

impl WireSubject {
    /// What a process that does not listen has written last.
    fn last_words(&self) -> String {
        let output = self.output().unwrap_or_default();
        let lines: Vec<&str> = output.lines().rev().take(5).collect();
        if lines.is_empty() {
            String::new()
        } else {
            format!("; it wrote: {}", lines.into_iter().rev().collect::<Vec<_>>().join(" / "))
        }
    }
}

/// The port in process has a kind's name for ever; a run of the kit has few.
fn kind(name: String) -> &'static str {
    Box::leak(name.into_boxed_str())
}
