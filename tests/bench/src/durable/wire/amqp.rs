//! RabbitMQ: persistent messages to a quorum queue, with publisher confirms (AMQP 0-9-1).

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::flight::content;
use super::{Answer, Units, Wire, dial};

/// Name of the queue.
const QUEUE: &[u8] = b"bench";

pub(super) const METHOD: u8 = 1;
pub(super) const HEADER: u8 = 2;
const BODY: u8 = 3;
const FRAME_END: u8 = 0xce;

// Class and method ids.
const CONNECTION_START_OK: [u16; 2] = [10, 11];
const CONNECTION_TUNE: [u16; 2] = [10, 30];
const CONNECTION_TUNE_OK: [u16; 2] = [10, 31];
const CONNECTION_OPEN: [u16; 2] = [10, 40];
const CHANNEL_OPEN: [u16; 2] = [20, 10];
const CHANNEL_CLOSE: [u16; 2] = [20, 40];
const CHANNEL_CLOSE_OK: [u16; 2] = [20, 41];
const QUEUE_DECLARE: [u16; 2] = [50, 10];
const QUEUE_PURGE: [u16; 2] = [50, 30];
const BASIC_QOS: [u16; 2] = [60, 10];
const BASIC_CONSUME: [u16; 2] = [60, 20];
const BASIC_PUBLISH: [u16; 2] = [60, 40];
const BASIC_DELIVER: [u16; 2] = [60, 60];
const BASIC_ACK: [u16; 2] = [60, 80];
const CONFIRM_SELECT: [u16; 2] = [85, 10];

/// A channel in confirm mode.
#[derive(Debug)]
pub(crate) struct RabbitMq {
    message: Vec<u8>,
}

impl RabbitMq {
    /// Connects as guest, declares the queue.
    pub(crate) async fn connect(address: SocketAddr) -> Result<(TcpStream, Self), String> {
        let mut stream = open(address).await?;
        declare(&mut stream).await?;
        ask(&mut stream, &method(1, CONFIRM_SELECT, &[0]), CONFIRM_SELECT).await?;
        Ok((stream, Self { message: message() }))
    }

    /// Messages in the queue.
    pub(crate) async fn count(address: SocketAddr) -> Result<u64, String> {
        let answer = declare(&mut open(address).await?).await?;
        // Of the declare-ok: the name with its length, messages, consumers.
        let at = 1 + QUEUE.len();
        let count = answer.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).ok_or("a short declare-ok")?;
        Ok(u64::from(u32::from_be_bytes(count)))
    }

    /// Empties the queue.
    pub(crate) async fn purge(address: SocketAddr) -> Result<(), String> {
        let arguments = [&[0, 0], short(QUEUE).as_slice(), &[0]].concat();
        ask(&mut open(address).await?, &method(1, QUEUE_PURGE, &arguments), QUEUE_PURGE).await.map(drop)
    }
}

/// A connection that takes from the queue, with so many messages before the first is acknowledged.
pub(super) async fn consume(address: SocketAddr, ahead: u16) -> Result<TcpStream, String> {
    let mut stream = open(address).await?;
    declare(&mut stream).await?;
    let [high, low] = ahead.to_be_bytes();
    ask(&mut stream, &method(1, BASIC_QOS, &[0, 0, 0, 0, high, low, 0]), BASIC_QOS).await?;
    let arguments = [&[0, 0], short(QUEUE).as_slice(), &short(b"bench"), &[0], &long(b"")].concat();
    ask(&mut stream, &method(1, BASIC_CONSUME, &arguments), BASIC_CONSUME).await?;
    Ok(stream)
}

/// The tag of a message that is being delivered.
pub(super) fn delivered(payload: &[u8]) -> Option<u64> {
    let arguments = payload.strip_prefix(&method(1, BASIC_DELIVER, &[])[7..11])?;
    let (&length, rest) = arguments.split_first()?;
    rest.get(length.into()..)?.first_chunk().map(|tag| u64::from_be_bytes(*tag))
}

/// Acknowledges this message and all before it.
pub(super) fn acknowledgement(tag: u64) -> Vec<u8> {
    method(1, BASIC_ACK, &[tag.to_be_bytes().as_slice(), &[1]].concat())
}

/// Closes the channel.
pub(super) fn farewell() -> Vec<u8> {
    method(1, CHANNEL_CLOSE, &[0, 200, 0, 0, 0, 0, 0])
}

/// The channel is closed, as was asked.
pub(super) fn is_farewell(input: &[u8]) -> bool {
    input.ends_with(&method(1, CHANNEL_CLOSE_OK, &[]))
}

