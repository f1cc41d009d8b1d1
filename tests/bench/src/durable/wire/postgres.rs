//! PostgreSQL: a prepared INSERT of one row, each its own transaction (frontend/backend protocol 3.0).

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::flight::content;
use super::{Answer, Units, Wire, dial};

/// A connection with its statement prepared.
#[derive(Debug)]
pub(crate) struct Postgres {
    insert: Vec<u8>,
}

impl Postgres {
    /// Role and database.
    pub(crate) const NAME: &str = "bench";

    /// The table, which must be there when a connection prepares its statement.
    pub(crate) const TABLE: &str =
        "create table messages (id bigint generated always as identity primary key, data bytea not null)";

    /// Connects, where the server trusts who comes from here.
    pub(crate) async fn connect(address: SocketAddr) -> Result<(TcpStream, Self), String> {
        let mut stream = dial(address).await?;
        let mut hello = 196_608_u32.to_be_bytes().to_vec(); // 3.0
        hello.extend(format!("user\0{NAME}\0database\0{NAME}\0\0", NAME = Self::NAME).bytes());
        let mut hello: Vec<u8> = with_length(&hello);
        // The statement takes one parameter of type bytea (17).
        let parse = [&b"one\0insert into messages (data) values ($1)\0\0\x01"[..], &17_u32.to_be_bytes()].concat();
        hello.extend(message(b'P', &parse));
        hello.extend(message(b'S', b""));
        stream.write_all(&hello).await.map_err(|error| error.to_string())?;

        // Ready once for the connection, once for the statement.
        let mut ready = 0;
        while ready < 2 {
            let kind = stream.read_u8().await.map_err(|error| error.to_string())?;
            let length = stream.read_u32().await.map_err(|error| error.to_string())?;
            let mut body = vec![0; (length as usize).saturating_sub(4)];
            stream.read_exact(&mut body).await.map_err(|error| error.to_string())?;
            match kind {
                b'Z' => ready += 1,
                b'E' => return Err(String::from_utf8_lossy(&body).replace('\0', " ")),
                _ => {}
            }
        }
        Ok((stream, Self { insert: insert() }))
    }
}

/// Bind, Execute, Sync.
fn insert() -> Vec<u8> {
    let content = content();
    // Unnamed portal, statement "one", one format (1: binary), one parameter; then no formats of results.
    let mut bind = b"\0one\0\x00\x01\x00\x01\x00\x01".to_vec();
    bind.extend(u32::try_from(content.len()).unwrap_or_default().to_be_bytes());
    bind.extend(content);
    bind.extend([0, 0]);
    [message(b'B', &bind), message(b'E', b"\0\0\0\0\0"), message(b'S', b"")].concat()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [vec![kind], with_length(body)].concat()
}

/// The length counts itself.
fn with_length(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap_or_default();
    [&length.to_be_bytes(), body].concat()
}

impl Wire for Postgres {
    fn publish(&mut self, output: &mut Vec<u8>) {
        output.extend(&self.insert);
    }

    /// BindComplete, CommandComplete, then ReadyForQuery: the transaction is committed.
    fn read(&mut self, input: &[u8], _output: &mut Vec<u8>) -> Result<Option<Answer>, String> {
        let Some((&[kind, a, b, c, d], _)) = input.split_first_chunk() else { return Ok(None) };
        let length = 1 + u32::from_be_bytes([a, b, c, d]) as usize;
        let Some(whole) = input.get(..length) else { return Ok(None) };
        match kind {
            b'E' => Err(String::from_utf8_lossy(whole).replace('\0', " ")),
            b'Z' => Ok(Some(Answer { length, units: Units::Oldest })),
            _ => Ok(Some(Answer { length, units: Units::None })),
        }
    }
}
