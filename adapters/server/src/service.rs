//! The service `passerelle.adapter.v1.Adapter`: the kind opened by the bus's settings, and its calls.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use passerelle_adapter::{Adapter, Fault, Health, Kind, Opening, Rejection, Secrets};
use passerelle_proto::adapter::v1;
use passerelle_proto::adapter::v1::adapter_server;
use tokio::sync::{Mutex, OnceCell, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use crate::call::{self, Carried, LONGEST_KEY};
use crate::limits::Limits;
use crate::turns::Turns;
use crate::work::Work;
use crate::{deadline, describe, fault, receive};

/// What of an answer may wait for the connection.
const ANSWERS_ON_THE_WAY: usize = 2;
/// What was received may wait for the connection.
const HANDED_OVER_ON_THE_WAY: usize = 16;
/// What `Health` may take; the contract allows a second.
const HEALTH: Duration = Duration::from_millis(900);
/// What a drain takes where the bus does not say, and what `Lookup` may take.
const DEFAULT_GRACE: Duration = Duration::from_secs(10);
const LOOKUP: Duration = Duration::from_secs(30);

/// One adapter, before and after it has its settings.
pub(crate) struct Service {
    pub(crate) kind: Arc<dyn Kind>,
    pub(crate) release: String,
    pub(crate) secrets: Arc<dyn Secrets>,
    pub(crate) limits: Limits,
    pub(crate) work: Work,
    /// Of those who take what is received.
    pub(crate) turns: Turns,
    pub(crate) open: OnceCell<Configured>,
    /// One opens at a time.
    pub(crate) opening: Mutex<()>,
}

/// An open adapter, the settings that it was opened with, and what was answered to them.
pub(crate) struct Configured {
    request: v1::ConfigureRequest,
    response: v1::ConfigureResponse,
    adapter: Arc<dyn Adapter>,
}

impl Service {
    fn adapter(&self) -> Result<&Arc<dyn Adapter>, Fault> {
        let unset = || Fault::unavailable("the adapter has no settings yet: the bus sends them when it connects anew");
        self.open.get().map(|open| &open.adapter).ok_or_else(unset)
    }

    async fn opened(&self, request: v1::ConfigureRequest) -> Result<Configured, Status> {
        let opening = Opening {
            endpoint: request.endpoint.clone(),
            // Relative to the folder that the process runs in; the name is for messages.
            path: PathBuf::from("settings"),
            text: request.settings.clone(),
            secrets: self.secrets.clone(),
        };
        let opened = AssertUnwindSafe(self.kind.open(opening)).catch_unwind().await;
        let opened = opened.map_err(|_| Status::internal("the adapter panicked as it was opened; its log says where"))?;
        let adapter = opened.map_err(|error| Status::invalid_argument(error.to_string()))?;
        if let Some(calls) = adapter.calls_at_once() {
            self.work.bound(calls);
        }
        let response = describe::configured(adapter.as_ref(), Limits { calls: self.work.all(), ..self.limits });
        tracing::info!(endpoint = request.endpoint, kind = self.kind.name(), "open");
        Ok(Configured { request, response, adapter })
    }

    /// Ends what is in flight, then closes the adapter. Gives the calls that were cut off.
    pub(crate) async fn drain(&self, grace: Duration) -> u32 {
        let end = tokio::time::Instant::now() + grace;
        let cut = self.work.drain(grace).await;
        if let Some(open) = self.open.get() {
            let left = end.saturating_duration_since(tokio::time::Instant::now());
            // The adapter has its own grace; the bus does not wait for one that has none.
            let _ = tokio::time::timeout(left + HEALTH, open.adapter.drain(left)).await;
        }
        cut
    }
}

/// The service as the listener holds it.
pub(crate) struct Shared(pub(crate) Arc<Service>);

#[tonic::async_trait]
impl adapter_server::Adapter for Shared {
    async fn describe(&self, request: Request<v1::DescribeRequest>) -> Result<Response<v1::DescribeResponse>, Status> {
        let service = &self.0;
        describe::hello(service.kind.as_ref(), &service.release, request.get_ref()).map(Response::new)
    }

    async fn configure(&self, request: Request<v1::ConfigureRequest>) -> Result<Response<v1::ConfigureResponse>, Status> {
        let request = request.into_inner();
        let service = &self.0;
        let _one = service.opening.lock().await;
        if let Some(open) = service.open.get() {
            return match open.request == request {
                true => Ok(Response::new(open.response.clone())),
                false => Err(Status::failed_precondition(format!(
                    "this process serves the endpoint {} with other settings; end it, and start it anew for these",
                    open.request.endpoint
                ))),
            };
        }
        let open = service.open.get_or_try_init(|| service.opened(request)).await?;
        Ok(Response::new(open.response.clone()))
    }

    type CallStream = ReceiverStream<Result<v1::CallResponse, Status>>;

    async fn call(&self, request: Request<Streaming<v1::CallRequest>>) -> Result<Response<Self::CallStream>, Status> {
        let deadline = deadline::deadline(request.metadata());
        let trace = call::trace(request.metadata());
        let mut requests = request.into_inner();
        let service = self.0.clone();
        let (out, answers) = mpsc::channel(ANSWERS_ON_THE_WAY);
        tokio::spawn(async move {
            let ready = async {
                let start = call::start(&mut requests).await?;
                if start.credits == 0 {
                    return Err(Status::invalid_argument("`start` has credit for at least one message"));
                }
                let begun =
                    longest_key(&start.idempotency_key).and_then(|()| Ok((service.adapter()?.clone(), service.work.begin()?)));
                Ok((start, begun))
            };
            let begun = tokio::select! {
                begun = ready => begun,
                () = out.closed() => return,
            };
            match begun {
                Err(status) => {
                    let _ = out.send(Err(status)).await;
                }
                Ok((_, Err(refused))) => {
                    let what = v1::call_response::What::Fault(fault::of(refused));
                    let _ = out.send(Ok(v1::CallResponse { what: Some(what) })).await;
                }
                Ok((start, Ok((adapter, place)))) => {
                    let call = Carried { adapter, place, limits: service.limits, deadline, trace };
                    call::carry(call, start, requests, out).await;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(answers)))
    }

    async fn lookup(&self, request: Request<v1::LookupRequest>) -> Result<Response<v1::LookupResponse>, Status> {
        let time = deadline::deadline(request.metadata());
        let key = request.into_inner().idempotency_key;
        let outcome = async {
            let adapter = self.0.adapter()?;
            if !adapter.abilities().lookup {
                return Err(Fault::Unimplemented {
                    message: "this adapter cannot look up what became of an operation".to_owned(),
                });
            }
            if key.is_empty() {
                return Err(Fault::rejected(Rejection::Invalid, "there is no key to look up"));
            }
            longest_key(&key)?;
            let looked = AssertUnwindSafe(adapter.lookup(&key)).catch_unwind().await;
            looked.unwrap_or_else(|_| Err(Fault::unavailable("the adapter panicked as it looked; its log says where")))
        };
        let until = time.unwrap_or_else(|| std::time::Instant::now() + LOOKUP);
        let late = || Err(Fault::DeadlineExceeded { message: "what became of it was not found out in time".to_owned() });
        let outcome = tokio::time::timeout_at(until.into(), outcome).await.unwrap_or_else(|_| late());
        Ok(Response::new(fault::lookup(outcome)))
    }

    type OpenStream = ReceiverStream<Result<v1::OpenResponse, Status>>;

    async fn open(&self, request: Request<Streaming<v1::OpenRequest>>) -> Result<Response<Self::OpenStream>, Status> {
        let adapter = self.0.adapter().map_err(|fault| Status::unavailable(fault.to_string()))?.clone();
        if !adapter.receives() {
            return Err(Status::unimplemented("this adapter does not receive"));
        }
        let (out, handed_over) = mpsc::channel(HANDED_OVER_ON_THE_WAY);
        let service = self.0.clone();
        let requests = request.into_inner();
        let turn = service.turns.next();
        tokio::spawn(async move {
            let ended = tokio::select! {
                ended = turn.run(receive::hand_over(adapter.as_ref(), requests, &out)) => ended,
                () = service.work.draining() => Err(Status::unavailable("the adapter is draining")),
                () = out.closed() => Ok(()),
            };
            if let Err(status) = ended {
                // Nobody there: the bus has gone first.
                let _ = out.send(Err(status)).await;
            }
        });
        Ok(Response::new(ReceiverStream::new(handed_over)))
    }

    async fn health(&self, _: Request<v1::HealthRequest>) -> Result<Response<v1::HealthResponse>, Status> {
        let down = |reason: &str| Health::Down { reason: reason.to_owned() };
        let health = match self.0.adapter() {
            _ if self.0.work.is_draining() => down("the adapter is draining"),
            Err(fault) => down(&fault.to_string()),
            Ok(adapter) => {
                let told = tokio::time::timeout(HEALTH, AssertUnwindSafe(adapter.health()).catch_unwind()).await;
                match told {
                    Ok(Ok(health)) => health,
                    Ok(Err(_)) => down("the adapter panicked as it was asked for its health; its log says where"),
                    Err(_) => down("the adapter did not tell within a second"),
                }
            }
        };
        Ok(Response::new(describe::health(health)))
    }

    async fn drain(&self, request: Request<v1::DrainRequest>) -> Result<Response<v1::DrainResponse>, Status> {
        let grace = request.into_inner().grace.and_then(|grace| grace.try_into().ok()).unwrap_or(DEFAULT_GRACE);
        Ok(Response::new(v1::DrainResponse { cut_off: self.0.drain(grace).await }))
    }
}

fn longest_key(key: &str) -> Result<(), Fault> {
    if key.len() <= LONGEST_KEY {
        return Ok(());
    }
    let text = format!("a key has at most {LONGEST_KEY} bytes, this one has {}", key.len());
    Err(Fault::rejected(Rejection::Invalid, text))
}
