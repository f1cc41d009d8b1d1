//! The runner on the real log.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use passerelle_journal::Journal;
use passerelle_journal::log::{Log, LogSettings};
use passerelle_journal::memory::Memory;
use passerelle_journal::storage::Directory;

use super::jar::Order;
use super::world::{World, small};

fn open(folder: &Path) -> Arc<dyn Journal> {
    Arc::new(Log::open(Arc::new(Directory::open(folder).unwrap()), LogSettings::default()).unwrap())
}

#[tokio::test]
async fn crash_after_crash_nothing_is_lost_and_no_timer_forgotten() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut world = World::on(open(folder.path()), small());
    let mut chance = fastrand::Rng::with_seed(7);
    // Coins and rings of each key.
    let mut expected: BTreeMap<String, (u64, usize)> = BTreeMap::new();
    for life in 0..5 {
        for number in 0..100 {
            let (key, coins) = (format!("key-{}", chance.u8(..20)), chance.u64(1..10));
            let idempotency_key = format!("{life}-{number}");
            for repeated in [false, true] {
                let done = world.ask_once(&key, &idempotency_key, Order::Put(coins)).await.unwrap();
                assert_eq!(done.repeated, repeated);
            }
            expected.entry(key).or_default().0 += coins;
        }
        for (key, (_, rings)) in &mut expected {
            world.ask(key, Order::Bell("bell", 10)).await.unwrap();
            *rings += 1;
        }
        world.crash().await;
        world.journal = Arc::new(Memory::new());
        world.journal = open(folder.path());
        let seen = world.seen.lock().unwrap().len();
        world.advance(10);
        world.start();
        world.seen(seen + expected.len()).await;
    }
    for (key, expected) in expected {
        let (state, _) = world.keyed().state(&key).await.unwrap().unwrap();
        assert_eq!((state.coins, state.rung.len()), expected, "{key}");
    }
}
