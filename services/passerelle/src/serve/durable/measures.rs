//! What is measured of the journal.

use std::time::SystemTime;

use metrics::Unit;
use passerelle_bus::keyed::Carried;
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
const KEPT_BYTES: &str = "passerelle_journal_kept_bytes";
const TRIMS: &str = "passerelle_journal_trims_total";
const LAST_TRIM: &str = "passerelle_journal_last_trim_timestamp_seconds";
const CARRIED: &str = "passerelle_journal_carried_over_bytes_total";
const RETENTION_FAILURES: &str = "passerelle_journal_retention_failures_total";
const FAILED: &str = "passerelle_journal_failed";

/// Name, unit and meaning of every metric of the journal.
pub(crate) const METRICS: [(&str, Unit, &str); 14] = [
    (RECORDS, Unit::Count, "records written to the journal"),
    (BYTES, Unit::Bytes, "bytes written to the journal, headers included"),
    (BATCHES, Unit::Count, "batches of records, each one write and one fdatasync"),
    (SYNCS, Unit::Count, "calls of fdatasync by the journal"),
    (REPEATED, Unit::Count, "messages published again and not written again"),
    (SEGMENTS, Unit::Count, "files of the journal that hold records"),
    (POSITION, Unit::Count, "position of the last record on disk"),
    (FIRST, Unit::Count, "position of the oldest record kept"),
    (KEPT_BYTES, Unit::Bytes, "bytes of the files of the journal that hold records; spare ones come on top"),
    (TRIMS, Unit::Count, "times that the oldest records were given up"),
    (LAST_TRIM, Unit::Seconds, "when the oldest records were given up last, in Unix seconds"),
    (CARRIED, Unit::Bytes, "bytes of snapshots of living things, written so that older records could be given up"),
    (RETENTION_FAILURES, Unit::Count, "times that old records could not be given up; it is tried again each minute"),
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
    metrics::gauge!(KEPT_BYTES).set(log.kept().iter().map(|segment| segment.bytes).sum::<u64>() as f64);
    // Told from the beginning, or nobody sees the first one.
    for counter in [TRIMS, CARRIED, RETENTION_FAILURES] {
        metrics::counter!(counter).increment(0);
    }
    let durability = log.durable().borrow().clone();
    metrics::gauge!(POSITION).set(durability.position.0 as f64);
    metrics::gauge!(FIRST).set(log.first().0 as f64);
    metrics::gauge!(FAILED).set(if durability.failed.is_some() { 1.0 } else { 0.0 });
}

/// Old records were given up, after this was carried over.
pub(super) fn trimmed(carried: Carried) {
    metrics::counter!(TRIMS).increment(1);
    metrics::counter!(CARRIED).increment(carried.bytes);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    metrics::gauge!(LAST_TRIM).set(now.as_secs_f64());
}

/// Old records could not be given up.
pub(super) fn retention_failed() {
    metrics::counter!(RETENTION_FAILURES).increment(1);
}
