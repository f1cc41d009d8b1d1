//! Hot keys: many channels read the same few things, and the back office is asked for them once in a while.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{BufMut, Bytes, BytesMut};
use passerelle_peers::python::Fragile;
use passerelle_system::{Client, Daemon, World};
use serde_json::Value;
use tokio::task::JoinSet;
use tonic::Request;

use crate::faults::measure::is_bounded;

const QUOTE: &str = "/host.v1.Ledger/Quote";
const REPORT: &str = "/host.v1.Ledger/Report";
const TOLERANCE: Duration = Duration::from_secs(1);
const SECONDS: u32 = 6;
const CALLS_PER_SECOND: u32 = 500;
const KEYS: usize = 100;
const CALLERS: usize = 4;

/// A message of one short string.
fn entry(text: &str) -> Bytes {
    assert!(text.len() < 128);
    let mut bytes = BytesMut::from(&[0x0a, text.len() as u8][..]);
    bytes.put_slice(text.as_bytes());
    bytes.freeze()
}

fn json(message: &[u8]) -> Value {
    let start = message.iter().position(|byte| *byte == b'{').unwrap();
    serde_json::from_slice(&message[start..]).unwrap()
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

fn settings(ledger: &Fragile, methods: &str) -> World {
    World::default().copy(&Fragile::contract(), "fragile.proto").settings(&format!(
        "endpoints:\n  ledger:\n    addresses: [\"http://{}\"]\n    contract: {{ proto: [fragile.proto] }}\n    \
         policy:\n      methods:\n        - {methods}\n",
        ledger.address()
    ))
}

/// Zipf's law: the n-th most wanted key is wanted 1/n times as often as the first.
fn hot_keys(calls: u32) -> Vec<usize> {
    let mut chance = fastrand::Rng::with_seed(4);
    let weights: Vec<f64> = (1..=KEYS).map(|rank| 1.0 / rank as f64).collect();
    let whole: f64 = weights.iter().sum();
    let draw = |_| {
        let mut left = chance.f64() * whole;
        weights
            .iter()
            .take_while(|weight| {
                left -= **weight;
                left > 0.0
            })
            .count()
            .min(KEYS - 1)
    };
    (0..calls).map(draw).collect()
}

/// What came of a trace.
struct Outcome {
    calls: u32,
    asked: u64,
    /// Age of the oldest answer when its call began, in seconds.
    oldest: f64,
}

/// Plays the trace: each call is of one of a few callers, who says who he is in that piece of metadata, if any.
async fn play(daemon: &Daemon, ledger: &Fragile, who: Option<&'static str>) -> Outcome {
    let client = daemon.client();
    let quotes =
        async || json(&Client::new(ledger.address()).call(REPORT, entry("")).await.unwrap())["quotes"].as_u64().unwrap_or(0);
    let before = quotes().await;
    let calls = SECONDS * CALLS_PER_SECOND;
    let mut beat = tokio::time::interval(Duration::from_secs(1) / CALLS_PER_SECOND);
    let mut open = JoinSet::new();
    for (number, key) in hot_keys(calls).into_iter().enumerate() {
        beat.tick().await;
        let (client, caller) = (client.clone(), format!("caller-{}", number % CALLERS));
        open.spawn(async move {
            let mut request = Request::new(entry(&format!("key-{key}")));
            if let Some(name) = who {
                request.metadata_mut().insert(name, caller.parse().unwrap());
            }
            let began = now();
            let quote = json(&client.send(QUOTE, request).await.unwrap());
            assert_eq!(quote["asked"], format!("key-{key}"));
            let field = if who == Some("authorization") { "who" } else { "customer" };
            assert_eq!(quote[field], if who.is_some() { caller } else { String::new() });
            began - quote["at"].as_f64().unwrap()
        });
    }
    let oldest = open.join_all().await.into_iter().fold(0.0, f64::max);
    Outcome { calls, asked: quotes().await - before, oldest }
}

#[tokio::test]
async fn hot_keys_are_asked_for_once_in_a_while_never_too_old_and_never_across_callers() {
    let Some(ledger) = Fragile::start(100, 10_000, 100) else { return };
    let tolerance = format!("tolerance_ms: {}", TOLERANCE.as_millis());
    let cases = [
        ("all alike", None, format!("{{ {tolerance} }}")),
        ("with authorization", Some("authorization"), format!("{{ {tolerance}, vary: [] }}")),
        ("with personal metadata", Some("customer"), format!("{{ {tolerance} }}")),
        ("with declared personal metadata", Some("customer"), format!("{{ {tolerance}, vary: [customer] }}")),
    ];
    for (name, who, share) in cases {
        let daemon = settings(&ledger, &format!("{{ name: host.v1.Ledger/Quote, share: {share} }}")).serve();
        let Outcome { calls, asked, oldest } = play(&daemon, &ledger, who).await;
        let fewer = 100.0 - 100.0 * asked as f64 / f64::from(calls);
        println!(
            "{name}: {calls} calls of {KEYS} keys, {asked} at the back office: {fewer:.1} % fewer; oldest answer {:.0} ms",
            oldest * 1e3
        );
        assert!(oldest <= TOLERANCE.as_secs_f64(), "{name}: an answer was {oldest} s old");
        assert!(oldest > 0.2, "{name}: nothing was kept");
        assert!(asked > KEYS as u64, "{name}: answers are asked for again when they are too old");
        assert!(who.is_some() || fewer >= 60.0, "{name}: {fewer} % fewer");
        let shown = World::default().run(&["endpoint", "show", "ledger", "--admin", &format!("http://{}", daemon.admin)]);
        assert!(shown.stdout.contains(&format!("{asked} asked, ")), "{shown:?}");
        is_bounded(&daemon, name);
    }
}

#[tokio::test]
async fn a_method_that_is_not_known_to_read_only_is_not_shared_and_the_settings_are_refused_with_the_place() {
    let Some(ledger) = Fragile::start(100, 10_000, 100) else { return };
    let refused = settings(&ledger, "{ name: host.v1.Ledger/Book, share: { tolerance_ms: 1000 } }").run(&["check"]);
    assert!(!refused.status.success(), "{refused:?}");
    assert!(refused.stderr.contains("passerelle.yaml:10:"), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("endpoints.ledger.policy.methods[0].share: host.v1.Ledger/Book is not known to read"),
        "{}",
        refused.stderr
    );
    let told = settings(&ledger, "{ name: host.v1.Ledger/Book, read_only: true, share: { tolerance_ms: 1000 } }").run(&["check"]);
    assert!(told.status.success(), "{told:?}");
}
