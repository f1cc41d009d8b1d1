//! The laws of [`Journal`]: what every engine must do. Each is a function that panics where it is broken; [`LAWS`] lists them.

#![allow(clippy::panic, clippy::expect_used, reason = "a law that is broken panics")]

mod keys;
mod lasting;
mod records;

use std::sync::Arc;

use passerelle_journal::{AppendError, Entry, Fingerprint, Journal, KeyStep, Outcome, Position, Stored};

/// Where a journal is.
pub trait Place {
    /// Opens it: an empty one at first. Called again only when what was opened before is dropped.
    fn open(&self) -> Arc<dyn Journal>;

    /// Whether what was written is there when it is opened again.
    fn lasts(&self) -> bool;
}

/// One law, named by what holds.
pub type Law = (&'static str, fn(&dyn Place));

/// All of them. Each wants a place of its own.
pub const LAWS: [Law; 21] = [
    ("positions begin at one and have no gap", records::positions_begin_at_one_and_have_no_gap),
    ("what is acknowledged is read as it was written", records::what_is_acknowledged_is_read_as_it_was_written),
    ("no entries are acknowledged as none", records::no_entries_are_acknowledged_as_none),
    ("a page holds one record and keeps its bound", records::a_page_holds_one_record_and_keeps_its_bound),
    ("there is nothing at the end", records::there_is_nothing_at_the_end),
    ("whoever follows is woken", records::whoever_follows_is_woken),
    ("what is too large is refused whole", records::what_is_too_large_is_refused_whole),
    ("a repetition is answered with the first position", records::a_repetition_is_answered_with_the_first_position),
    ("many writers keep their order", records::many_writers_keep_their_order),
    ("what was trimmed is said to be trimmed", records::what_was_trimmed_is_said_to_be_trimmed),
    ("a key is written in sequence only", keys::a_key_is_written_in_sequence_only),
    ("one refused entry does not hold up the others", keys::one_refused_entry_does_not_hold_up_the_others),
    ("a life begins at its last snapshot", keys::a_life_begins_at_its_last_snapshot),
    ("a key never written has no life", keys::a_key_never_written_has_no_life),
    ("a life holds what was queued before", keys::a_life_holds_what_was_queued_before),
    ("a key goes on after its past was trimmed", keys::a_key_goes_on_after_its_past_was_trimmed),
    ("every key is named where it has records", keys::every_key_is_named_where_it_has_records),
    ("what comes after the last keyed record is told", keys::what_comes_after_the_last_keyed_record_is_told),
    ("whoever follows keys sleeps through what was published", keys::whoever_follows_keys_sleeps_through_what_was_published),
    ("what was acknowledged lasts", lasting::what_was_acknowledged_lasts),
    ("every engine answers as the one in memory", lasting::every_engine_answers_as_the_one_in_memory),
];

/// Runs all laws, each in a place that `place` makes.
pub fn hold(place: impl Fn() -> Box<dyn Place>) {
    for (name, law) in LAWS {
        println!("{name}");
        law(&*place());
    }
}

fn entry(data: &str) -> Entry {
    Entry { data: data.to_owned().into(), step: None, fingerprint: None }
}

fn once(data: &str, fingerprint: u128) -> Entry {
    Entry { fingerprint: Some(Fingerprint(fingerprint)), ..entry(data) }
}

fn step(key: &str, sequence: u64, snapshot: bool) -> Entry {
    let step = KeyStep { key: key.into(), sequence, snapshot };
    Entry { step: Some(step), ..entry(&format!("{key} step {sequence}")) }
}

fn written(position: u64) -> Outcome {
    Outcome::Written(Position(position))
}

/// Writes, and waits until it is durable.
fn append(journal: &dyn Journal, entries: Vec<Entry>) -> Result<Vec<Outcome>, AppendError> {
    block_on(journal.append(entries))?.wait()
}

fn trim(journal: &dyn Journal, position: u64) -> Position {
    block_on(journal.trim(Position(position))).expect("it can be trimmed")
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(future)
}

/// Everything that is kept, page by page.
fn all(journal: &dyn Journal, bytes: usize) -> Vec<Stored> {
    let mut all: Vec<Stored> = Vec::new();
    loop {
        let from = all.last().map_or(journal.first(), |last| last.position.next());
        let page = journal.read(from, bytes).expect("it can be read");
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}
