//! `passerelle handoff`: matters from one channel to another, from the command line.

mod words;

use std::collections::BTreeMap;

use clap::{Args, Subcommand, ValueEnum};
use passerelle_proto::customer::v1;
use passerelle_proto::customer::v1::handoff::Status as Standing;
use passerelle_proto::customer::v1::handoffs_client::HandoffsClient;
use tonic::Status;
use tonic::transport::Channel;

use self::words::Told;
use super::connect::{self, Tls};
use super::publish::refused;
use crate::failure::Failure;
use crate::output::print;

/// What to do with hand-offs, and where.
#[derive(Debug, Args)]
#[command(
    about = "Hands matters over from one channel to another on a running bus",
    after_help = "Examples:\n  \
        passerelle handoff offer --customer C-1042 --from web --matter purchase --step basket --answer size=42\n  \
        passerelle handoff resume 7B28-30E7 --channel call_centre --owner anna\n  \
        passerelle handoff progress ID --fence 1 --revision 1 --step delivery --answer address='12 rue Haute'\n  \
        passerelle handoff complete ID --fence 1 --revision 2\n  \
        passerelle handoff list --channel branch --status offered      what the branch can take\n  \
        passerelle handoff show ID                                     what is known, and what happened\n\n\
        A matter is offered, taken by its code or from the list, and completed. Whoever takes it owns it until his lease ends\n\
        (`handoff.lease_seconds`), longer with each progress or renewal; his fence, a number, proves that he is the owner.\n\
        A change printed is on disk. Times are in UTC.\n\
        Exit codes: 0 done, 1 the bus refused or is not there, 2 wrong arguments."
)]
pub struct Handoff {
    #[command(subcommand)]
    pub command: HandoffCommand,
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
    /// Prints the whole answer as JSON
    #[arg(long, global = true)]
    pub json: bool,
    #[command(flatten)]
    pub tls: Tls,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum HandoffCommand {
    /// Offers a matter, and prints the code by which the customer resumes it
    Offer(Offer),
    /// Gives a new code for a matter that nobody owns; the one before is void
    IssueCode {
        /// Its id
        id: String,
        /// Channel that asks
        #[arg(long, value_name = "NAME", default_value = "command-line")]
        channel: String,
        #[command(flatten)]
        key: Key,
    },
    /// Takes a matter by its code, which serves once
    Resume {
        /// The code; case, dashes and blanks do not matter
        code: String,
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        key: Key,
    },
    /// Takes a matter from the list
    Accept {
        /// Its id
        id: String,
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        key: Key,
    },
    /// Keeps a matter: the lease lasts from now on
    Renew {
        #[command(flatten)]
        owned: Owned,
        #[command(flatten)]
        key: Key,
    },
    /// Notes the step reached and what has become known
    Progress {
        #[command(flatten)]
        owned: Owned,
        /// Revision seen last
        #[arg(long, value_name = "N")]
        revision: u64,
        /// Step reached [default: the same as before]
        #[arg(long, value_name = "STEP", default_value = "")]
        step: String,
        #[command(flatten)]
        known: Known,
        #[command(flatten)]
        key: Key,
    },
    /// Gives a matter back: it is offered again
    GiveBack {
        #[command(flatten)]
        owned: Owned,
        #[command(flatten)]
        key: Key,
    },
    /// Takes back what was offered, while nobody owns it
    TakeBack {
        /// Its id
        id: String,
        /// Channel that offered it
        #[arg(long, value_name = "NAME")]
        channel: String,
        #[command(flatten)]
        key: Key,
    },
    /// Says that the matter is done
    Complete {
        #[command(flatten)]
        owned: Owned,
        /// Revision seen last
        #[arg(long, value_name = "N")]
        revision: u64,
        #[command(flatten)]
        key: Key,
    },
    /// Lists hand-offs, the last changed first
    List(List),
    /// Shows one hand-off: what is known, and what happened
    Show {
        /// Its id
        id: String,
    },
}

/// A matter to offer.
#[derive(Debug, Args)]
pub struct Offer {
    /// Key of the customer
    #[arg(long, value_name = "KEY")]
    pub customer: String,
    /// Channel that offers
    #[arg(long, value_name = "NAME", default_value = "command-line")]
    pub from: String,
    /// Channel that it is offered to [default: any]
    #[arg(long, value_name = "NAME", default_value = "")]
    pub to: String,
    /// What it is about
    #[arg(long, value_name = "NAME")]
    pub matter: String,
    /// Step reached
    #[arg(long, value_name = "STEP")]
    pub step: String,
    #[command(flatten)]
    pub known: Known,
    /// How long it is offered, in seconds [default: as the settings say]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    pub seconds: Option<i64>,
    #[command(flatten)]
    pub key: Key,
}

/// What is known.
#[derive(Debug, Args)]
pub struct Known {
    /// An answer that is known; may be given several times
    #[arg(long = "answer", value_name = "QUESTION=ANSWER", value_parser = question_and_answer)]
    pub answers: Vec<(String, String)>,
}

/// Who takes a matter.
#[derive(Debug, Clone, Args)]
pub struct Who {
    /// Channel that takes it
    #[arg(long, value_name = "NAME", default_value = "command-line")]
    pub channel: String,
    /// Who takes it
    #[arg(long, value_name = "NAME")]
    pub owner: String,
}

/// What its owner has.
#[derive(Debug, Args)]
pub struct Owned {
    /// Its id
    pub id: String,
    /// The owner's number, as told when he took it
    #[arg(long, value_name = "N")]
    pub fence: u64,
}

/// How a repetition is known.
#[derive(Debug, Args)]
pub struct Key {
    /// Idempotency key: the same call with the same key is done once [default: a new one]
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
}

/// Which to list.
#[derive(Debug, Args)]
pub struct List {
    /// Of this customer
    #[arg(long, value_name = "KEY", default_value = "")]
    pub customer: String,
    /// That this channel can take, or owns
    #[arg(long, value_name = "NAME", default_value = "")]
    pub channel: String,
    /// With this status
    #[arg(long, value_enum, value_name = "STATUS")]
    pub status: Option<Wanted>,
    /// At most so many, up to 1000
    #[arg(long, short = 'n', value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
    /// Waits until the list shows everything up to this position of the journal
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    pub read_at_least: u64,
}

/// A status to look for.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Wanted {
    /// Nobody owns it
    Offered,
    /// Somebody works on it
    Owned,
    /// Ended: done
    Completed,
    /// Ended: taken back
    TakenBack,
    /// Ended: nobody took it in time
    Expired,
}

