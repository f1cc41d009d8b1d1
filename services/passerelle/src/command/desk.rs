//! `passerelle desk NAME`: an adviser's terminal. Calls are offered, taken, and reported on.

use std::fmt::Write as _;
use std::time::Duration;

use clap::Args;
use passerelle_proto::backoffice::callback::v1::desk_client::DeskClient;
use passerelle_proto::backoffice::callback::v1::sit_request::What as Say;
use passerelle_proto::backoffice::callback::v1::sit_response::What as Shown;
use passerelle_proto::backoffice::callback::v1::{Accept, Call, Decline, Outcome, Report, Sit, SitRequest};
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status};

use super::connect::{self, Tls};
use super::moment::to_the_second;
use super::publish::refused;
use crate::failure::Failure;
use crate::output::print;

/// Pause before sitting down again when the bus was lost.
const AGAIN: Duration = Duration::from_millis(500);
const HINT: &str = "write: accept | decline [WHY] | done reached|no-answer|busy [NOTE] | quit\n";

/// Who sits where.
#[derive(Debug, Args)]
#[command(
    about = "Sits down at the desk of a running bus as an adviser: shows the calls offered, with their context",
    after_help = "Then write, one a line:\n  \
        accept                       take the call that is offered\n  \
        decline [WHY]                leave it to someone else\n  \
        done reached [NOTE]          after the call: you talked (or: done no-answer, done busy)\n  \
        quit                         leave the desk\n\n\
        When `connected` is printed, it is on disk that the call is yours: call then. After a break it says `resumed`: if you have called\n\
        already, report, and do not call again. When the bus is lost, the desk sits down again by itself.\n\
        The desk shows personal data: names of customers, telephone numbers, what they wrote.\n\
        Exit codes: 0 left by quit, the end of the input or Ctrl-C, 1 the bus refused, 2 wrong arguments."
)]
pub struct Desk {
    /// Your name, as it is to be kept with the calls
    pub name: String,
    /// A line that you serve, may be given several times [default: all]
    #[arg(long = "line", value_name = "LINE")]
    pub lines: Vec<String>,
    /// Takes every call and reports it as reached at once: for tests and demonstrations
    #[arg(long)]
    pub auto: bool,
    /// The bus, where channels connect
    #[arg(long, short = 'a', value_name = "URL", env = "PASSERELLE_ADDRESS", default_value = "http://127.0.0.1:7400")]
    pub address: String,
    #[command(flatten)]
    pub tls: Tls,
}

/// How a sitting came to its end.
enum Left {
    /// By the adviser.
    Quit,
    /// By the bus.
    Lost(Status),
}

/// Sits until it is left.
pub(crate) async fn run(desk: &Desk) -> Result<(), Failure> {
    let mut adviser =
        Adviser { desk, input: (!desk.auto).then(|| BufReader::new(tokio::io::stdin()).lines()), call: String::new() };
    tokio::select! {
        ended = adviser.sit_on() => ended,
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Failure::plain),
    }
}

struct Adviser<'a> {
    desk: &'a Desk,
    /// None: everything is answered by itself.
    input: Option<Lines<BufReader<Stdin>>>,
    /// The call that is offered or connected, by the callback's id.
    call: String,
}

