//! One call as it is being kept: its messages so far, within its share of the recording's memory.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use tonic::Status;

use super::super::Route;
use super::Recording;
use super::limits::{BYTES, CALL_BYTES, CALL_MESSAGES, CALLS, METADATA_BYTES};

/// A call that has ended, as it passed.
#[derive(Debug)]
pub struct Captured {
    /// Its path: `/package.Service/Method`.
    pub path: String,
    /// When it began, counted from the beginning of the recording.
    pub began_after: Duration,
    /// What the caller sent.
    pub requests: Vec<Bytes>,
    /// The caller sent more than is kept.
    pub requests_cut: bool,
    /// What was answered.
    pub answers: Vec<Answer>,
    /// More was answered than is kept.
    pub answers_cut: bool,
    /// How it ended; nothing if the caller left an answer that streams.
    pub status: Option<Status>,
    /// When it ended, counted from its beginning.
    pub ended_after: Duration,
    /// The wanted metadata of the request.
    pub request_metadata: Vec<(HeaderName, String)>,
    /// That before the answer.
    pub answer_metadata: Vec<(HeaderName, String)>,
    /// That after it.
    pub trailers: Vec<(HeaderName, String)>,
    share: Option<Share>,
}

/// One message of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The message.
    pub message: Bytes,
    /// When it came, counted from the beginning of the call.
    pub after: Duration,
    /// How many messages of the caller had come by then.
    pub after_requests: usize,
}

/// A call's share of what its recording may hold; given back when dropped.
pub(super) struct Share {
    recording: Arc<Recording>,
    bytes: usize,
}

impl Share {
    /// A place for another call, if there is one.
    fn new(recording: &Arc<Recording>) -> Option<Self> {
        let before = recording.calls.fetch_add(1, Ordering::Relaxed);
        // Made in any case: what drops it gives the place back.
        let share = Self { recording: recording.clone(), bytes: 0 };
        (before < CALLS && recording.bytes.load(Ordering::Relaxed) < BYTES).then_some(share)
    }

    /// Whether so many bytes more may be held.
    fn grow(&mut self, bytes: usize) -> bool {
        if self.bytes + bytes > CALL_BYTES || self.recording.bytes.load(Ordering::Relaxed) + bytes > BYTES {
            return false;
        }
        self.recording.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        true
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.recording.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.recording.calls.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Share({} bytes)", self.bytes)
    }
}

/// A call that has not ended.
pub(super) struct Call {
    started: Instant,
    captured: Captured,
    /// Whether it got as far as its endpoint.
    pub(super) carried: bool,
    /// Whether one of its messages is compressed, so that nobody here can read it.
    pub(super) compressed: bool,
}

impl Call {
    /// Nothing, and counted, if there is no place for it.
    pub(super) fn new(recording: &Arc<Recording>, route: &Route, headers: &HeaderMap, started: Instant) -> Option<Self> {
        let Some(share) = Share::new(recording) else {
            recording.counts.busy();
            return None;
        };
        let captured = Captured {
            path: route.path.clone(),
            began_after: started.saturating_duration_since(recording.started),
            requests: Vec::new(),
            requests_cut: false,
            answers: Vec::new(),
            answers_cut: false,
            status: None,
            ended_after: Duration::ZERO,
            request_metadata: wanted(recording, headers),
            answer_metadata: Vec::new(),
            trailers: Vec::new(),
            share: Some(share),
        };
        Some(Self { started, captured, carried: false, compressed: false })
    }

    /// Whether `bytes` of a request may be collected; if not, the request is cut here.
    pub(super) fn takes_request(&mut self, bytes: usize) -> bool {
        let takes = !self.captured.requests_cut && self.captured.grow(bytes);
        self.captured.requests_cut = !takes;
        takes
    }

    /// Whether `bytes` of an answer may be collected; if not, the answer is cut here.
    pub(super) fn takes_answer(&mut self, bytes: usize) -> bool {
        let takes = !self.captured.answers_cut && self.captured.grow(bytes);
        self.captured.answers_cut = !takes;
        takes
    }

    pub(super) fn request(&mut self, message: Bytes) {
        self.captured.requests_cut |= self.messages() >= CALL_MESSAGES;
        if !self.captured.requests_cut {
            self.captured.requests.push(message);
        }
    }

    pub(super) fn answer(&mut self, message: Bytes) {
        self.captured.answers_cut |= self.messages() >= CALL_MESSAGES;
        if !self.captured.answers_cut {
            let (after, after_requests) = (self.started.elapsed(), self.captured.requests.len());
            self.captured.answers.push(Answer { message, after, after_requests });
        }
    }

    pub(super) fn cut_requests(&mut self) {
        self.captured.requests_cut = true;
    }

    pub(super) fn cut_answers(&mut self) {
        self.captured.answers_cut = true;
    }

    pub(super) fn has_answers(&self) -> bool {
        !self.captured.answers.is_empty()
    }

    pub(super) fn answer_metadata(&mut self, recording: &Recording, headers: &HeaderMap) {
        self.captured.answer_metadata = wanted(recording, headers);
    }

    pub(super) fn trailers(&mut self, recording: &Recording, headers: &HeaderMap) {
        self.captured.trailers = wanted(recording, headers);
    }

    /// It has ended, or was left.
    pub(super) fn ended(self, status: Option<Status>) -> Captured {
        Captured { status, ended_after: self.started.elapsed(), ..self.captured }
    }

    fn messages(&self) -> usize {
        self.captured.requests.len() + self.captured.answers.len()
    }
}

/// What is kept of metadata: the wanted keys, where their values are text that is not too long.
fn wanted(recording: &Recording, headers: &HeaderMap) -> Vec<(HeaderName, String)> {
    let kept = recording.wanted.metadata.iter().flat_map(|key| {
        let values = headers.get_all(key).iter().filter(|value| value.len() <= METADATA_BYTES);
        values.filter_map(move |value| Some((key.clone(), value.to_str().ok()?.to_owned())))
    });
    kept.collect()
}

impl Captured {
    fn grow(&mut self, bytes: usize) -> bool {
        self.share.as_mut().is_none_or(|share| share.grow(bytes))
    }

    /// A call that belongs to no recording, for those who try out what becomes of one.
    pub fn whole(path: &str, requests: Vec<Bytes>, answers: Vec<Answer>, status: Status) -> Self {
        Self {
            path: path.to_owned(),
            began_after: Duration::ZERO,
            requests,
            requests_cut: false,
            answers,
            answers_cut: false,
            status: Some(status),
            ended_after: Duration::ZERO,
            request_metadata: Vec::new(),
            answer_metadata: Vec::new(),
            trailers: Vec::new(),
            share: None,
        }
    }
}
