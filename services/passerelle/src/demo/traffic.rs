//! The channels of the demo: they call through the bus as any gRPC client would.

use std::time::Duration;

use passerelle_bus::call::observe::code_name;
use passerelle_proto::backoffice::documents::v1::documents_client::DocumentsClient;
use passerelle_proto::backoffice::documents::v1::store_request::What;
use passerelle_proto::backoffice::documents::v1::{ReadRequest, Reference, Start, StoreRequest, read_response};
use passerelle_proto::sample::cards::v1::disputes_client::DisputesClient;
use passerelle_proto::sample::cards::v1::{FollowDisputeRequest, OpenDisputeRequest};
use prost_reflect::{DynamicMessage, MessageDescriptor};
use tokio::sync::mpsc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use super::customers;
use super::print::{self, Bank};
use super::way::Way;
use crate::cli::Demo;
use crate::failure::Failure;

/// How long a way may lag behind its answer.
const LAG: Duration = Duration::from_millis(500);
/// How long the first contract by reflection may take.
const PATIENCE: Duration = Duration::from_secs(10);

const INQUIRE: &str = "bank.accounts.v1.AccountInquiry/InquireAccounts";
const OPEN_DISPUTE: &str = "bank.cards.v1.Disputes/OpenDispute";
const DOCUMENTS: &str = "passerelle.backoffice.documents.v1.Documents";
/// A customer's contract, signed in the branch.
const SIGNED: &str = "%PDF-1.7 the loan of customer 0000004711, signed";
const FOLLOW_DISPUTE: &str = "bank.cards.v1.Disputes/FollowDispute";

/// Calls in turn until enough are made.
pub(crate) async fn play(bank: &Bank<'_>, mut ways: mpsc::UnboundedReceiver<Way>, demo: &Demo) -> Result<(), Failure> {
    let endpoint = Endpoint::from_shared(format!("http://{}", bank.daemon.channels)).map_err(Failure::plain)?;
    let channel = endpoint.connect().await.map_err(Failure::plain)?;
    tokio::time::timeout(PATIENCE, bank.daemon.serves(&format!("/{OPEN_DISPUTE}"))).await.map_err(Failure::plain)?;
    let visitors = Visitors { channel, bank };
    for number in 1..=demo.calls.unwrap_or(u64::MAX) {
        let (who, method, about, answer) = visitors.visit(number).await;
        let way = tokio::time::timeout(LAG, way_of(&method, &mut ways)).await.ok().flatten();
        print::call(number, who, &format!("{method}, {about}"), way.as_ref(), &answer);
        tokio::time::sleep(Duration::from_millis(demo.pause_ms)).await;
    }
    Ok(())
}

/// The next way of a call of this method. Those of others are passed over: a visitor may call more than is shown.
async fn way_of(method: &str, ways: &mut mpsc::UnboundedReceiver<Way>) -> Option<Way> {
    loop {
        let way = ways.recv().await?;
        if way.fields.get("rpc.method") == method {
            return Some(way);
        }
    }
}

/// Those who come to the bank.
struct Visitors<'a> {
    channel: Channel,
    bank: &'a Bank<'a>,
}

