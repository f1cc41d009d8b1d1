//! The same commands give the same records, byte for byte, however many threads work on them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use passerelle_journal::memory::Memory;
use passerelle_journal::{Journal, Position};
use passerelle_projection::{Projection, Settings};
use ring::digest::{Context as Hash, SHA256};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

use super::jar::{Jar, Order, What};
use crate::keyed::clock::Manual;
use crate::keyed::{Answers, Keyed, KeyedSettings, Parts, Timers};

const KEYS: usize = 1_000;
const ROUNDS: usize = 250;
/// Commands of one key that are asked at the same time, one after the other.
const TOGETHER: usize = 4;

/// The digest of each key's records, with their number.
type Digests = BTreeMap<String, (u64, Vec<u8>)>;

#[test]
fn a_million_commands_give_the_same_bytes_with_one_thread_and_with_four() {
    let one = run(1, Builder::new_current_thread().enable_all().build().unwrap());
    let four = run(4, Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap());
    assert_eq!(one.len(), KEYS);
    assert!(one.values().map(|(records, _)| records).sum::<u64>() > 900_000);
    assert!(one == four, "records differ");
}

fn run(shards: usize, runtime: Runtime) -> Digests {
    let folder = tempfile::TempDir::new().unwrap();
    let journal = Arc::new(Memory::new());
    runtime.block_on(async {
        let views = folder.path().join("views.sqlite");
        // How far the views are behind must not hold up commands: their order is what is tested.
        let unbounded = Settings { lag_records: u64::MAX, ..Settings::default() };
        let projection =
            Projection::open(&views, vec![Box::new(Answers::default()), Box::new(Timers)], journal.clone(), unbounded);
        let clock = Arc::new(Manual::at_seconds(1_000));
        let parts = Parts { journal: journal.clone(), projection: Arc::new(projection.unwrap()), clock: clock.clone() };
        let settings = KeyedSettings { shards, in_hand: 2 * KEYS * TOGETHER, ..KeyedSettings::default() };
        let bells = Arc::new(Bells::default());
        let heard = bells.clone();
        let keyed = Keyed::open(Jar, parts, settings, move |observed| {
            if observed.events.iter().any(|event| matches!(event.what, Some(What::Rung(_)))) {
                heard.rung.fetch_add(1, Ordering::Relaxed);
                heard.changed.notify_one();
            }
        });
        drive(&keyed.unwrap(), &clock, &bells).await;
    });
    drop(runtime);
    digests(&*journal)
}

#[derive(Default)]
struct Bells {
    rung: AtomicUsize,
    changed: Notify,
}

impl Bells {
    async fn heard(&self, bells: usize) {
        while self.rung.load(Ordering::Relaxed) < bells {
            self.changed.notified().await;
        }
    }
}

/// Asks in rounds, each of which ends when its commands are answered and what is due has rung.
async fn drive(keyed: &Keyed<Jar>, clock: &Manual, bells: &Bells) {
    let mut chances: Vec<_> = (0..KEYS).map(|key| fastrand::Rng::with_seed(key as u64)).collect();
    join_all((0..KEYS).map(|key| ask(keyed, format!("key-{key}"), vec![(None, Order::Put(1_000))]))).await;
    let mut expected = 0;
    for _ in 0..ROUNDS {
        let asked = chances.iter_mut().enumerate().map(|(key, chance)| {
            let orders: Vec<_> = (0..TOGETHER).map(|_| order(chance)).collect();
            // One that is set twice is replaced, and rings once.
            expected += BELLS.iter().filter(|bell| orders.iter().any(|(_, order)| *order == Order::Bell(bell, 1))).count();
            ask(keyed, format!("key-{key}"), orders)
        });
        join_all(asked.collect::<Vec<_>>()).await;
        clock.advance(Duration::from_secs(1));
        bells.heard(expected).await;
    }
}

async fn ask(keyed: &Keyed<Jar>, key: String, orders: Vec<(Option<String>, Order)>) {
    let commands = orders.into_iter().map(|(idempotency_key, order)| {
        let key = &key;
        async move { keyed.command(key, idempotency_key.as_deref(), order).await }
    });
    // So few are polled in their order, and each is sent when it is polled first.
    join_all(commands).await;
}

fn order(chance: &mut fastrand::Rng) -> (Option<String>, Order) {
    // Few idempotency keys, so that some are repeated, and all are among those remembered.
    let idempotency_key = (chance.u8(..) < 8).then(|| chance.u8(..16).to_string());
    let order = match chance.u8(..) {
        0 if idempotency_key.is_none() => Order::Bell(BELLS[chance.usize(..BELLS.len())], 1),
        // Less than is put in: a bell without coins would be refused.
        1..=16 => Order::Take(chance.u64(..3)),
        _ => Order::Put(chance.u64(1..5)),
    };
    (idempotency_key, order)
}

const BELLS: [&str; 3] = ["tea", "egg", "door"];

fn digests(journal: &dyn Journal) -> Digests {
    let mut hashes: BTreeMap<String, (u64, Hash)> = BTreeMap::new();
    let mut from = Position(1);
    loop {
        let page = journal.read(from, 1 << 20).unwrap();
        let Some(last) = page.last() else { break };
        from = last.position.next();
        for stored in page {
            let step = stored.entry.step.unwrap();
            let (records, hash) = hashes.entry(step.key.to_string()).or_insert_with(|| (0, Hash::new(&SHA256)));
            *records += 1;
            assert_eq!(step.sequence, *records);
            hash.update(&stored.entry.data.len().to_le_bytes());
            hash.update(&[u8::from(step.snapshot)]);
            hash.update(&stored.entry.data);
        }
    }
    hashes.into_iter().map(|(key, (records, hash))| (key, (records, hash.finish().as_ref().to_vec()))).collect()
}
