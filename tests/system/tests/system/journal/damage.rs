//! The journal's files under `passerelle journal`: while the bus runs, when it is stopped, and when a byte of them is wrong.

use std::fs::File;
use std::os::unix::fs::FileExt;

use passerelle_system::{Daemon, World};

const JOURNAL: &str = "data/journal";
/// In the second of four records of about 116 bytes, whether or not a mark of 48 bytes follows the first; a head of 4 KiB comes before.
const DAMAGED_BYTE: u64 = 4096 + 200;

fn published() -> Daemon {
    let daemon = World::default().settings("").serve();
    for id in ["a", "b", "c", "d"] {
        let address = daemon.address();
        let arguments =
            ["publish", "--address", &address, "--type", "shop.left", "--id", id, "--customer", "4711", "--data", "call me"];
        assert!(World::default().run(&arguments).status.success());
    }
    daemon
}

#[test]
fn the_journal_of_a_running_bus_is_left_alone() {
    let daemon = published();
    let path = daemon.path(JOURNAL).display().to_string();
    for command in [&["journal", "check"][..], &["journal", "repair", "--yes"], &["journal", "dump"]] {
        let run = World::default().run(&[command, &[path.as_str()]].concat());
        assert_eq!(run.status.code(), Some(1), "{run:?}");
        assert!(run.stderr.contains("the journal is in use by another process") && run.stderr.contains("P0020"), "{run:?}");
    }
}

#[test]
fn the_journal_of_a_stopped_bus_is_checked_and_shown_without_personal_data() {
    let world = published().kill();
    let checked = world.run(&["journal", "check"]);
    assert!(checked.stdout.contains("\n4 records can be read, from position 1 on, 1 MiB\n"), "{checked:?}");
    let whole = world.run(&["journal", "repair", JOURNAL]);
    assert!(whole.stdout.starts_with("00000000000000000001.log: 4 records from 1 on, "), "{whole:?}");
    assert!(whole.stdout.ends_with("4 records can be read, from position 1 on, 1 MiB; nothing is to be repaired\n"), "{whole:?}");
    let dumped = world.run(&["journal", "dump", "--from", "3"]);
    let lines: Vec<&str> = dumped.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{dumped:?}");
    assert!(
        lines[0].starts_with("     3  20") && lines[0].ends_with("  shop.left  /command-line  7 bytes of text/plain"),
        "{dumped:?}"
    );
    let json = world.run(&["journal", "dump", "--json"]);
    assert!(json.stdout.starts_with(r#"{"position":1,"time":"20"#), "{json:?}");
    assert!(json.stdout.contains(r#""customer":"4711","data":"call me"}],"outbox":[]}"#), "{json:?}");
    let nowhere = world.run(&["journal", "check", "nowhere"]);
    assert_eq!((nowhere.status.code(), nowhere.stdout.as_str()), (Some(2), ""));
    assert_eq!(nowhere.stderr, "error: there is no folder nowhere; name the one of the journal\n");
}

#[test]
fn a_damaged_journal_is_not_served_until_it_is_repaired_and_what_is_lost_is_told() {
    let world = published().kill();
    let file = File::options().read(true).write(true).open(world.path(JOURNAL).join("00000000000000000001.log")).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, DAMAGED_BYTE).unwrap();
    file.write_all_at(&[byte[0] ^ 1], DAMAGED_BYTE).unwrap();

    let refused = world.run(&["serve", "--settings", "passerelle.yaml"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(refused.stderr.contains("the journal is damaged: 00000000000000000001.log at byte"), "{refused:?}");
    assert!(refused.stderr.contains("record 2") && refused.stderr.contains("P0019"), "{refused:?}");
    let checked = world.run(&["journal", "check"]);
    assert_eq!(checked.status.code(), Some(1), "{checked:?}");
    assert!(checked.stdout.contains("\nDAMAGED 00000000000000000001.log at byte"), "{checked:?}");
    assert!(checked.stdout.contains("\n1 records can be read, from position 1 on"), "{checked:?}");

    let planned = world.run(&["journal", "repair"]);
    assert!(
        planned.stdout.contains("to be done:\n") && planned.stdout.contains("lost: every record from position 2 on"),
        "{planned:?}"
    );
    assert!(planned.stdout.ends_with("nothing was changed; to do it, give --yes as well\n"), "{planned:?}");
    assert_eq!(world.run(&["journal", "check"]).status.code(), Some(1), "nothing was changed");

    let done = world.run(&["journal", "repair", "--yes"]);
    assert!(done.status.success() && done.stdout.contains("done:\n"), "{done:?}");
    assert!(world.run(&["journal", "check"]).status.success());
    let rebuilt = world.run(&["view", "rebuild"]);
    assert!(rebuilt.status.success(), "{rebuilt:?}");
    let daemon = world.serve();
    let shown = World::default().run(&["tail", "--stop-at-end", "--from", "start", "--address", &daemon.address()]);
    assert_eq!(shown.stdout.lines().count(), 1, "{shown:?}");
}
