//! Which answer a request gets: a recorded one, the real host's, or a sample.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use passerelle_adapter::Secrets;
use passerelle_copybook::{Codec, ContractBuilder, Lock, models};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;
use tokio::time::Instant;

use super::exchanges::{Recorder, Recording};
use super::spec::{Sample, Spec};
use super::wire::{Incoming, Wire};
use crate::contract::{self, read_text};
use crate::copybooks::{Copybooks, beside};
use crate::file::{File, FileError, Operation};
use crate::kind::codecs;
use crate::rules::Constants;
use crate::transport::{self, Request, Transport};

/// A record that no copybook fits ends a COBOL program with this code, a data exception.
const DATA_EXCEPTION: &str = "S0C7";

/// All that a double answers from.
pub(super) struct Answers {
    pub(super) host: String,
    operations: Vec<Played>,
    replay: Option<Recording>,
    record: Option<(Recorder, Arc<dyn Transport>)>,
}

/// One operation of the played host.
struct Played {
    name: String,
    trancode: Option<String>,
    timeout: Duration,
    /// What every request of it holds.
    constants: Constants,
    request: Codec,
    samples: Vec<Playable>,
}

/// A sample and the plan that writes its record.
struct Playable {
    sample: Sample,
    response: Codec,
}

/// What happens, and how long it takes.
pub(super) struct Answered {
    pub(super) outcome: Outcome,
    pub(super) latency: Duration,
}

/// What happens to a request.
pub(super) enum Outcome {
    Reply(Bytes),
    Abend(String),
    Garbage,
    /// The host has no such transaction.
    Unknown,
    Close,
}

/// Makes a double's answers ready, and checks every one of them.
pub(super) fn prepare(path: &Path, spec: &Spec, secrets: &dyn Secrets) -> Result<(Wire, Answers), FileError> {
    let file_path = beside(path, &spec.file);
    let file = File::parse(&file_path, &read_text(&file_path)?)?;
    let copybooks = Copybooks::read(&file_path, &file)?;
    let whole = |message: String| FileError::whole(path, message);

    let names = || file.hosts.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let host_name = match &spec.host {
        Some(name) => name.clone(),
        None if file.hosts.len() == 1 => names(),
        None => return Err(whole(format!("say which host to play with `host:`, one of: {}", names()))),
    };
    let host = file.hosts.get(&host_name).ok_or_else(|| whole(format!("unknown host `{host_name}`, there are: {}", names())))?;

    let on_host = |operation: &Operation| file.host_of(operation) == Some(host_name.as_str());
    let operations: Vec<_> = file.operations.iter().filter(|(_, operation)| on_host(&operation.value)).collect();
    if let Some(unknown) = spec.answers.keys().find(|name| !operations.iter().any(|(there, _)| there == name)) {
        let there = operations.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(whole(format!("answers: unknown operation `{unknown}`, host {host_name} has: {there}")));
    }
    let contract = contract::build(&file_path, &file, &copybooks, Lock::default())?;
    let mut played = Vec::new();
    for (name, operation) in operations {
        let here = |problem: String| FileError::at(&file_path, operation.referenced, format!("operation {name}: {problem}"));
        let (request, _) = codecs(&file, &copybooks, &contract, name, &operation.value).map_err(here)?;
        let samples = spec.answers.get(name).map(Vec::as_slice).unwrap_or_default();
        let playable = |sample: &Spanned<Sample>| {
            playable(&file, &copybooks, &operation.value, &sample.value)
                .map_err(|problem| FileError::at(path, sample.referenced, format!("{name}: {problem}")))
        };
        let record = copybooks.record(&operation.value.request).map_err(|error| here(error.to_string()))?;
        played.push(Played {
            name: name.clone(),
            trancode: operation.value.trancode.clone(),
            timeout: operation.value.timeout(),
            constants: Constants::compile(&operation.value.request.set, record, &file.codec).map_err(here)?,
            request,
            samples: samples.iter().map(playable).collect::<Result<_, _>>()?,
        });
    }
    let replay = spec.replay.as_ref().map(|name| Recording::read(&beside(path, name))).transpose()?;
    let record = match &spec.record {
        None => None,
        Some(name) => {
            let real = transport::start(&host.value, file.codec.code_page, secrets)
                .map_err(|p| whole(format!("host {host_name}: {p}")))?;
            Some((Recorder::open(&beside(path, name))?, real))
        }
    };
    let wire = Wire::of(&host.value, file.codec.code_page);
    Ok((wire, Answers { host: host_name, operations: played, replay, record }))
}

