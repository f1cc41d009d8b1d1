//! `passerelle publish`: messages into the journal of a running bus.

use std::io::{self, BufRead, IsTerminal, Read};
use std::path::Path;

use clap::{Args, ValueEnum};
use passerelle_bus::call::observe::code_name;
use passerelle_proto::bus::v1::journal_client::JournalClient;
use passerelle_proto::bus::v1::{Message, PublishRequest, PublishStreamRequest};
use passerelle_proto::{Acknowledgement, AcknowledgementLevel};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tonic::transport::Channel;

use super::connect::{self, Tls};
use super::event;
use crate::explain::Code;
use crate::failure::Failure;
use crate::output::print;

/// Lines read ahead of what is sent.
const LINES_AHEAD: usize = 1024;
/// A longer line is no message: one is at most 1 MiB, and base64 and escapes make it longer.
const LONGEST_LINE_BYTES: u64 = 8 << 20;

/// What to publish, and where.
#[derive(Debug, Args)]
#[command(
    about = "Publishes messages into the journal of a running bus, and says when they are on disk",
    after_help = "Examples:\n  \
        passerelle publish --type shop.basket.filled --source /web/shop --data '{\"basket\": 7}'\n  \
        passerelle publish --type shop.receipt.scanned --data @receipt.pdf --content-type application/pdf\n  \
        passerelle publish --stream < events.ndjson\n  \
        passerelle tail --json --from start --stop-at-end | passerelle publish --address http://other:7400\n\n\
        Without --type, messages are read from standard input: CloudEvents as JSON, one object a line, such as\n  \
        {\"id\": \"1\", \"source\": \"/web/shop\", \"type\": \"shop.basket.filled\", \"data\": {\"basket\": 7}}\n\
        A message is known by its source and id: the same pair again is not written again.\n\n\
        Prints the position of each message and how safe it is; with --stream, how many are safe in all.\n\
        Exit codes: 0 all of it is acknowledged, 1 the bus refused or is not there, 2 wrong arguments or a line that is no message."
)]
pub struct Publish {
    /// What happened, as a name with dots; publishes this one message
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<String>,
    /// The message's id [default: a new one]
    #[arg(long, value_name = "ID", requires = "kind")]
    pub id: Option<String>,
    /// Who says it
    #[arg(long, value_name = "URI", requires = "kind", default_value = "/command-line")]
    pub source: String,
    /// What it happened to; messages of one subject keep their order
    #[arg(long, value_name = "SUBJECT", requires = "kind")]
    pub subject: Option<String>,
    /// The content: text, @FILE, or - for standard input
    #[arg(long, short = 'd', value_name = "DATA", requires = "kind", allow_hyphen_values = true)]
    pub data: Option<String>,
    /// What the content is [default: application/json if it is that, else text/plain, else application/octet-stream]
    #[arg(long, value_name = "TYPE", requires = "data")]
    pub content_type: Option<String>,
    /// Key of the customer whom it concerns
    #[arg(long, value_name = "KEY", requires = "kind")]
    pub customer: Option<String>,
    /// Channel that it came through
    #[arg(long, value_name = "NAME", requires = "kind")]
    pub channel: Option<String>,
    /// Why the customer got in touch
    #[arg(long, value_name = "REASON", requires = "kind")]
    pub reason: Option<String>,
    /// How safe a message is to be before it is acknowledged
    #[arg(long, value_enum, default_value_t = Level::Durable, conflicts_with = "stream")]
    pub acknowledge: Level,
    /// Sends all messages of standard input over one stream: much faster, and acknowledged together
    #[arg(long, conflicts_with = "kind")]
    pub stream: bool,
    /// The bus, where channels connect
    #[arg(long, short = 'a', value_name = "URL", env = "PASSERELLE_ADDRESS", default_value = "http://127.0.0.1:7400")]
    pub address: String,
    #[command(flatten)]
    pub tls: Tls,
}

/// Levels that can be asked for.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Level {
    /// In memory: a crash of the bus loses it
    Accepted,
    /// In the journal, on disk
    Durable,
}

impl Level {
    fn wire(self) -> i32 {
        match self {
            Self::Accepted => AcknowledgementLevel::Accepted.into(),
            Self::Durable => AcknowledgementLevel::Durable.into(),
        }
    }
}

/// Publishes, and prints what is acknowledged.
pub(crate) async fn run(publish: &Publish) -> Result<(), Failure> {
    let client = JournalClient::new(connect::channel(&publish.address, &publish.tls)?);
    if let Some(kind) = &publish.kind {
        let message = message(publish, kind)?;
        return one(client, publish, message).await;
    }
    if io::stdin().is_terminal() {
        let why =
            "nothing to publish: write --type TYPE for one message, or give messages on standard input, one JSON object a line";
        return Err(Failure::usage(why));
    }
    if publish.stream { stream(client, publish).await } else { lines(client, publish).await }
}

fn message(publish: &Publish, kind: &str) -> Result<Message, Failure> {
    let content = publish.data.as_deref().map(content).transpose()?.unwrap_or_default();
    let guessed = || if content.is_empty() { String::new() } else { guess(&content).to_owned() };
    let given = |value: &Option<String>| value.clone().unwrap_or_default();
    Ok(Message {
        id: publish.id.clone().unwrap_or_else(|| format!("{:032x}", fastrand::u128(..))),
        source: publish.source.clone(),
        r#type: kind.to_owned(),
        subject: given(&publish.subject),
        time: Some(std::time::SystemTime::now().into()),
        data_content_type: publish.content_type.clone().unwrap_or_else(guessed),
        customer: given(&publish.customer),
        channel: given(&publish.channel),
        reason: given(&publish.reason),
        data: content.into(),
        ..Message::default()
    })
}

