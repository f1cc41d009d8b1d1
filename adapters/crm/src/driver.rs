//! The trait behind which every CRM stands, one module each.

use std::time::Duration;

use bytes::Bytes;
use passerelle_adapter::{Fault, Health, async_trait};
use passerelle_proto::backoffice::customers::v1::find_request::Key as FindKey;
use passerelle_proto::backoffice::customers::v1::{
    AddInteractionRequest, AddInteractionResponse, Change, Completeness, CreateRequest, CreateResponse, Customer, DeleteRequest,
    Interaction, UpdateRequest, UpdateResponse,
};

use crate::page::Page;
use crate::wire::unable;

/// What a CRM can do, found out by trying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Abilities {
    /// What stands behind, as it said itself.
    pub(crate) product: String,
    /// Versions can be expected, and nobody comes in between.
    pub(crate) preconditions: bool,
    /// Customers can be removed.
    pub(crate) deletes: bool,
    /// What a list of changes tells.
    pub(crate) changes: Completeness,
}

/// The caller's key of one operation. Only its digest is kept.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// SHA-256 of the key, in lower-case hexadecimal.
    pub(crate) digest: String,
    /// SHA-256 of what is asked under it: the same key for something else is a mistake.
    pub(crate) fingerprint: String,
}

/// What became of a key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Remembered {
    /// Its effect happened; the fingerprint says for what, the answer is the method's message.
    Done { fingerprint: String, answer: Bytes },
    /// It had none.
    NotDone,
}

/// A CRM. What it is given has been checked; what it cannot do is not asked of it.
///
/// A fault says what may have happened: `Unknown` if the effect may have, any other if not.
#[async_trait]
pub(crate) trait Driver: Send + Sync + 'static {
    /// `embedded` or `tryton`, as written in the file.
    fn name(&self) -> &'static str;

    /// What stands behind, for people. No credentials.
    fn behind(&self) -> String;

    /// What the CRM can do; tries it the first time.
    async fn abilities(&self) -> Result<Abilities, Fault>;

    /// What became of a key.
    async fn remembered(&self, digest: &str) -> Result<Remembered, Fault>;

    /// The active customers whom the key fits, by id; one more than the page holds if there are more.
    async fn find(&self, key: FindKey, page: Page) -> Result<Vec<Customer>, Fault>;

    /// One customer.
    async fn get(&self, id: &str) -> Result<Customer, Fault>;

    /// Makes a customer.
    async fn create(&self, request: CreateRequest, key: Option<Key>) -> Result<CreateResponse, Fault>;

    /// Replaces what is known of a customer.
    async fn update(&self, request: UpdateRequest, key: Option<Key>) -> Result<UpdateResponse, Fault>;

    /// Removes a customer.
    async fn delete(&self, _request: DeleteRequest, _key: Option<Key>) -> Result<(), Fault> {
        Err(unable(self.name(), "removes no customers"))
    }

    /// Notes what was done.
    async fn add_interaction(&self, request: AddInteractionRequest, key: Option<Key>) -> Result<AddInteractionResponse, Fault>;

    /// What was done, the last noted first; one more than the page holds if there are more.
    async fn interactions(&self, customer: &str, page: Page) -> Result<Vec<Interaction>, Fault>;

    /// What changed since the cursor, and where this page ends.
    async fn changes(&self, cursor: Option<String>, size: usize) -> Result<(Vec<Change>, String), Fault>;

    /// Whether the CRM can be used now.
    async fn health(&self) -> Health;

    /// Closes what is open. No call is in flight, or the grace is over.
    async fn drain(&self, _grace: Duration) {}
}
