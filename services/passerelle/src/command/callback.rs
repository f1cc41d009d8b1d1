//! `passerelle callback`: callbacks of a running bus, asked for and looked at from the command line.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::{Args, Subcommand, ValueEnum};
use passerelle_proto::customer::v1;
use passerelle_proto::customer::v1::callback::Status as Progress;
use passerelle_proto::customer::v1::callbacks_client::CallbacksClient;
use passerelle_proto::customer::v1::{request_callback_request, reschedule_callback_request};
use prost_types::Timestamp;
use tonic::Status;
use tonic::transport::Channel;

use super::connect::{self, Tls};
use super::moment::to_the_second;
use super::publish::refused;
use crate::failure::Failure;
use crate::output::print;

/// What to do with callbacks, and where.
#[derive(Debug, Args)]
#[command(
    about = "Asks for callbacks on a running bus, and shows what becomes of them",
    after_help = "Examples:\n  \
        passerelle callback slots sales --free\n  \
        passerelle callback request sales --customer C-1042 --telephone '+33 1 23 45 67 89' --asap --context basket=B-7\n  \
        passerelle callback request sales --customer C-1042 --telephone +33123456789 --at 2026-11-23T08:00:00Z --idempotency-key page-81\n  \
        passerelle callback show 7k2m9x4q1c8t5v3w          what happened, and what happens next\n  \
        passerelle callback list --line sales --status promised\n\n\
        Lines, their hours and their desks are declared in the settings (`callback.lines`); advisers sit down with `passerelle desk NAME`.\n\
        Times are written and shown in UTC (RFC 3339), slots also on the line's own clock.\n\
        Exit codes: 0 done, 1 the bus refused or is not there, 2 wrong arguments."
)]
pub struct Callback {
    #[command(subcommand)]
    pub command: CallbackCommand,
    /// The bus, where channels connect
    #[arg(
        long,
        short = 'a',
        global = true,
        value_name = "URL",
        env = "PASSERELLE_ADDRESS",
        default_value = "http://127.0.0.1:7400"
    )]
    pub address: String,
    #[command(flatten)]
    pub tls: Tls,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum CallbackCommand {
    /// Lists the time slots of a line with the places left in each
    Slots {
        /// The line, of the settings
        line: String,
        /// Slots that end after this time [default: now]
        #[arg(long, value_name = "TIME")]
        from: Option<Timestamp>,
        /// How many, up to 200
        #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
        limit: u32,
        /// Leaves full slots out
        #[arg(long)]
        free: bool,
    },
    /// Asks for a callback, and prints what is promised when that is on disk
    Request(Request),
    /// Lists callbacks by the time promised
    List {
        /// Of this customer
        #[arg(long, value_name = "KEY", default_value = "")]
        customer: String,
        /// Of this line
        #[arg(long, value_name = "LINE", default_value = "")]
        line: String,
        /// With this status
        #[arg(long, value_enum, value_name = "STATUS")]
        status: Option<Wanted>,
        /// Waits until the list shows everything up to this position of the journal
        #[arg(long, value_name = "POSITION", default_value_t = 0)]
        read_at_least: u64,
    },
    /// Shows one callback: what happened, and what happens next
    Show {
        /// Its id
        id: String,
    },
    /// Moves a callback to another slot; the old promise holds until there is a new one
    Reschedule {
        /// Its id
        id: String,
        #[command(flatten)]
        when: When,
    },
    /// Takes a callback back; possible until an adviser has it
    Cancel {
        /// Its id
        id: String,
    },
}

/// A wish.
#[derive(Debug, Args)]
pub struct Request {
    /// The line, of the settings
    pub line: String,
    /// Key of the customer
    #[arg(long, value_name = "KEY")]
    pub customer: String,
    /// Where to call, in international form
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    pub telephone: String,
    /// Channel that it is asked through
    #[arg(long, value_name = "NAME", default_value = "command-line")]
    pub channel: String,
    /// Why the customer wants to be called
    #[arg(long, value_name = "WORDS", default_value = "")]
    pub reason: String,
    /// Something that is known already, for the adviser; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub context: Vec<(String, String)>,
    /// Idempotency key: the same one of the same customer is the same wish [default: a new one]
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
    #[command(flatten)]
    pub when: When,
}

/// When to call.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct When {
    /// In the slot that begins then
    #[arg(long, value_name = "TIME")]
    pub at: Option<Timestamp>,
    /// In the first slot with a place
    #[arg(long)]
    pub asap: bool,
}

/// A status to look for.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Wanted {
    /// A place is being looked for
    Requested,
    /// A time is promised
    Promised,
    /// An adviser is being looked for
    Calling,
    /// An adviser has it
    Accepted,
    /// Ended: the customer was reached
    Reached,
    /// Ended: not reached
    Unreachable,
    /// Ended: nobody said what became of it
    Unresolved,
    /// Ended: taken back
    Cancelled,
    /// Ended: there was no place
    Refused,
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or_else(|| "write NAME=VALUE".to_owned())
}

/// Does it, and prints what came of it.
pub(crate) async fn run(callback: &Callback) -> Result<(), Failure> {
    let mut client = CallbacksClient::new(connect::channel(&callback.address, &callback.tls)?);
    let text = answered(&mut client, &callback.command).await.map_err(|status| refused(&callback.address, &status))?;
    print(&text);
    Ok(())
}

