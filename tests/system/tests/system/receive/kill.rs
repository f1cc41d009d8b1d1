//! Ten thousand files through kills of the bus and of the adapter: each is in the journal exactly once.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use super::{PATIENCE, adapter, all, followed, world};

const FILES: usize = 10_000;
/// Kills, every second one of the bus.
const KILLS: usize = 24;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_files_are_in_the_journal_exactly_once_through_kills_of_bus_and_adapter() {
    // Another run tries other moments; what fails says which seed it was.
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let world = world();
    let incoming = world.path("incoming");
    let writing = std::thread::spawn({
        let incoming = incoming.clone();
        move || write(&incoming)
    });
    let mut daemon = world.serve();
    let (mut seen, mut started) = (0, 0);
    for kill in 0..KILLS {
        started += 1;
        let pid = adapter(&daemon, started);
        let mut followed = followed(&daemon).await;
        seen = (seen + random.usize(1..FILES / KILLS)).max(1);
        followed.until(seen).await;
        seen = followed.messages.len();
        if kill % 2 == 0 {
            daemon = daemon.kill().serve();
            started = 0;
        } else {
            assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
        }
    }
    writing.join().unwrap();
    let mut followed = followed(&daemon).await;
    followed.until(FILES).await;
    let begin = Instant::now();
    while fs::read_dir(&incoming).unwrap().next().is_some() {
        assert!(begin.elapsed() < PATIENCE, "seed {seed}: files stay that are in the journal: {}", daemon.log());
        tokio::task::yield_now().await;
    }
    // What came after the last file would be one of them a second time.
    let messages = all(&daemon.restart()).await;
    let subjects: BTreeSet<&str> = messages.iter().map(|message| message.subject.as_str()).collect();
    assert_eq!((messages.len(), subjects.len()), (FILES, FILES), "seed {seed}: something is there twice");
}

fn write(incoming: &Path) {
    for number in 0..FILES {
        let part = incoming.join(format!("{number}.part"));
        fs::write(&part, number.to_string()).unwrap();
        fs::rename(part, incoming.join(number.to_string())).unwrap();
    }
}
