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
    check(vec![[segment(0, b"ab"), segment(0, b"cd"), complete(0)].concat()], expect![""]).await;
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
    check(vec![output.clone(), request_status(0, status::COMMITTED)], expect![""]).await;
    check(vec![output.clone(), request_status(0, 98)], expect![""]).await;
    check(vec![output.clone(), request_status(8, 36)], expect![""]).await;
    check(vec![output.clone(), output.clone()], expect![""]).await;
    check(vec![output], expect![""]).await;
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
    expect![""].assert_eq(&table);
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
    check(output("DFS555I TRAN ACCTINQ  ABEND S0C7,U0000 ; MSG IN PROCESS: 0000123456"), expect![""]).await;
    check(output("DFS064 DESTINATION CAN NOT BE FOUND OR CREATED"), expect![""]).await;
    check(output("DFS2082 RESPONSE MODE TRANSACTION TERMINATED WITHOUT REPLY"), expect![""]).await;
    assert!(told(output("DFSXXX IS A CUSTOMER")).await.starts_with("answer"));
    assert!(told(output("DFS12345678 IS A NUMBER")).await.starts_with("answer"));
}

#[tokio::test]
async fn what_is_no_answer_has_an_unknown_effect() {
    check(vec![vec![]], expect![""]).await;
    check(vec![segment(0, b"ab")], expect![""]).await;
    check(vec![[segment(0, b"ab"), b"\0\x63".to_vec()].concat()], expect![""]).await;
    check(vec![[segment(0, b"ab"), complete(0x40)].concat()], expect![""]).await;
    check(vec![], expect![""]).await;

    let endless = Peer::start(|_, mut stream| async move {
        let _ = read_message(&mut stream).await;
        while stream.write_all(&segment(0, &[0; 1000])).await.is_ok() {}
    })
    .await;
    let host = ims(Header { exit: ExitId::Sample0, ..header() }, &endless);
    let Err(Fault::Unknown { message }) = host.exchange(&request(b"abc")).await else { panic!() };
    expect![""].assert_eq(&message.replace(&endless.address, "HOST"));
}

#[tokio::test]
async fn a_record_too_long_for_a_segment_is_refused_before_anything_is_sent() {
    static LONG: [u8; 40_000] = [0; 40_000];
    let peer = peer(vec![]).await;
    let refused = ims(header(), &peer).exchange(&Request { idempotent: true, ..request(&LONG) }).await;
    assert!(matches!(refused, Err(Fault::Rejected { .. })));
    assert_eq!(peer.accepted(), 1);
}

#[test]
fn client_ids_are_z_os_names_and_differ() {
    let ims = ImsConnect::new(header(), "PSR", 1 << 20);
    let ids: HashSet<_> = (0..10_000).map(|serial| ims.client_id(serial)).collect();
    assert_eq!(ids.len(), 10_000);
    assert!(ids.iter().all(|id| id.starts_with("PSR") && id.len() == 8 && crate::names::check_name(id).is_ok()));
}
