//! adapter-mainframe: transactions of CICS and IMS, described by COBOL copybooks, as methods of a gRPC contract.
//!
//! A call goes through the modules in this order: `adapter` finds the `operation`, which encodes the record, hands it to a
//! `transport` over a pooled `connection`, asks the `rules` whether the answer is a refusal, and decodes it. `file` is what the
//! integrator writes; `contract` makes the `.proto` of it.

mod adapter;
mod connection;
mod contract;
mod copybooks;
mod double;
mod file;
mod kind;
mod names;
mod operation;
mod rules;
mod transport;

pub use contract::{Generated, generate, layout};
pub use double::{Double, DoubleError};
pub use file::FileError;
pub use kind::Mainframe;
