//! The open adapter: methods taken apart, checked, refused where the CRM cannot, and handed to the driver.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use data_encoding::HEXLOWER;
use passerelle_adapter::{
    Abilities, Adapter, Call, Context, Descriptor, Fault, Health, Lookup, Messages, Places, UnderWay, async_trait,
};
use passerelle_proto::backoffice::customers::v1::{self as contract, Completeness};
use prost::Message;
use ring::digest::{SHA256, digest};

use crate::checks;
use crate::driver::{Driver, Key, Remembered};
use crate::kind::CONTRACT;
use crate::page::{Page, size_of_page};
use crate::wire::{bytes, invalid, one, unable};

/// Methods that change nothing.
pub(crate) const READS: [&str; 5] = ["Describe", "Find", "Get", "ListInteractions", "ListChanges"];

/// A CRM that looks like a gRPC contract.
pub(crate) struct CrmAdapter {
    descriptor: Descriptor,
    driver: Arc<dyn Driver>,
    places: Places,
    /// Digests of keys.
    under_way: UnderWay,
}

impl CrmAdapter {
    pub(crate) fn new(descriptor: Descriptor, driver: Arc<dyn Driver>, places: Places) -> Self {
        Self { descriptor, driver, places, under_way: UnderWay::default() }
    }

    async fn carry(&self, method: &str, messages: Messages, context: &Context) -> Result<Bytes, Fault> {
        match method {
            "Describe" => self.describe(one(messages).await?).await,
            "Find" => self.find(one(messages).await?).await,
            "Get" => self.get(one(messages).await?).await,
            "Create" => self.create(one(messages).await?, context).await,
            "Update" => self.update(one(messages).await?, context).await,
            "Delete" => self.delete(one(messages).await?, context).await,
            "AddInteraction" => self.add_interaction(one(messages).await?, context).await,
            "ListInteractions" => self.interactions(one(messages).await?).await,
            "ListChanges" => self.changes(one(messages).await?).await,
            _ => {
                let message = format!("{CONTRACT}.Customers has {}, Create, Update, Delete, AddInteraction", READS.join(", "));
                Err(Fault::Unimplemented { message })
            }
        }
    }

    async fn describe(&self, _request: contract::DescribeRequest) -> Result<Bytes, Fault> {
        let abilities = self.driver.abilities().await?;
        Ok(bytes(&contract::DescribeResponse {
            driver: self.driver.name().to_owned(),
            product: abilities.product,
            preconditions: abilities.preconditions,
            deletes: abilities.deletes,
            changes: abilities.changes.into(),
        }))
    }

    async fn find(&self, request: contract::FindRequest) -> Result<Bytes, Fault> {
        let key = checks::find_key(request.key)?;
        let page = Page::new(request.page_size, &request.page_token)?;
        let size = page.size;
        let mut customers = self.driver.find(key, page).await?;
        let next_page_token = next_page(&mut customers, size, |customer| &customer.id);
        Ok(bytes(&contract::FindResponse { customers, next_page_token }))
    }

    async fn get(&self, request: contract::GetRequest) -> Result<Bytes, Fault> {
        let customer = self.driver.get(&id("id", request.id)?).await?;
        Ok(bytes(&contract::GetResponse { customer: Some(customer) }))
    }

    async fn create(&self, mut request: contract::CreateRequest, context: &Context) -> Result<Bytes, Fault> {
        let key = key(context, "Create", &request)?;
        checks::number(&request.number)?;
        request.details = Some(checks::details(request.details)?);
        self.once(key, async |key| Ok(bytes(&self.driver.create(request, key).await?))).await
    }

    async fn update(&self, mut request: contract::UpdateRequest, context: &Context) -> Result<Bytes, Fault> {
        let key = key(context, "Update", &request)?;
        request.id = id("id", request.id)?;
        request.details = Some(checks::details(request.details)?);
        request.version = self.expected(request.version).await?;
        self.once(key, async |key| Ok(bytes(&self.driver.update(request, key).await?))).await
    }

    async fn delete(&self, mut request: contract::DeleteRequest, context: &Context) -> Result<Bytes, Fault> {
        let key = key(context, "Delete", &request)?;
        request.id = id("id", request.id)?;
        if !self.driver.abilities().await?.deletes {
            return Err(unable(self.driver.name(), "removes no customers"));
        }
        request.version = self.expected(request.version).await?;
        let delete = async |key| {
            self.driver.delete(request, key).await?;
            Ok(bytes(&contract::DeleteResponse {}))
        };
        self.once(key, delete).await
    }

    async fn add_interaction(&self, mut request: contract::AddInteractionRequest, context: &Context) -> Result<Bytes, Fault> {
        let key = key(context, "AddInteraction", &request)?;
        request.customer_id = id("customer_id", request.customer_id)?;
        request.interaction = Some(checks::interaction(request.interaction)?);
        self.once(key, async |key| Ok(bytes(&self.driver.add_interaction(request, key).await?))).await
    }

