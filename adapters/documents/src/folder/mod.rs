//! The driver `folder`: documents in a folder of this machine. Contents are files that never change, all else is in an SQLite index beside them.
//!
//! A document is written to `uploads`, synced, renamed into `content` under a random name, and seen by others when the index says so, in one
//! transaction with its metadata, the change, and the answer under the idempotency key. Names of documents are never names of files.

mod change;
mod files;
mod index;
mod schema;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::BytesMut;
use data_encoding::HEXLOWER;
use futures_util::stream::unfold;
use passerelle_adapter::{Fault, Health, async_trait};
use passerelle_proto::backoffice::documents::v1::{Change, Completeness, Document, Reference, Search};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::OnceCell;

use self::files::Files;
use self::index::Index;
use crate::content::Content;
use crate::driver::{Abilities, Chunks, Deleting, Driver, Remembered, Storing};
use crate::file::FolderSettings;
use crate::page::Page;
use crate::wire::not_found;

/// Bytes of one chunk on its way out.
const CHUNK: usize = 64 << 10;

/// Documents in a folder of this machine.
pub(crate) struct Folder {
    path: PathBuf,
    settings: FolderSettings,
    /// Opened when first used, so that a file can be checked while another process has the folder.
    opened: OnceCell<Arc<Opened>>,
}

struct Opened {
    files: Files,
    index: Mutex<Index>,
}

impl Folder {
    pub(crate) fn new(path: PathBuf, settings: FolderSettings) -> Self {
        Self { path, settings, opened: OnceCell::new() }
    }

    async fn opened(&self) -> Result<Arc<Opened>, Fault> {
        let (path, versions) = (self.path.clone(), self.settings.versions);
        let open = move || {
            let files = Files::open(&path)?;
            let index = Index::open(&files.index(), versions)?;
            files.sweep(|version| index.has(version))?;
            Ok(Arc::new(Opened { files, index: Mutex::new(index) }))
        };
        self.opened.get_or_try_init(|| blocking(open)).await.cloned()
    }

    /// Asks the index, off the threads that carry calls.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Index) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let opened = self.opened().await?;
        blocking(move || question(&mut opened.index.lock().unwrap_or_else(PoisonError::into_inner))).await
    }
}

#[async_trait]
impl Driver for Folder {
    fn name(&self) -> &'static str {
        "folder"
    }

    fn behind(&self) -> String {
        format!("folder {}", self.path.display())
    }

    async fn abilities(&self) -> Result<Abilities, Fault> {
        self.opened().await?;
        Ok(Abilities { versions: true, preconditions: true, search: Search::Indexed, changes: Completeness::Exact, refused: &[] })
    }

    async fn remembered(&self, digest: &str) -> Result<Remembered, Fault> {
        let digest = digest.to_owned();
        self.ask(move |index| index.remembered(&digest)).await
    }

    async fn store(&self, storing: Storing, mut content: Content) -> Result<Document, Fault> {
        let opened = self.opened().await?;
        // What will be refused in the end is refused before its bytes are written.
        let (reference, expect) = (storing.reference.clone(), storing.expect.clone());
        self.ask(move |index| index.check(&reference, &expect)).await?;
        let version = random()?;
        let (upload, file) = opened.files.upload(&version)?;
        let mut file = tokio::fs::File::from_std(file);
        while let Some(chunk) = content.next().await? {
            file.write_all(&chunk).await.map_err(|error| failed("an upload cannot be written", &error))?;
        }
        file.flush().await.map_err(|error| failed("an upload cannot be written", &error))?;
        let received = content.received()?;
        let file = file.into_std().await;
        // From here on it is done to its end, even if nobody waits any more.
        blocking(move || {
            upload.keep(&file)?;
            let mut index = opened.index.lock().unwrap_or_else(PoisonError::into_inner);
            let stored = index.store(&storing, &received, &version, SystemTime::now());
            drop(index);
            let (document, removed) = stored.inspect_err(|fault| {
                // What the index may know in spite of all is kept: the next start finds out.
                if !matches!(fault, Fault::Unknown { .. }) {
                    opened.files.remove(std::slice::from_ref(&version));
                }
            })?;
            opened.files.remove(&removed);
            Ok(document)
        })
        .await
    }

    async fn read(&self, reference: Reference, version: Option<String>) -> Result<(Document, Chunks), Fault> {
        let document = self.get(reference, version).await?;
        let opened = self.opened().await?;
        // Removed since: then it is not found. Once open, it is read to its end, whatever happens to its name.
        let file = tokio::fs::File::open(opened.files.content(&document.version)).await.map_err(|_| not_found())?;
        let chunks = unfold(Some(file), |file| async move {
            let mut file = file?;
            let mut chunk = BytesMut::with_capacity(CHUNK);
            while chunk.len() < CHUNK {
                match file.read_buf(&mut chunk).await {
                    Ok(0) => break,
                    Ok(_) => {}
                    Err(error) => return Some((Err(failed("a content cannot be read", &error)), None)),
                }
            }
            (!chunk.is_empty()).then(|| (Ok(chunk.freeze()), Some(file)))
        });
        Ok((document, Box::pin(chunks)))
    }

    async fn get(&self, reference: Reference, version: Option<String>) -> Result<Document, Fault> {
        self.ask(move |index| index.get(&reference, version.as_deref())).await
    }

    async fn find(&self, folder: String, filter: BTreeMap<String, String>, page: Page) -> Result<Vec<Document>, Fault> {
        self.ask(move |index| index.find(&folder, &filter, &page)).await
    }

    async fn versions(&self, reference: Reference) -> Result<Vec<Document>, Fault> {
        self.ask(move |index| index.versions(&reference)).await
    }

    async fn delete(&self, deleting: Deleting) -> Result<(), Fault> {
        let opened = self.opened().await?;
        blocking(move || {
            let removed = opened.index.lock().unwrap_or_else(PoisonError::into_inner).delete(&deleting, SystemTime::now())?;
            opened.files.remove(&removed);
            Ok(())
        })
        .await
    }

    async fn changes(&self, cursor: Option<String>, size: usize) -> Result<(Vec<Change>, String), Fault> {
        self.ask(move |index| index.changes(cursor.as_deref(), size)).await
    }

    async fn health(&self) -> Health {
        match self.opened().await {
            Ok(_) => Health::Ready,
            Err(fault) => Health::Down { reason: fault.to_string() },
        }
    }

    async fn drain(&self, _grace: Duration) {}
}

/// Work that waits for the disk.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Fault> + Send + 'static) -> Result<T, Fault> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(_) => Err(Fault::unknown("the work on the folder broke off")),
    }
}

/// A name that nobody guesses and that is never given twice.
fn random() -> Result<String, Fault> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Fault::unavailable("the system has no random numbers"))?;
    Ok(HEXLOWER.encode(&bytes))
}

/// The disk refused; nothing has happened that anybody sees.
fn failed(what: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault::unavailable(format!("{what}: {error}"))
}
