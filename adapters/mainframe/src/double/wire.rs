//! The host's side of both framings: requests in, answers out.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use passerelle_copybook::CodePage;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::file::{Framing, Host, SyncLevel, TrancodeHeader, TransportKind};
use crate::names::{NAME_BYTES, padded_name};
use crate::transport::ims_connect::answer::{ACKNOWLEDGE, COMPLETE_ID, STATUS_ID};
use crate::transport::ims_connect::header::{ACKNOWLEDGEMENT, EXIT_0, NAMES_CODE_PAGE};
use crate::transport::ims_connect::status::COMMITTED;
use crate::transport::tcp::{put_length, take_length};

/// The largest request that is taken, in bytes.
const REQUEST_LIMIT_BYTES: usize = 1 << 20;
/// What one segment of an answer holds.
const SEGMENT_DATA_BYTES: usize = 32_763;

/// How the played host speaks.
#[derive(Debug)]
pub(super) enum Wire {
    Tcp { framing: Framing, code_page: CodePage },
    ImsConnect,
}

/// What a client sent.
#[derive(Debug)]
pub(super) struct Incoming {
    /// `ims_connect`: no transaction, but the word that the answer has come.
    pub(super) is_acknowledgement: bool,
    pub(super) trancode: Option<String>,
    pub(super) record: Bytes,
    /// `ims_connect`: the exit HWSSMPL0 writes no total length.
    has_total_length: bool,
    sync_level: SyncLevel,
}

impl Wire {
    pub(super) fn of(host: &Host, code_page: CodePage) -> Self {
        match host.transport {
            TransportKind::Tcp => Self::Tcp { framing: host.framing.unwrap_or_default(), code_page },
            TransportKind::ImsConnect => Self::ImsConnect,
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Tcp { .. } => "tcp",
            Self::ImsConnect => "ims_connect",
        }
    }

    /// The next request; `None` when the client has hung up between two.
    pub(super) async fn read(&self, stream: &mut TcpStream) -> Result<Option<Incoming>, String> {
        let framing = match self {
            Self::Tcp { framing, .. } => *framing,
            Self::ImsConnect => Framing::default(),
        };
        let mut length = [0; 4];
        let length = &mut length[..usize::from(framing.length_bytes)];
        if stream.read_exact(length).await.is_err() {
            return Ok(None);
        }
        let length = take_length(&mut BytesMut::from(&*length), framing)?;
        if length > REQUEST_LIMIT_BYTES {
            return Err(format!("a request of {length} bytes, the limit is {REQUEST_LIMIT_BYTES}"));
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.map_err(|error| error.to_string())?;
        match self {
            Self::Tcp { framing, code_page } => read_framed(framing.header, *code_page, body.into()),
            Self::ImsConnect => read_irm(&body),
        }
        .map(Some)
    }

    /// An answer with a record; `None` when no frame can hold it.
    pub(super) fn reply(&self, incoming: &Incoming, record: &[u8]) -> Option<Vec<u8>> {
        let mut answer = BytesMut::with_capacity(record.len() + 32);
        match self {
            Self::Tcp { framing, .. } => {
                put_length(&mut answer, *framing, record.len()).ok()?;
                answer.put_slice(record);
                Some(answer.to_vec())
            }
            Self::ImsConnect => {
                let flags = if incoming.sync_level == SyncLevel::Confirm { ACKNOWLEDGE } else { 0 };
                for data in record.chunks(SEGMENT_DATA_BYTES) {
                    put_segment(&mut answer, 0, data);
                }
                put_segment(&mut answer, flags, &COMPLETE_ID);
                Some(incoming.with_total_length(&answer))
            }
        }
    }

    /// What a client gets when the transaction ends abnormally: IMS says so, a plain socket is closed.
    pub(super) fn abend(&self, incoming: &Incoming, code: &str) -> Option<Vec<u8>> {
        match self {
            Self::Tcp { .. } => None,
            Self::ImsConnect => {
                let trancode = incoming.trancode.as_deref().unwrap_or_default();
                let text = format!("DFS555I TRAN {trancode:8} ABEND {code},U0000 ; MSG IN PROCESS:");
                let text: Vec<u8> = text.chars().filter_map(|c| NAMES_CODE_PAGE.encode(c)).collect();
                self.reply(incoming, &text)
            }
        }
    }

    /// What a client gets for a transaction that the host does not have.
    pub(super) fn unknown_transaction(&self, incoming: &Incoming) -> Option<Vec<u8>> {
        match self {
            Self::Tcp { .. } => None,
            Self::ImsConnect => Some(incoming.status(0x10, 0x1A)),
        }
    }
}

impl Incoming {
    /// The word that IMS has committed.
    pub(super) fn committed(&self) -> Vec<u8> {
        self.status(0, COMMITTED)
    }

