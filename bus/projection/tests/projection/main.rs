//! The projection against a journal in memory: what it keeps, what it refuses, what it survives.

mod crash;
mod fixture;
mod follow;
mod operators;
mod rebuild;
mod refusals;
mod throughput;
