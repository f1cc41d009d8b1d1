//! The little ledger over the wire: a server of adapter/v1, in which one bug of the protocol can be planted.

use std::pin::Pin;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use passerelle_adapter::{Adapter as Port, Call, Context, Fault, Health, Kind, Lookup, Messages, Opening, Rejection};
use passerelle_proto::adapter::v1::adapter_server::{Adapter, AdapterServer};
use passerelle_proto::adapter::v1::fault::Class;
use passerelle_proto::adapter::v1::{self as wire, call_request, call_response, lookup_response};
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::{ReceiverStream, UnixListenerStream};
use tonic::{Request, Response, Status, Streaming};

use super::bugs::Bug;
use super::ledger::Ledger;
use super::receiving::Outbox;
use super::subject::NoSecrets;
use super::wire_bugs::WireBug;

const MESSAGE_BYTES: usize = 1 << 20;
const CALLS: usize = 8;

type Answers = Pin<Box<dyn tokio_stream::Stream<Item = Result<wire::CallResponse, Status>> + Send>>;
type Configured = (String, Arc<dyn Port>);

pub(crate) struct Server {
    bug: WireBug,
    configured: Arc<Mutex<Option<Configured>>>,
    in_flight: Arc<AtomicUsize>,
    cut_off: AtomicU32,
    outbox: Arc<Outbox>,
}

/// Serves on a socket until the process is killed.
pub(crate) async fn serve(path: &str, bug: WireBug) {
    let listener = tokio::net::UnixListener::bind(path).expect("a socket");
    let server = Server {
        bug,
        configured: Arc::default(),
        in_flight: Arc::default(),
        cut_off: AtomicU32::new(0),
        outbox: Outbox::new(bug),
    };
    let service = AdapterServer::new(server).max_decoding_message_size(64 << 20).max_encoding_message_size(64 << 20);
    tonic::transport::Server::builder()
        .add_service(service)
        .serve_with_incoming(UnixListenerStream::new(listener))
        .await
        .expect("it serves");
}

impl Server {
    fn has(&self, bug: WireBug) -> bool {
        self.bug == bug
    }

    fn adapter(&self) -> Option<Arc<dyn Port>> {
        self.configured.lock().expect("no panic").as_ref().map(|(_, adapter)| Arc::clone(adapter))
    }
}

#[tonic::async_trait]
impl Adapter for Server {
    type CallStream = Answers;
    type OpenStream = Pin<Box<dyn tokio_stream::Stream<Item = Result<wire::OpenResponse, Status>> + Send>>;

    async fn describe(&self, request: Request<wire::DescribeRequest>) -> Result<Response<wire::DescribeResponse>, Status> {
        let versions = request.into_inner().versions;
        let is_refused = if self.has(WireBug::NewerBusRefused) { versions.first() != Some(&1) } else { !versions.contains(&1) };
        if is_refused && !self.has(WireBug::VersionUnheeded) {
            return Err(Status::failed_precondition("this adapter speaks version 1"));
        }
        let kind = Ledger(Bug::None);
        Ok(Response::new(wire::DescribeResponse {
            version: 1,
            kind: if self.has(WireBug::KindOfNobody) { "Ledger" } else { kind.name() }.to_owned(),
            release: "1.0.0".to_owned(),
            summary: if self.has(WireBug::SummaryEmpty) { "" } else { kind.summary() }.to_owned(),
            settings_schema: if self.has(WireBug::SchemaIsText) {
                "a string".to_owned()
            } else {
                kind.settings_schema().to_string()
            },
        }))
    }

