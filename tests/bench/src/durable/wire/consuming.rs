//! Taking messages from the peers in their own protocols, with an explicit acknowledgement.

use std::net::SocketAddr;
use std::ops::Range;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::amqp;
use super::nats;

/// What the front of the input was.
#[derive(Debug)]
pub(crate) struct Piece {
    /// Its bytes.
    pub(crate) length: usize,
    /// Where a message's content stands in it.
    pub(crate) content: Option<Range<usize>>,
}

/// One connection's protocol.
pub(crate) trait Consuming {
    /// Takes one whole piece from the front of the input.
    fn read(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<Option<Piece>, String>;

    /// Writes what acknowledges all that was read.
    fn acknowledge(&mut self, _output: &mut Vec<u8>) {}

    /// Writes a farewell that the server answers once it has read everything.
    fn leave(&mut self, output: &mut Vec<u8>);

    /// It has.
    fn has_left(&self, input: &[u8]) -> bool;
}

/// A consumer of the quorum queue.
#[derive(Debug)]
pub(crate) struct RabbitMqConsumer {
    /// Of the last message that was read.
    tag: u64,
    acknowledged: u64,
}

impl RabbitMqConsumer {
    /// Connects and begins to consume, so many messages before the first is acknowledged.
    pub(crate) async fn connect(address: SocketAddr, ahead: u16) -> Result<(TcpStream, Self), String> {
        Ok((amqp::consume(address, ahead).await?, Self { tag: 0, acknowledged: 0 }))
    }
}

impl Consuming for RabbitMqConsumer {
    fn read(&mut self, input: &[u8], _output: &mut Vec<u8>) -> Result<Option<Piece>, String> {
        let Some((&[kind, _, _, a, b, c, d], _)) = input.split_first_chunk() else { return Ok(None) };
        let end = 7 + u32::from_be_bytes([a, b, c, d]) as usize;
        let Some(payload) = input.get(7..end).filter(|_| input.len() > end) else { return Ok(None) };
        let content = match kind {
            amqp::METHOD => {
                self.tag = amqp::delivered(payload).ok_or_else(|| String::from_utf8_lossy(payload).into_owned())?;
                None
            }
            amqp::HEADER => None,
            _ => Some(7..end),
        };
        Ok(Some(Piece { length: end + 1, content }))
    }

    fn acknowledge(&mut self, output: &mut Vec<u8>) {
        if self.tag > self.acknowledged {
            output.extend(amqp::acknowledgement(self.tag));
            self.acknowledged = self.tag;
        }
    }

    fn leave(&mut self, output: &mut Vec<u8>) {
        output.extend(amqp::farewell());
    }

    fn has_left(&self, input: &[u8]) -> bool {
        amqp::is_farewell(input)
    }
}

/// A push consumer of the stream with explicit acknowledgements.
#[derive(Debug)]
pub(crate) struct NatsConsumer;

impl NatsConsumer {
    /// Makes the consumer, and follows it, so many messages before the first is acknowledged.
    pub(crate) async fn connect(address: SocketAddr, ahead: u16) -> Result<(TcpStream, Self), String> {
        const INBOX: &str = "_DELIVER.bench";
        let mut stream = nats::open(address, INBOX).await?;
        // A consumer is made after its subject is followed, so that nobody misses the first message.
        stream.write_all(b"PING\r\n").await.map_err(|error| error.to_string())?;
        nats::Admin(address).consume(INBOX, ahead).await?;
        Ok((stream, Self))
    }
}

impl Consuming for NatsConsumer {
    /// `MSG subject sid reply bytes`, or a word about the connection.
    fn read(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<Option<Piece>, String> {
        let Some(end) = input.iter().position(|&byte| byte == b'\n') else { return Ok(None) };
        let line = std::str::from_utf8(&input[..end]).map_err(|error| error.to_string())?.trim_end();
        if line == "PING" {
            output.extend(b"PONG\r\n");
        }
        if ["PING", "PONG"].contains(&line) {
            return Ok(Some(Piece { length: end + 1, content: None }));
        }
        let words: Vec<&str> = line.split(' ').collect();
        let &["MSG", _, _, reply, bytes] = words.as_slice() else { return Err(line.to_owned()) };
        let content = end + 1..end + 1 + bytes.parse::<usize>().map_err(|_| line.to_owned())?;
        let length = content.end + 2;
        if input.len() < length {
            return Ok(None);
        }
        output.extend(format!("PUB {reply} 0\r\n\r\n").bytes());
        Ok(Some(Piece { length, content: Some(content) }))
    }

    fn leave(&mut self, output: &mut Vec<u8>) {
        output.extend(b"PING\r\n");
    }

    fn has_left(&self, input: &[u8]) -> bool {
        input.ends_with(b"PONG\r\n")
    }
}
