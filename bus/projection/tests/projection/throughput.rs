//! How fast one decision's rows are folded; run by hand, in the release profile.

use std::time::Instant;

use passerelle_journal::{Entry, Journal, Position};
use passerelle_projection::rusqlite::Transaction;
use passerelle_projection::{Fold, FoldError, Settings};
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
        transaction.prepare_cached("INSERT OR REPLACE INTO decisions_state VALUES (?1, ?2, ?3)")?.execute((
            &record.key,
            record.sequence as i64,
            state,
        ))?;
        Ok(())
    }
}

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
        snapshot: Some(Snapshot { state: vec![b's'; 64].into(), ..Snapshot::default() }),
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
    for settings in [
        Settings::default(),
        Settings { checkpoint_bytes: 64 << 20, ..Settings::default() },
        Settings { checkpoint_bytes: 64 << 20, transaction_time: std::time::Duration::from_millis(200), ..Settings::default() },
    ] {
        let started = Instant::now();
        let projection = world.open_with(vec![Box::new(Decisions)], settings.clone());
        caught_up(&projection).await;
        let seconds = started.elapsed().as_secs_f64();
        println!("{:.0} records/s with {settings:?}", RECORDS as f64 / seconds);
        projection.close().await;
        passerelle_projection::Projection::erase(&world.path()).expect("nobody has it open");
    }
}
