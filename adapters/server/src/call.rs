//! One call: the adapter's answer sent as the bus has credit for it, and every way in which it can end.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::FutureExt;
use passerelle_adapter::{Adapter, Call, Context, Fault, Messages, TraceContext};
use passerelle_proto::adapter::v1::{CallRequest, CallResponse, End, Start, call_request, call_response};
use tokio::sync::{Semaphore, mpsc};
use tonic::metadata::MetadataMap;
use tonic::{Status, Streaming};

use crate::fault;
use crate::inbox::{self, Out};
use crate::limits::Limits;
use crate::work::Place;

/// Bytes of an idempotency key at most, as the contract says.
pub(crate) const LONGEST_KEY: usize = 256;

/// A call that has its place and its adapter.
pub(crate) struct Carried {
    pub(crate) adapter: Arc<dyn Adapter>,
    pub(crate) place: Place,
    pub(crate) limits: Limits,
    pub(crate) deadline: Option<Instant>,
    pub(crate) trace: TraceContext,
}

/// The first message of a call.
pub(crate) async fn start(requests: &mut Streaming<CallRequest>) -> Result<Start, Status> {
    match requests.message().await?.and_then(|request| request.what) {
        Some(call_request::What::Start(start)) => Ok(start),
        _ => Err(Status::invalid_argument("a call begins with `start`")),
    }
}

/// W3C trace context out of metadata.
pub(crate) fn trace(metadata: &MetadataMap) -> TraceContext {
    let text = |name: &str| metadata.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    TraceContext { traceparent: text("traceparent"), tracestate: text("tracestate") }
}

/// Carries the call to its end, which is the last that `out` gets.
pub(crate) async fn carry(call: Carried, start: Start, requests: Streaming<CallRequest>, out: Out) {
    let Carried { adapter, mut place, limits, deadline, trace } = call;
    let credits = Arc::new(Semaphore::new(0));
    inbox::add(&credits, start.credits);
    // One place more than credit: for the fault that ends it.
    let (sender, rest) = mpsc::channel(limits.first_credits as usize + 1);
    if let Some(first) = start.message {
        // It is empty, so there is room.
        let _ = sender.try_send(inbox::check(first, limits));
    }
    let answer = async {
        let messages = inbox::messages(rest, out.clone());
        let key = Some(start.idempotency_key).filter(|key| !key.is_empty());
        let context = Context { deadline, idempotency_key: key, trace };
        let answer = adapter.call(Call { method: start.method, messages, context }).await?;
        send(answer, &credits, &out, limits).await
    };
    let late = async {
        match deadline {
            Some(at) => tokio::time::sleep_until(at.into()).await,
            None => std::future::pending().await,
        }
    };
    let mut reading = pin!(inbox::read(requests, sender, credits.clone(), limits));
    let mut answer = pin!(AssertUnwindSafe(answer).catch_unwind());
    let mut late = pin!(late);
    let mut read = false;
    let outcome = loop {
        tokio::select! {
            ended = &mut answer => break Ok(ended.unwrap_or_else(|_| Err(Fault::unknown("the adapter panicked in this call; its log says where")))),
            ended = &mut reading, if !read => match ended {
                Ok(()) => read = true,
                Err(status) => break Err(status),
            },
            () = &mut late => break Ok(Err(Fault::DeadlineExceeded { message: "the adapter did not end within the deadline".to_owned() })),
            () = place.cut() => break Ok(Err(Fault::unknown("the adapter ended before the call did"))),
            // The bus cancelled it.
            () = out.closed() => return,
        }
    };
    let last = outcome.map(|outcome| CallResponse {
        what: Some(match outcome {
            Ok(()) => call_response::What::End(End {}),
            Err(fault) => call_response::What::Fault(fault::of(fault)),
        }),
    });
    let _ = out.send(last).await;
}

async fn send(mut answer: Messages, credits: &Semaphore, out: &Out, limits: Limits) -> Result<(), Fault> {
    while let Some(message) = answer.next().await {
        let message: Bytes = message?;
        if message.len() > limits.message_bytes as usize {
            let text =
                format!("the answer has a message of {} bytes, over the limit of {} bytes", message.len(), limits.message_bytes);
            return Err(Fault::unknown(text));
        }
        // Never closed: it is ours.
        if let Ok(credit) = credits.acquire().await {
            credit.forget();
        }
        let message = CallResponse { what: Some(call_response::What::Message(message)) };
        if out.send(Ok(message)).await.is_err() {
            break;
        }
    }
    Ok(())
}
