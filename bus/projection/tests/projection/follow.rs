//! Following: reads wait for their position, see whole transactions, and hold nobody back for ever.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use expect_test::expect;
use passerelle_journal::Position;
use passerelle_projection::rusqlite::Transaction;
use passerelle_projection::{Fold, FoldError, Health, Projection, ReadError, Settings};
use passerelle_proto::bus::v1::Record;

use crate::fixture::{Held, Seen, Things, World, caught_up, held};

/// Applies a record each time that it is let.
struct Gate(Mutex<Receiver<()>>);

impl Gate {
    fn shut() -> (Sender<()>, Box<dyn Fold>) {
        let (open, gate) = channel();
        (open, Box::new(Self(Mutex::new(gate))))
    }
}

impl Fold for Gate {
    fn name(&self) -> &'static str {
        "gate"
    }

    fn version(&self) -> u32 {
        1
    }

    fn schema(&self) -> String {
        "CREATE TABLE gate(position INTEGER PRIMARY KEY)".to_owned()
    }

    fn apply(&mut self, transaction: &Transaction<'_>, position: Position, _: &Record) -> Result<(), FoldError> {
        // A sender that is gone lets everything through.
        let _ = self.0.get_mut().expect("one thread").recv();
        transaction.execute("INSERT INTO gate VALUES (?1)", (position.0 as i64,))?;
        Ok(())
    }
}

/// One record a transaction.
fn small_steps() -> Settings {
    Settings { transaction_records: 1, ..Settings::default() }
}

#[tokio::test]
async fn what_is_written_is_shown_to_who_waits_for_it() {
    let world = World::new();
    let projection = world.open(vec![Seen::boxed("seen", 1)]);
    for round in 1..=20 {
        let position = world.write(["a", "b"]).await;
        let read = projection.read_at_least(position, |connection| Held::read("seen", connection)).await.expect("it follows");
        read.assert_whole();
        assert_eq!(read.counts, [("a".to_owned(), round, 1), ("b".to_owned(), round, 1)]);
    }
    assert_eq!((projection.lag(), projection.status().health), (0, Health::Following));
}

#[tokio::test]
async fn what_is_secured_is_in_the_file_also_where_it_was_passed_over() {
    let world = World::new();
    let projection = world.open(vec![Box::new(Things)]);
    assert_eq!(projection.status().secured, Position(0));
    for _ in 0..20 {
        let position = world.write(["a", "b"]).await;
        projection.reach(position).await.expect("it gets there");
        projection.secure(position).await.expect("it gets to the disk");
        let inspected = Projection::inspect(&world.path()).expect("it is a file of ours").expect("it is there");
        assert_eq!((projection.status().secured, inspected.views[0].position), (position, position));
    }
    let before = projection.status().secured;
    let later = Position(before.0 + 2);
    let (secured, last) = tokio::join!(projection.secure(later), world.write(["a", "b"]));
    assert_eq!((secured, last), (Ok(()), later), "what is asked for may still have to come");
    projection.close().await;
    projection.secure(later).await.expect("it is there");
    assert_eq!(projection.secure(later.next()).await.expect_err("it is closed").why.as_ref(), "the bus is stopping");
}

#[tokio::test]
async fn what_cannot_be_secured_stops_it() {
    let world = World::new();
    let projection = world.open(vec![Seen::boxed("seen", 1)]);
    let position = world.write(["a"]).await;
    projection.reach(position).await.expect("it gets there");
    std::fs::remove_file(world.folder.path().join("views.sqlite-wal")).expect("the log is there");
    let stopped = projection.secure(position).await.expect_err("there is nothing to make durable");
    assert!(stopped.why.starts_with("what is in their file cannot be made durable: "), "{stopped}");
    assert_eq!(projection.status().secured, Position(0));
}

#[tokio::test]
async fn what_was_written_before_the_start_is_built_first() {
    let world = World::new();
    let last = world.write(["a", "b", "c"]).await;
    let (open, gate) = Gate::shut();
    let projection = world.open_with(vec![gate], small_steps());
    assert_eq!(projection.status().health, Health::Building { to: last });
    drop(open);
    let status = projection.until(|status| status.health == Health::Following).await;
    assert_eq!(status.position, last);
}

