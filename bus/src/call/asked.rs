//! A request that is read whole before it goes anywhere.

use std::time::Instant;

use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use http_body_util::BodyExt;

use super::inward::Inward;

/// A request that is larger is not shared or sent again: it goes its way alone.
pub(super) const SMALL_BYTES: usize = 64 * 1024;

/// What became of reading a request.
pub(super) enum Asked {
    /// All of it, with the prefixes of its messages.
    Whole(Bytes),
    /// Larger than is read.
    Large(Inward),
    /// The caller broke off.
    Gone,
    /// The deadline passed.
    Late,
}

impl Asked {
    /// Reads a request that has so many bytes at most.
    pub(super) async fn read(body: Inward, largest: usize, deadline: Option<Instant>) -> Self {
        match deadline {
            None => Self::to_end(body, largest).await,
            Some(at) => tokio::time::timeout_at(at.into(), Self::to_end(body, largest)).await.unwrap_or(Self::Late),
        }
    }

    async fn to_end(mut body: Inward, largest: usize) -> Self {
        let mut bytes = BytesMut::new();
        loop {
            match body.frame().await {
                Some(Ok(frame)) => {
                    // gRPC requests have no trailers.
                    if let Some(data) = frame.data_ref() {
                        bytes.extend_from_slice(data);
                    }
                }
                None if body.is_end_stream() => return Self::Whole(bytes.freeze()),
                // Without END_STREAM the caller broke off: its message must not look complete.
                Some(Err(_)) | None => return Self::Gone,
            }
            if bytes.len() > largest {
                return Self::Large(body.again(bytes.freeze()));
            }
        }
    }
}
