//! Conversations with a scripted IMS Connect: answers, acknowledgements, status messages, garbage.

use std::collections::HashSet;

use expect_test::{Expect, expect};
use passerelle_adapter::Fault;
use tokio::io::AsyncWriteExt;

use super::header::{Header, tests::header};
use super::{ImsConnect, answer, status};
use crate::file::{ExitId, SyncLevel};
use crate::names::padded_name;
use crate::transport::peer::{Peer, pool, read_message, request, write_message};
use crate::transport::sockets::Sockets;
use crate::transport::{Request, Transport};

fn ims(header: Header, peer: &Peer) -> Sockets<ImsConnect> {
    Sockets::start(ImsConnect::new(header, "PSR", 100_000), pool(&[&peer.address]))
}

fn segment(flags: u8, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + data.len()).unwrap();
    [&length.to_be_bytes(), &[flags, 0], data].concat()
}

fn complete(flags: u8) -> Vec<u8> {
    segment(flags, &answer::COMPLETE_ID)
}

fn request_status(return_code: u32, reason_code: u32) -> Vec<u8> {
    segment(0, &[&answer::STATUS_ID[..], &return_code.to_be_bytes(), &reason_code.to_be_bytes()].concat())
}

fn ebcdic(text: &str) -> Vec<u8> {
    text.chars().map(|c| super::header::NAMES_CODE_PAGE.encode(c).unwrap()).collect()
}

/// A peer that gives these answers, one a message, and then hangs up.
async fn peer(answers: Vec<Vec<u8>>) -> Peer {
    Peer::start(move |_, mut stream| {
        let answers = answers.clone();
        async move {
            for answer in answers {
                if read_message(&mut stream).await.is_none() {
                    return;
                }
                write_message(&mut stream, &answer).await;
            }
            // So that the client sees an orderly end, not a reset, if it has sent more.
            let _ = read_message(&mut stream).await;
        }
    })
    .await
}

async fn told(answers: Vec<Vec<u8>>) -> String {
    let peer = peer(answers).await;
    let text = match ims(header(), &peer).exchange(&request(b"abc")).await {
        Ok(answer) => format!("answer {answer:?}"),
        Err(fault) => format!("{fault:?}"),
    };
    text.replace(&peer.address, "HOST")
}

async fn check(answers: Vec<Vec<u8>>, expected: Expect) {
    expected.assert_eq(&told(answers).await);
}

