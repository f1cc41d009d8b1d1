//! The health that servers tell of themselves (gRFC A17) decides whether they get calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use h2::RecvStream;
use http::Request;
use passerelle_bus::call::{AddressState, PolicySettings, RemoteSettings};
use tokio::sync::watch;

use super::addresses::named;
use super::bus::{Bus, UNARY, reached, settings};
use super::caller::{Caller, message, soon};
use super::office::{Office, Respond, head, outcome, read_all};

const WATCH: &str = "/grpc.health.v1.Health/Watch";

/// What the server does with the watchers of its health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    /// Tells this status.
    Says(u8),
    /// Says nothing at all.
    Silent,
    /// Ends the stream with this code.
    Ends(i32),
    /// Speaks no gRPC there.
    Html,
}

struct Watched {
    office: Office,
    health: watch::Sender<Health>,
    watches: Arc<AtomicUsize>,
    asked: watch::Receiver<Vec<u8>>,
}

impl Watched {
    async fn start(health: Health) -> Self {
        let (health, told) = watch::channel(health);
        let (ask, asked) = watch::channel(Vec::new());
        let watches = Arc::new(AtomicUsize::new(0));
        let counted = watches.clone();
        let office = Office::start(move |request: Request<RecvStream>, respond: Respond| {
            let (told, counted, ask) = (told.clone(), counted.clone(), ask.clone());
            async move {
                if request.uri().path() != WATCH {
                    return named("well")(request, respond).await;
                }
                counted.fetch_add(1, Ordering::SeqCst);
                ask.send_replace(read_all(&mut request.into_body()).await.unwrap().0);
                tell(told, respond).await;
            }
        })
        .await;
        Self { office, health, watches, asked }
    }

    async fn bus(&self) -> Bus {
        let settings = RemoteSettings {
            health_service: Some("cards".to_owned()),
            connect_timeout: std::time::Duration::from_millis(300),
            ..settings(&[self.office.address])
        };
        Bus::start(reached(&settings, PolicySettings::default())).await
    }
}

async fn tell(mut told: watch::Receiver<Health>, mut respond: Respond) {
    if *told.borrow() == Health::Html {
        let response = http::Response::builder().status(404).header("content-type", "text/html").body(()).unwrap();
        respond.send_response(response, true).unwrap();
        return;
    }
    let mut stream = respond.send_response(head(), false).unwrap();
    loop {
        let health = *told.borrow_and_update();
        match health {
            Health::Says(status) => {
                if stream.send_data(Bytes::from(vec![0, 0, 0, 0, 2, 8, status]), false).is_err() {
                    return;
                }
            }
            Health::Ends(code) => {
                let _ = stream.send_trailers(outcome(code));
                return;
            }
            Health::Silent | Health::Html => {}
        }
        if told.changed().await.is_err() {
            return;
        }
    }
}

async fn until(bus: &Bus, state: AddressState) -> String {
    soon(async {
        loop {
            let address = bus.status().await.addresses.remove(0);
            if address.state == state {
                return address.reason;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}

#[tokio::test]
async fn calls_go_to_a_server_only_while_it_says_that_it_serves() {
    let server = Watched::start(Health::Silent).await;
    let bus = server.bus().await;
    let caller = Caller::connect(bus.address).await;
    assert_eq!(until(&bus, AddressState::NotServing).await, "no answer to its health check within 300 ms");
    assert_eq!(server.asked.borrow()[5..], *b"\x0a\x05cards");
    for _ in 0..3 {
        server.health.send_replace(Health::Says(1));
        until(&bus, AddressState::Ready).await;
        assert_eq!(caller.call(UNARY, message(1)).await.code(), 0);
        server.health.send_replace(Health::Says(2));
        assert_eq!(until(&bus, AddressState::NotServing).await, "it says that it does not serve");
        let answer = caller.call(UNARY, message(1)).await;
        assert_eq!(answer.code(), 14);
        assert!(answer.message().ends_with(": it says that it does not serve"), "{}", answer.message());
    }
    server.health.send_replace(Health::Says(3));
    soon(async {
        while until(&bus, AddressState::NotServing).await != "it does not know the service whose health is asked for" {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(server.watches.load(Ordering::SeqCst), 1, "one stream told all this");
}

#[tokio::test]
async fn a_server_that_tells_nothing_of_its_health_is_taken_for_well() {
    for health in [Health::Ends(12), Health::Html] {
        let server = Watched::start(health).await;
        let bus = server.bus().await;
        until(&bus, AddressState::Ready).await;
        assert_eq!(Caller::connect(bus.address).await.call(UNARY, message(1)).await.code(), 0);
    }
}

#[tokio::test]
async fn a_watch_that_ends_is_begun_again() {
    let server = Watched::start(Health::Ends(14)).await;
    let bus = server.bus().await;
    assert_eq!(until(&bus, AddressState::NotServing).await, "its health check ended with Unavailable");
    soon(async {
        while server.watches.load(Ordering::SeqCst) < 3 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    server.health.send_replace(Health::Says(1));
    until(&bus, AddressState::Ready).await;
    assert_eq!(Caller::connect(bus.address).await.call(UNARY, message(1)).await.code(), 0);
}

#[tokio::test]
async fn a_server_that_leaves_need_not_wait_for_the_watch() {
    let server = Watched::start(Health::Says(1)).await;
    let bus = server.bus().await;
    until(&bus, AddressState::Ready).await;
    server.office.go_away();
    soon(async {
        while server.office.connections.load(Ordering::SeqCst) < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    until(&bus, AddressState::Ready).await;
}
