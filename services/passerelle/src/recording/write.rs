//! Writes a recording while it goes on: each call is one write, so that whatever ends it leaves whole lines.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use data_encoding::BASE64;
use passerelle_bus::call::observe::code_name;
use passerelle_bus::contract::Image;
use passerelle_proto::bus::v1;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use serde_json::Value;
use tonic::Code;

use super::line::{Answer, Call, Detail, End, Header, Metadata, Outcome};
use super::{FORMAT, GOOGLE};

/// A recording being written.
pub(crate) struct Writer {
    file: File,
    pool: DescriptorPool,
    google: DescriptorPool,
    calls: u64,
}

impl Writer {
    /// Begins a file; one that exists is left alone.
    pub(crate) fn create(path: &Path, started: &v1::RecordingStarted) -> Result<Self, String> {
        let image =
            Image::decode(started.image.clone()).map_err(|error| format!("the bus sent descriptors of no use: {error}"))?;
        let file = File::create_new(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => format!("{} exists already; name another file, or remove it", path.display()),
            _ => format!("cannot write {}: {error}", path.display()),
        })?;
        let google = DescriptorPool::decode(GOOGLE).unwrap_or_default();
        let mut writer = Self { file, pool: image.pool().clone(), google, calls: 0 };
        let header = Header {
            passerelle_recording: FORMAT,
            contract: started.contract.clone(),
            version: started.version,
            digest: started.digest.clone(),
            started_at: started.started_at.map(|at| at.to_string()).unwrap_or_default(),
            redacted_fields: started.redacted_fields.clone(),
            descriptors: BASE64.encode(&started.image),
        };
        writer.line(&header)?;
        Ok(writer)
    }

    /// How many calls were written.
    pub(crate) fn calls(&self) -> u64 {
        self.calls
    }

    /// Writes a call. False if it cannot be JSON, as a timestamp beyond the year 9999.
    pub(crate) fn call(&mut self, call: &v1::RecordedCall) -> Result<bool, String> {
        let Some(line) = self.written(call) else { return Ok(false) };
        self.line(&line)?;
        self.calls += 1;
        Ok(true)
    }

    /// Ends the file: what it does not have, and all of it on disk.
    pub(crate) fn end(mut self, left_out: BTreeMap<String, u64>) -> Result<(), String> {
        self.line(&End { calls: self.calls, left_out })?;
        self.file.sync_all().map_err(|error| error.to_string())
    }

    fn line(&mut self, line: &impl serde::Serialize) -> Result<(), String> {
        let mut text = serde_json::to_vec(line).map_err(|error| error.to_string())?;
        text.push(b'\n');
        self.file.write_all(&text).map_err(|error| format!("cannot write the recording: {error}"))
    }

    fn written(&self, call: &v1::RecordedCall) -> Option<Call> {
        let (service, method) = call.path.trim_start_matches('/').split_once('/')?;
        let method = self.pool.get_service_by_name(service)?.methods().find(|known| known.name() == method)?;
        let answer = |answer: &v1::RecordedAnswer| {
            let message = json(method.output(), &answer.message)?;
            Some(Answer { after_ms: millis(answer.after), after_requests: answer.after_requests, message })
        };
        Some(Call {
            method: call.path.trim_start_matches('/').to_owned(),
            began_ms: millis(call.began_after),
            metadata: metadata(&call.request_metadata),
            requests: call.requests.iter().map(|request| json(method.input(), request)).collect::<Option<_>>()?,
            requests_cut: call.requests_cut,
            answer_metadata: metadata(&call.answer_metadata),
            answers: call.answers.iter().map(answer).collect::<Option<_>>()?,
            answers_cut: call.answers_cut,
            ended_ms: millis(call.ended_after),
            status: match &call.status {
                None => None,
                Some(status) => Some(self.outcome(status)?),
            },
            trailers: metadata(&call.trailers),
        })
    }

    fn outcome(&self, status: &v1::RecordedStatus) -> Option<Outcome> {
        let detail = |any: &prost_types::Any| {
            let name = any.type_url.rsplit('/').next()?;
            let kind = self.pool.get_message_by_name(name).or_else(|| self.google.get_message_by_name(name))?;
            Some(Detail { r#type: name.to_owned(), message: json(kind, &any.value)? })
        };
        Some(Outcome {
            code: code_name(Code::from(status.code)).to_owned(),
            message: status.message.clone(),
            message_left_out: status.message_left_out,
            details: status.details.iter().map(detail).collect::<Option<_>>()?,
            details_left_out: status.details_left_out,
        })
    }
}

fn json(kind: MessageDescriptor, bytes: &[u8]) -> Option<Value> {
    serde_json::to_value(DynamicMessage::decode(kind, bytes).ok()?).ok()
}

fn metadata(entries: &[v1::RecordedMetadata]) -> Metadata {
    let mut metadata = Metadata::new();
    for v1::RecordedMetadata { key, value } in entries {
        metadata.entry(key.clone()).or_default().push(value.clone());
    }
    metadata
}

/// To the microsecond.
fn millis(duration: Option<prost_types::Duration>) -> f64 {
    let micros = duration.map_or(0.0, |duration| duration.seconds as f64 * 1e6 + f64::from(duration.nanos) / 1e3);
    micros.round() / 1e3
}
