//! A store of documents as a law asks it: the contract's methods, over the port.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use passerelle_adapter::{Adapter, Call, Context, Fault, Messages, Rejection};
use passerelle_proto::backoffice::documents::v1::{self as contract, Document, Reference, Start, StoreRequest, read_response};
use prost::Message;
use tokio_stream::Stream;

/// The package of the contract.
const SERVICE: &str = "passerelle.backoffice.documents.v1.Documents";
/// Bytes of a chunk on its way in.
const CHUNK: usize = 48_000;
/// What a law waits for at most before it calls it a hang.
const PATIENCE: Duration = Duration::from_secs(120);

/// A store, and the folder in it that belongs to one law.
#[derive(Clone)]
pub struct Store {
    pub(super) adapter: Arc<dyn Adapter>,
    pub(super) folder: String,
}

impl Store {
    pub(super) fn new(adapter: Arc<dyn Adapter>, folder: String) -> Self {
        Self { adapter, folder }
    }

    pub(super) fn adapter(&self) -> &dyn Adapter {
        &*self.adapter
    }

    pub(super) fn reference(&self, name: &str) -> Reference {
        Reference { folder: self.folder.clone(), name: name.to_owned() }
    }

    /// What `Start` says of a document without wishes.
    pub(super) fn start(&self, name: &str) -> Start {
        Start { reference: Some(self.reference(name)), ..Start::default() }
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

    /// Stores a document whole.
    pub(super) async fn put(&self, name: &str, content: impl Into<Bytes>) -> Result<Document, Fault> {
        self.store(self.start(name), content, "").await
    }

    /// Stores a document as `start` says.
    pub(super) async fn store(&self, start: Start, content: impl Into<Bytes>, key: &str) -> Result<Document, Fault> {
        let context = Context { idempotency_key: Some(key.to_owned()).filter(|key| !key.is_empty()), ..Context::default() };
        self.stream(chunks(start, content.into()), context).await
    }

    pub(super) async fn stream(
        &self,
        messages: impl Stream<Item = Result<Bytes, Fault>> + Send + 'static,
        context: Context,
    ) -> Result<Document, Fault> {
        let answer = self.send("Store", Messages::many(messages), context).await?.into_one().await?;
        let answer = contract::StoreResponse::decode(answer).expect("an answer of the contract");
        Ok(answer.document.expect("a document that was stored"))
    }

    /// Reads a document whole: what the store says of it, and its content.
    pub(super) async fn read(&self, name: &str, version: &str) -> Result<(Document, Vec<u8>), Fault> {
        let (document, mut messages) = self.open(name, version).await?;
        let mut content = Vec::new();
        while let Some(message) = messages.next().await {
            content.extend(chunk(message?));
        }
        Ok((document, content))
    }

    /// Begins to read a document.
    pub(super) async fn open(&self, name: &str, version: &str) -> Result<(Document, Messages), Fault> {
        let request = contract::ReadRequest { reference: Some(self.reference(name)), version: version.to_owned() };
        let mut messages = self.send("Read", Messages::one(request.encode_to_vec()), Context::default()).await?;
        let first = messages.next().await.expect("a first message")?;
        match contract::ReadResponse::decode(first).expect("an answer of the contract").what {
            Some(read_response::What::Document(document)) => Ok((document, messages)),
            other => panic!("the first message is the document, not {other:?}"),
        }
    }

    /// The content; fails when there is none.
    pub(super) async fn content(&self, name: &str) -> Vec<u8> {
        self.read(name, "").await.expect("a document that can be read").1
    }

    pub(super) async fn get(&self, name: &str) -> Result<Document, Fault> {
        let request = contract::GetRequest { reference: Some(self.reference(name)), version: String::new() };
        let answer: contract::GetResponse = self.ask("Get", request, "").await?;
        Ok(answer.document.expect("a document"))
    }

    pub(super) async fn delete(&self, name: &str, version: &str, key: &str) -> Result<(), Fault> {
        let request = contract::DeleteRequest { reference: Some(self.reference(name)), version: version.to_owned() };
        self.ask::<contract::DeleteResponse>("Delete", request, key).await.map(drop)
    }

    /// One page of the law's folder: names, and the token of the next one.
    pub(super) async fn page(&self, page_size: u32, page_token: &str) -> Result<(Vec<String>, String), Fault> {
        let request = contract::ListRequest { folder: self.folder.clone(), page_size, page_token: page_token.to_owned() };
        let answer: contract::ListResponse = self.ask("List", request, "").await?;
        Ok((names(answer.documents), answer.next_page_token))
    }

    /// All names in the law's folder.
    pub(super) async fn names(&self) -> Vec<String> {
        let (mut all, mut token) = self.page(0, "").await.expect("a page");
        while !token.is_empty() {
            let (more, next) = self.page(0, &token).await.expect("a page");
            all.extend(more);
            token = next;
        }
        all
    }

    pub(super) async fn search(&self, entries: &[(&str, &str)]) -> Result<Vec<String>, Fault> {
        let request = contract::SearchRequest { folder: self.folder.clone(), metadata: metadata(entries), ..Default::default() };
        self.ask::<contract::SearchResponse>("Search", request, "").await.map(|answer| names(answer.documents))
    }

    pub(super) async fn versions(&self, name: &str) -> Result<Vec<Document>, Fault> {
        let request = contract::ListVersionsRequest { reference: Some(self.reference(name)) };
        self.ask::<contract::ListVersionsResponse>("ListVersions", request, "").await.map(|answer| answer.versions)
    }

    pub(super) async fn changes(&self, cursor: &str, page_size: u32) -> Result<(Vec<contract::Change>, String), Fault> {
        let request = contract::ListChangesRequest { cursor: cursor.to_owned(), page_size };
        let answer: contract::ListChangesResponse = self.ask("ListChanges", request, "").await?;
        Ok((answer.changes, answer.cursor))
    }

    pub(super) async fn describe(&self) -> contract::DescribeResponse {
        self.ask("Describe", contract::DescribeRequest {}, "").await.expect("a store describes itself")
    }

    /// Whether nothing of that name is there, for any method.
    pub(super) async fn has_nothing(&self, name: &str) -> bool {
        let gone = |fault: Option<Fault>| fault.is_some_and(|fault| is(&fault, Rejection::NotFound));
        gone(self.get(name).await.err())
            && gone(self.read(name, "").await.err())
            && !self.names().await.contains(&name.to_owned())
    }
}

/// The messages that store a content.
pub(super) fn chunks(start: Start, content: Bytes) -> impl Stream<Item = Result<Bytes, Fault>> + Send + 'static {
    let pieces = (0..content.len().div_ceil(CHUNK)).map(move |piece| {
        let from = piece * CHUNK;
        Ok(piece_of(content.slice(from..content.len().min(from + CHUNK))))
    });
    tokio_stream::iter(std::iter::once(Ok(first(start))).chain(pieces))
}

