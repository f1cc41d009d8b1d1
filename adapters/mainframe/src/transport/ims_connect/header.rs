//! Requests to IMS Connect: the IMS request message header (IRM), the data, the end.

use bytes::{BufMut, Bytes, BytesMut};
use passerelle_copybook::CodePage;
use tokio::time::Instant;

use super::super::Request;
use super::timer::timer;
use crate::file::{ExitId, SyncLevel};
use crate::names::{NAME_BYTES, padded_name};

/// Names in the header are in this code page, whatever the records are in: it is the one where @, # and $ have the codes that
/// z/OS gives them in names.
pub(crate) const NAMES_CODE_PAGE: CodePage = CodePage::Ibm037;

/// IRM_ID of the exit HWSSMPL0.
pub(crate) const EXIT_0: &str = "*SAMPLE*";
/// IRM_ID of the exit HWSSMPL1.
const EXIT_1: &str = "*SAMPL1*";
/// IRM_F4 of an acknowledgement: `A`.
pub(crate) const ACKNOWLEDGEMENT: u8 = 0xC1;

/// The header's fixed part: from IRM_LEN to IRM_CLIENTID.
const FIXED_BYTES: usize = 28;
/// A segment's length field is signed in many programs, and IMS message queues take less anyway.
const SEGMENT_LIMIT_BYTES: usize = 32_767;
const END_OF_MESSAGE: [u8; 4] = [0, 4, 0, 0];

const PERSISTENT_SOCKET: u8 = 0x10;
const COMMIT_MODE_1: u8 = 0x20;

/// The parts of the header that stay the same for a host, ready for the wire.
#[derive(Clone)]
pub(crate) struct Header {
    pub(crate) exit: ExitId,
    pub(crate) arch: u8,
    pub(crate) sync_level: SyncLevel,
    pub(crate) datastore: [u8; NAME_BYTES],
    pub(crate) lterm: [u8; NAME_BYTES],
    pub(crate) user: [u8; NAME_BYTES],
    pub(crate) group: [u8; NAME_BYTES],
    pub(crate) password: [u8; NAME_BYTES],
    pub(crate) application: [u8; NAME_BYTES],
}

/// What a message to IMS Connect is (IRM_F4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MessageType {
    /// A transaction; its answer is awaited on the same socket.
    SendReceive,
    /// The answer has come: IMS may commit.
    Acknowledgement,
}

impl Header {
    /// The whole message, from LLLL to the end mark. Only a transaction carries the record.
    pub(crate) fn message(&self, kind: MessageType, client: &str, request: &Request) -> Result<Bytes, String> {
        let header_length = if self.arch == 0 { 80 } else { 104 };
        let data_length = match kind {
            MessageType::SendReceive => 4 + NAME_BYTES + request.record.len(),
            MessageType::Acknowledgement => 0,
        };
        if data_length > SEGMENT_LIMIT_BYTES {
            let limit = SEGMENT_LIMIT_BYTES - 4 - NAME_BYTES;
            return Err(format!("the request record is {} bytes, an IMS segment takes {limit}", request.record.len()));
        }
        let total = 4 + header_length + data_length + END_OF_MESSAGE.len();
        let trancode = padded_name(request.trancode.as_deref().unwrap_or_default(), NAMES_CODE_PAGE)?;

        let mut message = BytesMut::with_capacity(total);
        message.put_u32(total as u32);
        message.put_u16(header_length as u16);
        message.put_u8(self.arch);
        message.put_u8(0);
        self.put_fixed_part(&mut message, client, request.deadline)?;
        self.put_user_part(&mut message, kind, &trancode);
        if kind == MessageType::SendReceive {
            message.put_u16(data_length as u16);
            message.put_u16(0);
            message.put_slice(&trancode);
            message.put_slice(&request.record);
        }
        message.put_slice(&END_OF_MESSAGE);
        Ok(message.freeze())
    }

    /// IRM_ID to IRM_CLIENTID.
    fn put_fixed_part(&self, message: &mut BytesMut, client: &str, deadline: Instant) -> Result<(), String> {
        let exit = match self.exit {
            ExitId::Sample0 => EXIT_0,
            ExitId::Sample1 => EXIT_1,
        };
        message.put_slice(&padded_name(exit, NAMES_CODE_PAGE)?);
        message.put_u32(0); // IRM_NAK_RSNCDE and two reserved bytes
        message.put_u8(0); // IRM_F5: the exit builds the OTMA headers
        message.put_u8(timer(deadline.saturating_duration_since(Instant::now())));
        message.put_u8(PERSISTENT_SOCKET);
        message.put_u8(0); // IRM_ES: no Unicode
        message.put_slice(&padded_name(client, NAMES_CODE_PAGE)?);
        debug_assert_eq!(message.len(), 4 + FIXED_BYTES);
        Ok(())
    }

