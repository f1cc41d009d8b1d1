//! What a served adapter bears: told to the bus by `Configure`, and held to here.

/// What a served adapter bears.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of one message at most, either way. Default: 4 MiB.
    pub message_bytes: u32,
    /// Calls at the same time at most; a further one is throttled. Default: 256.
    pub calls: u32,
    /// Request messages of one call that may be on the way or wait to be read. Default: 8.
    pub first_credits: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { message_bytes: 4 << 20, calls: 256, first_credits: 8 }
    }
}

impl Limits {
    /// At least one of each: with less nothing could ever be carried.
    pub(crate) fn usable(self) -> Self {
        Self { message_bytes: self.message_bytes.max(1), calls: self.calls.max(1), first_credits: self.first_credits.max(1) }
    }
}
