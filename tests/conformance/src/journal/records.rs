//! Laws about records: positions, pages, repetitions, trimming.

use std::thread;

use passerelle_journal::{AppendError, Entry, KeyStep, Outcome, Position, ReadError};

use super::{Place, all, append, block_on, entry, once, step, trim, written};

pub(super) fn positions_begin_at_one_and_have_no_gap(place: &dyn Place) {
    let journal = place.open();
    assert_eq!(journal.first(), Position(1));
    assert_eq!(append(&*journal, vec![entry("a"), entry("b")]), Ok(vec![written(1), written(2)]));
    assert_eq!(append(&*journal, vec![entry("c")]), Ok(vec![written(3)]));
    assert_eq!(all(&*journal, 1 << 20).iter().map(|stored| stored.position.0).collect::<Vec<_>>(), [1, 2, 3]);
}

pub(super) fn what_is_acknowledged_is_read_as_it_was_written(place: &dyn Place) {
    let journal = place.open();
    let longest = "k".repeat(KeyStep::LONGEST_KEY);
    let mut entries = vec![entry(""), once("once", u128::MAX), step(&longest, 1, true), step("é/ü", 1, false), once("both", 0)];
    entries.push(Entry { fingerprint: Some(passerelle_journal::Fingerprint(7)), ..step("é/ü", 2, false) });
    entries.extend((0..40).map(|number| Entry { data: vec![number; 900 * usize::from(number)].into(), ..entry("") }));
    for entry in &entries {
        append(&*journal, vec![entry.clone()]).expect("it is taken");
    }
    for bytes in [0, 1000, 50_000, usize::MAX] {
        assert_eq!(all(&*journal, bytes).into_iter().map(|stored| stored.entry).collect::<Vec<_>>(), entries);
    }
}

pub(super) fn no_entries_are_acknowledged_as_none(place: &dyn Place) {
    let journal = place.open();
    assert_eq!(append(&*journal, Vec::new()), Ok(Vec::new()));
    assert_eq!(append(&*journal, vec![entry("a")]), Ok(vec![written(1)]));
}

pub(super) fn a_page_holds_one_record_and_keeps_its_bound(place: &dyn Place) {
    let journal = place.open();
    for _ in 0..300 {
        append(&*journal, vec![Entry { data: vec![1; 1000].into(), ..entry("") }]).expect("it is taken");
    }
    for (bytes, records) in [(0, 1), (999, 1), (1000, 1), (1999, 1), (2000, 2), (100_000, 100), (usize::MAX, 300)] {
        assert_eq!(journal.read(Position(1), bytes).expect("it can be read").len(), records, "{bytes} bytes");
    }
    assert_eq!(journal.read(Position(299), 100_000).expect("it can be read").len(), 2);
    assert_eq!(journal.read(Position(150), 3000).expect("it can be read")[2].position, Position(152));
}

pub(super) fn there_is_nothing_at_the_end(place: &dyn Place) {
    let journal = place.open();
    assert_eq!(journal.read(Position(0), 100), Ok(Vec::new()));
    assert_eq!(journal.durable().borrow().position, Position(0));
    append(&*journal, vec![entry("a")]).expect("it is taken");
    assert_eq!(journal.read(Position(0), 100).expect("it can be read")[0].position, Position(1));
    assert_eq!(journal.read(Position(2), 100), Ok(Vec::new()));
    assert_eq!(journal.read(Position(u64::MAX), 100), Ok(Vec::new()));
}

pub(super) fn whoever_follows_is_woken(place: &dyn Place) {
    let journal = place.open();
    let mut durable = journal.durable();
    let follower =
        thread::spawn(move || block_on(async { durable.wait_for(|durable| durable.position >= Position(3)).await.is_ok() }));
    for data in ["a", "b", "c"] {
        let outcome = append(&*journal, vec![entry(data)]).expect("it is taken");
        let Outcome::Written(position) = outcome[0] else { panic!("{outcome:?}") };
        assert!(journal.durable().borrow().position >= position, "what is acknowledged is said to be durable");
    }
    assert!(follower.join().expect("it ends"), "the journal is still open");
}

pub(super) fn what_is_too_large_is_refused_whole(place: &dyn Place) {
    let journal = place.open();
    let data = vec![0; Entry::LARGEST + 1];
    let key = "k".repeat(KeyStep::LONGEST_KEY + 1);
    for large in [Entry { data: data.into(), ..entry("") }, step(&key, 1, false)] {
        let refused = append(&*journal, vec![entry("a"), large]);
        assert!(matches!(refused, Err(AppendError::TooLarge(_))), "{refused:?}");
    }
    assert_eq!(append(&*journal, vec![entry("a")]), Ok(vec![written(1)]));
}

pub(super) fn a_repetition_is_answered_with_the_first_position(place: &dyn Place) {
    let journal = place.open();
    let repeated = |position| Outcome::Repeated(Position(position));
    assert_eq!(append(&*journal, vec![once("a", 1), once("b", 2), once("c", 1)]), Ok(vec![written(1), written(2), repeated(1)]));
    assert_eq!(append(&*journal, vec![once("d", 2), entry("e"), once("f", 3)]), Ok(vec![repeated(2), written(3), written(4)]));
    assert_eq!(all(&*journal, 100).len(), 4);
}

pub(super) fn many_writers_keep_their_order(place: &dyn Place) {
    let journal = place.open();
    thread::scope(|scope| {
        for writer in 0..8 {
            let journal = &journal;
            scope.spawn(move || {
                let mut receipts = Vec::new();
                for number in 1..=100 {
                    let entries = vec![step(&format!("writer/{writer}"), number, false)];
                    receipts.push(block_on(journal.append(entries)).expect("it is taken"));
                }
                let mut last = Position(0);
                for receipt in receipts {
                    let outcomes = receipt.wait().expect("it is durable");
                    let [Outcome::Written(position)] = outcomes[..] else { panic!("{outcomes:?}") };
                    assert!(position > last, "{position} comes after {last}");
                    last = position;
                }
            });
        }
    });
    assert_eq!(all(&*journal, 10_000).len(), 800);
    for writer in 0..8 {
        assert_eq!(journal.history(&format!("writer/{writer}")).expect("it can be read").sequence, 100);
    }
}

pub(super) fn what_was_trimmed_is_said_to_be_trimmed(place: &dyn Place) {
    let journal = place.open();
    for _ in 0..400 {
        append(&*journal, vec![Entry { data: vec![1; 1000].into(), ..entry("") }]).expect("it is taken");
    }
    assert_eq!(trim(&*journal, 0), Position(1));
    let first = trim(&*journal, 300);
    assert!(first <= Position(300), "{first} was to be kept");
    assert!(first > Position(1), "400 kB are more than one segment of the settings that laws are tried with");
    assert_eq!(journal.first(), first);
    assert_eq!(trim(&*journal, 2), first);
    assert_eq!(journal.read(Position(1), 100), Err(ReadError::Trimmed { asked: Position(1), first }));
    let kept = all(&*journal, 5000);
    assert_eq!(kept.len() as u64, 401 - first.0);
    assert_eq!(kept[0].position, first);
    assert_eq!(append(&*journal, vec![entry("a")]), Ok(vec![written(401)]));
    let first = trim(&*journal, u64::MAX);
    assert!(first <= Position(402), "{first} is beyond the end");
    assert_eq!(append(&*journal, vec![entry("a")]), Ok(vec![written(402)]));
}
