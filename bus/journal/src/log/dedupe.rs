//! The newest fingerprints, by which a repetition is known.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

use crate::Fingerprint;

/// Fingerprints are keyed hashes already.
#[derive(Debug, Default)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, fingerprint: u128) {
        self.0 = fingerprint as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A bounded window of fingerprints, with the positions of their records.
#[derive(Debug)]
pub(super) struct Dedupe {
    most: usize,
    positions: HashMap<Fingerprint, u64, BuildHasherDefault<AsItIs>>,
    order: VecDeque<Fingerprint>,
}

impl Dedupe {
    pub(super) fn new(most: usize) -> Self {
        Self { most, positions: HashMap::default(), order: VecDeque::new() }
    }

    /// Makes room for so many more.
    pub(super) fn expect(&mut self, more: usize) {
        self.positions.reserve(more);
        self.order.reserve(more);
    }

    pub(super) fn position(&self, fingerprint: Fingerprint) -> Option<u64> {
        self.positions.get(&fingerprint).copied()
    }

    /// Adds a newer one. The window is shrunk only by [`settle`](Self::settle).
    pub(super) fn add(&mut self, fingerprint: Fingerprint, position: u64) {
        if self.positions.insert(fingerprint, position).is_none() {
            self.order.push_back(fingerprint);
        }
    }

    /// What was added is durable: the oldest beyond the bound go.
    pub(super) fn settle(&mut self) {
        while self.order.len() > self.most {
            if let Some(oldest) = self.order.pop_front() {
                self.positions.remove(&oldest);
            }
        }
    }

    /// What was added from `position` on is not there after all.
    pub(super) fn forget_from(&mut self, position: u64) {
        while let Some(newest) = self.order.back() {
            if self.positions.get(newest).is_some_and(|at| *at < position) {
                break;
            }
            self.positions.remove(newest);
            self.order.pop_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(dedupe: &Dedupe) -> Vec<u64> {
        (1..=6).filter_map(|number| dedupe.position(Fingerprint(number))).collect()
    }

    #[test]
    fn the_oldest_go_and_the_undone_are_forgotten() {
        let mut dedupe = Dedupe::new(3);
        for number in 1..=5 {
            dedupe.add(Fingerprint(number), 10 + number as u64);
        }
        assert_eq!(known(&dedupe), [11, 12, 13, 14, 15]);
        dedupe.settle();
        assert_eq!(known(&dedupe), [13, 14, 15]);
        dedupe.add(Fingerprint(6), 16);
        dedupe.forget_from(15);
        assert_eq!(known(&dedupe), [13, 14]);
    }
}
