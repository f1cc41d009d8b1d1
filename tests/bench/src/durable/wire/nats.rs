//! NATS JetStream: single publishes, fast-ingest and atomic batches (NATS client protocol; ADR-50 for batches).

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::super::flight::content;
use super::{Answer, Units, Wire, dial};

/// Name of the stream, and its one subject.
const STREAM: &str = "bench";

/// How messages are published.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Publishing {
    /// Each with its acknowledgement, without waiting for it before the next.
    Single,
    /// One batch without end; each message is stored as it comes, and the server acknowledges after so many of them.
    Fast {
        /// So many.
        acknowledge_every: usize,
    },
    /// Batches of which all is stored or nothing.
    Atomic {
        /// Messages in each, at most 1,000.
        messages: usize,
    },
}

/// A publishing connection.
#[derive(Debug)]
pub(crate) struct Nats {
    publishing: Publishing,
    content: Vec<u8>,
    /// Where acknowledgements come: two tokens, of which a fast batch takes the second as its name.
    inbox: String,
    /// Units published.
    published: u64,
}

impl Nats {
    /// Connects.
    pub(crate) async fn connect(address: SocketAddr, publishing: Publishing) -> Result<(TcpStream, Self), String> {
        static CONNECTIONS: AtomicU64 = AtomicU64::new(0);
        let inbox = format!("_INBOX.{}", CONNECTIONS.fetch_add(1, Ordering::Relaxed));
        let stream = open(address, &inbox).await?;
        Ok((stream, Self { publishing, content: content(), inbox, published: 0 }))
    }

    fn put(&self, output: &mut Vec<u8>, reply: &str) {
        output.extend(format!("PUB {STREAM} {reply} {}\r\n", self.content.len()).bytes());
        output.extend(&self.content);
        output.extend(b"\r\n");
    }

    /// One message of an atomic batch. Only the commit is answered.
    fn put_in_batch(&self, output: &mut Vec<u8>, sequence: usize, last: bool) {
        let (commit, reply) = if last { ("Nats-Batch-Commit: 1\r\n", format!("{} ", self.inbox)) } else { ("", String::new()) };
        let batch = format!("{}-{}", self.inbox, self.published);
        let headers = format!("NATS/1.0\r\nNats-Batch-Id: {batch}\r\nNats-Batch-Sequence: {sequence}\r\n{commit}\r\n");
        let (before, all) = (headers.len(), headers.len() + self.content.len());
        output.extend(format!("HPUB {STREAM} {reply}{before} {all}\r\n{headers}").bytes());
        output.extend(&self.content);
        output.extend(b"\r\n");
    }
}

impl Wire for Nats {
    fn messages(&self) -> usize {
        match self.publishing {
            Publishing::Atomic { messages } => messages,
            _ => 1,
        }
    }

    fn publish(&mut self, output: &mut Vec<u8>) {
        match self.publishing {
            Publishing::Single => self.put(output, &self.inbox),
            Publishing::Fast { acknowledge_every } => {
                let operation = u8::from(self.published > 0); // 0 begins, 1 appends
                let sequence = self.published + 1;
                self.put(output, &format!("{}.{acknowledge_every}.fail.{sequence}.{operation}.$FI", self.inbox));
            }
            Publishing::Atomic { messages } => {
                (1..=messages).for_each(|sequence| self.put_in_batch(output, sequence, sequence == messages));
            }
        }
        self.published += 1;
    }

    fn finish(&mut self, output: &mut Vec<u8>) {
        if let Publishing::Fast { acknowledge_every } = self.publishing {
            // 3: the end, without a message of its own.
            let sequence = self.published + 1;
            let reply = format!("{}.{acknowledge_every}.fail.{sequence}.3.$FI", self.inbox);
            output.extend(format!("PUB {STREAM} {reply} 0\r\n\r\n").bytes());
        }
    }