/// The message that begins a storing.
pub(super) fn first(start: Start) -> Bytes {
    StoreRequest { what: Some(contract::store_request::What::Start(start)) }.encode_to_vec().into()
}

/// A message with a part of a content.
pub(super) fn piece_of(chunk: Bytes) -> Bytes {
    StoreRequest { what: Some(contract::store_request::What::Chunk(chunk)) }.encode_to_vec().into()
}

/// The bytes of a message after the first one.
pub(super) fn chunk(message: Bytes) -> Bytes {
    match contract::ReadResponse::decode(message).expect("an answer of the contract").what {
        Some(read_response::What::Chunk(chunk)) => chunk,
        other => panic!("after the document come chunks, not {other:?}"),
    }
}

pub(super) fn metadata(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

pub(super) fn names(documents: Vec<Document>) -> Vec<String> {
    documents.into_iter().map(|document| document.reference.expect("a document has a reference").name).collect()
}

/// Whether it is that refusal.
pub(super) fn is(fault: &Fault, reason: Rejection) -> bool {
    matches!(fault, Fault::Rejected { reason: found, .. } if *found == reason)
}

/// The refusal that must come.
pub(super) fn refused<T: std::fmt::Debug>(outcome: Result<T, Fault>, reason: Rejection) -> Fault {
    let fault = outcome.expect_err("it must be refused");
    assert!(is(&fault, reason), "it must be refused as {reason:?}, not {fault:?}");
    fault
}

/// The deadline that far ahead.
pub(super) fn within(time: Duration) -> Context {
    Context { deadline: Some(Instant::now() + time), ..Context::default() }
}

/// Bytes that look like no other content's, the same for the same seed.
pub(super) fn bytes(length: usize, seed: u64) -> Bytes {
    let mut random = fastrand::Rng::with_seed(seed ^ length as u64);
    let mut bytes = vec![0; length];
    random.fill(&mut bytes);
    bytes.into()
}
