//! One call over the wire: the request pumped as the adapter gives credit, the answer read as it is asked for.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::stream::unfold;
use passerelle_adapter::{Call, Context, Fault, Messages, Rejection};
use passerelle_proto::adapter::v1::{CallRequest, CallResponse, Credit, End, Start, call_request, call_response};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Streaming};

use crate::connection::Guard;
use crate::fault;
use crate::link::Session;

/// Messages of an answer that may come before one was read, while the request goes on.
const FIRST_CREDITS: u32 = 16;
/// Given as the request ends to an adapter that does not read `end`: after that no credit can be given, and HTTP/2's flow control alone holds the answer back.
const LAST_CREDITS: u32 = i32::MAX as u32 - FIRST_CREDITS;
/// What of a request may wait for the connection.
const REQUESTS_ON_THE_WAY: usize = 2;
/// Bytes of an idempotency key at most, as the contract says.
const LONGEST_KEY: usize = 256;

/// Carries the call. Returns at the first message of the answer, its end, or a fault.
pub(crate) async fn carry(session: Session, call: Call) -> Result<Messages, Fault> {
    let Call { method, messages, context } = call;
    let key = context.idempotency_key.clone().unwrap_or_default();
    if key.len() > LONGEST_KEY {
        let text = format!("the idempotency key has {} bytes, the limit is {LONGEST_KEY}", key.len());
        return Err(Fault::rejected(Rejection::Invalid, text));
    }
    let limit = if session.limits.message_bytes == 0 { usize::MAX } else { session.limits.message_bytes as usize };
    let (out, requests) = mpsc::channel(REQUESTS_ON_THE_WAY);
    let (guard, whole) = Guard::new();
    let (refused, refusal) = oneshot::channel();
    let credits = Arc::new(Semaphore::new(session.limits.first_credits.max(1) as usize));
    let start = Start { method, idempotency_key: key, credits: FIRST_CREDITS, message: None };
    let says_end = session.abilities.request_end;
    let pump = Pump { messages, out: out.clone(), credits: credits.clone(), limit, says_end };
    let request = request(requests, guard, &context);
    let pump = tokio::spawn(pump.run(start, refused));
    let mut exchange = Exchange {
        _whole: whole,
        _pump: Aborted(pump),
        answers: None,
        refusal: Some(refusal),
        credits,
        out: out.downgrade(),
        owed: 0,
    };
    drop(out);
    let mut client = session.client;
    let answers = tokio::select! {
        biased;
        fault = exchange.refused() => return Err(fault),
        answers = client.call(request) => answers,
    };
    exchange.answers = Some(answers.map_err(|status| fault::of_break(&status))?.into_inner());
    match exchange.next().await {
        None => Ok(Messages::many(futures_util::stream::empty())),
        Some(Err(fault)) => Err(fault),
        Some(Ok(first)) => Ok(Messages::many(unfold((Some(first), exchange), |(first, mut exchange)| async move {
            match first {
                Some(first) => Some((Ok(first), (None, exchange))),
                None => exchange.next().await.map(|next| (next, (None, exchange))),
            }
        }))),
    }
}

fn request(requests: mpsc::Receiver<CallRequest>, guard: Guard, context: &Context) -> Request<ReceiverStream<CallRequest>> {
    let mut request = Request::new(ReceiverStream::new(requests));
    request.extensions_mut().insert(guard);
    if let Some(left) = context.time_left() {
        request.set_timeout(left);
    }
    let trace = [("traceparent", &context.trace.traceparent), ("tracestate", &context.trace.tracestate)];
    for (name, value) in trace {
        if let Some(value) = value.as_ref().and_then(|value| value.parse().ok()) {
            request.metadata_mut().insert(name, value);
        }
    }
    request
}

/// The request on its way.
struct Pump {
    messages: Messages,
    out: mpsc::Sender<CallRequest>,
    credits: Arc<Semaphore>,
    limit: usize,
    /// The adapter reads `end`; to another one the end of the stream says it.
    says_end: bool,
}

impl Pump {
    /// Sends all of the request and its end. A request that breaks off says why, and does not end.
    async fn run(mut self, start: Start, refused: oneshot::Sender<Fault>) {
        if let Err(fault) = self.send_all(start).await {
            let _ = refused.send(fault);
            // The stream must not end: whoever reads the fault breaks it off.
            std::future::pending::<()>().await;
        }
        if self.says_end {
            // Its side stays open for credit until the call is over.
            self.say(call_request::What::End(End {})).await;
            std::future::pending::<()>().await;
        }
    }

