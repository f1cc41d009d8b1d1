//! The newest fingerprints, by which a repetition is known.

use std::collections::VecDeque;

use hashbrown::HashTable;

use crate::Fingerprint;

/// A bounded window of fingerprints, with the positions of their records.
///
/// They lie in the order in which they came; the table has only their numbers. So the table stays in the processor's cache, and what
/// is added and what goes is next to what was added and went before.
#[derive(Debug)]
pub(super) struct Dedupe {
    most: usize,
    /// With their positions: one that was forgotten may have come again.
    order: VecDeque<(Fingerprint, u64)>,
    /// Number of the first in `order`. Numbers wrap around: there are never more than 2^24 at once.
    first: u32,
    numbers: HashTable<u32>,
}

impl Dedupe {
    pub(super) fn new(most: usize) -> Self {
        Self { most, order: VecDeque::new(), first: 0, numbers: HashTable::new() }
    }

    /// Makes room for so many more.
    pub(super) fn expect(&mut self, more: usize) {
        self.order.reserve(more);
        let Self { order, first, numbers, .. } = self;
        numbers.reserve(more, |number| hash(order[number.wrapping_sub(*first) as usize].0));
    }

    pub(super) fn position(&self, fingerprint: Fingerprint) -> Option<u64> {
        let same = |number: &u32| self.at(*number).0 == fingerprint;
        self.numbers.find(hash(fingerprint), same).map(|number| self.at(*number).1)
    }

    /// Adds a newer one. The window is shrunk only by [`settle`](Self::settle).
    pub(super) fn add(&mut self, fingerprint: Fingerprint, position: u64) {
        let number = self.first.wrapping_add(self.order.len() as u32);
        self.order.push_back((fingerprint, position));
        let Self { order, first, numbers, .. } = self;
        let at = |number: u32| order[number.wrapping_sub(*first) as usize].0;
        match numbers.find_mut(hash(fingerprint), |older| at(*older) == fingerprint) {
            Some(older) => *older = number,
            None => drop(numbers.insert_unique(hash(fingerprint), number, |number| hash(at(*number)))),
        }
    }

    /// What was added is durable: the oldest beyond the bound go.
    pub(super) fn settle(&mut self) {
        while self.order.len() > self.most
            && let Some((oldest, _)) = self.order.pop_front()
        {
            self.remove(oldest, self.first);
            self.first = self.first.wrapping_add(1);
        }
    }

    /// What was added from `position` on is not there after all.
    pub(super) fn forget_from(&mut self, position: u64) {
        while let Some((newest, _)) = self.order.pop_back_if(|(_, at)| *at >= position) {
            self.remove(newest, self.first.wrapping_add(self.order.len() as u32));
        }
    }

    fn at(&self, number: u32) -> (Fingerprint, u64) {
        self.order[number.wrapping_sub(self.first) as usize]
    }

    /// Where it came again, the table has another number.
    fn remove(&mut self, fingerprint: Fingerprint, number: u32) {
        if let Ok(found) = self.numbers.find_entry(hash(fingerprint), |other| *other == number) {
            found.remove();
        }
    }
}

/// Fingerprints are keyed hashes already.
fn hash(fingerprint: Fingerprint) -> u64 {
    fingerprint.0 as u64
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
