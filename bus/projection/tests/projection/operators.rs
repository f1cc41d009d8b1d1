//! The file for those who operate: usual tools, one that checkpoints, a write-ahead log that stays short.

use std::process::Command;

use passerelle_journal::Position;
use passerelle_projection::rusqlite::{Connection, OpenFlags};
use passerelle_projection::{Health, Settings};

use crate::fixture::{Seen, World, caught_up, held};

#[tokio::test]
async fn readers_can_neither_write_nor_checkpoint() {
    let world = World::new();
    let projection = world.open(vec![Seen::boxed("seen", 1)]);
    world.write(["a"]).await;
    caught_up(&projection).await;
    let told = projection.read(|connection| {
        let automatic: i64 = connection.pragma_query_value(None, "wal_autocheckpoint", |row| row.get(0))?;
        let written = connection.execute("DELETE FROM seen", ()).is_ok();
        let checkpointed = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(())).is_ok();
        Ok((connection.is_readonly("main")?, automatic, written, checkpointed))
    });
    assert_eq!(told.await.expect("it reads"), (true, 0, false, false));
}

#[tokio::test]
async fn the_file_opens_with_the_usual_tool_while_it_is_written() {
    if Command::new("sqlite3").arg("--version").output().is_err() {
        assert!(std::env::var_os("PEERS_REQUIRED").is_none(), "sqlite3 is required");
        return eprintln!("SKIPPED: sqlite3 is not installed");
    }
    let world = World::new();
    let projection = world.open(vec![Seen::boxed("seen", 1)]);
    world.write(["a", "b", "a"]).await;
    caught_up(&projection).await;
    let select = "SELECT key, count FROM seen_counts ORDER BY key; SELECT name, version, position FROM passerelle_folds";
    let shown = Command::new("sqlite3").arg("-readonly").arg(world.path()).arg(select).output().expect("sqlite3 runs");
    assert_eq!(String::from_utf8_lossy(&shown.stderr), "");
    assert_eq!(String::from_utf8_lossy(&shown.stdout), "a|2\nb|1\nseen|1|3\n");
}

/// 1 MiB for the log: a program outside that keeps a transaction open must not fill the disk.
#[tokio::test]
async fn a_reader_that_does_not_let_go_holds_the_views_and_not_the_disk() {
    let world = World::new();
    let settings = Settings { checkpoint_bytes: 256 << 10, log_bytes: 1 << 20, transaction_records: 100, ..Settings::default() };
    let projection = world.open_with(vec![Seen::boxed("seen", 1)], settings);
    let log = || std::fs::metadata(world.folder.path().join("views.sqlite-wal")).map_or(0, |file| file.len());

    let outside = Connection::open_with_flags(world.path(), OpenFlags::SQLITE_OPEN_READ_ONLY).expect("it opens");
    outside.execute_batch("BEGIN; SELECT * FROM seen").expect("it reads");
    world.write((0..20_000).map(|number| number.to_string())).await;
    let status = projection.until(|status| matches!(status.health, Health::Held(_))).await;
    let Health::Held(why) = status.health else { unreachable!() };
    assert_eq!(&*why, "another program has been reading the views' file for too long; end it");
    assert!(status.position < Position(20_000), "it waits");
    assert!(log() < 2 << 20, "the log has {} bytes", log());
    held(&projection, "seen").await.assert_whole();

    drop(outside);
    caught_up(&projection).await;
    held(&projection, "seen").await.assert_whole();
    assert!(log() < 2 << 20, "the log has {} bytes", log());
}
