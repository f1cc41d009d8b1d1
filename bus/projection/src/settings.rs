//! Limits of a projection, with their units.

use std::time::Duration;

/// How much is done at once, waited for and held. The defaults are meant to be left alone.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Most records in one transaction.
    pub transaction_records: usize,
    /// Longest time that one transaction stays open while there is more to fold.
    pub transaction_time: Duration,
    /// Records that the tables may be behind before [`room`](crate::Projection::room) holds writers back.
    pub lag_records: u64,
    /// How long [`read_at_least`](crate::Projection::read_at_least) waits for its position.
    pub patience: Duration,
    /// Reads at the same time; more wait for their turn.
    pub readers: usize,
    /// Longest time that one read may run; it is then interrupted, because it keeps the write-ahead log from being reused.
    pub read_time: Duration,
    /// Bytes of the write-ahead log after which it is written back to the tables, as far as readers allow.
    pub checkpoint_bytes: u64,
    /// Bytes of the write-ahead log (and one transaction) that are never passed: folding waits until the readers that hold it are gone.
    pub log_bytes: u64,
    /// Memory for pages of the writing connection, in bytes.
    pub cache_bytes: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            transaction_records: 10_000,
            transaction_time: Duration::from_millis(50),
            lag_records: 100_000,
            patience: Duration::from_secs(5),
            readers: 4,
            read_time: Duration::from_secs(10),
            checkpoint_bytes: 64 << 20,
            log_bytes: 512 << 20,
            cache_bytes: 64 << 20,
        }
    }
}
