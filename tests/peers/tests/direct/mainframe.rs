//! The COBOL program over both framings, without the bus.

use std::io::{Read, Write};
use std::net::TcpStream;

use passerelle_peers::Mainframe;
use passerelle_peers::mainframe::{Framing, Inquiry, TRANSACTION, read_answer, write_inquiry};

#[test]
fn a_thousand_inquiries_are_answered_as_computed_over_the_length_prefix() {
    let Some(mainframe) = Mainframe::start(Framing::LengthPrefixed) else { return };
    let mut host = TcpStream::connect(mainframe.address()).unwrap();
    host.set_nodelay(true).unwrap();
    for inquiry in (0..1000).map(Inquiry::nth) {
        let reply = ask_length_prefixed(&mut host, &write_inquiry(&inquiry));
        assert_eq!(read_answer(&reply), Ok(inquiry.answer()), "{inquiry:?}");
    }
}

#[test]
fn a_thousand_inquiries_are_answered_as_computed_over_ims_connect() {
    let Some(mainframe) = Mainframe::start(Framing::ImsConnect) else { return };
    let mut host = TcpStream::connect(mainframe.address()).unwrap();
    host.set_nodelay(true).unwrap();
    for inquiry in (0..1000).map(Inquiry::nth) {
        let reply = ask_ims(&mut host, TRANSACTION, &write_inquiry(&inquiry));
        let (record, complete) = reply.split_last_chunk::<12>().unwrap();
        assert_eq!(&complete[4..], COMPLETE);
        assert_eq!(read_answer(&record[4..]), Ok(inquiry.answer()), "{inquiry:?}");
    }
}

#[test]
fn what_the_bank_refuses_comes_back_as_a_return_code() {
    let Some(mainframe) = Mainframe::start(Framing::LengthPrefixed) else { return };
    let mut host = TcpStream::connect(mainframe.address()).unwrap();
    let good = Inquiry::nth(3);
    for (inquiry, return_code) in [
        (Inquiry { function: "NOPE".to_owned(), ..good.clone() }, -8),
        (Inquiry { customer_id: 0, ..good.clone() }, 4),
        (Inquiry { wanted: 21, ..good.clone() }, -12),
    ] {
        let answer = read_answer(&ask_length_prefixed(&mut host, &write_inquiry(&inquiry))).unwrap();
        assert_eq!((answer.return_code, &answer), (return_code, &inquiry.answer()));
    }
    let short = &write_inquiry(&good)[..100];
    assert_eq!(read_answer(&ask_length_prefixed(&mut host, short)).unwrap().return_code, -16);
}

#[test]
fn the_program_spoils_its_answer_when_asked_to() {
    let Some(mainframe) = Mainframe::start(Framing::LengthPrefixed) else { return };
    let mut host = TcpStream::connect(mainframe.address()).unwrap();
    for (function, complaint) in [
        ("CUT1", "the record ends at 60, wanted 20 bytes at 46"),
        ("PCK1", "not a digit in the number at 70"),
        ("ODO1", "229 bytes with 21 accounts"),
    ] {
        let inquiry = Inquiry { function: function.to_owned(), wanted: 3, ..Inquiry::nth(7) };
        assert_eq!(read_answer(&ask_length_prefixed(&mut host, &write_inquiry(&inquiry))).unwrap_err(), complaint);
    }
    let inquiry = Inquiry { function: "DIE1".to_owned(), ..Inquiry::nth(7) };
    host.write_all(&length_prefixed(&write_inquiry(&inquiry))).unwrap();
    assert_eq!(host.read(&mut [0; 1]).unwrap(), 0, "the connection ends without an answer");
}

#[test]
fn ims_connect_refuses_an_unknown_transaction_and_a_broken_message_with_a_status() {
    let Some(mainframe) = Mainframe::start(Framing::ImsConnect) else { return };
    let record = write_inquiry(&Inquiry::nth(1));
    let mut bad_segment = ims_message(TRANSACTION, &record);
    bad_segment[108] = 0xff;
    for (message, return_code, reason) in
        [(ims_message("NOSUCH", &record), 0x10, 0x1a), (bad_segment, 8, 20), (vec![0, 0, 0, 9, 1, 2, 3, 4, 5], 8, 7)]
    {
        let mut host = TcpStream::connect(mainframe.address()).unwrap();
        host.write_all(&message).unwrap();
        let status = read_frame(&mut host);
        assert_eq!((status.len(), &status[4..12]), (20, STATUS));
        assert_eq!((status[15], status[19]), (return_code, reason));
    }
}

/// `*CSMOKY*`
const COMPLETE: &[u8] = &[0x5c, 0xc3, 0xe2, 0xd4, 0xd6, 0xd2, 0xe8, 0x5c];
/// `*REQSTS*`
const STATUS: &[u8] = &[0x5c, 0xd9, 0xc5, 0xd8, 0xe2, 0xe3, 0xe2, 0x5c];
/// `*SAMPL1*`
const SAMPLE_1: [u8; 8] = [0x5c, 0xe2, 0xc1, 0xd4, 0xd7, 0xd3, 0xf1, 0x5c];

fn ask_length_prefixed(host: &mut TcpStream, record: &[u8]) -> Vec<u8> {
    host.write_all(&length_prefixed(record)).unwrap();
    read_frame(host)
}

fn ask_ims(host: &mut TcpStream, transaction: &str, record: &[u8]) -> Vec<u8> {
    host.write_all(&ims_message(transaction, record)).unwrap();
    read_frame(host)
}

fn length_prefixed(body: &[u8]) -> Vec<u8> {
    let mut frame = (body.len() as u32 + 4).to_be_bytes().to_vec();
    frame.extend(body);
    frame
}

fn read_frame(host: &mut TcpStream) -> Vec<u8> {
    let mut length = [0; 4];
    host.read_exact(&mut length).unwrap();
    let mut body = vec![0; u32::from_be_bytes(length) as usize - 4];
    host.read_exact(&mut body).unwrap();
    body
}

/// Header of 104 bytes, one segment, end.
fn ims_message(transaction: &str, record: &[u8]) -> Vec<u8> {
    let code: Vec<u8> = format!("{transaction:8}").bytes().map(capital).collect();
    let mut header = vec![0; 104];
    header[..4].copy_from_slice(&[0, 104, 1, 0]);
    header[4..12].copy_from_slice(&SAMPLE_1);
    header[18] = 0x10; // the socket stays open
    header[29] = 0x20; // commit then send
    header[31] = 0x40; // send, then receive
    header[32..40].copy_from_slice(&code);
    let mut body = header;
    body.extend((12 + record.len() as u16).to_be_bytes());
    body.extend([0, 0]);
    body.extend(code);
    body.extend(record);
    body.extend([0, 4, 0, 0]);
    length_prefixed(&body)
}

fn capital(letter: u8) -> u8 {
    match letter {
        b'A'..=b'I' => letter - b'A' + 0xc1,
        b'J'..=b'R' => letter - b'J' + 0xd1,
        b'S'..=b'Z' => letter - b'S' + 0xe2,
        _ => 0x40,
    }
}
