//! Small broken stores, one planted bug each: the laws must catch every one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use passerelle_adapter::{Adapter, Call, Descriptor, Fault, Health, Lookup, Messages, Rejection, async_trait};
use passerelle_conformance::documents::{LAWS, broken};
use passerelle_proto::backoffice::documents::v1::store_request::What;
use passerelle_proto::backoffice::documents::v1::{self as contract, read_response};
use prost::Message;
use tokio_stream::StreamExt;

use super::place::folder;

/// Each bug, and a law that catches it.
const BUGS: [(Bug, &str); 22] = [
    (Bug::LastByteLost, "what was stored is read byte by byte"),
    (Bug::OneBitFlipped, "what was stored is read byte by byte"),
    (Bug::EmptyRefused, "what was stored is read byte by byte"),
    (Bug::LargeTruncated, "twenty mebibytes pass as a stream"),
    (Bug::OneLargeChunk, "a content comes in chunks of at most 64 KiB"),
    (Bug::AnnouncementIgnored, "what is announced is held against what comes"),
    (Bug::LimitNotTold, "what is too large is refused with the limit"),
    (Bug::MetadataTrimmed, "what is known is kept as it was said"),
    (Bug::NamesFolded, "names are kept letter by letter"),
    (Bug::FolderIgnored, "the same name in another folder is another document"),
    (Bug::ExpectationIgnored, "an old version is refused as a conflict"),
    (Bug::AbsenceIgnored, "a document that must be new does not replace another"),
    (Bug::ConflictCalledUnavailable, "an old version is refused as a conflict"),
    (Bug::KeyIgnored, "the same key gives the same answer and one effect"),
    (Bug::KeyAnswersAnything, "a key is for one thing only"),
    (Bug::LookupKnowsNothing, "what became of a key can be looked up"),
    (Bug::BrokenContentKept, "a content that breaks off leaves nothing"),
    (Bug::DeadlineIgnored, "a deadline within a storing leaves nothing"),
    (Bug::FirstPageOnly, "pages are complete and in order"),
    (Bug::SearchTakesAny, "a search gives what has all that is asked"),
    (Bug::VersionsSilentlyNone, "former versions are kept or refused"),
    (Bug::FaultTells, "no fault tells what a document holds"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bug {
    LastByteLost,
    OneBitFlipped,
    EmptyRefused,
    LargeTruncated,
    OneLargeChunk,
    AnnouncementIgnored,
    LimitNotTold,
    MetadataTrimmed,
    NamesFolded,
    FolderIgnored,
    ExpectationIgnored,
    AbsenceIgnored,
    ConflictCalledUnavailable,
    KeyIgnored,
    KeyAnswersAnything,
    LookupKnowsNothing,
    BrokenContentKept,
    DeadlineIgnored,
    FirstPageOnly,
    SearchTakesAny,
    VersionsSilentlyNone,
    FaultTells,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_planted_bug_is_caught() {
    let place = folder().await;
    for (bug, name) in BUGS {
        let store: Arc<dyn Adapter> = Arc::new(Broken { bug, inner: place.adapter.clone(), answers: Mutex::default() });
        let law: Vec<_> = LAWS.into_iter().filter(|(law, _)| *law == name).collect();
        assert_eq!(law.len(), 1, "there is no law `{name}`");
        // What the bug is held against is no law that fails anyway.
        assert!(broken(&place.adapter, &law).await.is_empty(), "{name} is broken without a bug");
        assert_eq!(broken(&store, &law).await, [name], "{bug:?} is not caught");
    }
}

/// A good store with a bug before it.
struct Broken {
    bug: Bug,
    inner: Arc<dyn Adapter>,
    /// By idempotency key, for the bug that looks at nothing else.
    answers: Mutex<BTreeMap<String, Bytes>>,
}

#[async_trait]
impl Adapter for Broken {
    fn descriptor(&self) -> &Descriptor {
        self.inner.descriptor()
    }

    async fn call(&self, mut call: Call) -> Result<Messages, Fault> {
        let method = call.method.rsplit('/').next().unwrap_or_default().to_owned();
        match self.bug {
            Bug::KeyIgnored => call.context.idempotency_key = None,
            Bug::DeadlineIgnored if method == "Store" => {
                call.context.deadline = None;
                call.messages = Messages::many(call.messages.timeout(Duration::from_secs(1)).map_while(Result::ok));
            }
            Bug::KeyAnswersAnything if method == "Store" => return self.remembering(call).await,
            Bug::LargeTruncated if method == "Store" => call.messages = Messages::many(call.messages.take(300)),
            _ => {}
        }
        call.messages = match method.as_str() {
            "Store" => Messages::many(stored_with(self.bug, call.messages)),
            "List" if self.bug == Bug::FirstPageOnly => edited(call.messages, |list: &mut contract::ListRequest| {
                list.page_token.clear();
            }),
            "Search" if self.bug == Bug::SearchTakesAny => edited(call.messages, |search: &mut contract::SearchRequest| {
                while search.metadata.len() > 1 {
                    search.metadata.pop_last();
                }
            }),
            "Read" | "Get" | "Delete" => referred_with(self.bug, &method, call.messages),
            _ => call.messages,
        };
        if self.bug == Bug::VersionsSilentlyNone && method == "ListVersions" {
            return Ok(Messages::one(contract::ListVersionsResponse::default().encode_to_vec()));
        }
        let bug = self.bug;
        let answered = self.inner.call(call).await.map_err(|fault| told_with(bug, fault))?;
        Ok(if method == "Read" { Messages::many(read_with(bug, answered).await) } else { answered })
    }

    async fn lookup(&self, idempotency_key: &str) -> Result<Lookup, Fault> {
        match self.bug {
            Bug::LookupKnowsNothing => Ok(Lookup::NotDone),
            _ => self.inner.lookup(idempotency_key).await,
        }
    }

    async fn health(&self) -> Health {
        self.inner.health().await
    }

    async fn drain(&self, _grace: Duration) {}
}

impl Broken {
    async fn remembering(&self, call: Call) -> Result<Messages, Fault> {
        let key = call.context.idempotency_key.clone().unwrap_or_default();
        let known = self.answers.lock().expect("no panic").get(&key).cloned();
        if let Some(answer) = known.filter(|_| !key.is_empty()) {
            return Ok(Messages::one(answer));
        }
        let answer = self.inner.call(call).await?.into_one().await?;
        self.answers.lock().expect("no panic").insert(key, answer.clone());
        Ok(Messages::one(answer))
    }
}

fn edited<M: Message + Default>(messages: Messages, edit: impl Fn(&mut M) + Send + 'static) -> Messages {
    Messages::many(messages.map(move |message| {
        let mut message = M::decode(message?).map_err(|_| Fault::rejected(Rejection::Invalid, "garbage"))?;
        edit(&mut message);
        Ok(message.encode_to_vec().into())
    }))
}

fn stored_with(bug: Bug, messages: Messages) -> impl tokio_stream::Stream<Item = Result<Bytes, Fault>> + Send {
    let messages = messages.take_while(move |message| bug != Bug::BrokenContentKept || message.is_ok());
    edited(Messages::many(messages), move |request: &mut contract::StoreRequest| {
        let Some(What::Start(start)) = &mut request.what else { return };
        match (bug, &start.expect) {
            (Bug::ExpectationIgnored, Some(contract::start::Expect::Version(_)))
            | (Bug::AbsenceIgnored, Some(contract::start::Expect::Absent(_))) => start.expect = None,
            _ => {}
        }
        if bug == Bug::AnnouncementIgnored {
            (start.size_bytes, start.sha256) = (None, String::new());
        }
        if bug == Bug::MetadataTrimmed {
            start.metadata.values_mut().for_each(|value| *value = value.trim().to_owned());
        }
        start.reference = start.reference.take().map(|reference| misplaced(bug, reference));
    })
}

fn referred_with(bug: Bug, method: &str, messages: Messages) -> Messages {
    let place =
        move |reference: &mut Option<contract::Reference>| *reference = reference.take().map(|found| misplaced(bug, found));
    match method {
        "Read" => edited(messages, move |request: &mut contract::ReadRequest| place(&mut request.reference)),
        "Get" => edited(messages, move |request: &mut contract::GetRequest| place(&mut request.reference)),
        _ => edited(messages, move |request: &mut contract::DeleteRequest| place(&mut request.reference)),
    }
}

fn misplaced(bug: Bug, mut reference: contract::Reference) -> contract::Reference {
    match bug {
        Bug::NamesFolded => reference.name = reference.name.to_lowercase(),
        Bug::FolderIgnored => reference.folder.truncate(reference.folder.find('/').unwrap_or(reference.folder.len())),
        _ => {}
    }
    reference
}

fn told_with(bug: Bug, fault: Fault) -> Fault {
    match (bug, fault) {
        (Bug::ConflictCalledUnavailable, Fault::Rejected { reason: Rejection::Conflict, message }) => Fault::unavailable(message),
        (Bug::LimitNotTold, Fault::Rejected { reason, .. }) => Fault::rejected(reason, "it is too large"),
        (Bug::FaultTells, Fault::Rejected { reason, message }) => Fault::rejected(reason, format!("Durand-4711.pdf: {message}")),
        (_, fault) => fault,
    }
}

async fn read_with(bug: Bug, mut messages: Messages) -> tokio_stream::Iter<std::vec::IntoIter<Result<Bytes, Fault>>> {
    let (mut first, mut content) = (None, Vec::new());
    while let Some(message) = messages.next().await {
        match message.map(|message| contract::ReadResponse::decode(message).map(|response| response.what)) {
            Ok(Ok(Some(read_response::What::Chunk(chunk)))) => content.extend(chunk),
            Ok(Ok(document)) => first = document,
            _ => return tokio_stream::iter(vec![Err(Fault::unavailable("broken off"))]),
        }
    }
    match bug {
        Bug::EmptyRefused if content.is_empty() => return tokio_stream::iter(vec![Err(Fault::unavailable("nothing there"))]),
        Bug::LastByteLost => drop(content.pop()),
        Bug::OneBitFlipped if content.len() > 1 => content[1] ^= 1,
        _ => {}
    }
    let size = if bug == Bug::OneLargeChunk { usize::MAX } else { 64 << 10 };
    let chunks = content.chunks(size).map(|chunk| read_response::What::Chunk(Bytes::copy_from_slice(chunk)));
    let message = |what| Ok(Bytes::from(contract::ReadResponse { what: Some(what) }.encode_to_vec()));
    tokio_stream::iter(first.into_iter().chain(chunks).map(message).collect::<Vec<_>>())
}

/// Reads everything before it begins.
pub(crate) struct Hoarding(pub(crate) Arc<dyn Adapter>);

#[async_trait]
impl Adapter for Hoarding {
    fn descriptor(&self) -> &Descriptor {
        self.0.descriptor()
    }

    async fn call(&self, mut call: Call) -> Result<Messages, Fault> {
        let held: Vec<_> = call.messages.collect().await;
        call.messages = Messages::many(tokio_stream::iter(held));
        self.0.call(call).await
    }

    async fn health(&self) -> Health {
        self.0.health().await
    }

    async fn drain(&self, _grace: Duration) {}
}