    fn read(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<Option<Answer>, String> {
        let Some(end) = input.iter().position(|&byte| byte == b'\n') else { return Ok(None) };
        let line = std::str::from_utf8(&input[..end]).map_err(|error| error.to_string())?.trim_end();
        if line == "PING" {
            output.extend(b"PONG\r\n");
            return Ok(Some(Answer { length: end + 1, units: Units::None }));
        }
        let bytes = line.strip_prefix("MSG ").and_then(|line| line.rsplit(' ').next()?.parse::<usize>().ok());
        let bytes = bytes.ok_or_else(|| line.to_owned())?;
        let length = end + 1 + bytes + 2;
        if input.len() < length {
            return Ok(None);
        }
        let body = std::str::from_utf8(&input[end + 1..end + 1 + bytes]).map_err(|error| error.to_string())?;
        Ok(Some(Answer { length, units: self.acknowledged(body)? }))
    }
}

impl Nats {
    /// `{"stream":"bench","seq":7}`, and of a fast batch `{"type":"ack","seq":7,"msgs":100}` until its end.
    fn acknowledged(&self, body: &str) -> Result<Units, String> {
        match self.publishing {
            _ if body.contains("\"error\"") || body.contains("\"type\":\"err\"") || body.contains("\"type\":\"gap\"") => {
                Err(body.to_owned())
            }
            Publishing::Fast { .. } if body.starts_with("{\"type\":\"ack\"") => {
                let sequence = body.split("\"seq\":").nth(1).and_then(|rest| rest.split([',', '}']).next()?.parse().ok());
                Ok(Units::Before(sequence.ok_or_else(|| body.to_owned())?))
            }
            Publishing::Fast { .. } => Ok(Units::Before(self.published)),
            _ => Ok(Units::Oldest),
        }
    }
}

pub(super) async fn open(address: SocketAddr, inbox: &str) -> Result<TcpStream, String> {
    const CONNECT: &str = r#"CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true}"#;
    let mut stream = dial(address).await?;
    // The server's greeting is one line.
    while stream.read_u8().await.map_err(|error| error.to_string())? != b'\n' {}
    let hello = format!("{CONNECT}\r\nSUB {inbox} 1\r\nSUB {inbox}.> 2\r\n");
    stream.write_all(hello.as_bytes()).await.map_err(|error| error.to_string())?;
    Ok(stream)
}

/// What is asked of JetStream besides publishing.
#[derive(Debug)]
pub(crate) struct Admin(pub(crate) SocketAddr);

impl Admin {
    /// Makes the stream, on disk. It keeps messages by `retention`: "limits", or "workqueue" until they are acknowledged.
    pub(crate) async fn create(&self, retention: &str) -> Result<(), String> {
        let configuration = serde_json::json!({
            "name": STREAM, "subjects": [STREAM], "storage": "file", "retention": retention, "discard": "old",
            "num_replicas": 1, "allow_batched": true, "allow_atomic": true,
        });
        self.ask("STREAM.CREATE", &configuration.to_string()).await.map(drop)
    }

    /// Makes a consumer to whose inbox messages are pushed, so many before the first is acknowledged; nothing changes when it is there.
    pub(super) async fn consume(&self, inbox: &str, ahead: u16) -> Result<(), String> {
        let configuration = serde_json::json!({ "stream_name": STREAM, "config": {
            "durable_name": "worker", "deliver_subject": inbox, "deliver_policy": "all", "ack_policy": "explicit",
            "max_ack_pending": ahead, "replay_policy": "instant",
        }});
        self.ask_about("CONSUMER.DURABLE.CREATE", &format!("{STREAM}.worker"), &configuration.to_string()).await.map(drop)
    }

    /// Messages in the stream.
    pub(crate) async fn count(&self) -> Result<u64, String> {
        let information = self.ask("STREAM.INFO", "").await?;
        information["state"]["messages"].as_u64().ok_or_else(|| information.to_string())
    }

    /// Empties the stream.
    pub(crate) async fn purge(&self) -> Result<(), String> {
        self.ask("STREAM.PURGE", "").await.map(drop)
    }

    async fn ask(&self, what: &str, body: &str) -> Result<Value, String> {
        self.ask_about(what, STREAM, body).await
    }

    async fn ask_about(&self, what: &str, name: &str, body: &str) -> Result<Value, String> {
        let mut stream = BufReader::new(open(self.0, "_INBOX.admin").await?);
        let request = format!("PUB $JS.API.{what}.{name} _INBOX.admin {}\r\n{body}\r\n", body.len());
        stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await.map_err(|error| error.to_string())?;
            match serde_json::from_str::<Value>(&line) {
                Ok(answer) if answer.get("error").is_none() => return Ok(answer),
                Err(_) if line.starts_with("MSG ") || line.starts_with("PING") => {}
                _ => return Err(format!("{what}: {line}")),
            }
        }
    }
}
