//! `ims_connect`: IMS transactions through IMS Connect's exits HWSSMPL0 and HWSSMPL1, on persistent sockets.
//!
//! Source of all formats: IBM IMS 15 Communications and Connections, "Structures of messages" for IMS Connect client applications.

pub(crate) mod answer;
pub(crate) mod header;
pub(crate) mod status;
#[cfg(test)]
mod tests;
mod timer;

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use bytes::{Buf, Bytes, BytesMut};
use passerelle_adapter::{Fault, Rejection, async_trait};

use self::answer::{Answer, Reader, Step};
use self::header::{Header, MessageType};
use super::Request;
use super::sockets::Dialect;
use crate::connection::Connection;
use crate::file::ExitId;
use crate::names::NAME_BYTES;

/// IMS transactions.
pub(crate) struct ImsConnect {
    header: Header,
    client_prefix: String,
    /// Where this process begins to count its client IDs: two processes hardly ever meet.
    client_seed: u64,
    response_limit_bytes: usize,
}

impl ImsConnect {
    pub(crate) fn new(header: Header, client_prefix: &str, response_limit_bytes: usize) -> Self {
        let client_seed = RandomState::new().hash_one(client_prefix);
        Self { header, client_prefix: client_prefix.to_owned(), client_seed, response_limit_bytes }
    }

    /// The client ID of a connection: no two of a process share one, or IMS Connect refuses the second as a duplicate.
    fn client_id(&self, serial: u64) -> String {
        const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        let mut number = self.client_seed.wrapping_add(serial);
        let mut id = self.client_prefix.clone();
        while id.len() < NAME_BYTES {
            id.push(char::from(DIGITS[(number % 36) as usize]));
            number /= 36;
        }
        id
    }

    async fn receive(&self, connection: &mut Connection) -> Result<Answer, Fault> {
        match self.header.exit {
            ExitId::Sample0 => self.receive_segments(connection).await,
            ExitId::Sample1 => self.receive_message(connection).await,
        }
    }

    /// HWSSMPL1: the total length comes first.
    async fn receive_message(&self, connection: &mut Connection) -> Result<Answer, Fault> {
        let mut message = BytesMut::new();
        connection.receive(4, &mut message).await?;
        let total = message.get_u32() as usize;
        if total < 8 || total > self.response_limit_bytes {
            let limit = self.response_limit_bytes;
            return Err(
                connection.broken(format!("the answer claims {total} bytes, from 8 to {limit} (response_limit_bytes) may be"))
            );
        }
        connection.receive(total - 4, &mut message).await?;
        answer::read_all(message.freeze()).map_err(|garbage| connection.broken(garbage))
    }

    /// HWSSMPL0: segment after segment until one says that it was the last.
    async fn receive_segments(&self, connection: &mut Connection) -> Result<Answer, Fault> {
        let mut reader = Reader::default();
        let mut received = 0;
        loop {
            let mut segment = BytesMut::new();
            connection.receive(2, &mut segment).await?;
            let length = usize::from(u16::from_be_bytes([segment[0], segment[1]]));
            if length < answer::SEGMENT_PREFIX_BYTES {
                return Err(connection.broken(format!("a segment of the answer claims {length} bytes")));
            }
            received += length;
            if received > self.response_limit_bytes {
                let limit = self.response_limit_bytes;
                return Err(connection.broken(format!("the answer goes beyond {limit} bytes (response_limit_bytes)")));
            }
            connection.receive(length - 2, &mut segment).await?;
            if let Step::Last(answer) = reader.take(&segment) {
                return Ok(answer);
            }
        }
    }

    /// Tells IMS that the answer is here, and waits for its word that it has committed.
    async fn acknowledge(&self, connection: &mut Connection, request: &Request, client: &str) -> Result<(), Fault> {
        let message = self.header.message(MessageType::Acknowledgement, client, request).map_err(|p| connection.broken(p))?;
        // The transaction ran: whatever goes wrong now, its effect is unknown.
        connection.send(&message).await.map_err(|fault| Fault::unknown(fault.to_string()))?;
        match self.receive(connection).await? {
            Answer::Status(status) if status.is_committed() => Ok(()),
            Answer::Status(status) => Err(status.fault_after_answer(connection.address().text())),
            Answer::Data { .. } => Err(connection.broken("IMS answered a second time instead of confirming that it committed")),
        }
    }
}

#[async_trait]
impl Dialect for ImsConnect {
    fn name(&self) -> &'static str {
        "ims_connect"
    }

    async fn exchange(&self, connection: &mut Connection, request: &Request) -> Result<Bytes, Fault> {
        let client = self.client_id(connection.serial());
        let message = self
            .header
            .message(MessageType::SendReceive, &client, request)
            .map_err(|problem| Fault::rejected(Rejection::Invalid, problem))?;
        connection.send(&message).await?;
        match self.receive(connection).await? {
            Answer::Status(status) => Err(status.fault(connection.address().text())),
            Answer::Data { conversational: true, .. } => {
                Err(connection.broken("the transaction began an IMS conversation, which this adapter does not carry on"))
            }
            Answer::Data { record, acknowledge, .. } => {
                if acknowledge {
                    self.acknowledge(connection, request, &client).await?;
                }
                match status::system_message(&record) {
                    Some(fault) => Err(fault),
                    None => Ok(record),
                }
            }
        }
    }
}
