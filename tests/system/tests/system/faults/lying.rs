//! Answers that are not what they say: what the bus can see of that, it says; what only the contract knows passes.

use bytes::Bytes;
use tonic::Code;

use super::measure::{BOOK, Scene};
use super::server::{Fault, Lie, Server};

#[tokio::test]
async fn an_answer_that_lies_becomes_a_clear_outcome_wherever_the_bus_can_see_it() {
    let server = Server::start(Fault::None).await;
    let mut scene = Scene::before(&[server.address], "    policy: { breaker: { calls: 0 } }\n");
    scene.until_shown("ready").await;
    let cases = [
        (Lie::NoTrailers, Code::Internal, "back office ledger ended its answer without a status"),
        (Lie::NoMessage, Code::Internal, "back office ledger answered OK without a message"),
        (Lie::NoMessageInTwoFrames, Code::Internal, "back office ledger answered OK without a message"),
        (Lie::HalfMessage, Code::Internal, "back office ledger answered OK in the middle of a message"),
        (Lie::TwoMessages, Code::Internal, "back office ledger answered OK with 2 messages, where one is due"),
        (Lie::Html, Code::Unknown, "back office ledger answered HTTP 200 without gRPC"),
        (Lie::Json, Code::Unknown, "back office ledger answered HTTP 200 without gRPC"),
        (Lie::NoStatusInTrailers, Code::Internal, "back office ledger ended its answer without a status"),
        (Lie::StatusThatIsNone, Code::Unknown, ""),
        (Lie::ErrorInHeaders, Code::FailedPrecondition, "the account is closed"),
    ];
    for (lie, code, text) in cases {
        server.tell(Fault::Lie(lie));
        let status = scene.call(BOOK, Bytes::from_static(b"\x0a\x0210")).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (code, text), "{lie:?}");
        let details: &[u8] = if lie == Lie::ErrorInHeaders { b"\x08\x09" } else { b"" };
        assert_eq!(status.details(), details, "{lie:?}");
    }
    // Pass-through never decodes: a failure inside a message that is right is the contract's own affair.
    server.tell(Fault::Lie(Lie::ErrorInMessage));
    assert_eq!(scene.call(BOOK, Bytes::new()).await.unwrap(), b"\x0a\x05ERROR"[..]);
    server.tell(Fault::Lie(Lie::HalfMessage));
    let codes = scene.storm(50, 8, Bytes::from(vec![10, 100].into_iter().chain([b'x'; 100]).collect::<Vec<u8>>())).await;
    assert_eq!(codes.keys().copied().collect::<Vec<_>>(), ["OTHER"]);
    scene.end("lying");
}