    async fn interactions(&self, request: contract::ListInteractionsRequest) -> Result<Bytes, Fault> {
        let customer = id("customer_id", request.customer_id)?;
        let page = Page::new(request.page_size, &request.page_token)?;
        let size = page.size;
        let mut interactions = self.driver.interactions(&customer, page).await?;
        let next_page_token = next_page(&mut interactions, size, |interaction| &interaction.id);
        Ok(bytes(&contract::ListInteractionsResponse { interactions, next_page_token }))
    }

    async fn changes(&self, request: contract::ListChangesRequest) -> Result<Bytes, Fault> {
        let cursor = checks::token("cursor", request.cursor)?;
        let size = size_of_page(request.page_size)?;
        if self.driver.abilities().await?.changes == Completeness::Unspecified {
            return Err(unable(self.driver.name(), "keeps no list of changes"));
        }
        let (changes, cursor) = self.driver.changes(cursor, size).await?;
        Ok(bytes(&contract::ListChangesResponse { changes, cursor }))
    }

    /// The expected version, of a CRM that can make sure of it.
    async fn expected(&self, version: String) -> Result<String, Fault> {
        let version = checks::token("version", version)?;
        if version.is_some() && !self.driver.abilities().await?.preconditions {
            return Err(unable(self.driver.name(), "cannot make sure of a version: leave `version` out"));
        }
        Ok(version.unwrap_or_default())
    }

    /// An effect under a key happens once, and two calls under one key do not run at the same time.
    async fn once(
        &self,
        key: Option<Key>,
        effect: impl AsyncFnOnce(Option<Key>) -> Result<Bytes, Fault>,
    ) -> Result<Bytes, Fault> {
        let Some(key) = key else { return effect(None).await };
        let _until_done = self.under_way.begin(&key.digest)?;
        match self.driver.remembered(&key.digest).await? {
            Remembered::NotDone => effect(Some(key)).await,
            Remembered::Done { fingerprint, answer } if fingerprint == key.fingerprint => Ok(answer),
            Remembered::Done { .. } => Err(invalid("this idempotency key was used for something else")),
        }
    }
}

/// Cuts what is more than the page, and gives the token of the next one.
fn next_page<T>(all: &mut Vec<T>, size: usize, id: impl Fn(&T) -> &str) -> String {
    let more = all.len() > size;
    all.truncate(size);
    all.last().filter(|_| more).map(|last| Page::token(id(last))).unwrap_or_default()
}

fn id(field: &str, id: String) -> Result<String, Fault> {
    checks::token(field, id)?.ok_or_else(|| invalid(format!("{field} is empty")))
}

fn key(context: &Context, method: &str, request: &impl Message) -> Result<Option<Key>, Fault> {
    let Some(key) = checks::token("the idempotency key", context.idempotency_key.clone().unwrap_or_default())? else {
        return Ok(None);
    };
    let mut asked = method.as_bytes().to_vec();
    asked.extend(request.encode_to_vec());
    Ok(Some(Key { digest: sha256(key.as_bytes()), fingerprint: sha256(&asked) }))
}

fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest(&SHA256, bytes).as_ref())
}

/// Gives up at the deadline.
async fn within<T>(deadline: Option<Instant>, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let Some(at) = deadline else { return work.await };
    let late = || Fault::DeadlineExceeded { message: "the CRM did not finish within the deadline".to_owned() };
    // What is always ready at once would never be late.
    if at <= Instant::now() {
        return Err(late());
    }
    tokio::time::timeout_at(at.into(), work).await.map_err(|_| late())?
}

#[async_trait]
impl Adapter for CrmAdapter {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn abilities(&self) -> Abilities {
        Abilities { lookup: true }
    }

    async fn call(&self, call: Call) -> Result<Messages, Fault> {
        let method = call.method.strip_prefix(CONTRACT).and_then(|rest| rest.strip_prefix(".Customers/")).unwrap_or_default();
        let _place = self.places.take()?;
        within(call.context.deadline, self.carry(method, call.messages, &call.context)).await.map(Messages::one)
    }

    async fn lookup(&self, idempotency_key: &str) -> Result<Lookup, Fault> {
        let digest = sha256(idempotency_key.as_bytes());
        self.under_way.ended(&digest)?;
        Ok(match self.driver.remembered(&digest).await? {
            Remembered::NotDone => Lookup::NotDone,
            Remembered::Done { answer, .. } => Lookup::Done(answer),
        })
    }

    async fn health(&self) -> Health {
        self.driver.health().await
    }

    async fn drain(&self, grace: Duration) {
        self.places.drain(grace).await;
        self.driver.drain(grace).await;
    }
}
