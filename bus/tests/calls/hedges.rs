//! Reads that are asked for once more when they are slow.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::Request;
use passerelle_bus::call::{EnvelopeSettings, HedgeSettings, HedgeStatus, Limits, MethodSettings, PolicySettings};
use tokio::sync::{Semaphore, mpsc};
use tonic::Code;

use super::bus::{Bus, UNARY, under};
use super::caller::{Caller, message, request, soon, with};
use super::office::{Office, echo, head, outcome};

const UNAVAILABLE: i32 = 14;

fn policy(delay: Duration, concurrency: u32, read_only: bool) -> PolicySettings {
    let hedge = Some(HedgeSettings { attempts: 2, delay, codes: vec![Code::Unavailable] });
    let rules = MethodSettings { read_only: Some(read_only), hedge, ..MethodSettings::default() };
    let limits = Limits { concurrency, rate: None };
    PolicySettings {
        envelope: EnvelopeSettings { limits, ..EnvelopeSettings::default() },
        methods: [(UNARY.trim_start_matches('/').to_owned(), rules)].into(),
        ..PolicySettings::default()
    }
}

/// What the servers see: which one, previous attempts, budget; or that a call was cancelled.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Call(&'static str, Option<String>, Option<String>),
    Cancelled(&'static str),
}

/// A server that answers when it is let, or at once.
async fn server(name: &'static str, held: Option<Arc<Semaphore>>, tell: mpsc::UnboundedSender<Seen>) -> Office {
    Office::start(move |request: Request<h2::RecvStream>, mut respond| {
        let (held, tell) = (held.clone(), tell.clone());
        async move {
            let text = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            let seen = Seen::Call(name, text("grpc-previous-rpc-attempts"), text("passerelle-retry-budget"));
            tell.send(seen).unwrap();
            if let Some(held) = held {
                tokio::select! {
                    permit = held.acquire() => permit.unwrap().forget(),
                    _ = std::future::poll_fn(|context| respond.poll_reset(context)) => {
                        let _ = tell.send(Seen::Cancelled(name));
                        return;
                    }
                }
            }
            echo(request, respond).await;
        }
    })
    .await
}