    async fn send_all(&mut self, mut start: Start) -> Result<(), Fault> {
        // What is there already goes along; a caller who waits for the answer to begin is not waited for.
        let first = self.next().now_or_never();
        let ended = matches!(first, Some(None));
        start.message = first.flatten().transpose()?;
        if start.message.is_some() {
            take(&self.credits).await;
        }
        self.say(call_request::What::Start(start)).await;
        if !ended {
            while let Some(message) = self.next().await.transpose()? {
                take(&self.credits).await;
                self.say(call_request::What::Message(message)).await;
            }
        }
        if !self.says_end {
            self.say(call_request::What::Credit(Credit { messages: LAST_CREDITS })).await;
        }
        Ok(())
    }

    async fn next(&mut self) -> Option<Result<Bytes, Fault>> {
        let message = self.messages.next().await?;
        Some(message.and_then(|message| match message.len() > self.limit {
            false => Ok(message),
            true => {
                let text = format!("a message has {} bytes, the adapter's limit is {} bytes", message.len(), self.limit);
                Err(Fault::rejected(Rejection::Invalid, text))
            }
        }))
    }

    async fn say(&mut self, what: call_request::What) {
        // Nobody there: the call is over, and its answer says why.
        let _ = self.out.send(CallRequest { what: Some(what) }).await;
    }
}

async fn take(credits: &Semaphore) {
    // Never closed: it is ours.
    if let Ok(credit) = credits.acquire().await {
        credit.forget();
    }
}

/// A task that ends with its owner.
struct Aborted(JoinHandle<()>);

impl Drop for Aborted {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The answer on its way. Dropped before its end, it breaks the call off: the request first, so that it does not look whole.
struct Exchange {
    _whole: oneshot::Sender<()>,
    _pump: Aborted,
    answers: Option<Streaming<CallResponse>>,
    refusal: Option<oneshot::Receiver<Fault>>,
    credits: Arc<Semaphore>,
    /// Gone when the request has ended.
    out: mpsc::WeakSender<CallRequest>,
    /// Credit for messages that were read, not given back yet.
    owed: u32,
}

impl Exchange {
    /// Returns if the request broke off.
    async fn refused(&mut self) -> Fault {
        if let Some(refusal) = &mut self.refusal {
            if let Ok(fault) = refusal.await {
                self.refusal = None;
                return fault;
            }
            self.refusal = None;
        }
        std::future::pending().await
    }

    /// The next message; a fault is the last.
    async fn next(&mut self) -> Option<Result<Bytes, Fault>> {
        loop {
            let mut answers = self.answers.take()?;
            let answer = tokio::select! {
                biased;
                answer = answers.message() => answer,
                fault = self.refused() => return Some(Err(fault)),
            };
            let what = match answer {
                Ok(Some(answer)) => answer.what,
                Ok(None) => {
                    return Some(Err(Fault::unknown("the answer broke off without its end, which may have had its effect")));
                }
                Err(status) => return Some(Err(fault::of_break(&status))),
            };
            match what {
                Some(call_response::What::End(_)) => return None,
                Some(call_response::What::Fault(fault)) => return Some(Err(fault::of(fault))),
                Some(call_response::What::Message(message)) => {
                    self.answers = Some(answers);
                    self.give_back();
                    return Some(Ok(message));
                }
                Some(call_response::What::Credit(credit)) => {
                    let room = Semaphore::MAX_PERMITS - self.credits.available_permits();
                    self.credits.add_permits(room.min(credit.messages as usize));
                }
                // A newer adapter says something that this version does not know.
                None => {}
            }
            self.answers = Some(answers);
        }
    }

    /// Gives credit in halves of what was given first, and without waiting: what does not fit now goes with the next.
    fn give_back(&mut self) {
        self.owed += 1;
        if self.owed < FIRST_CREDITS / 2 {
            return;
        }
        if let Some(out) = self.out.upgrade() {
            let credit = call_request::What::Credit(Credit { messages: self.owed });
            if out.try_send(CallRequest { what: Some(credit) }).is_ok() {
                self.owed = 0;
            }
        }
    }
}
