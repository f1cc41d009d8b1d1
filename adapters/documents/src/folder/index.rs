//! The index: which versions there are, what is known of them, what changed, what was answered. One transaction an effect.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use passerelle_adapter::Fault;
use passerelle_proto::backoffice::documents::v1::{Change, ChangeKind, Document, Reference};
use prost::Message;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, TransactionBehavior, params, params_from_iter};

use super::{change, failed, schema};
use crate::content::Received;
use crate::driver::{Deleting, Effect, Expect, Key, Remembered, Storing};
use crate::page::Page;
use crate::wire::{conflict, not_found};

/// Answers are kept this long: whoever asks again later than that is taken for somebody new.
const ANSWERS_KEPT_SECONDS: i64 = 30 * 24 * 3600;

/// The index of one folder.
pub(super) struct Index {
    connection: Connection,
    versions: u32,
}

impl Index {
    /// Opens it; of each document at most `versions` are kept.
    pub(super) fn open(path: &Path, versions: u32) -> Result<Self, Fault> {
        Ok(Self { connection: schema::open(path)?, versions })
    }

    /// Whether a content belongs to a version.
    pub(super) fn has(&self, version: &str) -> Result<bool, Fault> {
        let found = self.connection.prepare_cached("SELECT 1 FROM versions WHERE version = ?1");
        found.and_then(|mut query| query.exists([version])).map_err(unusable)
    }

    pub(super) fn remembered(&self, digest: &str) -> Result<Remembered, Fault> {
        Ok(match answered(&self.connection, digest)? {
            None => Remembered::NotDone,
            Some((fingerprint, effect)) => Remembered::Done { fingerprint, effect },
        })
    }

    /// Whether the expectation holds now.
    pub(super) fn check(&self, reference: &Reference, expect: &Expect) -> Result<(), Fault> {
        expected(&self.connection, reference, expect).map(drop)
    }

    pub(super) fn get(&self, reference: &Reference, version: Option<&str>) -> Result<Document, Fault> {
        match version {
            None => current(&self.connection, reference)?.ok_or_else(not_found),
            Some(version) => {
                let question = "SELECT document FROM versions WHERE folder = ?1 AND name = ?2 AND version = ?3";
                one(&self.connection, question, &[&reference.folder, &reference.name, &version])?.ok_or_else(not_found)
            }
        }
    }

    pub(super) fn versions(&self, reference: &Reference) -> Result<Vec<Document>, Fault> {
        let question = "SELECT document FROM versions WHERE folder = ?1 AND name = ?2 ORDER BY number DESC";
        let versions = all(&self.connection, question, &[&reference.folder, &reference.name])?;
        if versions.is_empty() { Err(not_found()) } else { Ok(versions) }
    }

    pub(super) fn find(&self, folder: &str, filter: &BTreeMap<String, String>, page: &Page) -> Result<Vec<Document>, Fault> {
        let mut question = "SELECT document FROM versions v WHERE folder = ? AND current AND name > ?".to_owned();
        let limit = page.size as i64 + 1;
        let mut values: Vec<&dyn ToSql> = vec![&folder, &page.after];
        for (key, value) in filter {
            question += " AND EXISTS (SELECT 1 FROM entries e WHERE e.folder = v.folder AND e.key = ? AND e.value = ? AND e.name = v.name)";
            values.extend([key as &dyn ToSql, value]);
        }
        question += " ORDER BY name LIMIT ?";
        values.push(&limit);
        all(&self.connection, &question, &values)
    }

    pub(super) fn changes(&self, cursor: Option<&str>, size: usize) -> Result<(Vec<Change>, String), Fault> {
        change::after(&self.connection, cursor, size)
    }

    /// Makes a content the current version. Gives the versions whose contents are not needed any more as well: the oldest, or this one, if
    /// the same key had its effect meanwhile.
    pub(super) fn store(
        &mut self,
        storing: &Storing,
        received: &Received,
        version: &str,
        now: SystemTime,
    ) -> Result<(Document, Vec<String>), Fault> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(unusable)?;
        if let Some(Effect::Stored(document)) = done_meanwhile(&transaction, storing.key.as_ref())? {
            return Ok((document, vec![version.to_owned()]));
        }
        expected(&transaction, &storing.reference, &storing.expect)?;
        let Reference { folder, name } = &storing.reference;
        let document = Document {
            reference: Some(storing.reference.clone()),
            version: version.to_owned(),
            size_bytes: received.size,
            media_type: storing.media_type.clone(),
            metadata: storing.metadata.clone(),
            stored_at: Some(now.into()),
            sha256: received.sha256.clone(),
        };
        let write = || {
            transaction.execute("UPDATE versions SET current = 0 WHERE folder = ?1 AND name = ?2 AND current", [folder, name])?;
            let newest = "SELECT coalesce(max(number), 0) FROM versions WHERE folder = ?1 AND name = ?2";
            let number = transaction.query_row(newest, [folder, name], |row| row.get::<_, i64>(0))? + 1;
            let row = "INSERT INTO versions (version, folder, name, number, current, document) VALUES (?1, ?2, ?3, ?4, 1, ?5)";
            transaction.execute(row, params![version, folder, name, number, document.encode_to_vec()])?;
            transaction.execute("DELETE FROM entries WHERE folder = ?1 AND name = ?2", [folder, name])?;
            for (key, value) in &document.metadata {
                let row = "INSERT INTO entries (folder, key, value, name) VALUES (?1, ?2, ?3, ?4)";
                transaction.execute(row, [folder, key, value, name])?;
            }
            let oldest = params![folder, name, number - i64::from(self.versions)];
            let removed = remove(&transaction, "folder = ?1 AND name = ?2 AND number <= ?3", oldest)?;
            let reference = document.reference.clone();
            let kind = ChangeKind::Stored.into();
            change::add(&transaction, &Change { reference, kind, version: version.to_owned(), at: document.stored_at })?;
            remember(&transaction, storing.key.as_ref(), Some(&document), now)?;
            Ok::<_, rusqlite::Error>(removed)
        };
        let removed = write().map_err(unusable)?;
        transaction.commit().map_err(lost)?;
        Ok((document, removed))
    }

    /// Removes a document. Gives the versions whose contents are not needed any more.
    pub(super) fn delete(&mut self, deleting: &Deleting, now: SystemTime) -> Result<Vec<String>, Fault> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(unusable)?;
        if let Some(Effect::Deleted) = done_meanwhile(&transaction, deleting.key.as_ref())? {
            return Ok(Vec::new());
        }
        expected(&transaction, &deleting.reference, &deleting.expect)?.ok_or_else(not_found)?;
        let Reference { folder, name } = &deleting.reference;
        let write = || {
            let removed = remove(&transaction, "folder = ?1 AND name = ?2", params![folder, name])?;
            transaction.execute("DELETE FROM entries WHERE folder = ?1 AND name = ?2", [folder, name])?;
            let (reference, kind) = (Some(deleting.reference.clone()), ChangeKind::Deleted.into());
            change::add(&transaction, &Change { reference, kind, version: String::new(), at: Some(now.into()) })?;
            remember(&transaction, deleting.key.as_ref(), None, now)?;
            Ok::<_, rusqlite::Error>(removed)
        };
        let removed = write().map_err(unusable)?;
        transaction.commit().map_err(lost)?;
        Ok(removed)
    }
}

