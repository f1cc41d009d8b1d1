//! What is kept, and what is the same read.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue};

use super::answer::Answer;
use super::kept::Kept;
use super::key::{Key, key};
use crate::call::{Body, Declared, Endpoint, OutlierSettings, Remote, RemoteSettings, Resolve, Route, Streaming};
use crate::keyed::clock::Manual;

/// No runtime is needed where nothing is watched.
fn never() -> OutlierSettings {
    let mut settings = OutlierSettings::default();
    settings.success_rate.enforcement_percentage = 0;
    settings.failure_percentage.enforcement_percentage = 0;
    settings
}

#[derive(Debug)]
struct NoNames;

#[tonic::async_trait]
impl Resolve for NoNames {
    async fn resolve(&self, host: &str, _port: u16) -> io::Result<Vec<SocketAddr>> {
        Err(io::Error::other(host))
    }
}

fn route(path: &str, contract: &str) -> Route {
    let settings = RemoteSettings {
        addresses: vec![],
        tls: None,
        server_name: None,
        connections_per_address: 1,
        connect_timeout: Duration::from_secs(1),
        metadata_bytes: 1024,
        resolver: Arc::new(NoNames),
        resolve_every: Duration::from_secs(3600),
        health_service: None,
        outlier: never(),
    };
    let remote = Remote::open("office", &settings).unwrap();
    let endpoint = Endpoint::remote(remote, Declared::nothing(Arc::new(Manual::at_seconds(0))));
    Route::new(path, Streaming { client: false, server: false }, Arc::new(endpoint)).contract(contract.to_owned())
}

fn metadata(text: &[(&'static str, &'static str)]) -> HeaderMap {
    text.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
}

#[test]
fn everything_but_the_way_of_a_call_makes_another_read() {
    let route = route("/a.B/C", "a@1");
    let of = |text: &[_]| key(&route, None, &metadata(text), b"message");
    let plain = of(&[]);
    for travel in [("grpc-timeout", "1S"), ("traceparent", "00-1"), ("cache-control", "max-age=3"), ("te", "trailers")] {
        assert_eq!(of(&[travel]), plain, "{travel:?}");
    }
    let others = [
        ("authorization", "one"),
        ("authorization", "two"),
        ("accept-language", "fr"),
        ("passerelle-channel", "web"),
        ("grpc-accept-encoding", "gzip"),
        ("customer", "17"),
        ("idempotency-key", "k"),
        ("x", "authorization"),
    ];
    let mut keys: Vec<Key> = others.iter().map(|one| of(&[*one])).collect();
    keys.extend([plain, key(&route, None, &HeaderMap::new(), b"another message")]);
    keys.extend(
        [("/a.B/D", "a@1"), ("/a.B/C", "a@2")]
            .map(|(path, contract)| key(&super::tests::route(path, contract), None, &HeaderMap::new(), b"message")),
    );
    let count = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), count);
}

#[test]
fn declared_metadata_narrows_the_key_but_never_to_another_caller() {
    let route = route("/a.B/C", "a@1");
    let vary = [HeaderName::from_static("accept-language")];
    let of = |text: &[_]| key(&route, Some(&vary), &metadata(text), b"message");
    assert_eq!(of(&[("passerelle-channel", "web"), ("user-agent", "x")]), of(&[]));
    for who in ["authorization", "proxy-authorization", "cookie", "content-type", "grpc-encoding", "accept-language"] {
        assert_ne!(of(&[(who, "x")]), of(&[]), "{who}");
        assert_ne!(of(&[(who, "x")]), of(&[(who, "y")]), "{who}");
    }
}

#[test]
fn the_order_of_metadata_says_nothing_and_that_of_its_values_may() {
    let route = route("/a.B/C", "a@1");
    let of = |text: &[_]| {
        let mut headers = HeaderMap::new();
        text.iter().for_each(|(name, value): &(&'static str, &'static str)| {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        });
        key(&route, None, &headers, b"")
    };
    assert_eq!(of(&[("a", "1"), ("b", "2")]), of(&[("b", "2"), ("a", "1")]));
    assert_ne!(of(&[("a", "1"), ("a", "2")]), of(&[("a", "2"), ("a", "1")]));
    assert_ne!(of(&[("a", "1"), ("b", "2")]), of(&[("a", "2"), ("b", "1")]));
}

async fn answer(size: usize) -> Arc<Answer> {
    let data = http_body_util::Full::new(bytes::Bytes::from(vec![0; size]));
    let body = Body::Own(tonic::body::Body::new(data));
    Arc::new(Answer::read(http::Response::new(body)).await.unwrap())
}

fn named(name: &str) -> Key {
    name.as_bytes().into()
}

#[tokio::test]
async fn an_answer_is_kept_from_the_time_of_its_call_and_never_longer_than_its_tolerance() {
    let (start, second) = (Instant::now(), Duration::from_secs(1));
    let mut kept = Kept::new(1 << 20);
    kept.keep(&named("a"), &answer(10).await, start, 5 * second, start + 3 * second);
    let age = |kept: &Kept, at, oldest| kept.find(&named("a"), start + at, oldest).map(|(_, age)| age);
    assert_eq!(age(&kept, 3 * second, 5 * second), Some(3 * second));
    assert_eq!(age(&kept, 5 * second - Duration::from_nanos(1), 5 * second), Some(5 * second - Duration::from_nanos(1)));
    assert_eq!(age(&kept, 5 * second, 5 * second), None);
    assert_eq!(age(&kept, 3 * second, 2 * second), None, "the caller wants a younger one");
    assert_eq!(kept.size(start + 5 * second), (0, 0));
    kept.keep(&named("a"), &answer(10).await, start, 5 * second, start + 5 * second);
    assert_eq!(kept.size(start + 5 * second), (0, 0), "it came too late to be kept");
}

#[tokio::test]
async fn the_younger_of_two_answers_is_kept_whichever_comes_first() {
    let (start, second) = (Instant::now(), Duration::from_secs(1));
    let (old, young) = (answer(1).await, answer(2).await);
    for order in [[(&old, 0), (&young, 1)], [(&young, 1), (&old, 0)]] {
        let mut kept = Kept::new(1 << 20);
        order
            .iter()
            .for_each(|(answer, began)| kept.keep(&named("a"), answer, start + *began * second, 9 * second, start + 2 * second));
        let (found, age) = kept.find(&named("a"), start + 2 * second, 9 * second).unwrap();
        assert!(Arc::ptr_eq(&found, &young));
        assert_eq!(age, second);
    }
}

#[tokio::test]
async fn what_is_kept_stays_within_its_bytes_and_what_ends_first_makes_room() {
    let (start, second) = (Instant::now(), Duration::from_secs(1));
    let mut kept = Kept::new(64 * 1024);
    kept.keep(&named("large"), &answer(5000).await, start, second, start);
    assert_eq!(kept.size(start), (0, 0), "more than a sixteenth is not kept");
    for index in 0..1000_u32 {
        let tolerance = if index == 7 { 5000 * second } else { (10 + index) * second };
        kept.keep(&named(&index.to_string()), &answer(500).await, start, tolerance, start);
        assert!(kept.size(start).1 <= 64 * 1024);
    }
    let (answers, bytes) = kept.size(start);
    assert!((40..=64).contains(&answers), "{answers} answers in {bytes} bytes");
    let is_kept = |index: u32| kept.find(&named(&index.to_string()), start, 9000 * second).is_some();
    assert!(is_kept(999) && is_kept(980) && !is_kept(1) && is_kept(7));
    assert_eq!(kept.size(start + 5000 * second), (0, 0));
}
