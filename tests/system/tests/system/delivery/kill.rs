//! Every message is delivered, in the order of its customer, through kills of the bus and of consumers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use passerelle_system::World;
use tokio::time::timeout;

use super::consumer::Consumer;
use super::{numbered, publish};

const MESSAGES: u64 = 6_000;
const CUSTOMERS: u64 = 97;
const CONSUMERS: usize = 4;

const SETTINGS: &str = "
deliveries:
  crm: { retry: { attempts: 1000, first_wait_ms: 5, longest_wait_ms: 20 } }
";

/// What consumers did, as a back office that knows ids would.
#[derive(Default)]
struct Effects {
    /// Number of the last message of each customer.
    last: BTreeMap<String, u64>,
    done: BTreeSet<u64>,
    again: u64,
    overtaken: Vec<String>,
}

impl Effects {
    fn take(&mut self, customer: String, number: u64) {
        if !self.done.insert(number) {
            self.again += 1;
            return;
        }
        let next = self.last.get(&customer).map_or(number % CUSTOMERS, |last| last + CUSTOMERS);
        if number != next {
            self.overtaken.push(format!("{customer}: {number} where {next} was next"));
        }
        self.last.insert(customer, number);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_nothing_overtakes_through_kills() {
    let mut daemon = World::default().settings(SETTINGS).serve();
    publish(&daemon, (0..MESSAGES).map(|number| numbered(number, CUSTOMERS))).await;
    let effects = Arc::<Mutex<Effects>>::default();
    for round in 0.. {
        let address = daemon.address();
        let enough = MESSAGES as usize * (round + 1) / 5;
        let consumers =
            (0..CONSUMERS).map(|number| consume(address.clone(), effects.clone(), number as u64 + 10 * round as u64, enough));
        let all = futures_util::future::join_all(consumers);
        timeout(Duration::from_secs(120), all).await.expect("the consumers get what they wait for");
        if effects.lock().unwrap().done.len() as u64 == MESSAGES {
            break;
        }
        daemon = daemon.kill().serve();
    }
    let effects = effects.lock().unwrap();
    assert!(effects.overtaken.is_empty(), "{:?}", &effects.overtaken[..effects.overtaken.len().min(10)]);
    eprintln!("{} messages came again", effects.again);
    let oldest = World::default().run(&["lanes", "--admin", &format!("http://{}", daemon.admin)]);
    assert!(oldest.status.success(), "{oldest:?}");
}

/// Consumes until so many are done in all; goes away in the middle of its work now and then.
async fn consume(address: String, effects: Arc<Mutex<Effects>>, seed: u64, enough: usize) {
    let mut random = fastrand::Rng::with_seed(seed);
    let is_enough = || effects.lock().unwrap().done.len() >= enough;
    while !is_enough() {
        let Ok(mut consumer) = Consumer::join(&address, "crm", 32).await else { return };
        loop {
            let next = timeout(Duration::from_millis(200), consumer.next()).await;
            if is_enough() {
                return;
            }
            // Nothing for a while: others may have it all in hand.
            let Ok(messages) = next else { continue };
            let Ok(messages) = messages else { break };
            let mut done = Vec::new();
            for consumed in messages {
                let message = consumed.message.unwrap();
                if random.u32(0..50) == 0 {
                    consumer.retry(consumed.tag, "not now");
                } else {
                    effects.lock().unwrap().take(message.customer, message.id.parse().unwrap());
                    done.push(consumed.tag);
                }
            }
            if random.u32(0..60) == 0 {
                // Done, but nobody is told.
                break;
            }
            consumer.done(done);
        }
    }
}
