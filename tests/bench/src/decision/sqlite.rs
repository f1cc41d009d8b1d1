//! The same decisions as one SQLite transaction each: WAL, synchronous=FULL, one connection, prepared statements, no server between.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use passerelle_bus::keyed::{Context, Decider};
use passerelle_projection::rusqlite::{Connection, OptionalExtension, Result, TransactionBehavior};
use prost::Message as _;

use super::Measured;
use super::rules::{Contacts, Customer, Source};

/// The same tables that our folds keep.
const SCHEMA: &str = "
    CREATE TABLE messages(position INTEGER PRIMARY KEY, customer TEXT NOT NULL, data BLOB NOT NULL);
    CREATE TABLE answers(customer TEXT NOT NULL, idempotency_key TEXT NOT NULL, answer BLOB NOT NULL, position INTEGER NOT NULL,
        time INTEGER NOT NULL, PRIMARY KEY (customer, idempotency_key)) WITHOUT ROWID;
    CREATE INDEX answers_time ON answers(time);
    CREATE TABLE customers(key TEXT PRIMARY KEY, sequence INTEGER NOT NULL, position INTEGER NOT NULL, state BLOB NOT NULL)
        WITHOUT ROWID;";

/// Decides for so long.
pub(crate) fn measure(folder: &Path, lasting: Duration) -> std::result::Result<Measured, String> {
    decide(folder, lasting).map_err(|error| error.to_string())
}

fn decide(folder: &Path, lasting: Duration) -> Result<Measured> {
    let mut connection = Connection::open(folder.join("decisions.sqlite"))?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))?;
    connection.pragma_update(None, "synchronous", "full")?;
    // As much memory as our projection has.
    connection.pragma_update(None, "cache_size", -64 * 1024)?;
    connection.execute_batch(SCHEMA)?;
    let source = Source::new();
    let started = Instant::now();
    let mut latencies = Vec::new();
    for number in 0.. {
        let asked = Instant::now();
        if started.elapsed() >= lasting {
            break;
        }
        one(&mut connection, &source, number)?;
        latencies.push(asked.elapsed().as_micros() as u32);
    }
    let took = started.elapsed();
    let stored: i64 = connection.query_row("SELECT count(*) FROM messages", (), |row| row.get(0))?;
    Ok(Measured { stored: stored as u64, took, latencies, syncs: None, largest_lag: 0 })
}

/// Message, idempotency key and state of one decision, together or not at all.
fn one(connection: &mut Connection, source: &Source, number: u64) -> Result<()> {
    let (customer, key, content) = source.contact(number);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let repeated = transaction
        .prepare_cached("SELECT answer FROM answers WHERE customer = ?1 AND idempotency_key = ?2")?
        .query_row((&customer, &key), |row| row.get::<_, Vec<u8>>(0))
        .optional()?;
    if repeated.is_some() {
        return Ok(());
    }
    let known = transaction
        .prepare_cached("SELECT sequence, state FROM customers WHERE key = ?1")?
        .query_row([&customer], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))
        .optional()?;
    let (sequence, state) = known.unwrap_or_default();
    let mut state = Customer::decode(&*state).unwrap_or_default();
    let now = SystemTime::now();
    let decided = Contacts.decide(&state, &content, &Context { key: &customer, now });
    let decision = decided.unwrap_or_else(|never| match never {});
    let mut insert = transaction.prepare_cached("INSERT INTO messages(customer, data) VALUES (?1, ?2)")?;
    for event in &decision.events {
        Contacts.evolve(&mut state, event);
        insert.execute((&customer, event.encode_to_vec()))?;
    }
    drop(insert);
    let position = transaction.last_insert_rowid();
    let time = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos() as i64;
    transaction.prepare_cached("INSERT INTO answers VALUES (?1, ?2, ?3, ?4, ?5)")?.execute((
        &customer,
        &key,
        decision.answer.encode_to_vec(),
        position,
        time,
    ))?;
    transaction
        .prepare_cached(
            "INSERT INTO customers VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE
             SET sequence = excluded.sequence, position = excluded.position, state = excluded.state",
        )?
        .execute((&customer, sequence + 1, position, state.encode_to_vec()))?;
    transaction.commit()
}
