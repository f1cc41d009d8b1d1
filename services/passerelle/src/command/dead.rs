//! `passerelle dead`: what was given up: looked at, sent again, or put away.

use clap::{Args, Subcommand, ValueEnum};
use passerelle_proto::bus::v1;
use passerelle_proto::bus::v1::delivery_operations_client::DeliveryOperationsClient;
use passerelle_proto::bus::v1::{DeadLetter, DeadLetterReason, DeadLetterStatus};
use tonic::transport::Channel;

use super::connect::{self, Tls};
use super::contract::listing::aligned;
use super::endpoint::failed;
use super::moment;
use crate::failure::Failure;
use crate::output::print;

/// Letters that are asked for at once.
const PAGE: u32 = 1_000;

/// What to do with dead letters, and which bus.
#[derive(Debug, Args)]
#[command(
    about = "Dead letters of a running bus: messages that deliveries gave up",
    after_help = "Examples:\n  \
        passerelle dead list --delivery crm --reason rejected\n  \
        passerelle dead show crm/4711.0 --show-data\n  \
        passerelle dead replay crm/4711.0                  the same message again, with the same id\n  \
        passerelle dead replay --all --delivery crm --reason exhausted --type 'shop.*'\n  \
        passerelle dead discard crm/4711.0 --why 'sent twice by the shop'\n\n\
        Exit codes: 0 done, 1 refused or not reachable, 2 wrong arguments."
)]
pub struct Dead {
    /// The bus's admin address
    #[arg(long, global = true, value_name = "URL", env = "PASSERELLE_ADMIN", default_value = "http://127.0.0.1:7401")]
    pub admin: String,
    #[command(flatten)]
    pub tls: Tls,
    /// What to do.
    #[command(subcommand)]
    pub command: DeadCommand,
}

/// What can be done with dead letters.
#[derive(Debug, Subcommand)]
pub enum DeadCommand {
    /// Lists dead letters, the last changed first
    List {
        #[command(flatten)]
        which: Which,
        /// What they are now
        #[arg(long, value_enum, default_value_t = Status::Dead)]
        status: Status,
    },
    /// Shows one dead letter: its message, and each time it was given up
    Show {
        /// Its id, of `passerelle dead list`
        id: String,
        /// Shows customer and content too
        #[arg(long)]
        show_data: bool,
    },
    /// Sends dead letters again, those published first before the others: the same messages, with the same ids
    Replay {
        /// Their ids, of `passerelle dead list`
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        ids: Vec<String>,
        /// All that wait, or those that are chosen by delivery, reason, type or subject
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        which: Which,
    },
    /// Says that dead letters are of no use any more
    Discard {
        /// Their ids, of `passerelle dead list`
        #[arg(required = true)]
        ids: Vec<String>,
        /// Why, for those who ask later; no personal data
        #[arg(long, value_name = "TEXT")]
        why: String,
    },
}

/// Which dead letters.
#[derive(Debug, Args)]
pub struct Which {
    /// Of this delivery only
    #[arg(long, value_name = "NAME")]
    pub delivery: Option<String>,
    /// Given up for this reason only
    #[arg(long, value_enum)]
    pub reason: Option<Reason>,
    /// Of this CloudEvents type only, exactly or up to a final `*`
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<String>,
    /// Of this subject only
    #[arg(long, value_name = "SUBJECT")]
    pub subject: Option<String>,
}

impl Which {
    /// What the bus itself does not choose by.
    fn fits(&self, letter: &DeadLetter) -> bool {
        let message = letter.letter.as_ref().and_then(|letter| letter.message.as_ref());
        let (kind, subject) = message.map(|message| (&*message.r#type, &*message.subject)).unwrap_or_default();
        let fits_kind = |wanted: &str| match wanted.strip_suffix('*') {
            Some(beginning) => kind.starts_with(beginning),
            None => kind == wanted,
        };
        self.kind.as_deref().is_none_or(fits_kind) && self.subject.as_deref().is_none_or(|wanted| wanted == subject)
    }
}

/// What a dead letter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Status {
    /// Waits for somebody to look at it.
    Dead,
    /// Is being sent again.
    Replayed,
    /// Was sent again, and taken.
    Recovered,
    /// Is of no use any more.
    Discarded,
}

/// Why a message was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Reason {
    /// Its destination refuses it.
    Rejected,
    /// It failed as often as it may.
    Exhausted,
    /// Whether it was taken cannot be known.
    Undecided,
    /// Its deadline passed.
    Expired,
}

/// Does it.
pub(crate) async fn run(dead: &Dead) -> Result<(), Failure> {
    let client = DeliveryOperationsClient::new(connect::channel(&dead.admin, &dead.tls)?);
    let mut operator = Operator { client, admin: &dead.admin };
    match &dead.command {
        DeadCommand::List { which, status } => {
            let letters = operator.list(which, *status).await?;
            print(&table(&letters));
        }
        DeadCommand::Show { id, show_data } => print(&letter(&operator.get(id).await?, *show_data)),
        DeadCommand::Replay { ids, which, .. } => {
            let ids = match ids.is_empty() {
                false => ids.clone(),
                true => in_order(operator.list(which, Status::Dead).await?),
            };
            for id in &ids {
                operator.replay(id).await?;
                print(&format!("{id} is sent again\n"));
            }
            if ids.is_empty() {
                print("nothing waits\n");
            }
        }
        DeadCommand::Discard { ids, why } => {
            for id in ids {
                operator.discard(id, why).await?;
                print(&format!("{id} is discarded\n"));
            }
        }
    }
    Ok(())
}

