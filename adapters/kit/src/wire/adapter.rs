//! The port spoken over the wire: an `Adapter` for the laws that do not care where it runs.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::unfold;
use passerelle_adapter::{Adapter, Call, Context, Descriptor, Fault, Health, Lookup, Messages, async_trait};
use passerelle_proto::adapter::v1::{
    CallRequest, CallResponse, DrainRequest, HealthRequest, LookupRequest, Start, call_request, call_response,
    health_response::State, lookup_response,
};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Request, Streaming};

use super::fault::{failed, taken};
use super::{Client, Wire};

/// Messages that an adapter may send in one call: more than any example has. That it keeps to fewer is for the laws of credit.
const CREDITS: u32 = 1 << 20;
/// Longer deadlines are sent as this one, in seconds: what `grpc-timeout` can say in seconds.
const DEADLINE_MAX: u64 = 99_999_999;

/// An adapter over the wire.
#[derive(Debug)]
pub(crate) struct WireAdapter {
    pub(crate) wire: Wire,
    pub(crate) descriptor: Descriptor,
    /// Request messages that may be sent before credit comes.
    pub(crate) first_credits: u32,
}

impl WireAdapter {
    async fn client(&self) -> Result<Client, Fault> {
        // Nothing was sent: nothing happened.
        self.wire.client().await.map_err(Fault::unavailable)
    }
}

#[async_trait]
impl Adapter for WireAdapter {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn call(&self, call: Call) -> Result<Messages, Fault> {
        let mut client = self.client().await?;
        let (requests, outgoing) = mpsc::unbounded_channel();
        let credits = Arc::new(Semaphore::new(self.first_credits.max(1) as usize));
        let request = request(UnboundedReceiverStream::new(outgoing), &call.context);
        let feeding = tokio::spawn(feed(call, requests, Arc::clone(&credits)));
        let feeding = Feeding(feeding);
        let answer = client.call(request).await.map_err(|status| failed(&status))?.into_inner();
        let mut coming = Coming { answer, credits, _feeding: feeding, is_over: false };
        // A call that fails before its first message fails as a whole, as in process.
        match coming.next().await {
            None => Ok(Messages::many(futures_util::stream::empty())),
            Some(Err(fault)) => Err(fault),
            Some(Ok(first)) => {
                let rest = unfold((Some(first), coming), |(first, mut coming)| async move {
                    let message = match first {
                        Some(first) => Ok(first),
                        None => coming.next().await?,
                    };
                    Some((message, (None, coming)))
                });
                Ok(Messages::many(rest))
            }
        }
    }

    async fn lookup(&self, idempotency_key: &str) -> Result<Lookup, Fault> {
        let request = LookupRequest { idempotency_key: idempotency_key.to_owned() };
        let response = self.client().await?.lookup(request).await.map_err(|status| failed(&status))?;
        match response.into_inner().what {
            Some(lookup_response::What::Done(answer)) => Ok(Lookup::Done(answer)),
            Some(lookup_response::What::NotDone(_)) => Ok(Lookup::NotDone),
            Some(lookup_response::What::Undecided(_)) => Ok(Lookup::Undecided),
            Some(lookup_response::What::Fault(fault)) => Err(taken(&fault)),
            None => Err(Fault::unknown("the look-up says nothing")),
        }
    }

    async fn health(&self) -> Health {
        let answer = async { self.client().await?.health(HealthRequest {}).await.map_err(|status| failed(&status)) };
        match answer.await.map(tonic::Response::into_inner) {
            Ok(health) if health.state() == State::Ready => Health::Ready,
            Ok(health) if health.state() == State::Degraded => Health::Degraded { reason: health.reason },
            Ok(health) => Health::Down { reason: health.reason },
            Err(fault) => Health::Down { reason: fault.to_string() },
        }
    }

    async fn drain(&self, grace: Duration) {
        let request = DrainRequest { grace: prost_types::Duration::try_from(grace).ok() };
        if let Ok(mut client) = self.client().await {
            // What it cut off is for the law that asks it itself.
            let _ = client.drain(request).await;
        }
    }
}

fn request(outgoing: UnboundedReceiverStream<CallRequest>, context: &Context) -> Request<UnboundedReceiverStream<CallRequest>> {
    let mut request = Request::new(outgoing);
    if let Some(left) = context.time_left() {
        // Rounded up to a millisecond: zero would say that there is none.
        let left = left.max(Duration::from_millis(1)).min(Duration::from_secs(DEADLINE_MAX));
        request.set_timeout(left);
    }
    let headers = [("traceparent", &context.trace.traceparent), ("tracestate", &context.trace.tracestate)];
    for (name, value) in headers {
        if let Some(value) = value.as_ref().and_then(|value| value.parse().ok()) {
            request.metadata_mut().insert(name, value);
        }
    }
    request
}

/// Sends the request as credit allows; ends it by dropping the sender.
async fn feed(mut call: Call, requests: mpsc::UnboundedSender<CallRequest>, credits: Arc<Semaphore>) {
    let message = match call.messages.next().await {
        Some(Ok(message)) => Some(message),
        // To end it would make it look complete: it is cut off when the law drops the call.
        Some(Err(_)) => return std::future::pending().await,
        None => None,
    };
    if let Ok(credit) = credits.acquire().await {
        credit.forget();
    }
    let idempotency_key = call.context.idempotency_key.unwrap_or_default();
    let start = Start { method: call.method, idempotency_key, credits: CREDITS, message };
    let mut what = call_request::What::Start(start);
    loop {
        if requests.send(CallRequest { what: Some(what) }).is_err() {
            return;
        }
        let message = match call.messages.next().await {
            Some(Ok(message)) => message,
            Some(Err(_)) => return std::future::pending().await,
            None => return,
        };
        let Ok(credit) = credits.acquire().await else { return };
        credit.forget();
        what = call_request::What::Message(message);
    }
}

/// Stops to send when nobody reads the answer any more.
struct Feeding(JoinHandle<()>);

impl Drop for Feeding {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The answer as it comes.
struct Coming {
    answer: Streaming<CallResponse>,
    credits: Arc<Semaphore>,
    _feeding: Feeding,
    is_over: bool,
}

impl Coming {
    async fn next(&mut self) -> Option<Result<Bytes, Fault>> {
        loop {
            if self.is_over {
                return None;
            }
            match self.answer.message().await.map(|response| response.map(|response| response.what)) {
                Ok(Some(Some(call_response::What::Message(message)))) => return Some(Ok(message)),
                Ok(Some(Some(call_response::What::Credit(credit)))) => {
                    let room = Semaphore::MAX_PERMITS - self.credits.available_permits();
                    self.credits.add_permits((credit.messages as usize).min(room));
                }
                Ok(Some(Some(call_response::What::End(_)))) => return self.end(None),
                Ok(Some(Some(call_response::What::Fault(fault)))) => return self.end(Some(taken(&fault))),
                Ok(Some(None)) => return self.end(Some(Fault::unknown("the adapter said nothing that this version knows"))),
                Ok(None) => return self.end(Some(Fault::unknown("the answer broke off without its end"))),
                Err(status) => return self.end(Some(failed(&status))),
            }
        }
    }

    fn end(&mut self, fault: Option<Fault>) -> Option<Result<Bytes, Fault>> {
        self.is_over = true;
        fault.map(Err)
    }
}
