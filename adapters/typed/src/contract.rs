//! A contract with the functions that its methods are.

use passerelle_adapter::{ContractSource, Fault};
use prost::Message;

use crate::Call;
use crate::streams::{Incoming, Outgoing, Requests, Responses};

/// Carries one call: takes what comes, gives what goes.
type Function<A> = Box<dyn Fn(&A, Incoming, &Call, Outgoing) -> Result<(), Fault> + Send + Sync>;

/// What gives a stream, of one request and of a stream of them.
type GivesStream<A, I, O> = fn(&A, I, &Call, Responses<O>) -> Result<(), Fault>;
type Streams<A, I, O> = fn(&A, Requests<I>, &Call, Responses<O>) -> Result<(), Fault>;

/// A contract that an adapter `A` speaks; made by the function `contract` that the build script writes.
pub struct Contract<A> {
    pub(crate) source: ContractSource,
    pub(crate) methods: Vec<Method<A>>,
}

/// One method.
pub(crate) struct Method<A> {
    /// `acme.ledger.v1.Ledger/Post`.
    pub(crate) name: &'static str,
    pub(crate) idempotent: bool,
    pub(crate) takes_stream: bool,
    pub(crate) function: Function<A>,
}

impl<A: 'static> Contract<A> {
    /// A contract without methods: its package, and its files by import path.
    pub fn new(package: &str, files: &[(&str, &str)]) -> Self {
        Self { source: ContractSource::built_in(package, files), methods: Vec::new() }
    }

    /// Adds a method of one request and one response.
    pub fn unary<I, O>(self, name: &'static str, idempotent: bool, function: fn(&A, I, &Call) -> Result<O, Fault>) -> Self
    where
        I: Message + Default + 'static,
        O: Message + 'static,
    {
        self.with(name, idempotent, false, move |adapter, incoming, call, outgoing| {
            outgoing.send(function(adapter, incoming.one()?, call)?)
        })
    }

    /// Adds a method of one request and a stream of responses.
    pub fn gives_stream<I, O>(self, name: &'static str, idempotent: bool, function: GivesStream<A, I, O>) -> Self
    where
        I: Message + Default + 'static,
        O: Message + 'static,
    {
        self.with(name, idempotent, false, move |adapter, incoming, call, outgoing| {
            function(adapter, incoming.one()?, call, Responses::new(outgoing))
        })
    }

    /// Adds a method of a stream of requests and one response.
    pub fn takes_stream<I, O>(
        self,
        name: &'static str,
        idempotent: bool,
        function: fn(&A, Requests<I>, &Call) -> Result<O, Fault>,
    ) -> Self
    where
        I: Message + Default + 'static,
        O: Message + 'static,
    {
        self.with(name, idempotent, true, move |adapter, incoming, call, outgoing| {
            outgoing.send(function(adapter, Requests::new(incoming, call), call)?)
        })
    }

    /// Adds a method of a stream of requests and a stream of responses.
    pub fn streams<I, O>(self, name: &'static str, idempotent: bool, function: Streams<A, I, O>) -> Self
    where
        I: Message + Default + 'static,
        O: Message + 'static,
    {
        self.with(name, idempotent, true, move |adapter, incoming, call, outgoing| {
            function(adapter, Requests::new(incoming, call), call, Responses::new(outgoing))
        })
    }

    fn with(
        mut self,
        name: &'static str,
        idempotent: bool,
        takes_stream: bool,
        function: impl Fn(&A, Incoming, &Call, Outgoing) -> Result<(), Fault> + Send + Sync + 'static,
    ) -> Self {
        self.methods.push(Method { name, idempotent, takes_stream, function: Box::new(function) });
        self
    }
}
