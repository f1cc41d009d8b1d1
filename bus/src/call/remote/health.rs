//! The health that a server tells of itself (gRFC A17): one `grpc.health.v1.Health/Watch` stream on each connection.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{CONTENT_TYPE, TE};
use http::{Request, Uri};
use prost::Message as _;
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use super::super::frame::{Deframer, frame};
use super::super::status;
use super::connection::{Connection, Lease};
use super::exchange::is_grpc;
use super::fleet::Origin;
use super::slot::{BACKOFF_FACTOR, FIRST_BACKOFF, LONGEST_BACKOFF, SHORT_LIFE, Slot, State, about};

const WATCH: &str = "/grpc.health.v1.Health/Watch";
/// A health's message is two bytes long; one that is longer than this is none.
const MESSAGE_BYTES: u32 = 4096;
/// How often a connection with no other traffic is looked at: a server that leaves waits for its last stream, and that is this one.
const LEAVING_CHECK: Duration = Duration::from_millis(500);

/// Why a stream of health ended.
enum Ended {
    /// The server does not have this service.
    Unimplemented,
    /// In a few words.
    Because(String),
}

/// Follows the health of one connection's server for as long as the connection lives.
struct Follower<'a> {
    origin: &'a Origin,
    service: &'a str,
    slot: &'a Slot,
    connection: &'a Arc<Connection>,
    /// Whether the server served when it was last heard of.
    serving: Option<bool>,
}

/// Lets calls go over the connection while its server says that it is well. Retires the connection when the server leaves.
pub(super) async fn follow(origin: &Origin, service: &str, slot: &Slot, connection: &Arc<Connection>) {
    let mut follower = Follower { origin, service, slot, connection, serving: None };
    let leaving = async {
        let mut beat = tokio::time::interval(LEAVING_CHECK);
        while !connection.is_left() {
            beat.tick().await;
        }
    };
    tokio::select! {
        () = leaving => connection.retire(),
        () = follower.run() => {}
    }
}

impl Follower<'_> {
    /// Watches, again and again. Never returns while the connection lives.
    async fn run(&mut self) {
        let mut backoff = FIRST_BACKOFF;
        loop {
            let began = Instant::now();
            let mut heard = false;
            match self.watch(&mut heard).await {
                Ended::Unimplemented => {
                    let (endpoint, address) = (&self.origin.endpoint, &self.slot.label);
                    tracing::warn!(endpoint, address, "the server tells nothing of its health, and is taken for well");
                    self.tell(None);
                    return std::future::pending().await;
                }
                // Streams that lasted are ended by whatever stands in between: calls wait for the next one.
                Ended::Because(_) if heard && began.elapsed() >= SHORT_LIFE => {
                    backoff = FIRST_BACKOFF;
                    self.connection.serves(false);
                    self.slot.note(State::Connecting);
                }
                Ended::Because(why) => {
                    self.tell(Some(why));
                    tokio::time::sleep(about(backoff)).await;
                    backoff = backoff.mul_f64(BACKOFF_FACTOR).min(LONGEST_BACKOFF);
                }
            }
        }
    }

    /// One stream, to its end.
    async fn watch(&mut self, heard: &mut bool) -> Ended {
        let patience = tokio::time::Instant::now() + self.origin.connect_timeout;
        match self.stream(heard, patience).await {
            Ok(Code::Unimplemented) => Ended::Unimplemented,
            // As some servers say it, in place of a status.
            Ok(Code::NotFound) => Ended::Because(words(ServingStatus::ServiceUnknown)),
            Ok(code) => Ended::Because(format!("its health check ended with {code:?}")),
            Err(why) => Ended::Because(format!("its health check failed: {why}")),
        }
    }

    async fn stream(&mut self, heard: &mut bool, patience: tokio::time::Instant) -> Result<Code, String> {
        let text = |error: h2::Error| error.to_string();
        // It counts as a call, since the server counts it.
        let _place = Lease::take(self.connection.clone()).ok_or("the server allows no stream for it")?;
        let (answer, mut sending) = self.connection.sender.clone().send_request(self.request(), false).map_err(text)?;
        let message = HealthCheckRequest { service: self.service.to_owned() }.encode_to_vec();
        sending.send_data(frame(&message).map_err(|error| error.to_string())?, true).map_err(text)?;
        let mut answer = std::pin::pin!(answer);
        let answer = match tokio::time::timeout_at(patience, &mut answer).await {
            Ok(answer) => answer,
            Err(_) => {
                self.tell_silent();
                answer.await
            }
        };
        let (head, mut body) = answer.map_err(text)?.into_parts();
        if !is_grpc(&head.headers) {
            return Ok(status::of_http(&self.origin.endpoint, head.status).code());
        }
        let mut messages = Deframer::new(MESSAGE_BYTES);
        loop {
            let data = match tokio::time::timeout_at(patience, body.data()).await {
                Ok(data) => data,
                Err(_) => {
                    if !*heard {
                        self.tell_silent();
                    }
                    body.data().await
                }
            };
            let Some(data) = data.transpose().map_err(text)? else { break };
            body.flow_control().release_capacity(data.len()).map_err(text)?;
            messages.push(&data);
            while let Some(message) = messages.next().map_err(|error| error.to_string())? {
                if message.compressed {
                    return Err("it is compressed, unasked".to_owned());
                }
                let health = HealthCheckResponse::decode(message.message).map_err(|error| error.to_string())?.status();
                *heard = true;
                self.tell((health != ServingStatus::Serving).then(|| words(health)));
            }
        }
        let trailers = body.trailers().await.map_err(text)?.unwrap_or(head.headers);
        Ok(status::code(&trailers).unwrap_or(Code::Unknown))
    }

    fn request(&self) -> Request<()> {
        let Origin { scheme, authority, .. } = self.origin;
        let uri = Uri::builder().scheme(scheme.clone()).authority(authority.clone()).path_and_query(WATCH).build();
        let mut request = Request::new(());
        *request.method_mut() = http::Method::POST;
        // The parts of an address that calls go to make a URI.
        *request.uri_mut() = uri.unwrap_or_default();
        request.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/grpc"));
        request.headers_mut().insert(TE, http::HeaderValue::from_static("trailers"));
        request
    }

    fn tell_silent(&mut self) {
        self.tell(Some(format!("no answer to its health check within {} ms", self.origin.connect_timeout.as_millis())));
    }

    /// The server is well, or why not. Logged when it was otherwise before.
    fn tell(&mut self, ill: Option<String>) {
        let (endpoint, address, serving) = (&self.origin.endpoint, &self.slot.label, ill.is_none());
        let before = self.serving.replace(serving);
        match ill {
            None if before.is_none() => self.slot.set(State::Ready, &self.origin.changed),
            None => self.slot.note(State::Ready),
            Some(reason) => {
                if before != Some(false) {
                    tracing::warn!(endpoint, address, reason, "the server is not well and gets no calls");
                }
                self.slot.note(State::NotServing { reason });
            }
        }
        if serving && before == Some(false) {
            tracing::info!(endpoint, address, "the server is well again");
        }
        self.connection.serves(serving);
    }
}

fn words(health: ServingStatus) -> String {
    match health {
        ServingStatus::ServiceUnknown => "it does not know the service whose health is asked for",
        ServingStatus::NotServing | ServingStatus::Unknown | ServingStatus::Serving => "it says that it does not serve",
    }
    .to_owned()
}
