//! Storing and removing: prepared where nobody looks, then done at once, under a lock where something is replaced.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use passerelle_adapter::{Fault, Rejection};
use passerelle_proto::backoffice::documents::v1::Document;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::keys::{is, upload};
use super::line::{Broken, Cut, Line};
use super::multistatus::Resource;
use super::places::Places;
use super::properties::{document, update, version};
use super::server::Server;
use super::verbs::Refused;
use crate::content::Content;
use crate::driver::{Abilities, Deleting, Expect, Storing};
use crate::wire::{conflict, invalid, not_found};

/// How often a document that others store and remove at the same time is looked at again.
const TRIES: usize = 5;

/// A document to be stored, on its server.
pub(super) struct Store {
    pub(super) line: Line,
    pub(super) abilities: Abilities,
    pub(super) places: Arc<Places>,
    /// The name of this storing, and of its upload.
    pub(super) effect: String,
}

impl Store {
    pub(super) async fn run(mut self, storing: Storing, content: Content) -> Result<Document, Fault> {
        let names = storing.reference.folder.chars().chain(storing.reference.name.chars());
        if let Some(c) = names.into_iter().find(|c| self.abilities.refused.contains(c)) {
            return Err(invalid(format!("`{c}` in a name is misunderstood by this server, Describe tells which characters are")));
        }
        let server = self.line.server().clone();
        let place = server.document(&storing.reference);
        let before = self.line.resource(&place).await?;
        expected(before.as_ref(), &storing.expect)?;
        let upload = Upload { server: server.clone(), path: server.own(&upload(&self.effect)), there: true };
        send(&mut self.line, &upload.path, content).await?;
        self.line.set(&upload.path, update(&self.effect, &storing.media_type, &storing.metadata)).await?;
        if let Some(key) = &storing.key {
            self.line.intend(key, &storing.reference, Some(&self.effect), before.as_ref().map(version)).await?;
        }
        let stored = self.place(&storing, upload, before).await?;
        let document = document(storing.reference, &stored);
        if let Some(key) = &storing.key {
            self.line.remember(key, Some(&document)).await;
        }
        Ok(document)
    }

    /// Brings the upload to its place, and gives what is there then.
    async fn place(&mut self, storing: &Storing, mut upload: Upload, mut before: Option<Resource>) -> Result<Resource, Fault> {
        let place = self.line.server().document(&storing.reference);
        let places = self.places.clone();
        let _alone = places.alone(&place).await;
        for _ in 0..TRIES {
            let placed = match before {
                None => self.create(storing, &upload.path, &place).await,
                Some(_) => self.replace(storing, &upload.path, &place).await,
            };
            match placed {
                Ok(()) => {}
                Err(Refused::Failed(why)) => self.mend(&mut upload, &place, &why).await?,
                Err(Refused::Lost(why)) => {
                    // It may be answered by looking.
                    if !self.line.resource(&place).await.is_ok_and(|now| now.is_some_and(|now| is(&now, &self.effect))) {
                        upload.there = false;
                        return Err(Fault::unknown(format!("the document may have been stored: {why}")));
                    }
                }
                Err(Refused::No(Fault::Rejected { reason: Rejection::Conflict | Rejection::NotFound, .. })) => {
                    // Somebody else was there in between: as he left it, it may be as expected all the same.
                    before = self.line.resource(&place).await?;
                    expected(before.as_ref(), &storing.expect)?;
                    continue;
                }
                Err(Refused::No(fault)) => return Err(fault),
            }
            upload.there = false;
            let now = self.line.resource(&place).await.map_err(|fault| {
                Fault::unknown(format!("the document was stored, but its version could not be read: {fault}"))
            })?;
            return now.filter(|now| is(now, &self.effect)).ok_or_else(|| {
                Fault::unknown("the document was stored, and changed by somebody else before its version could be read")
            });
        }
        Err(conflict("others store and remove this document all the time: try again later"))
    }

    /// The server gave up in the middle. It may have taken away what was there before, which would be lost without us.
    async fn mend(&mut self, upload: &mut Upload, place: &str, why: &str) -> Result<(), Fault> {
        let unknown = |upload: &mut Upload| {
            upload.there = false;
            Fault::unknown(format!("the document may have been stored: {why}"))
        };
        let Ok(now) = self.line.resource(place).await else { return Err(unknown(upload)) };
        if now.as_ref().is_some_and(|now| is(now, &self.effect)) {
            return Ok(());
        }
        match (now, self.line.resource(&upload.path).await) {
            (Some(_), Ok(Some(_))) => Err(Fault::unavailable(format!("the document was not stored: {why}"))),
            (None, Ok(Some(_))) => self.line.rename(&upload.path, place, false, None).await.map_err(|_| unknown(upload)),
            _ => Err(unknown(upload)),
        }
    }

    async fn create(&mut self, storing: &Storing, upload: &str, place: &str) -> Result<(), Refused> {
        let mut folder = String::new();
        for name in storing.reference.folder.split('/').filter(|name| !name.is_empty()) {
            folder = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            let path = self.line.server().folder(&folder);
            self.line.collection(&path).await.map_err(Refused::No)?;
        }
        self.line.rename(upload, place, false, None).await
    }

    async fn replace(&mut self, storing: &Storing, upload: &str, place: &str) -> Result<(), Refused> {
        if !self.abilities.preconditions {
            return self.line.rename(upload, place, true, None).await;
        }
        let token = lock(&mut self.line, place, &storing.expect).await?;
        let renamed = self.line.rename(upload, place, true, Some(&token)).await;
        // Some servers take the lock away with what was locked, others keep it for what has come in its place.
        self.line.unlock(place, &token).await;
        renamed
    }
}

