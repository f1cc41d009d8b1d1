//! Adapters in this process as endpoints: messages both ways, faults, limits, deadlines, cancellation.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream;
use http::HeaderMap;
use passerelle_adapter::{Abilities, Adapter, Call, Descriptor, Fault, Health, Lookup, Messages, Rejection, async_trait};
use passerelle_bus::call::Endpoint;
use tokio::sync::mpsc;

use super::bus::{BOTH, Bus, DOWNLOAD, MESSAGE_LIMIT, UNARY, UPLOAD, nothing_declared};
use super::caller::{Caller, begun, message, next, request, soon, whole, with};
use super::office::read_all;

/// An adapter whose behaviour is the call's first message.
struct Parrot {
    descriptor: Descriptor,
    told: mpsc::UnboundedSender<String>,
}

/// Tells that the call it belongs to was dropped.
struct Dropped(mpsc::UnboundedSender<String>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send("dropped".to_owned());
    }
}

#[async_trait]
impl Adapter for Parrot {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn call(&self, call: Call) -> Result<Messages, Fault> {
        let _ =
            self.told.send(format!("{} {:?} {:?}", call.method, call.context.idempotency_key, call.context.trace.traceparent));
        let dropped = Dropped(self.told.clone());
        let mut messages = call.messages;
        if call.method.ends_with("Both") {
            return Ok(messages);
        }
        let mut all = BytesMut::new();
        while let Some(message) = messages.next().await {
            // What the bus refused comes out as its own reason, whatever an adapter makes of it.
            let message = message.map_err(|_| Fault::unknown("my stream broke"))?;
            all.extend_from_slice(&message);
        }
        match &all[..] {
            b"never" => std::future::pending().await,
            b"huge" => Ok(Messages::one(vec![0; MESSAGE_LIMIT + 1])),
            b"lost" => Err(Fault::unknown("the line broke")),
            b"fault" => Err(Fault::rejected(Rejection::NotFound, "no such thing")),
            b"late fault" => Ok(Messages::many(stream::iter([Ok(Bytes::from_static(b"one")), Err(Fault::unknown("lost"))]))),
            b"stuck" => Ok(Messages::many(stream::pending().map(move |never: Result<Bytes, Fault>| (never, &dropped).0))),
            b"endless" => Ok(Messages::many(stream::repeat_with(|| Ok(Bytes::from_static(b"again"))))),
            _ => Ok(Messages::one(all.freeze())),
        }
    }

    fn abilities(&self) -> Abilities {
        Abilities { lookup: true }
    }

    async fn lookup(&self, key: &str) -> Result<Lookup, Fault> {
        match key {
            "done" => Ok(Lookup::Done(Bytes::from_static(b"found"))),
            "not-done" => Ok(Lookup::NotDone),
            "undecided" => Ok(Lookup::Undecided),
            _ => Err(Fault::unavailable("the system is away")),
        }
    }

    async fn health(&self) -> Health {
        Health::Ready
    }

    async fn drain(&self, _grace: Duration) {}
}

async fn parrot() -> (Bus, Caller, mpsc::UnboundedReceiver<String>) {
    let (told, hears) = mpsc::unbounded_channel();
    let descriptor = Descriptor { kind: "parrot", contracts: vec![], idempotent: vec![], behind: vec!["a perch".into()] };
    let bus = Bus::start(Endpoint::adapter("parrot", Arc::new(Parrot { descriptor, told }), nothing_declared())).await;
    let caller = Caller::connect(bus.address).await;
    (bus, caller, hears)
}

fn framed(text: &[u8]) -> Bytes {
    let mut bytes = BytesMut::from(&[0, 0, 0, 0][..]);
    bytes.extend_from_slice(&[text.len() as u8]);
    bytes.extend_from_slice(text);
    bytes.freeze()
}

