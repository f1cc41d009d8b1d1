//! Calls that somebody listens to: what he gets of them, and that nobody else notices.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use h2::Reason;
use http::HeaderName;
use passerelle_bus::call::record::limits::{CALL_MESSAGES, CALLS, RECORDINGS};
use passerelle_bus::call::record::{Captured, Listening, Omitted, Wanted};
use passerelle_bus::call::{EnvelopeSettings, Limits, PolicySettings};
use tonic::Code;

use super::bus::{BOTH, Bus, DOWNLOAD, UNARY, UPLOAD, under};
use super::caller::{Caller, begun, message, next, request, soon, with};
use super::office::{Office, echo, head, outcome, read_all};

const MEBIBYTE: usize = 1 << 20;

fn listen(bus: &Bus, paths: &[&str]) -> Listening {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    bus.gateway.recorders().listen(Wanted { paths, metadata: vec![HeaderName::from_static("key")] }).unwrap()
}

async fn heard(listening: &mut Listening) -> Captured {
    soon(listening.next()).await.unwrap()
}

fn code(call: &Captured) -> Option<Code> {
    call.status.as_ref().map(tonic::Status::code)
}

fn several(messages: &[usize]) -> Bytes {
    messages.iter().flat_map(|length| message(*length)).collect()
}

