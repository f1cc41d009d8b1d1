//! What a back office is protected from, seen from both sides of the bus.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use http::Request;
use passerelle_bus::call::{BreakerSettings, EnvelopeSettings, Limits, MethodSettings, PolicySettings, Rate};
use tokio::sync::{Semaphore, mpsc};

use super::bus::{BOTH, Bus, DOWNLOAD, UNARY, under};
use super::caller::{Answer, Caller, message, request, soon, with};
use super::office::{Office, echo};

const EXHAUSTED: i32 = 8;

fn policy(concurrency: u32, rate: Option<Rate>, queue_calls: usize) -> PolicySettings {
    let envelope = EnvelopeSettings { limits: Limits { concurrency, rate }, queue_calls, ..EnvelopeSettings::default() };
    PolicySettings { envelope, ..PolicySettings::default() }
}

/// A back office that tells which call it begins, and answers when it is let.
struct Counter {
    office: Office,
    most: Arc<AtomicUsize>,
    go: Arc<Semaphore>,
    begun: mpsc::UnboundedReceiver<String>,
}

impl Counter {
    async fn start() -> Self {
        let (now, most, go) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let (tell, begun) = mpsc::unbounded_channel();
        let (counted, allowed) = (most.clone(), go.clone());
        let office = Office::start(move |request: Request<h2::RecvStream>, respond| {
            let (now, most, go, tell) = (now.clone(), counted.clone(), allowed.clone(), tell.clone());
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                let name = request.headers().get("name").map(|name| name.to_str().unwrap().to_owned());
                tell.send(name.unwrap_or_default()).unwrap();
                go.acquire().await.unwrap().forget();
                now.fetch_sub(1, Ordering::SeqCst);
                echo(request, respond).await;
            }
        })
        .await;
        Self { office, most, go, begun }
    }
}