/// The bytes that `--data` means.
fn content(data: &str) -> Result<Vec<u8>, Failure> {
    let read = match (data, data.strip_prefix('@')) {
        ("-", _) => {
            let mut bytes = Vec::new();
            io::stdin().read_to_end(&mut bytes).map(|_| bytes)
        }
        (_, Some(path)) => std::fs::read(Path::new(path)),
        _ => Ok(data.as_bytes().to_vec()),
    };
    read.map_err(|error| Failure::usage(format!("--data {data}: {error}")))
}

fn guess(content: &[u8]) -> &'static str {
    match std::str::from_utf8(content) {
        Err(_) => "application/octet-stream",
        Ok(text) if serde_json::from_str::<serde_json::Value>(text).is_ok() => "application/json",
        Ok(_) => "text/plain",
    }
}

async fn one(mut client: JournalClient<Channel>, publish: &Publish, message: Message) -> Result<(), Failure> {
    let request = PublishRequest { messages: vec![message], acknowledge: publish.acknowledge.wire() };
    let response = client.publish(request).await.map_err(|status| refused(&publish.address, &status))?;
    print(&told(&response.into_inner().acknowledgement.unwrap_or_default()));
    Ok(())
}

fn told(acknowledgement: &Acknowledgement) -> String {
    let level = acknowledgement.level().as_str_name();
    match (acknowledgement.position, acknowledgement.repeated) {
        (0, _) => format!("{level}\n"),
        (position, false) => format!("position {position}, {level}\n"),
        (position, true) => format!("position {position}, {level}, published before\n"),
    }
}

/// One request a line, so that each is safe before the next is read.
async fn lines(client: JournalClient<Channel>, publish: &Publish) -> Result<(), Failure> {
    let (mut messages, fault) = read();
    while let Some(message) = messages.recv().await {
        one(client.clone(), publish, message).await?;
    }
    fault.await.map_or(Ok(()), Err)
}

async fn stream(mut client: JournalClient<Channel>, publish: &Publish) -> Result<(), Failure> {
    let (messages, fault) = read();
    let requests =
        tokio_stream::StreamExt::map(ReceiverStream::new(messages), |message| PublishStreamRequest { message: Some(message) });
    let (mut acknowledged, mut position) = (0, 0);
    let ended: Result<(), Status> = async {
        let mut answers = client.publish_stream(requests).await?.into_inner();
        while let Some(answer) = answers.message().await? {
            (acknowledged, position) = (answer.acknowledged, answer.position);
        }
        Ok(())
    }
    .await;
    // What is safe is told in any case: the rest can then be sent again.
    match acknowledged {
        0 => print("0 messages\n"),
        1 => print(&format!("1 message DURABLE, position {position}\n")),
        many => print(&format!("{many} messages DURABLE, up to position {position}\n")),
    }
    ended.map_err(|status| refused(&publish.address, &status))?;
    fault.await.map_or(Ok(()), Err)
}

/// What the bus's refusal means for whoever asked.
pub(super) fn refused(address: &str, status: &Status) -> Failure {
    if connect::is_unreachable(status) {
        return connect::unreachable("Passerelle", address, status, Code::ADMIN_UNREACHABLE);
    }
    let text = format!("{}: {}", code_name(status.code()), connect::reasons(status));
    match status.code() {
        // Other limits than the disk's say for themselves what to do.
        tonic::Code::ResourceExhausted if status.message().starts_with("no room for the journal") => {
            Failure::new(Code::JOURNAL_FULL, text)
        }
        tonic::Code::Unavailable => Failure::new(Code::JOURNAL_FAILED, text),
        tonic::Code::DataLoss => Failure::new(Code::JOURNAL_DAMAGED, text),
        tonic::Code::Unimplemented => {
            let why = format!("{address} has no journal: it is not where channels connect to a Passerelle ({text})");
            Failure::new(Code::ADMIN_UNREACHABLE, why)
        }
        _ => Failure::plain(text),
    }
}

/// Reads messages from standard input, a line each, on a thread of its own; a line that is none ends them with a fault.
fn read() -> (mpsc::Receiver<Message>, oneshot::Receiver<Failure>) {
    let (sender, messages) = mpsc::channel(LINES_AHEAD);
    let (fault_sender, fault) = oneshot::channel();
    std::thread::spawn(move || {
        if let Err(failure) = read_lines(&sender) {
            // Nobody waits any more when the bus has refused before.
            let _ = fault_sender.send(failure);
        }
    });
    (messages, fault)
}

fn read_lines(sender: &mpsc::Sender<Message>) -> Result<(), Failure> {
    let mut input = io::stdin().lock();
    let mut line = String::new();
    for number in 1_u64.. {
        line.clear();
        let refused = |why: String| Failure::usage_with(Code::REQUEST_REFUSED, format!("line {number} of standard input: {why}"));
        let read = io::Read::take(&mut input, LONGEST_LINE_BYTES).read_line(&mut line);
        match read.map_err(|error| refused(error.to_string()))? as u64 {
            0 => break,
            LONGEST_LINE_BYTES => return Err(refused(format!("longer than {LONGEST_LINE_BYTES} bytes"))),
            _ if line.trim().is_empty() => continue,
            _ => {}
        }
        if sender.blocking_send(event::read(&line).map_err(refused)?).is_err() {
            break;
        }
    }
    Ok(())
}
