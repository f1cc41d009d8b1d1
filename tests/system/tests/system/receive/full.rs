//! No room for the journal: what comes in waits where it is, and comes when there is room again.

use std::collections::BTreeSet;
use std::fs;
use std::time::Instant;

use passerelle_peers::strace;

use super::{PATIENCE, adapter, all, followed, world};
use crate::wire::{parent, peak_memory_kib};

const FILES: usize = 20;
/// All of them are several of the journal's files.
const BYTES: usize = 400_000;

#[tokio::test]
async fn a_full_journal_makes_an_adapter_wait_and_nothing_is_lost_or_there_twice() {
    let world = world();
    let next: Vec<_> = (2..20).map(|number| world.path(&format!("data/journal/free-{number}.log"))).collect();
    let Some(command) = strace::failing("pwrite64:error=ENOSPC:when=1..3", &next) else { return };
    for number in 0..FILES {
        fs::write(world.path(&format!("incoming/{number}")), vec![number as u8; BYTES]).unwrap();
    }
    let daemon = world.serve_under(command);
    let mut followed = followed(&daemon).await;
    followed.until(FILES).await;
    assert!(daemon.log().contains("what is received has to wait"), "the disk was never full: {}", daemon.log());
    let incoming = daemon.path("incoming");
    let begin = Instant::now();
    while fs::read_dir(&incoming).unwrap().next().is_some() {
        assert!(begin.elapsed() < PATIENCE, "files stay that are in the journal: {}", daemon.log());
        tokio::task::yield_now().await;
    }
    let messages = all(&daemon).await;
    let subjects: BTreeSet<&str> = messages.iter().map(|message| message.subject.as_str()).collect();
    assert_eq!((messages.len(), subjects.len()), (FILES, FILES), "something is there twice");
    let process = adapter(&daemon, 1);
    let (bus, adapter) = (peak_memory_kib(parent(process)), peak_memory_kib(process));
    println!("a full journal: the bus had {bus} KiB at most, the adapter {adapter} KiB");
    assert!(bus < 200 * 1024 && adapter < 100 * 1024, "bus {bus} KiB, adapter {adapter} KiB");
}