    fn status(&self, return_code: u32, reason_code: u32) -> Vec<u8> {
        let codes = [&STATUS_ID[..], &return_code.to_be_bytes(), &reason_code.to_be_bytes()].concat();
        let mut message = BytesMut::new();
        put_segment(&mut message, 0, &codes);
        self.with_total_length(&message)
    }

    fn with_total_length(&self, message: &[u8]) -> Vec<u8> {
        let total = (4 + message.len() as u32).to_be_bytes();
        if self.has_total_length { [&total[..], message].concat() } else { message.to_vec() }
    }
}

fn read_framed(header: TrancodeHeader, code_page: CodePage, mut body: Bytes) -> Result<Incoming, String> {
    let trancode = match header {
        TrancodeHeader::None => None,
        TrancodeHeader::Trancode if body.len() < NAME_BYTES => return Err("a request without its transaction code".into()),
        TrancodeHeader::Trancode => Some(name(&body.split_to(NAME_BYTES), code_page)),
    };
    Ok(Incoming { is_acknowledgement: false, trancode, record: body, has_total_length: true, sync_level: SyncLevel::None })
}

/// Offsets are those of IBM's tables less the four bytes of LLLL.
fn read_irm(body: &[u8]) -> Result<Incoming, String> {
    let short = || "a message shorter than its header".to_owned();
    let header_length = usize::from(u16::from_be_bytes([*body.first().ok_or_else(short)?, *body.get(1).ok_or_else(short)?]));
    if header_length < 80 || body.len() < header_length + 4 {
        return Err(short());
    }
    let (header, mut data) = body.split_at(header_length);
    let is_exit_0 = padded_name(EXIT_0, NAMES_CODE_PAGE).is_ok_and(|exit| header[4..12] == exit);
    let incoming = Incoming {
        is_acknowledgement: header[31] == ACKNOWLEDGEMENT,
        trancode: Some(name(&header[32..40], NAMES_CODE_PAGE)),
        record: Bytes::new(),
        has_total_length: !is_exit_0,
        sync_level: if header[30] == 1 { SyncLevel::Confirm } else { SyncLevel::None },
    };
    if incoming.is_acknowledgement {
        return Ok(incoming);
    }
    let there = data.len();
    let segment = usize::from(data.get_u16());
    if !(4 + NAME_BYTES..=there).contains(&segment) {
        return Err(format!("a segment of {segment} bytes in a message with {there} bytes of data"));
    }
    Ok(Incoming { record: Bytes::copy_from_slice(&data[2 + NAME_BYTES..segment - 2]), ..incoming })
}

fn name(bytes: &[u8], code_page: CodePage) -> String {
    let text: String = bytes.iter().filter_map(|byte| code_page.decode(*byte)).collect();
    text.trim_end().to_owned()
}

fn put_segment(message: &mut BytesMut, flags: u8, data: &[u8]) {
    message.put_u16(4 + data.len() as u16);
    message.put_u8(flags);
    message.put_u8(0);
    message.put_slice(data);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_make_the_double_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), plausible in any::<bool>()) {
            if let (true, Some(length)) = (plausible, bytes.get_mut(..2)) {
                length.copy_from_slice(&[0, 80]);
            }
            let _ = read_irm(&bytes);
            let _ = read_framed(TrancodeHeader::Trancode, CodePage::Ibm1047, bytes.into());
        }
    }
}