fn question_and_answer(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').map(|(question, answer)| (question.to_owned(), answer.to_owned()));
    pair.ok_or_else(|| "write QUESTION=ANSWER".to_owned())
}

/// Does it, and prints what came of it.
pub(crate) async fn run(handoff: &Handoff) -> Result<(), Failure> {
    let mut client = HandoffsClient::new(connect::channel(&handoff.address, &handoff.tls)?);
    let told = ask(&mut client, &handoff.command).await.map_err(|status| refused(&handoff.address, &status))?;
    print(&if handoff.json { told.json()? } else { told.words() });
    Ok(())
}

async fn ask(client: &mut HandoffsClient<Channel>, command: &HandoffCommand) -> Result<Told, Status> {
    Ok(match command {
        HandoffCommand::Offer(offer) => Told::Code(client.offer(offer.request()).await?.into_inner()),
        HandoffCommand::IssueCode { id, channel, key } => {
            let request = v1::IssueCodeRequest { idempotency_key: key.given(), id: id.clone(), channel: channel.clone() };
            let v1::IssueCodeResponse { handoff, code, acknowledgement } = client.issue_code(request).await?.into_inner();
            Told::Code(v1::OfferResponse { handoff, code, acknowledgement })
        }
        HandoffCommand::Resume { code, who, key } => {
            let (code, Who { channel, owner }) = (code.clone(), who.clone());
            let request = v1::ResumeRequest { idempotency_key: key.given(), code, channel, owner };
            Told::Taken(client.resume(request).await?.into_inner())
        }
        HandoffCommand::Accept { id, who, key } => {
            let (id, Who { channel, owner }) = (id.clone(), who.clone());
            let request = v1::AcceptRequest { idempotency_key: key.given(), id, channel, owner };
            let v1::AcceptResponse { handoff, acknowledgement } = client.accept(request).await?.into_inner();
            Told::Taken(v1::ResumeResponse { handoff, acknowledgement })
        }
        HandoffCommand::Renew { owned: Owned { id, fence }, key } => {
            let request = v1::RenewRequest { idempotency_key: key.given(), id: id.clone(), fence: *fence };
            let v1::RenewResponse { handoff, acknowledgement } = client.renew(request).await?.into_inner();
            Told::Changed(v1::ProgressResponse { handoff, acknowledgement })
        }
        HandoffCommand::Progress { owned: Owned { id, fence }, revision, step, known, key } => {
            let request = v1::ProgressRequest {
                idempotency_key: key.given(),
                id: id.clone(),
                fence: *fence,
                expected_revision: *revision,
                step: step.clone(),
                context: Some(known.context()),
            };
            Told::Changed(client.progress(request).await?.into_inner())
        }
        HandoffCommand::GiveBack { owned: Owned { id, fence }, key } => {
            let request = v1::GiveBackRequest { idempotency_key: key.given(), id: id.clone(), fence: *fence };
            let v1::GiveBackResponse { handoff, acknowledgement } = client.give_back(request).await?.into_inner();
            Told::Changed(v1::ProgressResponse { handoff, acknowledgement })
        }
        HandoffCommand::TakeBack { id, channel, key } => {
            let request = v1::TakeBackRequest { idempotency_key: key.given(), id: id.clone(), channel: channel.clone() };
            let v1::TakeBackResponse { handoff, acknowledgement } = client.take_back(request).await?.into_inner();
            Told::Taken(v1::ResumeResponse { handoff, acknowledgement })
        }
        HandoffCommand::Complete { owned: Owned { id, fence }, revision, key } => {
            let (id, fence) = (id.clone(), *fence);
            let request = v1::CompleteRequest { idempotency_key: key.given(), id, fence, expected_revision: *revision };
            let v1::CompleteResponse { handoff, acknowledgement } = client.complete(request).await?.into_inner();
            Told::Changed(v1::ProgressResponse { handoff, acknowledgement })
        }
        HandoffCommand::List(list) => Told::List(client.list(list.request()).await?.into_inner()),
        HandoffCommand::Show { id } => Told::Shown(client.get(v1::GetHandoffRequest { id: id.clone() }).await?.into_inner()),
    })
}

