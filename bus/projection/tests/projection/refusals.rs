//! What is refused, with which words; what stops, and where.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use expect_test::expect;
use passerelle_journal::{Entry, Journal, Position};
use passerelle_projection::rusqlite::{Connection, Transaction};
use passerelle_projection::{Fold, FoldError, Health, Projection, Settings, Stopped, View};
use passerelle_proto::bus::v1::Record;

use crate::fixture::{Seen, Things, World, caught_up, held};

const ELSEWHERE: &str = "the views in …/views.sqlite are at record 2, the journal ends at 0: they are of another journal, or it \
                         lost records; if the journal is the right one, build them anew: `passerelle view rebuild`";
const GARBAGE: &str = "the views in …/views.sqlite cannot be used: file is not a database; they can be built anew from the \
                       journal: `passerelle view rebuild`";
const FOREIGN: &str = "the views in …/views.sqlite cannot be used: it is a database of something else; they can be built anew \
                       from the journal: `passerelle view rebuild`";

async fn stopped(projection: &Projection) -> Stopped {
    match projection.until(|status| matches!(status.health, Health::Stopped(_))).await.health {
        Health::Stopped(stopped) => stopped,
        other => panic!("{other:?}"),
    }
}

/// The words of an error, without the folder of this test.
fn refused(world: &World, folds: Vec<Box<dyn Fold>>, expected: &str) {
    let opened = Projection::open(&world.path(), folds, world.journal.clone(), Settings::default());
    let words = opened.expect_err("it is refused").to_string();
    assert_eq!(words.replace(&world.folder.path().display().to_string(), "…"), expected);
}

#[tokio::test]
async fn a_record_that_cannot_be_folded_stops_it_there_and_nowhere_else() {
    let world = World::new();
    let projection = world.open_with(vec![Seen::boxed("seen", 1)], Settings { lag_records: 1, ..Settings::default() });
    world.write(["a", "b", "poison"]).await;
    let at = stopped(&projection).await;
    expect!["the views stopped before record 3: view seen: events[0].data: not what was agreed"].assert_eq(&at.to_string());
    assert_eq!(projection.position(), Position(2), "those before it are folded");
    held(&projection, "seen").await.assert_whole();
    projection.room().await.expect("there is time to repair it");
    let later = world.write(["d"]).await;
    assert_eq!(projection.room().await, Err(at.clone()), "the lag is above its bound");
    let error = projection.read_at_least(later, |_| Ok(())).await.expect_err("it does not get there");
    assert_eq!(error.to_string(), at.to_string());
    projection.close().await;
    let inspected = Projection::inspect(&world.path()).expect("it is a file of ours").expect("it is there");
    assert_eq!(inspected.stopped, Some(at.clone()), "the file tells it as well");
    assert_eq!(inspected.views, [View { name: "seen".to_owned(), version: 1, position: Position(2) }]);
    // Started again it stops at the same place.
    let projection = world.open(vec![Seen::boxed("seen", 1)]);
    assert_eq!(stopped(&projection).await, at);
}

#[tokio::test]
async fn bytes_that_are_no_record_stop_it() {
    let world = World::new();
    let projection = world.open(vec![Seen::boxed("seen", 1)]);
    world.write(["a"]).await;
    let entry = Entry { data: vec![0xff; 9].into(), step: None, fingerprint: None };
    world.journal.append(vec![entry]).await.expect("the journal does not look into it");
    let at = stopped(&projection).await;
    assert_eq!((at.position, projection.position()), (Position(2), Position(1)));
    assert!(at.why.starts_with("its bytes are not a Record"), "{at}");
}

#[tokio::test]
async fn what_was_published_is_not_even_decoded_where_no_fold_wants_it() {
    let world = World::new();
    let projection = world.open(vec![Box::new(Things)]);
    let entry = Entry { data: vec![0xff; 9].into(), step: None, fingerprint: None };
    world.journal.append(vec![entry]).await.expect("the journal does not look into it");
    projection.reach(Position(1)).await.expect("it gets there");
}

/// Breaks as it is told.
struct Broken {
    schema: &'static str,
    name: &'static str,
}

impl Fold for Broken {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> u32 {
        1
    }

    fn schema(&self) -> String {
        self.schema.to_owned()
    }

    fn apply(&mut self, _: &Transaction<'_>, _: Position, _: &Record) -> Result<(), FoldError> {
        panic!("a fold with a fault")
    }
}

