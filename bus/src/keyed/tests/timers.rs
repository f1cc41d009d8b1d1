//! Timers: once, in order, also those due while nobody was there.

use std::time::{Duration, SystemTime};

use super::jar::Order;
use super::stubborn::{Fate, Stubborn};
use super::world::{World, small};
use crate::keyed::KeyedSettings;

/// Shards that are not in step.
fn several() -> KeyedSettings {
    KeyedSettings { shards: 4, ..small() }
}

/// Keys in the order in which their bells rang, as the journal has it.
fn rung(world: &World) -> Vec<String> {
    let rung = |record: &passerelle_proto::bus::v1::Record| record.events.iter().any(|event| event.r#type == "test.Rung");
    world.records().into_iter().filter(rung).map(|record| record.key).collect()
}

/// Sets a bell of a key that has a coin, in two records.
async fn bell(world: &World, key: &str, name: &'static str, seconds: u64) {
    world.ask(key, Order::Put(1)).await.unwrap();
    world.ask(key, Order::Bell(name, seconds)).await.unwrap();
}

#[tokio::test]
async fn a_timer_fires_when_it_is_due_and_once() {
    let world = World::new(small());
    bell(&world, "a", "tea", 60).await;
    world.advance(59);
    bell(&world, "b", "sentinel", 0).await;
    world.seen(5).await;
    assert_eq!(rung(&world), ["b"]);
    world.advance(1);
    world.seen(6).await;
    assert_eq!(world.rung("a").await, ["tea"]);
    world.advance(1_000);
    bell(&world, "b", "sentinel", 0).await;
    world.seen(9).await;
    assert_eq!(rung(&world), ["b", "a", "b"]);
    let record = world.records().into_iter().find(|record| record.key == "a" && record.sequence == 3).unwrap();
    assert_eq!((record.timers_cleared, record.time.unwrap().seconds), (vec!["tea".to_owned()], 1_060));
    let late = world.seen.lock().unwrap().iter().map(|seen| seen.now).max();
    assert_eq!(late, Some(SystemTime::UNIX_EPOCH + Duration::from_secs(2_060)));
}

#[tokio::test]
async fn timers_fire_in_the_order_in_which_they_are_due_and_those_of_a_key_then_in_which_they_were_set() {
    let world = World::new(several());
    for (key, seconds) in [("d", 50), ("a", 10), ("c", 30), ("b", 20)] {
        bell(&world, key, "tea", seconds).await;
    }
    bell(&world, "c", "eggs", 30).await;
    world.advance(60);
    world.seen(15).await;
    assert_eq!(rung(&world), ["a", "b", "c", "c", "d"]);
    assert_eq!(world.rung("c").await, ["tea", "eggs"]);
}

#[tokio::test]
async fn timers_of_one_second_do_not_wait_for_each_other() {
    let journal = Stubborn::new();
    let mut world = World::on(journal.clone(), several());
    for key in ["a", "b", "c"] {
        bell(&world, key, "bell", 10).await;
    }
    world.crash().await;
    // None of their keys is read before all of them are to be.
    journal.gather(3);
    world.advance(20);
    world.start();
    world.seen(9).await;
    let mut rung = rung(&world);
    rung.sort();
    assert_eq!(rung, ["a", "b", "c"]);
}

#[tokio::test]
async fn those_due_while_down_fire_at_the_start_in_order() {
    let mut world = World::new(small());
    for (key, seconds) in [("c", 30), ("a", 10), ("b", 20), ("d", 1_000)] {
        bell(&world, key, "bell", seconds).await;
    }
    world.crash().await;
    world.advance(60);
    world.start();
    world.seen(11).await;
    assert_eq!(rung(&world), ["a", "b", "c"]);
    world.restart().await;
    world.advance(1_000);
    world.seen(12).await;
    assert_eq!(rung(&world), ["a", "b", "c", "d"]);
}

#[tokio::test]
async fn a_timer_taken_back_or_replaced_does_not_fire() {
    for restarted in [false, true] {
        let mut world = World::new(small());
        bell(&world, "taken-back", "bell", 10).await;
        bell(&world, "later", "bell", 10).await;
        bell(&world, "earlier", "bell", 1_000).await;
        world.ask("taken-back", Order::Hush("bell")).await.unwrap();
        world.ask("later", Order::Bell("bell", 30)).await.unwrap();
        world.ask("earlier", Order::Bell("bell", 20)).await.unwrap();
        bell(&world, "sentinel", "bell", 25).await;
        if restarted {
            world.restart().await;
        }
        world.advance(25);
        world.seen(13).await;
        assert_eq!(rung(&world), ["earlier", "sentinel"]);
        world.advance(10_000);
        world.seen(14).await;
        bell(&world, "sentinel", "bell", 0).await;
        world.seen(17).await;
        assert_eq!(rung(&world), ["earlier", "sentinel", "later", "sentinel"]);
    }
}

#[tokio::test]
async fn a_timer_that_is_refused_does_not_fire_again() {
    let world = World::new(small());
    // No coins in it: the decider refuses.
    world.ask("a", Order::Bell("bell", 10)).await.unwrap();
    world.advance(10);
    world.seen(2).await;
    world.ask("a", Order::Put(1)).await.unwrap();
    world.advance(10);
    bell(&world, "sentinel", "bell", 0).await;
    world.seen(6).await;
    assert_eq!(rung(&world), ["sentinel"]);
    assert_eq!(world.records()[1].timers_cleared, ["bell"]);
}

#[tokio::test]
async fn a_crash_between_firing_and_writing_fires_once_in_effect() {
    for written in [false, true] {
        let journal = Stubborn::new();
        let mut world = World::on(journal.clone(), small());
        bell(&world, "a", "bell", 10).await;
        journal.hold();
        world.advance(10);
        journal.held(1).await;
        world.crash().await;
        if !written {
            journal.plan(&[Fate::Closed]);
        }
        journal.release().await;
        world.start();
        bell(&world, "sentinel", "bell", 0).await;
        // What was written unseen is in the state, whether or not an observer was told.
        world.seen(if written { 5 } else { 6 }).await;
        let mut rung = rung(&world);
        rung.sort();
        assert_eq!(rung, ["a", "sentinel"]);
        assert_eq!(world.rung("a").await, ["bell"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_timer_whose_record_is_refused_is_fired_again() {
    for fate in [Fate::Full, Fate::FullAtOnce, Fate::OutOfSequence] {
        let journal = Stubborn::new();
        let world = World::on(journal.clone(), small());
        bell(&world, "a", "bell", 10).await;
        bell(&world, "b", "bell", 20).await;
        journal.plan(&[fate, fate, fate]);
        world.advance(20);
        world.seen(6).await;
        let mut rung = rung(&world);
        rung.sort();
        assert_eq!(rung, ["a", "b"], "{fate:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_timer_of_a_key_that_cannot_be_read_waits_and_holds_up_no_other() {
    let journal = Stubborn::new();
    let mut world = World::on(journal.clone(), small());
    bell(&world, "a", "bell", 10).await;
    world.restart().await;
    bell(&world, "b", "bell", 20).await;
    *journal.unreadable.lock().unwrap() = true;
    world.advance(20);
    world.seen(5).await;
    assert_eq!(rung(&world), ["b"]);
    *journal.unreadable.lock().unwrap() = false;
    world.seen(6).await;
    assert_eq!(rung(&world), ["b", "a"]);
}

#[tokio::test]
async fn more_timers_than_are_held_in_memory_fire_all_in_order() {
    let mut world = World::new(small());
    let mut expected = Vec::new();
    for number in 0..100_u64 {
        // Neither sorted nor in groups: 37 goes round all hundred.
        let seconds = number * 37 % 100;
        bell(&world, &format!("{seconds:03}"), "bell", seconds + 1).await;
        expected.push(format!("{seconds:03}"));
        assert!(world.keyed().home.timetable.held().len() <= world.settings.timers);
    }
    expected.sort();
    world.advance(50);
    world.seen(250).await;
    assert_eq!(rung(&world), expected[..50]);
    world.crash().await;
    world.advance(25);
    world.start();
    world.seen(275).await;
    world.advance(25);
    world.seen(300).await;
    assert_eq!(rung(&world), expected);
}

#[tokio::test]
async fn timers_outlive_snapshots_passivation_and_a_projection_built_anew() {
    let mut world = World::new(small());
    bell(&world, "a", "bell", 100).await;
    for _ in 0..10 {
        world.ask("a", Order::Put(1)).await.unwrap();
    }
    for other in 0..20 {
        world.ask(&format!("other-{other}"), Order::Put(1)).await.unwrap();
    }
    world.crash().await;
    world.erase_projection();
    world.start();
    world.advance(100);
    world.seen(33).await;
    assert_eq!(world.rung("a").await, ["bell"]);
}
