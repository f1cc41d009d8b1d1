//! A back office that bears little, behind the bus: floods, failures, closing hours; it counts every breach of its envelope.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::{BufMut, Bytes, BytesMut};
use passerelle_peers::python::Fragile;
use passerelle_system::{Client, Daemon, World};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tonic::{Code, Request, Status};

use crate::faults::measure::is_bounded;

const BOOK: &str = "/host.v1.Ledger/Book";
const BEHAVE: &str = "/host.v1.Ledger/Behave";
const REPORT: &str = "/host.v1.Ledger/Report";

/// An entry of the ledger's contract: one string.
fn entry(text: &str) -> Bytes {
    assert!(text.len() < 128);
    let mut bytes = BytesMut::from(&[0x0a, text.len() as u8][..]);
    bytes.put_slice(text.as_bytes());
    bytes.freeze()
}

fn serve(ledger: &Fragile, policy: &str) -> Daemon {
    World::default()
        .copy(&Fragile::contract(), "fragile.proto")
        .settings(&format!(
            "channels: {{ names: [web, branch] }}\nendpoints:\n  ledger:\n    addresses: [\"http://{}\"]\n    \
             contract: {{ proto: [fragile.proto] }}\n    policy: {{ {policy} }}\n",
            ledger.address()
        ))
        .serve()
}

/// What the ledger has seen; asked directly, past the bus.
async fn report(ledger: &Fragile) -> Value {
    let answer = Client::new(ledger.address()).call(REPORT, entry("")).await.unwrap();
    let start = answer.iter().position(|byte| *byte == b'{').unwrap();
    serde_json::from_slice(&answer[start..]).unwrap()
}

async fn behave(ledger: &Fragile, behaviour: Value) {
    Client::new(ledger.address()).call(BEHAVE, entry(&behaviour.to_string())).await.unwrap();
}

/// One call of a channel for a customer of that value, and how long it took.
async fn book(client: Client, channel: &'static str, value: u8, deadline: Duration) -> (Result<Bytes, Status>, Duration) {
    let mut request = Request::new(entry("10 EUR"));
    let metadata = request.metadata_mut();
    metadata.insert("passerelle-channel", channel.parse().unwrap());
    metadata.insert("passerelle-customer-value", value.to_string().parse().unwrap());
    metadata.insert("grpc-timeout", format!("{}m", deadline.as_millis()).parse().unwrap());
    let started = Instant::now();
    (client.send(BOOK, request).await, started.elapsed())
}

/// In UTC, as settings name it.
fn day_after_tomorrow() -> &'static str {
    // The beginning of 1970 was a Thursday.
    const WEEK: [&str; 7] = ["thursday", "friday", "saturday", "sunday", "monday", "tuesday", "wednesday"];
    let days = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 86_400;
    WEEK[(days as usize + 2) % 7]
}

fn percentile(durations: &mut [Duration], percent: usize) -> Duration {
    durations.sort_unstable();
    durations[(durations.len() * percent / 100).min(durations.len() - 1)]
}

