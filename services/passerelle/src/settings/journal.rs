//! The journal: where it is kept, and what bounds it.

use std::path::PathBuf;
use std::time::Duration;

use passerelle_journal::log::LogSettings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::serve::durable::Retention;

const SECONDS_OF_DAY: u64 = 86_400;

/// The journal, which holds what was published and what happened; on disk before it is acknowledged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Journal {
    /// Its folder; `journal` in `data_dir` when not set. A disk of its own makes acknowledgements quicker. Made if missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dir: Option<PathBuf>,
    /// Size of one file of it (a segment), in MiB. The newest is read at each start; the first ones of a new journal are smaller.
    #[schemars(range(min = 4, max = 1024))]
    pub segment_mib: u32,
    /// When its files take more than this, in MiB, the oldest are given up; not set: never. The newest file stays, and up to three spare
    /// ones come on top. What still lives (callbacks, hand-offs, the places of subscriptions) is written again before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 4, max = 67_108_864))]
    pub retain_mib: Option<u32>,
    /// Records older than this, in days, are given up in the same way, file by file: none is kept for more than an eighth longer. Not
    /// set: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 36_500))]
    pub retain_days: Option<u32>,
    /// What may wait for the disk, in MiB; whoever publishes more waits.
    #[schemars(range(min = 1, max = 1024))]
    pub queue_mib: u32,
    /// How many messages are known again when they are published a second time, counted back from the newest. About 64 bytes of
    /// memory each.
    #[schemars(range(min = 0, max = 16_777_216))]
    pub dedupe_keys: u32,
}

impl Journal {
    /// The same for the engine.
    pub fn engine(&self) -> LogSettings {
        LogSettings {
            segment_bytes: u64::from(self.segment_mib) << 20,
            queue_bytes: (self.queue_mib as usize) << 20,
            dedupe_keys: self.dedupe_keys as usize,
            ..LogSettings::default()
        }
    }

    /// What is given up, and when.
    pub(crate) fn retention(&self) -> Retention {
        Retention {
            bytes: self.retain_mib.map(|mib| u64::from(mib) << 20),
            age: self.retain_days.map(|days| Duration::from_secs(u64::from(days) * SECONDS_OF_DAY)),
        }
    }
}

impl Default for Journal {
    fn default() -> Self {
        Self { dir: None, segment_mib: 64, retain_mib: None, retain_days: None, queue_mib: 64, dedupe_keys: 1 << 18 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_engine() {
        assert_eq!(Journal::default().engine(), LogSettings::default());
    }
}
