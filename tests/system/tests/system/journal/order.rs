//! No acknowledgement leaves before the fdatasync that covers it has returned: checked on a trace of system calls.

use std::collections::{BTreeMap, HashMap};

use passerelle_proto::bus::v1::PublishStreamResponse;
use prost::Message as _;

use super::trace::Call;

/// What a message of a stream bears, so that it is found in what is written to the disk.
pub(super) fn marker(stream: u16, number: u64) -> String {
    format!("<{stream}:{number}>")
}

/// Acknowledgements found on the sockets, and proven.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Proven {
    /// How many there were.
    pub(super) acknowledgements: usize,
    /// Up to how many messages each stream was acknowledged.
    pub(super) messages: BTreeMap<u16, u64>,
}

/// Checks every acknowledgement on a connection to a publisher's port; a publisher's stream is named by that port.
pub(super) fn check(calls: &[Call]) -> Result<Proven, String> {
    let durable = durable(calls);
    let mut proven = Proven::default();
    for Acknowledgement { stream, count, begun } in acknowledgements(calls) {
        let before = proven.messages.entry(stream).or_default();
        for number in *before..count {
            match durable.get(&(stream, number)) {
                Some(ended) if *ended < begun => {}
                Some(ended) => {
                    return Err(format!(
                        "{}: acknowledged on line {begun}, on disk only on line {ended}",
                        marker(stream, number)
                    ));
                }
                None => return Err(format!("{}: acknowledged on line {begun}, never on disk", marker(stream, number))),
            }
        }
        *before = count.max(*before);
        proven.acknowledgements += 1;
    }
    Ok(proven)
}

/// For each marker the line on which the first fdatasync ended that began after it was written, and succeeded.
fn durable(calls: &[Call]) -> HashMap<(u16, u64), usize> {
    let syncs: Vec<&Call> = calls.iter().filter(|call| call.name == "fdatasync" && call.result == 0).collect();
    let mut durable = HashMap::new();
    for write in calls.iter().filter(|call| call.name == "pwrite64" && call.result > 0) {
        let covers = |sync: &&&Call| sync.number() == write.number() && sync.begun > write.ended;
        let Some(ended) = syncs.iter().filter(covers).map(|sync| sync.ended).min() else { continue };
        for found in markers(&write.bytes[..write.bytes.len().min(write.result as usize)]) {
            durable.entry(found).or_insert(ended);
        }
    }
    durable
}

fn markers(bytes: &[u8]) -> impl Iterator<Item = (u16, u64)> + '_ {
    bytes.split(|byte| *byte == b'<').skip(1).filter_map(|rest| {
        let end = rest.iter().position(|byte| *byte == b'>')?;
        let (stream, number) = std::str::from_utf8(&rest[..end]).ok()?.split_once(':')?;
        Some((stream.parse().ok()?, number.parse().ok()?))
    })
}

struct Acknowledgement {
    stream: u16,
    count: u64,
    /// The line on which its first byte may have left.
    begun: usize,
}

/// All acknowledgements, in the order in which they left.
fn acknowledgements(calls: &[Call]) -> Vec<Acknowledgement> {
    let mut connections: HashMap<&str, Connection> = HashMap::new();
    let mut found = Vec::new();
    let mut writes: Vec<&Call> = calls.iter().filter(|call| call.descriptor.contains("TCP:") && call.result > 0).collect();
    writes.sort_by_key(|call| call.begun);
    for write in writes {
        let connection = connections.entry(&write.descriptor).or_default();
        found.extend(connection.wrote(write));
    }
    found
}

/// What left on one connection: HTTP/2 frames (RFC 9113, 4.1), in them messages of gRPC.
#[derive(Default)]
struct Connection {
    /// The beginning of a frame, and the line on which that began.
    frame: Vec<u8>,
    since: usize,
    /// The beginning of a message, by stream.
    messages: HashMap<u32, Vec<u8>>,
}

impl Connection {
    fn wrote(&mut self, call: &Call) -> Vec<Acknowledgement> {
        let mut found = Vec::new();
        if self.frame.is_empty() {
            self.since = call.begun;
        }
        self.frame.extend(&call.bytes[..call.bytes.len().min(call.result as usize)]);
        while let [a, b, c, kind, _, stream @ ..] = self.frame.as_slice() {
            let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
            let (Some(id), Some(payload)) = (stream.get(..4), stream.get(4..4 + length)) else { break };
            if *kind == DATA {
                let id = u32::from_be_bytes([id[0] & 0x7f, id[1], id[2], id[3]]);
                let message = self.messages.entry(id).or_default();
                message.extend(payload);
                let counts = counts(message);
                found.extend(counts.into_iter().map(|count| Acknowledgement {
                    stream: port(&call.descriptor),
                    count,
                    begun: self.since,
                }));
            }
            self.frame.drain(..9 + length);
            self.since = call.begun;
        }
        found
    }
}

/// Type of the frames that carry messages.
const DATA: u8 = 0;

