//! The adapter as the bus meets it: streams of messages, with time that passes when nobody waits.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use expect_test::expect;
use passerelle_adapter::{
    Adapter, Call, Context, Fault, Health, Kind, Messages, Opening, Secret, SecretError, SecretRef, Secrets,
};
use passerelle_proto::backoffice::callback::v1 as desk;
use passerelle_proto::backoffice::callback::v1::place_request::What as Say;
use passerelle_proto::backoffice::callback::v1::place_response::What as Said;
use passerelle_proto::backoffice::callback::v1::sit_request::What as Ask;
use passerelle_proto::backoffice::callback::v1::sit_response::What as Shown;
use prost::Message;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;

use crate::Callback;

struct NoSecrets;

impl Secrets for NoSecrets {
    fn find(&self, _reference: &SecretRef) -> Result<Secret, SecretError> {
        Err(SecretError("there are none".to_owned()))
    }
}

async fn open(text: &str) -> Result<Arc<dyn Adapter>, String> {
    let opening = Opening {
        endpoint: "advisers".to_owned(),
        path: PathBuf::from("desk.yaml"),
        text: text.to_owned(),
        secrets: Arc::new(NoSecrets),
    };
    Callback.open(opening).await.map_err(|error| error.to_string())
}

async fn desk() -> Arc<dyn Adapter> {
    open("adapter: callback\ndriver: desk\nlimits: { offer_seconds: 10 }\n").await.expect("it opens")
}

/// One call of a method, as a stream each way.
struct Stream {
    requests: mpsc::Sender<Result<Bytes, Fault>>,
    answers: Messages,
}

impl Stream {
    async fn begin(adapter: &dyn Adapter, method: &str, first: impl Message) -> Result<Self, Fault> {
        let (requests, receiver) = mpsc::channel(8);
        requests.send(Ok(first.encode_to_vec().into())).await.expect("room");
        let messages = Messages::many(ReceiverStream::new(receiver));
        let method = format!("passerelle.backoffice.callback.v1.{method}");
        let answers = adapter.call(Call { method, messages, context: Context::default() }).await?;
        Ok(Self { requests, answers })
    }

    async fn say(&self, message: impl Message) {
        self.requests.send(Ok(message.encode_to_vec().into())).await.expect("room");
    }

    async fn said(&mut self) -> Said {
        let bytes = self.answers.next().await.expect("a word").expect("no fault");
        desk::PlaceResponse::decode(bytes).expect("a response").what.expect("something")
    }

    async fn shown(&mut self) -> Shown {
        let bytes = self.answers.next().await.expect("a word").expect("no fault");
        desk::SitResponse::decode(bytes).expect("a response").what.expect("something")
    }
}

async fn sit(adapter: &dyn Adapter, adviser: &str) -> Stream {
    let sit = desk::Sit { adviser: adviser.to_owned(), lines: Vec::new() };
    let mut stream = Stream::begin(adapter, "Desk/Sit", desk::SitRequest { what: Some(Ask::Sit(sit)) }).await.expect("a seat");
    assert!(matches!(stream.shown().await, Shown::Seated(_)));
    stream
}

fn start(id: &str) -> desk::PlaceRequest {
    let call = desk::Call { callback_id: id.to_owned(), line: "sales".to_owned(), ..desk::Call::default() };
    let start = desk::Start { call: Some(call), ring_seconds: 45, resume_adviser: String::new() };
    desk::PlaceRequest { what: Some(Say::Start(start)) }
}

