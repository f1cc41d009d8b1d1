//! Compaction: old records are given up, and nothing that lives is.

use std::time::Duration;

use passerelle_journal::{AppendError, Position};
use passerelle_projection::Fold as _;
use rusqlite::Connection;

use super::jar::{Jar, Order};
use super::world::{World, coins, small};
use crate::keyed::{Entities, Failure, KeyedSettings};

#[tokio::test]
async fn what_lives_is_carried_over_and_what_has_ended_is_let_go() {
    let mut world = World::new(small());
    let first = world.ask_once("alive", "once", Order::Put(3)).await.unwrap();
    world.ask("ended", Order::Put(1)).await.unwrap();
    world.ask("ended", Order::Take(1)).await.unwrap();
    // Ended, but for a bell.
    world.ask("waiting", Order::Bell("bell", 100)).await.unwrap();
    for key in 0..20 {
        world.ask(&format!("many-{key}"), Order::Put(key + 1)).await.unwrap();
    }
    let before = world.journal.durable().borrow().position.next();
    // Younger than what is given up: its records are enough.
    world.ask("young", Order::Put(9)).await.unwrap();

    assert_eq!(world.keyed().keep(before).await.unwrap().snapshots, 22);
    assert_eq!(world.keyed().keep(before).await.unwrap().snapshots, 0, "they are carried over already");
    world.trim(before).await;
    world.crash().await;
    world.erase_projection();
    world.start();

    assert_eq!(world.coins("alive").await, 3);
    assert_eq!(world.coins("many-19").await, 20);
    assert_eq!(world.coins("young").await, 9);
    let again = world.ask_once("alive", "once", Order::Put(3)).await.unwrap();
    assert_eq!((again.answer, again.repeated), (first.answer, true));
    assert_eq!(world.keyed().state("ended").await.unwrap(), None);
    assert_eq!(coins(world.ask("ended", Order::Put(5)).await), 5);
    let seen = world.seen.lock().unwrap().len();
    world.ask("waiting", Order::Put(1)).await.unwrap();
    world.advance(100);
    world.seen(seen + 2).await;
    assert_eq!(world.rung("waiting").await, ["bell"]);
    let last = world.journal.durable().borrow().position;
    let poor = |connection: &_| Entities::<Jar>::select(connection, "WHERE coins < ?1 ORDER BY key", [6]);
    let poor = world.projection().read_at_least(last, poor).await.unwrap();
    let poor: Vec<_> = poor.into_iter().map(|entity| (entity.key, entity.state.coins)).collect();
    let expected = [("alive", 3), ("ended", 5), ("many-0", 1), ("many-1", 2), ("many-2", 3), ("many-3", 4), ("many-4", 5)];
    let expected: Vec<_> = expected.into_iter().chain([("waiting", 1)]).map(|(key, coins)| (key.to_owned(), coins)).collect();
    assert_eq!(poor, expected);
}

#[tokio::test]
async fn a_thing_that_was_let_go_and_begins_again_is_another_one_in_the_views_too() {
    let world = World::new(small());
    world.ask("a", Order::Put(2)).await.unwrap();
    world.ask("a", Order::Take(2)).await.unwrap();
    assert_eq!(world.keyed().keep(Position(3)).await.unwrap().snapshots, 0);
    world.trim(Position(3)).await;
    assert_eq!(coins(world.ask("a", Order::Put(7)).await), 7);
    let last = world.journal.durable().borrow().position;
    let read = |connection: &_| Entities::<Jar>::find(connection, "a");
    let entity = world.projection().read_at_least(last, read).await.unwrap().unwrap();
    assert_eq!((entity.sequence, entity.state.coins), (1, 7));
}

#[tokio::test]
async fn a_thing_that_goes_on_after_it_was_let_go_is_not_lost_with_its_old_records() {
    let mut world = World::new(small());
    world.ask("a", Order::Put(2)).await.unwrap();
    world.ask("a", Order::Take(2)).await.unwrap();
    assert_eq!(world.keyed().keep(Position(3)).await.unwrap().snapshots, 0);
    assert_eq!(coins(world.ask("a", Order::Put(7)).await), 7);
    world.trim(Position(3)).await;
    world.restart().await;
    assert_eq!(coins(world.ask("a", Order::Put(1)).await), 8);
}

#[tokio::test]
async fn what_ended_is_kept_as_long_as_commands_may_be_repeated() {
    let settings = KeyedSettings { ended_kept: Duration::from_secs(1_200), ..small() };
    let mut world = World::new(settings);
    world.ask("a", Order::Put(2)).await.unwrap();
    let first = world.ask_once("a", "once", Order::Take(2)).await.unwrap();
    // A jar is over since 1970, and 1,000 seconds have passed since then.
    assert_eq!(world.keyed().keep(Position(3)).await.unwrap().snapshots, 1);
    world.trim(Position(3)).await;
    world.crash().await;
    world.erase_projection();
    world.start();
    let again = world.ask_once("a", "once", Order::Take(2)).await.unwrap();
    assert_eq!((again.answer, again.repeated), (first.answer, true));
    world.advance(200);
    assert_eq!(world.keyed().keep(Position(4)).await.unwrap().snapshots, 0);
    world.trim(Position(4)).await;
    world.restart().await;
    assert_eq!(world.keyed().state("a").await.unwrap(), None);
}

#[tokio::test]
async fn half_of_a_life_is_not_shown_before_its_snapshot_comes() {
    let world = World::new(small());
    for (key, coins) in [("a", 2), ("b", 1), ("a", 3), ("b", 1)] {
        world.ask(key, Order::Put(coins)).await.unwrap();
    }
    assert_eq!(world.keyed().keep(Position(2)).await.unwrap().snapshots, 1);
    world.trim(Position(2)).await;
    let mut fold = Entities::with_columns(Jar);
    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(&fold.schema()).unwrap();
    let mut shown = Vec::new();
    for (position, record) in (2..).zip(world.records()) {
        let transaction = connection.transaction().unwrap();
        fold.apply(&transaction, Position(position), &record).unwrap();
        transaction.commit().unwrap();
        let coins = |key| Entities::<Jar>::find(&connection, key).unwrap().map(|entity| entity.state.coins);
        shown.push((coins("a"), coins("b")));
    }
    assert_eq!(shown, [(None, Some(1)), (None, Some(1)), (None, Some(2)), (Some(5), Some(2))]);
}

#[tokio::test]
async fn what_has_become_too_large_to_begin_again_stays_as_it_was() {
    let world = World::new(small());
    world.ask("a", Order::Put(1)).await.unwrap();
    // Together they are more than a record holds.
    for letter in ["a", "b"] {
        world.ask("a", Order::Ring(letter.repeat(1_100_000))).await.unwrap();
    }
    world.ask("a", Order::Take(1)).await.unwrap();
    let refused = world.ask("a", Order::Put(1)).await.unwrap_err();
    assert!(matches!(refused, Failure::Journal(AppendError::TooLarge(_))), "{refused}");
    assert_eq!(world.keyed().state("a").await.unwrap().map(|(state, sequence)| (state.coins, sequence)), Some((0, 4)));
    let refused = world.ask("a", Order::Put(1)).await.unwrap_err();
    assert!(matches!(refused, Failure::Journal(AppendError::TooLarge(_))), "{refused}");
}
