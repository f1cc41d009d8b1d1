//! What breaks between the adapter and a real Tryton, and what an integrator may have written wrongly.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use passerelle_adapter::{Adapter, Call, Context, Fault, Health, Lookup, Messages};
use passerelle_peers::Tryton;
use passerelle_peers::tryton::PASSWORD;
use passerelle_proto::backoffice::customers::v1::{self as contract, Completeness, Details};
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::place::{embedded, open, tryton, tryton_at};

/// A way to a server that, once told to, carries the next effect to it and its answer nowhere.
async fn way(server: SocketAddr) -> (SocketAddr, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let (address, loses) = (listener.local_addr().expect("a port"), Arc::new(AtomicBool::new(false)));
    let shared = loses.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(carry(client, server, shared.clone()));
        }
    });
    (address, loses)
}

async fn carry(mut client: TcpStream, server: SocketAddr, loses: Arc<AtomicBool>) {
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let (mut out, mut back) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    let (mut request, mut answer_is_lost) = (Vec::new(), false);
    loop {
        tokio::select! {
            read = client.read(&mut out) => {
                let Ok(length @ 1..) = read else { return };
                request.extend_from_slice(&out[..length]);
                let is_effect = request.windows(13).any(|part| part == b"party.create\"");
                if is_effect && loses.swap(false, Ordering::SeqCst) {
                    answer_is_lost = true;
                }
                if server.write_all(&out[..length]).await.is_err() { return }
            }
            read = server.read(&mut back) => {
                let Ok(length @ 1..) = read else { return };
                if answer_is_lost || client.write_all(&back[..length]).await.is_err() { return }
            }
        }
    }
}

async fn ask<A: Message + Default>(
    adapter: &Arc<dyn Adapter>,
    method: &str,
    request: impl Message,
    key: &str,
) -> Result<A, Fault> {
    let context = Context { idempotency_key: Some(key.to_owned()).filter(|key| !key.is_empty()), ..Context::default() };
    let method = format!("passerelle.backoffice.customers.v1.Customers/{method}");
    let answer = adapter.call(Call { method, messages: Messages::one(request.encode_to_vec()), context }).await?;
    Ok(A::decode(answer.into_one().await?).expect("an answer of the contract"))
}

async fn create(adapter: &Arc<dyn Adapter>, key: &str) -> Result<contract::CreateResponse, Fault> {
    let details = Details { name: "Camille".to_owned(), ..Details::default() };
    ask(adapter, "Create", contract::CreateRequest { number: String::new(), details: Some(details) }, key).await
}

async fn describe(adapter: &Arc<dyn Adapter>) -> Result<contract::DescribeResponse, Fault> {
    ask(adapter, "Describe", contract::DescribeRequest {}, "").await
}

fn both() -> impl Iterator<Item = Tryton> {
    [Tryton::debian(), Tryton::recent()].into_iter().flatten()
}

#[tokio::test]
async fn an_answer_that_is_lost_on_the_way_is_found_out_by_looking() {
    for server in both() {
        let (address, loses) = way(server.address()).await;
        let adapter = tryton_at(address, "PASSWORD", 2_000).await;
        describe(&adapter).await.expect("it is there");
        loses.store(true, Ordering::SeqCst);
        let fault = create(&adapter, "key").await.expect_err("nobody can tell");
        assert!(matches!(fault, Fault::Unknown { .. }), "{fault:?}");
        // While the server may be at work on it, it is not said that it had no effect.
        let mut turn = tokio::time::interval(Duration::from_millis(100));
        let looked = loop {
            turn.tick().await;
            match adapter.lookup("key").await {
                Err(Fault::Unavailable { .. }) => {}
                looked => break looked.expect("it can be looked up"),
            }
        };
        let Lookup::Done(answer) = looked else { panic!("it was done: {looked:?}") };
        let made = contract::CreateResponse::decode(answer).expect("an answer of the contract");
        assert_eq!(create(&adapter, "key").await, Ok(made.clone()), "the same answer, no second customer");
        let got: contract::GetResponse =
            ask(&adapter, "Get", contract::GetRequest { id: made.id }, "").await.expect("he is there");
        assert_eq!(got.customer.map(|customer| customer.version), Some(made.version));
    }
}

#[tokio::test]
async fn abilities_are_those_of_the_server_not_of_the_driver() {
    let declared = |described: &contract::DescribeResponse| (described.preconditions, described.deletes, described.changes());
    if let Some(server) = Tryton::recent() {
        let described = describe(&tryton(&server).await).await.expect("it is there");
        assert_eq!(declared(&described), (true, false, Completeness::NoDeletes));
        assert_eq!(described.product, "tryton party 8.2.0");
    }
    if let Some(server) = Tryton::debian() {
        // What 6.0 compares on SQLite has whole seconds only: two changes within one look the same to it.
        let described = describe(&tryton(&server).await).await.expect("it is there");
        assert_eq!(declared(&described), (false, false, Completeness::NoDeletes));
        assert!(described.product.starts_with("tryton party 6.0"), "{}", described.product);
    }
}

#[tokio::test]
async fn a_server_that_is_away_or_does_not_know_us_is_said_without_a_secret() {
    for server in both() {
        let adapter = tryton_at(server.address(), "WRONG", 30_000).await;
        let fault = describe(&adapter).await.expect_err("it is not let in");
        assert!(matches!(fault, Fault::Unauthenticated { .. }), "{fault:?}");
        let health = adapter.health().await;
        let known = tryton(&server).await;
        describe(&known).await.expect("it is there");
        drop(server);
        let away = create(&known, "key").await.expect_err("nobody is there");
        assert!(matches!(away, Fault::Unavailable { .. }), "nothing was sent: {away:?}");
        let said = format!("{fault:?} {health:?} {away:?} {:?}", adapter.descriptor());
        assert!(
            matches!(health, Health::Down { .. }) && !said.contains("not-the-password") && !said.contains(PASSWORD),
            "{said}"
        );
    }
}

#[tokio::test]
async fn a_file_belongs_to_one_adapter_at_a_time() {
    let place = embedded().await;
    assert_eq!(place.adapter.health().await, Health::Ready);
    let other = open(place.folder.path(), "driver: embedded\nembedded: { path: crm.sqlite }\n").await.expect("it opens");
    assert!(matches!(other.health().await, Health::Down { reason } if reason.contains("another running adapter")));
    drop(place.adapter);
    assert_eq!(other.health().await, Health::Ready);
}
