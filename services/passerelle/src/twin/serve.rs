//! The twin as a gRPC server: its methods, and health and reflection beside them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use passerelle_bus::call::{Body, trailers_only};
use passerelle_services::reflection::Reflection;
use prost_reflect::DynamicMessage;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::server::{Grpc, StreamingService};
use tonic::service::Routes;
use tonic::{Status, Streaming};
use tonic_health::ServingStatus;
use tonic_types::{ErrorDetails, StatusExt};

use super::bytes::BytesCodec;
use super::compare::listed;
use super::conversation::Conversation;
use super::echo::Echo;
use super::method::{Call, Found, Likeness, Method, Request as Sent};
use super::play::{Caller, Left, Player};
use super::{Manner, Speed, Twin, Unknown};
use crate::failure::Failure;
use crate::serve::front::own;
use crate::serve::listener::Service;

/// How the answer says what it was made from.
const LIKENESS: &str = "passerelle-twin";
/// Bytes of one message that is taken.
const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;
/// Messages of one caller that are held at most, to be compared.
const MAX_MESSAGES: usize = 10_000;

/// What answers requests.
#[derive(Clone)]
pub(crate) struct Served {
    methods: Arc<BTreeMap<String, Arc<Method>>>,
    manner: Arc<Manner>,
    /// Those of the contracts, whether or not there are calls of them.
    services: Arc<HashSet<String>>,
    beside: Routes,
}

impl Served {
    /// A twin, ready for a listener.
    pub(crate) async fn new(twin: Twin, manner: Manner) -> Result<Self, Failure> {
        let (health, health_service) = tonic_health::server::health_reporter();
        let mut reflection = Reflection::new().map_err(Failure::plain)?;
        let mut known = HashSet::new();
        for image in twin.contracts {
            let services: Vec<String> = image.pool().services().map(|service| service.full_name().to_owned()).collect();
            for service in &services {
                health.set_service_status(service, ServingStatus::Serving).await;
            }
            reflection = reflection.with_services(image, &services.iter().map(String::as_str).collect::<Vec<_>>());
            known.extend(services);
        }
        let beside = Routes::new(health_service).add_service(reflection.v1()).add_service(reflection.v1alpha());
        Ok(Self {
            methods: Arc::new(twin.methods),
            manner: Arc::new(manner),
            services: Arc::new(known),
            beside: beside.prepare(),
        })
    }
}

impl Service for Served {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path();
        let Some(method) = self.methods.get(path).cloned() else {
            let service = path.trim_start_matches('/').split_once('/').map(|(service, _)| service);
            if service.is_some_and(|service| self.services.contains(service)) {
                return trailers_only(Status::unimplemented(format!("no call of {} is in the recordings", &path[1..])));
            }
            return own(self.beside.clone(), request).await;
        };
        let answering = Answering { method, manner: self.manner.clone() };
        let mut grpc = Grpc::new(BytesCodec).max_decoding_message_size(MAX_MESSAGE_BYTES);
        grpc.streaming(answering, request.map(tonic::body::Body::new)).await.map(Body::Own)
    }
}

struct Answering {
    method: Arc<Method>,
    manner: Arc<Manner>,
}

type Answers = ReceiverStream<Result<Bytes, Status>>;

impl StreamingService<Bytes> for Answering {
    type Response = Bytes;
    type ResponseStream = Answers;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<tonic::Response<Answers>, Status>> + Send>>;

    fn call(&mut self, request: tonic::Request<Streaming<Bytes>>) -> Self::Future {
        let (method, manner) = (self.method.clone(), self.manner.clone());
        let requests = request.into_inner();
        Box::pin(async move {
            let descriptor = &method.descriptor;
            match descriptor.is_client_streaming() && descriptor.is_server_streaming() {
                true => Ok(converse(method, manner, requests)),
                false => answer(&method, &manner, requests).await,
            }
        })
    }
}

/// All of the request first, then the answer.
async fn answer(method: &Method, manner: &Manner, mut requests: Streaming<Bytes>) -> Result<tonic::Response<Answers>, Status> {
    let began = Instant::now();
    let mut sent = Vec::new();
    while let Some(message) = requests.message().await? {
        if sent.len() == MAX_MESSAGES {
            return Err(Status::resource_exhausted(format!("a twin compares {MAX_MESSAGES} messages of a call at most")));
        }
        sent.push(read(method, message)?);
    }
    let Found { call, likeness } = found(method, manner, &sent)?;
    let mut echo = Echo::default();
    if likeness == Likeness::Alike {
        call.requests.iter().zip(&sent).for_each(|(recorded, sent)| echo.learn(&recorded.message, &sent.message));
    }
    let only = call.status.as_ref().filter(|status| status.code() != tonic::Code::Ok);
    if let Some(status) = only.filter(|_| call.answers.is_empty() && call.metadata.is_empty()) {
        if manner.speed == Speed::Real {
            tokio::time::sleep_until(began + call.ended).await;
        }
        // Nothing but an outcome is what calls may be repeated after: it is sent as it came, before any message.
        let mut status = status.clone();
        status.metadata_mut().insert(LIKENESS, MetadataValue::from_static(likeness.as_str()));
        return Err(status);
    }
    let (player, answers) = player(began, manner.speed, echo);
    let response = tonic::Response::from_parts(metadata(&call, likeness), answers, http::Extensions::new());
    tokio::spawn(async move { player.play(call).await });
    Ok(response)
}

