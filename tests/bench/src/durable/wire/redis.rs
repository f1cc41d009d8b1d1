//! Redis: XADD to a stream, pipelined (RESP2).

use std::net::SocketAddr;

use tokio::net::TcpStream;

use super::super::flight::content;
use super::{Answer, Units, Wire, dial};

/// A connection that adds to the stream.
#[derive(Debug)]
pub(crate) struct Redis {
    command: Vec<u8>,
}

impl Redis {
    /// Name of the stream.
    pub(crate) const STREAM: &str = "bench";

    /// Connects.
    pub(crate) async fn connect(address: SocketAddr) -> Result<(TcpStream, Self), String> {
        let content = content();
        let mut command = b"*5\r\n".to_vec();
        for word in [b"XADD", Self::STREAM.as_bytes(), b"*", b"data", &content] {
            command.extend(format!("${}\r\n", word.len()).bytes().chain(word.iter().copied()).chain(*b"\r\n"));
        }
        Ok((dial(address).await?, Self { command }))
    }
}

impl Wire for Redis {
    fn publish(&mut self, output: &mut Vec<u8>) {
        output.extend(&self.command);
    }

    /// The id of the entry, a bulk string: `$15\r\n1700000000000-0\r\n`.
    fn read(&mut self, input: &[u8], _output: &mut Vec<u8>) -> Result<Option<Answer>, String> {
        let Some(end) = input.iter().position(|&byte| byte == b'\n') else { return Ok(None) };
        let line = String::from_utf8_lossy(&input[..end]);
        let id: usize = line.strip_prefix('$').and_then(|length| length.trim().parse().ok()).ok_or_else(|| line.to_string())?;
        let length = end + 1 + id + 2;
        Ok((input.len() >= length).then_some(Answer { length, units: Units::Oldest }))
    }
}