impl Adviser<'_> {
    /// Sits down again whenever the bus was lost.
    async fn sit_on(&mut self) -> Result<(), Failure> {
        loop {
            match self.sit().await? {
                Left::Quit => return Ok(()),
                Left::Lost(status) if status.code() == Code::Unavailable || connect::is_unreachable(&status) => {
                    print(&format!("lost: {}; sitting down again\n", connect::reasons(&status)));
                    tokio::time::sleep(AGAIN).await;
                }
                Left::Lost(status) => return Err(refused(&self.desk.address, &status)),
            }
        }
    }

    async fn sit(&mut self) -> Result<Left, Failure> {
        let mut client = DeskClient::new(connect::channel(&self.desk.address, &self.desk.tls)?);
        let (out, messages) = mpsc::channel(16);
        let sit = Sit { adviser: self.desk.name.clone(), lines: self.desk.lines.clone() };
        say(&out, Say::Sit(sit)).await;
        let mut shown = match client.sit(ReceiverStream::new(messages)).await {
            Ok(shown) => shown.into_inner(),
            Err(status) => return Ok(Left::Lost(status)),
        };
        loop {
            tokio::select! {
                shown = shown.message() => match shown {
                    Ok(Some(shown)) => if let Some(what) = shown.what { self.show(what, &out).await },
                    Ok(None) => return Ok(Left::Lost(Status::unavailable("the bus ended the stream"))),
                    Err(status) => return Ok(Left::Lost(status)),
                },
                line = line(&mut self.input) => match line? {
                    Some(line) if line.trim() == "quit" => return Ok(Left::Quit),
                    Some(line) => match self.read(&line) {
                        Some(what) => say(&out, what).await,
                        None => print(HINT),
                    },
                    None => return Ok(Left::Quit),
                },
            }
        }
    }

    async fn show(&mut self, what: Shown, out: &mpsc::Sender<SitRequest>) {
        match what {
            Shown::Seated(seated) => {
                let lines = if seated.lines.is_empty() { "all lines".to_owned() } else { seated.lines.join(", ") };
                print(&format!("seated: {}, {lines}\n", seated.adviser));
            }
            Shown::Offered(offered) => {
                let call = offered.call.unwrap_or_default();
                self.call.clone_from(&call.callback_id);
                print(&format!(
                    "offered {}: {}\naccept or decline, within {} seconds\n",
                    call.callback_id,
                    described(&call),
                    offered.offer_seconds
                ));
                if self.desk.auto {
                    say(out, Say::Accept(Accept { callback_id: call.callback_id })).await;
                }
            }
            Shown::Connected(connected) => {
                let call = connected.call.unwrap_or_default();
                self.call.clone_from(&call.callback_id);
                let now = match connected.resumed {
                    true => "resumed, it was yours already; if you have called, report, else call",
                    false => "it is yours; call",
                };
                print(&format!("connected {}: {now} {}\n{}\n", call.callback_id, call.telephone, described(&call)));
                if self.desk.auto {
                    let report = Report { callback_id: call.callback_id, outcome: Outcome::Reached.into(), note: String::new() };
                    say(out, Say::Report(report)).await;
                }
            }
            Shown::Withdrawn(withdrawn) => print(&format!("withdrawn {}: {}\n", withdrawn.callback_id, withdrawn.reason)),
            Shown::Closed(closed) => print(&format!("closed {}: your report is on disk\n", closed.callback_id)),
        }
    }

    /// What a line of the adviser says.
    fn read(&self, line: &str) -> Option<Say> {
        let (word, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        let callback_id = self.call.clone();
        match word {
            "accept" => Some(Say::Accept(Accept { callback_id })),
            "decline" => Some(Say::Decline(Decline { callback_id, reason: rest.trim().to_owned() })),
            "done" => {
                let (how, note) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
                let outcome = match how {
                    "reached" => Outcome::Reached,
                    "no-answer" => Outcome::NoAnswer,
                    "busy" => Outcome::Busy,
                    _ => return None,
                };
                Some(Say::Report(Report { callback_id, outcome: outcome.into(), note: note.trim().to_owned() }))
            }
            _ => None,
        }
    }
}

/// The next line of the adviser; never, when everything is answered by itself.
async fn line(input: &mut Option<Lines<BufReader<Stdin>>>) -> Result<Option<String>, Failure> {
    match input {
        Some(input) => input.next_line().await.map_err(Failure::plain),
        None => std::future::pending().await,
    }
}

async fn say(out: &mpsc::Sender<SitRequest>, what: Say) {
    // A bus that has gone is seen by what it shows.
    let _ = out.send(SitRequest { what: Some(what) }).await;
}

fn described(call: &Call) -> String {
    let promised = to_the_second(call.promised_at);
    let mut text = format!("line {}, attempt {}, promised for {promised}\n", call.line, call.attempt);
    let _ = write!(text, "  customer {}, telephone {}, through {}", call.customer, call.telephone, call.channel);
    if !call.reason.is_empty() {
        let _ = write!(text, "\n  reason: {}", call.reason);
    }
    for (name, value) in &call.context {
        let _ = write!(text, "\n  {name}: {value}");
    }
    text
}
