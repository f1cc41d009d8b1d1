//! What a world writes, by chance.

use std::sync::Arc;

use bytes::Bytes;
use fastrand::Rng;
use passerelle_journal::{Entry, Fingerprint, KeyStep};

use crate::model::{Append, Model};

/// Length of the fixed part of a record, and of a mark.
pub(crate) const HEAD: usize = 40;

/// How a world's entries look. Equal sizes, and those on the grid of the marks, make the remains of one life lie exactly where the next
/// one writes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    size: Size,
    keys: u64,
    fingerprinted: u8,
}

#[derive(Debug, Clone, Copy)]
enum Size {
    Equal(usize),
    Grid,
    Small,
    Mixed,
}

impl Style {
    pub(crate) fn draw(rng: &mut Rng) -> Self {
        let size = match rng.u8(..5) {
            0 => Size::Equal(rng.usize(8..200)),
            1 => Size::Mixed,
            2 => Size::Grid,
            _ => Size::Small,
        };
        Self { size, keys: rng.u64(1..6), fingerprinted: rng.u8(..8) }
    }
}

/// Makes entries no two of which are the same.
#[derive(Clone)]
pub(crate) struct Workload {
    style: Style,
    made: u64,
    /// Bytes of the journal's own files, to be written as data now and then: a copy of a record is not a record.
    pub(crate) own: Vec<u8>,
}

impl Workload {
    pub(crate) fn new(style: Style) -> Self {
        Self { style, made: 0, own: Vec::new() }
    }

    /// What waits when the writer comes round.
    pub(crate) fn batch(&mut self, model: &Model, rng: &mut Rng) -> Vec<Append> {
        let appends = if rng.u8(..8) == 0 { rng.usize(5..20) } else { rng.usize(1..4) };
        (0..appends).map(|_| (0..rng.usize(1..4)).map(|_| self.entry(model, rng)).collect()).collect()
    }

    /// A snapshot for every key, so that what is before can be trimmed.
    pub(crate) fn snapshots(&mut self, model: &Model, rng: &mut Rng) -> Append {
        let snapshot = |key: Arc<str>| {
            let sequence = model.sequence(&key) + 1;
            let rest = HEAD + 8 + key.len();
            Entry { data: self.data(rest, rng), step: Some(KeyStep { key, sequence, snapshot: true }), fingerprint: None }
        };
        model.keys().into_iter().map(snapshot).collect()
    }

    /// A record that fills a good part of a segment.
    pub(crate) fn large(&mut self, bytes: usize) -> Append {
        self.made += 1;
        let mut data = self.made.to_le_bytes().to_vec();
        data.resize(bytes, self.made as u8);
        vec![Entry { data: data.into(), step: None, fingerprint: None }]
    }

    fn entry(&mut self, model: &Model, rng: &mut Rng) -> Entry {
        let step = rng.bool().then(|| self.step(model, rng));
        let fingerprint = (rng.u8(..8) < self.style.fingerprinted).then(|| self.fingerprint(model, rng));
        // Everything of a record but its data; see the record's layout.
        let rest = HEAD + step.as_ref().map_or(0, |step| 8 + step.key.len()) + fingerprint.map_or(0, |_| 16);
        Entry { data: self.data(rest, rng), step, fingerprint }
    }

    fn step(&self, model: &Model, rng: &mut Rng) -> KeyStep {
        let key: Arc<str> = format!("key/{}", rng.u64(..self.style.keys)).into();
        // Entries before it in the same batch may have the same: then it is refused.
        let ahead = if rng.u8(..8) == 0 { rng.u64(..3) } else { 1 };
        KeyStep { sequence: model.sequence(&key) + ahead, key, snapshot: rng.u8(..8) == 0 }
    }

    fn fingerprint(&mut self, model: &Model, rng: &mut Rng) -> Fingerprint {
        let again = if rng.u8(..4) == 0 { model.recent(rng.usize(..40)) } else { None };
        again.unwrap_or_else(|| Fingerprint(rng.u128(..)))
    }

    fn data(&mut self, rest: usize, rng: &mut Rng) -> Bytes {
        self.made += 1;
        let mut data = self.made.to_le_bytes().to_vec();
        let size = match self.style.size {
            Size::Equal(size) => size,
            Size::Grid => HEAD * rng.usize(3..7) - rest,
            Size::Small => rng.usize(8..300),
            Size::Mixed if rng.u8(..10) == 0 => rng.usize(300..6000),
            Size::Mixed => rng.usize(8..300),
        };
        if !self.own.is_empty() && rng.u8(..8) == 0 {
            let from = rng.usize(..self.own.len()) / 8 * 8;
            data.extend(self.own[from..].iter().take(size));
        }
        data.resize(size, self.made as u8);
        data.into()
    }
}
