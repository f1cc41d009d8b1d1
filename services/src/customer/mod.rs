//! Customer-oriented services: what channels consume.

pub mod callback;
pub mod handoff;
mod refusal;
