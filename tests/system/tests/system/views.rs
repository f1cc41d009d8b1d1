//! The views through the real daemon: they follow, they stop where they must, and are built anew.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use passerelle_journal::log::{Log, LogSettings};
use passerelle_journal::storage::Directory;
use passerelle_journal::{Entry, Journal as _, KeyStep};
use passerelle_system::{Daemon, World};

/// A page of the operators' port: its status line, and all that follows.
pub(crate) fn page(admin: SocketAddr, path: &str) -> (String, String) {
    let mut connection = TcpStream::connect(admin).unwrap();
    write!(connection, "GET {path} HTTP/1.1\r\nhost: passerelle\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    connection.read_to_string(&mut text).unwrap();
    let (status, rest) = text.split_once("\r\n").unwrap();
    (status.to_owned(), rest.to_owned())
}

/// Asks for a page until it is as it should be.
pub(crate) fn wait_for(daemon: &Daemon, path: &str, fits: impl Fn(&(String, String)) -> bool) -> (String, String) {
    let begun = Instant::now();
    loop {
        let page = page(daemon.admin, path);
        if fits(&page) {
            return page;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{page:?}");
    }
}

fn wait_for_gauge(daemon: &Daemon, gauge: &str, value: &str) {
    let line = format!("\n{gauge} {value}\n");
    wait_for(daemon, "/metrics", |(_, text)| text.contains(&line));
}

fn publish(daemon: &Daemon, count: usize) {
    let lines: String = (0..count).map(|id| format!("{{\"id\":\"{id}\",\"source\":\"/s\",\"type\":\"t\"}}\n")).collect();
    let run = World::default().run_with(&["publish", "--stream", "--address", &daemon.address()], &lines);
    assert!(run.status.success(), "{run:?}");
}

/// Writes a record that is none into the journal of a bus that is stopped.
fn poison(world: &World) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let directory = Directory::open(world.path("data/journal")).unwrap();
        let log = Log::open(Arc::new(directory), LogSettings::default()).unwrap();
        // With a key: what was published is not looked into.
        let step = KeyStep { key: "poison/1".into(), sequence: 1, snapshot: false };
        let entry = Entry { data: vec![0xff; 9].into(), step: Some(step), fingerprint: None };
        log.append(vec![entry]).await.unwrap().durable().await.unwrap();
        log.close().await;
    });
}

#[test]
fn they_follow_the_journal_and_are_built_anew_from_it() {
    let daemon = World::default().settings("").serve();
    publish(&daemon, 3000);
    wait_for_gauge(&daemon, "passerelle_projection_position", "3000");
    wait_for_gauge(&daemon, "passerelle_projection_lag_records", "0");
    assert_eq!(page(daemon.admin, "/readyz").0, "HTTP/1.1 200 OK");
    // A durable subscription's place is looked up in the journal and shown in the views.
    let next = ["tail", "--stop-at-end", "--name", "billing", "--count", "5", "--address", &daemon.address()];
    assert!(World::default().run(&next).status.success());

    let settings = daemon.path("passerelle.yaml").display().to_string();
    let rebuild = World::default().run(&["view", "rebuild", "--settings", &settings]);
    assert_eq!(rebuild.status.code(), Some(1), "{rebuild:?}");
    assert!(rebuild.stderr.contains("P0020"), "a running bus has the journal: {rebuild:?}");

    let world = daemon.kill();
    let rebuilt = world.run(&["view", "rebuild"]);
    let records = rebuilt.stdout.trim_end().strip_suffix(" records").and_then(|text| text.rsplit(' ').next());
    let records: u64 = records.and_then(|records| records.parse().ok()).unwrap_or_else(|| panic!("{rebuilt:?}"));
    assert!(records > 3000, "the subscription's place is a record as well: {rebuilt:?}");
    let status = world.run(&["view", "status"]);
    let (_, views) = status.stdout.split_once('\n').unwrap();
    for view in ["keyed_answers", "keyed_timers"] {
        assert!(views.contains(view), "{status:?}");
    }
    assert!(views.lines().all(|view| view.ends_with(&format!(" {records}"))), "{status:?}");
    let daemon = world.serve();
    assert_eq!(page(daemon.admin, "/readyz").0, "HTTP/1.1 200 OK");
}

#[test]
fn a_record_that_is_none_stops_them_and_everybody_is_told() {
    let daemon = World::default().settings("").serve();
    publish(&daemon, 2);
    let world = daemon.kill();
    poison(&world);
    let daemon = world.serve();
    let (_, reason) = wait_for(&daemon, "/readyz", |(status, _)| status == "HTTP/1.1 503 Service Unavailable");
    let told = "the views stopped before record 3: its bytes are not a Record: ";
    assert!(reason.contains(told) && reason.contains("; P0025; calls to back offices go on\n"), "{reason}");
    // The journal is well: what is published is acknowledged, and waits.
    publish(&daemon, 5);
    wait_for_gauge(&daemon, "passerelle_projection_lag_records", "4");

    let world = daemon.kill();
    let status = world.run(&["view", "status"]);
    assert_eq!(status.status.code(), Some(1), "{status:?}");
    assert!(status.stderr.contains(told) && status.stderr.contains("P0025"), "{status:?}");
    let rebuilt = world.run(&["view", "rebuild"]);
    assert_eq!(rebuilt.status.code(), Some(1), "{rebuilt:?}");
    assert!(rebuilt.stderr.contains(told) && rebuilt.stderr.contains("P0025"), "{rebuilt:?}");
}

#[test]
fn before_the_first_start_there_are_none() {
    let world = World::default().settings("");
    let run = world.run(&["view", "status"]);
    assert!(run.status.success() && run.stdout.starts_with("no views yet: "), "{run:?}");
}
