//! The index of a sealed segment, in a file beside it: it saves reading the segment, and can always be made again from it.
//!
//! A label, a block of counts and checksums, then five tables: places (position, offset: 8 bytes each), buckets (first step, checksum
//! of its steps: 4 each), the filter (a Bloom filter of the key hashes), steps sorted by key hash (hash, position, sequence: 8 each,
//! offset, snapshot: 4 each), fingerprints in order (16, position 8).

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::Fingerprint;
use crate::storage::{File, Folder};

use super::fresh::{Fresh, Step};
use super::label::{LABEL, Label, long, longest, word};
use super::meta::Identity;
use super::names;
use super::segment::Place;

const KIND: [u8; 8] = *b"PASSINDX";
/// Counts and checksums: nine words, the last one is the checksum of the others.
const COUNTS: usize = 36;
const PLACE: usize = 16;
const BUCKET: usize = 8;
const STEP: usize = 32;
const FINGERPRINT: usize = 24;
/// About so many steps in a bucket: what is read to look up one key.
const STEPS_IN_BUCKET: usize = 64;
const PROBES: u64 = 4;
const BITS_OF_KEY: usize = 16;

/// Memory for the filters of all sidecars.
#[derive(Debug)]
pub(super) struct Budget {
    used: AtomicUsize,
    limit: usize,
}

impl Budget {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), limit })
    }
}

/// Part of the budget, given back when it is dropped.
struct Filter {
    bits: Vec<u8>,
    budget: Arc<Budget>,
}

impl Filter {
    /// `None` when the budget is used up.
    fn read(file: &dyn File, offset: u64, length: usize, budget: &Arc<Budget>) -> io::Result<Option<Self>> {
        if budget.used.fetch_add(length, Ordering::Relaxed) + length > budget.limit {
            budget.used.fetch_sub(length, Ordering::Relaxed);
            return Ok(None);
        }
        let mut filter = Self { bits: vec![0; length], budget: budget.clone() };
        file.read_at(offset, &mut filter.bits)?;
        Ok(Some(filter))
    }
}

impl Drop for Filter {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bits.len(), Ordering::Relaxed);
    }
}

/// The bits of a hash; `bytes` is a power of two.
fn probes(hash: u64, bytes: usize) -> impl Iterator<Item = (usize, u8)> {
    let mask = bytes as u64 * 8 - 1;
    let stride = (hash >> 32) | 1;
    (0..PROBES).map(move |probe| {
        let bit = hash.wrapping_add(probe.wrapping_mul(stride)) & mask;
        ((bit / 8) as usize, 1 << (bit % 8))
    })
}

/// Which of `buckets` a hash belongs to.
fn bucket_of(hash: u64, buckets: usize) -> usize {
    ((u128::from(hash) * buckets as u128) >> 64) as usize
}

/// The sidecar of one segment, as much of it as is kept in memory.
pub(super) struct Sidecar {
    counts: Counts,
    places: Vec<Place>,
    /// First step, checksum.
    buckets: Vec<(u32, u32)>,
    filter: Option<Filter>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counts {
    places: usize,
    buckets: usize,
    filter: usize,
    steps: usize,
    fingerprints: usize,
    tables_crc: u32,
    filter_crc: u32,
    fingerprints_crc: u32,
}

impl Counts {
    fn filter_at(&self) -> u64 {
        (LABEL + COUNTS + self.places * PLACE + self.buckets * BUCKET) as u64
    }

    fn steps_at(&self) -> u64 {
        self.filter_at() + self.filter as u64
    }

    fn fingerprints_at(&self) -> u64 {
        self.steps_at() + (self.steps * STEP) as u64
    }

    fn encode(&self) -> Vec<u8> {
        let counts = [self.places, self.buckets, self.filter, self.steps, self.fingerprints].map(|count| count as u32);
        let words = counts.into_iter().chain([self.tables_crc, self.filter_crc, self.fingerprints_crc]);
        let mut bytes: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
        bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..COUNTS)?;
        if word(bytes, 32) != crc32c::crc32c(&bytes[..32]) {
            return None;
        }
        let count = |at| word(bytes, at) as usize;
        Some(Self {
            places: count(0),
            buckets: count(4),
            filter: count(8),
            steps: count(12),
            fingerprints: count(16),
            tables_crc: word(bytes, 20),
            filter_crc: word(bytes, 24),
            fingerprints_crc: word(bytes, 28),
        })
    }
}

