//! One call on its way to its function, which runs in a thread to its end, whoever still waits for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use passerelle_adapter::{Fault, Messages, Rejection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::call::{Over, Waiting};
use crate::contract::Method;
use crate::keys::{Keys, Turn};
use crate::streams::{Incoming, Outgoing};
use crate::{Adapter, Call};

/// When a call that found no thread may come again.
const COME_BACK: Duration = Duration::from_millis(100);

/// Threads for calls, and the keys under which they run.
#[derive(Debug)]
pub(crate) struct Carrier {
    threads: Arc<Semaphore>,
    all: u32,
    pub(crate) keys: Keys,
}

/// What a call holds until its function has ended.
struct Held {
    _thread: OwnedSemaphorePermit,
    _key: Option<Turn>,
}

/// What the function sends, for as long as somebody waits for it.
struct Answer {
    messages: mpsc::Receiver<Result<Bytes, Fault>>,
    _waiting: Waiting,
    /// The rest of a request that is one message: what comes in spite of that is still held to the credit.
    _rest: Option<Messages>,
}

impl Carrier {
    pub(crate) fn new(calls: u32) -> Self {
        Self { threads: Arc::new(Semaphore::new(calls as usize)), all: calls, keys: Keys::default() }
    }

    /// Begins the call; the answer comes as its function gives it.
    pub(crate) async fn carry<A: Adapter>(
        &self,
        adapter: Arc<A>,
        method: Arc<Method<A>>,
        call: passerelle_adapter::Call,
    ) -> Result<Messages, Fault> {
        let thread = self.threads.clone().try_acquire_owned().map_err(|_| Fault::Throttled {
            retry_after: COME_BACK,
            message: format!("{} calls are in flight, no more are taken", self.all),
        })?;
        let mut messages = call.messages;
        let (request, incoming, _rest) = match method.takes_stream {
            true => (Bytes::new(), Incoming::Many(messages), None),
            false => {
                let one = only(&mut messages).await?;
                (one.clone(), Incoming::One(one, method.name), Some(messages))
            }
        };
        let key = match &call.context.idempotency_key {
            Some(key) => Some(self.keys.take(key.clone()).await),
            None => None,
        };
        let held = Held { _thread: thread, _key: key };
        let (_waiting, over) = Over::new();
        let call = Call { method: method.name, context: call.context, request, over };
        let (sender, messages) = mpsc::channel(1);
        tokio::task::spawn_blocking(move || run(adapter.as_ref(), &method, incoming, &call, sender, held));
        Ok(Messages::many(Answer { messages, _waiting, _rest }))
    }

    /// Waits until no function runs.
    pub(crate) async fn ended(&self) {
        // Never closed: it is ours.
        let _ = self.threads.acquire_many(self.all).await;
    }
}

/// The one request. Its stream need not end: the bus may keep its side open to give credit.
async fn only(messages: &mut Messages) -> Result<Bytes, Fault> {
    let none = || Fault::rejected(Rejection::Invalid, "the request has no message, this method takes one");
    let first = messages.next().await.ok_or_else(none)??;
    let second = std::future::poll_fn(|context| Poll::Ready(Pin::new(&mut *messages).poll_next(context))).await;
    match second {
        Poll::Ready(Some(Ok(_))) => {
            Err(Fault::rejected(Rejection::Invalid, "the request has several messages, this method takes one"))
        }
        Poll::Ready(Some(Err(fault))) => Err(fault),
        Poll::Ready(None) | Poll::Pending => Ok(first),
    }
}

fn run<A: Adapter>(
    adapter: &A,
    method: &Method<A>,
    incoming: Incoming,
    call: &Call,
    sender: mpsc::Sender<Result<Bytes, Fault>>,
    held: Held,
) {
    if call.over.is_over() {
        return; // It waited for a thread, and nothing has happened yet.
    }
    let outgoing = Outgoing(sender.clone());
    let function = AssertUnwindSafe(|| (method.function)(adapter, incoming, call, outgoing));
    let panicked = |_| Err(Fault::unknown("the adapter panicked in this call; its log says where"));
    let outcome = catch_unwind(function).unwrap_or_else(panicked);
    drop(held);
    if let Err(fault) = outcome {
        // Nobody waits: nobody is told.
        let _ = sender.blocking_send(Err(fault));
    }
}

impl Stream for Answer {
    type Item = Result<Bytes, Fault>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.messages.poll_recv(context)
    }
}
