//! What breaks between the adapter and a real server, and what a crash leaves in a folder.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use bytes::Bytes;
use passerelle_adapter::{Adapter, Call, Context, Fault, Health, Lookup, Messages};
use passerelle_peers::Webdav;
use passerelle_proto::backoffice::documents::v1::{self as contract, store_request::What};
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::place::{folder, open};

/// What the way to the server does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Way {
    /// Carries everything.
    Open,
    /// Carries the next effect to the server, and its answer nowhere.
    LosesAnswer,
    /// As before, and lets nobody through afterwards.
    LosesAnswerAndCloses,
    /// Takes the next effect, carries it nowhere, and lets nobody through afterwards.
    LosesRequestAndCloses,
    /// Lets nobody through.
    Closed,
}

/// A way to a server that can break at the worst moment.
struct Proxy {
    address: SocketAddr,
    way: Arc<AtomicU8>,
}

impl Proxy {
    /// `effect` is the verb at which it breaks.
    async fn to(server: SocketAddr, effect: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a port");
        let way = Arc::new(AtomicU8::new(Way::Open as u8));
        let shared = way.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if shared.load(Ordering::SeqCst) != Way::Closed as u8 {
                    tokio::spawn(carry(client, server, effect, shared.clone()));
                }
            }
        });
        Self { address, way }
    }

    fn now(&self, way: Way) {
        self.way.store(way as u8, Ordering::SeqCst);
    }

    async fn adapter(&self) -> Arc<dyn Adapter> {
        let credentials = "credentials: { user: \"${env:USER}\", password: \"${env:PASSWORD}\" }";
        let text = format!("driver: webdav\nwebdav: {{ url: \"http://{}/\", {credentials} }}\n", self.address);
        open(std::path::Path::new(""), &text).await.expect("it opens")
    }
}