#[tokio::test]
async fn a_fold_that_panics_stops_it() {
    let world = World::new();
    let broken = Box::new(Broken { name: "broken", schema: "CREATE TABLE broken(n)" });
    let projection = world.open(vec![broken, Seen::boxed("seen", 1)]);
    world.write(["a"]).await;
    let at = stopped(&projection).await;
    expect!["the views stopped before record 1: a fold panicked at this record or soon after"].assert_eq(&at.to_string());
    projection.close().await;
}

#[tokio::test]
async fn a_fold_that_breaks_the_rules_is_refused() {
    let world = World::new();
    let fold = |name, schema| -> Vec<Box<dyn Fold>> { vec![Box::new(Broken { name, schema })] };
    let rule = "a name is lower case letters, digits and _, and begins neither with passerelle nor with sqlite";
    for name in ["", "Upper", "1st", "_a", "a-b", "passerelle_x", "sqlite_x"] {
        let opened = Projection::open(&world.path(), fold(name, ""), world.journal.clone(), Settings::default());
        assert_eq!(opened.expect_err(name).to_string(), format!("view {name}: {rule}"));
    }
    refused(&world, vec![Seen::boxed("a", 1), Seen::boxed("a", 1)], "view a: there are two of this name");
    refused(&world, fold("a", "CREATE TABLE b(n)"), "view a: its table b is not called a or a_…");
    let expected = r#"view a: its schema: near "TABEL": syntax error in CREATE TABEL a(n) at offset 7"#;
    refused(&world, fold("a", "CREATE TABEL a(n)"), expected);
}

#[tokio::test]
async fn records_that_are_missing_in_the_journal_are_noticed() {
    let world = World::new();
    let projection = world.open(vec![Seen::boxed("seen", 1)]);
    world.write(["a", "b"]).await;
    caught_up(&projection).await;
    projection.close().await;

    let other = World { journal: World::new().journal, ..world };
    refused(&other, vec![Seen::boxed("seen", 1)], ELSEWHERE);
}

#[tokio::test]
async fn a_file_in_use_is_refused_and_cannot_be_erased() {
    let world = World::new();
    let projection = world.open(vec![Seen::boxed("seen", 1)]);
    refused(&world, vec![Seen::boxed("seen", 1)], "…/views.sqlite is in use by another process; stop that one first");
    Projection::erase(&world.path()).expect_err("it is in use");
    projection.close().await;
    Projection::erase(&world.path()).expect("it is not in use");
    assert!(!world.path().exists());
    Projection::erase(&world.path()).expect("nothing to erase");
}

#[tokio::test]
async fn a_file_of_something_else_is_left_alone() {
    let world = World::new();
    std::fs::write(world.path(), [b'x'; 8192]).expect("written");
    refused(&world, vec![Seen::boxed("seen", 1)], GARBAGE);
    std::fs::remove_file(world.path()).expect("removed");
    let foreign = Connection::open(world.path()).expect("sqlite opens");
    foreign.execute_batch("CREATE TABLE customers(name TEXT)").expect("a table");
    drop(foreign);
    refused(&world, vec![Seen::boxed("seen", 1)], FOREIGN);
}

/// Finds no room on the disk for a record, until it is told that there is.
struct Crowded(Arc<AtomicBool>);

impl Fold for Crowded {
    fn name(&self) -> &'static str {
        "crowded"
    }

    fn version(&self) -> u32 {
        1
    }

    fn schema(&self) -> String {
        "CREATE TABLE crowded(data BLOB)".to_owned()
    }

    fn apply(&mut self, transaction: &Transaction<'_>, _: Position, _: &Record) -> Result<(), FoldError> {
        // SQLite's own limit gives the error of a full disk.
        let pages = if self.0.load(Ordering::Relaxed) { 1 } else { 1_000_000 };
        transaction.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
        transaction.execute("INSERT INTO crowded VALUES (zeroblob(100000))", ())?;
        Ok(())
    }
}

#[tokio::test]
async fn a_full_disk_holds_it_and_clears_by_itself() {
    let world = World::new();
    let full = Arc::new(AtomicBool::new(true));
    let projection = world.open(vec![Seen::boxed("seen", 1), Box::new(Crowded(full.clone()))]);
    let last = world.write(["a"]).await;
    let status = projection.until(|status| status.health != Health::Following).await;
    assert_eq!(status.health, Health::Held("no room on the disk for the views; free some".into()));
    assert_eq!(held(&projection, "seen").await.rows, 0, "nothing of the record is there");
    full.store(false, Ordering::Relaxed);
    let status = projection.until(|status| status.health == Health::Following).await;
    assert_eq!(status.position, last);
    held(&projection, "seen").await.assert_whole();
}
