//! Which idempotency keys were used and are remembered no more: a filter that is never wrong when it says no.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Bits of the filter: 256 bytes a key, only for keys that have forgotten something. With 300 keys in it, one new key in 30 is looked up
/// without need.
const BITS: u64 = 2_048;
/// Bits that one idempotency key sets.
const BITS_SET: u32 = 4;

/// What is known of idempotency keys that are remembered no more.
#[derive(Debug, Clone)]
pub(super) enum Forgotten {
    /// They are all in the filter.
    Known(Option<Box<[u64; (BITS / 64) as usize]>>),
    /// Some lie before the snapshot from which the key was loaded.
    Unknown,
}

impl Forgotten {
    /// One more.
    pub(super) fn add(&mut self, idempotency_key: &str) {
        if let Self::Known(filter) = self {
            let filter = filter.get_or_insert_default();
            for (word, bit) in places(idempotency_key) {
                filter[word] |= bit;
            }
        }
    }

    /// Whether it may be one of them. `false` is certain.
    pub(super) fn may_hold(&self, idempotency_key: &str) -> bool {
        match self {
            Self::Known(None) => false,
            Self::Known(Some(filter)) => places(idempotency_key).all(|(word, bit)| filter[word] & bit != 0),
            Self::Unknown => true,
        }
    }
}

/// Where an idempotency key stands in the filter: which word, which bit of it.
fn places(idempotency_key: &str) -> impl Iterator<Item = (usize, u64)> {
    let mut hasher = DefaultHasher::new();
    idempotency_key.hash(&mut hasher);
    let hash = hasher.finish();
    (0..BITS_SET).map(move |place| {
        let bit = (hash >> (place * BITS.ilog2())) % BITS;
        ((bit / 64) as usize, 1 << (bit % 64))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_denies_what_it_holds_and_seldom_claims_what_it_does_not() {
        let mut forgotten = Forgotten::Known(None);
        assert!(!forgotten.may_hold("key-0"));
        for number in 0..300 {
            forgotten.add(&format!("key-{number}"));
        }
        assert!((0..300).all(|number| forgotten.may_hold(&format!("key-{number}"))));
        let claimed = (300..10_300).filter(|number| forgotten.may_hold(&format!("key-{number}"))).count();
        assert!(claimed < 600, "{claimed} of 10,000");
        assert!(Forgotten::Unknown.may_hold("anything"));
    }
}
