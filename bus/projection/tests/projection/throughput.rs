//! How fast one decision's rows are folded; run by hand, in the release profile.

use std::time::Instant;

use passerelle_journal::{Entry, Journal, Position};
use passerelle_projection::rusqlite::Transaction;
use passerelle_projection::{Fold, FoldError};
use passerelle_proto::bus::v1::{Message, Record, Snapshot};
use prost::Message as _;

use crate::fixture::{World, caught_up};

/// The message, the key that it is not taken twice by, and the state of its customer.
struct Decisions;

impl Fold for Decisions {
    fn name(&self) -> &'static str {
        "decisions"
    }

    fn version(&self) -> u32 {
        1
    }

    fn schema(&self) -> String {
        "CREATE TABLE decisions(position INTEGER PRIMARY KEY, data BLOB NOT NULL);
         CREATE TABLE decisions_dedupe(key BLOB PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
         CREATE TABLE decisions_state(customer TEXT PRIMARY KEY, sequence INTEGER NOT NULL, state BLOB NOT NULL) WITHOUT ROWID;"
            .to_owned()
    }

    fn apply(&mut self, transaction: &Transaction<'_>, position: Position, record: &Record) -> Result<(), FoldError> {
        let at = position.0 as i64;
        let data = record.events.first().map(|event| &event.data[..]).unwrap_or_default();
        transaction.prepare_cached("INSERT INTO decisions VALUES (?1, ?2)")?.execute((at, data))?;
        let key = record.idempotency_key.as_bytes();
        transaction.prepare_cached("INSERT INTO decisions_dedupe VALUES (?1, ?2)")?.execute((key, at))?;
        let state = record.snapshot.as_ref().map(|snapshot| &snapshot.state[..]).unwrap_or_default();
        transaction.prepare_cached(UPSERT)?.execute((&record.key, record.sequence as i64, state))?;
        Ok(())
    }
}

const UPSERT: &str = "INSERT INTO decisions_state VALUES (?1, ?2, ?3)
    ON CONFLICT DO UPDATE SET sequence = excluded.sequence, state = excluded.state";

/// 1 KiB of message, a random key of 16 bytes, one of 10,000 customers with 64 bytes of state.
fn decision(number: u64) -> Entry {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let event = Message { id: format!("{number}"), data: vec![b'x'; 1024].into(), ..Message::default() };
    let record = Record {
        kind: "thing".to_owned(),
        key: format!("customer-{}", mixed % 10_000),
        sequence: number,
        idempotency_key: format!("{mixed:016x}"),
        events: vec![event],
        snapshot: Some(Snapshot { state: vec![b's'; 64], ..Snapshot::default() }),
        ..Record::default()
    };
    Entry { data: record.encode_to_vec().into(), step: None, fingerprint: None }
}

/// `cargo test --release -p passerelle-projection throughput -- --ignored --nocapture`
#[tokio::test]
#[ignore = "a measurement"]
async fn records_a_second() {
    const RECORDS: u64 = 500_000;
    let world = World::new();
    for block in 0..RECORDS / 1000 {
        let entries = (0..1000).map(|number| decision(block * 1000 + number)).collect();
        world.journal.append(entries).await.expect("memory takes them");
    }
    let (started, cpu) = (Instant::now(), cpu_seconds());
    let projection = world.open(vec![Box::new(Decisions)]);
    caught_up(&projection).await;
    let (wall, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    projection.close().await;
    let count = RECORDS as f64;
    println!("{:.0} records/s, {:.1} µs of CPU each", count / wall, cpu / count * 1e6);
}

/// What this process has used, in user and kernel mode (proc(5), `stat`: fields 14 and 15, in hundredths of a second).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields = stat.split_whitespace().skip(13).take(2);
    fields.map(|ticks| ticks.parse::<f64>().expect("a number") / 100.0).sum()
}