#[tokio::test]
async fn a_hundredfold_spike_breaches_nothing_and_premium_customers_do_not_feel_it() {
    const SECONDS: u32 = 4;
    let Some(ledger) = Fragile::start(4, 50, 5) else { return };
    let daemon = serve(
        &ledger,
        "concurrency: 4, rate: { per_second: 50, burst: 5 }, queue_calls: 50, queue_wait_ms: 1500, abandoned_ms: 100",
    );
    let client = daemon.client();
    book(client.clone(), "branch", 5, Duration::from_secs(5)).await.0.unwrap();
    // Five calls a second in quiet times; now five hundred, of which five are for premium customers.
    let mut beat = tokio::time::interval(Duration::from_millis(2));
    let mut calls = JoinSet::new();
    for number in 0..SECONDS * 500 {
        beat.tick().await;
        let (channel, value) = if number % 100 == 50 { ("branch", 9) } else { ("web", 4) };
        let client = client.clone();
        calls.spawn(async move { (value, book(client, channel, value, Duration::from_secs(2)).await) });
    }
    let (mut premium, mut usual, mut at_once, mut shed) = (Vec::new(), Vec::new(), Vec::new(), 0);
    while let Some(call) = calls.join_next().await {
        match call.unwrap() {
            (9, (Ok(_), took)) => premium.push(took),
            (_, (Ok(_), took)) => usual.push(took),
            (4, (Err(status), took)) => {
                assert!(matches!(status.code(), Code::ResourceExhausted | Code::DeadlineExceeded), "{status:?}");
                // Those who never waited show what the machine itself costs.
                if status.message().contains("as many calls as may are waiting") {
                    at_once.push(took);
                }
                shed += 1;
            }
            (value, (Err(status), took)) => panic!("a call of value {value} failed after {took:?}: {status:?}"),
        }
    }
    let (held, waited, told) = (percentile(&mut premium, 99), percentile(&mut usual, 50), percentile(&mut at_once, 99));
    println!(
        "premium {} p99 {held:?}; usual {} p50 {waited:?}; shed {shed}, {} at once p99 {told:?}",
        premium.len(),
        usual.len(),
        at_once.len()
    );
    assert_eq!(premium.len() as u32, SECONDS * 5, "no premium customer is turned away");
    // On a machine that is busy with other things even a refusal takes its time.
    assert!(held < Duration::from_millis(300) + told, "{held:?}");
    assert!(held < waited, "{held:?}");
    assert!(usual.len() as u32 > SECONDS * 25, "the back office is used to the full: {}", usual.len());
    is_bounded(&daemon, "spike");
    let seen = report(&ledger).await;
    println!("{seen}");
    assert_eq!((&seen["too_many_at_a_time"], &seen["too_many_in_a_second"]), (&json!(0), &json!(0)), "{seen}");
}

#[tokio::test]
async fn a_back_office_that_fails_is_left_alone_and_found_again_when_it_is_well() {
    let Some(ledger) = Fragile::start(100, 10_000, 100) else { return };
    let daemon = serve(&ledger, "breaker: { calls: 10, open_ms: 500, longest_open_ms: 500 }");
    let client = daemon.client();
    let patient = Duration::from_secs(10);
    book(client.clone(), "web", 5, patient).await.0.unwrap();
    behave(&ledger, json!({"mode": "failing", "work_ms": 1})).await;
    let mut words = String::new();
    for _ in 0..200 {
        words = book(client.clone(), "web", 5, patient).await.0.unwrap_err().message().to_owned();
    }
    assert!(words.starts_with("back office ledger fails, and is left alone for a while; come back in "), "{words}");
    let asked = report(&ledger).await["calls"].as_u64().unwrap();
    assert!((10..100).contains(&asked), "of two hundred calls it saw {asked}");
    let shown = World::default().run(&["endpoint", "list", "--admin", &format!("http://{}", daemon.admin)]);
    assert!(shown.stdout.contains("left alone, it fails") || shown.stdout.contains("probed, it failed"), "{shown:?}");
    behave(&ledger, json!({"mode": "well"})).await;
    let healed = Instant::now();
    let mut beat = tokio::time::interval(Duration::from_millis(20));
    while book(client.clone(), "web", 5, patient).await.0.is_err() {
        beat.tick().await;
        assert!(healed.elapsed() < Duration::from_secs(10), "it stays left alone");
    }
    is_bounded(&daemon, "left alone");
}

#[tokio::test]
async fn a_back_office_that_falls_silent_costs_each_caller_its_deadline_and_soon_not_even_that() {
    let Some(ledger) = Fragile::start(100, 10_000, 100) else { return };
    let daemon = serve(&ledger, "breaker: { calls: 10, open_ms: 5000 }");
    let client = daemon.client();
    behave(&ledger, json!({"mode": "silent", "work_ms": 1})).await;
    let deadline = Duration::from_millis(200);
    let mut late = Vec::new();
    for _ in 0..12 {
        let (outcome, took) = book(client.clone(), "web", 5, deadline).await;
        match outcome.unwrap_err().code() {
            Code::DeadlineExceeded => late.push(took.saturating_sub(deadline)),
            code => assert_eq!(code, Code::Unavailable),
        }
    }
    println!("deadlines were kept to {late:?}");
    assert_eq!(late.len(), 10, "after ten calls it is left alone");
    assert!(percentile(&mut late, 50) <= Duration::from_millis(20), "{late:?}");
    let (outcome, took) = book(client, "web", 5, Duration::from_secs(5)).await;
    assert_eq!(outcome.unwrap_err().code(), Code::Unavailable);
    assert!(took < Duration::from_secs(1), "{took:?}");
    is_bounded(&daemon, "silent");
}