struct Operator<'a> {
    client: DeliveryOperationsClient<Channel>,
    admin: &'a str,
}

impl Operator<'_> {
    /// All pages.
    async fn list(&mut self, which: &Which, status: Status) -> Result<Vec<DeadLetter>, Failure> {
        let mut letters = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = v1::ListDeadLettersRequest {
                delivery: which.delivery.clone().unwrap_or_default(),
                status: DeadLetterStatus::from(status).into(),
                reason: which.reason.map_or(DeadLetterReason::Unspecified, DeadLetterReason::from).into(),
                page_size: PAGE,
                page_token,
            };
            let response = self.client.list_dead_letters(request).await;
            let page = response.map_err(|status| failed(self.admin, &status))?.into_inner();
            letters.extend(page.letters.into_iter().filter(|letter| which.fits(letter)));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(letters);
            }
        }
    }

    async fn get(&mut self, id: &str) -> Result<DeadLetter, Failure> {
        let response = self.client.get_dead_letter(v1::GetDeadLetterRequest { id: id.to_owned() }).await;
        let found = response.map_err(|status| failed(self.admin, &status))?.into_inner();
        Ok(found.letter.unwrap_or_default())
    }

    async fn replay(&mut self, id: &str) -> Result<(), Failure> {
        let response = self.client.replay_dead_letter(v1::ReplayDeadLetterRequest { id: id.to_owned() }).await;
        response.map(drop).map_err(|status| failed(self.admin, &status))
    }

    async fn discard(&mut self, id: &str, why: &str) -> Result<(), Failure> {
        let request = v1::DiscardDeadLetterRequest { id: id.to_owned(), why: why.to_owned() };
        let response = self.client.discard_dead_letter(request).await;
        response.map(drop).map_err(|status| failed(self.admin, &status))
    }
}

/// Their ids as their messages were published: the order of a customer is kept where all of his letters are sent again.
fn in_order(mut letters: Vec<DeadLetter>) -> Vec<String> {
    let place = |letter: &DeadLetter| {
        let place = letter.letter.as_ref().and_then(|letter| letter.place).unwrap_or_default();
        (place.position, place.index)
    };
    letters.sort_by_key(place);
    letters.into_iter().map(|letter| letter.id).collect()
}

fn table(letters: &[DeadLetter]) -> String {
    if letters.is_empty() {
        return "no dead letter of that sort\n".to_owned();
    }
    let mut rows = vec![["ID", "SINCE", "REASON", "ATTEMPTS", "TYPE", "SUBJECT", "WHY"].map(str::to_owned)];
    rows.extend(letters.iter().map(|DeadLetter { id, letter }| {
        let letter = letter.clone().unwrap_or_default();
        let message = letter.message.unwrap_or_default();
        let last = letter.failures.last().cloned().unwrap_or_default();
        let reason = reason(&last);
        [
            id.clone(),
            moment::to_the_second(letter.since),
            reason,
            last.attempts.to_string(),
            message.r#type,
            message.subject,
            last.why,
        ]
    }));
    aligned(&rows, "")
}

fn letter(DeadLetter { id, letter }: &DeadLetter, show_data: bool) -> String {
    let letter = letter.clone().unwrap_or_default();
    let message = letter.message.clone().unwrap_or_default();
    let status = match letter.status() {
        DeadLetterStatus::Dead => "waits for somebody to look at it",
        DeadLetterStatus::Replayed => "is being sent again",
        DeadLetterStatus::Recovered => "was sent again, and taken",
        DeadLetterStatus::Discarded => "is of no use any more",
        DeadLetterStatus::Unspecified => "is unknown",
    };
    let size = format!("{} bytes of {}", message.data.len(), message.data_content_type);
    let mut facts: Vec<[String; 2]> = [
        ["id", &message.id],
        ["source", &message.source],
        ["type", &message.r#type],
        ["subject", &message.subject],
        ["channel", &message.channel],
        ["contract", &message.contract],
        ["content", &size],
    ]
    .map(|row| row.map(str::to_owned))
    .to_vec();
    if show_data {
        facts.push(["customer".to_owned(), message.customer]);
        facts.push(["data".to_owned(), String::from_utf8_lossy(&message.data).escape_debug().to_string()]);
    }
    facts.retain(|[_, value]| !value.is_empty());
    let failures: Vec<_> = letter
        .failures
        .iter()
        .map(|failure| {
            [moment::to_the_second(failure.time), reason(failure), format!("attempt {}", failure.attempts), failure.why.clone()]
        })
        .collect();
    format!(
        "{id} {status} since {}\n{}\ngiven up\n{}",
        moment::to_the_second(letter.since),
        aligned(&facts, "  "),
        aligned(&failures, "  ")
    )
}

fn reason(failure: &v1::DeadLetterFailure) -> String {
    failure.reason().as_str_name().to_lowercase()
}

impl From<Status> for DeadLetterStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Dead => Self::Dead,
            Status::Replayed => Self::Replayed,
            Status::Recovered => Self::Recovered,
            Status::Discarded => Self::Discarded,
        }
    }
}

impl From<Reason> for DeadLetterReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Rejected => Self::Rejected,
            Reason::Exhausted => Self::Exhausted,
            Reason::Undecided => Self::Undecided,
            Reason::Expired => Self::Expired,
        }
    }
}
