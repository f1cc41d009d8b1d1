//! Addresses that are names: all servers that a name means are used, and changes of its meaning are followed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use h2::RecvStream;
use http::Request;
use passerelle_bus::call::{PolicySettings, RemoteSettings};
use tokio::sync::Semaphore;

use super::addresses::{named, until_ready, who};
use super::bus::{Bus, Names, UNARY, reached, settings};
use super::caller::{Caller, message, request, soon, whole};
use super::office::{Office, Respond, builder, echo};

/// A bus before `http://office.test:7`, and what that name means.
async fn bus(every: Duration) -> (Bus, Arc<Names>) {
    let names = Arc::new(Names::default());
    let settings = RemoteSettings {
        addresses: vec!["http://office.test:7".to_owned()],
        resolver: names.clone(),
        resolve_every: every,
        ..settings(&[])
    };
    (Bus::start(reached(&settings, PolicySettings::default())).await, names)
}

fn mean(names: &Names, servers: &[SocketAddr]) {
    *names.known.lock().unwrap() = servers.to_vec();
}

#[tokio::test]
async fn all_servers_of_a_name_are_used_and_new_ones_are_found_without_dropping_calls() {
    let go = Arc::new(Semaphore::new(0));
    let held = go.clone();
    let leaving = Office::start(move |request: Request<RecvStream>, respond: Respond| {
        let go = held.clone();
        async move {
            go.acquire().await.unwrap().forget();
            echo(request, respond).await;
        }
    })
    .await;
    let (bus, names) = bus(Duration::from_millis(50)).await;
    mean(&names, &[leaving.address]);
    let caller = Caller::connect(bus.address).await;
    until_ready(&bus, 1).await;
    let (response, mut stream) = caller.start(request(UNARY)).await;
    stream.send_data(message(7), true).unwrap();
    let in_flight = tokio::spawn(whole(response));
    soon(async {
        while bus.in_flight().await == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;

    let (first, second) = (Office::start(named("first")).await, Office::start(named("second")).await);
    mean(&names, &[first.address, second.address]);
    until_ready(&bus, 2).await;
    let mut seen = [who(&caller).await, who(&caller).await];
    seen.sort();
    assert_eq!(seen, ["first", "second"]);
    let resolved = bus.status().await.addresses[0].resolved;
    assert_eq!(resolved, Some("127.0.0.1".parse().unwrap()));
    // The server that left the name ends what it has begun.
    go.add_permits(1);
    assert_eq!(soon(in_flight).await.unwrap().unwrap().code(), 0);

    // A resolver that is away takes nothing away.
    mean(&names, &[]);
    let asked = names.asked.load(Ordering::SeqCst);
    soon(async {
        while names.asked.load(Ordering::SeqCst) < asked + 2 {
            who(&caller).await;
        }
    })
    .await;
    assert_eq!(bus.ready_addresses().await, 2);
}

#[tokio::test]
async fn a_name_is_resolved_again_when_its_server_is_lost() {
    let (bus, names) = bus(Duration::from_secs(3600)).await;
    let lost = Office::start(named("lost")).await;
    mean(&names, &[lost.address]);
    let caller = Caller::connect(bus.address).await;
    until_ready(&bus, 1).await;
    assert_eq!(who(&caller).await, "lost");
    let found = Office::on("127.0.0.1:0".parse().unwrap(), builder(), named("found")).await;
    mean(&names, &[found.address]);
    drop(lost);
    until_ready(&bus, 0).await;
    until_ready(&bus, 1).await;
    assert_eq!(who(&caller).await, "found");
}

#[tokio::test]
async fn a_name_that_means_nothing_fails_calls_with_the_reason_until_it_does() {
    let (bus, names) = bus(Duration::from_secs(3600)).await;
    let caller = Caller::connect(bus.address).await;
    let answer = caller.call(UNARY, message(1)).await;
    let expected = "back office office is down: http://office.test:7: its name cannot be resolved: no such name; next attempt in";
    assert!(answer.code() == 14 && answer.message().starts_with(expected), "{}", answer.message());
    let office = Office::start(named("at last")).await;
    mean(&names, &[office.address]);
    until_ready(&bus, 1).await;
    assert_eq!(who(&caller).await, "at last");
}
