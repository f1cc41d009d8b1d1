//! A journal in memory, a folder, and folds to try.

use std::path::PathBuf;
use std::sync::Arc;

use passerelle_journal::memory::Memory;
use passerelle_journal::{Entry, Journal, Position};
use passerelle_projection::rusqlite::{self, Connection, Transaction};
use passerelle_projection::{Fold, FoldError, Health, Projection, Settings};
use passerelle_proto::bus::v1::{Message, Record};
use prost::Message as _;

/// A folder of its own, a journal of its own.
pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) journal: Arc<Memory>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), journal: Arc::new(Memory::new()) }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("views.sqlite")
    }

    /// The name of the thing that each record is of.
    pub(crate) async fn write(&self, keys: impl IntoIterator<Item = impl AsRef<str>>) -> Position {
        let entries = keys.into_iter().map(|key| entry(key.as_ref())).collect();
        self.journal.append(entries).await.expect("memory takes them").durable().await.expect("memory is durable");
        self.last()
    }

    pub(crate) fn last(&self) -> Position {
        self.journal.durable().borrow().position
    }

    pub(crate) fn open(&self, folds: Vec<Box<dyn Fold>>) -> Projection {
        self.open_with(folds, Settings::default())
    }

    pub(crate) fn open_with(&self, folds: Vec<Box<dyn Fold>>, settings: Settings) -> Projection {
        Projection::open(&self.path(), folds, self.journal.clone(), settings).expect("it opens")
    }
}

/// A record of one event of `key`.
pub(crate) fn entry(key: &str) -> Entry {
    let event = Message { id: key.to_owned(), data: vec![b'x'; 200].into(), ..Message::default() };
    let record = Record { kind: "thing".to_owned(), key: key.to_owned(), events: vec![event], ..Record::default() };
    Entry { data: record.encode_to_vec().into(), step: None, fingerprint: None }
}

/// One row a record, and how often each key came: two tables that must agree with the position.
pub(crate) struct Seen {
    pub(crate) name: &'static str,
    pub(crate) version: u32,
}

impl Seen {
    pub(crate) fn boxed(name: &'static str, version: u32) -> Box<dyn Fold> {
        Box::new(Self { name, version })
    }
}

impl Fold for Seen {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> u32 {
        self.version
    }

    fn schema(&self) -> String {
        format!(
            "CREATE TABLE {0}(position INTEGER PRIMARY KEY, key TEXT NOT NULL, data BLOB NOT NULL);
             CREATE TABLE {0}_counts(key TEXT PRIMARY KEY, count INTEGER NOT NULL, version INTEGER NOT NULL) WITHOUT ROWID;
             CREATE INDEX {0}_by_count ON {0}_counts(count);",
            self.name
        )
    }

    fn apply(&mut self, transaction: &Transaction<'_>, position: Position, record: &Record) -> Result<(), FoldError> {
        if record.key == "poison" {
            return Err(FoldError::Record("events[0].data: not what was agreed".to_owned()));
        }
        let name = self.name;
        let data = record.events.first().map(|event| event.data.to_vec()).unwrap_or_default();
        transaction.prepare_cached(&format!("INSERT INTO {name} VALUES (?1, ?2, ?3)"))?.execute((
            position.0 as i64,
            &record.key,
            data,
        ))?;
        let count = format!("INSERT INTO {name}_counts VALUES (?1, 1, ?2) ON CONFLICT DO UPDATE SET count = count + 1");
        transaction.prepare_cached(&count)?.execute((&record.key, self.version))?;
        Ok(())
    }
}

/// Wants only what has a key.
pub(crate) struct Things;

impl Fold for Things {
    fn name(&self) -> &'static str {
        "things"
    }

    fn version(&self) -> u32 {
        1
    }

    fn schema(&self) -> String {
        "CREATE TABLE things(n)".to_owned()
    }

    fn published(&self) -> bool {
        false
    }

    fn apply(&mut self, _: &Transaction<'_>, _: Position, _: &Record) -> Result<(), FoldError> {
        panic!("nothing here has a key")
    }
}

/// What the tables of [`Seen`] hold, with their position, seen at one moment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) position: i64,
    pub(crate) rows: i64,
    pub(crate) counts: Vec<(String, i64, u32)>,
}

impl Held {
    pub(crate) fn read(name: &str, connection: &Connection) -> rusqlite::Result<Self> {
        let number = |sql: &str| connection.query_row(sql, (), |row| row.get(0));
        let position = number(&format!("SELECT position FROM passerelle_folds WHERE name = '{name}'"))?;
        let rows = number(&format!("SELECT count(*) FROM {name}"))?;
        let mut select = connection.prepare(&format!("SELECT key, count, version FROM {name}_counts ORDER BY key"))?;
        let counts = select.query_map((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect::<Result<_, _>>()?;
        Ok(Self { position, rows, counts })
    }

    /// Rows, counts and position speak of the same records.
    pub(crate) fn assert_whole(&self) {
        assert_eq!(self.rows, self.position, "as many rows as records");
        assert_eq!(self.counts.iter().map(|(_, count, _)| count).sum::<i64>(), self.position, "as many counted as records");
    }
}

pub(crate) async fn held(projection: &Projection, name: &'static str) -> Held {
    projection.read(move |connection| Held::read(name, connection)).await.expect("it reads")
}

pub(crate) async fn caught_up(projection: &Projection) {
    while projection.lag() > 0 {
        let position = projection.position();
        let status = projection.until(|status| status.position > position || matches!(status.health, Health::Stopped(_))).await;
        assert!(!matches!(status.health, Health::Stopped(_)), "{status:?}");
    }
}