    /// IRM_F1 to IRM_PW, and what level 1 adds.
    fn put_user_part(&self, message: &mut BytesMut, kind: MessageType, trancode: &[u8; NAME_BYTES]) {
        message.put_u8(0); // IRM_F1: no MFS module name wanted
        message.put_u8(COMMIT_MODE_1);
        message.put_u8(match self.sync_level {
            SyncLevel::None => 0,
            SyncLevel::Confirm => 1,
        });
        message.put_u8(match kind {
            MessageType::SendReceive => 0x40,
            MessageType::Acknowledgement => ACKNOWLEDGEMENT,
        });
        for name in [trancode, &self.datastore, &self.lterm, &self.user, &self.group, &self.password] {
            message.put_slice(name);
        }
        if self.arch > 0 {
            let blank = [0x40; NAME_BYTES];
            for name in [&self.application, &blank, &blank] {
                message.put_slice(name);
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use expect_test::expect;

    use super::*;

    pub(crate) fn header() -> Header {
        let name = |text| padded_name(text, NAMES_CODE_PAGE).unwrap();
        Header {
            exit: ExitId::Sample1,
            arch: 1,
            sync_level: SyncLevel::None,
            datastore: name("IMS1"),
            lterm: name(""),
            user: name("USER01"),
            group: name("GRP1"),
            password: name(""),
            application: name(""),
        }
    }

    fn request(record: &'static [u8]) -> Request {
        Request {
            trancode: Some("ACCTINQ".into()),
            record: Bytes::from_static(record),
            deadline: Instant::now() + Duration::from_secs(11),
            idempotent: false,
        }
    }

    fn rows(message: &[u8]) -> String {
        let row = |(at, row): (usize, &[u8])| {
            format!("{:03} {}\n", at * 16, row.iter().map(|b| format!("{b:02x}")).collect::<String>())
        };
        message.chunks(16).enumerate().map(row).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_transaction_at_level_1_has_these_bytes() {
        let message = header().message(MessageType::SendReceive, "CLIENT01", &request(b"\xc9\xd5\xd8\xf1")).unwrap();
        expect![[r#"
            000 00000080006801005ce2c1d4d7d3f15c
            016 0000000000321000c3d3c9c5d5e3f0f1
            032 00200040c1c3c3e3c9d5d840c9d4e2f1
            048 404040404040404040404040e4e2c5d9
            064 f0f14040c7d9d7f14040404040404040
            080 40404040404040404040404040404040
            096 40404040404040404040404000100000
            112 c1c3c3e3c9d5d840c9d5d8f100040000
        "#]]
        .assert_eq(&rows(&message));
    }

    #[tokio::test(start_paused = true)]
    async fn a_transaction_at_level_0_is_24_bytes_shorter() {
        let level_0 = Header { arch: 0, exit: ExitId::Sample0, sync_level: SyncLevel::Confirm, ..header() };
        let message = level_0.message(MessageType::SendReceive, "CLIENT01", &request(b"\xc9\xd5\xd8\xf1")).unwrap();
        expect![[r#"
            000 00000068005000005ce2c1d4d7d3c55c
            016 0000000000321000c3d3c9c5d5e3f0f1
            032 00200140c1c3c3e3c9d5d840c9d4e2f1
            048 404040404040404040404040e4e2c5d9
            064 f0f14040c7d9d7f14040404040404040
            080 4040404000100000c1c3c3e3c9d5d840
            096 c9d5d8f100040000
        "#]]
        .assert_eq(&rows(&message));
    }

    #[tokio::test(start_paused = true)]
    async fn an_acknowledgement_has_no_data() {
        let confirm = Header { sync_level: SyncLevel::Confirm, ..header() };
        let message = confirm.message(MessageType::Acknowledgement, "CLIENT01", &request(b"\xc9\xd5\xd8\xf1")).unwrap();
        expect![[r#"
            000 00000070006801005ce2c1d4d7d3f15c
            016 0000000000321000c3d3c9c5d5e3f0f1
            032 002001c1c1c3c3e3c9d5d840c9d4e2f1
            048 404040404040404040404040e4e2c5d9
            064 f0f14040c7d9d7f14040404040404040
            080 40404040404040404040404040404040
            096 40404040404040404040404000040000
        "#]]
        .assert_eq(&rows(&message));
    }

    #[tokio::test(start_paused = true)]
    async fn a_record_that_no_segment_can_hold_is_refused() {
        static RECORD: [u8; 32_756] = [0; 32_756];
        let problem = header().message(MessageType::SendReceive, "CLIENT01", &request(&RECORD)).unwrap_err();
        expect!["the request record is 32756 bytes, an IMS segment takes 32755"].assert_eq(&problem);
        assert!(header().message(MessageType::SendReceive, "CLIENT01", &request(&RECORD[1..])).is_ok());
    }
}
