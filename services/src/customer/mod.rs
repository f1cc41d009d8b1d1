//! Customer-oriented services: what channels consume.

pub mod handoff;