/// The bytes of the sidecar of the segment from `base` up to `next`.
pub(super) fn encode(identity: Identity, epoch: u32, [base, next]: [u64; 2], places: &[Place], fresh: &Fresh) -> Vec<u8> {
    let mut steps: Vec<(u64, Step)> = Vec::new();
    for (key, of_key) in &fresh.keys {
        let hash = identity.hash(key);
        steps.extend(of_key.iter().map(|step| (hash, *step)));
    }
    steps.sort_unstable_by_key(|(hash, step)| (*hash, step.position));

    let mut filter = vec![0_u8; (fresh.keys.len() * BITS_OF_KEY / 8).next_power_of_two().max(8)];
    let bytes = filter.len();
    for (hash, _) in &steps {
        probes(*hash, bytes).for_each(|(byte, bit)| filter[byte] |= bit);
    }

    let buckets = (steps.len() / STEPS_IN_BUCKET).max(1);
    let mut tables: Vec<u8> = places.iter().flat_map(|place| [place.position, place.offset]).flat_map(u64::to_le_bytes).collect();
    let mut encoded = Vec::with_capacity(steps.len() * STEP);
    let mut start = 0;
    for bucket in 0..buckets {
        let length = steps[start..].partition_point(|(hash, _)| bucket_of(*hash, buckets) <= bucket);
        let from = encoded.len();
        for (hash, step) in &steps[start..start + length] {
            encoded.extend([*hash, step.position, step.sequence].into_iter().flat_map(u64::to_le_bytes));
            encoded.extend([step.offset, u32::from(step.snapshot)].into_iter().flat_map(u32::to_le_bytes));
        }
        tables.extend([start as u32, crc32c::crc32c(&encoded[from..])].into_iter().flat_map(u32::to_le_bytes));
        start += length;
    }

    let mut fingerprints = Vec::with_capacity(fresh.fingerprints.len() * FINGERPRINT);
    for (Fingerprint(fingerprint), position) in &fresh.fingerprints {
        fingerprints.extend(fingerprint.to_le_bytes());
        fingerprints.extend(position.to_le_bytes());
    }
    let counts = Counts {
        places: places.len(),
        buckets,
        filter: filter.len(),
        steps: steps.len(),
        fingerprints: fresh.fingerprints.len(),
        tables_crc: crc32c::crc32c(&tables),
        filter_crc: crc32c::crc32c(&filter),
        fingerprints_crc: crc32c::crc32c(&fingerprints),
    };
    let label = Label { kind: KIND, epoch, journal: identity.0, numbers: [base, next] };
    [label.encode().to_vec(), counts.encode(), tables, filter, encoded, fingerprints].concat()
}

/// Opens the sidecar of the segment from `base` up to `next`. `None`: it is missing, damaged, or of something else.
fn open(folder: &dyn Folder, identity: Identity, [base, next]: [u64; 2]) -> Option<(Arc<dyn File>, Counts)> {
    let file = folder.open(&names::index(base)).ok()?;
    let mut head = [0; LABEL + COUNTS];
    file.read_at(0, &mut head).ok()?;
    let (label, counts) = head.split_first_chunk()?;
    let label = Label::decode(KIND, label).ok()??;
    if label.journal != identity.0 || label.numbers != [base, next] {
        return None;
    }
    let counts = Counts::decode(counts)?;
    let whole = counts.fingerprints_at() + (counts.fingerprints * FINGERPRINT) as u64;
    (file.length().ok()? == whole).then_some((file, counts))
}

/// Whether there is a sidecar that speaks of the segment from `base` up to `next`.
pub(super) fn is_there(folder: &dyn Folder, identity: Identity, range: [u64; 2]) -> bool {
    open(folder, identity, range).is_some()
}

