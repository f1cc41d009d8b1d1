//! Which answer a request gets: a recorded one, the real host's, or a sample.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use passerelle_copybook::Codec;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::exchanges::{Recorder, Recording};
use super::spec::Sample;
use super::wire::Incoming;
use crate::rules::Constants;
use crate::transport::{Request, Transport};

/// A record that no copybook fits ends a COBOL program with this code, a data exception.
const DATA_EXCEPTION: &str = "S0C7";

/// All that a double answers from.
pub(super) struct Answers {
    pub(super) host: String,
    pub(super) operations: Vec<Played>,
    pub(super) replay: Option<Recording>,
    pub(super) record: Option<(Recorder, Arc<dyn Transport>)>,
}

/// One operation of the played host.
pub(super) struct Played {
    pub(super) name: String,
    pub(super) trancode: Option<String>,
    pub(super) timeout: Duration,
    /// What every request of it holds.
    pub(super) constants: Constants,
    pub(super) request: Codec,
    pub(super) samples: Vec<Playable>,
}

/// A sample and the plan that writes its record.
pub(super) struct Playable {
    pub(super) sample: Sample,
    pub(super) response: Codec,
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
