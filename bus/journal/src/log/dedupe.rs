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
    /// With their positions: one that was forgotten may have come again.
    order: VecDeque<(Fingerprint, u64)>,
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
        self.positions.insert(fingerprint, position);
        self.order.push_back((fingerprint, position));
    }

    /// What was added is durable: the oldest beyond the bound go.
    pub(super) fn settle(&mut self) {
        while self.order.len() > self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.remove(oldest);
        }
    }

    /// What was added from `position` on is not there after all.
    pub(super) fn forget_from(&mut self, position: u64) {
        while let Some(newest) = self.order.pop_back_if(|(_, at)| *at >= position) {
            self.remove(newest);
        }
    }

    fn remove(&mut self, (fingerprint, position): (Fingerprint, u64)) {
        if self.position(fingerprint) == Some(position) {
            self.positions.remove(&fingerprint);
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

    #[test]
    fn one_that_came_again_is_as_new_as_its_last_record() {
        let mut dedupe = Dedupe::new(2);
        for (number, position) in [(1, 11), (2, 12), (3, 13), (1, 14), (4, 15)] {
            dedupe.add(Fingerprint(number), position);
        }
        dedupe.settle();
        assert_eq!(known(&dedupe), [14, 15]);
    }
}