/// Messages and answers in turn, as in the recording.
fn converse(method: Arc<Method>, manner: Arc<Manner>, requests: Streaming<Bytes>) -> tonic::Response<Answers> {
    let (player, answers) = player(Instant::now(), manner.speed, Echo::default());
    tokio::spawn(async move { converse_with(&method, requests, player).await });
    tonic::Response::new(answers)
}

async fn converse_with(method: &Method, mut requests: Streaming<Bytes>, mut player: Player) -> Result<(), Left> {
    let mut conversation = Conversation::new(method);
    loop {
        while let (Some(call), Some(place)) = (conversation.call(), conversation.next()) {
            player.answer(&call.answers[place]).await?;
        }
        if conversation.is_over() {
            break;
        }
        let message = match requests.message().await {
            Ok(message) => message,
            Err(_) => return Err(Left),
        };
        let Some(message) = message else {
            if !conversation.ended() {
                return player
                    .send(Err(stranger(conversation.received() + 1, "the caller ends here, no recorded one did")))
                    .await;
            }
            break;
        };
        let sent = match read(method, message) {
            Ok(sent) => sent,
            Err(status) => return player.send(Err(status)).await,
        };
        let received = conversation.received();
        if !conversation.hear(&sent) {
            let differing = conversation.call().and_then(|call| {
                let recorded = call.requests.get(received)?;
                Some(format!("it differs from {} in {}", call.place, listed(&recorded.compared.differences(&sent.compared))))
            });
            let why = differing.unwrap_or_else(|| "no recorded call goes on after what was sent".to_owned());
            return player.send(Err(stranger(received + 1, &why))).await;
        }
        if let Some(recorded) = conversation.call().filter(|_| conversation.likeness() == Likeness::Alike) {
            player.echo.learn(&recorded.requests[received].message, &sent.message);
        }
    }
    match conversation.call() {
        Some(call) => {
            let rest = std::iter::from_fn(|| conversation.next()).collect::<Vec<_>>();
            for place in rest {
                player.answer(&call.answers[place]).await?;
            }
            player.end(&call).await
        }
        None => Err(Left),
    }
}

fn player(began: Instant, speed: Speed, echo: Echo) -> (Player, Answers) {
    let (caller, answers): (Caller, _) = mpsc::channel(1);
    (Player { began, speed, caller, echo }, ReceiverStream::new(answers))
}

fn read(method: &Method, message: Bytes) -> Result<Sent, Status> {
    let kind = method.descriptor.input();
    let name = kind.full_name().to_owned();
    let message = DynamicMessage::decode(kind, message);
    let message = message.map_err(|error| Status::invalid_argument(format!("the request is no {name}: {error}")))?;
    method
        .request(message)
        .ok_or_else(|| Status::invalid_argument(format!("this {name} has no JSON, by which it would be compared")))
}

fn found(method: &Method, manner: &Manner, sent: &[Sent]) -> Result<Found, Status> {
    if let Some(found) = method.find(sent) {
        return Ok(found);
    }
    let nearest = method.nearest(sent).ok_or_else(|| unknown("no call of this method is in the recordings".to_owned()))?;
    let (place, paths) = (&nearest.call.place, listed(&nearest.differing));
    tracing::warn!(
        method = method.descriptor.full_name(),
        nearest = place,
        differs_in = paths,
        "a request is like none recorded"
    );
    match manner.unknown {
        Unknown::Nearest => Ok(method.follow(&nearest)),
        Unknown::NotFound => {
            Err(unknown(format!("no recorded request is like this one; the nearest, {place}, differs in {paths}")))
        }
    }
}

fn stranger(number: usize, why: &str) -> Status {
    unknown(format!("message {number} of this stream: {why}"))
}

/// Told from a NOT_FOUND that was recorded by its reason.
fn unknown(text: String) -> Status {
    let details = ErrorDetails::with_error_info("NOT_RECORDED", "twin.passerelle", HashMap::new());
    Status::with_error_details(tonic::Code::NotFound, text, details)
}

fn metadata(call: &Call, likeness: Likeness) -> MetadataMap {
    let mut metadata = call.metadata.clone();
    metadata.insert(LIKENESS, MetadataValue::from_static(likeness.as_str()));
    metadata
}