#[tokio::test]
async fn a_unary_call_gets_its_context_and_its_answer() {
    let (_bus, caller, mut hears) = parrot().await;
    let mut asked = with(request(UNARY), "idempotency-key", "key-1");
    asked.headers_mut().insert("traceparent", "00-a-b-01".parse().unwrap());
    let answer = caller.send(asked, message(300)).await;
    assert_eq!((answer.code(), answer.head["content-type"].as_bytes()), (0, &b"application/grpc"[..]));
    assert_eq!(answer.body, message(300));
    assert_eq!(hears.recv().await.unwrap(), "test.Echo/Unary Some(\"key-1\") Some(\"00-a-b-01\")");
}

#[tokio::test]
async fn streams_pass_message_by_message_in_both_directions() {
    let (_bus, caller, _hears) = parrot().await;
    let (response, mut stream) = caller.start(request(BOTH)).await;
    let mut body = begun(response).await.into_body();
    for length in [0, 1, 100] {
        stream.send_data(message(length), false).unwrap();
        assert_eq!(next(&mut body).await, message(length));
    }
    stream.send_trailers(HeaderMap::from_iter([(http::HeaderName::from_static("sum"), "42".parse().unwrap())])).unwrap();
    let (_, trailers) = soon(read_all(&mut body)).await.unwrap();
    assert_eq!(trailers["grpc-status"], "0");

    let many: Bytes = [message(10), message(20), message(30)].concat().into();
    assert_eq!(caller.call(UPLOAD, many).await.body.len(), 5 + 60);
    assert_eq!(caller.call(DOWNLOAD, message(7)).await.body, message(7));
    assert_eq!(caller.call(UPLOAD, message(MESSAGE_LIMIT)).await.code(), 0);
}

#[tokio::test]
async fn what_is_wrong_with_a_request_or_an_answer_is_told() {
    let (_bus, caller, _hears) = parrot().await;
    let compressed = || Bytes::from_static(&[1, 0, 0, 0, 1, 9]);
    let cases: [(&str, Bytes, i32, &str); 14] = [
        (UNARY, Bytes::new(), 3, "the request has no message, this method takes one"),
        (UNARY, [message(1), message(1)].concat().into(), 3, "the request has several messages, this method takes one"),
        (UNARY, message(10).slice(..8), 3, "the request ends in the middle of a message"),
        (UPLOAD, message(10).slice(..3), 3, "the request ends in the middle of a message"),
        (
            UNARY,
            compressed(),
            12,
            "messages to this endpoint must not be compressed (no grpc-encoding header); it accepts identity",
        ),
        (
            UPLOAD,
            compressed(),
            12,
            "messages to this endpoint must not be compressed (no grpc-encoding header); it accepts identity",
        ),
        (UNARY, message(MESSAGE_LIMIT + 1), 8, "a message of 4194305 bytes is over the limit of 4194304 bytes"),
        (UPLOAD, message(MESSAGE_LIMIT + 1), 8, "a message of 4194305 bytes is over the limit of 4194304 bytes"),
        (BOTH, message(MESSAGE_LIMIT + 1), 8, "a message of 4194305 bytes is over the limit of 4194304 bytes"),
        (UNARY, framed(b"huge"), 8, "the answer has a message of 4194305 bytes, over the limit of 4194304 bytes"),
        (UNARY, framed(b"fault"), 5, "no such thing"),
        (DOWNLOAD, framed(b"late fault"), 2, "lost"),
        (UPLOAD, framed(b"fault"), 5, "no such thing"),
        (UPLOAD, Bytes::new(), 0, ""),
    ];
    for (path, body, code, text) in cases {
        let answer = caller.call(path, body).await;
        assert_eq!((answer.code(), answer.message().as_str()), (code, text), "{path}");
        assert_eq!(answer.head.get("grpc-accept-encoding").is_some(), code == 12 || answer.head.get("grpc-status").is_none());
    }
}