impl Offer {
    fn request(&self) -> v1::OfferRequest {
        v1::OfferRequest {
            idempotency_key: self.key.given(),
            customer: self.customer.clone(),
            from_channel: self.from.clone(),
            to_channel: self.to.clone(),
            matter: self.matter.clone(),
            step: self.step.clone(),
            context: Some(self.known.context()),
            time_to_live: self.seconds.map(|seconds| prost_types::Duration { seconds, nanos: 0 }),
        }
    }
}

impl List {
    fn request(&self) -> v1::ListHandoffsRequest {
        v1::ListHandoffsRequest {
            customer: self.customer.clone(),
            channel: self.channel.clone(),
            status: self.status.map_or(Standing::Unspecified, Wanted::standing).into(),
            page_size: self.limit,
            page_token: String::new(),
            read_at_least: self.read_at_least,
        }
    }
}

impl Known {
    fn context(&self) -> v1::HandoffContext {
        v1::HandoffContext { answers: self.answers.iter().cloned().collect::<BTreeMap<_, _>>() }
    }
}

impl Key {
    fn given(&self) -> String {
        self.idempotency_key.clone().unwrap_or_else(|| format!("command-line-{:032x}", fastrand::u128(..)))
    }
}

impl Wanted {
    fn standing(self) -> Standing {
        match self {
            Self::Offered => Standing::Offered,
            Self::Owned => Standing::Owned,
            Self::Completed => Standing::Completed,
            Self::TakenBack => Standing::TakenBack,
            Self::Expired => Standing::Expired,
        }
    }
}
