//! Messages of every size: around the windows and limits, cut into many frames, many in one frame.

use bytes::{Bytes, BytesMut};

use super::bus::{BOTH, Bus, MESSAGE_LIMIT, UNARY};
use super::caller::{Caller, message, request, soon, whole};
use super::office::{Office, echo, head, outcome, read_all, send_all};

#[tokio::test]
async fn messages_around_the_windows_pass_both_ways() {
    let office = Office::start(echo).await;
    let bus = Bus::before(&[office.address]).await;
    let caller = Caller::connect(bus.address).await;
    for length in [0, 1, 16_379, 16_380, 65_530, 65_531, 64 << 10, 256 << 10, (256 << 10) + 1, MESSAGE_LIMIT] {
        let answer = caller.call(UNARY, message(length)).await;
        assert_eq!(answer.code(), 0, "{length}");
        assert!(answer.body == message(length), "{length}");
    }
}

#[tokio::test]
async fn a_request_over_the_limit_is_refused_before_it_is_sent() {
    let office = Office::start(echo).await;
    let bus = Bus::before(&[office.address]).await;
    let answer = Caller::connect(bus.address).await.call(UNARY, message(MESSAGE_LIMIT + 1)).await;
    assert_eq!(answer.code(), 8);
    assert_eq!(answer.message(), "a message of 4194305 bytes is over the limit of 4194304 bytes");
}

#[tokio::test]
async fn an_answer_over_the_limit_is_cut_with_an_outcome() {
    let office = Office::start(|_request, mut respond| async move {
        let mut stream = respond.send_response(head(), false).unwrap();
        // The bus resets the stream in the middle.
        let _ = send_all(&mut stream, message(MESSAGE_LIMIT + 1), 16384).await;
    })
    .await;
    let bus = Bus::before(&[office.address]).await;
    let answer = Caller::connect(bus.address).await.call(UNARY, message(1)).await;
    assert_eq!((answer.code(), answer.body.len()), (8, 0));
    assert!(answer.message().starts_with("the answer of back office office: a message of 4194305 bytes"), "{}", answer.message());
}

#[tokio::test]
async fn a_message_over_the_limit_in_the_middle_of_an_answered_stream_ends_it() {
    let office = Office::start(|request, mut respond| async move {
        let _stream = respond.send_response(head(), false).unwrap();
        let _ = read_all(&mut request.into_body()).await;
    })
    .await;
    let bus = Bus::before(&[office.address]).await;
    let caller = Caller::connect(bus.address).await;
    let (response, mut stream) = caller.start(request(BOTH)).await;
    let response = soon(response).await.unwrap();
    stream.send_data(message(10), false).unwrap();
    stream.send_data(Bytes::from_static(&[0, 0xff, 0, 0, 0]), false).unwrap();
    let (_, trailers) = soon(read_all(&mut response.into_body())).await.unwrap();
    assert_eq!(trailers["grpc-status"], "8");
}

#[tokio::test]
async fn messages_cut_into_many_frames_and_many_messages_in_one_frame_pass() {
    let office = Office::start(echo).await;
    let bus = Bus::before(&[office.address]).await;
    let caller = Caller::connect(bus.address).await;
    let many: BytesMut = (0..100).map(message).fold(BytesMut::new(), |mut all, one| {
        all.extend_from_slice(&one);
        all
    });
    let many = many.freeze();
    for frame in [1, 3, 7, 16384] {
        let (response, mut stream) = caller.start(request(BOTH)).await;
        let answer = whole(response);
        let sending = async {
            send_all(&mut stream, many.clone(), frame).await.unwrap();
            stream.send_data(Bytes::new(), true).unwrap();
        };
        let ((), answer) = soon(async { tokio::join!(sending, answer) }).await;
        let answer = answer.unwrap();
        assert_eq!(answer.code(), 0);
        assert!(answer.body == many, "{frame}");
    }
}

/// A server may hand out new window only once it has the whole request.
#[tokio::test]
async fn the_end_of_a_request_that_just_fills_the_window_is_not_held_back() {
    let office = Office::start(|request, mut respond| async move {
        let mut body = request.into_body();
        let mut kept = 0;
        while let Some(Ok(data)) = body.data().await {
            kept += data.len();
        }
        body.flow_control().release_capacity(kept).unwrap();
        let mut stream = respond.send_response(head(), false).unwrap();
        stream.send_data(message(0), false).unwrap();
        stream.send_trailers(outcome(if kept == 65_535 { 0 } else { 2 })).unwrap();
    })
    .await;
    let bus = Bus::before(&[office.address]).await;
    let caller = Caller::connect(bus.address).await;
    let answer = caller.call(UNARY, message(65_530)).await;
    assert_eq!(answer.code(), 0);
}