async fn answered(client: &mut CallbacksClient<Channel>, command: &CallbackCommand) -> Result<String, Status> {
    Ok(match command {
        CallbackCommand::Slots { line, from, limit, free } => {
            let request = v1::SearchTimeSlotsRequest { line: line.clone(), from: *from, limit: *limit, free_only: *free };
            slots(&client.search_time_slots(request).await?.into_inner())
        }
        CallbackCommand::Request(request) => {
            let response = client.request_callback(wish(request)).await?.into_inner();
            outcome(response.callback, response.acknowledgement)
        }
        CallbackCommand::List { customer, line, status, read_at_least } => {
            let request = v1::ListCallbacksRequest {
                customer: customer.clone(),
                line: line.clone(),
                status: status.map_or(Progress::Unspecified, Wanted::status).into(),
                read_at_least: *read_at_least,
                ..v1::ListCallbacksRequest::default()
            };
            list(client, request).await?
        }
        CallbackCommand::Show { id } => {
            let request = v1::GetCallbackRequest { callback_id: id.clone() };
            client.get_callback(request).await?.into_inner().callback.map(|callback| shown(&callback)).unwrap_or_default()
        }
        CallbackCommand::Reschedule { id, when } => {
            use reschedule_callback_request::When as To;
            let to = when.at.map_or(To::AsSoonAsPossible(true), To::SlotStart);
            let request =
                v1::RescheduleCallbackRequest { callback_id: id.clone(), idempotency_key: String::new(), when: Some(to) };
            let response = client.reschedule_callback(request).await?.into_inner();
            outcome(response.callback, response.acknowledgement)
        }
        CallbackCommand::Cancel { id } => {
            let request = v1::CancelCallbackRequest { callback_id: id.clone(), idempotency_key: String::new() };
            let response = client.cancel_callback(request).await?.into_inner();
            outcome(response.callback, response.acknowledgement)
        }
    })
}

fn wish(request: &Request) -> v1::RequestCallbackRequest {
    use request_callback_request::When as At;
    let new = || format!("command-line-{:032x}", fastrand::u128(..));
    v1::RequestCallbackRequest {
        idempotency_key: request.idempotency_key.clone().unwrap_or_else(new),
        line: request.line.clone(),
        customer: request.customer.clone(),
        telephone: request.telephone.clone(),
        channel: request.channel.clone(),
        reason: request.reason.clone(),
        context: request.context.iter().cloned().collect::<BTreeMap<_, _>>(),
        when: Some(request.when.at.map_or(At::AsSoonAsPossible(true), At::SlotStart)),
    }
}

async fn list(client: &mut CallbacksClient<Channel>, mut request: v1::ListCallbacksRequest) -> Result<String, Status> {
    let mut text = String::new();
    loop {
        let page = client.list_callbacks(request.clone()).await?.into_inner();
        for callback in &page.callbacks {
            let promised = to_the_second(callback.promised_at);
            let (id, status) = (&callback.callback_id, word(callback.status()));
            let _ = writeln!(text, "{id}  {status:<11}  {promised:<20}  {}  {}", callback.line, callback.explanation);
        }
        if page.next_page_token.is_empty() {
            return Ok(text);
        }
        request.page_token = page.next_page_token;
    }
}

fn slots(found: &v1::SearchTimeSlotsResponse) -> String {
    let mut text = String::new();
    for slot in &found.slots {
        let start = to_the_second(slot.valid_for.as_ref().and_then(|period| period.start));
        let free = if slot.free == 0 { "full".to_owned() } else { format!("{} free", slot.free) };
        let _ = writeln!(text, "{start}  {} {}  {free}", slot.local, found.time_zone);
    }
    text
}

fn outcome(callback: Option<v1::Callback>, acknowledgement: Option<passerelle_proto::Acknowledgement>) -> String {
    let callback = callback.unwrap_or_default();
    let acknowledgement = acknowledgement.unwrap_or_default();
    let again = if acknowledgement.repeated { " (nothing new)" } else { "" };
    format!(
        "{}  {}  {}  on disk at position {}{again}\n",
        callback.callback_id,
        word(callback.status()),
        callback.explanation,
        acknowledgement.position
    )
}

fn shown(callback: &v1::Callback) -> String {
    let mut text =
        format!("{}  {}  line {}\n{}\n", callback.callback_id, word(callback.status()), callback.line, callback.explanation);
    let requested = to_the_second(callback.requested_at);
    let _ = writeln!(text, "\nrequested {requested} by {} through {}", callback.customer, callback.channel);
    let _ = writeln!(text, "telephone {}", callback.telephone);
    if !callback.reason.is_empty() {
        let _ = writeln!(text, "reason    {}", callback.reason);
    }
    for (name, value) in &callback.context {
        let _ = writeln!(text, "context   {name} = {value}");
    }
    if !callback.steps.is_empty() {
        text.push('\n');
    }
    for step in &callback.steps {
        let _ = writeln!(text, "{}  {}", to_the_second(step.at), step.what);
    }
    for attempt in callback.attempts.iter().filter(|attempt| !attempt.adviser.is_empty()) {
        let _ = writeln!(text, "attempt {} by {}: {}", attempt.number, attempt.adviser, attempt.reason);
    }
    text
}

fn word(status: Progress) -> String {
    status.as_str_name().to_ascii_lowercase()
}

impl Wanted {
    fn status(self) -> Progress {
        match self {
            Self::Requested => Progress::Requested,
            Self::Promised => Progress::Promised,
            Self::Calling => Progress::Calling,
            Self::Accepted => Progress::Accepted,
            Self::Reached => Progress::Reached,
            Self::Unreachable => Progress::Unreachable,
            Self::Unresolved => Progress::Unresolved,
            Self::Cancelled => Progress::Cancelled,
            Self::Refused => Progress::Refused,
        }
    }
}
