//! Publishing to Passerelle as its users do: a tonic client, one connection, writes coalesced.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use futures_core::Stream;
use hyper_util::rt::TokioIo;
use passerelle_bus::call::Coalesce;
use passerelle_proto::bus::v1::journal_client::JournalClient;
use passerelle_proto::bus::v1::{Message, PublishRequest, PublishStreamRequest};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

use super::flight::{Outcome, Plan, content};

/// One stream of messages, acknowledged cumulatively.
pub(crate) fn stream(address: SocketAddr, plan: Plan) -> Result<Outcome, String> {
    run(async {
        let mut client = connect(address).await?;
        let flight = Arc::new(Mutex::new(Flight::default()));
        let feed = Feed { plan, flight: Arc::clone(&flight), messages: Messages::default() };
        let mut answers = client.publish_stream(feed).await?.into_inner();
        let mut outcome = Outcome::default();
        while let Some(answer) = answers.message().await? {
            let now = Instant::now();
            let mut flight = lock(&flight);
            while outcome.acknowledged < answer.acknowledged {
                let sent = flight.sent.pop_front().ok_or("an acknowledgement of what was not published")?;
                outcome.acknowledge(plan, 1, sent, now);
            }
            flight.waker.take().into_iter().for_each(Waker::wake);
        }
        let left = lock(&flight).sent.len();
        if left == 0 { Ok(outcome) } else { Err(format!("the stream ended with {left} messages not acknowledged").into()) }
    })
}

/// A call for each message.
pub(crate) fn unary(address: SocketAddr, plan: Plan) -> Result<Outcome, String> {
    run(async {
        let client = connect(address).await?;
        let mut all = JoinSet::new();
        for _ in 0..plan.in_flight {
            all.spawn(one_by_one(client.clone(), plan));
        }
        let mut outcome = Outcome::default();
        while let Some(one) = all.join_next().await {
            outcome = outcome.and(one??);
        }
        Ok(outcome)
    })
}

async fn one_by_one(mut client: JournalClient<Channel>, plan: Plan) -> Result<Outcome, tonic::Status> {
    let mut messages = Messages::default();
    let mut outcome = Outcome::default();
    loop {
        let sent = Instant::now();
        if sent >= plan.end {
            return Ok(outcome);
        }
        let request = PublishRequest { messages: vec![messages.next()], ..PublishRequest::default() };
        client.publish(request).await?;
        outcome.acknowledge(plan, 1, sent, Instant::now());
    }
}

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

fn run(load: impl Future<Output = Result<Outcome, Failure>>) -> Result<Outcome, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(load).map_err(|error| error.to_string())
}

async fn connect(address: SocketAddr) -> Result<JournalClient<Channel>, Failure> {
    channel(address).await.map(JournalClient::new)
}

/// One connection.
pub(crate) async fn channel(address: SocketAddr) -> Result<Channel, Failure> {
    let connector = service_fn(move |_| async move {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok::<_, std::io::Error>(TokioIo::new(Coalesce::new(stream)))
    });
    Ok(Endpoint::from_shared(format!("http://{address}"))?.connect_with_connector(connector).await?)
}

/// Messages that differ in their id alone; no two of a run have the same.
struct Messages {
    source: String,
    next: u64,
    content: Bytes,
}

impl Default for Messages {
    fn default() -> Self {
        static SOURCES: AtomicU64 = AtomicU64::new(0);
        let source = format!("/bench/{}", SOURCES.fetch_add(1, Ordering::Relaxed));
        Self { source, next: 0, content: content().into() }
    }
}

impl Messages {
    fn next(&mut self) -> Message {
        self.next += 1;
        Message {
            id: self.next.to_string(),
            source: self.source.clone(),
            r#type: "bench.message".to_owned(),
            data: self.content.clone(),
            ..Message::default()
        }
    }
}

/// What is under way in a stream.
#[derive(Default)]
struct Flight {
    sent: VecDeque<Instant>,
    /// Of the feed, when it waits for room.
    waker: Option<Waker>,
}

/// The messages of a stream: the next one as soon as there is room in flight.
struct Feed {
    plan: Plan,
    flight: Arc<Mutex<Flight>>,
    messages: Messages,
}

impl Stream for Feed {
    type Item = PublishStreamRequest;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let now = Instant::now();
        if now >= this.plan.end {
            return Poll::Ready(None);
        }
        let mut flight = lock(&this.flight);
        if flight.sent.len() >= this.plan.in_flight {
            flight.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        flight.sent.push_back(now);
        Poll::Ready(Some(PublishStreamRequest { message: Some(this.messages.next()) }))
    }
}

fn lock(flight: &Mutex<Flight>) -> MutexGuard<'_, Flight> {
    flight.lock().unwrap_or_else(PoisonError::into_inner)
}