    async fn configure(&self, request: Request<wire::ConfigureRequest>) -> Result<Response<wire::ConfigureResponse>, Status> {
        let settings = request.into_inner().settings;
        if self.has(WireBug::SecretLogged) {
            println!("configured, password hunter2");
        }
        let held = self.configured.lock().expect("no panic").as_ref().map(|(held, _)| held.clone());
        let is_same = held.as_ref() == Some(&settings);
        if held.is_some() && (!is_same || self.has(WireBug::SameSettingsRefused)) && !self.has(WireBug::OtherSettingsTaken) {
            return Err(Status::failed_precondition("other settings hold already"));
        }
        if held.is_none() || self.has(WireBug::OtherSettingsTaken) && settings.contains("127.0.0.1") && !settings.contains("kit_")
        {
            let opening = Opening {
                endpoint: String::new(),
                path: "ledger.json".into(),
                text: settings.clone(),
                secrets: Arc::new(NoSecrets),
            };
            let opened = Ledger(Bug::None).open(opening).await.map_err(|error| Status::invalid_argument(error.to_string()))?;
            *self.configured.lock().expect("no panic") = Some((settings, opened));
        }
        let adapter = self.adapter().expect("it is open");
        let descriptor = adapter.descriptor();
        let contracts = descriptor.contracts.iter().map(|contract| wire::Contract {
            name: contract.name.clone(),
            files: contract
                .files
                .iter()
                .map(|file| wire::ProtoFile { path: file.path.clone(), text: file.text.clone() })
                .collect(),
        });
        let calls = if self.has(WireBug::CallsUnbounded) { 4 } else { CALLS as u32 };
        Ok(Response::new(wire::ConfigureResponse {
            contracts: contracts.collect(),
            idempotent: descriptor.idempotent.clone(),
            behind: descriptor.behind.clone(),
            abilities: Some(wire::Abilities {
                lookup: !self.has(WireBug::LookupMadeUp),
                receive: self.bug.receives(),
                request_end: true,
            }),
            limits: Some(wire::Limits { message_bytes: MESSAGE_BYTES as u32, calls, first_credits: 1 }),
        }))
    }

