//! Calls whose routes look into their first message: when it comes late, in pieces, not at all, or not as it should be.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::{BufMut, Bytes, BytesMut};
use h2::RecvStream;
use http::{HeaderName, Request};
use passerelle_bus::call::{Choice, Route, Table};
use passerelle_bus::contract::{Binding, CHANNEL_HEADER, Image, MemoryStore, Registration, Registry, Source};
use passerelle_bus::keyed::clock::Manual;
use passerelle_bus::route::{Set, Sources, Surroundings};
use passerelle_bus::written::Text;

use super::bus::{Bus, remote};
use super::caller::{Answer, Caller, request, soon, whole, with};
use super::office::{Office, Respond, head, outcome, read_all, send_all};

const ASK: &str = "/test.v1.Desk/Ask";
const FOLLOW: &str = "/test.v1.Desk/Follow";
const CONTRACT: &str = "syntax = \"proto3\"; package test.v1; message Asked { string name = 1; bytes rest = 2; } \
    service Desk { rpc Ask(Asked) returns (Asked); rpc Follow(stream Asked) returns (stream Asked); }";
const ROUTES: &str = "
from: [test.v1.Desk/Ask, test.v1.Desk/Follow]
routes:
  - { name: south, when: request.name = \"south\", to: { endpoint: south } }
";

/// A bus before two offices, each of which answers with its name before the request.
async fn bus() -> (Bus, Office, Office) {
    let north = Office::start(|request, respond| named("north", request, respond)).await;
    let south = Office::start(|request, respond| named("south", request, respond)).await;
    let bus = Bus::before(&[north.address]).await;
    bus.gateway.replace(table(&north, &south));
    (bus, north, south)
}

async fn named(name: &'static str, request: Request<RecvStream>, mut respond: Respond) {
    let Ok((body, _)) = read_all(&mut request.into_body()).await else { return };
    let Ok(mut stream) = respond.send_response(head(), false) else { return };
    let answer = framed(&[name.as_bytes(), &body].concat());
    if send_all(&mut stream, answer, 16 * 1024).await.is_ok() {
        let _ = stream.send_trailers(outcome(0));
    }
}

fn table(north: &Office, south: &Office) -> Table {
    let registry = Registry::open(Arc::new(MemoryStore::default())).unwrap();
    let files = protox::Compiler::with_file_resolver(Only(CONTRACT))
        .include_imports(true)
        .open_file("desk.proto")
        .unwrap()
        .encode_file_descriptor_set();
    let image = Image::decode(files).unwrap();
    let binding = Some(Binding::Endpoint("north".to_owned()));
    let source = Source::Upload("desk.proto".to_owned());
    let at = SystemTime::UNIX_EPOCH;
    registry.add(Registration { name: None, image, source, binding, override_reason: None, at }).unwrap();
    let snapshot = registry.snapshot();
    let sources = Sources::read(vec![Text { name: "desk.yaml".to_owned(), text: ROUTES.to_owned() }]).unwrap();
    let around = Surroundings {
        snapshot: &snapshot,
        endpoints: &["north", "south"].map(str::to_owned),
        channel_key: &HeaderName::from_static(CHANNEL_HEADER),
        clock: Arc::new(Manual::at_seconds(0)),
    };
    let set = Set::compile(&sources, &around).unwrap();
    let (north, south) = (Arc::new(remote(&[north.address])), Arc::new(remote(&[south.address])));
    Table::new(snapshot.methods().map(|method| {
        let rules = set.rules(&method.path).unwrap();
        let goals = rules.goals().iter().map(|_| Arc::new(Route::serving(method, south.clone()))).collect();
        Route::serving(method, north.clone()).choosing(Some(Choice::Rules(rules.clone(), goals)))
    }))
}

struct Only(&'static str);

impl protox::file::FileResolver for Only {
    fn open_file(&self, name: &str) -> Result<protox::file::File, protox::Error> {
        protox::file::File::from_source(name, self.0)
    }
}

fn framed(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::from(&[0][..]);
    frame.put_u32(message.len() as u32);
    frame.extend_from_slice(message);
    frame.freeze()
}

/// A message with this name, and so many bytes besides, which come first.
fn asked(name: &str, rest: usize) -> Bytes {
    let mut message = BytesMut::new();
    prost::encoding::bytes::encode(2, &vec![7_u8; rest], &mut message);
    prost::encoding::string::encode(1, &name.to_owned(), &mut message);
    framed(&message)
}

/// Who answered, and what else was answered.
fn told(answer: &Answer) -> (String, &[u8]) {
    assert_eq!(answer.code(), 0, "{}", answer.message());
    (String::from_utf8(answer.body[5..10].to_vec()).unwrap(), &answer.body[10..])
}

#[tokio::test]
async fn messages_of_every_size_arrive_as_they_were_sent() {
    let (bus, _north, _south) = bus().await;
    let caller = Caller::connect(bus.address).await;
    for rest in [0, 1, 16_370, 70_000, 300_000, 3 << 20] {
        for name in ["north", "south"] {
            let body = asked(name, rest);
            let answer = caller.call(ASK, body.clone()).await;
            assert!(told(&answer) == (name.to_owned(), body.as_ref()), "{name}, {rest} bytes");
        }
    }
}

#[tokio::test]
async fn a_stream_is_routed_by_its_first_message_and_all_others_follow() {
    let (bus, _north, _south) = bus().await;
    let caller = Caller::connect(bus.address).await;
    let body = [asked("south", 10), asked("north", 70_000), asked("south", 0)].concat();
    let answer = caller.call(FOLLOW, body.clone()).await;
    assert!(told(&answer) == ("south".to_owned(), body.as_slice()));
    // Without a message there is nothing that a condition could hold for.
    let answer = caller.call(FOLLOW, Bytes::new()).await;
    assert_eq!(told(&answer), ("north".to_owned(), &[][..]));
}

#[tokio::test]
async fn a_message_that_comes_byte_by_byte_is_waited_for() {
    let (bus, _north, _south) = bus().await;
    let caller = Caller::connect(bus.address).await;
    let (response, mut stream) = caller.start(request(ASK)).await;
    let body = asked("south", 0);
    for (at, byte) in body.iter().enumerate() {
        stream.send_data(Bytes::copy_from_slice(&[*byte]), at + 1 == body.len()).unwrap();
        tokio::task::yield_now().await;
    }
    let answer = soon(whole(response)).await.unwrap();
    assert_eq!(told(&answer), ("south".to_owned(), body.as_ref()));
}

#[tokio::test]
async fn what_cannot_be_looked_into_is_refused_with_a_reason() {
    let (bus, _north, _south) = bus().await;
    let caller = Caller::connect(bus.address).await;
    let compressed = Bytes::from_static(&[1, 0, 0, 0, 1, 0]);
    let cases: [(Bytes, i32, &str); 4] = [
        (framed(&[0x0a, 9, b'x']), 3, "the request message is malformed: a field is longer than what is left (at byte 2)"),
        (framed(b"abcdef").slice(..8), 3, "the request ends in the middle of a message"),
        (compressed, 12, "messages that are routed by their content must not be compressed; accepted is identity"),
        (Bytes::from_static(&[0, 0xff, 0, 0, 0]), 8, "a message of 4278190080 bytes is over the limit of 4194304 bytes"),
    ];
    for (body, code, message) in cases {
        let answer = caller.call(ASK, body).await;
        assert_eq!((answer.code(), answer.message().as_str()), (code, message));
    }
    // The connection goes on.
    assert_eq!(told(&caller.call(ASK, asked("south", 0)).await).0, "south");
}

#[tokio::test]
async fn a_message_that_does_not_come_in_time_ends_the_call() {
    let (bus, _north, _south) = bus().await;
    let caller = Caller::connect(bus.address).await;
    let timed = with(request(ASK), "grpc-timeout", "50m");
    let (response, mut stream) = caller.start(timed).await;
    stream.send_data(asked("south", 100).slice(..20), false).unwrap();
    let answer = soon(whole(response)).await.unwrap();
    assert_eq!((answer.code(), answer.message().as_str()), (4, "the request was not sent within the deadline"));
    // Who goes away meanwhile leaves nothing behind.
    let (response, stream) = caller.start(request(ASK)).await;
    drop((response, stream));
    let gone = async {
        while bus.in_flight().await > 0 {
            tokio::time::timeout(Duration::from_millis(1), std::future::pending::<()>()).await.unwrap_err();
        }
    };
    soon(gone).await;
}

#[tokio::test]
async fn a_method_whose_routes_do_not_fit_is_closed() {
    let (bus, north, _south) = bus().await;
    let route =
        Route::new(ASK, passerelle_bus::call::Streaming { client: false, server: false }, Arc::new(remote(&[north.address])));
    bus.gateway.replace(Table::new([route.choosing(Some(Choice::Unusable))]));
    let answer = Caller::connect(bus.address).await.call(ASK, asked("north", 0)).await;
    assert_eq!(answer.code(), 9);
    assert!(answer.message().contains("test.v1.Desk/Ask do not fit the contract"), "{}", answer.message());
}
