//! The open adapter: methods taken apart, checked, refused where the store cannot, and handed to the driver.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use data_encoding::HEXLOWER;
use futures_util::StreamExt;
use futures_util::stream::{once, unfold};
use passerelle_adapter::{
    Abilities, Adapter, Call, Context, Descriptor, Fault, Health, Lookup, Messages, Operation, Place, Places, UnderWay,
    async_trait,
};
use passerelle_proto::backoffice::documents::v1::read_response::What as Reading;
use passerelle_proto::backoffice::documents::v1::start::Expect as Expected;
use passerelle_proto::backoffice::documents::v1::store_request::What as Storing;
use passerelle_proto::backoffice::documents::v1::{self as contract, Completeness, Search};
use prost::Message;
use ring::digest::{SHA256, digest};

use crate::checks;
use crate::content::{Announced, Content};
use crate::driver::{self, Deleting, Driver, Effect, Expect, Key, Remembered};
use crate::file::Limits;
use crate::kind::CONTRACT;
use crate::page::{Page, size_of_page};
use crate::wire::{answer, decode, invalid, one, unable};

/// Methods that change nothing.
pub(crate) const READS: [&str; 7] = ["Describe", "Read", "Get", "List", "Search", "ListVersions", "ListChanges"];

/// A store of documents that looks like a gRPC contract.
pub(crate) struct DocumentsAdapter {
    descriptor: Descriptor,
    driver: Arc<dyn Driver>,
    limits: Limits,
    places: Places,
    /// Digests of keys.
    under_way: UnderWay,
}

impl DocumentsAdapter {
    pub(crate) fn new(descriptor: Descriptor, endpoint: String, driver: Arc<dyn Driver>, limits: Limits) -> Self {
        let places = Places::new(endpoint, limits.calls);
        Self { descriptor, driver, limits, places, under_way: UnderWay::default() }
    }

    async fn carry(&self, method: &str, messages: Messages, context: &Context, place: Place) -> Result<Messages, Fault> {
        match method {
            "Describe" => self.describe(one(messages).await?).await,
            "Store" => self.store(messages, context).await,
            "Read" => self.read(one(messages).await?, context.deadline, place).await,
            "Get" => self.get(one(messages).await?).await,
            "List" => self.list(one(messages).await?).await,
            "Search" => self.search(one(messages).await?).await,
            "ListVersions" => self.versions(one(messages).await?).await,
            "Delete" => self.delete(one(messages).await?, context).await,
            "ListChanges" => self.changes(one(messages).await?).await,
            _ => Err(Fault::Unimplemented { message: format!("{CONTRACT}.Documents has {}, Store, Delete", READS.join(", ")) }),
        }
    }

    async fn describe(&self, _request: contract::DescribeRequest) -> Result<Messages, Fault> {
        let abilities = self.driver.abilities().await?;
        Ok(answer(&contract::DescribeResponse {
            driver: self.driver.name().to_owned(),
            versions: abilities.versions,
            preconditions: abilities.preconditions,
            search: abilities.search.into(),
            changes: abilities.changes.into(),
            document_bytes_max: self.limits.document_bytes,
            refused_characters: abilities.refused.iter().collect(),
        }))
    }

    async fn store(&self, mut messages: Messages, context: &Context) -> Result<Messages, Fault> {
        let first = messages.next().await.ok_or_else(|| invalid("the first message must be `start`"))??;
        let Some(Storing::Start(start)) = decode::<contract::StoreRequest>(first)?.what else {
            return Err(invalid("the first message must be `start`"));
        };
        let key = key(context, "Store", &start)?;
        let reference = checks::reference(start.reference)?;
        checks::metadata(&start.metadata)?;
        let expect = match start.expect {
            None | Some(Expected::Absent(false)) => Expect::Anything,
            Some(Expected::Absent(true)) => {
                self.need_preconditions().await?;
                Expect::Absent
            }
            Some(Expected::Version(version)) => self.expect_version(version).await?,
        };
        let announced = Announced { size: start.size_bytes, sha256: checks::sha256(start.sha256)? };
        let content = Content::new(messages, announced, self.limits.document_bytes)?;
        let media_type = checks::media_type(start.media_type)?;
        let _one_at_a_time = self.begin(key.as_ref())?;
        let document = match self.remembered(key.as_ref()).await? {
            Some(Effect::Stored(document)) => document,
            Some(Effect::Deleted) => return Err(key_used()),
            None => {
                let storing = driver::Storing { reference, media_type, metadata: start.metadata, expect, key };
                self.driver.store(storing, content).await?
            }
        };
        Ok(answer(&contract::StoreResponse { document: Some(document) }))
    }

