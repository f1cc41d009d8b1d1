//! The body of an answer, whoever gives it.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::adapter::Answer;
use super::record::Tapped;
use super::remote::Download;
use super::share::Given;

/// The body of an answer: boxed only for our own services.
#[derive(Debug)]
pub enum Body {
    /// Nothing: the outcome is in the headers.
    Empty,
    /// Passed through from a back office.
    Remote(Box<Download>),
    /// From an adapter in this process.
    Adapter(Box<Answer>),
    /// Either of these, while it is recorded.
    Tapped(Box<Tapped>),
    /// Shared with others who asked the same.
    Given(Box<Given>),
    /// From one of the bus's own services.
    Own(tonic::body::Body),
    /// One piece of text, for those who come without gRPC.
    Text(Option<Bytes>),
}

/// The caller's own call broke; there is nobody to tell.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Self::Empty => Poll::Ready(None),
            Self::Remote(download) => download.poll_frame(context),
            Self::Adapter(answer) => answer.poll_frame(context).map(|frame| frame.map(Ok)),
            Self::Tapped(tapped) => tapped.poll_frame(context),
            Self::Given(given) => Poll::Ready(given.frame().map(Ok)),
            Self::Own(body) => Pin::new(body).poll_frame(context).map_err(Into::into),
            Self::Text(text) => Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty | Self::Text(None) => true,
            Self::Remote(download) => download.is_end_stream(),
            Self::Adapter(_) | Self::Text(Some(_)) => false,
            Self::Tapped(tapped) => tapped.is_end_stream(),
            Self::Given(given) => given.is_end_stream(),
            Self::Own(body) => body.is_end_stream(),
        }
    }

    /// Known for text, so that it goes with a content-length.
    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Text(Some(text)) => SizeHint::with_exact(text.len() as u64),
            Self::Tapped(tapped) => tapped.size_hint(),
            _ => SizeHint::default(),
        }
    }
}
