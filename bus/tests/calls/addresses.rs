//! Several addresses: balanced, one lost, come back; more calls than a back office takes at a time.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use h2::RecvStream;
use http::Request;
use tokio::sync::{Semaphore, mpsc};

use super::bus::{Bus, UNARY};
use super::caller::{Caller, message, request, soon, whole};
use super::office::{Office, Respond, builder, echo, head, outcome, read_all};

/// A script whose answers bear a name.
pub(crate) fn named(
    name: &'static str,
) -> impl Fn(Request<RecvStream>, Respond) -> futures_util::future::BoxFuture<'static, ()> + Clone {
    move |request, mut respond| {
        Box::pin(async move {
            read_all(&mut request.into_body()).await.unwrap();
            let mut response = head();
            response.headers_mut().insert("name", name.parse().unwrap());
            let mut stream = respond.send_response(response, false).unwrap();
            stream.send_data(message(0), false).unwrap();
            stream.send_trailers(outcome(0)).unwrap();
        })
    }
}

pub(crate) async fn who(caller: &Caller) -> String {
    let answer = caller.call(UNARY, message(1)).await;
    assert_eq!(answer.code(), 0, "{}", answer.message());
    answer.head["name"].to_str().unwrap().to_owned()
}

pub(crate) async fn until_ready(bus: &Bus, addresses: usize) {
    soon(async {
        while bus.ready_addresses().await != addresses {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn calls_are_spread_over_all_addresses_and_a_lost_one_comes_back() {
    let (first, second) = (Office::start(named("first")).await, Office::start(named("second")).await);
    let third = Office::start(named("third")).await;
    let bus = Bus::before(&[first.address, second.address, third.address]).await;
    let caller = Caller::connect(bus.address).await;
    until_ready(&bus, 3).await;
    let mut counts = BTreeMap::<String, usize>::new();
    for _ in 0..30 {
        *counts.entry(who(&caller).await).or_default() += 1;
    }
    assert_eq!(counts.into_values().collect::<Vec<_>>(), [10, 10, 10]);

    let lost: SocketAddr = first.address;
    drop(first);
    until_ready(&bus, 2).await;
    for _ in 0..20 {
        assert_ne!(who(&caller).await, "first");
    }
    let _back = Office::on(lost, builder(), named("first")).await;
    until_ready(&bus, 3).await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(who(&caller).await);
    }
    seen.sort();
    assert_eq!(seen, ["first", "second", "third"]);
}

#[tokio::test]
async fn a_lost_address_fails_only_the_calls_that_it_was_carrying() {
    let (tell, told) = mpsc::unbounded_channel();
    let hold = move |_request: Request<RecvStream>, respond: Respond| {
        tell.send(()).unwrap();
        async move {
            let _respond = respond;
            std::future::pending::<()>().await;
        }
    };
    let (dying, living) = (Office::start(hold).await, Office::start(named("living")).await);
    let bus = Bus::before(&[dying.address, living.address]).await;
    let caller = Caller::connect(bus.address).await;
    until_ready(&bus, 2).await;
    // The least loaded is chosen: what the dying one holds keeps all others away from it.
    let mut held = Vec::new();
    while told.is_empty() {
        let (response, mut stream) = caller.start(request(UNARY)).await;
        stream.send_data(message(1), true).unwrap();
        held.push(tokio::spawn(whole(response)));
        tokio::task::yield_now().await;
    }
    for _ in 0..20 {
        assert_eq!(who(&caller).await, "living");
    }
    drop(dying);
    let mut codes = Vec::new();
    for answer in held {
        codes.push(soon(answer).await.unwrap().unwrap().code());
    }
    assert_eq!(codes.iter().filter(|code| **code == 14).count(), told.len(), "{codes:?}");
    assert!(codes.iter().all(|code| [0, 14].contains(code)));
    assert_eq!(who(&caller).await, "living");
}

#[tokio::test]
async fn calls_beyond_what_a_back_office_takes_at_a_time_wait_their_turn() {
    let gate = Arc::new(Semaphore::new(0));
    let mut http = builder();
    http.max_concurrent_streams(5);
    let held = gate.clone();
    let office = Office::with(http, move |request, respond| {
        let held = held.clone();
        async move {
            held.acquire().await.unwrap().forget();
            echo(request, respond).await;
        }
    })
    .await;
    let bus = Bus::before(&[office.address]).await;
    let caller = Caller::connect(bus.address).await;
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let caller = caller.clone();
            tokio::spawn(async move { caller.call(UNARY, message(10)).await.code() })
        })
        .collect();
    for call in calls {
        gate.add_permits(1);
        tokio::task::yield_now().await;
        drop(call);
    }
    let calls = (0..50).map(|_| caller.call(UNARY, message(10)));
    gate.add_permits(100);
    assert!(soon(futures_util::future::join_all(calls)).await.iter().all(|answer| answer.code() == 0));
    assert_eq!(bus.in_flight().await, 0);
}