#[tokio::test]
async fn a_position_that_is_not_reached_in_time_is_said_to_be() {
    let world = World::new();
    let (open, gate) = Gate::shut();
    let projection = world.open_with(vec![gate], Settings { patience: Duration::from_millis(50), ..small_steps() });
    let position = world.write(["a", "b", "c"]).await;
    open.send(()).expect("it listens");
    projection.until(|status| status.position == Position(1)).await;
    let error = projection.read_at_least(position, |_| Ok(())).await.expect_err("the gate is shut");
    expect!["the views are at record 1, 3 was waited for; they follow by themselves, try again later"]
        .assert_eq(&error.to_string());
    drop(open);
    projection.read_at_least(position, |_| Ok(())).await.expect("the gate is open");
}

#[tokio::test]
async fn writers_are_held_back_while_the_lag_is_above_its_bound() {
    let world = World::new();
    let (open, gate) = Gate::shut();
    let projection = world.open_with(vec![gate], Settings { lag_records: 3, ..small_steps() });
    world.write(["a", "b", "c"]).await;
    projection.room().await.expect("the lag is at its bound");
    world.write(["d", "e"]).await;
    let waiting = projection.room();
    tokio::pin!(waiting);
    assert!(waits(waiting.as_mut()).await, "the lag is 5");
    open.send(()).expect("it listens");
    projection.until(|status| status.position == Position(1)).await;
    assert!(waits(waiting.as_mut()).await, "the lag is 4");
    open.send(()).expect("it listens");
    waiting.await.expect("the lag is 3");
    assert_eq!(projection.lag(), 3);
    drop(open);
}

/// Whether the future is still waiting.
async fn waits<F: Future>(future: std::pin::Pin<&mut F>) -> bool {
    let mut future = Some(future);
    std::future::poll_fn(|context| {
        let poll = future.take().map(|future| future.poll(context));
        std::task::Poll::Ready(poll.is_some_and(|poll| poll.is_pending()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_never_see_half_a_transaction() {
    let world = World::new();
    let settings = Settings { transaction_records: 7, checkpoint_bytes: 64 * 1024, ..Settings::default() };
    let projection = world.open_with(vec![Seen::boxed("seen", 1), Seen::boxed("twin", 1)], settings);
    let last = Position(3_000);
    let mut reads = 0;
    let writing = async {
        for block in 0..30 {
            world.write((0..100).map(|number| format!("{}", (block * 100 + number) % 37))).await;
        }
    };
    let reading = async {
        while projection.position() < last {
            let both = |connection: &_| Ok((Held::read("seen", connection)?, Held::read("twin", connection)?));
            let (seen, twin) = projection.read(both).await.expect("it reads");
            seen.assert_whole();
            assert_eq!(seen, twin, "both folds at one moment");
            reads += 1;
        }
    };
    tokio::join!(writing, reading);
    assert!(reads > 1, "it was read while it was written");
    held(&projection, "seen").await.assert_whole();
}

#[tokio::test]
async fn a_read_that_takes_too_long_is_ended_and_the_next_one_is_not() {
    let world = World::new();
    let settings = Settings { read_time: Duration::from_millis(30), readers: 1, ..Settings::default() };
    let projection = world.open_with(vec![Seen::boxed("seen", 1)], settings);
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let error = projection.read(move |connection| connection.query_row(endless, (), |_| Ok(()))).await.expect_err("endless");
    assert!(matches!(error, ReadError::TooLong { limit_ms: 30 }), "{error}");
    // Whoever does not wait for the answer gives the connection free as well.
    let forgotten = projection.read(move |connection| connection.query_row(endless, (), |_| Ok(())));
    tokio::time::timeout(Duration::from_millis(5), forgotten).await.expect_err("endless");
    held(&projection, "seen").await.assert_whole();
}

#[tokio::test]
async fn a_closed_projection_says_so_and_leaves_one_file() {
    let world = World::new();
    let projection = world.open(vec![Seen::boxed("seen", 1)]);
    world.write(["a"]).await;
    caught_up(&projection).await;
    projection.close().await;
    let error = projection.read(|_| Ok(())).await.expect_err("it is closed");
    expect!["the views stopped before record 2: the bus is stopping"].assert_eq(&error.to_string());
    assert!(!world.folder.path().join("views.sqlite-wal").exists(), "all is in the file");
    let again = world.open(vec![Seen::boxed("seen", 1)]);
    held(&again, "seen").await.assert_whole();
}