async fn waiting(bus: &Bus, count: usize) {
    soon(async {
        while bus.status().await.policy.envelope.waiting != count {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

fn pushback(answer: &Answer) -> &str {
    answer.head["grpc-retry-pushback-ms"].to_str().unwrap()
}

#[tokio::test]
async fn a_flood_never_reaches_the_back_office_and_everyone_gets_an_answer() {
    let counter = Counter::start().await;
    let bus = Bus::start(under(&[counter.office.address], policy(3, None, 10))).await;
    let caller = Caller::connect(bus.address).await;
    counter.go.add_permits(1000);
    let answers = soon(join_all((0..300).map(|index| {
        let (caller, path) = (caller.clone(), [UNARY, DOWNLOAD, BOTH][index % 3]);
        async move { caller.call(path, message(10)).await }
    })))
    .await;
    let (served, shed): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.code() == 0);
    assert!(served.len() >= 13, "{}", served.len());
    assert!(shed.iter().all(|answer| answer.code() == EXHAUSTED && answer.head.contains_key("grpc-status-details-bin")));
    assert!(counter.most.load(Ordering::SeqCst) <= 3);
    let envelope = bus.status().await.policy.envelope;
    assert_eq!((envelope.taken, envelope.waiting), (0, 0));
}

#[tokio::test]
async fn who_waits_is_served_by_value_and_a_full_line_says_when_to_come_back() {
    let mut counter = Counter::start().await;
    let bus = Bus::start(under(&[counter.office.address], policy(1, None, 2))).await;
    let caller = Caller::connect(bus.address).await;
    let call = |name: &str, value: &str| {
        let (caller, asked) = (caller.clone(), with(with(request(UNARY), "name", name), "passerelle-customer-value", value));
        tokio::spawn(async move { caller.send(asked, message(1)).await })
    };
    let first = call("first", "5");
    assert_eq!(soon(counter.begun.recv()).await.unwrap(), "first");
    let usual = call("usual", "5");
    waiting(&bus, 1).await;
    let premium = call("premium", "9");
    waiting(&bus, 2).await;
    let refused = soon(call("one more", "5")).await.unwrap();
    assert_eq!(refused.message(), "back office office is busy, and as many calls as may are waiting for it; come back in 1 ms");
    assert_eq!((refused.code(), pushback(&refused)), (EXHAUSTED, "1"));
    // The more valued one takes the place of the usual one.
    let better = call("better", "8");
    assert_eq!(soon(usual).await.unwrap().code(), EXHAUSTED);
    counter.go.add_permits(3);
    let answers = soon(join_all([first, premium, better])).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap().code() == 0));
    assert_eq!(soon(counter.begun.recv()).await.unwrap(), "premium");
    assert_eq!(soon(counter.begun.recv()).await.unwrap(), "better");
}

#[tokio::test]
async fn a_caller_that_goes_away_or_is_late_leaves_the_line() {
    let mut counter = Counter::start().await;
    let bus = Bus::start(under(&[counter.office.address], policy(1, None, 10))).await;
    let caller = Caller::connect(bus.address).await;
    let (_first, mut stream) = caller.start(request(UNARY)).await;
    stream.send_data(message(1), true).unwrap();
    soon(counter.begun.recv()).await.unwrap();
    let (gone, mut stream) = caller.start(request(UNARY)).await;
    waiting(&bus, 1).await;
    stream.send_reset(h2::Reason::CANCEL);
    drop(gone);
    waiting(&bus, 0).await;
    let late = soon(caller.send(with(request(UNARY), "grpc-timeout", "50m"), message(1))).await;
    assert_eq!((late.code(), pushback(&late)), (EXHAUSTED, "-1"));
    waiting(&bus, 0).await;
    assert_eq!(counter.most.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_costly_method_takes_more_of_the_rate() {
    let counter = Counter::start().await;
    counter.go.add_permits(100);
    let rate = Some(Rate { per_second: 0.01, burst: 10 });
    let methods = [(UNARY.trim_start_matches('/').to_owned(), MethodSettings { cost: 4, ..MethodSettings::default() })].into();
    let bus = Bus::start(under(&[counter.office.address], PolicySettings { methods, ..policy(100, rate, 100) })).await;
    let caller = Caller::connect(bus.address).await;
    let mut codes = Vec::new();
    for path in [UNARY, UNARY, BOTH, BOTH] {
        codes.push(caller.call(path, message(1)).await.code());
    }
    assert_eq!(codes, [0, 0, 0, 0]);
    let refused = caller.call(BOTH, message(1)).await;
    assert_eq!((refused.code(), refused.head["grpc-status"].as_bytes()), (EXHAUSTED, &b"8"[..]));
    let usage = &bus.status().await.policy.channels[0];
    assert_eq!((usage.channel.as_str(), usage.calls, usage.cost, usage.shed), ("other", 4, 10, 1));
    let back: u64 = pushback(&refused).parse().unwrap();
    assert!((90_000..160_000).contains(&back), "{back}");
}

#[tokio::test]
async fn the_place_of_a_call_that_was_broken_off_is_not_given_away_at_once() {
    let mut counter = Counter::start().await;
    let mut settings = policy(1, None, 10);
    settings.envelope.abandoned = Duration::from_millis(200);
    let bus = Bus::start(under(&[counter.office.address], settings)).await;
    let caller = Caller::connect(bus.address).await;
    let late = soon(caller.send(with(request(UNARY), "grpc-timeout", "50m"), message(1))).await;
    assert_eq!(late.code(), 4);
    soon(counter.begun.recv()).await.unwrap();
    let since = tokio::time::Instant::now();
    counter.go.add_permits(2);
    assert_eq!(soon(caller.call(UNARY, message(1))).await.code(), 0);
    assert!(since.elapsed() >= Duration::from_millis(150), "{:?}", since.elapsed());
}

#[tokio::test]
async fn a_stream_that_lasts_until_its_deadline_is_no_failure_of_the_back_office() {
    let counter = Counter::start().await;
    for (path, then) in [(DOWNLOAD, 4), (UNARY, 14)] {
        let breaker = BreakerSettings { calls: 2, open: Duration::from_secs(60), ..BreakerSettings::default() };
        let bus = Bus::start(under(&[counter.office.address], PolicySettings { breaker, ..PolicySettings::default() })).await;
        let caller = Caller::connect(bus.address).await;
        let mut codes = Vec::new();
        for _ in 0..3 {
            codes.push(soon(caller.send(with(request(path), "grpc-timeout", "30m"), message(1))).await.code());
        }
        assert_eq!(codes, [4, 4, then], "{path}");
    }
}

#[tokio::test]
async fn a_back_office_that_is_down_is_not_taken_for_a_quick_one() {
    let counter = Counter::start().await;
    counter.go.add_permits(1);
    for (address, code, is_known) in [("127.0.0.1:9".parse().unwrap(), 14, false), (counter.office.address, 0, true)] {
        let bus = Bus::before(&[address]).await;
        assert_eq!(soon(Caller::connect(bus.address).await.call(UNARY, message(1))).await.code(), code);
        // The answer may be here before its call has left the books.
        soon(async {
            while bus.status().await.policy.envelope.taken > 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!(!bus.status().await.policy.envelope.usual.is_zero(), is_known, "{code}");
    }
}
