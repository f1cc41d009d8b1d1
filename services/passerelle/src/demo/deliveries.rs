//! Messages to two destinations: one is stopped and the other goes on; what is given up is looked at, and sent again.

use std::net::SocketAddr;

use passerelle_proto::bus::v1::deliveries_client::DeliveriesClient;
use passerelle_proto::bus::v1::delivery_operations_client::DeliveryOperationsClient;
use passerelle_proto::bus::v1::journal_client::JournalClient;
use passerelle_proto::bus::v1::undone::Next;
use passerelle_proto::bus::v1::{
    ConsumeRequest, ConsumeResponse, Consumed, DeadLetter, ListDeadLettersRequest, ListDeliveriesRequest, Message,
    PublishRequest, Reject, ReplayDeadLetterRequest, Undone,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::{Channel, Endpoint};

use super::promise::said;
use super::{PATIENCE, print};
use crate::failure::Failure;

/// The deliveries, as the sample's settings name them.
const FRAUD: &str = "fraud";
const MAIL: &str = "mail";
/// Blocked cards: the customer of each.
const BLOCKED: [(&str, &str); 4] =
    [("card-1", "0000004711"), ("card-2", "0000004712"), ("card-3", "0000004711"), ("card-4", "0000004712")];
/// The one that the mail refuses.
const REFUSED: &str = "card-2";

/// Plays it on the bus whose ports these are.
pub(super) async fn play(channels: SocketAddr, admin: SocketAddr) -> Result<(), Failure> {
    let (channel, admin) = (connect(channels).await?, connect(admin).await?);
    let mut operations = DeliveryOperationsClient::new(admin);
    let published = BLOCKED.map(|(id, customer)| blocked(id, customer)).to_vec();
    let request = PublishRequest { messages: published, ..PublishRequest::default() };
    JournalClient::new(channel.clone()).publish(request).await.map_err(said)?;

    // Nobody takes the mail: it is stopped.
    let mut fraud = Consumer::join(&channel, FRAUD).await?;
    let mut checked = Vec::new();
    while checked.len() < BLOCKED.len() {
        let consumed = fraud.next().await?;
        checked.push(id(&consumed));
        fraud.done(consumed.tag).await?;
    }
    print::moment(
        "the mail is stopped; the fraud desk goes on",
        &[format!("fraud took {}", checked.join(", ")), counts(&mut operations, MAIL).await?],
    );

    let mut mail = Consumer::join(&channel, MAIL).await?;
    let mut sent = Vec::new();
    while sent.len() + 1 < BLOCKED.len() {
        let consumed = mail.next().await?;
        if id(&consumed) == REFUSED {
            mail.reject(consumed.tag, "no postal address").await?;
        } else {
            sent.push(id(&consumed));
            mail.done(consumed.tag).await?;
        }
    }
    let letter = letter(&mut operations).await?;
    print::moment(
        "the mail is back: its backlog comes in order, and what it refuses is put aside",
        &[format!("mail took {}", sent.join(", ")), format!("dead letter {}: {}", letter.id, why(&letter))],
    );

    operations.replay_dead_letter(ReplayDeadLetterRequest { id: letter.id.clone() }).await.map_err(said)?;
    let again = mail.next().await?;
    let same = id(&again);
    mail.done(again.tag).await?;
    print::moment(
        &format!("the address is known now: passerelle dead replay {}", letter.id),
        &[format!("mail took {same}, the same message with the same id")],
    );
    Ok(())
}

async fn connect(address: SocketAddr) -> Result<Channel, Failure> {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(Failure::plain)?;
    endpoint.connect().await.map_err(Failure::plain)
}

fn blocked(id: &str, customer: &str) -> Message {
    Message {
        id: id.to_owned(),
        source: "/branch/cards".to_owned(),
        r#type: "bank.card.blocked".to_owned(),
        customer: customer.to_owned(),
        channel: "branch".to_owned(),
        ..Message::default()
    }
}

fn id(consumed: &Consumed) -> String {
    consumed.message.as_ref().map(|message| message.id.clone()).unwrap_or_default()
}

fn why(letter: &DeadLetter) -> &str {
    let failures = letter.letter.as_ref().map(|letter| letter.failures.as_slice()).unwrap_or_default();
    failures.last().map_or("", |failure| failure.why.as_str())
}

/// How many messages wait for a delivery: what `passerelle lanes` shows.
async fn counts(operations: &mut DeliveryOperationsClient<Channel>, name: &str) -> Result<String, Failure> {
    let listed = operations.list_deliveries(ListDeliveriesRequest {}).await.map_err(said)?.into_inner().deliveries;
    let delivery = listed.into_iter().find(|delivery| delivery.name == name);
    let delivery = delivery.ok_or_else(|| Failure::plain(format!("the sample has no delivery {name}")))?;
    Ok(format!("{name} has {} consumers; {} messages wait for it, on disk", delivery.consumers, delivery.waiting))
}

/// The dead letter, which is written down a moment after it was refused.
async fn letter(operations: &mut DeliveryOperationsClient<Channel>) -> Result<DeadLetter, Failure> {
    let found = async {
        loop {
            let request = ListDeadLettersRequest { delivery: MAIL.to_owned(), ..ListDeadLettersRequest::default() };
            let listed = operations.list_dead_letters(request).await.map_err(said)?.into_inner();
            if let Some(letter) = listed.letters.into_iter().next() {
                return Ok(letter);
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, found).await.map_err(|_| Failure::plain("the dead letter is nowhere to be seen"))?
}

/// A destination: takes one message after the other.
struct Consumer {
    says: mpsc::Sender<ConsumeRequest>,
    given: Streaming<ConsumeResponse>,
}

impl Consumer {
    async fn join(channel: &Channel, delivery: &str) -> Result<Self, Failure> {
        let (says, said_by) = mpsc::channel(4);
        let first = ConsumeRequest { delivery: delivery.to_owned(), credit: 1, ..ConsumeRequest::default() };
        says.send(first).await.map_err(Failure::plain)?;
        let given = DeliveriesClient::new(channel.clone()).consume(ReceiverStream::new(said_by)).await.map_err(said)?;
        Ok(Self { says, given: given.into_inner() })
    }

    async fn next(&mut self) -> Result<Consumed, Failure> {
        let given = tokio::time::timeout(PATIENCE, self.given.message()).await;
        let given = given.map_err(|_| Failure::plain("no message comes"))?.map_err(said)?;
        given.and_then(|given| given.messages.into_iter().next()).ok_or_else(|| Failure::plain("the delivery was closed"))
    }

    async fn done(&self, tag: u64) -> Result<(), Failure> {
        self.say(ConsumeRequest { credit: 1, done: vec![tag], ..ConsumeRequest::default() }).await
    }

    async fn reject(&self, tag: u64, why: &str) -> Result<(), Failure> {
        let undone = vec![Undone { tag, why: why.to_owned(), next: Some(Next::Reject(Reject {})) }];
        self.say(ConsumeRequest { credit: 1, undone, ..ConsumeRequest::default() }).await
    }

    async fn say(&self, request: ConsumeRequest) -> Result<(), Failure> {
        self.says.send(request).await.map_err(Failure::plain)
    }
}
