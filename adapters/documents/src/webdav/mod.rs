//! The driver `webdav`: documents on a server that speaks RFC 4918 and keeps properties.
//!
//! A document is a resource, its metadata are properties. It is uploaded and described in `.passerelle/uploads`, then moved to its place: one
//! request makes it visible whole. What it replaces is locked meanwhile, and compared under the lock: servers differ in the conditions that
//! they obey on MOVE and DELETE, but a lock they all obey.

mod keys;
mod line;
mod multistatus;
#[cfg(test)]
mod multistatus_tests;
mod places;
mod probe;
mod properties;
mod server;
mod store;
mod verbs;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use futures_util::stream::unfold;
use hyper::StatusCode;
use hyper::header::ETAG;
use passerelle_adapter::{Fault, Health, Secrets, async_trait};
use passerelle_proto::backoffice::documents::v1::{Document, Reference};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::OnceCell;

use self::line::{Ask, Broken, Line};
use self::multistatus::bare_etag;
use self::places::Places;
use self::server::{Server, last_name};
use self::store::Store;
use crate::content::Content;
use crate::driver::{Abilities, Chunks, Deleting, Driver, Remembered, Storing};
use crate::file::WebdavSettings;
use crate::page::Page;
use crate::wire::{not_found, unable};

/// Bytes of one chunk on its way out, at most.
const CHUNK: usize = 64 << 10;
/// How often a document that others change is read again until its description and its content belong together.
const TRIES: usize = 5;

/// Documents on a WebDAV server.
pub(crate) struct Webdav {
    server: Arc<Server>,
    url: String,
    folder_documents: usize,
    abilities: OnceCell<Abilities>,
    places: Arc<Places>,
}

impl Webdav {
    /// `path` is the integrator's file.
    pub(crate) fn new(path: &Path, settings: &WebdavSettings, secrets: &dyn Secrets) -> Result<Self, String> {
        let server = Arc::new(Server::new(path, settings, secrets)?);
        let (url, folder_documents) = (settings.url.clone(), settings.folder_documents as usize);
        Ok(Self { server, url, folder_documents, abilities: OnceCell::new(), places: Arc::default() })
    }

    async fn line(&self) -> Result<Line, Fault> {
        Line::new(self.server.clone()).await
    }
}

