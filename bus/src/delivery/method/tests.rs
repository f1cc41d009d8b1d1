//! Messages to an adapter that can look up what became of an operation.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use expect_test::expect;
use passerelle_adapter::{Abilities, Adapter, Call, Descriptor, Fault, Health, Messages, async_trait};
use passerelle_proto::bus::v1::Message;

use super::*;
use crate::call::{CallLimits, Declared, Endpoint, Route, Table};
use crate::contract::fixture::contract;
use crate::contract::{Image, MemoryStore, Registration, Source};
use crate::delivery::delivery::tests::World;
use crate::keyed::clock::Manual;

const PATH: &str = "/vault.v1.Desk/Ask";

/// What it does is said by the request.
struct Vault {
    descriptor: Descriptor,
    done: Mutex<BTreeSet<String>>,
    effects: AtomicU32,
}

#[async_trait]
impl Adapter for Vault {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn abilities(&self) -> Abilities {
        Abilities { lookup: true }
    }

    async fn call(&self, call: Call) -> Result<Messages, Fault> {
        let key = call.context.idempotency_key.unwrap();
        let asked = call.messages.into_one().await?;
        let text = std::str::from_utf8(&asked[2..]).unwrap();
        if text.contains("booked") {
            self.done.lock().unwrap().insert(key);
            self.effects.fetch_add(1, Ordering::SeqCst);
        }
        match text {
            text if text.ends_with("hangs") => std::future::pending().await,
            text if text.ends_with("broken") => Err(Fault::unknown("the line broke")),
            text if text.ends_with("away") => Err(Fault::unavailable("the vault is closed")),
            _ => Ok(Messages::one(Bytes::new())),
        }
    }

    async fn lookup(&self, key: &str) -> Result<Lookup, Fault> {
        let is_done = self.done.lock().unwrap().contains(key);
        Ok(if is_done { Lookup::Done(Bytes::new()) } else { Lookup::NotDone })
    }

    async fn health(&self) -> Health {
        Health::Ready
    }

    async fn drain(&self, _: Duration) {}
}

/// A method of the vault; the vault itself.
fn vault() -> (Arc<Method>, Arc<Vault>) {
    let clock = Arc::new(Manual::at_seconds(1_000));
    let registry = Registry::open(Arc::new(MemoryStore::default())).unwrap();
    let image = Image::decode(contract("vault.v1", "string text = 1;")).unwrap();
    let at = std::time::SystemTime::UNIX_EPOCH;
    let registration = Registration {
        name: None,
        image,
        source: Source::Settings("vault".to_owned()),
        binding: None,
        override_reason: None,
        at,
    };
    registry.add(registration).unwrap();
    let descriptor = Descriptor { kind: "vault", contracts: vec![], idempotent: vec![], behind: vec![] };
    let vault = Arc::new(Vault { descriptor, done: Mutex::default(), effects: AtomicU32::new(0) });
    let endpoint = Arc::new(Endpoint::adapter("vault", vault.clone(), Declared::nothing(clock.clone())));
    let gateway = Gateway::new(CallLimits { message_bytes: 1 << 20, default_timeout: None }, None);
    let snapshot = registry.snapshot();
    gateway.replace(Table::new([Route::serving(snapshot.method(PATH).unwrap(), endpoint)]));
    let method = Method {
        delivery: "crm".to_owned(),
        path: PATH.to_owned(),
        timeout: Duration::from_millis(100),
        channel_key: HeaderName::from_static("passerelle-channel"),
        gateway: Arc::new(gateway),
        registry: Arc::new(registry),
        clock,
    };
    (Arc::new(method), vault)
}

fn message(id: &str, text: &str) -> Message {
    let data = format!("{{\"text\": \"{text}\"}}").into();
    Message { id: id.to_owned(), customer: id.to_owned(), data, ..Message::default() }
}

#[tokio::test]
async fn an_answer_that_was_lost_is_looked_up() {
    let (method, vault) = vault();
    let world = World::new();
    let texts = ["booked", "booked, broken", "booked, hangs", "broken", "hangs", "away"];
    world.publish(texts.iter().zip(1..).map(|(text, id)| message(&id.to_string(), text)).collect()).await;
    let running = world.start().await;
    let mut said = String::new();
    for text in texts {
        let mut parcel = running.take().await;
        said += &format!("{text}: {:?}\n", method.attempt(&mut parcel).await);
        parcel.settle(Outcome::Delivered);
    }
    assert_eq!(vault.effects.load(Ordering::SeqCst), 3);
    expect![[r#"
        booked: Delivered
        booked, broken: Delivered
        booked, hangs: Delivered
        broken: Unavailable { retry_after: None, is_open: false, why: "UNAVAILABLE: the line broke; it was looked up: it had no effect, and can be asked for again under the same key" }
        hangs: Failed { retry_after: None, why: "DEADLINE_EXCEEDED: vault did not answer within the deadline; it was looked up: it had no effect" }
        away: Unavailable { retry_after: None, is_open: false, why: "UNAVAILABLE: the vault is closed" }
    "#]].assert_eq(&said);
}

#[tokio::test]
async fn an_attempt_that_the_bus_did_not_survive_is_looked_up_before_the_next() {
    let (method, vault) = vault();
    let world = World::new();
    world.publish(vec![message("1", "booked"), message("2", "booked")]).await;
    let running = world.start().await;
    let (mut called, mut begun) = (running.take().await, running.take().await);
    assert_eq!(method.attempt(&mut called).await, Outcome::Delivered);
    begun.begin().await;
    // A crash leaves no time to say what became of them.
    std::mem::forget((called, begun));
    running.crash().await;
    let running = world.start().await;
    for _ in 0..2 {
        let mut parcel = running.take().await;
        assert!(parcel.was_begun());
        assert_eq!(method.attempt(&mut parcel).await, Outcome::Delivered);
        parcel.settle(Outcome::Delivered);
    }
    assert_eq!(vault.effects.load(Ordering::SeqCst), 2, "the first one was found, the second one was called");
}

#[tokio::test]
async fn where_nobody_serves_the_method_nothing_is_lost() {
    let (method, _) = vault();
    method.gateway.replace(Table::default());
    let world = World::new();
    world.publish(vec![message("1", "booked")]).await;
    let running = world.start().await;
    let mut parcel = running.take().await;
    let why = "vault.v1.Desk/Ask: no endpoint of this bus serves the method now".to_owned();
    let outcome = Outcome::Unavailable { retry_after: None, is_open: false, why };
    assert_eq!(method.attempt(&mut parcel).await, outcome);
    parcel.settle(outcome);
}