#[tokio::test]
async fn output_is_joined_from_its_segments() {
    check(vec![[segment(0, b"ab"), segment(0, b"cd"), complete(0)].concat()], expect![[r#"answer b"abcd""#]]).await;
}

#[tokio::test]
async fn an_answer_without_total_length_is_read_segment_by_segment() {
    let peer = Peer::start(|_, mut stream| async move {
        while read_message(&mut stream).await.is_some() {
            stream.write_all(&[segment(0, b"ab"), segment(0, b"cd"), complete(0)].concat()).await.unwrap();
        }
    })
    .await;
    let host = ims(Header { exit: ExitId::Sample0, ..header() }, &peer);
    for _ in 0..2 {
        assert_eq!(host.exchange(&request(b"abc")).await.unwrap(), "abcd");
    }
    assert_eq!(peer.accepted(), 1);
}

#[tokio::test]
async fn an_acknowledged_answer_counts_once_ims_has_committed() {
    let output = [segment(0, b"ab"), complete(answer::ACKNOWLEDGE)].concat();
    check(vec![output.clone(), request_status(0, status::COMMITTED)], expect![[r#"answer b"ab""#]]).await;
    check(
        vec![output.clone(), request_status(0, 98)],
        expect![[r#"Rejected { reason: Conflict, message: "HOST: IMS backed the transaction out" }"#]],
    )
    .await;
    check(vec![output.clone(), request_status(8, 36)], expect![[r#"Unknown { message: "HOST: the transaction answered, then: IMS Connect: it saw a breach of the protocol (return code X'08', reason 36)" }"#]]).await;
    check(
        vec![output.clone(), output.clone()],
        expect![[r#"Unknown { message: "HOST: IMS answered a second time instead of confirming that it committed" }"#]],
    )
    .await;
    check(
        vec![output],
        expect![[r#"Unknown { message: "HOST: the host closed the connection, 4 bytes of its answer are missing" }"#]],
    )
    .await;
}

#[tokio::test]
async fn the_acknowledgement_is_one() {
    let peer = Peer::start(|_, mut stream| async move {
        let transaction = read_message(&mut stream).await.unwrap();
        write_message(&mut stream, &[segment(0, b"ab"), complete(answer::ACKNOWLEDGE)].concat()).await;
        let acknowledgement = read_message(&mut stream).await.unwrap();
        assert_eq!(acknowledgement.len(), 104 + 4, "it has no data");
        assert_eq!((transaction[31], acknowledgement[31]), (0x40, 0xC1));
        assert_eq!(transaction[20..28], acknowledgement[20..28], "the client ID is the same");
        write_message(&mut stream, &request_status(0, status::COMMITTED)).await;
    })
    .await;
    let host = ims(Header { sync_level: SyncLevel::Confirm, ..header() }, &peer);
    assert_eq!(host.exchange(&request(b"abc")).await.unwrap(), "ab");
}

#[tokio::test]
async fn status_messages_become_faults_with_words() {
    let mut table = String::new();
    let codes = [
        (0x04, 99),
        (0x08, 6),
        (0x08, 40),
        (0x08, 56),
        (0x08, 72),
        (0x08, 75),
        (0x08, 78),
        (0x0C, 3),
        (0x10, 0x1A),
        (0x10, 0x28),
        (0x1C, 1),
        (0x20, 0x2A),
        (0x28, 0x2A),
        (0x99, 1234),
    ];
    for (return_code, reason_code) in codes {
        let fault = told(vec![request_status(return_code, reason_code); 2]).await;
        table.push_str(&format!("{return_code:02X} {reason_code}: {fault}\n"));
    }
    expect![[r#"
        04 99: Unknown { message: "HOST: IMS Connect: no further words (return code X'04', reason 99)" }
        08 6: Rejected { reason: Precondition, message: "HOST: IMS Connect: it did not accept a length in the message (return code X'08', reason 6)" }
        08 40: Unauthenticated { message: "HOST: IMS Connect: security violation (return code X'08', reason 40)" }
        08 56: Unavailable { retry_after: None, message: "HOST: IMS Connect: the client ID is in use on another connection (return code X'08', reason 56)" }
        08 72: Unavailable { retry_after: None, message: "HOST: IMS Connect: the data store is unknown or stopped (return code X'08', reason 72)" }
        08 75: Unknown { message: "HOST: IMS Connect: the connection to the data store broke (return code X'08', reason 75)" }
        08 78: Unauthenticated { message: "HOST: IMS Connect: RACF refused the user (return code X'08', reason 78)" }
        0C 3: Unknown { message: "HOST: IMS reported an OTMA error (return code X'0C', reason 3)" }
        10 26: Rejected { reason: Precondition, message: "HOST: IMS refused the message (return code X'10', OTMA sense code X'001A', reason 0): is the transaction defined and started?" }
        10 40: Rejected { reason: Precondition, message: "HOST: IMS refused the message (return code X'10', OTMA sense code X'0028', reason 0)" }
        1C 1: Unknown { message: "HOST: IMS Connect: no further words (return code X'1C', reason 1)" }
        20 42: DeadlineExceeded { message: "HOST: IMS did not answer before IRM_TIMER ran out (return code X'20')" }
        28 42: DeadlineExceeded { message: "HOST: IMS did not answer before IRM_TIMER ran out (return code X'28')" }
        99 1234: Unknown { message: "HOST: IMS Connect: no further words (return code X'99', reason 1234)" }
    "#]].assert_eq(&table);
}

#[tokio::test]
async fn an_unknown_client_id_clash_is_solved_with_another_connection() {
    let peer = Peer::start(|number, mut stream| async move {
        let Some(message) = read_message(&mut stream).await else { return };
        match number {
            0 => write_message(&mut stream, &request_status(8, 56)).await,
            _ => write_message(&mut stream, &[segment(0, &message[20..28]), complete(0)].concat()).await,
        }
    })
    .await;
    let answer = ims(header(), &peer).exchange(&request(b"abc")).await.unwrap();
    assert_eq!(answer[..3], padded_name("PSR", super::header::NAMES_CODE_PAGE).unwrap()[..3]);
    assert_eq!(peer.accepted(), 2);
}

#[tokio::test]
async fn messages_of_ims_itself_are_no_answers_and_their_text_is_not_repeated() {
    let output = |text: &str| vec![[segment(0, &ebcdic(text)), complete(0)].concat()];
    check(
        output("DFS555I TRAN ACCTINQ  ABEND S0C7,U0000 ; MSG IN PROCESS: 0000123456"),
        expect![[r#"Rejected { reason: Conflict, message: "the transaction ended abnormally: DFS555I ABEND S0C7,U0000" }"#]],
    )
    .await;
    check(
        output("DFS064 DESTINATION CAN NOT BE FOUND OR CREATED"),
        expect![[r#"Rejected { reason: Precondition, message: "IMS answered with its message DFS064" }"#]],
    )
    .await;
    check(
        output("DFS2082 RESPONSE MODE TRANSACTION TERMINATED WITHOUT REPLY"),
        expect![[r#"Unknown { message: "IMS answered with its message DFS2082" }"#]],
    )
    .await;
    assert!(told(output("DFSXXX IS A CUSTOMER")).await.starts_with("answer"));
    assert!(told(output("DFS12345678 IS A NUMBER")).await.starts_with("answer"));
}

#[tokio::test]
async fn what_is_no_answer_has_an_unknown_effect() {
    check(
        vec![vec![]],
        expect![[r#"Unknown { message: "HOST: the answer claims 4 bytes, from 8 to 100000 (response_limit_bytes) may be" }"#]],
    )
    .await;
    check(vec![segment(0, b"ab")], expect![[r#"Unknown { message: "HOST: the answer has neither a complete status message nor a request status message at its end" }"#]]).await;
    check(
        vec![[segment(0, b"ab"), b"\0\x63".to_vec()].concat()],
        expect![[r#"Unknown { message: "HOST: a segment of the answer claims 99 bytes, 2 are there" }"#]],
    )
    .await;
    check(
        vec![[segment(0, b"ab"), complete(0x40)].concat()],
        expect![[
            r#"Unknown { message: "HOST: the transaction began an IMS conversation, which this adapter does not carry on" }"#
        ]],
    )
    .await;

    let endless = Peer::start(|_, mut stream| async move {
        let _ = read_message(&mut stream).await;
        while stream.write_all(&segment(0, &[0; 1000])).await.is_ok() {}
    })
    .await;
    let host = ims(Header { exit: ExitId::Sample0, ..header() }, &endless);
    let Err(Fault::Unknown { message }) = host.exchange(&request(b"abc")).await else { panic!() };
    expect!["HOST: the answer goes beyond 100000 bytes (response_limit_bytes)"]
        .assert_eq(&message.replace(&endless.address, "HOST"));
}

#[tokio::test]
async fn a_record_too_long_for_a_segment_is_refused_before_anything_is_sent() {
    static LONG: [u8; 40_000] = [0; 40_000];
    let peer = peer(vec![]).await;
    let refused = ims(header(), &peer).exchange(&Request { idempotent: true, ..request(&LONG) }).await;
    assert!(matches!(refused, Err(Fault::Rejected { .. })));
}

#[test]
fn client_ids_are_z_os_names_and_differ() {
    let ims = ImsConnect::new(header(), "PSR", 1 << 20);
    let ids: HashSet<_> = (0..10_000).map(|serial| ims.client_id(serial)).collect();
    assert_eq!(ids.len(), 10_000);
    assert!(ids.iter().all(|id| id.starts_with("PSR") && id.len() == 8 && crate::names::check_name(id).is_ok()));
}