/// Takes whole messages off; what they acknowledge.
fn counts(bytes: &mut Vec<u8>) -> Vec<u64> {
    let mut counts = Vec::new();
    while let [0, a, b, c, d, message @ ..] = bytes.as_slice() {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        let Some(message) = message.get(..length) else { break };
        counts.extend(PublishStreamResponse::decode(message).ok().map(|response| response.acknowledged));
        bytes.drain(..5 + length);
    }
    counts
}

/// The peer's port: `7<TCP:[127.0.0.1:7400->127.0.0.1:50000]>`.
fn port(descriptor: &str) -> u16 {
    let port = descriptor.rsplit(':').next().unwrap_or_default();
    port.trim_end_matches([']', '>']).parse().unwrap_or_default()
}

mod tests {
    use expect_test::{Expect, expect};

    use super::super::trace;
    use super::*;

    /// As strace writes bytes.
    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect()
    }

    fn write(numbers: std::ops::Range<u64>) -> String {
        let bytes = numbers.map(|number| format!("record {} ", marker(9, number))).collect::<String>();
        format!("1 t pwrite64(5</journal/1.log>, \"{}\", 4096, 0) = {}\n", hex(bytes.as_bytes()), bytes.len())
    }

    /// A SETTINGS frame, then one DATA frame with an acknowledgement, in two pieces if wanted.
    fn acknowledgement(count: u64) -> Vec<u8> {
        let message = PublishStreamResponse { acknowledged: count, position: 77 }.encode_to_vec();
        let mut bytes = vec![0, 0, 0, 4, 0, 0, 0, 0, 0];
        bytes.extend([0, 0, 5 + message.len() as u8, DATA, 0, 0, 0, 0, 1]);
        bytes.extend([0, 0, 0, 0, message.len() as u8]);
        bytes.extend(message);
        bytes
    }

    fn send(count: u64) -> String {
        let bytes = acknowledgement(count);
        format!(
            "2 t sendto(7<TCP:[127.0.0.1:1->127.0.0.1:9]>, \"{}\", 30, MSG_NOSIGNAL, NULL, 0) = {}\n",
            hex(&bytes),
            bytes.len()
        )
    }

    const SYNC: &str = "1 t fdatasync(5</journal/1.log>) = 0\n";

    #[track_caller]
    fn says(lines: &[&str], expected: Expect) {
        let said = check(&trace::read(&lines.concat()));
        expected.assert_eq(&said.map_or_else(|wrong| wrong, |proven| format!("{proven:?}")));
    }

    #[test]
    fn what_left_after_its_fdatasync_is_proven() {
        says(
            &[&write(0..2), SYNC, &send(2), &write(2..3), SYNC, &send(3)],
            expect!["Proven { acknowledgements: 2, messages: {9: 3} }"],
        );
        let split = send(1);
        let bytes = acknowledgement(1);
        let (one, two) = bytes.split_at(20);
        let half = |bytes: &[u8]| {
            format!("2 t writev(7<TCP:[127.0.0.1:1->127.0.0.1:9]>, [{{iov_base=\"{}\"}}], 1) = {}\n", hex(bytes), bytes.len())
        };
        assert_ne!(split, half(one));
        says(&[&write(0..1), SYNC, &half(one), &half(two)], expect!["Proven { acknowledgements: 1, messages: {9: 1} }"]);
    }

    #[test]
    fn what_left_before_is_found() {
        says(&[&write(0..1), &send(1), SYNC], expect!["<9:0>: acknowledged on line 1, on disk only on line 2"]);
        // The fdatasync was under way: it need not cover what was written meanwhile, and it has not returned.
        let (begun, ended) = ("1 t fdatasync(5</journal/1.log> <unfinished ...>\n", "1 t <... fdatasync resumed>) = 0\n");
        says(&[&write(0..1), begun, &send(1), ended], expect!["<9:0>: acknowledged on line 2, on disk only on line 3"]);
        says(&[begun, &write(0..1), ended, &send(1)], expect!["<9:0>: acknowledged on line 3, never on disk"]);
        says(&[&write(0..1), SYNC, &send(2)], expect!["<9:1>: acknowledged on line 2, never on disk"]);
        let failed = "1 t fdatasync(5</journal/1.log>) = -1 EIO (Input/output error)\n";
        says(&[&write(0..1), failed, &send(1)], expect!["<9:0>: acknowledged on line 2, never on disk"]);
        says(
            &[&write(0..1), "1 t fdatasync(6</other>) = 0\n", &send(1)],
            expect!["<9:0>: acknowledged on line 2, never on disk"],
        );
        let torn = write(0..2).replace(") = 26", ") = 13");
        says(&[&torn, SYNC, &send(2)], expect!["<9:1>: acknowledged on line 2, never on disk"]);
        let bytes = acknowledgement(1);
        let (one, two) = bytes.split_at(20);
        let half =
            |bytes: &[u8]| format!("2 t write(7<TCP:[127.0.0.1:1->127.0.0.1:9]>, \"{}\", 9) = {}\n", hex(bytes), bytes.len());
        says(&[&write(0..1), &half(one), SYNC, &half(two)], expect!["<9:0>: acknowledged on line 1, on disk only on line 2"]);
    }
}