/// Removes a document.
pub(super) async fn delete(line: &mut Line, abilities: Abilities, deleting: Deleting) -> Result<(), Fault> {
    let place = line.server().document(&deleting.reference);
    let before = line.resource(&place).await?.filter(|found| !found.collection).ok_or_else(not_found)?;
    expected(Some(&before), &deleting.expect)?;
    if let Some(key) = &deleting.key {
        line.intend(key, &deleting.reference, None, Some(version(&before))).await?;
    }
    let removed = match abilities.preconditions {
        false => line.remove(&place, None).await,
        true => match lock(line, &place, &deleting.expect).await {
            Err(refused) => Err(refused),
            Ok(token) => {
                let removed = line.remove(&place, Some(&token)).await;
                line.unlock(&place, &token).await;
                removed
            }
        },
    };
    match removed {
        Ok(()) => {}
        Err(Refused::No(fault)) => return Err(fault),
        Err(Refused::Failed(why) | Refused::Lost(why)) => {
            if !line.resource(&place).await.is_ok_and(|now| now.is_none()) {
                return Err(Fault::unknown(format!("the document may have been removed: {why}")));
            }
        }
    }
    if let Some(key) = &deleting.key {
        line.remember(key, None).await;
    }
    Ok(())
}

/// Locks a document that is as expected.
async fn lock(line: &mut Line, place: &str, expect: &Expect) -> Result<String, Refused> {
    let token = line.lock(place).await.map_err(Refused::No)?;
    // Under the lock nobody changes it any more. If there is none now, the lock has made an empty one (RFC 4918, section 7.3).
    let now = line.resource(place).await;
    let as_expected = now.and_then(|now| match now {
        Some(now) if version_is_of_something(&now) => expected(Some(&now), expect),
        _ => Err(not_found()),
    });
    if let Err(fault) = as_expected {
        line.unlock(place, &token).await;
        return Err(Refused::No(fault));
    }
    Ok(token)
}

fn version_is_of_something(resource: &Resource) -> bool {
    !resource.collection && (!resource.etag().is_empty() || resource.dav("getlastmodified").is_some())
}

fn expected(now: Option<&Resource>, expect: &Expect) -> Result<(), Fault> {
    if now.is_some_and(|now| now.collection) {
        return Err(conflict("a folder has that name"));
    }
    match (expect, now) {
        (Expect::Anything, _) | (Expect::Absent, None) => Ok(()),
        (Expect::Version(expected), Some(now)) if *expected == version(now) => Ok(()),
        (Expect::Absent, Some(_)) => Err(conflict("the document is there already")),
        (Expect::Version(_), Some(_)) => Err(conflict("the document has another version: read it anew")),
        (Expect::Version(_), None) => Err(conflict("the document is not there any more")),
    }
}

/// Sends the content as it comes: one chunk waits at most.
async fn send(line: &mut Line, path: &str, mut content: Content) -> Result<(), Fault> {
    let (chunks, body) = mpsc::channel::<Result<Bytes, Cut>>(1);
    let body = StreamBody::new(ReceiverStream::new(body).map(|chunk| chunk.map(Frame::data))).boxed();
    let length = content.announced_size().map(|size| ("content-length", size.to_string()));
    let (address, patience) = (line.server().address.clone(), line.server().answer_timeout);
    let silent = || Fault::unavailable(format!("{address}: the server takes no bytes for {} ms", patience.as_millis()));
    let (all_sent, sent) = tokio::sync::oneshot::channel();
    let feed = async move {
        let fed = feed(&mut content, &chunks, patience).await;
        match &fed {
            Ok(true) => drop(chunks),
            _ => drop(chunks.send_timeout(Err(Cut), patience).await),
        }
        let _ = all_sent.send(());
        fed
    };
    let asked = line.upload(path, length.into_iter().collect(), body);
    // The caller may take his time, the server may not.
    let answer = async {
        tokio::pin!(asked);
        tokio::select! {
            answer = &mut asked => return Some(answer),
            _ = sent => {}
        }
        tokio::time::timeout(patience, asked).await.ok()
    };
    let (fed, answer) = tokio::join!(feed, answer);
    let fed = fed?;
    match answer {
        Some(Ok(answer)) if answer.status.is_success() && fed => Ok(()),
        Some(Ok(answer)) if !answer.status.is_success() => Err(line.fault("PUT", &answer)),
        Some(Err(broken)) => Err(Broken::harmless(broken)),
        _ => Err(silent()),
    }
}

/// Whether all of it went out.
async fn feed(
    content: &mut Content,
    chunks: &mpsc::Sender<Result<Bytes, Cut>>,
    patience: std::time::Duration,
) -> Result<bool, Fault> {
    while let Some(chunk) = content.next().await? {
        if chunk.is_empty() {
            continue;
        }
        if chunks.send_timeout(Ok(chunk), patience).await.is_err() {
            return Ok(false);
        }
    }
    content.received()?;
    Ok(true)
}

/// What lies in the uploads until it has its place; removed when dropped before.
struct Upload {
    server: Arc<Server>,
    path: String,
    there: bool,
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.there {
            return;
        }
        let (server, path) = (self.server.clone(), std::mem::take(&mut self.path));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            // What is left in spite of this is removed at a later start.
            runtime.spawn(async move {
                if let Ok(mut line) = Line::new(server).await {
                    let _ = line.remove(&path, None).await;
                }
            });
        }
    }
}
