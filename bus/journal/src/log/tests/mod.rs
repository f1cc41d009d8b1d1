//! The engine on a folder in memory whose bytes can be looked at and spoilt between two openings.

mod failing;
mod finding;
mod ram;
mod recovery;
mod recycling;
mod repairing;
mod running;

use std::sync::Arc;

use crate::{AppendError, Entry, Fingerprint, KeyStep, Outcome, Position, Receipt};

use super::{Append, Core, LogSettings, OpenError};
use ram::Ram;

/// Small segments, so that few records are needed to fill them.
fn settings() -> LogSettings {
    LogSettings { segment_bytes: 64 << 10, ..LogSettings::default() }
}

fn open(ram: &Arc<Ram>) -> Core {
    try_open(ram).expect("it opens")
}

fn try_open(ram: &Arc<Ram>) -> Result<Core, OpenError> {
    Core::open(ram.clone(), settings())
}

/// A number as the data of a record. All are of one length, so that what is left over lies where records could be, and begin with a
/// sign, so that none is found in another one and the bytes that follow it.
fn text(number: u64) -> String {
    format!("{number:+01000}")
}

/// An entry whose data says its number.
fn numbered(number: u64) -> Entry {
    Entry { data: text(number).into(), step: None, fingerprint: None }
}

fn once(number: u64) -> Entry {
    Entry { fingerprint: Some(Fingerprint(number.into())), ..numbered(number) }
}

fn step(key: &str, sequence: u64) -> Entry {
    Entry { step: Some(KeyStep { key: key.into(), sequence, snapshot: false }), ..numbered(sequence) }
}

/// One batch.
fn write(core: &mut Core, entries: Vec<Entry>) -> Result<Vec<Outcome>, AppendError> {
    let (answer, receipt) = Receipt::open();
    core.write(vec![Append { entries, answer }]);
    receipt.wait()
}

/// Batches of one record each, numbered.
fn write_each(core: &mut Core, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        let outcomes = write(core, vec![numbered(number)]);
        assert!(matches!(outcomes.as_deref(), Ok([Outcome::Written(_)])), "{number}: {outcomes:?}");
    }
}

/// The numbers of all records, in order.
fn numbers(core: &Core) -> Vec<u64> {
    let reader = core.reader();
    let (mut all, mut from) = (Vec::new(), reader.first());
    loop {
        let page = reader.read(from, 10_000).expect("it can be read");
        let Some(last) = page.last() else { return all };
        from = last.position.next();
        let number = |data: &[u8]| std::str::from_utf8(data).expect("digits").parse::<u64>().expect("a number");
        all.extend(page.iter().map(|stored| number(&stored.entry.data)));
    }
}

fn durable(core: &Core) -> Position {
    core.reader().durable().borrow().position
}