#[async_trait]
impl Driver for Webdav {
    fn name(&self) -> &'static str {
        "webdav"
    }

    fn behind(&self) -> String {
        format!("webdav {}", self.url)
    }

    async fn abilities(&self) -> Result<Abilities, Fault> {
        let probe = || async { probe::probe(&mut self.line().await?, &random()?).await };
        self.abilities.get_or_try_init(probe).await.copied()
    }

    async fn remembered(&self, digest: &str) -> Result<Remembered, Fault> {
        self.line().await?.remembered(digest).await
    }

    async fn store(&self, storing: Storing, content: Content) -> Result<Document, Fault> {
        let abilities = self.abilities().await?;
        Store { line: self.line().await?, abilities, places: self.places.clone(), effect: random()? }.run(storing, content).await
    }

    async fn read(&self, reference: Reference, version: Option<String>) -> Result<(Document, Chunks), Fault> {
        if version.is_some() {
            return Err(unable(self.name(), "keeps no former versions"));
        }
        let path = self.server.document(&reference);
        let mut line = self.line().await?;
        for _ in 0..TRIES {
            let found = line.resource(&path).await?.filter(|found| !found.collection).ok_or_else(not_found)?;
            let ask = Ask { method: "GET", path: &path, headers: Vec::new(), body: Bytes::new() };
            let response = line.begin(ask).await.map_err(Broken::harmless)?;
            match response.status() {
                StatusCode::OK => {}
                StatusCode::NOT_FOUND | StatusCode::GONE => return Err(not_found()),
                status => return Err(verbs::fault(&self.server.address, "GET", status, response.headers())),
            }
            let etag = response.headers().get(ETAG).and_then(|etag| etag.to_str().ok()).map(bare_etag);
            if etag.is_some_and(|etag| etag != found.etag()) {
                // Changed in between; the rest of this answer is of no use.
                line = self.line().await?;
                continue;
            }
            let size = properties::size(&found);
            let sending = Sending { line, body: response.into_body(), left: size, waiting: Bytes::new() };
            let chunks = unfold(Some(sending), |sending| async move {
                let mut sending = sending?;
                let next = sending.next().await?;
                let rest = next.is_ok().then_some(sending);
                Some((next, rest))
            });
            return Ok((properties::document(reference, &found), Box::pin(chunks)));
        }
        Err(Fault::unavailable("others change this document all the time: try again later"))
    }

    async fn get(&self, reference: Reference, version: Option<String>) -> Result<Document, Fault> {
        if version.is_some() {
            return Err(unable(self.name(), "keeps no former versions"));
        }
        let found = self.line().await?.resource(&self.server.document(&reference)).await?;
        let found = found.filter(|found| !found.collection).ok_or_else(not_found)?;
        Ok(properties::document(reference, &found))
    }

    async fn find(&self, folder: String, filter: BTreeMap<String, String>, page: Page) -> Result<Vec<Document>, Fault> {
        let inside = self.line().await?.inside(&self.server.folder(&folder), self.folder_documents).await?;
        let documents = inside.unwrap_or_default().into_iter().filter(|found| !found.collection).filter_map(|found| {
            let reference = Reference { folder: folder.clone(), name: last_name(&found.href)? };
            Some(properties::document(reference, &found))
        });
        let name = |document: &Document| document.reference.as_ref().map(|reference| reference.name.clone()).unwrap_or_default();
        let has = |document: &Document| filter.iter().all(|(key, value)| document.metadata.get(key) == Some(value));
        let mut documents: Vec<_> = documents.filter(|document| name(document) > page.after && has(document)).collect();
        documents.sort_by_key(name);
        documents.truncate(page.size + 1);
        Ok(documents)
    }

    async fn delete(&self, deleting: Deleting) -> Result<(), Fault> {
        let abilities = self.abilities().await?;
        let _alone = self.places.alone(&self.server.document(&deleting.reference)).await;
        store::delete(&mut self.line().await?, abilities, deleting).await
    }

    async fn health(&self) -> Health {
        let asked = async {
            self.abilities().await?;
            self.line().await?.resource(&self.server.base()).await
        };
        match asked.await {
            Ok(Some(_)) => Health::Ready,
            Ok(None) => Health::Down { reason: format!("{}: the collection is gone", self.server.address) },
            Err(fault) => Health::Down { reason: fault.to_string() },
        }
    }

    async fn drain(&self, _grace: Duration) {}
}

/// A content on its way out, with the connection that it comes by.
struct Sending {
    line: Line,
    body: hyper::body::Incoming,
    /// Bytes that must still come.
    left: u64,
    waiting: Bytes,
}

impl Sending {
    async fn next(&mut self) -> Option<Result<Bytes, Fault>> {
        let server = self.line.server();
        let broken = |why: &str| Some(Err(Fault::unavailable(format!("{}: the content broke off: {why}", server.address))));
        while self.waiting.is_empty() {
            match line::next(&mut self.body, server.answer_timeout).await {
                None if self.left == 0 => return None,
                None => return broken("it is shorter than the server said"),
                Some(Err(why)) => return broken(&why),
                Some(Ok(bytes)) => self.waiting = bytes,
            }
        }
        let chunk = self.waiting.split_to(self.waiting.len().min(CHUNK));
        let Some(left) = self.left.checked_sub(chunk.len() as u64) else {
            return broken("it is longer than the server said");
        };
        self.left = left;
        Some(Ok(chunk))
    }
}

/// A name that nobody guesses and that is never given twice.
fn random() -> Result<String, Fault> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Fault::unavailable("the system has no random numbers"))?;
    Ok(HEXLOWER.encode(&bytes))
}