    async fn delete(&self, request: contract::DeleteRequest, context: &Context) -> Result<Messages, Fault> {
        let key = key(context, "Delete", &request)?;
        let reference = checks::reference(request.reference)?;
        let expect = match request.version {
            none if none.is_empty() => Expect::Anything,
            version => self.expect_version(version).await?,
        };
        let _one_at_a_time = self.begin(key.as_ref())?;
        match self.remembered(key.as_ref()).await? {
            Some(Effect::Deleted) => {}
            Some(Effect::Stored(_)) => return Err(key_used()),
            None => self.driver.delete(Deleting { reference, expect, key }).await?,
        }
        Ok(answer(&contract::DeleteResponse {}))
    }

    async fn read(&self, request: contract::ReadRequest, deadline: Option<Instant>, place: Place) -> Result<Messages, Fault> {
        let reference = checks::reference(request.reference)?;
        let version = self.former(request.version).await?;
        let (document, chunks) = self.driver.read(reference, version).await?;
        let message = |what| Bytes::from(contract::ReadResponse { what: Some(what) }.encode_to_vec());
        let first = once(async move { Ok(message(Reading::Document(document))) });
        // The call counts until its last byte is out.
        let chunks = unfold((chunks, place), move |(mut chunks, place)| async move {
            let next = within(deadline, async { chunks.next().await.transpose() }).await.transpose()?;
            Some((next.map(|chunk| message(Reading::Chunk(chunk))), (chunks, place)))
        });
        Ok(Messages::many(first.chain(chunks)))
    }

    async fn get(&self, request: contract::GetRequest) -> Result<Messages, Fault> {
        let reference = checks::reference(request.reference)?;
        let version = self.former(request.version).await?;
        let document = self.driver.get(reference, version).await?;
        Ok(answer(&contract::GetResponse { document: Some(document) }))
    }

    async fn list(&self, request: contract::ListRequest) -> Result<Messages, Fault> {
        checks::folder(&request.folder)?;
        let page = Page::new(request.page_size, &request.page_token)?;
        let (documents, next_page_token) = self.page(request.folder, Default::default(), page).await?;
        Ok(answer(&contract::ListResponse { documents, next_page_token }))
    }

    async fn search(&self, request: contract::SearchRequest) -> Result<Messages, Fault> {
        checks::folder(&request.folder)?;
        checks::metadata(&request.metadata)?;
        if request.metadata.is_empty() {
            return Err(invalid("metadata is empty: a search asks for at least one entry, List gives them all"));
        }
        if self.driver.abilities().await?.search == Search::Unspecified {
            return Err(unable(self.driver.name(), "cannot be searched"));
        }
        let page = Page::new(request.page_size, &request.page_token)?;
        let (documents, next_page_token) = self.page(request.folder, request.metadata, page).await?;
        Ok(answer(&contract::SearchResponse { documents, next_page_token }))
    }

    async fn page(
        &self,
        folder: String,
        filter: std::collections::BTreeMap<String, String>,
        page: Page,
    ) -> Result<(Vec<contract::Document>, String), Fault> {
        let size = page.size;
        let mut documents = self.driver.find(folder, filter, page).await?;
        let more = documents.len() > size;
        documents.truncate(size);
        let last = documents.last().and_then(|document| document.reference.as_ref());
        let next = last.filter(|_| more).map(|reference| Page::token(&reference.name)).unwrap_or_default();
        Ok((documents, next))
    }

    async fn versions(&self, request: contract::ListVersionsRequest) -> Result<Messages, Fault> {
        let reference = checks::reference(request.reference)?;
        if !self.driver.abilities().await?.versions {
            return Err(unable(self.driver.name(), "keeps no former versions"));
        }
        let versions = self.driver.versions(reference).await?;
        Ok(answer(&contract::ListVersionsResponse { versions }))
    }

