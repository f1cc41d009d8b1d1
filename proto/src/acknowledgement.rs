//! What is said of work that is on disk.

use crate::{Acknowledgement, AcknowledgementLevel};

impl Acknowledgement {
    /// It is on disk, at that position; `repeated`: it was before, under the same idempotency key.
    pub fn durable(position: u64, repeated: bool) -> Self {
        Self { level: AcknowledgementLevel::Durable.into(), position, repeated }
    }
}
