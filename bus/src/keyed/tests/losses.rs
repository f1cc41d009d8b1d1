//! What is refused by the journal leaves nothing behind.

use passerelle_journal::{AppendError, Entry, KeyStep};

use super::jar::{Order, TooFew};
use super::stubborn::{Fate, Stubborn};
use super::world::{World, coins, small};
use crate::keyed::Failure;

fn full() -> Failure<TooFew> {
    Failure::Journal(AppendError::Full("by plan".to_owned()))
}

#[tokio::test]
async fn after_a_refused_append_the_next_command_sees_the_last_durable_state() {
    for fate in [Fate::Full, Fate::FullAtOnce, Fate::Failed, Fate::OutOfSequence, Fate::Closed] {
        let journal = Stubborn::new();
        let world = World::on(journal.clone(), small());
        world.ask("a", Order::Put(1)).await.unwrap();
        journal.plan(&[fate]);
        let lost = world.ask_once("a", "once", Order::Put(10)).await.unwrap_err();
        let expected = match fate {
            Fate::Failed => Failure::Journal(AppendError::Failed("by plan".into())),
            Fate::OutOfSequence => Failure::Conflict { last: 7 },
            Fate::Closed => Failure::Journal(AppendError::Closed),
            _ => full(),
        };
        assert_eq!(lost, expected);
        assert_eq!(world.coins("a").await, 1, "{fate:?}");
        let again = world.ask_once("a", "once", Order::Put(10)).await.unwrap();
        assert_eq!((again.answer.coins, again.repeated), (11, false), "{fate:?}");
        assert_eq!(world.seen.lock().unwrap().len(), 2, "{fate:?}");
    }
}

#[tokio::test]
async fn everything_decided_on_top_of_a_lost_record_falls_with_it() {
    for fate in [Fate::Full, Fate::OutOfSequence, Fate::Failed] {
        let journal = Stubborn::new();
        let world = World::on(journal.clone(), small());
        world.ask("a", Order::Put(1)).await.unwrap();
        world.ask("b", Order::Put(1)).await.unwrap();
        journal.hold();
        let lost = world.asking("a", "lost", Order::Put(10));
        journal.held(1).await;
        journal.plan(&[fate]);
        let orders = [Order::Put(100), Order::Look, Order::Take(1_000), Order::Take(11)];
        let mut on_top: Vec<_> =
            orders.into_iter().enumerate().map(|(number, order)| world.asking("a", &format!("{number}"), order)).collect();
        on_top.push(world.asking("a", "lost", Order::Put(10)));
        on_top.push(world.asking("a", "", Order::Look));
        let other = world.asking("b", "", Order::Put(1));
        journal.held(2).await;
        let keyed = world.keyed();
        let state = tokio::spawn(async move { keyed.state("a").await });
        tokio::task::yield_now().await;
        journal.release().await;

        let error = lost.await.unwrap().unwrap_err();
        for outcome in on_top {
            assert_eq!(outcome.await.unwrap(), Err(error.clone()));
        }
        assert_eq!(coins(other.await.unwrap()), 2, "another key does not care");
        // Asked before or after the loss was known: an error or what is durable, never what is lost.
        if let Ok(state) = state.await.unwrap() {
            assert_eq!(state.unwrap().0.coins, 1);
        }
        assert_eq!(coins(world.ask("a", Order::Put(2)).await), 3);
        let sequences: Vec<_> = world.records().iter().filter(|record| record.key == "a").map(|record| record.sequence).collect();
        assert_eq!(sequences, [1, 2]);
    }
}

#[tokio::test]
async fn another_writer_is_noticed_and_its_record_is_seen_by_the_next_command() {
    let world = World::new(small());
    world.ask("a", Order::Put(1)).await.unwrap();
    let other = World::on(world.journal.clone(), small());
    assert_eq!(coins(other.ask("a", Order::Put(10)).await), 11);
    assert_eq!(world.ask("a", Order::Put(100)).await, Err(Failure::Conflict { last: 2 }));
    assert_eq!(coins(world.ask("a", Order::Put(100)).await), 111);
}

#[tokio::test]
async fn a_key_that_cannot_be_read_is_an_error_and_recovers() {
    let journal = Stubborn::new();
    let mut world = World::on(journal.clone(), small());
    world.ask("a", Order::Put(1)).await.unwrap();
    world.restart().await;
    *journal.unreadable.lock().unwrap() = true;
    assert!(matches!(world.ask("a", Order::Put(1)).await, Err(Failure::Unreadable(_))));
    *journal.unreadable.lock().unwrap() = false;
    assert_eq!(coins(world.ask("a", Order::Put(1)).await), 2);
}

#[tokio::test]
async fn a_record_that_is_not_understood_is_named() {
    let mut world = World::new(small());
    world.ask("a", Order::Put(1)).await.unwrap();
    let step = KeyStep { key: "jar/a".into(), sequence: 2, snapshot: false };
    let entry = Entry { data: vec![0xff].into(), step: Some(step), fingerprint: None };
    world.journal.append(vec![entry]).await.unwrap().durable().await.unwrap();
    world.restart().await;
    let failure = world.ask("a", Order::Put(1)).await.unwrap_err();
    assert!(failure.to_string().starts_with("record 2 is not understood: "), "{failure}");
    assert_eq!(coins(world.ask("b", Order::Put(1)).await), 1, "only that key is concerned");
}
