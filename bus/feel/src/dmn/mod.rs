//! Decisions of DMN 1.5.

pub mod cover;
