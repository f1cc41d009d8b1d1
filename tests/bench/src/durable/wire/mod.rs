//! Publishing to the peers in their own protocols, over plain TCP: the least that a client can cost, so that the server is measured.

mod amqp;
mod consuming;
mod nats;
mod postgres;
mod redis;

use std::collections::VecDeque;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

pub(crate) use self::amqp::RabbitMq;
pub(crate) use self::consuming::{Consuming, NatsConsumer, Piece, RabbitMqConsumer};
pub(crate) use self::nats::{Admin, Nats, Publishing};
pub(crate) use self::postgres::Postgres;
pub(crate) use self::redis::Redis;
use super::flight::{Outcome, Plan};

/// One connection's protocol. What is published at once and acknowledged at once is a unit: a message, or a batch of them.
pub(crate) trait Wire: Send + 'static {
    /// Messages in a unit.
    fn messages(&self) -> usize {
        1
    }

    /// Writes the next unit.
    fn publish(&mut self, output: &mut Vec<u8>);

    /// Writes what is needed for the last units to be acknowledged.
    fn finish(&mut self, _output: &mut Vec<u8>) {}

    /// Takes one whole answer from the front of the input, and may answer it. `None` when it has not come whole.
    fn read(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<Option<Answer>, String>;
}

/// What the front of the input was.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    /// Its bytes.
    pub(crate) length: usize,
    /// The units that it acknowledges.
    pub(crate) units: Units,
}

/// Units that are acknowledged, counted from 0 by their connection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Units {
    /// None: the answer was about something else.
    None,
    /// The oldest one under way.
    Oldest,
    /// All before this one.
    Before(u64),
    /// Just this one.
    Only(u64),
}

/// Loads a server through as many connections of a kind as the messages in flight and the kind's limit allow.
pub(crate) fn load<W, F, C>(plan: Plan, connections: usize, connect: F) -> Result<Outcome, String>
where
    W: Wire,
    F: Fn() -> C,
    C: Future<Output = Result<(TcpStream, W), String>>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let connections = connections.min(plan.in_flight);
        let share = Plan { in_flight: plan.in_flight / connections, ..plan };
        let mut all = JoinSet::new();
        for _ in 0..connections {
            let (stream, wire) = connect().await?;
            all.spawn(Connection::new(wire, share).run(stream));
        }
        let mut outcome = Outcome::default();
        while let Some(one) = all.join_next().await {
            outcome = outcome.and(one.map_err(|error| error.to_string())??);
        }
        Ok(outcome)
    })
}

/// Connects without Nagle's delay.
pub(crate) async fn dial(address: SocketAddr) -> Result<TcpStream, String> {
    let stream = TcpStream::connect(address).await.map_err(|error| format!("{address}: {error}"))?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    Ok(stream)
}

struct Connection<W> {
    wire: W,
    plan: Plan,
    /// When each unit under way was published; `None` once it is acknowledged and an older one is not.
    under_way: VecDeque<Option<Instant>>,
    /// Number of the oldest one.
    oldest: u64,
    unacknowledged: usize,
    outcome: Outcome,
}

impl<W: Wire> Connection<W> {
    fn new(wire: W, plan: Plan) -> Self {
        Self { wire, plan, under_way: VecDeque::new(), oldest: 0, unacknowledged: 0, outcome: Outcome::default() }
    }

    async fn run(mut self, mut stream: TcpStream) -> Result<Outcome, String> {
        let mut input = bytes::BytesMut::with_capacity(256 * 1024);
        let mut output = Vec::new();
        let mut finished = false;
        loop {
            let now = Instant::now();
            if now < self.plan.end {
                self.publish(now, &mut output);
            } else if !finished {
                self.wire.finish(&mut output);
                finished = true;
            }
            stream.write_all(&output).await.map_err(|error| error.to_string())?;
            output.clear();
            if finished && self.unacknowledged == 0 {
                return Ok(self.outcome);
            }
            input.reserve(64 * 1024);
            if stream.read_buf(&mut input).await.map_err(|error| error.to_string())? == 0 {
                return Err("the server hung up".to_owned());
            }
            let now = Instant::now();
            while let Some(answer) = self.wire.read(&input, &mut output)? {
                let _ = input.split_to(answer.length);
                self.take(answer.units, now)?;
            }
        }
    }

    fn publish(&mut self, now: Instant, output: &mut Vec<u8>) {
        let units = (self.plan.in_flight / self.wire.messages()).max(1);
        while self.unacknowledged < units {
            self.wire.publish(output);
            self.under_way.push_back(Some(now));
            self.unacknowledged += 1;
        }
    }

    fn take(&mut self, units: Units, now: Instant) -> Result<(), String> {
        match units {
            Units::None => {}
            Units::Oldest => self.acknowledge(0, now)?,
            Units::Before(number) => {
                for _ in self.oldest..number {
                    self.acknowledge(0, now)?;
                }
            }
            Units::Only(number) => self.acknowledge(number.saturating_sub(self.oldest), now)?,
        }
        while self.under_way.front().is_some_and(Option::is_none) {
            self.under_way.pop_front();
            self.oldest += 1;
        }
        Ok(())
    }

    /// Acknowledges the unit at this place, the oldest one being at 0, unless that has been done.
    fn acknowledge(&mut self, at: u64, now: Instant) -> Result<(), String> {
        let unit = usize::try_from(at).ok().and_then(|at| self.under_way.get_mut(at));
        let unit = unit.ok_or("an acknowledgement of what was not published")?;
        if let Some(sent) = unit.take() {
            self.unacknowledged -= 1;
            self.outcome.acknowledge(self.plan, self.wire.messages() as u64, sent, now);
        }
        if at == 0 {
            self.under_way.pop_front();
            self.oldest += 1;
        }
        Ok(())
    }
}