    async fn changes(&self, request: contract::ListChangesRequest) -> Result<Messages, Fault> {
        let cursor = checks::token("cursor", request.cursor)?;
        let size = size_of_page(request.page_size)?;
        if self.driver.abilities().await?.changes == Completeness::Unspecified {
            return Err(unable(self.driver.name(), "keeps no list of changes"));
        }
        let (changes, cursor) = self.driver.changes(cursor, size).await?;
        Ok(answer(&contract::ListChangesResponse { changes, cursor }))
    }

    /// The version that is asked for, of a store that keeps former ones.
    async fn former(&self, version: String) -> Result<Option<String>, Fault> {
        let version = checks::token("version", version)?;
        if version.is_some() && !self.driver.abilities().await?.versions {
            return Err(unable(self.driver.name(), "keeps no former versions: leave `version` out"));
        }
        Ok(version)
    }

    async fn expect_version(&self, version: String) -> Result<Expect, Fault> {
        let Some(version) = checks::token("version", version)? else {
            return Err(invalid("the expected version is empty"));
        };
        self.need_preconditions().await?;
        Ok(Expect::Version(version))
    }

    async fn need_preconditions(&self) -> Result<(), Fault> {
        match self.driver.abilities().await?.preconditions {
            true => Ok(()),
            false => Err(unable(self.driver.name(), "cannot make sure of what is expected")),
        }
    }

    /// The effect that this key had already.
    async fn remembered(&self, key: Option<&Key>) -> Result<Option<Effect>, Fault> {
        let Some(key) = key else { return Ok(None) };
        match self.driver.remembered(&key.digest).await? {
            Remembered::NotDone => Ok(None),
            Remembered::Done { fingerprint, effect } if fingerprint == key.fingerprint => Ok(Some(effect)),
            Remembered::Done { .. } => Err(key_used()),
            Remembered::Undecided => Err(Fault::unknown(
                "what became of the first try under this idempotency key cannot be told: look at the document",
            )),
        }
    }

    /// Two calls under one key do not run at the same time.
    fn begin(&self, key: Option<&Key>) -> Result<Option<Operation>, Fault> {
        key.map(|key| self.under_way.begin(&key.digest)).transpose()
    }
}

fn key(context: &Context, method: &str, request: &impl Message) -> Result<Option<Key>, Fault> {
    let Some(key) = checks::token("the idempotency key", context.idempotency_key.clone().unwrap_or_default())? else {
        return Ok(None);
    };
    let mut asked = method.as_bytes().to_vec();
    asked.extend(request.encode_to_vec());
    let hex = |bytes: &[u8]| HEXLOWER.encode(digest(&SHA256, bytes).as_ref());
    Ok(Some(Key { digest: hex(key.as_bytes()), fingerprint: hex(&asked) }))
}

fn key_used() -> Fault {
    invalid("this idempotency key was used for something else")
}

/// Gives up at the deadline.
async fn within<T>(deadline: Option<Instant>, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let Some(at) = deadline else { return work.await };
    let late = || Fault::DeadlineExceeded { message: "the store of documents did not finish within the deadline".to_owned() };
    // What is always ready at once would never be late.
    if at <= Instant::now() {
        return Err(late());
    }
    tokio::time::timeout_at(at.into(), work).await.map_err(|_| late())?
}

#[async_trait]
impl Adapter for DocumentsAdapter {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn abilities(&self) -> Abilities {
        Abilities { lookup: true }
    }

    async fn call(&self, call: Call) -> Result<Messages, Fault> {
        let method = call.method.strip_prefix(CONTRACT).and_then(|rest| rest.strip_prefix(".Documents/")).unwrap_or_default();
        let place = self.places.take()?;
        within(call.context.deadline, self.carry(method, call.messages, &call.context, place)).await
    }

    async fn lookup(&self, idempotency_key: &str) -> Result<Lookup, Fault> {
        let digest = HEXLOWER.encode(digest(&SHA256, idempotency_key.as_bytes()).as_ref());
        self.under_way.ended(&digest)?;
        Ok(match self.driver.remembered(&digest).await? {
            Remembered::NotDone => Lookup::NotDone,
            Remembered::Undecided => Lookup::Undecided,
            Remembered::Done { effect: Effect::Deleted, .. } => Lookup::Done(contract::DeleteResponse {}.encode_to_vec().into()),
            Remembered::Done { effect: Effect::Stored(document), .. } => {
                Lookup::Done(contract::StoreResponse { document: Some(document) }.encode_to_vec().into())
            }
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
