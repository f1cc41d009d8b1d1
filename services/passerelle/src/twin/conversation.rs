//! Streams both ways: each message of the caller narrows down which recorded call this is, and frees the answers that followed it.

use std::sync::Arc;

use super::method::{Answer, Call, Likeness, Method, Request};

/// The calls that it may be, and how far it has got.
pub(super) struct Conversation {
    candidates: Vec<Arc<Call>>,
    sent: usize,
    received: usize,
    exact: bool,
}

impl Conversation {
    /// It may be any of the method's calls.
    pub(super) fn new(method: &Method) -> Self {
        Self { candidates: method.calls.clone(), sent: 0, received: 0, exact: true }
    }

    /// The caller's next message. False if no recorded call goes on so; the candidates are then as before.
    pub(super) fn hear(&mut self, request: &Request) -> bool {
        let like = |call: &&Arc<Call>, exact: bool| {
            call.requests.get(self.received).is_some_and(|recorded| match exact {
                true => recorded.compared.whole == request.compared.whole,
                false => recorded.compared.masked == request.compared.masked,
            })
        };
        let mut left: Vec<_> = self.candidates.iter().filter(|call| like(call, true)).cloned().collect();
        if left.is_empty() {
            left = self.candidates.iter().filter(|call| like(call, false)).cloned().collect();
            self.exact = false;
        }
        left.retain(|call| self.is_told(call));
        if left.is_empty() {
            return false;
        }
        self.candidates = left;
        self.received += 1;
        true
    }

    /// The caller has said all. False if no recorded caller had.
    pub(super) fn ended(&mut self) -> bool {
        let whole = |call: &&Arc<Call>| call.requests.len() == self.received && self.is_told(call);
        self.candidates = self.candidates.iter().filter(whole).cloned().collect();
        !self.candidates.is_empty()
    }

    /// Whether what was answered so far is what this call begins with: it cannot be taken back.
    fn is_told(&self, call: &Call) -> bool {
        let told = self.candidates.first().map_or(&[][..], |first| &first.answers[..self.sent]);
        let messages = |answers: &[Answer]| answers.iter().map(|answer| answer.message.clone()).collect::<Vec<_>>();
        call.answers.get(..self.sent).is_some_and(|begins| messages(begins) == messages(told))
    }

    /// The call that it is taken for.
    pub(super) fn call(&self) -> Option<Arc<Call>> {
        self.candidates.first().cloned()
    }

    /// Which of its answers is next, if the caller has said what it followed.
    pub(super) fn next(&mut self) -> Option<usize> {
        let place = self.sent;
        let answer = self.candidates.first()?.answers.get(place)?;
        if answer.after_requests > self.received {
            return None;
        }
        self.sent += 1;
        Some(place)
    }

    /// Whether nothing more can come of the caller: the only call that it can be had ended here.
    pub(super) fn is_over(&self) -> bool {
        self.candidates.iter().all(|call| call.requests.len() <= self.received && call.answers.len() <= self.sent)
    }

    pub(super) fn likeness(&self) -> Likeness {
        if self.exact { Likeness::Exact } else { Likeness::Alike }
    }

    pub(super) fn received(&self) -> usize {
        self.received
    }
}
