//! The disk bites: who forgets a step loses data in some seed, who does all of them in none.

use std::io;

use passerelle_journal::storage::Folder;

use super::{Fault, Operation, SECTOR, SimulatedDisk};

const SEEDS: std::ops::Range<u64> = 0..400;

/// How many of the seeds leave the disk in a state that the rule is broken by.
fn broken(prepare: impl Fn(&SimulatedDisk) -> io::Result<()>, rule: impl Fn(&SimulatedDisk) -> bool) -> usize {
    let breaks = |seed: &u64| {
        let disk = SimulatedDisk::new(*seed);
        prepare(&disk).unwrap();
        !rule(&disk.power_cut(*seed))
    };
    SEEDS.filter(breaks).count()
}

fn holds(content: &'static [u8]) -> impl Fn(&SimulatedDisk) -> bool {
    move |disk| disk.content("a").is_some_and(|found| found == content)
}

#[test]
fn what_is_synced_with_its_name_is_there_after_every_cut() {
    let prepare = |disk: &SimulatedDisk| {
        let file = disk.create("a")?;
        file.write_at(0, b"kept")?;
        file.sync()?;
        disk.sync_names()
    };
    assert_eq!(broken(prepare, holds(b"kept")), 0);
}

#[test]
fn who_forgets_to_sync_a_file_loses_it() {
    let prepare = |disk: &SimulatedDisk| {
        disk.create("a")?.write_at(0, b"lost")?;
        disk.sync_names()
    };
    let broken = broken(prepare, holds(b"lost"));
    assert!((50..350).contains(&broken), "{broken}");
}

#[test]
fn who_forgets_to_sync_the_name_loses_it() {
    let prepare = |disk: &SimulatedDisk| {
        let file = disk.create("a")?;
        file.write_at(0, b"lost")?;
        file.sync()
    };
    let broken = broken(prepare, holds(b"lost"));
    assert!((50..350).contains(&broken), "{broken}");
}

#[test]
fn a_file_renamed_before_it_was_synced_may_replace_the_old_one_by_nothing() {
    let replace = |sync: bool| {
        move |disk: &SimulatedDisk| {
            disk.place("a", b"old".to_vec());
            let file = disk.create("b")?;
            file.write_at(0, b"new")?;
            if sync {
                file.sync()?;
            }
            disk.rename("b", "a")
        }
    };
    let old_or_new = |disk: &SimulatedDisk| matches!(disk.content("a").as_deref(), Some(b"old" | b"new"));
    assert_eq!(broken(replace(true), old_or_new), 0);
    assert!(broken(replace(false), old_or_new) > 20);
}

#[test]
fn names_change_in_order() {
    let prepare = |disk: &SimulatedDisk| {
        disk.create("first")?;
        disk.create("second")?;
        disk.remove("first")
    };
    let in_order = |disk: &SimulatedDisk| matches!(disk.files().concat().as_str(), "" | "first" | "firstsecond" | "second");
    assert_eq!(broken(prepare, in_order), 0);
    assert!(broken(prepare, |disk| disk.files() != ["first"]) > 20, "the middle is seen as well");
}

#[test]
fn a_write_of_many_sectors_may_be_there_in_any_part() {
    let prepare = |disk: &SimulatedDisk| {
        disk.place("a", vec![0; 8 * SECTOR]);
        disk.open("a")?.write_at(0, &[1; 8 * SECTOR])
    };
    let seen = |pattern: fn(&[u8]) -> bool| {
        broken(prepare, move |disk: &SimulatedDisk| disk.content("a").is_some_and(|content| !pattern(&content)))
    };
    assert!(seen(|content| content.iter().all(|byte| *byte == 0)) > 20, "nothing");
    assert!(seen(|content| content.iter().all(|byte| *byte == 1)) > 20, "everything");
    assert!(seen(|content| content[0] == 1 && content[8 * SECTOR - 1] == 0) > 20, "the front");
    assert!(seen(|content| content[0] == 0 && content[8 * SECTOR - 1] == 1) > 8, "the back: reordered");
    let torn = |content: &[u8]| content.chunks(SECTOR).any(|sector| sector[0] == 1 && sector[SECTOR - 1] == 0);
    assert!(seen(torn) > 5, "torn");
    let garbage = |content: &[u8]| content.iter().any(|byte| *byte > 1);
    assert!(seen(garbage) > 2, "garbage");
}

#[test]
fn bytes_that_a_write_does_not_change_are_never_harmed() {
    let prepare = |disk: &SimulatedDisk| {
        disk.place("a", vec![7; SECTOR]);
        disk.open("a")?.write_at(100, &[9; 100])
    };
    let harmless =
        |disk: &SimulatedDisk| disk.content("a").is_some_and(|content| content[..100] == [7; 100] && content[200..] == [7; 312]);
    assert_eq!(broken(prepare, harmless), 0);
}

#[test]
fn a_failed_sync_is_final_though_the_next_one_succeeds() {
    let lost = |seed: &u64| {
        let disk = SimulatedDisk::new(*seed);
        disk.place("a", vec![0; SECTOR]);
        let file = disk.open("a").unwrap();
        file.write_at(0, &[1; SECTOR]).unwrap();
        disk.fail(Operation::Sync, 0, Fault::Broken);
        file.sync().unwrap_err();
        file.sync().unwrap();
        assert_eq!(disk.content("a").unwrap()[0], 1, "read back from the cache");
        disk.power_cut(*seed).content("a").unwrap()[0] == 0
    };
    let lost = SEEDS.filter(lost).count();
    assert!((50..350).contains(&lost), "{lost}");
}

#[test]
fn a_restart_keeps_what_was_written_but_makes_nothing_durable() {
    let lost = |seed: &u64| {
        let disk = SimulatedDisk::new(*seed);
        disk.place("a", vec![0; SECTOR]);
        disk.open("a").unwrap().write_at(0, &[1; SECTOR]).unwrap();
        let again = disk.restart(*seed);
        assert!(disk.open("a").is_err(), "the dead process writes no more");
        assert_eq!(again.content("a").unwrap()[0], 1);
        again.power_cut(*seed).content("a").unwrap()[0] == 0
    };
    assert!(SEEDS.filter(lost).count() > 50);
}

#[test]
fn a_full_disk_takes_a_front_part_and_what_is_allocated_can_be_overwritten() {
    let disk = SimulatedDisk::new(0);
    disk.capacity(Some(1000));
    let file = disk.create("a").unwrap();
    assert_eq!(file.write_at(0, &[1; 1500]).unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(file.length().unwrap(), 1000);
    file.write_at(0, &[2; 1000]).unwrap();
    disk.capacity(Some(2000));
    file.write_at(1000, &[3; 500]).unwrap();
}

#[test]
fn after_a_cut_nothing_works_any_more_and_the_same_seed_finds_the_same() {
    let found = |seed| {
        let disk = SimulatedDisk::new(seed);
        disk.cut_at(2);
        let file = disk.create("a").unwrap();
        disk.sync_names().unwrap();
        assert!(file.write_at(0, &[1; 5000]).is_err());
        assert!(disk.is_cut() && file.length().is_err() && disk.names().is_err() && disk.sync_names().is_err());
        disk.power_cut(seed).content("a").unwrap()
    };
    SEEDS.for_each(|seed| assert_eq!(found(seed), found(seed)));
}

#[test]
fn one_process_has_the_folder() {
    let disk = SimulatedDisk::new(0);
    let claim = disk.lock().unwrap();
    assert_eq!(disk.lock().err().map(|error| error.kind()), Some(io::ErrorKind::WouldBlock));
    drop(claim);
    assert!(disk.lock().is_ok());
}
