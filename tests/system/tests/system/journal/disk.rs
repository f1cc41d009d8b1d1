//! The real daemon on a disk that fails, or is full: strace lets its system calls fail.

use std::io::{Read, Write};
use std::net::TcpStream;

use passerelle_peers::{Run, strace};
use passerelle_system::{Daemon, World};

fn publish(daemon: &Daemon, id: u32) -> Run {
    World::default().run(&["publish", "--address", &daemon.address(), "--type", "t", "--id", &id.to_string()])
}

/// What the admin port answers to a GET.
fn get(daemon: &Daemon, path: &str) -> String {
    let mut stream = TcpStream::connect(daemon.admin).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: passerelle\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn health(daemon: &Daemon, service: &str) -> Run {
    let json = format!(r#"{{"service": "{service}"}}"#);
    World::default().run(&["call", "grpc.health.v1.Health/Check", "--address", &daemon.address(), "--json", &json])
}

#[test]
fn a_disk_that_fails_ends_publishing_and_nothing_else_and_loses_nothing() {
    let Some(command) = strace::failing("fdatasync:error=EIO:when=80+", &[]) else { return };
    let daemon = World::default().settings("").serve_under(command);
    assert!(get(&daemon, "/readyz").starts_with("HTTP/1.1 200 "));
    let mut acknowledged = 0;
    let refused = loop {
        let run = publish(&daemon, acknowledged);
        if !run.status.success() {
            break run;
        }
        acknowledged += 1;
        assert!(acknowledged < 200, "the disk never fails");
    };
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(
        refused.stderr.contains("UNAVAILABLE: the journal cannot be written any more") && refused.stderr.contains("P0022"),
        "{refused:?}"
    );
    let again = publish(&daemon, acknowledged);
    assert!(again.stderr.contains("UNAVAILABLE"), "a sync is never tried again as if nothing had been: {again:?}");

    let ready = get(&daemon, "/readyz");
    assert!(ready.starts_with("HTTP/1.1 503 ") && ready.contains("the journal cannot be written any more"), "{ready}");
    assert!(get(&daemon, "/livez").starts_with("HTTP/1.1 200 "));
    assert!(get(&daemon, "/metrics").contains("\npasserelle_journal_failed 1\n"));
    assert!(health(&daemon, "passerelle.bus.v1.Journal").stdout.contains("NOT_SERVING"));
    assert!(health(&daemon, "").stdout.contains(r#""SERVING""#), "calls to back offices go on");
    let shown = World::default().run(&["tail", "--stop-at-end", "--from", "start", "--address", &daemon.address()]);
    assert_eq!(shown.stdout.lines().count() as u32, acknowledged, "reading goes on, of what is surely on disk: {shown:?}");

    let daemon = daemon.kill().serve();
    let shown = World::default().run(&["tail", "--stop-at-end", "--from", "start", "--json", "--address", &daemon.address()]);
    let there = shown.stdout.lines().count() as u32;
    // The one that was refused may be there or not: nobody was told that it is.
    assert!((acknowledged..=acknowledged + 1).contains(&there), "{there} of {acknowledged}: {shown:?}");
    assert!(publish(&daemon, acknowledged).status.success());
}

#[test]
fn a_full_disk_refuses_and_takes_messages_again_by_itself() {
    let world = World::default().settings("");
    // The journal makes its next file ahead: for the second one there is no room, three times in a row.
    let next: Vec<_> = (2..20).map(|number| world.path(&format!("data/journal/free-{number}.log"))).collect();
    let Some(command) = strace::failing("pwrite64:error=ENOSPC:when=1..3", &next) else { return };
    let daemon = world.serve_under(command);
    let large = "x".repeat(400_000);
    let (mut acknowledged, mut refused) = (0, 0);
    // Two files' worth. A refused message is sent again, as it is meant to be.
    while acknowledged < 20 {
        let (address, id) = (daemon.address(), acknowledged.to_string());
        let run = World::default()
            .run_with(&["publish", "--address", &address, "--type", "t", "--source", "/s", "--id", &id, "--data", "-"], &large);
        if run.status.success() {
            acknowledged += 1;
        } else {
            assert!(
                run.stderr.contains("RESOURCE_EXHAUSTED: no room for the journal") && run.stderr.contains("P0021"),
                "{run:?}"
            );
            refused += 1;
        }
        assert!(refused < 1000, "after {acknowledged} messages there is never room again");
    }
    assert!(refused > 0, "the disk was never full");
    let shown = World::default().run(&["tail", "--stop-at-end", "--from", "start", "--address", &daemon.address()]);
    assert_eq!(shown.stdout.lines().count() as u32, acknowledged, "{shown:?}");
}