#[tokio::test]
async fn what_became_of_a_call_whose_answer_was_lost_is_looked_up_by_its_key() {
    let (_bus, caller, _hears) = parrot().await;
    let cases = [
        (UNARY, "done", 0, ""),
        (UPLOAD, "done", 0, ""),
        (
            UNARY,
            "not-done",
            14,
            "the line broke; it was looked up: it had no effect, and can be asked for again under the same key",
        ),
        (
            UNARY,
            "undecided",
            2,
            "the line broke; it was looked up: whether it had its effect cannot be told, a person has to look",
        ),
        (UNARY, "other", 2, "the line broke; it could not be looked up: the system is away"),
        // What a stream answered cannot be found again as one message.
        (DOWNLOAD, "done", 2, "the line broke"),
    ];
    for (path, key, code, text) in cases {
        let answer = caller.send(with(request(path), "idempotency-key", key), framed(b"lost")).await;
        assert_eq!((answer.code(), answer.message().as_str()), (code, text), "{path} {key}");
        let body = if code == 0 { framed(b"found").to_vec() } else { Vec::new() };
        assert_eq!((answer.body, answer.head.contains_key("passerelle-looked-up")), (body, code == 0), "{path} {key}");
    }
    assert_eq!(caller.call(UNARY, framed(b"lost")).await.code(), 2, "without a key nobody can tell");
}

#[tokio::test]
async fn a_deadline_ends_a_call_that_waits_stalls_or_never_ends() {
    let (_bus, caller, mut hears) = parrot().await;
    for text in ["never", "stuck", "endless"] {
        let asked = with(request(DOWNLOAD), "grpc-timeout", "50m");
        assert_eq!(caller.send(asked, framed(text.as_bytes())).await.code(), 4, "{text}");
        hears.recv().await.unwrap();
        assert_eq!(soon(hears.recv()).await.unwrap(), "dropped", "{text}");
    }
}

#[tokio::test]
async fn a_cancelled_call_is_dropped() {
    let (bus, caller, mut hears) = parrot().await;
    for text in ["never", "stuck"] {
        let (response, mut stream) = caller.start(request(DOWNLOAD)).await;
        stream.send_data(framed(text.as_bytes()), true).unwrap();
        hears.recv().await.unwrap();
        stream.send_reset(h2::Reason::CANCEL);
        assert_eq!(soon(hears.recv()).await.unwrap(), "dropped", "{text}");
        drop(response);
    }
    assert_eq!(bus.in_flight().await, 0);
}

/// An upload that was cut off must not be taken for a short one.
#[tokio::test]
async fn a_broken_upload_is_never_the_end_of_the_messages() {
    let (_bus, caller, mut hears) = parrot().await;
    for reason in [h2::Reason::CANCEL, h2::Reason::NO_ERROR] {
        let (response, mut stream) = caller.start(request(BOTH)).await;
        let mut body = begun(response).await.into_body();
        stream.send_data(message(1), false).unwrap();
        next(&mut body).await;
        hears.recv().await.unwrap();
        hears.recv().await.unwrap();
        stream.send_reset(reason);
        let ended = soon(read_all(&mut body)).await;
        assert!(ended.is_err() || ended.unwrap().1["grpc-status"] != "0", "{reason:?}");
    }
}

#[tokio::test]
async fn a_thousand_calls_to_an_adapter_share_one_connection() {
    let (_bus, caller, _hears) = parrot().await;
    let calls = (0..1000).map(|index| {
        let caller = caller.clone();
        async move { (index, caller.call(UNARY, message(index)).await) }
    });
    for (index, answer) in soon(futures_util::future::join_all(calls)).await {
        assert_eq!((answer.code(), answer.body.len()), (0, index + 5));
    }
    let (response, mut stream) = caller.start(request(UNARY)).await;
    stream.send_data(message(1), true).unwrap();
    assert_eq!(soon(whole(response)).await.unwrap().code(), 0);
}
