//! Whether the system behind an adapter can be reached.

/// An adapter's health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Calls can be carried.
    Ready,
    /// Calls can be carried, with less than the full capacity.
    Degraded {
        /// What is missing.
        reason: String,
    },
    /// Calls would fail.
    Down {
        /// Why.
        reason: String,
    },
}
