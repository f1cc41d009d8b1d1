//! `passerelle consume`: takes the messages of a delivery, for shells and for those who want to see what comes.

use std::process::Stdio;

use clap::Args;
use passerelle_proto::bus::v1::deliveries_client::DeliveriesClient;
use passerelle_proto::bus::v1::undone::Next;
use passerelle_proto::bus::v1::{ConsumeRequest, Consumed, Reject, Retry, Undone};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::wrappers::UnboundedReceiverStream;

use super::connect::{self, Tls};
use super::event;
use super::publish::refused;
use crate::failure::Failure;
use crate::output::print;

/// Exit code by which a program refuses a message for good.
const REFUSES: i32 = 100;

/// Which delivery, and what to do with its messages.
#[derive(Debug, Args)]
#[command(
    about = "Takes the messages of a delivery of a running bus: prints them, or gives each to a program",
    after_help = "Examples:\n  \
        passerelle consume crm                              one CloudEvent as JSON a line, until Ctrl-C; what is printed is done\n  \
        passerelle consume crm --exec ./to-crm              each message on the standard input of ./to-crm\n  \
        passerelle consume crm --exec ./to-crm --at-once 8  eight of them, never two of one key\n\n\
        What the program says by its exit code: 0 the message is done; 100 it will never be taken and is a dead letter; anything else it\n\
        failed and comes again, after a while. PASSERELLE_ATTEMPT is which attempt it is. Lines have personal data.\n\
        Exit codes: 0 ended by Ctrl-C or --count, 1 the bus refused or went away, 2 wrong arguments."
)]
pub struct Consume {
    /// Name of the delivery, one of `passerelle lanes`
    pub delivery: String,
    /// A program that is run for each message
    #[arg(long, value_name = "PROGRAM")]
    pub exec: Option<String>,
    /// Messages that are worked on at the same time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub at_once: u32,
    /// Ends after this many messages
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// The bus, where channels connect
    #[arg(long, short = 'a', value_name = "URL", env = "PASSERELLE_ADDRESS", default_value = "http://127.0.0.1:7400")]
    pub address: String,
    #[command(flatten)]
    pub tls: Tls,
}

/// What became of a message.
enum Work {
    Done,
    Undone(String, Next),
}

/// Takes messages until it ends or is ended; what is being worked on is finished first.
pub(crate) async fn run(consume: &Consume) -> Result<(), Failure> {
    let mut client = DeliveriesClient::new(connect::channel(&consume.address, &consume.tls)?);
    let (requests, stream) = mpsc::unbounded_channel();
    let first = ConsumeRequest { delivery: consume.delivery.clone(), ..ConsumeRequest::default() };
    let mut left = consume.count.unwrap_or(u64::MAX);
    let mut credit = left.min(consume.at_once.into()) as u32;
    left -= u64::from(credit);
    let _ = requests.send(ConsumeRequest { credit, ..first });
    let called = client.consume(UnboundedReceiverStream::new(stream)).await;
    let mut responses = called.map_err(|status| refused(&consume.address, &status))?.into_inner();
    let mut working: JoinSet<Result<(u64, Work), Failure>> = JoinSet::new();
    let mut is_interrupted = false;
    while (!is_interrupted && credit > 0) || !working.is_empty() {
        tokio::select! {
            response = responses.message() => match response {
                Ok(Some(response)) => for consumed in response.messages {
                    credit -= 1;
                    working.spawn(work(consume.exec.clone(), consumed));
                },
                Ok(None) => return Err(Failure::plain("the bus ended the stream; what was being worked on comes again")),
                Err(status) => return Err(refused(&consume.address, &status)),
            },
            Some(worked) = working.join_next() => {
                let (tag, work) = worked.map_err(Failure::plain)??;
                let more = u32::from(left > 0 && !is_interrupted);
                left -= u64::from(more);
                credit += more;
                let _ = requests.send(answer(tag, work, more));
            }
            interrupted = tokio::signal::ctrl_c(), if !is_interrupted => {
                interrupted.map_err(Failure::plain)?;
                is_interrupted = true;
            }
        }
    }
    // The bus reads what was said, then ends the stream.
    drop(requests);
    while let Ok(Some(_)) = responses.message().await {}
    Ok(())
}

fn answer(tag: u64, work: Work, credit: u32) -> ConsumeRequest {
    match work {
        Work::Done => ConsumeRequest { credit, done: vec![tag], ..ConsumeRequest::default() },
        Work::Undone(why, next) => {
            let undone = vec![Undone { tag, why, next: Some(next) }];
            ConsumeRequest { credit, undone, ..ConsumeRequest::default() }
        }
    }
}

async fn work(program: Option<String>, consumed: Consumed) -> Result<(u64, Work), Failure> {
    let message = consumed.message.unwrap_or_default();
    let line = format!("{}\n", event::value(&message).map_err(Failure::plain)?);
    let Some(program) = program else {
        print(&line);
        return Ok((consumed.tag, Work::Done));
    };
    let status = exec(&program, consumed.attempt, &line).await;
    let status = status.map_err(|error| Failure::plain(format!("{program} cannot be run: {error}")))?;
    let work = match status.code() {
        Some(0) => Work::Done,
        Some(REFUSES) => Work::Undone(format!("{program} refused it"), Next::Reject(Reject {})),
        _ => Work::Undone(format!("{program} ended with {status}"), Next::Retry(Retry::default())),
    };
    Ok((consumed.tag, work))
}

async fn exec(program: &str, attempt: u32, line: &str) -> std::io::Result<std::process::ExitStatus> {
    let mut child =
        Command::new(program).env("PASSERELLE_ATTEMPT", attempt.to_string()).stdin(Stdio::piped()).kill_on_drop(true).spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // A program need not read it.
        let _ = input.write_all(line.as_bytes()).await;
    }
    child.wait().await
}
