//! `passerelle record`: the calls of a contract, as they pass through a running bus, into a file for a twin to play.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use passerelle_proto::bus::v1;
use passerelle_proto::bus::v1::record_response::What;
use passerelle_proto::bus::v1::recorder_client::RecorderClient;
use tonic::{Code, Status, Streaming};

use super::connect::{self, Tls};
use crate::explain;
use crate::failure::Failure;
use crate::output::print;
use crate::recording::Writer;

/// Bytes that the bus may send at once: an image of 16 MiB, and room.
const MAX_ANSWER_BYTES: usize = 32 * 1024 * 1024;

/// What to record, and for how long.
#[derive(Debug, Args)]
#[command(
    about = "Records the calls of a contract as they pass through a running bus, without personal data, for `passerelle twin` to play",
    after_help = "Examples:\n  \
        passerelle record bank.cards.v1 --to cards.jsonl                  until Ctrl-C\n  \
        passerelle record bank.cards.v1 --to cards.jsonl --calls 200 --for 10m\n  \
        passerelle twin cards.jsonl                                       a back office that answers as this one did\n\n\
        Values of fields with debug_redact or (passerelle.personal), and all below them, are replaced in the bus before anything leaves it:\n\
        texts and numbers by others of the same shape and length, the same for equal values of this recording; secrets, special categories,\n\
        enums and bools by their defaults. The same values elsewhere in the call are replaced too, fields that the contract does not know are\n\
        left out, and so are an outcome's texts where the method's messages hold personal data. Of metadata nothing is kept but\n\
        passerelle-channel, grpc-retry-pushback-ms, and what --keep-metadata names.\n\n\
        Calls are never slowed down: what comes faster than it is taken is left out and counted. The file is JSON, one call a line, and\n\
        is whole up to its last line however the recording ends."
)]
pub struct Record {
    /// The contract, as `passerelle contract list` shows it
    pub contract: String,
    /// The file to write; it must not exist yet
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,
    /// Ends after this many calls
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub calls: Option<u64>,
    /// Ends after this time, such as 90s, 10m or 2h
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub duration: Option<Duration>,
    /// Keeps this metadata key too, may be given several times; never credentials
    #[arg(long, value_name = "KEY")]
    pub keep_metadata: Vec<String>,
    /// The bus's admin address
    #[arg(long, value_name = "URL", env = "PASSERELLE_ADMIN", default_value = "http://127.0.0.1:7401")]
    pub admin: String,
    #[command(flatten)]
    pub tls: Tls,
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed = text.parse::<jiff::SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
    parsed.filter(|duration| !duration.is_zero()).ok_or_else(|| "write a duration such as 90s, 10m or 2h".to_owned())
}

/// Records until it ends or is ended.
pub(super) async fn run(record: &Record) -> Result<(), Failure> {
    let channel = connect::channel(&record.admin, &record.tls)?;
    let request = v1::RecordRequest { contract: record.contract.clone(), metadata_keys: record.keep_metadata.clone() };
    let mut client = RecorderClient::new(channel).max_decoding_message_size(MAX_ANSWER_BYTES);
    let failed = |status: Status| failed(&record.admin, &status);
    let mut responses = client.record(request).await.map_err(failed)?.into_inner();
    let started = match responses.message().await.map_err(failed)?.and_then(|response| response.what) {
        Some(What::Started(started)) => started,
        _ => return Err(Failure::plain(format!("{} does not say what it records", record.admin))),
    };
    let writer = Writer::create(&record.to, &started).map_err(Failure::plain)?;
    print(&banner(record, &started));
    let mut recorder = Recorder { writer, omitted: v1::RecordingOmissions::default(), unwritable: 0 };
    let ended = tokio::select! {
        ended = recorder.follow(&mut responses, record.calls) => ended.map_err(|error| match error {
            Ended::Refused(status) => failed(*status),
            Ended::Unwritten(error) => Failure::plain(error),
        }),
        () = pause(record.duration) => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Failure::plain),
    };
    // What ended it is the better reason, should this fail too.
    let closed = recorder.end(record);
    ended.and(closed)
}

async fn pause(duration: Option<Duration>) {
    match duration {
        Some(duration) => tokio::time::sleep(duration).await,
        None => std::future::pending().await,
    }
}

struct Recorder {
    writer: Writer,
    omitted: v1::RecordingOmissions,
    /// Calls that have no JSON.
    unwritable: u64,
}

enum Ended {
    Refused(Box<Status>),
    Unwritten(String),
}

impl Recorder {
    async fn follow(&mut self, responses: &mut Streaming<v1::RecordResponse>, calls: Option<u64>) -> Result<(), Ended> {
        while calls.is_none_or(|calls| self.writer.calls() < calls) {
            let response = responses.message().await.map_err(|status| Ended::Refused(Box::new(status)))?;
            let Some(response) = response else {
                return Err(Ended::Refused(Box::new(Status::unavailable("the bus ended the recording"))));
            };
            let omitted = response.omitted.unwrap_or_default();
            if omitted.busy > 0 && self.omitted.busy == 0 {
                eprintln!("calls come faster than they are written here; some are left out, and counted");
            }
            self.omitted = omitted;
            if let Some(What::Call(call)) = response.what
                && !self.writer.call(&call).map_err(Ended::Unwritten)?
            {
                self.unwritable += 1;
            }
        }
        Ok(())
    }

    fn end(self, record: &Record) -> Result<(), Failure> {
        let v1::RecordingOmissions { busy, unreadable, not_carried, abandoned } = self.omitted;
        let reasons = [
            ("too_many_at_once", busy),
            ("unreadable", unreadable + self.unwritable),
            ("answered_by_the_bus", not_carried),
            ("left_by_the_caller", abandoned),
        ];
        let left_out: BTreeMap<String, u64> =
            reasons.into_iter().filter(|(_, count)| *count > 0).map(|(reason, count)| (reason.to_owned(), count)).collect();
        let calls = self.writer.calls();
        let listed: Vec<String> =
            left_out.iter().map(|(reason, count)| format!("{count} {}", reason.replace('_', " "))).collect();
        self.writer.end(left_out).map_err(Failure::plain)?;
        let without = if listed.is_empty() { String::new() } else { format!("; left out: {}", listed.join(", ")) };
        print(&format!("{}: {calls} calls{without}\n", record.to.display()));
        Ok(())
    }
}

fn banner(record: &Record, started: &v1::RecordingStarted) -> String {
    let replaced = match started.redacted_fields.as_slice() {
        [] => "no field of it is declared personal: everything is kept as it is".to_owned(),
        fields => format!("replaced: {}", fields.join(", ")),
    };
    format!("recording {}@{} to {} ({replaced})\n", started.contract, started.version, record.to.display())
}

fn failed(admin: &str, status: &Status) -> Failure {
    if connect::is_unreachable(status) {
        return connect::unreachable("Passerelle", admin, status, explain::Code::ADMIN_UNREACHABLE);
    }
    match status.code() {
        Code::Unimplemented => {
            Failure::plain(format!("{admin} records nothing: is it the admin port of a Passerelle of this version?"))
        }
        _ => Failure::plain(status.message().to_owned()),
    }
}
