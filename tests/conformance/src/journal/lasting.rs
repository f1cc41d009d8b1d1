//! Laws about a journal that is opened again, and about all of it together.

use fastrand::Rng;
use passerelle_journal::memory::Memory;
use passerelle_journal::{Entry, Fingerprint, Journal, KeyStep, Outcome, Position};

use super::{Place, all, append, entry, once, step, trim, written};

pub(super) fn what_was_acknowledged_lasts(place: &dyn Place) {
    if !place.lasts() {
        append(&*place.open(), vec![entry("a")]).expect("it is taken");
        assert_eq!(all(&*place.open(), 10_000), [], "what does not last is gone whole");
        return;
    }
    let before = {
        let journal = place.open();
        append(&*journal, vec![once("a", 1), step("k", 1, false)]).expect("it is taken");
        for _ in 0..300 {
            append(&*journal, vec![Entry { data: vec![1; 1000].into(), ..entry("") }]).expect("it is taken");
        }
        append(&*journal, vec![step("k", 2, true), once("b", 2)]).expect("it is taken");
        all(&*journal, 10_000)
    };
    let first = {
        let journal = place.open();
        assert_eq!(journal.durable().borrow().position, Position(304));
        assert_eq!(all(&*journal, 10_000), before);
        let repeated = |position| Outcome::Repeated(Position(position));
        let outcomes = append(&*journal, vec![once("a", 1), once("b", 2), step("k", 2, false), step("k", 3, false)]);
        assert_eq!(outcomes, Ok(vec![repeated(1), repeated(304), Outcome::OutOfSequence { last: 2 }, written(305)]));
        assert_eq!(journal.history("k").expect("it can be read").records.len(), 2);
        trim(&*journal, 250)
    };
    let journal = place.open();
    assert_eq!(journal.first(), first);
    assert_eq!(all(&*journal, 10_000).len() as u64, 306 - first.0);
    assert_eq!(append(&*journal, vec![step("k", 4, false)]), Ok(vec![written(306)]));
}

pub(super) fn every_engine_answers_as_the_one_in_memory(place: &dyn Place) {
    let model = Memory::new();
    let mut journal = place.open();
    let mut random = Rng::with_seed(20_060_102);
    for _ in 0..1500 {
        match random.u32(..100) {
            0 if place.lasts() => {
                drop(journal);
                journal = place.open();
            }
            0..60 => {
                let entries: Vec<Entry> = (0..random.usize(..5)).map(|_| any_entry(&mut random, &model)).collect();
                assert_eq!(append(&*journal, entries.clone()), append(&model, entries));
            }
            60..80 => {
                let from = Position(random.u64(..model.durable().borrow().position.0 + 3));
                let bytes = random.usize(..20_000);
                assert_eq!(journal.read(from, bytes), model.read(from, bytes));
            }
            _ => {
                let key = any_key(&mut random);
                assert_eq!(journal.history(&key), model.history(&key));
            }
        }
    }
    assert_eq!(all(&*journal, 100_000), all(&model, 100_000));
}

fn any_key(random: &mut Rng) -> String {
    format!("key/{}", random.u32(..40))
}

fn any_entry(random: &mut Rng, model: &Memory) -> Entry {
    let step = random.bool().then(|| {
        let key = any_key(random);
        let last = model.history(&key).expect("it can be read").sequence;
        // Sometimes one too few or too many.
        let sequence = if random.u32(..10) == 0 { random.u64(last..last + 3) } else { last + 1 };
        KeyStep { key: key.into(), sequence, snapshot: random.u32(..20) == 0 }
    });
    let fingerprint = random.bool().then(|| Fingerprint(random.u128(..2000)));
    let length = if random.u32(..30) == 0 { random.usize(..10_000) } else { random.usize(..300) };
    Entry { data: std::iter::repeat_with(|| random.u8(..)).take(length).collect::<Vec<_>>().into(), step, fingerprint }
}
