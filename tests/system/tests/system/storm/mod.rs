//! Thousands of callbacks and hand-offs while the daemon is killed again and again: no step lost, none done twice, no promise forgotten.

mod account;
mod callbacks;
mod matter;
mod matters;
mod steps;
mod tally;

use std::time::Instant;

use tokio::task::JoinSet;

use self::callbacks::Callbacks;
use self::matters::Matters;
use self::tally::Tally;
use crate::callback::office::{connected, world_besides};

const LINES: usize = 8;
const LINE: &str = "capacity: 100\nslot_seconds: 1\nring_seconds: 30\nsearch_seconds: 1\nlease_seconds: 3600\nsearches: 1000";
const HANDOFFS: &str = "handoff: { lease_seconds: 3, wrong_codes_per_minute: 100000 }\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_thousand_callbacks_and_hand_offs_are_each_done_once_through_random_kills() {
    storm(10_000, 1_600).await;
}

/// So many of each; a life ends after at most `longest_life` of them, whatever has been promised by then.
async fn storm(each: usize, longest_life: usize) {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let tally = Tally::new();
    let (callbacks, matters) = (Callbacks::new(each, tally.clone()), Matters::new(each, tally.clone()));
    let lines: Vec<String> = (0..LINES).map(|number| format!("line-{number}")).collect();
    let mut world = world_besides(HANDOFFS, &lines, LINE);
    let mut lives = 0;
    let begun = Instant::now();
    while tally.done() < 2 * each {
        lives += 1;
        let daemon = world.serve();
        let until = (tally.done() + random.usize(1..=longest_life)).min(2 * each);
        let channel = connected(&daemon).await;
        let mut life = JoinSet::new();
        callbacks.live(&channel, &mut life);
        matters.live(&channel, &mut life);
        tally.until(until).await.unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
        tally.ends();
        world = daemon.kill();
        // Each of them meets its end with the daemon, and says what it could not do.
        while life.join_next().await.is_some() {}
        tally.begins();
    }
    println!("{} done in {lives} lives and {:?}; not at once: {:?}", 2 * each, begun.elapsed(), tally.refusals());
    let daemon = world.serve();
    let channel = connected(&daemon).await;
    let mut life = JoinSet::new();
    callbacks.live(&channel, &mut life);
    callbacks.made_good(&channel).await.unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
    callbacks.check(&channel).await.unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
    matters.ended(&channel).await.unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
    matters.check(&channel).await.unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
    println!("all told after {:?}", begun.elapsed());
}
