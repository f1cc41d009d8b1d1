//! A connection to the ledger's system: a line of request, lines of answer.

use passerelle_adapter::Fault;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The longest line.
const LINE_MAX: usize = 64 << 10;

pub(crate) struct Line {
    stream: TcpStream,
    /// What was read beyond the last line.
    rest: Vec<u8>,
}

impl Line {
    pub(crate) async fn open(system: &str) -> Result<Self, Fault> {
        let stream = TcpStream::connect(system).await.map_err(|_| Fault::unavailable("the ledger cannot be reached"))?;
        stream.set_nodelay(true).map_err(|_| Fault::unavailable("the ledger cannot be reached"))?;
        Ok(Self { stream, rest: Vec::new() })
    }

    pub(crate) async fn ask(system: &str, request: &str) -> Result<String, Fault> {
        let mut line = Self::open(system).await?;
        line.send(request).await?;
        line.read().await
    }

    pub(crate) async fn send(&mut self, request: &str) -> Result<(), Fault> {
        let sent = self.stream.write_all(format!("{request}\n").as_bytes()).await;
        sent.map_err(|_| Fault::unknown("the ledger broke off"))
    }

    /// The next line: complete, or a fault.
    pub(crate) async fn read(&mut self) -> Result<String, Fault> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                let text = String::from_utf8(line).map_err(|_| Fault::unknown("the ledger's answer cannot be read"))?;
                return Ok(text.trim_end_matches('\n').to_owned());
            }
            if self.rest.len() > LINE_MAX || self.more().await == 0 {
                return Err(Fault::unknown("the ledger broke off within its answer"));
            }
        }
    }

    /// What one read gives, taken for a line.
    pub(crate) async fn read_once(&mut self) -> String {
        self.more().await;
        String::from_utf8_lossy(&std::mem::take(&mut self.rest)).trim_end_matches('\n').to_owned()
    }

    /// What comes until a line break or the end of the connection, taken for a line.
    pub(crate) async fn read_to_end(&mut self) -> String {
        while !self.rest.contains(&b'\n') && self.more().await > 0 {}
        self.read_once_kept()
    }

    fn read_once_kept(&mut self) -> String {
        let all = String::from_utf8_lossy(&std::mem::take(&mut self.rest)).into_owned();
        all.lines().next().unwrap_or_default().to_owned()
    }

    async fn more(&mut self) -> usize {
        let mut piece = [0; 4096];
        let length = self.stream.read(&mut piece).await.unwrap_or(0);
        self.rest.extend_from_slice(&piece[..length]);
        length
    }
}
