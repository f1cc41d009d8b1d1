//! Limits: what is held in memory, what waits, how it ends.

use std::time::Duration;

use passerelle_journal::AppendError;

use super::jar::Order;
use super::stubborn::Stubborn;
use super::world::{World, coins, small};
use crate::keyed::{Failure, KeyedSettings};

#[tokio::test]
async fn idle_keys_leave_memory_and_come_back_as_they_were() {
    let world = World::new(small());
    for key in 0..200 {
        world.ask(&format!("key-{key}"), Order::Put(key)).await.unwrap();
        let active = world.keyed().home.meter.active();
        assert!(active <= world.settings.keys + 1, "{active} keys in memory");
    }
    for key in 0..200 {
        assert_eq!(world.coins(&format!("key-{key}")).await, key);
    }
}

#[tokio::test]
async fn keys_being_worked_on_are_bounded_by_what_is_in_hand() {
    let journal = Stubborn::new();
    let world = World::on(journal.clone(), small());
    let limit = world.settings.in_hand;
    journal.hold();
    let asked: Vec<_> = (0..2 * limit).map(|key| world.asking(&format!("key-{key}"), "", Order::Put(1))).collect();
    journal.held(1).await;
    // Those beyond the limit are turned away although nothing else can be answered.
    let (mut busy, mut waiting) = (0, Vec::new());
    for (number, outcome) in asked.into_iter().enumerate() {
        if number < limit {
            waiting.push(outcome);
        } else {
            assert_eq!(outcome.await.unwrap(), Err(Failure::Busy));
            busy += 1;
        }
    }
    assert_eq!(busy, limit);
    assert!(world.keyed().home.meter.active() <= limit);
    journal.release().await;
    for outcome in waiting {
        assert_eq!(coins(outcome.await.unwrap()), 1);
    }
    assert_eq!(coins(world.ask("after", Order::Put(1)).await), 1);
    assert!(world.keyed().home.meter.active() <= world.settings.keys + 1);
}

#[tokio::test]
async fn a_timer_waits_for_a_place_and_then_fires() {
    let journal = Stubborn::new();
    let world = World::on(journal.clone(), KeyedSettings { in_hand: 2, ..small() });
    world.ask("a", Order::Put(1)).await.unwrap();
    world.ask("a", Order::Bell("bell", 10)).await.unwrap();
    journal.hold();
    let first = world.asking("b", "", Order::Put(1));
    let second = world.asking("c", "", Order::Put(1));
    journal.held(1).await;
    world.advance(10);
    assert_eq!(world.ask("d", Order::Put(1)).await, Err(Failure::Busy));
    journal.release().await;
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    world.seen(5).await;
    assert_eq!(world.rung("a").await, ["bell"]);
}

#[tokio::test]
async fn draining_answers_what_was_taken_and_takes_no_more() {
    let journal = Stubborn::new();
    let world = World::on(journal.clone(), small());
    journal.hold();
    let asked: Vec<_> = (0..10).map(|key| world.asking(&format!("key-{key}"), "", Order::Put(1))).collect();
    journal.held(1).await;
    let keyed = world.keyed();
    let mut draining = tokio::spawn(async move { keyed.drain(Duration::from_secs(3_600)).await });
    // The shard closes its door in its own time: until then commands are taken, and answered.
    while world.keyed().state("elsewhere").await != Err(Failure::Closed) {
        tokio::task::yield_now().await;
    }
    assert!(!draining.is_finished());
    journal.release().await;
    assert!((&mut draining).await.unwrap());
    for outcome in asked {
        assert_eq!(coins(outcome.await.unwrap()), 1);
    }
    assert_eq!(world.ask("a", Order::Put(1)).await, Err(Failure::Closed));
    assert!(world.keyed().drain(Duration::ZERO).await, "again, it is over at once");
}

#[tokio::test]
async fn what_does_not_end_within_the_grace_is_stopped() {
    let journal = Stubborn::new();
    let world = World::on(journal.clone(), small());
    journal.hold();
    let asked = world.asking("a", "", Order::Put(1));
    journal.held(1).await;
    assert!(!world.keyed().drain(Duration::from_millis(1)).await);
    assert_eq!(asked.await.unwrap(), Err(Failure::Closed));
}

#[tokio::test]
async fn a_record_too_large_is_refused_alone_and_changes_nothing() {
    let world = World::new(small());
    world.ask("a", Order::Put(1)).await.unwrap();
    let long: &'static str = "n".repeat(3 << 20).leak();
    let (large, small) = tokio::join!(world.ask("a", Order::Bell(long, 1)), world.ask("a", Order::Put(1)));
    assert!(matches!(large, Err(Failure::Journal(AppendError::TooLarge(_)))), "{large:?}");
    assert_eq!(coins(small), 2);
}

#[tokio::test]
async fn a_limit_of_nothing_is_refused() {
    let settings = KeyedSettings { keys: 0, ..small() };
    assert_eq!(settings.check().unwrap_err().to_string(), "keys must be at least 1");
}