/// Compiles a sample's own plan, with its constants, and tries it.
fn playable(file: &File, copybooks: &Copybooks, operation: &Operation, sample: &Sample) -> Result<Playable, String> {
    let mut rules = operation.response.clone();
    rules.exclude.retain(|name| !sample.set.contains_key(name));
    rules.set.extend(sample.set.clone());

    let text = |error: &dyn std::fmt::Display| error.to_string();
    let request = copybooks.record(&operation.request).map_err(|e| text(&e))?;
    let record = copybooks.record(&operation.response).map_err(|e| text(&e))?;
    let messages = models("Sample", (request, &operation.request), (record, &rules), &operation.fields).map_err(|e| text(&e))?;
    let contract = ContractBuilder::new(&file.contract.package, &file.contract.service, Lock::default())
        .operation("Sample", &messages.0, &messages.1)
        .finish()
        .map_err(|e| text(&e))?;
    let message = contract.response("Sample").ok_or("the sample has no message")?;
    let response = Codec::compile(record, message, &file.codec).map_err(|e| text(&e))?;
    if let Some(reply) = &sample.reply {
        response.encode_json(&Value::Object(reply.clone())).map_err(|e| text(&e))?;
    }
    Ok(Playable { sample: sample.clone(), response })
}

impl Answers {
    /// For the banner: where the answers come from.
    pub(super) fn source(&self) -> &'static str {
        match (&self.record, &self.replay) {
            (Some(_), _) => "with the real host's answers, which it records",
            (None, Some(_)) => "with recorded answers",
            (None, None) => "with sample answers",
        }
    }

    pub(super) async fn answer(&self, incoming: &Incoming) -> Answered {
        let at_once = |outcome| Answered { outcome, latency: Duration::ZERO };
        if let Some(recorded) = self.replay.as_ref().and_then(|recording| recording.answer(&incoming.record)) {
            return at_once(Outcome::Reply(recorded));
        }
        let named = |played: &&Played| incoming.trancode.is_none() || incoming.trancode == played.trancode;
        let candidates: Vec<_> = self.operations.iter().filter(named).collect();
        if candidates.is_empty() {
            tracing::info!(target: "adapter_mainframe", trancode = incoming.trancode, "the double knows no such transaction");
            return at_once(Outcome::Unknown);
        }
        let understood = candidates.iter().find_map(|played| Some((*played, played.read(&incoming.record)?)));
        let Some((played, request)) = understood else {
            tracing::info!(target: "adapter_mainframe", "the double got a record that fits none of its operations");
            return at_once(Outcome::Abend(DATA_EXCEPTION.into()));
        };
        match &self.record {
            Some((recorder, real)) => at_once(played.ask(&incoming.record, recorder, real.as_ref()).await),
            None => played.sample(&request),
        }
    }
}

impl Played {
    /// The request as JSON, if the record is one of this operation.
    fn read(&self, record: &[u8]) -> Option<Map<String, Value>> {
        if !self.constants.are_in(record) {
            return None;
        }
        match self.request.decode_json(record).ok()? {
            Value::Object(request) => Some(request),
            _ => None,
        }
    }

    fn sample(&self, request: &Map<String, Value>) -> Answered {
        let Some(playable) = self.samples.iter().find(|playable| is_within(&playable.sample.matches, request)) else {
            tracing::info!(target: "adapter_mainframe", operation = self.name, "the double has no sample answer for this request");
            return Answered { outcome: Outcome::Close, latency: Duration::ZERO };
        };
        let sample = &playable.sample;
        let latency = Duration::from_millis(sample.latency_ms);
        let outcome = match &sample.abend {
            Some(code) => Outcome::Abend(code.clone()),
            None if sample.close => Outcome::Close,
            None if sample.garbage => Outcome::Garbage,
            None => self.reply(playable, request),
        };
        Answered { outcome, latency }
    }

    fn reply(&self, playable: &Playable, request: &Map<String, Value>) -> Outcome {
        let mut reply = playable.sample.reply.clone().unwrap_or_default();
        for name in &playable.sample.echo {
            if let Some(value) = request.get(name) {
                reply.insert(name.clone(), value.clone());
            }
        }
        match playable.response.encode_json(&Value::Object(reply)) {
            Ok(record) => Outcome::Reply(record.into()),
            Err(error) => {
                tracing::warn!(target: "adapter_mainframe", operation = self.name, %error, "the double cannot write its answer");
                Outcome::Close
            }
        }
    }

    /// Asks the real host and keeps what it says.
    async fn ask(&self, record: &Bytes, recorder: &Recorder, real: &dyn Transport) -> Outcome {
        let request = Request {
            trancode: self.trancode.clone(),
            record: record.clone(),
            deadline: Instant::now() + self.timeout,
            idempotent: false,
        };
        let answer = match real.exchange(&request).await {
            Ok(answer) => answer,
            Err(fault) => {
                tracing::warn!(target: "adapter_mainframe", operation = self.name, %fault, "the real host gave no answer to record");
                return Outcome::Close;
            }
        };
        if let Err(error) = recorder.add(&self.name, record, &answer) {
            tracing::warn!(target: "adapter_mainframe", %error, "an exchange could not be recorded");
        }
        Outcome::Reply(answer)
    }
}

/// Whether every value of `wanted` is in `found`. A number and the same number as text are equal: JSON of protobuf writes large ones so.
fn is_within(wanted: &Map<String, Value>, found: &Map<String, Value>) -> bool {
    wanted.iter().all(|(name, wanted)| match (wanted, found.get(name)) {
        (Value::Object(wanted), Some(Value::Object(found))) => is_within(wanted, found),
        (Value::Number(wanted), Some(Value::String(found))) => wanted.to_string() == *found,
        (wanted, found) => found == Some(wanted),
    })
}
