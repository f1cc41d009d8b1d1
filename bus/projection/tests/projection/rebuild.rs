//! Building anew: the same tables as by following, and only those of the fold that changed.

use passerelle_journal::{Journal, Position};
use passerelle_projection::rusqlite::Connection;
use passerelle_projection::{Projection, Settings};
use proptest::prelude::*;

use crate::fixture::{Seen, World, caught_up, held};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever the steps in which records came, and wherever the projection was closed between them.
    #[test]
    fn rebuilt_from_zero_equals_followed(
        steps in prop::collection::vec((prop::collection::vec("[a-e]{1,2}", 1..12), any::<bool>()), 1..10),
        transaction_records in 1_usize..9,
    ) {
        runtime().block_on(async {
            let world = World::new();
            let settings = Settings { transaction_records, ..Settings::default() };
            let mut projection = world.open_with(vec![Seen::boxed("seen", 1)], settings.clone());
            for (keys, close) in &steps {
                world.write(keys).await;
                if *close {
                    projection.close().await;
                    projection = world.open_with(vec![Seen::boxed("seen", 1)], settings.clone());
                }
            }
            caught_up(&projection).await;
            let followed = held(&projection, "seen").await;
            followed.assert_whole();
            projection.close().await;
            Projection::erase(&world.path()).expect("nobody has it open");
            let projection = world.open(vec![Seen::boxed("seen", 1)]);
            caught_up(&projection).await;
            assert_eq!(held(&projection, "seen").await, followed);
        });
    }
}

#[tokio::test]
async fn another_version_builds_that_fold_anew_and_no_other() {
    let world = World::new();
    let projection = world.open(vec![Seen::boxed("seen", 1), Seen::boxed("seen_too", 1)]);
    world.write(["a", "b", "a"]).await;
    caught_up(&projection).await;
    projection.close().await;

    let projection = world.open(vec![Seen::boxed("seen", 2), Seen::boxed("seen_too", 1)]);
    assert_eq!(projection.position(), Position(0), "one of them begins anew");
    caught_up(&projection).await;
    let (seen, other) = (held(&projection, "seen").await, held(&projection, "seen_too").await);
    seen.assert_whole();
    other.assert_whole();
    assert!(seen.counts.iter().all(|(_, _, version)| *version == 2), "{seen:?}");
    assert!(other.counts.iter().all(|(_, _, version)| *version == 1), "no record came to it twice: {other:?}");
}

#[tokio::test]
async fn a_new_fold_is_built_and_one_that_is_gone_is_dropped() {
    let world = World::new();
    let projection = world.open(vec![Seen::boxed("old", 1)]);
    world.write(["a", "b"]).await;
    caught_up(&projection).await;
    projection.close().await;

    let projection = world.open(vec![Seen::boxed("new", 1)]);
    caught_up(&projection).await;
    held(&projection, "new").await.assert_whole();
    let names = projection.read(|connection| {
        let mut select = connection.prepare("SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite%' ORDER BY name")?;
        select.query_map((), |row| row.get(0))?.collect::<Result<Vec<String>, _>>()
    });
    assert_eq!(names.await.expect("it reads"), ["new", "new_by_count", "new_counts", "passerelle_folds", "passerelle_stopped"]);
}

#[tokio::test]
async fn a_journal_that_was_trimmed_is_folded_from_what_it_keeps() {
    let world = World::new();
    world.write(["a", "b", "c", "d"]).await;
    world.journal.trim(Position(3)).await.expect("memory trims");
    let projection = world.open(vec![Seen::boxed("seen", 1)]);
    caught_up(&projection).await;
    let seen = held(&projection, "seen").await;
    assert_eq!((seen.position, seen.rows), (4, 2));
}

#[tokio::test]
async fn a_view_that_is_older_than_what_the_journal_keeps_is_built_anew_and_no_other() {
    let folds = || vec![Seen::boxed("old", 1), Seen::boxed("seen", 1)];
    let rows = async |world: &World| {
        let projection = world.open(folds());
        caught_up(&projection).await;
        let rows = (held(&projection, "old").await.rows, held(&projection, "seen").await.rows);
        projection.close().await;
        rows
    };
    let world = World::new();
    world.write(["a", "b", "c", "d"]).await;
    assert_eq!(rows(&world).await, (4, 4));
    world.journal.trim(Position(4)).await.expect("memory trims");
    for (position, expected) in [(3, (4, 4)), (2, (1, 4))] {
        let file = Connection::open(world.path()).expect("sqlite opens");
        let set = "UPDATE passerelle_folds SET position = ?1 WHERE name = 'old'";
        file.execute_batch("DELETE FROM old WHERE position > 3").expect("as it was then");
        file.execute(set, (position,)).expect("as it was then");
        file.close().expect("it closes");
        assert_eq!(rows(&world).await, expected, "{position}");
    }
}