    async fn call(&self, request: Request<Streaming<wire::CallRequest>>) -> Result<Response<Answers>, Status> {
        let deadline = request.metadata().get("grpc-timeout").and_then(|value| timeout(value.to_str().ok()?));
        let deadline = deadline.filter(|_| !self.has(WireBug::DeadlineUnread)).map(|left| Instant::now() + left);
        let (sender, answers) = mpsc::channel(1);
        let answering = Answering {
            bug: self.bug,
            adapter: self.adapter(),
            in_flight: Arc::clone(&self.in_flight),
            credits: Arc::new(Semaphore::new(0)),
            sender,
            deadline,
            outbox: Arc::clone(&self.outbox),
        };
        let inbound = request.into_inner();
        tokio::spawn(async move {
            let sender = answering.sender.clone();
            // Who left hears nothing more.
            tokio::select! {
                () = sender.closed() => {}
                ended = answering.answer(inbound) => if let Err(status) = ended {
                    let _ = sender.send(Err(status)).await;
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }

    async fn lookup(&self, request: Request<wire::LookupRequest>) -> Result<Response<wire::LookupResponse>, Status> {
        let adapter = self.adapter().ok_or_else(|| Status::failed_precondition("there are no settings"))?;
        let what = match adapter.lookup(&request.into_inner().idempotency_key).await {
            Ok(Lookup::Done(answer)) => lookup_response::What::Done(answer),
            Ok(Lookup::NotDone) => lookup_response::What::NotDone(wire::NotDone {}),
            Ok(Lookup::Undecided) => lookup_response::What::Undecided(wire::Undecided {}),
            Err(fault) => lookup_response::What::Fault(told(&fault)),
        };
        Ok(Response::new(wire::LookupResponse { what: Some(what) }))
    }

    async fn open(&self, request: Request<Streaming<wire::OpenRequest>>) -> Result<Response<Self::OpenStream>, Status> {
        if self.has(WireBug::OpenCarried) {
            return Ok(Response::new(Box::pin(tokio_stream::pending())));
        }
        if self.bug.receives() {
            let (sender, answers) = mpsc::channel(1);
            tokio::spawn(Arc::clone(&self.outbox).hand_over(request.into_inner(), sender));
            return Ok(Response::new(Box::pin(ReceiverStream::new(answers))));
        }
        Err(Status::unimplemented("the ledger does not receive"))
    }

    async fn health(&self, _: Request<wire::HealthRequest>) -> Result<Response<wire::HealthResponse>, Status> {
        use wire::health_response::State;
        let health = match self.adapter() {
            Some(adapter) => adapter.health().await,
            None => Health::Down { reason: "there are no settings".to_owned() },
        };
        let (state, reason) = match health {
            Health::Ready => (State::Ready, String::new()),
            Health::Degraded { reason } => (State::Degraded, reason),
            Health::Down { reason } => (State::Down, reason),
        };
        let state = if self.has(WireBug::HealthUnsaid) { State::Unspecified } else { state };
        Ok(Response::new(wire::HealthResponse { state: state.into(), reason }))
    }

    async fn drain(&self, request: Request<wire::DrainRequest>) -> Result<Response<wire::DrainResponse>, Status> {
        let grace = request.into_inner().grace.and_then(|grace| Duration::try_from(grace).ok()).unwrap_or_default();
        if let Some(adapter) = self.adapter() {
            adapter.drain(grace).await;
        }
        let left = self.in_flight.load(Ordering::SeqCst) as u32;
        let cut_off = self.cut_off.fetch_max(left, Ordering::SeqCst).max(left);
        Ok(Response::new(wire::DrainResponse { cut_off: if self.has(WireBug::CutOffUncounted) { 0 } else { cut_off } }))
    }
}

/// `grpc-timeout`: digits and a unit.
fn timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3_600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

/// One call being answered.
struct Answering {
    bug: WireBug,
    adapter: Option<Arc<dyn Port>>,
    in_flight: Arc<AtomicUsize>,
    credits: Arc<Semaphore>,
    sender: mpsc::Sender<Result<wire::CallResponse, Status>>,
    deadline: Option<Instant>,
    outbox: Arc<Outbox>,
}

/// A place among the calls in flight.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Answering {
    fn has(&self, bug: WireBug) -> bool {
        self.bug == bug
    }

    async fn say(&self, what: call_response::What) {
        let _ = self.sender.send(Ok(wire::CallResponse { what: Some(what) })).await;
    }

    async fn fault(&self, fault: &Fault) -> Result<(), Status> {
        if self.has(WireBug::FaultAsStatus) {
            return Err(Status::not_found(fault.to_string()));
        }
        let mut fault = told(fault);
        if self.has(WireBug::FaultWithoutClass) {
            fault.class = None;
        }
        self.say(call_response::What::Fault(fault)).await;
        Ok(())
    }

    async fn answer(&self, mut inbound: Streaming<wire::CallRequest>) -> Result<(), Status> {
        let first = match inbound.message().await {
            Err(_) if self.has(WireBug::EndsOnGarbage) => std::process::exit(1),
            first => first?,
        };
        let start = match first.and_then(|first| first.what) {
            Some(call_request::What::Start(start)) => start,
            _ if self.has(WireBug::NoStartAnswered) => {
                self.say(call_response::What::End(wire::End {})).await;
                return Ok(());
            }
            _ => return Err(Status::invalid_argument("a call begins with `start`")),
        };
        if self.has(WireBug::RequestsLogged) {
            println!("{:?}", start.message.as_ref().map(|message| String::from_utf8_lossy(message).into_owned()));
        }
        let Some(adapter) = self.adapter.clone() else {
            let mut fault = Fault::unavailable("there are no settings yet");
            if self.has(WireBug::CallBeforeSettings) {
                fault = Fault::rejected(Rejection::NotFound, "no such method");
            }
            return self.fault(&fault).await;
        };
        let place = Place(Arc::clone(&self.in_flight));
        let calls = self.in_flight.fetch_add(1, Ordering::SeqCst);
        if calls >= CALLS && !self.has(WireBug::CallsUnbounded) {
            let retry_after = if self.has(WireBug::ThrottledForEver) { Duration::ZERO } else { Duration::from_millis(100) };
            return self.fault(&Fault::Throttled { retry_after, message: "eight calls are in flight".to_owned() }).await;
        }
        if start.message.as_ref().is_some_and(|message| message.len() > MESSAGE_BYTES) {
            if self.has(WireBug::LongMessageCutOff) {
                return Err(Status::resource_exhausted("too long"));
            }
            return self.fault(&Fault::rejected(Rejection::Invalid, "a message has at most 1,048,576 bytes")).await;
        }
        let answered = self.carry(adapter.as_ref(), start, inbound).await;
        drop(place);
        answered
    }

    async fn carry(&self, adapter: &dyn Port, start: wire::Start, inbound: Streaming<wire::CallRequest>) -> Result<(), Status> {
        self.credits.add_permits(start.credits.min(1 << 20) as usize);
        let (messages, incoming) = mpsc::channel(4);
        if let Some(first) = start.message {
            let _ = messages.send(Ok(first)).await;
        }
        let (overrun, overran) = tokio::sync::oneshot::channel();
        let pump = pump(self.bug, inbound, messages, Arc::clone(&self.credits), overrun);
        let key = Some(start.idempotency_key).filter(|key| !key.is_empty());
        let context = Context { deadline: self.deadline, idempotency_key: key, ..Context::default() };
        let is_post = start.method.ends_with("/Post");
        let call = Call { method: start.method, messages: Messages::many(ReceiverStream::new(incoming)), context };
        let answering = async {
            match adapter.call(call).await {
                Err(fault) => self.fault(&fault).await,
                Ok(messages) => {
                    if is_post && self.bug.receives() {
                        self.outbox.post();
                    }
                    self.stream(messages).await
                }
            }
        };
        tokio::pin!(answering);
        let pumping = tokio::spawn(pump);
        let answered = tokio::select! {
            biased;
            Ok(()) = overran => Err(Status::resource_exhausted("a message came without credit")),
            answered = &mut answering => answered,
        };
        pumping.abort();
        answered
    }

    async fn stream(&self, mut messages: Messages) -> Result<(), Status> {
        while let Some(message) = messages.next().await {
            match message {
                Err(fault) => return self.fault(&fault).await,
                Ok(message) => {
                    if !self.has(WireBug::CreditUnheeded) {
                        let Ok(credit) = self.credits.acquire().await else { return Ok(()) };
                        credit.forget();
                    }
                    self.say(call_response::What::Message(message)).await;
                }
            }
        }
        if self.has(WireBug::EndNeedsCredit)
            && let Ok(credit) = self.credits.acquire().await
        {
            credit.forget();
        }
        self.say(call_response::What::End(wire::End {})).await;
        if self.has(WireBug::EndTwice) {
            self.say(call_response::What::End(wire::End {})).await;
        }
        if self.has(WireBug::MessageAfterEnd) {
            self.say(call_response::What::Message(bytes::Bytes::new())).await;
        }
        Ok(())
    }
}

/// Takes what the bus says further: messages, of which one may come before credit is given, and credit.
async fn pump(
    bug: WireBug,
    mut inbound: Streaming<wire::CallRequest>,
    messages: mpsc::Sender<Result<bytes::Bytes, Fault>>,
    credits: Arc<Semaphore>,
    overrun: tokio::sync::oneshot::Sender<()>,
) {
    // A first message that did not come in `start` has the first credit.
    let mut left = usize::from(messages.capacity() == messages.max_capacity());
    let mut messages = Some(messages);
    while let Ok(Some(said)) = inbound.message().await {
        match said.what {
            Some(call_request::What::Message(_)) if bug == WireBug::MessageApartLost || bug == WireBug::OverrunBorne => {}
            Some(call_request::What::Message(message)) => {
                if left == 0 {
                    let _ = overrun.send(());
                    return;
                }
                left -= 1;
                if let Some(messages) = &messages {
                    let _ = messages.send(Ok(message)).await;
                }
            }
            Some(call_request::What::Credit(credit)) => {
                if bug == WireBug::CreditReplaced {
                    credits.forget_permits(credits.available_permits());
                }
                let room = (1 << 24) - credits.available_permits().min(1 << 24);
                credits.add_permits((credit.messages as usize).min(room));
            }
            Some(call_request::What::End(_)) if bug == WireBug::EndClosesAll => return,
            Some(call_request::What::End(_)) => drop(messages.take()),
            Some(call_request::What::Start(_)) | None => {}
        }
    }
}

fn told(fault: &Fault) -> wire::Fault {
    let class = match fault {
        Fault::Rejected { reason, .. } => Class::Rejected(
            match reason {
                Rejection::Invalid => wire::Rejection::Invalid,
                Rejection::Conflict => wire::Rejection::Conflict,
                Rejection::NotFound => wire::Rejection::NotFound,
                Rejection::Denied => wire::Rejection::Denied,
                Rejection::Precondition => wire::Rejection::Precondition,
            }
            .into(),
        ),
        Fault::Throttled { retry_after, .. } => {
            Class::Throttled(wire::Throttled { retry_after: prost_types::Duration::try_from(*retry_after).ok() })
        }
        Fault::Unavailable { .. } => Class::Unavailable(wire::Unavailable::default()),
        Fault::Unauthenticated { .. } => Class::Unauthenticated(wire::Unauthenticated {}),
        Fault::DeadlineExceeded { .. } => Class::DeadlineExceeded(wire::DeadlineExceeded {}),
        Fault::Unknown { .. } => Class::Unknown(wire::Unknown {}),
        Fault::Unimplemented { .. } => Class::Unimplemented(wire::Unimplemented {}),
    };
    wire::Fault { message: fault.to_string(), class: Some(class) }
}
