//! What comes and what goes in a call, as a function in a thread takes and gives it.

use std::marker::PhantomData;

use bytes::Bytes;
use passerelle_adapter::{Fault, Messages, Rejection};
use prost::Message;
use tokio::sync::mpsc;

use crate::Call;
use crate::call::{Over, nobody_waits};

/// The requests of a method that takes a stream, one after the other. Each one is waited for.
pub struct Requests<T> {
    messages: Messages,
    method: &'static str,
    over: Over,
    of: PhantomData<fn() -> T>,
}

/// Takes the responses of a method that gives a stream.
pub struct Responses<T> {
    outgoing: Outgoing,
    of: PhantomData<fn(T)>,
}

/// What comes, as bytes.
pub(crate) enum Incoming {
    /// The one request, and the method that it is for.
    One(Bytes, &'static str),
    Many(Messages),
}

/// Where responses go, as bytes.
pub(crate) struct Outgoing(pub(crate) mpsc::Sender<Result<Bytes, Fault>>);

impl<T: Message + Default> Requests<T> {
    pub(crate) fn new(incoming: Incoming, call: &Call) -> Self {
        let messages = match incoming {
            Incoming::One(message, _) => Messages::one(message),
            Incoming::Many(messages) => messages,
        };
        Self { messages, method: call.method, over: call.over.clone(), of: PhantomData }
    }
}

impl<T: Message + Default> Iterator for Requests<T> {
    type Item = Result<T, Fault>;

    /// The next request, or the fault that ends them: the stream broke off, or nobody waits for the call any more.
    fn next(&mut self) -> Option<Self::Item> {
        match self.over.clone().wait(self.messages.next()) {
            Ok(message) => Some(message?.and_then(|message| decode(message, self.method))),
            Err(fault) => Some(Err(fault)),
        }
    }
}

impl<T: Message> Responses<T> {
    pub(crate) fn new(outgoing: Outgoing) -> Self {
        Self { outgoing, of: PhantomData }
    }

    /// Sends one response, as soon as the caller has room for it.
    ///
    /// # Errors
    /// Nobody waits for the call any more: hand it on with `?`.
    pub fn send(&self, response: T) -> Result<(), Fault> {
        self.outgoing.send(response)
    }
}

impl Incoming {
    /// The one request.
    pub(crate) fn one<T: Message + Default>(self) -> Result<T, Fault> {
        match self {
            Self::One(message, method) => decode(message, method),
            Self::Many(_) => Err(Fault::unknown("the method takes a stream")),
        }
    }
}

impl Outgoing {
    pub(crate) fn send(&self, response: impl Message) -> Result<(), Fault> {
        self.0.blocking_send(Ok(response.encode_to_vec().into())).map_err(|_| nobody_waits())
    }
}

fn decode<T: Message + Default>(message: Bytes, method: &str) -> Result<T, Fault> {
    T::decode(message).map_err(|_| Fault::rejected(Rejection::Invalid, format!("the message is not what {method} takes")))
}
