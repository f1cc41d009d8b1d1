//! The body of a request on its way to the back office: as the caller sends it, or as it was read before.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::Frame;
use hyper::body::Incoming;

/// What was read of a request before, then what the caller still sends.
#[derive(Debug)]
pub(super) struct Inward {
    read: Option<Bytes>,
    rest: Option<Incoming>,
}

impl Inward {
    /// All of it is still to come.
    pub(super) fn coming(body: Incoming) -> Self {
        Self { read: None, rest: Some(body) }
    }

    /// All of it was read.
    pub(super) fn read(bytes: Bytes) -> Self {
        Self { read: Some(bytes).filter(|bytes| !bytes.is_empty()), rest: None }
    }

    /// The request, if all of it was read.
    pub(super) fn whole(&self) -> Option<Bytes> {
        self.rest.is_none().then(|| self.read.clone().unwrap_or_default())
    }

    /// Its beginning was read: it comes again before what is left.
    pub(super) fn again(self, bytes: Bytes) -> Self {
        Self { rest: self.rest, ..Self::read(bytes) }
    }
}

impl http_body::Body for Inward {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let body = self.get_mut();
        match (body.read.take(), &mut body.rest) {
            (Some(bytes), _) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            (None, Some(rest)) => Pin::new(rest).poll_frame(context),
            (None, None) => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.read.is_none() && self.rest.as_ref().is_none_or(http_body::Body::is_end_stream)
    }
}
