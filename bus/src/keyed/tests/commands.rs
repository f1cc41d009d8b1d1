//! Commands, and commands that are repeated.

use super::jar::{Order, TooFew};
use super::stubborn::Stubborn;
use super::world::{World, coins, small};
use crate::keyed::Failure;

#[tokio::test]
async fn a_command_is_answered_when_it_is_on_disk_and_the_next_one_sees_it() {
    let world = World::new(small());
    let done = world.ask("a", Order::Put(3)).await.unwrap();
    assert_eq!((done.answer.coins, done.repeated), (3, false));
    assert_eq!(world.journal.durable().borrow().position, done.position);
    assert_eq!(coins(world.ask("a", Order::Take(1)).await), 2);
    assert_eq!(world.ask("a", Order::Take(5)).await, Err(Failure::Refused(TooFew(2))));
    assert_eq!(world.ask("b", Order::Take(1)).await, Err(Failure::Refused(TooFew(0))));
    let state = world.keyed().state("a").await.unwrap().unwrap();
    assert_eq!((state.0.coins, state.1), (2, 2));
    assert_eq!(world.keyed().state("b").await.unwrap(), None);
}

#[tokio::test]
async fn what_changes_nothing_is_not_written_unless_it_must_be_remembered() {
    let world = World::new(small());
    let put = world.ask("a", Order::Put(3)).await.unwrap();
    let look = world.ask("a", Order::Look).await.unwrap();
    assert_eq!((look.answer.coins, look.position), (3, put.position));
    assert_eq!(world.records().len(), 1);
    world.ask_once("a", "look", Order::Look).await.unwrap();
    assert_eq!(world.records().len(), 2);
}

