//! Answers of IMS Connect: an optional RMM, data segments and a CSM; or an RSM alone.

use bytes::{BufMut, Bytes, BytesMut};

use super::status::RequestStatus;

/// LL and ZZ before a segment's data.
pub(crate) const SEGMENT_PREFIX_BYTES: usize = 4;

pub(crate) const STATUS_ID: [u8; 8] = [0x5c, 0xd9, 0xc5, 0xd8, 0xe2, 0xe3, 0xe2, 0x5c]; // *REQSTS*
pub(crate) const COMPLETE_ID: [u8; 8] = [0x5c, 0xc3, 0xe2, 0xd4, 0xd6, 0xd2, 0xe8, 0x5c]; // *CSMOKY*
const MODULE_ID: [u8; 8] = [0x5c, 0xd9, 0xc5, 0xd8, 0xd4, 0xd6, 0xc4, 0x5c]; // *REQMOD*

/// CSM_FLG1: the output belongs to an IMS conversation.
const CONVERSATIONAL: u8 = 0x40;
/// CSM_FLG1: IMS waits for an acknowledgement.
pub(crate) const ACKNOWLEDGE: u8 = 0x20;

/// A whole answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The transaction's output, its segments joined.
    Data { record: Bytes, acknowledge: bool, conversational: bool },
    /// A request status message (RSM): no output, and why.
    Status(RequestStatus),
}

/// What a segment was.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    More,
    Last(Answer),
}

/// Joins an answer's segments.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    record: BytesMut,
    seen: usize,
}

impl Reader {
    /// Takes one whole segment: LL, ZZ, data.
    pub(crate) fn take(&mut self, segment: &[u8]) -> Step {
        let (prefix, data) = segment.split_at(SEGMENT_PREFIX_BYTES.min(segment.len()));
        let is_first = self.seen == 0;
        self.seen += 1;
        match segment.len() {
            20 if is_first && data.starts_with(&STATUS_ID) => {
                Step::Last(Answer::Status(RequestStatus::read(prefix[3], &data[8..])))
            }
            // The module name is for 3270 screens.
            20 if is_first && data.starts_with(&MODULE_ID) => Step::More,
            12 if data == COMPLETE_ID => Step::Last(Answer::Data {
                record: std::mem::take(&mut self.record).freeze(),
                acknowledge: prefix[2] & ACKNOWLEDGE != 0,
                conversational: prefix[2] & CONVERSATIONAL != 0,
            }),
            _ => {
                self.record.put_slice(data);
                Step::More
            }
        }
    }
}

/// Reads all segments of a message whose total length is known. The error says what is wrong with its lengths.
pub(crate) fn read_all(message: Bytes) -> Result<Answer, String> {
    let mut reader = Reader::default();
    let mut rest = &message[..];
    while let [high, low, ..] = *rest {
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length < SEGMENT_PREFIX_BYTES || length > rest.len() {
            return Err(format!("a segment of the answer claims {length} bytes, {} are there", rest.len()));
        }
        let (segment, after) = rest.split_at(length);
        match reader.take(segment) {
            Step::Last(answer) if after.is_empty() => return Ok(answer),
            // Data may look like a complete status message: only the last segment is one.
            Step::Last(Answer::Data { record, .. }) => {
                reader.record = BytesMut::from(&record[..]);
                reader.record.put_slice(&segment[SEGMENT_PREFIX_BYTES..]);
            }
            Step::Last(Answer::Status(_)) => return Err(format!("{} bytes follow a request status message", after.len())),
            Step::More => {}
        }
        rest = after;
    }
    Err("the answer has neither a complete status message nor a request status message at its end".into())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use proptest::prelude::*;

    use super::*;

    fn segment(flags: u8, data: &[u8]) -> Vec<u8> {
        let mut segment = ((data.len() + 4) as u16).to_be_bytes().to_vec();
        segment.extend([flags, 0]);
        segment.extend(data);
        segment
    }

    fn read(segments: &[Vec<u8>]) -> String {
        match read_all(segments.concat().into()) {
            Ok(answer) => format!("{answer:?}"),
            Err(problem) => problem,
        }
    }

    #[test]
    fn answers_are_read_or_refused() {
        let csm = segment(0, &COMPLETE_ID);
        let rsm = segment(0, &[&STATUS_ID[..], &[0, 0, 0, 0x10, 0, 0, 0, 0x1a]].concat());
        let rmm = segment(0, &[&MODULE_ID[..], &[0x40; 8]].concat());
        let data = |text: &[u8]| segment(0, text);

        expect![[r#"Data { record: b"ab", acknowledge: false, conversational: false }"#]]
            .assert_eq(&read(&[data(b"ab"), csm.clone()]));
        expect![[r#"Data { record: b"abcd", acknowledge: true, conversational: false }"#]].assert_eq(&read(&[
            rmm,
            data(b"ab"),
            data(b""),
            data(b"cd"),
            segment(ACKNOWLEDGE, &COMPLETE_ID),
        ]));
        expect![[r#"Data { record: b"a\\\xc3\xe2\xd4\xd6\xd2\xe8\\", acknowledge: false, conversational: false }"#]]
            .assert_eq(&read(&[data(b"a"), csm.clone(), csm.clone()]));
        expect![[r#"Data { record: b"", acknowledge: false, conversational: false }"#]]
            .assert_eq(&read(std::slice::from_ref(&csm)));
        expect!["Status(RequestStatus { detail: 0, return_code: 16, reason_code: 26 })"]
            .assert_eq(&read(std::slice::from_ref(&rsm)));
        expect!["6 bytes follow a request status message"].assert_eq(&read(&[rsm, data(b"ab")]));
        expect!["the answer has neither a complete status message nor a request status message at its end"]
            .assert_eq(&read(&[data(b"ab")]));
        expect!["a segment of the answer claims 3 bytes, 4 are there"].assert_eq(&read(&[b"\0\x03ab".to_vec()]));
        expect!["a segment of the answer claims 9 bytes, 6 are there"].assert_eq(&read(&[b"\0\x09\0\0ab".to_vec()]));
        expect!["the answer has neither a complete status message nor a request status message at its end"].assert_eq(&read(&[]));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_all(bytes.into());
        }
    }
}