#[tokio::test]
async fn messages_outcome_and_wanted_metadata_are_heard_and_nothing_else() {
    let office = Office::start(echo).await;
    let bus = Bus::before(&[office.address]).await;
    let caller = Caller::connect(bus.address).await;
    caller.call(UNARY, message(1)).await;
    let mut listening = listen(&bus, &[UNARY, BOTH]);
    caller.call(UPLOAD, message(1)).await;
    let asked = with(with(request(UNARY), "key", "one"), "authorization", "Bearer x");
    let answer = caller.send(asked, message(7)).await;
    assert_eq!((answer.code(), answer.body.len()), (0, 12));
    caller.call(BOTH, several(&[3, 4])).await;

    let call = heard(&mut listening).await;
    assert_eq!((call.path.as_str(), code(&call)), (UNARY, Some(Code::Ok)));
    assert_eq!(call.requests, [message(7).slice(5..)]);
    assert_eq!((call.answers.len(), call.answers[0].after_requests), (1, 1));
    assert_eq!(call.answers[0].message, message(7).slice(5..));
    assert!(call.answers[0].after <= call.ended_after && call.began_after > Duration::ZERO);
    assert_eq!(call.request_metadata, [(HeaderName::from_static("key"), "one".to_owned())]);
    let call = heard(&mut listening).await;
    assert_eq!(call.requests.iter().map(Bytes::len).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(listening.omitted(), Omitted::default());
}

#[tokio::test]
async fn what_goes_beyond_the_limits_of_a_call_is_cut_in_the_recording_only() {
    let office = Office::start(echo).await;
    let bus = Bus::before(&[office.address]).await;
    let caller = Caller::connect(bus.address).await;
    let mut listening = listen(&bus, &[BOTH]);
    let large = several(&[10, 3 * MEBIBYTE, 3 * MEBIBYTE]);
    let answer = caller.call(BOTH, large.clone()).await;
    assert_eq!((answer.code(), answer.body.len()), (0, large.len()));
    let call = heard(&mut listening).await;
    assert!(call.requests_cut && call.answers_cut);
    assert!(call.requests.len() < 3 && call.requests[0].len() == 10);

    let many = several(&[0; CALL_MESSAGES]);
    caller.call(BOTH, many).await;
    let call = heard(&mut listening).await;
    assert_eq!(call.requests.len() + call.answers.len(), CALL_MESSAGES);
    assert!(call.answers_cut);
}

#[tokio::test]
async fn a_stream_that_its_caller_leaves_is_kept_a_call_without_an_answer_is_counted() {
    let office = Office::start(|request, mut respond: super::office::Respond| async move {
        let mut stream = respond.send_response(head(), false).unwrap();
        if request.uri().path() == DOWNLOAD {
            stream.send_data(message(5), false).unwrap();
        }
        std::future::pending::<()>().await;
    })
    .await;
    let bus = Bus::before(&[office.address]).await;
    let caller = Caller::connect(bus.address).await;
    let mut listening = listen(&bus, &[UNARY, DOWNLOAD]);
    for path in [UNARY, DOWNLOAD] {
        let (response, mut stream) = caller.start(request(path)).await;
        stream.send_data(message(2), true).unwrap();
        let response = begun(response).await;
        let mut body = response.into_body();
        if path == DOWNLOAD {
            next(&mut body).await;
        }
        stream.send_reset(Reason::CANCEL);
    }
    let call = heard(&mut listening).await;
    assert_eq!((call.path.as_str(), code(&call), call.answers.len()), (DOWNLOAD, None, 1));
    soon(async {
        while listening.omitted() != (Omitted { abandoned: 1, ..Omitted::default() }) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn whoever_takes_nothing_holds_up_nobody_and_is_told_how_many_he_missed() {
    let office = Office::start(echo).await;
    let bus = Bus::before(&[office.address]).await;
    let caller = Caller::connect(bus.address).await;
    let mut listening = listen(&bus, &[UNARY]);
    let answers = join_all((0..CALLS + 50).map(|_| caller.call(UNARY, message(1)))).await;
    assert!(answers.iter().all(|answer| answer.code() == 0));
    assert_eq!(listening.omitted().busy, 50);
    for _ in 0..CALLS {
        heard(&mut listening).await;
    }
    caller.call(UNARY, message(9)).await;
    assert_eq!(heard(&mut listening).await.requests[0].len(), 9, "there is room again");
}

#[tokio::test]
async fn compressed_calls_and_calls_that_the_bus_turns_away_are_counted() {
    let office = Office::start(echo).await;
    let bus = Bus::before(&[office.address]).await;
    let mut listening = listen(&bus, &[UNARY]);
    let caller = Caller::connect(bus.address).await;
    caller.call(UNARY, Bytes::from_static(&[1, 0, 0, 0, 1, 9])).await;
    caller.call(UNARY, message(1)).await;
    assert_eq!(heard(&mut listening).await.requests[0].len(), 1);
    assert_eq!(listening.omitted(), Omitted { unreadable: 1, ..Omitted::default() });

    let envelope = EnvelopeSettings { limits: Limits { concurrency: 0, rate: None }, ..EnvelopeSettings::default() };
    let closed = Bus::start(under(&[office.address], PolicySettings { envelope, ..PolicySettings::default() })).await;
    let listening = listen(&closed, &[UNARY]);
    let answer = Caller::connect(closed.address).await.call(UNARY, message(1)).await;
    assert_ne!(answer.code(), 0);
    assert_eq!(listening.omitted(), Omitted { not_carried: 1, ..Omitted::default() });
}

#[tokio::test]
async fn errors_are_heard_as_the_caller_hears_them() {
    let office = Office::start(|request, mut respond: super::office::Respond| async move {
        read_all(&mut request.into_body()).await.unwrap();
        let mut response = head();
        response.headers_mut().extend(outcome(5));
        response.headers_mut().insert("key", "told".parse().unwrap());
        respond.send_response(response, true).unwrap();
    })
    .await;
    let bus = Bus::before(&[office.address]).await;
    let mut listening = listen(&bus, &[UNARY]);
    Caller::connect(bus.address).await.call(UNARY, message(1)).await;
    let call = heard(&mut listening).await;
    assert_eq!((code(&call), call.trailers.len(), call.answer_metadata.len()), (Some(Code::NotFound), 1, 0));
}

#[tokio::test]
async fn there_are_only_so_many_recordings_and_an_ended_one_makes_room() {
    let office = Office::start(echo).await;
    let bus = Bus::before(&[office.address]).await;
    let mut listening: Vec<_> = (0..RECORDINGS).map(|_| listen(&bus, &[UNARY])).collect();
    assert!(bus.gateway.recorders().listen(Wanted::default()).is_err());
    drop(listening.pop());
    listening.push(listen(&bus, &[UNARY]));
    Caller::connect(bus.address).await.call(UNARY, message(1)).await;
    for one in &mut listening {
        assert_eq!(heard(one).await.path, UNARY);
    }
}