/// The fingerprints of a segment, in order. `None`: the sidecar is missing or damaged.
pub(super) fn fingerprints(folder: &dyn Folder, identity: Identity, range: [u64; 2]) -> Option<Vec<(Fingerprint, u64)>> {
    let (file, counts) = open(folder, identity, range)?;
    let mut bytes = vec![0; counts.fingerprints * FINGERPRINT];
    file.read_at(counts.fingerprints_at(), &mut bytes).ok()?;
    if crc32c::crc32c(&bytes) != counts.fingerprints_crc {
        return None;
    }
    Some(bytes.chunks_exact(FINGERPRINT).map(|row| (Fingerprint(longest(row, 0)), long(row, 16))).collect())
}

impl Sidecar {
    /// Reads what is kept in memory. `None`: the sidecar is missing or damaged.
    pub(super) fn read(folder: &dyn Folder, identity: Identity, range: [u64; 2], budget: &Arc<Budget>) -> Option<Self> {
        let (file, counts) = open(folder, identity, range)?;
        let mut tables = vec![0; counts.places * PLACE + counts.buckets * BUCKET];
        file.read_at((LABEL + COUNTS) as u64, &mut tables).ok()?;
        let filter = Filter::read(&*file, counts.filter_at(), counts.filter, budget).ok()?;
        let filter_is_right = filter.as_ref().is_none_or(|filter| crc32c::crc32c(&filter.bits) == counts.filter_crc);
        if crc32c::crc32c(&tables) != counts.tables_crc || !filter_is_right {
            return None;
        }
        let (places, buckets) = tables.split_at(counts.places * PLACE);
        let places = places.chunks_exact(PLACE).map(|row| Place { position: long(row, 0), offset: long(row, 8) }).collect();
        let buckets = buckets.chunks_exact(BUCKET).map(|row| (word(row, 0), word(row, 4))).collect();
        Some(Self { counts, places, buckets, filter })
    }

    pub(super) fn places(&self) -> &[Place] {
        &self.places
    }

    /// Steps of keys with this hash, oldest first. `None`: the sidecar is damaged.
    pub(super) fn steps(&self, folder: &dyn Folder, base: u64, hash: u64) -> Option<Vec<Step>> {
        let absent = |filter: &Filter| probes(hash, filter.bits.len()).any(|(byte, bit)| filter.bits[byte] & bit == 0);
        if self.filter.as_ref().is_some_and(absent) {
            return Some(Vec::new());
        }
        let file = folder.open(&names::index(base)).ok()?;
        let bytes = self.bucket(&*file, bucket_of(hash, self.buckets.len()))?;
        Some(bytes.chunks_exact(STEP).filter(|row| long(row, 0) == hash).map(step).collect())
    }

    /// The steps of all keys. `None`: the sidecar is damaged.
    pub(super) fn all_steps(&self, folder: &dyn Folder, base: u64) -> Option<Vec<Step>> {
        if self.counts.steps == 0 {
            return Some(Vec::new());
        }
        let file = folder.open(&names::index(base)).ok()?;
        let mut steps = Vec::with_capacity(self.counts.steps);
        for bucket in 0..self.buckets.len() {
            steps.extend(self.bucket(&*file, bucket)?.chunks_exact(STEP).map(step));
        }
        Some(steps)
    }

    /// The rows of a bucket. `None`: they are damaged.
    fn bucket(&self, file: &dyn File, bucket: usize) -> Option<Vec<u8>> {
        let (start, crc) = *self.buckets.get(bucket)?;
        let end = self.buckets.get(bucket + 1).map_or(self.counts.steps, |(start, _)| *start as usize);
        let mut bytes = vec![0; end.checked_sub(start as usize)? * STEP];
        file.read_at(self.counts.steps_at() + u64::from(start) * STEP as u64, &mut bytes).ok()?;
        (crc32c::crc32c(&bytes) == crc).then_some(bytes)
    }
}

/// A row of the steps.
fn step(row: &[u8]) -> Step {
    Step { position: long(row, 8), sequence: long(row, 16), offset: word(row, 24), snapshot: word(row, 28) != 0 }
}