#[tokio::test]
async fn a_slow_read_is_asked_for_elsewhere_and_the_slow_one_is_cancelled() {
    let (tell, mut seen) = mpsc::unbounded_channel();
    let (slow, quick) =
        (server("slow", Some(Arc::new(Semaphore::new(0))), tell.clone()).await, server("quick", None, tell).await);
    let bus = Bus::start(under(&[slow.address, quick.address], policy(Duration::from_millis(20), 100, true))).await;
    let caller = Caller::connect(bus.address).await;
    soon(async {
        while bus.ready_addresses().await < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let (mut hedged, budget) = (0, Some("0".to_owned()));
    while hedged < 3 {
        let answer = caller.call(UNARY, message(100)).await;
        assert_eq!((answer.code(), answer.body), (0, message(100).to_vec()));
        match soon(seen.recv()).await.unwrap() {
            Seen::Call("slow", None, told) => {
                assert_eq!(told, budget);
                assert_eq!(soon(seen.recv()).await, Some(Seen::Call("quick", Some("1".to_owned()), budget.clone())));
                assert_eq!(soon(seen.recv()).await, Some(Seen::Cancelled("slow")));
                hedged += 1;
            }
            first => assert_eq!(first, Seen::Call("quick", None, budget.clone())),
        }
    }
    let status = bus.status().await.policy;
    assert_eq!((status.hedges, status.envelope.taken), (HedgeStatus { sent: 3, won: 3, skipped: 0 }, 0));
}

#[tokio::test]
async fn there_is_no_further_attempt_where_none_may_be() {
    let (hop, tries) = ("passerelle-retry-budget", "grpc-previous-rpc-attempts");
    let cases = [
        ("no place is free", 1, true, "x-nothing", HedgeStatus { skipped: 1, ..HedgeStatus::default() }),
        ("another hop does it", 100, true, hop, HedgeStatus::default()),
        ("the caller has", 100, true, tries, HedgeStatus::default()),
        ("it may write", 100, false, "x-nothing", HedgeStatus::default()),
    ];
    for (why, concurrency, read_only, name, hedges) in cases {
        let (tell, mut seen) = mpsc::unbounded_channel();
        let held = Arc::new(Semaphore::new(0));
        let office = server("slow", Some(held.clone()), tell).await;
        let bus = Bus::start(under(&[office.address], policy(Duration::from_millis(5), concurrency, read_only))).await;
        let caller = Caller::connect(bus.address).await;
        let request = with(request(UNARY), name, if name == tries { "1" } else { "0" });
        let calling = tokio::spawn(async move { caller.send(request, message(10)).await });
        assert!(matches!(soon(seen.recv()).await, Some(Seen::Call(..))), "{why}");
        soon(async {
            while bus.status().await.policy.hedges != hedges {
                tokio::task::yield_now().await;
            }
        })
        .await;
        let late = tokio::time::timeout(Duration::from_millis(30), seen.recv()).await;
        assert!(late.is_err(), "{why}: {late:?}");
        held.add_permits(1);
        assert_eq!(soon(calling).await.unwrap().code(), 0, "{why}");
    }
}

#[tokio::test]
async fn a_failure_begins_the_next_attempt_at_once_unless_the_back_office_says_never_or_fails_too_often() {
    for (pushback, calls) in [(None, 2), (Some("-1"), 1)] {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        let office = Office::start(move |_: Request<h2::RecvStream>, mut respond| {
            counted.fetch_add(1, Ordering::SeqCst);
            async move {
                let mut response = head();
                response.headers_mut().extend(outcome(UNAVAILABLE));
                if let Some(pushback) = pushback {
                    response.headers_mut().insert("grpc-retry-pushback-ms", pushback.parse().unwrap());
                }
                respond.send_response(response, true).unwrap();
            }
        })
        .await;
        let bus = Bus::start(under(&[office.address], policy(Duration::from_secs(60), 100, true))).await;
        let caller = Caller::connect(bus.address).await;
        assert_eq!(caller.call(UNARY, message(10)).await.code(), UNAVAILABLE);
        assert_eq!(count.load(Ordering::SeqCst), calls, "{pushback:?}");
        for _ in 0..12 {
            caller.call(UNARY, message(10)).await;
        }
        // Ten tokens, of which each failure takes one: with half of them gone there are single attempts.
        let further = bus.status().await.policy.hedges.sent;
        assert!(further <= 4, "{further} further attempts");
    }
}

#[tokio::test]
async fn a_slow_server_in_twenty_calls_no_longer_decides_how_long_the_slowest_take() {
    let slowest = async |policy: PolicySettings| {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        let office = async || {
            let counted = counted.clone();
            Office::start(move |request, respond| {
                let number = counted.fetch_add(1, Ordering::SeqCst);
                async move {
                    if number % 20 == 7 {
                        tokio::time::sleep(Duration::from_millis(300)).await;
                    }
                    echo(request, respond).await;
                }
            })
            .await
        };
        let offices = [office().await, office().await];
        let bus = Bus::start(under(&offices.each_ref().map(|office| office.address), policy)).await;
        let caller = Caller::connect(bus.address).await;
        let mut took = Vec::new();
        for _ in 0..200 {
            let started = Instant::now();
            assert_eq!(caller.call(UNARY, message(10)).await.code(), 0);
            took.push(started.elapsed());
        }
        took.sort();
        (took[197], count.load(Ordering::SeqCst))
    };
    let (alone, calls) = slowest(PolicySettings::default()).await;
    let (hedged, with_hedges) = slowest(policy(Duration::from_millis(30), 100, true)).await;
    println!("99 % of calls within {alone:?}; hedged within {hedged:?}, {} more calls of {calls}", with_hedges - calls);
    assert!(hedged < alone / 2, "{hedged:?} of {alone:?}");
    assert!(with_hedges - calls <= 200 / 8, "{with_hedges}");
}
