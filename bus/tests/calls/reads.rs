//! Reads that share their calls and keep their answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use h2::client::ResponseFuture;
use http::Request;
use passerelle_adapter::{Adapter, Call, Descriptor, Fault, Health, Messages, async_trait};
use passerelle_bus::call::{Declared, Endpoint, MethodSettings, PolicySettings, ShareSettings, ShareStatus};
use tokio::sync::{Semaphore, mpsc};

use super::bus::{Bus, UNARY, nothing_declared, under};
use super::caller::{Answer, Caller, message, request, soon, whole, with};
use super::office::{Office, head, outcome, read_all, send_all};

const NOT_FOUND: i32 = 5;
const LATE: i32 = 4;
const EXHAUSTED: i32 = 8;
const HOUR: Duration = Duration::from_secs(3600);

fn policy(tolerance: Option<Duration>, read_only: bool) -> PolicySettings {
    let share = Some(ShareSettings { tolerance, vary: None });
    let rules = MethodSettings { read_only: Some(read_only), share, ..MethodSettings::default() };
    PolicySettings { methods: [(UNARY.trim_start_matches('/').to_owned(), rules)].into(), ..PolicySettings::default() }
}

/// What a back office sees.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Call,
    Cancelled,
}

/// A back office that echoes, or ends with a code, when it is let.
struct Held {
    office: Office,
    go: Arc<Semaphore>,
    seen: mpsc::UnboundedReceiver<Seen>,
}

impl Held {
    async fn start(code: i32) -> Self {
        let (go, (tell, seen)) = (Arc::new(Semaphore::new(0)), mpsc::unbounded_channel());
        let gate = go.clone();
        let office = Office::start(move |request: Request<h2::RecvStream>, mut respond| {
            let (go, tell) = (gate.clone(), tell.clone());
            async move {
                let (bytes, _) = read_all(&mut request.into_body()).await.unwrap();
                tell.send(Seen::Call).unwrap();
                tokio::select! {
                    permit = go.acquire() => permit.unwrap().forget(),
                    _ = std::future::poll_fn(|context| respond.poll_reset(context)) => {
                        tell.send(Seen::Cancelled).unwrap();
                        return;
                    }
                }
                let mut stream = respond.send_response(head(), false).unwrap();
                if code == 0 && send_all(&mut stream, bytes.into(), 16 * 1024).await.is_err() {
                    return;
                }
                let _ = stream.send_trailers(outcome(code));
            }
        })
        .await;
        Self { office, go, seen }
    }

    /// Calls that came and were not looked at yet.
    fn calls(&mut self) -> usize {
        std::iter::from_fn(|| self.seen.try_recv().ok()).filter(|seen| *seen == Seen::Call).count()
    }
}

/// Sends a whole request; the answer is awaited later.
async fn begin(caller: &Caller, request: Request<()>, size: usize) -> ResponseFuture {
    let (response, mut stream) = caller.start(request).await;
    stream.send_data(message(size), true).unwrap();
    response
}

