//! What check says, what repair does, what dump shows.

use std::sync::Arc;

use expect_test::expect;

use super::ram::Ram;
use super::*;
use crate::log::{check, dump, repair};

fn two_hundred() -> Arc<Ram> {
    let ram = Ram::new();
    let mut core = open(&ram);
    write_each(&mut core, 1..=200);
    core.prepare();
    core.close();
    ram
}

#[test]
fn a_whole_journal_has_nothing_to_repair() {
    let ram = two_hundred();
    let report = check(&*ram).expect("it can be read");
    expect!["00000000000000000001.log: 59 records from 1 on, 65496 bytes"]
        .assert_eq(report.to_string().lines().next().unwrap_or_default());
    assert_eq!(report.damage, []);
    assert_eq!(report.segments.iter().map(|segment| segment.records).sum::<u64>(), 200);
    assert_eq!(repair(&*ram, false).expect("it can be read").steps, Vec::<String>::new());
}

#[test]
fn a_damaged_journal_is_cut_where_the_damage_begins_and_the_rest_is_kept_beside() {
    // In the first segment, in one between, in the last.
    for damaged in [1, 20, 130, 199, 200] {
        let ram = two_hundred();
        ram.flip(&text(damaged));
        let names = ram.all_names();

        let report = check(&*ram).expect("it can be read");
        assert_eq!(report.damage.len(), 1);
        assert_eq!(report.damage[0].position, Some(Position(damaged)));
        let planned = repair(&*ram, true).expect("it can be read");
        assert_eq!(planned.lost_from, Some(Position(damaged)));
        assert_eq!(ram.all_names(), names, "a dry run changes nothing");

        let done = repair(&*ram, false).expect("it can be repaired");
        assert_eq!(done, planned);
        assert_eq!(check(&*ram).expect("it can be read").damage, []);
        let aside: Vec<String> = ram.all_names().into_iter().filter(|name| name.starts_with("damaged-")).collect();
        let kept = |number| aside.iter().any(|name| super::ram::find(&ram.bytes(name), &text(number)).is_some());
        assert!((damaged + 1..=200).all(kept), "what was cut is kept");

        let mut core = open(&ram);
        assert_eq!(numbers(&core), (1..damaged).collect::<Vec<_>>());
        write_each(&mut core, damaged..=300);
        core.prepare();
        core.close();
        assert_eq!(numbers(&open(&ram)), (1..=300).collect::<Vec<_>>());
    }
}

#[test]
fn what_an_earlier_repair_kept_stays_when_the_same_place_is_cut_again() {
    use crate::storage::Folder;
    let ram = two_hundred();
    ram.flip(&text(20));
    let aside = |steps: &[String]| -> Vec<String> {
        steps.iter().filter_map(|step| Some(step.split_once(" to damaged-")?.1)).map(|rest| format!("damaged-{rest}")).collect()
    };
    let before = aside(&repair(&*ram, true).expect("it can be read").steps);
    assert_eq!(before.len(), 4, "a part of a file, and three whole ones");
    for name in &before {
        Folder::create(&*ram, name).expect("it is new").write_at(0, b"precious").expect("it is written");
    }
    let after = aside(&repair(&*ram, false).expect("it can be repaired").steps);
    assert_eq!(after, before.iter().map(|name| format!("{name}-2")).collect::<Vec<_>>());
    assert!(before.iter().all(|name| ram.bytes(name) == b"precious"));
    let kept = |number| after.iter().any(|name| super::ram::find(&ram.bytes(name), &text(number)).is_some());
    assert!((21..=200).all(kept));
}

#[test]
fn lost_files_of_the_journal_are_made_again() {
    let ram = two_hundred();
    crate::storage::Folder::remove(&*ram, "journal.meta").expect("it is there");
    ram.spoil("00000000000000000001.log", |bytes| bytes[10] ^= 1);
    let done = repair(&*ram, false).expect("it can be repaired");
    expect![[r#"
        [
            "write journal.meta anew, from the heads of the segments",
            "write the head of 00000000000000000001.log anew",
        ]
    "#]]
    .assert_debug_eq(&done.steps);
    assert_eq!(done.lost_from, None);
    assert_eq!(numbers(&open(&ram)), (1..=200).collect::<Vec<_>>());
}

#[test]
fn a_journal_may_begin_where_its_first_file_that_is_left_begins() {
    let ram = two_hundred();
    crate::storage::Folder::remove(&*ram, "00000000000000000001.log").expect("it is there");
    assert!(matches!(try_open(&ram), Err(OpenError::Damaged(_))));
    repair(&*ram, false).expect("it can be repaired");
    let core = open(&ram);
    let first = core.reader().first().0;
    assert!(first > 1);
    assert_eq!(numbers(&core), (first..=200).collect::<Vec<_>>());
}

#[test]
fn a_dump_shows_what_is_whole_and_where_it_ends() {
    let ram = two_hundred();
    ram.flip(&text(150));
    let mut positions = Vec::new();
    let damage = dump(&*ram, Position(120), &mut |stored| positions.push(stored.position.0)).expect("it can be read");
    assert_eq!(positions, (120..150).collect::<Vec<_>>());
    assert_eq!(damage.and_then(|damage| damage.position), Some(Position(150)));
}

#[test]
fn an_open_journal_is_neither_checked_nor_repaired() {
    let ram = Ram::new();
    let _core = open(&ram);
    assert_eq!(check(&*ram).err(), Some(OpenError::Locked));
    assert_eq!(repair(&*ram, true).err(), Some(OpenError::Locked));
}