/// A connection with channel 1 open.
async fn open(address: SocketAddr) -> Result<TcpStream, String> {
    let mut stream = dial(address).await?;
    stream.write_all(b"AMQP\x00\x00\x09\x01").await.map_err(|error| error.to_string())?;
    frame(&mut stream).await?; // start
    let start_ok = [long(b"").as_slice(), &short(b"PLAIN"), &long(b"\0guest\0guest"), &short(b"en_US")].concat();
    let tune = ask(&mut stream, &method(0, CONNECTION_START_OK, &start_ok), CONNECTION_TUNE).await?;
    // Channels and frame size as the server wishes, no heartbeat.
    let tune_ok = [tune.get(..6).ok_or("a short tune")?, &[0, 0]].concat();
    let open = [method(0, CONNECTION_TUNE_OK, &tune_ok), method(0, CONNECTION_OPEN, &[1, b'/', 0, 0])].concat();
    ask(&mut stream, &open, CONNECTION_OPEN).await?;
    ask(&mut stream, &method(1, CHANNEL_OPEN, &[0]), CHANNEL_OPEN).await?;
    Ok(stream)
}

/// Declares the quorum queue, which changes nothing when it is there.
async fn declare(stream: &mut TcpStream) -> Result<Vec<u8>, String> {
    const DURABLE: u8 = 2;
    let table = [short(b"x-queue-type").as_slice(), b"S", &long(b"quorum")].concat();
    let arguments = [&[0, 0], short(QUEUE).as_slice(), &[DURABLE], &long(&table)].concat();
    ask(stream, &method(1, QUEUE_DECLARE, &arguments), QUEUE_DECLARE).await
}

/// Sends a method and gives the arguments of the answer: the same class, and the next id except for those that say otherwise.
async fn ask(stream: &mut TcpStream, request: &[u8], about: [u16; 2]) -> Result<Vec<u8>, String> {
    let wanted = if about == CONNECTION_TUNE { about } else { [about[0], about[1] + 1] };
    stream.write_all(request).await.map_err(|error| error.to_string())?;
    let answer = frame(stream).await?;
    match answer.split_first_chunk() {
        Some((&[a, b, c, d], arguments)) if [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])] == wanted => {
            Ok(arguments.to_vec())
        }
        _ => Err(format!("{about:?} was answered {}", String::from_utf8_lossy(&answer))),
    }
}

/// The payload of the next frame.
async fn frame(stream: &mut TcpStream) -> Result<Vec<u8>, String> {
    let mut header = [0; 7];
    stream.read_exact(&mut header).await.map_err(|error| error.to_string())?;
    let [.., a, b, c, d] = header;
    let mut payload = vec![0; u32::from_be_bytes([a, b, c, d]) as usize + 1];
    stream.read_exact(&mut payload).await.map_err(|error| error.to_string())?;
    payload.pop();
    Ok(payload)
}

/// Publish, content header, content.
fn message() -> Vec<u8> {
    let content = content();
    let publish = [&[0, 0], short(b"").as_slice(), &short(QUEUE), &[0]].concat();
    let mut header = [60_u16.to_be_bytes(), [0, 0]].concat();
    header.extend((content.len() as u64).to_be_bytes());
    header.extend(0x1000_u16.to_be_bytes()); // only the delivery mode is given
    header.push(2); // persistent
    [method(1, BASIC_PUBLISH, &publish), framed(HEADER, 1, &header), framed(BODY, 1, &content)].concat()
}

fn method(channel: u16, [class, id]: [u16; 2], arguments: &[u8]) -> Vec<u8> {
    framed(METHOD, channel, &[&class.to_be_bytes(), &id.to_be_bytes(), arguments].concat())
}

fn framed(kind: u8, channel: u16, payload: &[u8]) -> Vec<u8> {
    [&[kind], channel.to_be_bytes().as_slice(), &long(payload), &[FRAME_END]].concat()
}

fn short(text: &[u8]) -> Vec<u8> {
    [&[u8::try_from(text.len()).unwrap_or_default()], text].concat()
}

fn long(text: &[u8]) -> Vec<u8> {
    [&u32::try_from(text.len()).unwrap_or_default().to_be_bytes(), text].concat()
}

impl Wire for RabbitMq {
    fn publish(&mut self, output: &mut Vec<u8>) {
        output.extend(&self.message);
    }

    fn read(&mut self, input: &[u8], _output: &mut Vec<u8>) -> Result<Option<Answer>, String> {
        let Some((&[_, _, _, a, b, c, d], _)) = input.split_first_chunk() else { return Ok(None) };
        let length = 7 + u32::from_be_bytes([a, b, c, d]) as usize + 1;
        let Some(whole) = input.get(..length) else { return Ok(None) };
        let ack = method(1, BASIC_ACK, &[]);
        // Channel and method agree with an acknowledgement; its arguments are a tag, counted from 1, and "multiple".
        let arguments = whole.get(7..).and_then(|payload| payload.strip_prefix(&ack[7..11]));
        let Some((tag, &[multiple, _])) = arguments.and_then(|arguments| arguments.split_first_chunk()) else {
            return Err(format!("not confirmed: {}", String::from_utf8_lossy(whole)));
        };
        let tag = u64::from_be_bytes(*tag);
        let units = if multiple == 1 { Units::Before(tag) } else { Units::Only(tag - 1) };
        Ok(Some(Answer { length, units }))
    }
}