async fn place(adapter: &dyn Adapter, id: &str) -> Stream {
    Stream::begin(adapter, "CallControl/Place", start(id)).await.expect("a call")
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_is_not_waited_for_and_in_the_end_nobody_took_it() {
    let adapter = desk().await;
    let (_ann, _bob) = (sit(adapter.as_ref(), "ann").await, sit(adapter.as_ref(), "bob").await);
    let begun = Instant::now();
    let mut call = place(adapter.as_ref(), "c1").await;
    let mut heard = Vec::new();
    loop {
        let said = call.said().await;
        heard.push((begun.elapsed().as_secs(), said.clone()));
        if matches!(said, Said::NoAdviser(_)) {
            break;
        }
    }
    let ringing = |adviser: &str| Said::Ringing(desk::Ringing { adviser: adviser.to_owned() });
    let none = Said::NoAdviser(desk::NoAdviser { reason: "2 asked, none took it".to_owned() });
    assert_eq!(heard, [(0, ringing("ann")), (10, ringing("bob")), (45, none)]);
    assert!(call.answers.next().await.is_none(), "that was the last word");
}

#[tokio::test(start_paused = true)]
async fn an_adviser_is_told_to_call_after_the_confirmation_and_closed_after_the_next() {
    let adapter = desk().await;
    let mut ann = sit(adapter.as_ref(), "ann").await;
    let mut call = place(adapter.as_ref(), "c1").await;
    assert!(matches!(ann.shown().await, Shown::Offered(offered) if offered.offer_seconds == 10));
    let accept = desk::Accept { callback_id: "c1".to_owned() };
    ann.say(desk::SitRequest { what: Some(Ask::Accept(accept)) }).await;
    assert!(matches!(call.said().await, Said::Ringing(_)));
    assert!(matches!(call.said().await, Said::Accepted(_)));
    // Nothing is said to her before: an hour passes without a word.
    assert!(tokio::time::timeout(Duration::from_secs(3600), ann.shown()).await.is_err());
    let confirm = || desk::PlaceRequest { what: Some(Say::Confirm(desk::Confirm {})) };
    call.say(confirm()).await;
    assert!(matches!(ann.shown().await, Shown::Connected(connected) if !connected.resumed));
    let report = desk::Report { callback_id: "c1".to_owned(), outcome: desk::Outcome::Busy.into(), note: "beep".to_owned() };
    ann.say(desk::SitRequest { what: Some(Ask::Report(report)) }).await;
    assert!(matches!(call.said().await, Said::Ended(ended) if ended.note == "beep"));
    call.say(confirm()).await;
    assert!(matches!(ann.shown().await, Shown::Closed(_)));
    assert!(call.answers.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_the_bus_that_vanishes_takes_the_call_from_the_screen() {
    let adapter = desk().await;
    let mut ann = sit(adapter.as_ref(), "ann").await;
    let call = place(adapter.as_ref(), "c1").await;
    assert!(matches!(ann.shown().await, Shown::Offered(_)));
    drop(call);
    assert!(matches!(ann.shown().await, Shown::Withdrawn(_)));
}

#[tokio::test(start_paused = true)]
async fn a_seat_is_taken_over_and_all_streams_end_when_the_desk_is_drained() {
    let adapter = desk().await;
    assert!(matches!(adapter.health().await, Health::Degraded { .. }));
    let mut first = sit(adapter.as_ref(), "ann").await;
    let mut second = sit(adapter.as_ref(), "ann").await;
    assert!(matches!(first.answers.next().await, Some(Err(Fault::Rejected { .. }))));
    assert_eq!(adapter.health().await, Health::Ready);
    let mut call = place(adapter.as_ref(), "c1").await;
    adapter.drain(Duration::ZERO).await;
    assert!(matches!(second.shown().await, Shown::Offered(_)));
    assert!(matches!(second.answers.next().await, Some(Err(Fault::Unavailable { .. }))));
    assert!(matches!(call.said().await, Said::Ringing(_)));
    assert!(call.answers.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn what_makes_no_sense_is_refused_in_words() {
    let adapter = desk().await;
    let nameless = desk::SitRequest { what: Some(Ask::Sit(desk::Sit::default())) };
    let early = desk::SitRequest { what: Some(Ask::Accept(desk::Accept::default())) };
    let for_ever = desk::Start {
        ring_seconds: 0,
        call: Some(desk::Call { line: "l".into(), callback_id: "c".into(), ..Default::default() }),
        ..Default::default()
    };
    let mut refusals = Vec::new();
    for (method, first) in [
        ("Desk/Sit", nameless.encode_to_vec()),
        ("Desk/Sit", early.encode_to_vec()),
        ("Desk/Sit", vec![0xff]),
        ("CallControl/Place", desk::PlaceRequest::default().encode_to_vec()),
        ("CallControl/Place", desk::PlaceRequest { what: Some(Say::Start(desk::Start::default())) }.encode_to_vec()),
        ("CallControl/Place", desk::PlaceRequest { what: Some(Say::Start(for_ever)) }.encode_to_vec()),
        ("Desk/Stand", Vec::new()),
    ] {
        let method = format!("passerelle.backoffice.callback.v1.{method}");
        let call = Call { method, messages: Messages::one(first), context: Context::default() };
        refusals.push(adapter.call(call).await.expect_err("refused").to_string());
    }
    expect![[r#"
        the adviser's name is empty
        the first message must be `sit`
        the message is not understood: failed to decode Protobuf message: invalid varint
        the first message must be `start`
        `start` has no call
        ring_seconds must be 1 to 3600
        passerelle.backoffice.callback.v1.Desk/Stand is not served here, these are: passerelle.backoffice.callback.v1.CallControl/Place, passerelle.backoffice.callback.v1.Desk/Sit"#]]
    .assert_eq(&refusals.join("\n"));
}

#[tokio::test]
async fn a_file_that_cannot_be_meant_is_refused_with_its_place() {
    let mut refusals = Vec::new();
    for text in [
        "adapter: callback\n",
        "adapter: callback\ndriver: sip\n",
        "adapter: callback\ndriver: desk\nlimits: { seats: 0 }\n",
        "adapter: callback\ndriver: desk\nlimits:\n  chairs: 3\n",
    ] {
        refusals.push(open(text).await.err().expect("refused"));
    }
    expect![[r#"
        desk.yaml:1:1: missing field `driver`
        desk.yaml:2:9: driver: unknown variant `sip`, expected one of desk
        desk.yaml: limits.seats: 0 is out of range, 1 to 100000
        desk.yaml:4:3: limits.chairs: unknown field `chairs`, expected one of seats, calls, offer_seconds"#]]
    .assert_eq(&refusals.join("\n"));
}
