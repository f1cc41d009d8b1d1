//! A CRM as a law asks it: the contract's methods, over the port.

use std::sync::Arc;
use std::time::Duration;

use passerelle_adapter::{Adapter, Call, Context, Fault, Messages, Rejection};
use passerelle_proto::backoffice::customers::v1::find_request::Key;
use passerelle_proto::backoffice::customers::v1::{
    self as contract, ContactKind, ContactMedium, Customer, Details, ExternalReference,
};
use prost::Message;

/// The package of the contract.
const SERVICE: &str = "passerelle.backoffice.customers.v1.Customers";
/// What a law waits for at most before it calls it a hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// A CRM, and a word that is in the names of the customers of one law only.
#[derive(Clone)]
pub struct Book {
    pub(super) adapter: Arc<dyn Adapter>,
    pub(super) word: String,
}

impl Book {
    pub(super) fn new(adapter: Arc<dyn Adapter>, word: String) -> Self {
        Self { adapter, word }
    }

    pub(super) async fn send(&self, method: &str, messages: Messages, context: Context) -> Result<Messages, Fault> {
        let call = Call { method: format!("{SERVICE}/{method}"), messages, context };
        tokio::time::timeout(PATIENCE, self.adapter.call(call)).await.unwrap_or_else(|_| panic!("{method} hangs"))
    }

    pub(super) async fn ask<A: Message + Default>(&self, method: &str, request: impl Message, key: &str) -> Result<A, Fault> {
        let context = Context { idempotency_key: Some(key.to_owned()).filter(|key| !key.is_empty()), ..Context::default() };
        let answer = self.send(method, Messages::one(request.encode_to_vec()), context).await?.into_one().await?;
        Ok(A::decode(answer).expect("an answer of the contract"))
    }

    pub(super) async fn describe(&self) -> contract::DescribeResponse {
        self.ask("Describe", contract::DescribeRequest {}, "").await.expect("it describes itself")
    }

    /// What a law usually knows of a customer.
    pub(super) fn details(&self, name: &str) -> Details {
        let media =
            [(ContactKind::Email, self.email(name)), (ContactKind::Mobile, format!("+33 6 {}", digits(&self.word, name)))];
        let reference = ExternalReference { system: "erp".to_owned(), id: format!("{}/{name}", self.word) };
        Details {
            name: format!("{name} {}", self.word),
            contact_media: media.map(|(kind, value)| ContactMedium { kind: kind.into(), value }).to_vec(),
            external_references: vec![reference],
        }
    }

    pub(super) fn email(&self, name: &str) -> String {
        format!("{name}.{}@mail.example", self.word)
    }

    pub(super) fn number(&self, name: &str) -> String {
        format!("{}-{name}", self.word)
    }

    /// Makes a customer of that name, with a number.
    pub(super) async fn make(&self, name: &str) -> Customer {
        let made = self.create(&self.number(name), self.details(name), "").await.expect("he is made");
        self.get(&made.id).await.expect("he is there")
    }

    pub(super) async fn create(&self, number: &str, details: Details, key: &str) -> Result<contract::CreateResponse, Fault> {
        self.ask("Create", contract::CreateRequest { number: number.to_owned(), details: Some(details) }, key).await
    }

    pub(super) async fn get(&self, id: &str) -> Result<Customer, Fault> {
        let answer: contract::GetResponse = self.ask("Get", contract::GetRequest { id: id.to_owned() }, "").await?;
        Ok(answer.customer.expect("a customer"))
    }

    pub(super) async fn update(&self, id: &str, version: &str, details: Details, key: &str) -> Result<String, Fault> {
        let request = contract::UpdateRequest { id: id.to_owned(), version: version.to_owned(), details: Some(details) };
        self.ask::<contract::UpdateResponse>("Update", request, key).await.map(|answer| answer.version)
    }

    pub(super) async fn delete(&self, id: &str, version: &str, key: &str) -> Result<(), Fault> {
        let request = contract::DeleteRequest { id: id.to_owned(), version: version.to_owned() };
        self.ask::<contract::DeleteResponse>("Delete", request, key).await.map(drop)
    }

    pub(super) async fn page(&self, key: Key, page_size: u32, page_token: &str) -> Result<contract::FindResponse, Fault> {
        self.ask("Find", contract::FindRequest { key: Some(key), page_size, page_token: page_token.to_owned() }, "").await
    }

    /// The ids of those whom the key fits.
    pub(super) async fn find(&self, key: Key) -> Vec<String> {
        let found = self.page(key, 0, "").await.expect("a page").customers;
        found.into_iter().map(|customer| customer.id).collect()
    }

    pub(super) async fn add(&self, customer: &str, interaction: contract::Interaction, key: &str) -> Result<String, Fault> {
        let request = contract::AddInteractionRequest { customer_id: customer.to_owned(), interaction: Some(interaction) };
        self.ask::<contract::AddInteractionResponse>("AddInteraction", request, key).await.map(|answer| answer.id)
    }

    pub(super) async fn interactions(&self, customer: &str) -> Result<Vec<contract::Interaction>, Fault> {
        let request = contract::ListInteractionsRequest { customer_id: customer.to_owned(), ..Default::default() };
        self.ask::<contract::ListInteractionsResponse>("ListInteractions", request, "").await.map(|answer| answer.interactions)
    }

    pub(super) async fn changes(&self, cursor: &str, page_size: u32) -> Result<contract::ListChangesResponse, Fault> {
        self.ask("ListChanges", contract::ListChangesRequest { cursor: cursor.to_owned(), page_size }, "").await
    }
}

/// Eight digits that are a law's and a name's.
pub(super) fn digits(word: &str, name: &str) -> String {
    let number = word.bytes().chain(name.bytes()).fold(7u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    format!("{:08}", number % 100_000_000)
}

/// What is known, in an order of ours: the contract gives none.
pub(super) fn sorted(customer: &Customer) -> Details {
    let mut details = customer.details.clone().expect("details");
    details.contact_media.sort_by(|left, right| (left.kind, &left.value).cmp(&(right.kind, &right.value)));
    details.external_references.sort_by(|left, right| (&left.system, &left.id).cmp(&(&right.system, &right.id)));
    details
}

/// Whether it is that refusal.
pub(super) fn is(fault: &Fault, reason: Rejection) -> bool {
    matches!(fault, Fault::Rejected { reason: found, .. } if *found == reason)
}

/// The refusal that must come.
pub(super) fn refused<T: std::fmt::Debug>(outcome: Result<T, Fault>, reason: Rejection) {
    let fault = outcome.expect_err("it must be refused");
    assert!(is(&fault, reason), "it must be refused as {reason:?}, not {fault:?}");
}

pub(super) fn unimplemented<T: std::fmt::Debug>(outcome: Result<T, Fault>) {
    assert!(matches!(outcome, Err(Fault::Unimplemented { .. })), "what is not declared is refused, not {outcome:?}");
}