/// The current version, if it is as expected.
fn expected(connection: &Connection, reference: &Reference, expect: &Expect) -> Result<Option<Document>, Fault> {
    let current = current(connection, reference)?;
    match (expect, &current) {
        (Expect::Anything, _) | (Expect::Absent, None) => Ok(current),
        (Expect::Version(version), Some(document)) if *version == document.version => Ok(current),
        (Expect::Absent, Some(_)) => Err(conflict("the document is there already")),
        (Expect::Version(_), Some(_)) => Err(conflict("the document has another version: read it anew")),
        (Expect::Version(_), None) => Err(conflict("the document is not there any more")),
    }
}

fn current(connection: &Connection, reference: &Reference) -> Result<Option<Document>, Fault> {
    let question = "SELECT document FROM versions WHERE folder = ?1 AND name = ?2 AND current";
    one(connection, question, &[&reference.folder, &reference.name])
}

fn one(connection: &Connection, question: &str, values: &[&dyn ToSql]) -> Result<Option<Document>, Fault> {
    Ok(all(connection, question, values)?.pop())
}

fn all(connection: &Connection, question: &str, values: &[&dyn ToSql]) -> Result<Vec<Document>, Fault> {
    let rows = || {
        let mut query = connection.prepare_cached(question)?;
        let rows = query.query_map(params_from_iter(values), |row| row.get::<_, Vec<u8>>(0))?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    let rows = rows().map_err(unusable)?;
    rows.into_iter().map(|bytes| Document::decode(bytes.as_slice()).map_err(|_| unreadable())).collect()
}

fn remove(connection: &Connection, which: &str, values: &[&dyn ToSql]) -> rusqlite::Result<Vec<String>> {
    let mut removal = connection.prepare_cached(&format!("DELETE FROM versions WHERE {which} RETURNING version"))?;
    removal.query_map(values, |row| row.get(0))?.collect()
}

/// The same key can have had its effect since it was looked up: by a call that nobody waits for any more.
fn done_meanwhile(connection: &Connection, key: Option<&Key>) -> Result<Option<Effect>, Fault> {
    let Some(key) = key else { return Ok(None) };
    Ok(answered(connection, &key.digest)?.filter(|(fingerprint, _)| *fingerprint == key.fingerprint).map(|(_, effect)| effect))
}

fn answered(connection: &Connection, digest: &str) -> Result<Option<(String, Effect)>, Fault> {
    let read = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, Option<Vec<u8>>>(1)?));
    let question = connection.prepare_cached("SELECT fingerprint, document FROM answers WHERE digest = ?1");
    let found = question.and_then(|mut query| query.query_row([digest], read).optional()).map_err(unusable)?;
    let Some((fingerprint, document)) = found else { return Ok(None) };
    let effect = match document {
        None => Effect::Deleted,
        Some(bytes) => Effect::Stored(Document::decode(bytes.as_slice()).map_err(|_| unreadable())?),
    };
    Ok(Some((fingerprint, effect)))
}

fn remember(connection: &Connection, key: Option<&Key>, document: Option<&Document>, now: SystemTime) -> rusqlite::Result<()> {
    let Some(key) = key else { return Ok(()) };
    let now = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
    connection.execute("DELETE FROM answers WHERE at_seconds < ?1", [now - ANSWERS_KEPT_SECONDS])?;
    let row = "INSERT INTO answers (digest, fingerprint, document, at_seconds) VALUES (?1, ?2, ?3, ?4)";
    connection.execute(row, params![key.digest, key.fingerprint, document.map(Message::encode_to_vec), now])?;
    Ok(())
}

fn unusable(error: rusqlite::Error) -> Fault {
    failed("the index cannot be used", &error)
}

/// A commit that failed may be on disk all the same.
fn lost(error: rusqlite::Error) -> Fault {
    Fault::unknown(format!("the index did not say that it has kept it: {error}"))
}

pub(super) fn unreadable() -> Fault {
    Fault::unknown("the index holds what this program cannot read")
}
