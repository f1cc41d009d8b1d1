//! The command itself: names, folders, words.

use std::fs;

use expect_test::expect;
use passerelle_system::World;

#[test]
fn what_to_do_next_is_said() {
    let world = World::default();
    let run = world.run(&["adapter", "new", "acme/ledger", "--lang", "python"]);
    assert!(run.status.success(), "{run:?}");
    expect![[r#"
        ledger is an adapter that works. Next:
          cd ledger
          ./run            installs what it needs, and serves
          ./run kit        holds it against the laws of the port
          README.md        the hour from here to an adapter of your own
    "#]]
    .assert_eq(&run.stdout);
}

#[test]
fn the_name_stands_wherever_the_samples_stood() {
    let all = ["conformance.yaml", "README.md", "proto/my_bank/cards/v1/ledger.proto"];
    for (language, files, kind) in [
        ("python", &["adapter.py"][..], ("adapter.py", "kind = \"my-bank/cards\"")),
        ("rust", &["src/main.rs", "Cargo.toml", "Cargo.lock", "build.rs", "run"], ("src/main.rs", "= \"my-bank/cards\"")),
    ] {
        let world = World::default();
        let run = world.run(&["adapter", "new", "my-bank/cards", "--lang", language, "--into", "deep/folder"]);
        assert!(run.status.success(), "{run:?}");
        let folder = world.path("deep/folder");
        for file in all.iter().chain(files) {
            let text = fs::read_to_string(folder.join(file)).unwrap();
            assert!(!text.contains("acme"), "{file} still names the sample");
        }
        assert!(fs::read_to_string(folder.join(kind.0)).unwrap().contains(kind.1));
    }
}

#[test]
fn nothing_is_overwritten() {
    let world = World::default().file("ledger/notes.txt", "mine");
    let run = world.run(&["adapter", "new", "acme/ledger", "--lang", "python"]);
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    expect![[r#"
        error: ledger is not empty: name another folder with --into, nothing is overwritten
    "#]]
    .assert_eq(&run.stderr);
    let run = world.run(&["adapter", "new", "acme/ledger", "--lang", "python", "--into", "ledger/notes.txt"]);
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    assert!(run.stderr.starts_with("error: cannot write into ledger/notes.txt: "), "{}", run.stderr);
    assert_eq!(fs::read_dir(world.path("ledger")).unwrap().count(), 1);
}

#[test]
fn a_name_that_does_not_fit_is_refused_before_anything_is_written() {
    let world = World::default();
    let run = world.run(&["adapter", "new", "Ledger", "--lang", "python"]);
    assert_eq!(run.status.code(), Some(2), "{run:?}");
    assert!(run.stderr.contains("it is in nobody's name space; write it as acme/ledger"), "{}", run.stderr);
    assert!(!world.path("Ledger").exists());
}
