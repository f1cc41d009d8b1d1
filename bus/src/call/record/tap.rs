//! Where a call is listened to: the caller's messages on their way in, the answer as a body around the body.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http::{Extensions, HeaderMap, Response};
use http_body::{Body as _, Frame, SizeHint};
use tonic::Status;

use super::super::Route;
use super::super::body::{Body, BodyError};
use super::super::frame::Deframer;
use super::Recording;
use super::call::Call;
use super::limits::CALL_BYTES;

/// One call for one recording; `None` once it has ended.
type Kept = Arc<Mutex<Option<Call>>>;

/// A call that is followed for one recording.
pub(super) struct Tap {
    recording: Arc<Recording>,
    call: Kept,
    server_streaming: bool,
}

/// A call that is followed, for each recording that wants it.
pub(in crate::call) struct Taps(Vec<Tap>);

/// The caller's side of it, which travels with the request until an endpoint takes it.
#[derive(Clone)]
pub(in crate::call) struct RequestTap {
    calls: Vec<Kept>,
    /// `None` where the caller's messages cannot be followed any more.
    deframer: Arc<Mutex<Option<Deframer>>>,
}

/// An answer that is listened to.
pub struct Tapped {
    body: Body,
    taps: Vec<Tap>,
    deframer: Option<Deframer>,
    /// The outcome, where it was in the headers.
    told: Option<Status>,
}

impl Tap {
    pub(super) fn new(recording: &Arc<Recording>, route: &Route, headers: &HeaderMap, started: Instant) -> Option<Self> {
        let call = Arc::new(Mutex::new(Some(Call::new(recording, route, headers, started)?)));
        Some(Self { recording: recording.clone(), call, server_streaming: route.streaming.server })
    }

    fn with(&self, change: impl FnOnce(&mut Call, &Recording)) {
        if let Some(call) = self.call.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            change(call, &self.recording);
        }
    }

    /// The first end counts.
    fn ended(&self, status: Option<&Status>) {
        let Some(call) = self.call.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
        let counts = &self.recording.counts;
        if !call.carried {
            counts.not_carried();
        } else if call.compressed {
            counts.unreadable();
        } else if status.is_none() && !(self.server_streaming && call.has_answers()) {
            counts.abandoned();
        } else if self.recording.ended.try_send(call.ended(status.cloned())).is_err() {
            counts.busy();
        }
    }
}

/// Whoever goes away in the middle drops it.
impl Drop for Tap {
    fn drop(&mut self) {
        self.ended(None);
    }
}

impl Taps {
    pub(super) fn new(taps: Vec<Tap>, extensions: &mut Extensions) -> Option<Self> {
        if taps.is_empty() {
            return None;
        }
        let calls = taps.iter().map(|tap| tap.call.clone()).collect();
        extensions.insert(RequestTap { calls, deframer: Arc::new(Mutex::new(Some(Deframer::new(CALL_BYTES as u32)))) });
        Some(Self(taps))
    }

    /// Listens to the answer as it goes.
    pub(in crate::call) fn answered(self, response: Response<Body>) -> Response<Body> {
        let (head, body) = response.into_parts();
        let told = Status::from_header_map(&head.headers);
        let tapped = Tapped { taps: self.0, deframer: Some(Deframer::new(CALL_BYTES as u32)), told, body };
        // An answer with nothing but an outcome: its headers are trailers (gRPC calls it Trailers-Only).
        if tapped.body.is_end_stream() {
            tapped.trailers(&head.headers);
            tapped.ended(tapped.told.as_ref());
            return Response::from_parts(head, tapped.body);
        }
        tapped.taps.iter().for_each(|tap| tap.with(|call, recording| call.answer_metadata(recording, &head.headers)));
        Response::from_parts(head, Body::Tapped(Box::new(tapped)))
    }
}

impl RequestTap {
    /// An endpoint has taken the call.
    pub(in crate::call) fn carried(self) -> Self {
        self.each(|call| call.carried = true);
        self
    }

    /// The next bytes of the caller's messages.
    pub(in crate::call) fn pass(&self, data: &[u8]) {
        let mut deframer = self.deframer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut takes = false;
        self.each(|call| takes |= call.takes_request(data.len()));
        let whole = collect(&mut deframer, data, takes, |message, compressed| {
            self.each(|call| {
                call.compressed |= compressed;
                call.request(message.clone());
            });
        });
        if !whole {
            self.each(Call::cut_requests);
        }
    }

    fn each(&self, mut change: impl FnMut(&mut Call)) {
        for call in &self.calls {
            if let Some(call) = call.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
                change(call);
            }
        }
    }
}

impl Tapped {
    pub(in crate::call) fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    self.pass(data);
                }
                if let Some(trailers) = frame.trailers_ref() {
                    self.trailers(trailers);
                    self.ended(Status::from_header_map(trailers).as_ref().or(self.told.as_ref()));
                }
            }
            Poll::Ready(None) => self.ended(self.told.as_ref()),
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        polled
    }

    pub(in crate::call) fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    pub(in crate::call) fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }

    fn pass(&mut self, data: &[u8]) {
        let mut takes = false;
        self.taps.iter().for_each(|tap| tap.with(|call, _| takes |= call.takes_answer(data.len())));
        let taps = &self.taps;
        let whole = collect(&mut self.deframer, data, takes, |message, compressed| {
            for tap in taps {
                tap.with(|call, _| {
                    call.compressed |= compressed;
                    call.answer(message.clone());
                });
            }
        });
        if !whole {
            taps.iter().for_each(|tap| tap.with(|call, _| call.cut_answers()));
        }
    }

    fn trailers(&self, trailers: &HeaderMap) {
        self.taps.iter().for_each(|tap| tap.with(|call, recording| call.trailers(recording, trailers)));
    }

    fn ended(&self, status: Option<&Status>) {
        self.taps.iter().for_each(|tap| tap.ended(status));
    }
}

impl std::fmt::Debug for Tapped {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Tapped({:?})", self.body)
    }
}

/// Takes whole messages out of the bytes; whether nothing is lost. Once something is, nothing more is taken.
fn collect(deframer: &mut Option<Deframer>, data: &[u8], takes: bool, mut found: impl FnMut(Bytes, bool)) -> bool {
    let Some(mut collecting) = deframer.take().filter(|_| takes) else {
        return false;
    };
    collecting.push(data);
    loop {
        match collecting.next() {
            Ok(Some(frame)) => found(frame.message, frame.compressed),
            Ok(None) => break,
            // Longer than all that may be kept of a call.
            Err(_) => return false,
        }
    }
    *deframer = Some(collecting);
    true
}