impl Visitors<'_> {
    /// One call: who, which method, what about, and the answer in words.
    async fn visit(&self, number: u64) -> (&'static str, String, &'static str, String) {
        let inquiry = || INQUIRE.to_owned();
        let documents = |method: &str| format!("{DOCUMENTS}/{method}");
        match number % 9 {
            1 => ("web", inquiry(), "customer 0000004711", self.inquire("0000004711").await),
            2 => ("mobile", OPEN_DISPUTE.to_owned(), "payment P-1042", self.open_dispute(4_200).await),
            3 => ("branch", inquiry(), "customer 0000004712", self.inquire("0000004712").await),
            4 => ("call centre", FOLLOW_DISPUTE.to_owned(), "a stream of D-1", self.follow_dispute().await),
            5 => ("web", inquiry(), "customer 0000009999, who is unknown", self.inquire("0000009999").await),
            6 => ("branch", documents("Store"), "the signed contract", self.store().await),
            7 => ("web", documents("Read"), "the same contract", self.read().await),
            8 => ("call centre", customers::FIND.to_owned(), "and note what he wants", customers::note(&self.channel).await),
            _ => ("till", inquiry(), "customer 0000004799, and it abends", self.inquire("0000004799").await),
        }
    }

    async fn open_dispute(&self, amount_cents: i64) -> String {
        let request = OpenDisputeRequest { payment_id: "P-1042".to_owned(), amount_cents, reason: "not my purchase".to_owned() };
        match DisputesClient::new(self.channel.clone()).open_dispute(request).await {
            Ok(answer) => format!("{} opened over {} cents", answer.get_ref().dispute_id, answer.get_ref().amount_cents),
            Err(status) => refused(&status),
        }
    }

    async fn follow_dispute(&self) -> String {
        let request = FollowDisputeRequest { dispute_id: "D-1".to_owned() };
        let mut events = match DisputesClient::new(self.channel.clone()).follow_dispute(request).await {
            Ok(answer) => answer.into_inner(),
            Err(status) => return refused(&status),
        };
        let mut told = Vec::new();
        loop {
            match events.message().await {
                Ok(Some(event)) => told.push(event.text),
                Ok(None) => return shortened(&told),
                Err(status) => return refused(&status),
            }
        }
    }

    /// A stream up: what the document is, then its content.
    async fn store(&self) -> String {
        let start = Start {
            reference: Some(contract_of_customer()),
            media_type: "application/pdf".to_owned(),
            metadata: [("subject".to_owned(), "loan".to_owned())].into(),
            ..Start::default()
        };
        let messages = [What::Start(start), What::Chunk(SIGNED.into())].map(|what| StoreRequest { what: Some(what) });
        match DocumentsClient::new(self.channel.clone()).store(tokio_stream::iter(messages)).await {
            Ok(answer) => {
                let document = answer.into_inner().document.unwrap_or_default();
                format!("{} bytes are on disk, version {:.8}…", document.size_bytes, document.version)
            }
            Err(status) => refused(&status),
        }
    }

    /// A stream down.
    async fn read(&self) -> String {
        let request = ReadRequest { reference: Some(contract_of_customer()), version: String::new() };
        let mut messages = match DocumentsClient::new(self.channel.clone()).read(request).await {
            Ok(answer) => answer.into_inner(),
            Err(status) => return refused(&status),
        };
        let (mut kind, mut content) = (String::new(), Vec::new());
        loop {
            match messages.message().await {
                Ok(Some(message)) => match message.what {
                    Some(read_response::What::Document(document)) => kind = document.media_type,
                    Some(read_response::What::Chunk(chunk)) => content.extend(chunk),
                    None => {}
                },
                Ok(None) if content == SIGNED.as_bytes() => return format!("{} bytes of {kind}, the same", content.len()),
                Ok(None) => return format!("{} other bytes of {kind}", content.len()),
                Err(status) => return refused(&status),
            }
        }
    }

    /// The accounts have no Rust types: their contract is made from a copybook while the bus starts.
    async fn inquire(&self, customer_id: &str) -> String {
        let Some((input, output)) = self.bank.daemon.types(&format!("/{INQUIRE}")) else {
            return "the accounts are not served".to_owned();
        };
        let mut question = DynamicMessage::new(input);
        question.set_field_by_name("customer_id", prost_reflect::Value::String(customer_id.to_owned()));
        match self.unary(&format!("/{INQUIRE}"), question, output).await {
            Ok(answer) => serde_json::to_value(&answer).map_or_else(|error| error.to_string(), |answer| summed_up(&answer)),
            Err(status) => refused(&status),
        }
    }

    async fn unary(&self, path: &str, question: DynamicMessage, output: MessageDescriptor) -> Result<DynamicMessage, Status> {
        let mut client = tonic::client::Grpc::new(self.channel.clone());
        client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let path = path.parse().map_err(|error: http::uri::InvalidUri| Status::internal(error.to_string()))?;
        let answer = client.unary(Request::new(question), path, crate::dynamic::DynamicCodec::new(output)).await?;
        Ok(answer.into_inner())
    }
}

fn contract_of_customer() -> Reference {
    Reference { folder: "0000004711".to_owned(), name: "loan for a car.pdf".to_owned() }
}

/// An answer in one line: each field by its name, lists by their length. The id was in the question.
fn summed_up(answer: &serde_json::Value) -> String {
    let fields = answer.as_object().into_iter().flatten().filter(|(name, _)| *name != "customerId");
    let words = fields.map(|(name, value)| match value {
        serde_json::Value::Array(list) => format!("{} {name}", list.len()),
        serde_json::Value::String(text) => format!("{name} {text}"),
        other => format!("{name} {other}"),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// Events in one line: the first two and the last.
fn shortened(events: &[String]) -> String {
    let text = match events {
        [first, second, _, .., last] => format!("{first} · {second} · … · {last}"),
        few => few.join(" · "),
    };
    format!("{} events: {text}", events.len())
}

pub(super) fn refused(status: &Status) -> String {
    format!("{}: {}", code_name(status.code()), status.message())
}
