//! The trait behind which every store of documents stands, one file each.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use passerelle_adapter::{Fault, Health, async_trait};
use passerelle_proto::backoffice::documents::v1::{Change, Completeness, Document, Reference, Search};

use crate::content::Content;
use crate::page::Page;
use crate::wire::unable;

/// What a store can do, found out by trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Abilities {
    /// Former versions are kept.
    pub(crate) versions: bool,
    /// Versions can be expected, and nobody comes in between.
    pub(crate) preconditions: bool,
    /// How documents are searched.
    pub(crate) search: Search,
    /// What a list of changes tells.
    pub(crate) changes: Completeness,
    /// Characters that names must not have.
    pub(crate) refused: &'static [char],
}

/// The caller's key of one operation. Only its digest is kept.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// SHA-256 of the key, in lower-case hexadecimal.
    pub(crate) digest: String,
    /// SHA-256 of what is asked under it: the same key for something else is a mistake.
    pub(crate) fingerprint: String,
}

/// What must be there before an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expect {
    /// Whatever.
    Anything,
    /// No such document.
    Absent,
    /// This version.
    Version(String),
}

/// A document to store.
#[derive(Debug, Clone)]
pub(crate) struct Storing {
    pub(crate) reference: Reference,
    pub(crate) media_type: String,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) expect: Expect,
    pub(crate) key: Option<Key>,
}

/// A document to remove.
#[derive(Debug, Clone)]
pub(crate) struct Deleting {
    pub(crate) reference: Reference,
    pub(crate) expect: Expect,
    pub(crate) key: Option<Key>,
}

/// What an effect gave, and the form in which it is answered again.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// It is stored.
    Stored(Document),
    /// It is removed.
    Deleted,
}

/// What became of a key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Remembered {
    /// Its effect happened. The fingerprint says for what.
    Done { fingerprint: String, effect: Effect },
    /// It had none.
    NotDone,
    /// It cannot be told.
    Undecided,
}

/// A document's bytes on their way out.
pub(crate) type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, Fault>> + Send>>;

/// A store of documents. What it is given has been checked; what it cannot do is not asked of it.
///
/// Dropping a future gives the call up: what is not whole by then is never seen by anybody. A fault says what may have happened:
/// `Unknown` if the effect may have, any other if not.
#[async_trait]
pub(crate) trait Driver: Send + Sync + 'static {
    /// `folder` or `webdav`, as written in the file.
    fn name(&self) -> &'static str;

    /// What stands behind, for people. No credentials.
    fn behind(&self) -> String;

    /// What the store can do; tries it the first time.
    async fn abilities(&self) -> Result<Abilities, Fault>;

    /// What became of a key.
    async fn remembered(&self, digest: &str) -> Result<Remembered, Fault>;

    /// Keeps a document whole, or not at all.
    async fn store(&self, storing: Storing, content: Content) -> Result<Document, Fault>;

    /// The document and its bytes, which belong together.
    async fn read(&self, reference: Reference, version: Option<String>) -> Result<(Document, Chunks), Fault>;

    /// The document without its bytes.
    async fn get(&self, reference: Reference, version: Option<String>) -> Result<Document, Fault>;

    /// The documents of a folder that have all entries of `filter`, by name; one more than the page holds if there are more.
    async fn find(&self, folder: String, filter: BTreeMap<String, String>, page: Page) -> Result<Vec<Document>, Fault>;

    /// The versions of a document, the newest first.
    async fn versions(&self, _reference: Reference) -> Result<Vec<Document>, Fault> {
        Err(unable(self.name(), "keeps no former versions"))
    }

    /// Removes a document.
    async fn delete(&self, deleting: Deleting) -> Result<(), Fault>;

    /// What changed since the cursor, and where this page ends.
    async fn changes(&self, _cursor: Option<String>, _size: usize) -> Result<(Vec<Change>, String), Fault> {
        Err(unable(self.name(), "keeps no list of changes"))
    }

    /// Whether the store can be used now.
    async fn health(&self) -> Health;

    /// Closes what is open. No call is in flight, or the grace is over.
    async fn drain(&self, grace: Duration);
}
