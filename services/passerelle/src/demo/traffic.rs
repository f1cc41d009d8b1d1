//! The channels of the demo: they call through the bus as any gRPC client would.

use std::time::Duration;

use passerelle_proto::sample::cards::v1::disputes_client::DisputesClient;
use passerelle_proto::sample::cards::v1::{FollowDisputeRequest, OpenDisputeRequest};
use prost_reflect::{DynamicMessage, MessageDescriptor};
use tokio::sync::mpsc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use super::print::{self, Bank};
use super::way::Way;
use crate::cli::Demo;
use crate::failure::Failure;

/// How long a way may lag behind its answer.
const LAG: Duration = Duration::from_millis(500);
/// How long the first contract by reflection may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Calls in turn until enough are made.
pub(crate) async fn play(bank: &Bank<'_>, mut ways: mpsc::UnboundedReceiver<Way>, demo: &Demo) -> Result<(), Failure> {
    let endpoint = Endpoint::from_shared(format!("http://{}", bank.daemon.channels)).map_err(Failure::plain)?;
    let channel = endpoint.connect().await.map_err(Failure::plain)?;
    tokio::time::timeout(PATIENCE, bank.daemon.serves("/bank.cards.v1.Disputes/OpenDispute")).await.map_err(Failure::plain)?;
    let visitors = Visitors { channel, bank };
    for number in 1..=demo.calls.unwrap_or(u64::MAX) {
        let (who, question, answer) = visitors.visit(number).await;
        let way = tokio::time::timeout(LAG, ways.recv()).await.ok().flatten();
        print::call(number, who, &question, way.as_ref(), &answer);
        tokio::time::sleep(Duration::from_millis(demo.pause_ms)).await;
    }
    Ok(())
}

/// Those who come to the bank.
struct Visitors<'a> {
    channel: Channel,
    bank: &'a Bank<'a>,
}

impl Visitors<'_> {
    /// One call: who, what, and the answer in words.
    async fn visit(&self, number: u64) -> (&'static str, String, String) {
        match number % 6 {
            1 => ("web", inquiry("0000004711"), self.inquire("0000004711").await),
            2 => ("mobile", "OpenDispute for payment P-1042".to_owned(), self.open_dispute(4_200).await),
            3 => ("branch", inquiry("0000004712"), self.inquire("0000004712").await),
            4 => ("call centre", "FollowDispute D-1, a stream".to_owned(), self.follow_dispute().await),
            5 => ("web", inquiry("0000009999"), self.inquire("0000009999").await),
            _ => ("till", inquiry("0000004799"), self.inquire("0000004799").await),
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
                Ok(None) => return told.join(" · "),
                Err(status) => return refused(&status),
            }
        }
    }

    /// The accounts have no Rust types: their contract is made from a copybook while the bus starts.
    async fn inquire(&self, customer_id: &str) -> String {
        let Some((input, output)) = self.bank.daemon.types("/bank.accounts.v1.AccountInquiry/InquireAccounts") else {
            return "the accounts are not served".to_owned();
        };
        let mut question = DynamicMessage::new(input);
        question.set_field_by_name("customer_id", prost_reflect::Value::String(customer_id.to_owned()));
        match self.unary("/bank.accounts.v1.AccountInquiry/InquireAccounts", question, output).await {
            Ok(answer) => serde_json::to_string(&answer).unwrap_or_else(|error| error.to_string()),
            Err(status) => refused(&status),
        }
    }

    async fn unary(
        &self,
        path: &'static str,
        question: DynamicMessage,
        output: MessageDescriptor,
    ) -> Result<DynamicMessage, Status> {
        let mut client = tonic::client::Grpc::new(self.channel.clone());
        client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let path = http::uri::PathAndQuery::from_static(path);
        let answer = client.unary(Request::new(question), path, crate::dynamic::DynamicCodec::new(output)).await?;
        Ok(answer.into_inner())
    }
}

fn inquiry(customer_id: &str) -> String {
    format!("InquireAccounts of customer {customer_id}")
}

fn refused(status: &Status) -> String {
    format!("{:?}: {}", status.code(), status.message())
}
