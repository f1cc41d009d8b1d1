//! One consumer: messages out by credit, what became of them in.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::{FutureExt, Stream};
use passerelle_bus::delivery::{Outcome, Parcel};
use passerelle_proto::bus::v1::deliveries_server;
use passerelle_proto::bus::v1::undone::Next;
use passerelle_proto::bus::v1::{ConsumeRequest, ConsumeResponse, Consumed, Undone};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::{Deliveries, One, To};
use crate::journal::stopping;

/// Most messages that a consumer may have asked for and not been sent.
const MOST_CREDIT: u32 = 10_000;
/// Most messages of one response, and responses that wait for the consumer to read.
const AT_ONCE: usize = 64;
const UNREAD: usize = 4;
/// Bytes of an explanation that are kept.
const LONGEST_WHY: usize = 500;

/// How many consumers there are.
#[derive(Default)]
pub(super) struct Consumers(AtomicU32);

/// One that counts.
struct Counted(Arc<One>);

impl Consumers {
    pub(super) fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counted {
    fn new(one: Arc<One>) -> Self {
        one.consumers.0.fetch_add(1, Ordering::Relaxed);
        Self(one)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.consumers.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[tonic::async_trait]
impl deliveries_server::Deliveries for Deliveries {
    type ConsumeStream = Pin<Box<dyn Stream<Item = Result<ConsumeResponse, Status>> + Send>>;

    async fn consume(&self, request: Request<Streaming<ConsumeRequest>>) -> Result<Response<Self::ConsumeStream>, Status> {
        let mut requests = request.into_inner();
        let first = requests.message().await?.ok_or_else(|| Status::invalid_argument("delivery: the first request names it"))?;
        let one = self.named(&first.delivery)?;
        if let To::Method { path, .. } = &one.to {
            let method = path.trim_start_matches('/');
            return Err(Status::failed_precondition(format!("delivery: its messages go to {method}, not to consumers")));
        }
        let (responses, stream) = mpsc::channel(UNREAD);
        let mut consumer = Consumer { one: Counted::new(one), credit: 0, next_tag: 1, in_hand: HashMap::new() };
        let mut stopped = self.0.stopping.clone();
        tokio::spawn(async move {
            let ended = tokio::select! {
                ended = consumer.run(first, requests, &responses) => ended,
                _ = stopped.wait_for(|stop| *stop) => Err(stopping()),
                () = responses.closed() => Ok(()),
            };
            if let Err(status) = ended {
                let _ = responses.send(Err(status)).await;
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }
}

impl Deliveries {
    pub(super) fn named(&self, name: &str) -> Result<Arc<One>, Status> {
        self.0.all.get(name).cloned().ok_or_else(|| {
            let names: Vec<&str> = self.0.all.keys().map(String::as_str).collect();
            let there_are = if names.is_empty() {
                "none is declared; see `deliveries` in the settings".to_owned()
            } else {
                format!("there are {}", names.join(", "))
            };
            Status::not_found(format!("delivery: this bus has none of that name; {there_are}"))
        })
    }
}

/// A consumer at work. When it ends, what it has in hand comes again.
struct Consumer {
    one: Counted,
    credit: u32,
    next_tag: u64,
    in_hand: HashMap<u64, Parcel>,
}

impl Consumer {
    async fn run(
        &mut self,
        first: ConsumeRequest,
        mut requests: Streaming<ConsumeRequest>,
        responses: &mpsc::Sender<Result<ConsumeResponse, Status>>,
    ) -> Result<(), Status> {
        self.take_in(first)?;
        let one = self.one.0.clone();
        loop {
            let most = AT_ONCE.min(self.credit as usize);
            let taking = async {
                // A place first: what is taken and cannot be sent would keep others from taking it.
                let Ok(permit) = responses.reserve().await else { return None };
                Some((permit, one.delivery.take(most).await))
            };
            tokio::select! {
                request = requests.message().fuse() => match request? {
                    Some(request) => self.take_in(request)?,
                    None => return Ok(()),
                },
                taken = taking, if most > 0 => {
                    let Some((permit, parcels)) = taken else { return Ok(()) };
                    if parcels.is_empty() {
                        return Err(stopping());
                    }
                    permit.send(Ok(self.hand_out(parcels)));
                }
            }
        }
    }

    fn hand_out(&mut self, parcels: Vec<Parcel>) -> ConsumeResponse {
        self.credit -= parcels.len() as u32;
        let messages = parcels.into_iter().map(|parcel| {
            let tag = self.next_tag;
            self.next_tag += 1;
            let consumed = Consumed { tag, message: Some(parcel.message.clone()), attempt: parcel.attempt() };
            self.in_hand.insert(tag, parcel);
            consumed
        });
        ConsumeResponse { messages: messages.collect() }
    }

    fn take_in(&mut self, request: ConsumeRequest) -> Result<(), Status> {
        let credit = self.credit.saturating_add(request.credit);
        if credit > MOST_CREDIT {
            return Err(Status::invalid_argument(format!("credit: {credit} would be unused, at most {MOST_CREDIT} may be")));
        }
        self.credit = credit;
        for tag in request.done {
            self.in_hand(tag)?.settle(Outcome::Delivered);
        }
        for undone in request.undone {
            let parcel = self.in_hand(undone.tag)?;
            parcel.settle(outcome(undone)?);
        }
        Ok(())
    }

    fn in_hand(&mut self, tag: u64) -> Result<Parcel, Status> {
        self.in_hand.remove(&tag).ok_or_else(|| {
            Status::invalid_argument(format!("tag {tag}: no message of this stream has it, or it was settled already"))
        })
    }
}

fn outcome(undone: Undone) -> Result<Outcome, Status> {
    let mut why = undone.why;
    why.truncate(why.floor_char_boundary(LONGEST_WHY));
    match undone.next {
        Some(Next::Retry(retry)) => {
            let after = retry.after.map(Duration::try_from).transpose();
            let retry_after = after.map_err(|_| Status::invalid_argument("retry.after: must not be negative"))?;
            Ok(Outcome::Failed { retry_after, why })
        }
        Some(Next::Reject(_)) => Ok(Outcome::Rejected { why }),
        None => Err(Status::invalid_argument("undone: `retry` or `reject` must be given")),
    }
}
