//! Trimmed segments are used again.

use std::sync::atomic::Ordering;

use super::ram::Ram;
use super::*;

fn spares(ram: &Ram) -> usize {
    ram.all_names().into_iter().filter(|name| name.starts_with("free-")).count()
}

#[test]
fn trimmed_segments_are_used_again_and_not_more_than_two_are_kept() {
    let ram = Ram::new();
    let mut core = open(&ram);
    write_each(&mut core, 1..=600);
    core.prepare();
    let first = core.trim(Position(590)).expect("it is trimmed");
    core.prepare();
    // Two, and the one that was ready before.
    assert_eq!(spares(&ram), 3);
    assert_eq!(core.reader().stats().segments, 600_u64.div_ceil(59) - (first.0 - 1) / 59);
    assert!(core.reader().read(Position(1), 1).is_err());
    write_each(&mut core, 601..=900);
    assert_eq!(numbers(&core), (first.0..=900).collect::<Vec<_>>());
}

#[test]
fn a_steady_stream_that_is_trimmed_makes_no_file_after_the_first_ones() {
    let ram = Ram::new();
    let mut core = open(&ram);
    let mut made = Vec::new();
    for number in 1..=3_000 {
        write_each(&mut core, [number]);
        let kept = core.reader().kept();
        if kept.len() > 3 {
            core.trim(kept[1].first).expect("it is trimmed");
        }
        core.prepare();
        made.push(ram.control.segments_made.load(Ordering::SeqCst));
    }
    assert!(made[300] <= 8, "{}", made[300]);
    assert_eq!(made[2_999], made[300]);
    assert_eq!(core.reader().stats().segments, 3);
    let logs = ram.all_names().into_iter().filter(|name| name.ends_with(".log")).count();
    assert!(logs <= 3 + 3, "{:?}", ram.all_names());
}

#[test]
fn a_segment_is_not_used_again_as_long_as_it_is_read() {
    let ram = Ram::new();
    let mut core = open(&ram);
    write_each(&mut core, 1..=200);
    core.prepare();
    let before = spares(&ram);
    let read = core.store().table();
    core.trim(Position(100)).expect("it is trimmed");
    core.prepare();
    assert_eq!(spares(&ram), before);
    assert_eq!(read.segments[0].extent().next, 60);
    drop(read);
    core.prepare();
    assert_eq!(spares(&ram), before + 1);
}