#[tokio::test]
async fn a_record_says_all_that_the_decision_changed() {
    let world = World::new(small());
    world.ask_once("a", "once", Order::Put(3)).await.unwrap();
    world.ask("a", Order::Bell("tea", 60)).await.unwrap();
    world.ask("a", Order::Hush("tea")).await.unwrap();
    let records = world.records();
    let [put, bell, hush] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!((put.kind.as_str(), put.key.as_str(), put.sequence, put.idempotency_key.as_str()), ("jar", "a", 1, "once"));
    assert_eq!(put.time.unwrap().seconds, 1_000);
    assert_eq!((put.events[0].r#type.as_str(), put.events[0].subject.as_str()), ("test.Put", "a"));
    assert_eq!((bell.timers[0].name.as_str(), bell.timers[0].due.unwrap().seconds), ("tea", 1_060));
    assert!(bell.answer.is_empty(), "nobody can ask for it again");
    assert_eq!(hush.timers_cleared, ["tea"]);
}

#[tokio::test]
async fn a_repetition_is_given_the_first_answer() {
    let world = World::new(small());
    let first = world.ask_once("a", "once", Order::Put(3)).await.unwrap();
    world.ask("a", Order::Put(4)).await.unwrap();
    // The idempotency key counts, not what is asked with it.
    let again = world.ask_once("a", "once", Order::Take(100)).await.unwrap();
    assert_eq!((again.answer, again.position, again.repeated), (first.answer, first.position, true));
    // It belongs to one key.
    assert!(!world.ask_once("b", "once", Order::Put(3)).await.unwrap().repeated);
    assert_eq!(world.records().len(), 3);
}

#[tokio::test]
async fn a_refusal_is_not_remembered() {
    let world = World::new(small());
    assert_eq!(world.ask_once("a", "once", Order::Take(1)).await, Err(Failure::Refused(TooFew(0))));
    world.ask("a", Order::Put(3)).await.unwrap();
    assert_eq!(coins(world.ask_once("a", "once", Order::Take(1)).await), 2);
}

#[tokio::test]
async fn a_repetition_is_recognised_after_passivation_and_after_a_restart() {
    let mut world = World::new(small());
    let first = world.ask_once("a", "once", Order::Put(3)).await.unwrap();
    for other in 0..50 {
        world.ask(&format!("other-{other}"), Order::Put(1)).await.unwrap();
    }
    let passivated = world.ask_once("a", "once", Order::Put(3)).await.unwrap();
    assert_eq!((passivated.answer, passivated.position, passivated.repeated), (first.answer, first.position, true));
    world.restart().await;
    let restarted = world.ask_once("a", "once", Order::Put(3)).await.unwrap();
    assert_eq!((restarted.answer, restarted.position, restarted.repeated), (first.answer, first.position, true));
    assert_eq!(world.coins("a").await, 3);
}

#[tokio::test]
async fn a_repetition_long_after_is_answered_by_the_projection() {
    let mut world = World::new(small());
    let first = world.ask_once("a", "once", Order::Put(1)).await.unwrap();
    for number in 0..100 {
        world.ask_once("a", &format!("number-{number}"), Order::Put(1)).await.unwrap();
    }
    for _ in 0..2 {
        let again = world.ask_once("a", "once", Order::Put(1)).await.unwrap();
        assert_eq!((again.answer, again.position, again.repeated), (first.answer, first.position, true));
        assert_eq!(world.coins("a").await, 101);
        world.restart().await;
    }
    assert!(!world.ask_once("a", "new", Order::Put(1)).await.unwrap().repeated);
}

#[tokio::test]
async fn a_repetition_while_the_first_is_in_flight_gets_the_same_answer() {
    let journal = Stubborn::new();
    let world = World::on(journal.clone(), small());
    world.ask("a", Order::Put(1)).await.unwrap();
    journal.hold();
    let first = world.asking("a", "once", Order::Put(3));
    journal.held(1).await;
    let again = world.asking("a", "once", Order::Put(3));
    let after = world.asking("a", "after", Order::Put(5));
    journal.held(2).await;
    assert!(!first.is_finished() && !again.is_finished());
    journal.release().await;
    let (first, again, after) = (first.await.unwrap().unwrap(), again.await.unwrap().unwrap(), after.await.unwrap().unwrap());
    assert_eq!((first.answer.coins, first.repeated), (4, false));
    assert_eq!((again.answer, again.position, again.repeated), (first.answer, first.position, true));
    assert_eq!(after.answer.coins, 9);
    assert_eq!(world.records().len(), 3);
}

#[tokio::test]
async fn more_than_is_remembered_may_be_in_flight_and_each_is_recognised() {
    let journal = Stubborn::new();
    let world = World::on(journal.clone(), small());
    world.ask("a", Order::Put(1)).await.unwrap();
    journal.hold();
    let first = world.asking("a", "number-0", Order::Put(1));
    journal.held(1).await;
    let others: Vec<_> = (1..40).map(|number| world.asking("a", &format!("number-{number}"), Order::Put(1))).collect();
    let again = world.asking("a", "number-0", Order::Put(1));
    journal.held(2).await;
    journal.release().await;
    let (first, again) = (first.await.unwrap().unwrap(), again.await.unwrap().unwrap());
    assert_eq!((again.answer, again.position, again.repeated), (first.answer, first.position, true));
    for other in others {
        other.await.unwrap().unwrap();
    }
    assert_eq!(world.coins("a").await, 41);
}

#[tokio::test]
async fn keys_and_idempotency_keys_have_limits() {
    let world = World::new(small());
    for (key, idempotency_key) in [("", ""), (&*"k".repeat(401), ""), ("a", &*"i".repeat(257))] {
        let outcome = world.ask_once(key, idempotency_key, Order::Put(1)).await;
        assert!(matches!(&outcome, Err(Failure::Journal(error)) if error.to_string().contains("bytes")), "{outcome:?}");
    }
    assert_eq!(coins(world.ask_once(&"k".repeat(400), &"i".repeat(256), Order::Put(1)).await), 1);
    // An empty idempotency key is none.
    assert_eq!(coins(world.ask_once("a", "", Order::Put(1)).await), 1);
    assert_eq!(coins(world.ask_once("a", "", Order::Put(1)).await), 2);
}

#[tokio::test]
async fn observers_see_each_record_once_in_order_with_the_state_of_that_moment() {
    let journal = Stubborn::new();
    let world = World::on(journal.clone(), small());
    world.ask("a", Order::Put(1)).await.unwrap();
    journal.hold();
    let asked: Vec<_> = (2..=10).map(|coins| world.asking("a", "", Order::Put(coins))).collect();
    journal.held(1).await;
    assert_eq!(world.seen.lock().unwrap().len(), 1, "only what is durable is observed");
    journal.release().await;
    for outcome in asked {
        outcome.await.unwrap().unwrap();
    }
    let seen: Vec<_> = world.seen.lock().unwrap().iter().map(|seen| (seen.coins, seen.position.0, seen.events)).collect();
    let expected: Vec<_> = (1..=10).map(|number| (number * (number + 1) / 2, number, 1)).collect();
    assert_eq!(seen, expected);
}
