//! RabbitMQ and NATS from end to end: one connection that publishes with confirms, one that takes and acknowledges.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::AHEAD;
use super::road::Road;
use crate::durable::wire::{Consuming, Nats, NatsConsumer, Piece, Publishing, RabbitMq, RabbitMqConsumer, Units, Wire};

/// Loads RabbitMQ's queue.
pub(super) async fn rabbitmq(address: SocketAddr, road: &Road) -> Result<(), String> {
    let taking = RabbitMqConsumer::connect(address, AHEAD).await?;
    // After the content of a message comes the end of its frame.
    both(publish(RabbitMq::connect(address).await?, 1, road), take(taking, road)).await
}

/// Loads NATS' stream.
pub(super) async fn nats(address: SocketAddr, road: &Road) -> Result<(), String> {
    let taking = NatsConsumer::connect(address, AHEAD).await?;
    // After the content of a message comes the end of the line.
    both(publish(Nats::connect(address, Publishing::Single).await?, 2, road), take(taking, road)).await
}

async fn both(
    publishing: impl Future<Output = Result<(), String>>,
    taking: impl Future<Output = Result<(), String>>,
) -> Result<(), String> {
    tokio::try_join!(publishing, taking).map(drop)
}

/// Publishes while there is room, until all of it is confirmed. Behind the content of each message come `trailer` bytes.
async fn publish((stream, mut wire): (TcpStream, impl Wire), trailer: usize, road: &Road) -> Result<(), String> {
    let (mut read, mut write) = stream.into_split();
    let (mut input, mut output) = (BytesMut::with_capacity(256 * 1024), Vec::new());
    let (mut published, mut confirmed, mut is_over) = (0, Confirmed::default(), false);
    while !is_over || confirmed.all < published {
        tokio::select! {
            next = road.next(), if !is_over => match next {
                None => is_over = true,
                Some(contents) => for (_, bytes) in contents {
                    wire.publish(&mut output);
                    let end = output.len() - trailer;
                    output[end - bytes.len()..end].copy_from_slice(&bytes);
                    published += 1;
                },
            },
            read = read.read_buf(&mut input) => {
                if read.map_err(|error| error.to_string())? == 0 {
                    return Err("the server hung up".to_owned());
                }
                while let Some(answer) = wire.read(&input, &mut output)? {
                    let _ = input.split_to(answer.length);
                    confirmed.note(answer.units);
                }
            }
        }
        write.write_all(&output).await.map_err(|error| error.to_string())?;
        output.clear();
    }
    Ok(())
}

/// Takes messages and acknowledges them until all have come.
async fn take((stream, mut wire): (TcpStream, impl Consuming), road: &Road) -> Result<(), String> {
    let (mut read, mut write) = stream.into_split();
    let (mut input, mut output) = (BytesMut::with_capacity(256 * 1024), Vec::new());
    let over = road.over();
    tokio::pin!(over);
    loop {
        tokio::select! {
            () = &mut over => break,
            read = read.read_buf(&mut input) => {
                if read.map_err(|error| error.to_string())? == 0 {
                    return Err("the server hung up".to_owned());
                }
            }
        }
        while let Some(Piece { length, content }) = wire.read(&input, &mut output)? {
            if let Some(content) = content {
                road.take(&input[content])?;
            }
            let _ = input.split_to(length);
        }
        wire.acknowledge(&mut output);
        write.write_all(&output).await.map_err(|error| error.to_string())?;
        output.clear();
        input.reserve(64 * 1024);
    }
    wire.leave(&mut output);
    write.write_all(&output).await.map_err(|error| error.to_string())?;
    // Until the server has read it all.
    while read.read_buf(&mut input).await.map_err(|error| error.to_string())? > 0 {
        if wire.has_left(&input) {
            break;
        }
    }
    Ok(())
}

/// Messages that are confirmed: all before one, and some after it.
#[derive(Debug, Default)]
struct Confirmed {
    all: u64,
    some: BTreeSet<u64>,
}

impl Confirmed {
    fn note(&mut self, units: Units) {
        match units {
            Units::None => {}
            Units::Oldest => self.all += 1,
            Units::Before(number) => self.all = self.all.max(number),
            Units::Only(number) => drop(self.some.insert(number)),
        }
        self.some.retain(|&number| number >= self.all);
        while self.some.remove(&self.all) {
            self.all += 1;
        }
    }
}
