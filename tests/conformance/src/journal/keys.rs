//! Laws about keys: their sequence and their life.

use std::collections::BTreeSet;

use passerelle_journal::{Entry, History, Journal, Outcome, Position, ReadError};

use super::{Place, append, block_on, entry, step, trim, written};

pub(super) fn a_key_is_written_in_sequence_only(place: &dyn Place) {
    let journal = place.open();
    let out = |last| Ok(vec![Outcome::OutOfSequence { last }]);
    assert_eq!(append(&*journal, vec![step("a", 2, false)]), out(0));
    assert_eq!(append(&*journal, vec![step("a", 1, false)]), Ok(vec![written(1)]));
    assert_eq!(append(&*journal, vec![step("a", 1, false)]), out(1));
    assert_eq!(append(&*journal, vec![step("a", 3, false)]), out(1));
    assert_eq!(append(&*journal, vec![step("a", 0, false)]), out(1));
    assert_eq!(append(&*journal, vec![step("a", u64::MAX, true)]), out(1));
    assert_eq!(append(&*journal, vec![step("b", 1, true)]), Ok(vec![written(2)]));
    assert_eq!(append(&*journal, vec![step("a", 2, false), step("a", 3, false)]), Ok(vec![written(3), written(4)]));
}

pub(super) fn one_refused_entry_does_not_hold_up_the_others(place: &dyn Place) {
    let journal = place.open();
    let entries = vec![step("a", 1, false), step("a", 1, false), step("a", 2, false), step("b", 7, false), entry("c")];
    let (refused_a, refused_b) = (Outcome::OutOfSequence { last: 1 }, Outcome::OutOfSequence { last: 0 });
    assert_eq!(append(&*journal, entries), Ok(vec![written(1), refused_a, written(2), refused_b, written(3)]));
}

pub(super) fn a_life_begins_at_its_last_snapshot(place: &dyn Place) {
    let journal = place.open();
    for number in 1..=200 {
        // Enough beside it to bring the key's records into several segments.
        let other = Entry { data: vec![1; 1000].into(), ..entry("") };
        append(&*journal, vec![step("a", number, number % 70 == 0), other, step("b", number, false)]).expect("it is taken");
    }
    let life = journal.history("a").expect("it can be read");
    assert_eq!(life.sequence, 200);
    let expected: Vec<Entry> = (140..=200).map(|number| step("a", number, number == 140)).collect();
    assert_eq!(life.records.iter().map(|stored| stored.entry.clone()).collect::<Vec<_>>(), expected);
    assert!(life.records.is_sorted_by_key(|stored| stored.position));
    let whole = journal.history("b").expect("it can be read");
    assert_eq!((whole.records.len(), whole.sequence), (200, 200));
}

pub(super) fn a_key_never_written_has_no_life(place: &dyn Place) {
    let journal = place.open();
    append(&*journal, vec![step("a", 1, false)]).expect("it is taken");
    assert_eq!(journal.history("b"), Ok(History::default()));
    assert_eq!(journal.history(""), Ok(History::default()));
}

pub(super) fn a_life_holds_what_was_queued_before(place: &dyn Place) {
    let journal = place.open();
    for number in 1..=100 {
        let receipt = block_on(journal.append(vec![step("a", number, false)])).expect("it is taken");
        assert_eq!(journal.history("a").expect("it can be read").sequence, number);
        drop(receipt);
    }
}

pub(super) fn a_key_goes_on_after_its_past_was_trimmed(place: &dyn Place) {
    let journal = place.open();
    append(&*journal, vec![step("a", 1, false), step("gone", 1, false)]).expect("it is taken");
    for _ in 0..400 {
        append(&*journal, vec![Entry { data: vec![1; 1000].into(), ..entry("") }]).expect("it is taken");
    }
    append(&*journal, vec![step("a", 2, true)]).expect("it is taken");
    let first = trim(&*journal, 402);
    assert!(first > Position(2));
    let life = journal.history("a").expect("it can be read");
    assert_eq!((life.records.len(), life.sequence), (1, 2));
    let outcome = append(&*journal, vec![step("a", 3, false)]);
    assert_eq!(outcome, Ok(vec![written(404)]));
}

pub(super) fn every_key_is_named_where_it_has_records(place: &dyn Place) {
    let journal = place.open();
    for number in 0..300 {
        // Enough beside it to bring the records into several segments.
        let other = Entry { data: vec![1; 1000].into(), ..entry("") };
        append(&*journal, vec![step(&format!("key/{}", number / 10), number % 10 + 1, false), other]).expect("it is taken");
    }
    assert_eq!(keys(&*journal, 1, 601), (0..30).map(|key| format!("key/{key}")).collect());
    assert_eq!(keys(&*journal, 200, 262), (10..=13).map(|key| format!("key/{key}")).collect());
    assert_eq!(keys(&*journal, 260, 261), BTreeSet::new(), "what has no key has no name");
    assert_eq!(keys(&*journal, 599, 700), BTreeSet::from(["key/29".to_owned()]), "there is nothing at the end");
    assert_eq!(keys(&*journal, 7, 7), BTreeSet::new());
    let first = trim(&*journal, 500);
    assert!(matches!(journal.keys(Position(1), Position(601)), Err(ReadError::Trimmed { .. })));
    assert_eq!(keys(&*journal, first.0, 601), (first.0 / 20..30).map(|key| format!("key/{key}")).collect());
}

/// All keys of a part, page by page.
fn keys(journal: &dyn Journal, from: u64, before: u64) -> BTreeSet<String> {
    let (mut from, before) = (Position(from), Position(before));
    let mut keys = BTreeSet::new();
    while from < before {
        let page = journal.keys(from, before).expect("it can be read");
        assert!(page.next > from, "it goes on");
        keys.extend(page.keys.iter().map(ToString::to_string));
        from = page.next;
    }
    keys
}

pub(super) fn what_comes_after_the_last_keyed_record_is_told(place: &dyn Place) {
    let mut journal = place.open();
    let keyed = |journal: &dyn Journal| journal.durable().borrow().keyed;
    assert_eq!(keyed(&*journal), Position(0));
    append(&*journal, vec![entry("published"), entry("published")]).expect("it is taken");
    assert_eq!(keyed(&*journal), Position(0));
    append(&*journal, vec![entry("published"), step("a", 1, false), step("a", 1, false), entry("published")])
        .expect("it is taken");
    append(&*journal, vec![entry("published")]).expect("it is taken");
    assert_eq!(keyed(&*journal), Position(4));
    if place.lasts() {
        drop(journal);
        journal = place.open();
        assert!((4..=6).contains(&keyed(&*journal).0), "a bound, within what there is");
    }
}

pub(super) fn whoever_follows_keys_sleeps_through_what_was_published(place: &dyn Place) {
    let journal = place.open();
    let (mut decided, mut durable) = (journal.decided(), journal.durable());
    for (entries, wakes) in [(vec![entry("published")], false), (vec![step("a", 1, false), entry("published")], true)] {
        let last = journal.durable().borrow().position.0 + entries.len() as u64;
        append(&*journal, entries).expect("it is taken");
        // Followers are woken after who asked was answered: whoever hears of all of it comes last, or with the one who does not.
        block_on(durable.wait_for(|durable| durable.position.0 == last)).expect("it is open");
        if wakes {
            let woken = block_on(decided.changed());
            woken.expect("it is open");
        }
        assert!(!decided.has_changed().expect("it is open"), "once, and for what has a key");
    }
    assert_eq!((decided.borrow().keyed, decided.borrow().position), (Position(2), Position(3)));
}
