//! What is measured of the journal.

use metrics::Unit;
use passerelle_journal::Journal;
use passerelle_journal::log::Log;

const RECORDS: &str = "passerelle_journal_records_total";
const BYTES: &str = "passerelle_journal_bytes_total";
const BATCHES: &str = "passerelle_journal_batches_total";
const SYNCS: &str = "passerelle_journal_syncs_total";
const REPEATED: &str = "passerelle_journal_repeated_total";
const SEGMENTS: &str = "passerelle_journal_segments";
const POSITION: &str = "passerelle_journal_position";
const FIRST: &str = "passerelle_journal_first_position";
const FAILED: &str = "passerelle_journal_failed";

/// Name, unit and meaning of every metric of the journal.
pub(crate) const METRICS: [(&str, Unit, &str); 9] = [
    (RECORDS, Unit::Count, "records written to the journal"),
    (BYTES, Unit::Bytes, "bytes written to the journal, headers included"),
    (BATCHES, Unit::Count, "batches of records, each one write and one fdatasync"),
    (SYNCS, Unit::Count, "calls of fdatasync by the journal"),
    (REPEATED, Unit::Count, "messages published again and not written again"),
    (SEGMENTS, Unit::Count, "files of the journal that hold records"),
    (POSITION, Unit::Count, "position of the last record on disk"),
    (FIRST, Unit::Count, "position of the oldest record kept"),
    (FAILED, Unit::Count, "1 when the journal cannot be written any more until a restart, else 0"),
];

/// Writes down what the journal counts itself.
pub(super) fn take(log: &Log) {
    let stats = log.stats();
    metrics::counter!(RECORDS).absolute(stats.records);
    metrics::counter!(BYTES).absolute(stats.bytes);
    metrics::counter!(BATCHES).absolute(stats.batches);
    metrics::counter!(SYNCS).absolute(stats.syncs);
    metrics::counter!(REPEATED).absolute(stats.repeated);
    metrics::gauge!(SEGMENTS).set(stats.segments as f64);
    let durability = log.durable().borrow().clone();
    metrics::gauge!(POSITION).set(durability.position.0 as f64);
    metrics::gauge!(FIRST).set(log.first().0 as f64);
    metrics::gauge!(FAILED).set(if durability.failed.is_some() { 1.0 } else { 0.0 });
}