/// Waits until so many calls are being carried.
async fn carried(bus: &Bus, count: usize) {
    soon(async {
        while bus.in_flight().await != count {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

fn age(answer: &Answer) -> Option<u64> {
    answer.head.get("age").map(|age| age.to_str().unwrap().parse().unwrap())
}

#[tokio::test]
async fn who_asks_the_same_at_the_same_time_shares_one_call() {
    let mut held = Held::start(0).await;
    let bus = Bus::start(under(&[held.office.address], policy(None, true))).await;
    let caller = Caller::connect(bus.address).await;
    let answers = join_all((0..50).map(|_| begin(&caller, request(UNARY), 100))).await;
    carried(&bus, 50).await;
    held.go.add_permits(100);
    for answer in soon(join_all(answers.into_iter().map(whole))).await {
        let answer = answer.unwrap();
        assert_eq!((answer.code(), age(&answer), answer.body), (0, None, message(100).to_vec()));
    }
    assert_eq!(held.calls(), 1);
    // Nothing is kept: the next one asks again.
    assert_eq!(caller.call(UNARY, message(100)).await.code(), 0);
    assert_eq!(held.calls(), 1);
    let reads = bus.status().await.reads;
    assert_eq!((reads.asked, reads.shared, reads.kept, reads.answers), (2, 49, 0, 0));
    assert_eq!(bus.status().await.policy.envelope.taken, 0);
}

#[tokio::test]
async fn a_kept_answer_is_given_with_its_age_unless_a_fresh_one_is_asked_for() {
    let mut held = Held::start(0).await;
    let bus = Bus::start(under(&[held.office.address], policy(Some(HOUR), true))).await;
    let caller = Caller::connect(bus.address).await;
    held.go.add_permits(100);
    let cases = [
        ("", 1, false),
        ("", 0, true),
        ("max-age=100", 0, true),
        ("no-cache", 1, false),
        ("max-age=0", 1, false),
        ("no-store", 1, false),
        ("", 0, true),
    ];
    for (index, (cache_control, calls, is_kept)) in cases.into_iter().enumerate() {
        let answer = caller.send(with(request(UNARY), "cache-control", cache_control), message(10)).await;
        assert_eq!((answer.code(), age(&answer).is_some(), answer.body), (0, is_kept, message(10).to_vec()), "{index}");
        assert_eq!(held.calls(), calls, "{index} {cache_control}");
    }
}

#[tokio::test]
async fn an_answer_is_forgotten_when_it_is_as_old_as_is_tolerated() {
    let mut held = Held::start(0).await;
    let bus = Bus::start(under(&[held.office.address], policy(Some(Duration::from_millis(30)), true))).await;
    let caller = Caller::connect(bus.address).await;
    held.go.add_permits(1_000_000);
    soon(async {
        let mut calls = 0;
        while calls < 4 {
            assert_eq!(caller.call(UNARY, message(10)).await.code(), 0);
            calls += held.calls();
        }
    })
    .await;
    assert!(bus.status().await.reads.kept > 4, "{:?}", bus.status().await.reads);
}

#[tokio::test]
async fn other_metadata_another_message_and_a_method_that_may_write_are_never_shared() {
    let mut held = Held::start(0).await;
    held.go.add_permits(100);
    for (read_only, calls) in [(true, 4), (false, 8)] {
        let bus = Bus::start(under(&[held.office.address], policy(Some(HOUR), read_only))).await;
        let caller = Caller::connect(bus.address).await;
        for _ in 0..2 {
            for (who, size) in [("alice", 10), ("bob", 10), ("bob", 11), ("", 10)] {
                let answer = caller.send(with(request(UNARY), "authorization", who), message(size)).await;
                assert_eq!((answer.code(), answer.body.len()), (0, size + 5));
            }
        }
        assert_eq!(held.calls(), calls);
    }
}

#[tokio::test]
async fn a_call_lasts_while_one_waits_for_it_and_ends_with_the_last() {
    let mut held = Held::start(0).await;
    let bus = Bus::start(under(&[held.office.address], policy(Some(HOUR), true))).await;
    let first = Caller::connect(bus.address).await;
    let others = Caller::connect(bus.address).await;
    let begun = begin(&first, request(UNARY), 10).await;
    assert_eq!(soon(held.seen.recv()).await, Some(Seen::Call));
    let second = begin(&others, request(UNARY), 10).await;
    carried(&bus, 2).await;
    drop(begun);
    first.vanish();
    carried(&bus, 1).await;
    held.go.add_permits(1);
    assert_eq!(soon(whole(second)).await.unwrap().code(), 0);

    let both = [begin(&others, request(UNARY), 20).await, begin(&others, request(UNARY), 20).await];
    carried(&bus, 2).await;
    assert_eq!(soon(held.seen.recv()).await, Some(Seen::Call));
    drop(both);
    others.vanish();
    assert_eq!(soon(held.seen.recv()).await, Some(Seen::Cancelled));
    soon(async {
        while bus.status().await.policy.envelope.taken != 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn nobody_fails_by_the_shorter_deadline_of_another() {
    let mut held = Held::start(0).await;
    let endpoint = under(&[held.office.address], policy(Some(HOUR), true));
    let bus = Bus::with_default_timeout(endpoint, Some(Duration::from_secs(30))).await;
    let caller = Caller::connect(bus.address).await;
    let short = begin(&caller, with(request(UNARY), "grpc-timeout", "50m"), 10).await;
    let long = begin(&caller, with(request(UNARY), "grpc-timeout", "20S"), 10).await;
    let answer = soon(whole(short)).await.unwrap();
    assert_eq!((answer.code(), answer.message()), (LATE, "office did not answer within the deadline".to_owned()));
    held.go.add_permits(1);
    assert_eq!(soon(whole(long)).await.unwrap().code(), 0);
    assert_eq!(held.calls(), 1);
}

#[tokio::test]
async fn an_error_is_shared_where_it_is_about_the_question_and_never_kept() {
    for (code, calls) in [(NOT_FOUND, 1), (EXHAUSTED, 10)] {
        let mut held = Held::start(code).await;
        let bus = Bus::start(under(&[held.office.address], policy(Some(HOUR), true))).await;
        let caller = Caller::connect(bus.address).await;
        let answers = join_all((0..10).map(|_| begin(&caller, request(UNARY), 10))).await;
        carried(&bus, 10).await;
        held.go.add_permits(100);
        let answers = soon(join_all(answers.into_iter().map(whole))).await;
        assert!(answers.into_iter().all(|answer| answer.unwrap().code() == code));
        assert_eq!(held.calls(), calls, "{code}");
        assert_eq!(caller.call(UNARY, message(10)).await.code(), code);
        assert_eq!((held.calls(), bus.status().await.reads.answers), (1, 0));
    }
}

#[tokio::test]
async fn what_is_large_goes_its_way_whole_and_is_not_kept() {
    let mut held = Held::start(0).await;
    held.go.add_permits(100);
    let small = PolicySettings { kept_bytes: 64 * 1024, ..policy(Some(HOUR), true) };
    let bus = Bus::start(under(&[held.office.address], small)).await;
    let caller = Caller::connect(bus.address).await;
    for size in [5_000, 70_000, 1_000_000] {
        for _ in 0..2 {
            assert_eq!(caller.call(UNARY, message(size)).await.body, message(size), "{size}");
        }
        assert_eq!(held.calls(), 2, "{size}");
    }
    let kept = ShareStatus { asked: 2, most_bytes: 64 * 1024, ..ShareStatus::default() };
    assert_eq!(bus.status().await.reads, kept);
}

/// An echo that counts.
struct Counting(Descriptor, AtomicUsize);

#[async_trait]
impl Adapter for Counting {
    fn descriptor(&self) -> &Descriptor {
        &self.0
    }

    async fn call(&self, call: Call) -> Result<Messages, Fault> {
        self.1.fetch_add(1, Ordering::SeqCst);
        Ok(call.messages)
    }

    async fn health(&self) -> Health {
        Health::Ready
    }

    async fn drain(&self, _grace: Duration) {}
}

#[tokio::test]
async fn an_adapter_is_spared_like_a_remote_back_office() {
    let descriptor = Descriptor { kind: "counting", contracts: vec![], idempotent: vec![], behind: vec![] };
    let adapter = Arc::new(Counting(descriptor, AtomicUsize::new(0)));
    let declared = Declared { policy: policy(Some(HOUR), true), ..nothing_declared() };
    let bus = Bus::start(Endpoint::adapter("counting", adapter.clone(), declared)).await;
    let caller = Caller::connect(bus.address).await;
    for kept in [false, true, true] {
        let answer = caller.call(UNARY, message(10)).await;
        assert_eq!((answer.code(), age(&answer).is_some(), answer.body), (0, kept, message(10).to_vec()));
    }
    assert_eq!(adapter.1.load(Ordering::SeqCst), 1);
}
