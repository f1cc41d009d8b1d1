//! What a start makes of what it finds.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use expect_test::expect;
use proptest::prelude::*;

use super::ram::{Ram, find};
use super::*;

/// The only segment of a small journal.
const FIRST: &str = "00000000000000000001.log";

/// Batches 1, 2 and 3 of a record each, then records 4 to 9 in one batch, and no mark behind it.
fn three_and_a_batch_of_six() -> Arc<Ram> {
    let ram = Ram::new();
    let mut core = open(&ram);
    write_each(&mut core, 1..=3);
    write(&mut core, (4..=9).map(numbered).collect()).expect("it is written");
    ram
}

#[test]
fn a_torn_tail_is_cut_and_the_rest_is_kept() {
    for torn in 4..=9 {
        let ram = three_and_a_batch_of_six();
        ram.flip(&text(torn));
        let mut core = open(&ram);
        assert_eq!(durable(&core), Position(torn - 1));
        // Records of the same length take the place of the cut one: what is left of the batch lies just behind.
        write_each(&mut core, [100]);
        drop(core);
        let core = open(&ram);
        assert_eq!(numbers(&core), (1..torn).chain([100]).collect::<Vec<_>>());
    }
}

#[test]
fn a_batch_of_which_nothing_came_is_cut_too() {
    let ram = three_and_a_batch_of_six();
    ram.spoil(FIRST, |bytes| {
        let from = find(bytes, &text(4)).expect("it is there") - super::super::record::HEAD;
        bytes[from..].fill(0);
    });
    assert_eq!(numbers(&open(&ram)), [1, 2, 3]);
}

#[test]
fn a_flip_is_damage_once_a_later_batch_or_a_mark_shows_that_it_was_durable() {
    for (later, number) in [(false, 9), (false, 6), (true, 9), (true, 3), (true, 1)] {
        let ram = three_and_a_batch_of_six();
        {
            let mut core = Core::open(ram.clone(), settings()).expect("it opens");
            if later {
                write_each(&mut core, [10]);
            }
        }
        ram.flip(&text(number));
        let Err(OpenError::Damaged(damage)) = try_open(&ram) else { panic!("record {number} is damaged") };
        assert_eq!(damage.position, Some(Position(number)));
        assert_eq!(damage.file, FIRST);
    }
}

#[test]
fn an_idle_writer_marks_its_last_batch() {
    for marked in [false, true] {
        let ram = three_and_a_batch_of_six();
        let mut core = open(&ram);
        write_each(&mut core, [10]);
        if marked {
            core.mark();
            core.mark();
        }
        drop(core);
        ram.flip(&text(10));
        assert_eq!(try_open(&ram).is_err(), marked);
    }
}

#[test]
fn the_message_says_where_and_what_next() {
    let ram = three_and_a_batch_of_six();
    drop(open(&ram));
    ram.flip(&text(5));
    let error = try_open(&ram).err().expect("it is damaged");
    expect!["the journal is damaged: 00000000000000000001.log at byte 8296, record 5: no whole record, though it was durable before record 10 was written; `passerelle journal check` shows how far, `passerelle journal repair` cuts there"].assert_eq(&error.to_string());
}

#[test]
fn what_a_recycled_segment_held_is_never_taken_for_a_record() {
    let ram = Ram::new();
    let mut core = open(&ram);
    let mut last = 0;
    for _ in 0..12 {
        write_each(&mut core, last + 1..=last + 40);
        last += 40;
        core.prepare();
        core.trim(Position(last.saturating_sub(60))).expect("it is trimmed");
        core.prepare();
        // Ended without a mark, at every place of a segment that was used before.
        drop(core);
        core = open(&ram);
        assert_eq!(numbers(&core), (core.reader().first().0..=last).collect::<Vec<_>>());
    }
    let segments = ram.all_names().into_iter().filter(|name| name.starts_with('0') && name.ends_with(".log"));
    let used: Vec<Vec<u8>> = segments.map(|name| ram.bytes(&name)).collect();
    let first = core.reader().first().0;
    let recycled = (first - 180..first).any(|number| used.iter().any(|bytes| find(bytes, &text(number)).is_some()));
    assert!(recycled, "old content is still there, or this proves nothing");
}

#[test]
fn a_missing_file_is_damage() {
    let ram = Ram::new();
    let mut core = open(&ram);
    write_each(&mut core, 1..=200);
    core.prepare();
    drop(core);
    let segments: Vec<String> =
        ram.all_names().into_iter().filter(|name| name.starts_with('0') && name.ends_with(".log")).collect();
    assert!(segments.len() > 3);
    for gone in ["journal.meta", &segments[0], &segments[2]] {
        let content = ram.bytes(gone);
        crate::storage::Folder::remove(&*ram, gone).unwrap();
        assert!(matches!(try_open(&ram), Err(OpenError::Damaged(_))), "{gone}");
        crate::storage::Folder::create(&*ram, gone).unwrap().write_at(0, &content).unwrap();
    }
    assert_eq!(numbers(&open(&ram)), (1..=200).collect::<Vec<_>>());
}

#[test]
fn a_lost_half_of_the_journals_own_file_is_of_no_matter() {
    for slot in [0, 4096] {
        let ram = three_and_a_batch_of_six();
        ram.spoil("journal.meta", |bytes| bytes[slot..slot + 64].fill(0xff));
        let mut core = open(&ram);
        write_each(&mut core, [10]);
        assert_eq!(numbers(&core), (1..=10).collect::<Vec<_>>());
    }
}

#[test]
fn a_second_opener_is_told_that_it_is_in_use() {
    let ram = Ram::new();
    let core = open(&ram);
    assert_eq!(try_open(&ram).err(), Some(OpenError::Locked));
    core.close();
    open(&ram);
}

#[test]
fn a_start_reads_no_more_when_the_past_is_longer() {
    let ram = Ram::new();
    let mut read_at_start = Vec::new();
    let mut last = 0;
    for records in [150, 3000] {
        let mut core = open(&ram);
        write_each(&mut core, last + 1..=records);
        last = records;
        core.prepare();
        core.close();
        ram.control.bytes_read.store(0, Ordering::SeqCst);
        drop(open(&ram));
        read_at_start.push(ram.control.bytes_read.load(Ordering::SeqCst));
    }
    // The active segment, once or in part twice, and two heads of 164 bytes for each of the fifty others.
    assert!(read_at_start[0] > 60 << 10, "{read_at_start:?}");
    assert!(read_at_start[1] < (128 << 10) + 52 * 164, "{read_at_start:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_start_panic(
        spots in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u64>()), 1..12),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let ram = Ram::new();
        let mut core = open(&ram);
        write_each(&mut core, 1..=70);
        write(&mut core, vec![once(1), step("a", 1)]).expect("it is written");
        core.prepare();
        drop(core);
        let names = ram.all_names();
        for (name, at, value) in spots {
            ram.spoil(&names[name.index(names.len())], |bytes| {
                let used = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0) + 1;
                let at = at.index(used);
                let length = 8.min(bytes.len() - at);
                bytes[at..at + length].copy_from_slice(&value.to_le_bytes()[..length]);
            });
        }
        if let Some(cut) = cut {
            ram.spoil(&names[cut.index(names.len())], |bytes| bytes.truncate(cut.index(bytes.len() + 1)));
        }
        crate::log::check(&*ram).ok();
        if let Ok(core) = try_open(&ram) {
            core.reader().read(core.reader().first(), usize::MAX).ok();
            core.reader().history("a").ok();
            drop(core);
        }
        crate::log::repair(&*ram, false).ok();
    }
}
