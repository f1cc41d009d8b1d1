//! `tcp`: a length field, an optional transaction code, and the record.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use passerelle_adapter::{Fault, Rejection, async_trait};
use passerelle_copybook::CodePage;

use super::Request;
use super::sockets::Dialect;
use crate::connection::Connection;
use crate::file::{Framing, TrancodeHeader};
use crate::names::{NAME_BYTES, padded_name};

/// Records in frames of stated length.
#[derive(Debug)]
pub(crate) struct Tcp {
    pub(crate) framing: Framing,
    pub(crate) code_page: CodePage,
    pub(crate) response_limit_bytes: usize,
}

impl Tcp {
    /// The whole request: length, header, record.
    pub(crate) fn frame(&self, request: &Request) -> Result<Bytes, Fault> {
        let header = match self.framing.header {
            TrancodeHeader::None => None,
            TrancodeHeader::Trancode => {
                let trancode = request.trancode.as_deref().unwrap_or_default();
                Some(padded_name(trancode, self.code_page).map_err(|problem| Fault::rejected(Rejection::Invalid, problem))?)
            }
        };
        let body = header.map_or(0, |_| NAME_BYTES) + request.record.len();
        let mut frame = BytesMut::with_capacity(4 + body);
        put_length(&mut frame, self.framing, body)
            .map_err(|problem| Fault::rejected(Rejection::Invalid, format!("the request {problem}")))?;
        frame.extend_from_slice(header.as_ref().map_or(&[], |name| &name[..]));
        frame.extend_from_slice(&request.record);
        Ok(frame.freeze())
    }
}

#[async_trait]
impl Dialect for Tcp {
    fn name(&self) -> &'static str {
        "tcp"
    }

    async fn exchange(&self, connection: &mut Connection, request: &Request) -> Result<Bytes, Fault> {
        connection.send(&self.frame(request)?).await?;
        let mut answer = BytesMut::new();
        connection.receive(usize::from(self.framing.length_bytes), &mut answer).await?;
        let length = take_length(&mut answer, self.framing).map_err(|problem| connection.broken(problem))?;
        if length > self.response_limit_bytes {
            let limit = self.response_limit_bytes;
            return Err(connection.broken(format!("the answer claims {length} bytes, response_limit_bytes is {limit}")));
        }
        connection.receive(length, &mut answer).await?;
        Ok(answer.freeze())
    }
}

/// Writes the length field of a frame with `body` bytes after it.
pub(crate) fn put_length(frame: &mut BytesMut, framing: Framing, body: usize) -> Result<(), String> {
    let own = if framing.length_includes_itself { usize::from(framing.length_bytes) } else { 0 };
    let too_long = |_| format!("is {body} bytes, too long for a {}-byte length field", framing.length_bytes);
    if framing.length_bytes == 2 {
        frame.put_u16(u16::try_from(body + own).map_err(too_long)?);
    } else {
        frame.put_u32(u32::try_from(body + own).map_err(too_long)?);
    }
    Ok(())
}

/// Takes the length field off `frame` and says how many bytes come after it.
pub(crate) fn take_length(frame: &mut BytesMut, framing: Framing) -> Result<usize, String> {
    let length = if framing.length_bytes == 2 { usize::from(frame.get_u16()) } else { frame.get_u32() as usize };
    let own = if framing.length_includes_itself { usize::from(framing.length_bytes) } else { 0 };
    length
        .checked_sub(own)
        .ok_or_else(|| format!("its length field says {length}, less than the {own} bytes of the field itself"))
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    fn frame_of(framing: Framing, record: &'static [u8]) -> Result<Bytes, Fault> {
        let tcp = Tcp { framing, code_page: CodePage::Ibm1047, response_limit_bytes: 1 << 16 };
        let request = Request {
            trancode: Some("ACCTINQ".into()),
            record: Bytes::from_static(record),
            deadline: Instant::now(),
            idempotent: false,
        };
        tcp.frame(&request)
    }

    fn framing(length_bytes: u8, length_includes_itself: bool, header: TrancodeHeader) -> Framing {
        Framing { length_bytes, length_includes_itself, header }
    }

    #[test]
    fn each_framing_has_its_bytes() {
        use TrancodeHeader::{None, Trancode};
        let cases: [(Framing, &[u8]); 5] = [
            (framing(4, true, None), b"\0\0\0\x06\xf1\xf2"),
            (framing(4, false, None), b"\0\0\0\x02\xf1\xf2"),
            (framing(2, true, None), b"\0\x04\xf1\xf2"),
            (framing(2, false, None), b"\0\x02\xf1\xf2"),
            (framing(4, true, Trancode), b"\0\0\0\x0e\xc1\xc3\xc3\xe3\xc9\xd5\xd8\x40\xf1\xf2"),
        ];
        for (framing, expected) in cases {
            assert_eq!(frame_of(framing, b"\xf1\xf2").unwrap(), expected, "{framing:?}");
            let mut answer = BytesMut::from(&expected[..usize::from(framing.length_bytes)]);
            assert_eq!(take_length(&mut answer, framing), Ok(expected.len() - usize::from(framing.length_bytes)));
        }
    }

    #[test]
    fn a_request_too_long_for_its_length_field_is_refused() {
        static RECORD: [u8; 65_534] = [0; 65_534];
        let refused = frame_of(framing(2, true, TrancodeHeader::None), &RECORD).unwrap_err();
        expect_test::expect!["the request is 65534 bytes, too long for a 2-byte length field"].assert_eq(&refused.to_string());
        assert!(frame_of(framing(2, true, TrancodeHeader::None), &RECORD[1..]).is_ok());
    }

    #[test]
    fn a_length_shorter_than_its_own_field_is_garbage() {
        let garbage = take_length(&mut BytesMut::from(&b"\0\0\0\x03"[..]), Framing::default()).unwrap_err();
        expect_test::expect!["its length field says 3, less than the 4 bytes of the field itself"].assert_eq(&garbage);
    }
}
