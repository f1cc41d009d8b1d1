//! Keys, repetitions and places are found whatever became of the files that make it quick.

use std::sync::Arc;

use super::ram::Ram;
use super::*;

/// Two hundred records of ten keys, with fingerprints.
fn ten_keys() -> Arc<Ram> {
    let ram = Ram::new();
    let mut core = open(&ram);
    for number in 0..200 {
        let entry = Entry { fingerprint: once(number).fingerprint, ..step(&format!("key/{}", number % 10), number / 10 + 1) };
        write(&mut core, vec![entry]).expect("it is written");
    }
    core.prepare();
    core.close();
    ram
}

fn assert_all_is_found(core: &mut Core) {
    for key in 0..10 {
        let history = core.reader().history(&format!("key/{key}")).expect("it can be read");
        assert_eq!(history.sequence, 20);
        let positions: Vec<u64> = history.records.iter().map(|stored| stored.position.0).collect();
        assert_eq!(positions, (0..20).map(|turn| turn * 10 + key + 1).collect::<Vec<_>>());
    }
    assert_eq!(core.reader().history("key/none").expect("it can be read").sequence, 0);
    let named = core.reader().keys(Position(1), Position(201)).expect("it can be read");
    assert_eq!((named.keys.len(), named.next), (10, Position(core.reader().kept()[1].first.0)), "the keys of the first segment");
    for number in 0..200 {
        assert_eq!(write(core, vec![once(number)]), Ok(vec![Outcome::Repeated(Position(number + 1))]));
    }
    assert_eq!(write(core, vec![step("key/3", 20)]), Ok(vec![Outcome::OutOfSequence { last: 20 }]));
    for position in [1, 2, 58, 59, 60, 61, 133, 200] {
        assert_eq!(core.reader().read(Position(position), 0).expect("it can be read")[0].position, Position(position));
    }
}

fn sidecars(ram: &Ram) -> Vec<String> {
    ram.all_names().into_iter().filter(|name| name.ends_with(".index")).collect()
}

#[test]
fn all_is_found_by_the_sidecars() {
    let ram = ten_keys();
    assert!(sidecars(&ram).len() > 2);
    assert_all_is_found(&mut open(&ram));
}

#[test]
fn all_is_found_without_memory_for_filters() {
    let ram = ten_keys();
    let settings = LogSettings { index_bytes: 0, ..settings() };
    assert_all_is_found(&mut Core::open(ram, settings).expect("it opens"));
}

#[test]
fn a_lost_sidecar_is_made_again() {
    let ram = ten_keys();
    let names = sidecars(&ram);
    for name in &names {
        crate::storage::Folder::remove(&*ram, name).expect("it is there");
    }
    let mut core = open(&ram);
    assert_all_is_found(&mut core);
    core.prepare();
    assert_all_is_found(&mut core);
    assert_eq!(sidecars(&ram), names);
}

#[test]
fn a_damaged_sidecar_is_made_again_wherever_it_is_damaged() {
    let whole = ten_keys();
    let name = sidecars(&whole)[1].clone();
    for at in (0..whole.bytes(&name).len()).step_by(37) {
        let ram = ten_keys();
        ram.spoil(&name, |bytes| bytes[at] ^= 0x10);
        let mut core = open(&ram);
        assert_all_is_found(&mut core);
    }
}

#[test]
fn only_the_newest_fingerprints_are_remembered() {
    let ram = Ram::new();
    let settings = LogSettings { dedupe_keys: 100, ..settings() };
    for _ in 0..2 {
        let mut core = Core::open(ram.clone(), settings.clone()).expect("it opens");
        for number in 1..=150 {
            write(&mut core, vec![once(number)]).expect("it is written");
        }
        assert!(matches!(write(&mut core, vec![once(51)]).as_deref(), Ok([Outcome::Repeated(_)])));
        core.prepare();
        drop(core);
        let mut core = Core::open(ram.clone(), settings.clone()).expect("it opens");
        assert!(matches!(write(&mut core, vec![once(51)]).as_deref(), Ok([Outcome::Repeated(_)])));
        assert!(matches!(write(&mut core, vec![once(50)]).as_deref(), Ok([Outcome::Written(_)])));
    }
}
