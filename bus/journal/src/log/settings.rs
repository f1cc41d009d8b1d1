//! What can be set about a log, with its units, limits and defaults.

/// Settings of a [`Log`](super::Log). The defaults are right for most; each is raised or lowered to its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// Bytes of one segment file, default 64 MiB, 64 KiB to 1 GiB. Records are given up by whole segments; the active one is read
    /// at start. One append must fit in the smallest. The first segments of a new journal are smaller (4, 8, 16, 32 MiB), so that a first start is quick.
    pub segment_bytes: u64,
    /// Segments kept ready to be used beside the next one, default 2, at most 16: trimmed ones, or new ones made when the writer is
    /// idle. So many segments can be written without the disk being busy with zeroing. They take their room on the disk.
    pub spare_segments: usize,
    /// Bytes that may wait for the writer, default 64 MiB, 1 MiB to 1 GiB. Then `append` waits.
    pub queue_bytes: usize,
    /// How many fingerprints are remembered, default 262,144, at most 16,777,216. An older repetition is written again.
    /// Forty to eighty bytes of memory each, and as many for those of the newest segment.
    pub dedupe_keys: usize,
    /// Bytes of memory for the key filters of sealed segments, default 64 MiB, at most 4 GiB. Beyond, a key that was never written
    /// is looked up on disk, once in each older segment.
    pub index_bytes: usize,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, spare_segments: 2, queue_bytes: 64 << 20, dedupe_keys: 1 << 18, index_bytes: 64 << 20 }
    }
}

/// Capacity of the first segment of a new journal; each next one is twice as large, up to the settings' size.
const FIRST_SEGMENT: u64 = 4 << 20;

impl LogSettings {
    /// With every setting within its limits.
    pub(crate) fn limited(self) -> Self {
        Self {
            segment_bytes: self.segment_bytes.clamp(64 << 10, 1 << 30).next_multiple_of(4096),
            spare_segments: self.spare_segments.min(16),
            queue_bytes: self.queue_bytes.clamp(1 << 20, 1 << 30),
            dedupe_keys: self.dedupe_keys.min(1 << 24),
            index_bytes: self.index_bytes.min(4 << 30),
        }
    }

    /// Capacity of the first segment.
    pub(crate) fn first_segment(&self) -> u64 {
        self.segment_bytes.min(FIRST_SEGMENT)
    }

    /// Capacity of the segment after one of `capacity`.
    pub(crate) fn next_segment(&self, capacity: u64) -> u64 {
        capacity.saturating_mul(2).clamp(self.first_segment(), self.segment_bytes)
    }
}
