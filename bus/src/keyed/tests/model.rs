//! Snapshots, passivation and restarts change nothing that can be seen: random commands against the pure decider.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use passerelle_journal::Position;
use proptest::prelude::*;

use super::jar::{Jar, Order, TooFew, Total};
use super::world::World;
use crate::keyed::clock::Clock;
use crate::keyed::{Failure, KeyedSettings, Replay};

#[derive(Debug, Clone)]
enum Step {
    /// Of a key, with one of few idempotency keys or none.
    Ask(usize, Option<u8>, Order),
    /// So many seconds pass.
    Wait(u64),
    Restart,
    /// Gives up this share of the records, in percent; the views are lost as well, or not.
    Trim {
        percent: u64,
        rebuild: bool,
    },
}

const KEYS: [&str; 4] = ["a", "b", "c", "d"];
const BELLS: [&str; 2] = ["tea", "egg"];

fn order() -> impl Strategy<Value = Order> {
    prop_oneof![
        4 => (1..10_u64).prop_map(Order::Put),
        3 => (1..10_u64).prop_map(Order::Take),
        1 => Just(Order::Look),
        2 => (0..BELLS.len(), 1..50_u64).prop_map(|(bell, seconds)| Order::Bell(BELLS[bell], seconds)),
        1 => (0..BELLS.len()).prop_map(|bell| Order::Hush(BELLS[bell])),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        24 => (0..KEYS.len(), prop::option::of(any::<u8>()), order()).prop_map(|(key, id, order)| Step::Ask(key, id, order)),
        4 => (1..30_u64).prop_map(Step::Wait),
        1 => Just(Step::Restart),
        1 => (1..=100_u64, any::<bool>()).prop_map(|(percent, rebuild)| Step::Trim { percent, rebuild }),
    ]
}

fn limits() -> impl Strategy<Value = KeyedSettings> {
    (1..3_usize, 1..3_usize, 1..5_u64, 1..4_usize).prop_map(|(shards, keys, snapshot_every, timers)| KeyedSettings {
        shards,
        in_hand: 8,
        keys,
        snapshot_every,
        timers,
        ..KeyedSettings::default()
    })
}

/// The same rules without journal, limits or tasks.
#[derive(Default)]
struct Model {
    jars: BTreeMap<&'static str, Replay<'static, Jar>>,
    answers: HashMap<(usize, u8), Total>,
}

impl Model {
    fn jar(&mut self, key: usize) -> &mut Replay<'static, Jar> {
        self.jars.entry(KEYS[key]).or_insert_with(|| Replay::new(&Jar, KEYS[key]))
    }

    fn ask(&mut self, key: usize, id: Option<u8>, order: &Order, now: std::time::SystemTime) -> Result<(Total, bool), TooFew> {
        if let Some(answer) = id.and_then(|id| self.answers.get(&(key, id))) {
            return Ok((*answer, true));
        }
        let answer = self.jar(key).command(order, now)?.answer;
        self.answers.extend(id.map(|id| ((key, id), answer)));
        Ok((answer, false))
    }

    /// Fires what is due; how many did.
    fn fire(&mut self, now: std::time::SystemTime) -> usize {
        self.jars.values_mut().map(|jar| std::iter::from_fn(|| jar.fire(now)).count()).sum()
    }
}

async fn agree(settings: KeyedSettings, steps: Vec<Step>) {
    let mut world = World::new(settings);
    let mut model = Model::default();
    let mut rebuilt = false;
    for step in steps {
        match step {
            Step::Ask(key, id, order) => {
                let expected = model.ask(key, id, &order, world.clock.now());
                let id = id.map(|id| id.to_string()).unwrap_or_default();
                let outcome = world.ask_once(KEYS[key], &id, order).await;
                assert_eq!(outcome.map(|done| (done.answer, done.repeated)), expected.map_err(Failure::Refused));
            }
            Step::Wait(seconds) => {
                let seen = world.seen.lock().unwrap().len();
                world.advance(seconds);
                let fired = model.fire(world.clock.now());
                world.seen(seen + fired).await;
            }
            Step::Restart => world.restart().await,
            Step::Trim { percent, rebuild } => {
                let (first, next) = (world.journal.first(), world.journal.durable().borrow().position.next());
                let before = Position(first.0 + (next.0 - first.0) * percent / 100);
                world.keyed().keep(before).await.unwrap();
                world.trim(before).await;
                rebuilt |= rebuild;
                if rebuild {
                    world.crash().await;
                    world.erase_projection();
                    world.start();
                }
            }
        }
    }
    for (key, jar) in &model.jars {
        let mut state = world.keyed().state(key).await.unwrap().map(|(state, _)| state).unwrap_or_default();
        let mut expected = jar.state().clone();
        if rebuilt {
            // Bells due at the same moment: which one was set first is not known any more.
            state.rung.sort();
            expected.rung.sort();
        }
        assert_eq!(state, expected, "{key}");
    }
    let written: BTreeSet<_> = world.records().into_iter().map(|record| (record.key, record.sequence)).collect();
    assert_eq!(written.len(), world.records().len(), "no sequence twice");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn random_commands_with_tiny_limits_do_what_the_pure_decider_does(
        settings in limits(),
        steps in prop::collection::vec(step(), 1..150),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(agree(settings, steps));
    }
}