#[tokio::test]
async fn a_back_office_that_throttles_is_not_taken_for_one_that_fails() {
    let Some(ledger) = Fragile::start(100, 10_000, 100) else { return };
    let daemon = serve(&ledger, "breaker: { calls: 5 }");
    behave(&ledger, json!({"mode": "throttling", "work_ms": 1})).await;
    for _ in 0..30 {
        let status = book(daemon.client(), "web", 5, Duration::from_secs(10)).await.0.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::ResourceExhausted, "the ledger is busy"));
    }
    is_bounded(&daemon, "throttled");
}

/// The same flaky back office, the same retry policy: once in the client, by gRPC's own library, once in the bus.
#[test]
fn the_bus_retries_as_grpc_does() {
    let Some(ledger) = Fragile::start(100, 10_000, 100) else { return };
    let retry = "initial_backoff_ms: 10, longest_backoff_ms: 50, attempts: 3, tokens: 10, token_ratio: 0.1";
    let daemon = serve(&ledger, &format!("breaker: {{ calls: 0 }}, retry: {{ {retry} }}"));
    let Some(grpc) = ledger.flaky(ledger.address(), true) else { return };
    let Some(bus) = ledger.flaky(daemon.channels, false) else { return };
    assert!(grpc.status.success() && bus.status.success(), "{grpc:?} {bus:?}");
    assert!(grpc.stdout.lines().count() > 80 && grpc.stdout.contains(r#"OK ["", "1", "2"]"#), "{}", grpc.stdout);
    assert_eq!(bus.stdout, grpc.stdout);
    is_bounded(&daemon, "retries as gRPC does");
}

#[tokio::test]
async fn over_two_hops_of_the_bus_retries_do_not_multiply() {
    let Some(ledger) = Fragile::start(100, 10_000, 100) else { return };
    let near = serve(&ledger, "retry: { attempts: 4 }");
    let far = World::default()
        .copy(&Fragile::contract(), "fragile.proto")
        .settings(&format!(
            "endpoints:\n  next:\n    addresses: [\"{}\"]\n    contract: {{ proto: [fragile.proto] }}\n    policy: {{ retry: {{ attempts: 4 }} }}\n",
            near.address()
        ))
        .serve();
    let flaky = entry(r#"{"key": "hops", "fail": 100}"#);
    let status = far.client().call("/host.v1.Ledger/Flaky", flaky).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unavailable, "as you wished"));
    let attempts = Client::new(ledger.address()).call("/host.v1.Ledger/Attempts", entry("hops")).await.unwrap();
    assert_eq!(&attempts[2..], br#"["", "1", "2", "3"]"#);
    is_bounded(&near, "two hops, the near bus");
    is_bounded(&far, "two hops, the far bus");
}

#[tokio::test]
async fn operators_see_what_each_channel_has_consumed_and_why_a_back_office_takes_nothing() {
    let Some(ledger) = Fragile::start(100, 10_000, 100) else { return };
    let daemon = serve(&ledger, "methods: [{ name: host.v1.Ledger/Book, cost: 3 }]");
    for channel in ["web", "web", "branch", "a stranger"] {
        book(daemon.client(), channel, 5, Duration::from_secs(10)).await.0.unwrap();
    }
    let shown = World::default().run(&["endpoint", "show", "ledger", "--admin", &format!("http://{}", daemon.admin)]);
    let usage: Vec<String> = shown
        .stdout
        .lines()
        .skip_while(|line| !line.contains("CHANNEL"))
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(usage, ["CHANNEL CALLS COST TURNED AWAY", "web 2 6 0", "branch 1 3 0", "other 1 3 0"], "{shown:?}");

    let closed = serve(&ledger, &format!("hours: {{ time_zone: UTC, open: {{ {}: ['09:00-17:00'] }} }}", day_after_tomorrow()));
    let (outcome, took) = book(closed.client(), "web", 9, Duration::from_secs(10)).await;
    let status = outcome.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().starts_with("back office ledger is closed at this time; come back in "), "{}", status.message());
    assert!(took < Duration::from_secs(5));
    let shown = World::default().run(&["endpoint", "list", "--admin", &format!("http://{}", closed.admin)]);
    assert!(shown.stdout.contains("closed until "), "{shown:?}");
}