async fn carry(mut client: TcpStream, server: SocketAddr, effect: &str, way: Arc<AtomicU8>) {
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let (mut out, mut back) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    let mut answer_is_lost = false;
    loop {
        tokio::select! {
            read = client.read(&mut out) => {
                let Ok(length @ 1..) = read else { return };
                let breaks = out[..length].starts_with(format!("{effect} ").as_bytes()).then(|| way.load(Ordering::SeqCst));
                match breaks {
                    Some(now) if now == Way::LosesRequestAndCloses as u8 => {
                        way.store(Way::Closed as u8, Ordering::SeqCst);
                        return;
                    }
                    Some(now) if now == Way::LosesAnswer as u8 || now == Way::LosesAnswerAndCloses as u8 => {
                        let next = if now == Way::LosesAnswer as u8 { Way::Open } else { Way::Closed };
                        way.store(next as u8, Ordering::SeqCst);
                        answer_is_lost = true;
                    }
                    _ => {}
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

fn reference() -> Option<contract::Reference> {
    Some(contract::Reference { folder: "C-4711".to_owned(), name: "letter.pdf".to_owned() })
}

async fn ask<A: Message + Default>(
    adapter: &Arc<dyn Adapter>,
    method: &str,
    messages: Vec<Bytes>,
    key: Option<&str>,
) -> Result<A, Fault> {
    let messages = match <[Bytes; 1]>::try_from(messages) {
        Ok([one]) => Messages::one(one),
        Err(many) => Messages::many(tokio_stream::iter(many.into_iter().map(Ok))),
    };
    let context = Context { idempotency_key: key.map(str::to_owned), ..Context::default() };
    let method = format!("passerelle.backoffice.documents.v1.Documents/{method}");
    let answer = adapter.call(Call { method, messages, context }).await?.into_one().await?;
    Ok(A::decode(answer).expect("an answer of the contract"))
}

async fn store(adapter: &Arc<dyn Adapter>, content: &'static str, key: Option<&str>) -> Result<contract::Document, Fault> {
    let start = contract::Start { reference: reference(), ..Default::default() };
    let message = |what| contract::StoreRequest { what: Some(what) }.encode_to_vec().into();
    let messages = vec![message(What::Start(start)), message(What::Chunk(Bytes::from_static(content.as_bytes())))];
    let answer: contract::StoreResponse = ask(adapter, "Store", messages, key).await?;
    Ok(answer.document.expect("a document"))
}

async fn get(adapter: &Arc<dyn Adapter>) -> Result<contract::Document, Fault> {
    let request = contract::GetRequest { reference: reference(), version: String::new() }.encode_to_vec().into();
    let answer: contract::GetResponse = ask(adapter, "Get", vec![request], None).await?;
    Ok(answer.document.expect("a document"))
}

async fn delete(adapter: &Arc<dyn Adapter>, key: Option<&str>) -> Result<(), Fault> {
    let request = contract::DeleteRequest { reference: reference(), version: String::new() }.encode_to_vec().into();
    ask::<contract::DeleteResponse>(adapter, "Delete", vec![request], key).await.map(drop)
}

#[tokio::test]
async fn an_answer_that_is_lost_on_the_way_is_found_out_by_looking() {
    for server in [Webdav::wsgidav(), Webdav::apache()].into_iter().flatten() {
        let way = Proxy::to(server.address(), "MOVE").await;
        let adapter = way.adapter().await;
        let first = store(&adapter, "one", None).await.expect("it is stored");
        way.now(Way::LosesAnswer);
        let second = store(&adapter, "two", None).await.expect("it was stored, and that was seen");
        assert!(second.version != first.version && get(&adapter).await == Ok(second));
    }
}

#[tokio::test]
async fn an_effect_that_may_have_happened_is_unknown_until_it_is_looked_up() {
    for server in [Webdav::wsgidav(), Webdav::apache()].into_iter().flatten() {
        for lost in [Way::LosesAnswerAndCloses, Way::LosesRequestAndCloses] {
            let way = Proxy::to(server.address(), "MOVE").await;
            let adapter = way.adapter().await;
            let before = repeated(async || store(&adapter, "before", None).await).await;
            let key = format!("{lost:?}");
            way.now(lost);
            let fault = store(&adapter, "after", Some(&key)).await.expect_err("nobody can tell");
            assert!(matches!(fault, Fault::Unknown { .. }), "{lost:?}: {fault:?}");
            way.now(Way::Open);
            match (lost, adapter.lookup(&key).await.expect("it can be looked up")) {
                (Way::LosesAnswerAndCloses, Lookup::Done(answer)) => {
                    let answer = contract::StoreResponse::decode(answer).expect("an answer of the contract");
                    assert_eq!(answer.document, get(&adapter).await.ok());
                }
                (Way::LosesRequestAndCloses, Lookup::NotDone) => assert_eq!(get(&adapter).await, Ok(before)),
                (lost, looked) => panic!("{lost:?}: {looked:?}"),
            }
            let again = repeated(async || store(&adapter, "after", Some(&key)).await).await;
            assert_eq!(get(&adapter).await.as_ref(), Ok(&again));
            assert_eq!(store(&adapter, "after", Some(&key)).await, Ok(again));
        }
    }
}

#[tokio::test]
async fn a_removal_that_may_have_happened_is_looked_up_too() {
    for server in [Webdav::wsgidav(), Webdav::apache()].into_iter().flatten() {
        for lost in [Way::LosesAnswerAndCloses, Way::LosesRequestAndCloses] {
            let way = Proxy::to(server.address(), "DELETE").await;
            let adapter = way.adapter().await;
            repeated(async || store(&adapter, "one", None).await).await;
            let key = format!("delete {lost:?}");
            way.now(lost);
            let fault = delete(&adapter, Some(&key)).await.expect_err("nobody can tell");
            assert!(matches!(fault, Fault::Unknown { .. }), "{lost:?}: {fault:?}");
            way.now(Way::Open);
            let looked = adapter.lookup(&key).await.expect("it can be looked up");
            let expected = if lost == Way::LosesAnswerAndCloses { Lookup::Done(Bytes::new()) } else { Lookup::NotDone };
            assert_eq!(looked, expected, "{lost:?}");
            repeated(async || delete(&adapter, Some(&key)).await).await;
            assert!(get(&adapter).await.is_err());
        }
    }
}

/// Asks again under the same key while the lock of the first try, which the cut left behind, is in the way.
async fn repeated<T>(ask: impl AsyncFn() -> Result<T, Fault>) -> T {
    let mut turn = tokio::time::interval(Duration::from_millis(500));
    loop {
        turn.tick().await;
        match ask().await {
            Ok(answer) => return answer,
            Err(Fault::Unavailable { .. }) => {}
            Err(fault) => panic!("{fault:?}"),
        }
    }
}

#[tokio::test]
async fn what_other_clients_bring_is_a_document_too_and_a_change_of_theirs_is_seen() {
    for server in [Webdav::wsgidav(), Webdav::apache()].into_iter().flatten() {
        let adapter = Proxy::to(server.address(), "MOVE").await.adapter().await;
        let ours = store(&adapter, "ours", None).await.expect("it is stored");
        let folder = server.documents().join("C-4711");
        std::fs::write(folder.join("letter.pdf"), "theirs, and longer").expect("a file of the server");
        std::fs::write(folder.join("scan 1.txt"), "scanned").expect("a file of the server");
        let theirs = get(&adapter).await.expect("it is there");
        assert!(theirs.version != ours.version && theirs.size_bytes == 18);
        let request = contract::ListRequest { folder: "C-4711".to_owned(), ..Default::default() };
        let list: contract::ListResponse =
            ask(&adapter, "List", vec![request.encode_to_vec().into()], None).await.expect("a list");
        let scan = list.documents.iter().find(|found| found.reference.as_ref().is_some_and(|found| found.name == "scan 1.txt"));
        assert_eq!(scan.map(|scan| (scan.size_bytes, scan.metadata.len())), Some((7, 0)));
    }
}

#[tokio::test]
async fn a_server_that_is_away_or_does_not_know_us_is_said_without_a_secret() {
    for server in [Webdav::wsgidav(), Webdav::apache()].into_iter().flatten() {
        let wrong = "credentials: { user: \"${env:USER}\", password: \"${env:WRONG}\" }";
        let text = format!("driver: webdav\nwebdav: {{ url: \"http://{}/\", {wrong} }}\n", server.address());
        let adapter = open(std::path::Path::new(""), &text).await.expect("it opens");
        let fault = get(&adapter).await.expect_err("it is not let in");
        assert!(matches!(fault, Fault::Unauthenticated { .. }), "{fault:?}");
        let health = adapter.health().await;
        drop(server);
        let away = get(&adapter).await.expect_err("nobody is there");
        assert!(matches!(away, Fault::Unavailable { .. }), "{away:?}");
        let said = format!("{fault:?} {health:?} {away:?} {:?}", adapter.descriptor());
        assert!(matches!(health, Health::Down { .. }) && !said.contains("not-the-password") && !said.contains("Basic"), "{said}");
    }
}

#[tokio::test]
async fn a_server_is_spoken_to_by_tls_if_its_certificate_is_trusted() {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let stranger = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let Some(server) = Webdav::apache_with_tls(&certified.cert.pem(), &certified.signing_key.serialize_pem()) else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let adapter = async |ca: &str| {
        std::fs::write(folder.path().join("ca.pem"), ca).expect("a certificate is written");
        let credentials = "credentials: { user: \"${env:USER}\", password: \"${env:PASSWORD}\" }";
        let tls = "tls: { ca: ca.pem, server_name: localhost }";
        let text = format!("driver: webdav\nwebdav: {{ url: \"https://{}/\", {tls}, {credentials} }}\n", server.address());
        open(folder.path(), &text).await.expect("it opens")
    };
    let trusting = adapter(&certified.cert.pem()).await;
    let stored = store(&trusting, "over tls", Some("key")).await.expect("it is stored");
    assert_eq!(get(&trusting).await, Ok(stored));
    let distrusting = adapter(&stranger.cert.pem()).await;
    let fault = get(&distrusting).await.expect_err("it is not trusted");
    assert!(matches!(&fault, Fault::Unavailable { message, .. } if message.contains("TLS")), "{fault:?}");
}

#[tokio::test]
async fn what_a_crash_left_in_a_folder_is_swept_and_the_rest_is_kept() {
    let place = folder().await;
    let stored = store(&place.adapter, "kept", Some("key")).await.expect("it is stored");
    drop(place.adapter);
    let documents = place.folder.path().join("documents");
    let left = [documents.join("uploads/half"), documents.join("content/00/orphan")];
    for path in &left {
        std::fs::create_dir_all(path.parent().expect("a folder")).and_then(|()| std::fs::write(path, "x")).expect("a file");
    }
    let again = super::place::folder_in(place.folder).await;
    assert_eq!(get(&again.adapter).await, Ok(stored.clone()));
    assert!(!left.iter().any(|path| path.exists()), "what nobody knows of is still there");
    assert_eq!(store(&again.adapter, "kept", Some("key")).await, Ok(stored), "the key is remembered");
}

#[tokio::test]
async fn a_folder_belongs_to_one_adapter_at_a_time() {
    let place = folder().await;
    assert_eq!(place.adapter.health().await, Health::Ready);
    let other = open(place.folder.path(), "driver: folder\nfolder: { path: documents }\n").await.expect("it opens");
    assert!(matches!(other.health().await, Health::Down { reason } if reason.contains("another running adapter")));
    drop(place.adapter);
    assert_eq!(other.health().await, Health::Ready);
}

#[tokio::test]
async fn the_oldest_versions_go_when_there_are_too_many() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let adapter = open(folder.path(), "driver: folder\nfolder: { path: documents, versions: 2 }\n").await.expect("it opens");
    for content in ["one", "two", "three"] {
        store(&adapter, content, None).await.expect("it is stored");
    }
    let request = contract::ListVersionsRequest { reference: reference() }.encode_to_vec().into();
    let kept: contract::ListVersionsResponse = ask(&adapter, "ListVersions", vec![request], None).await.expect("a list");
    assert_eq!(kept.versions.iter().map(|version| version.size_bytes).collect::<Vec<_>>(), [5, 3]);
    delete(&adapter, None).await.expect("it is removed");
    let shelves = std::fs::read_dir(folder.path().join("documents/content")).expect("contents");
    let files: usize = shelves.map(|shelf| std::fs::read_dir(shelf.expect("a shelf").path()).expect("a shelf").count()).sum();
    assert_eq!(files, 0, "what is removed is gone from the disk");
}
