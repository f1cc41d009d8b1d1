//! Adapters by functions: one typed function for each method of a contract, served as a process that speaks the port.
//!
//! The author of an adapter writes [`Adapter`] and the traits that `passerelle-adapter-build` makes of the contract; [`serve`] does the rest.
//! Functions are plain ones, each call in a thread of its own; what is asynchronous is waited for by [`Call::wait`].

mod adapter;
#[cfg(feature = "answers")]
mod answers;
mod call;
mod carry;
mod contract;
mod keys;
mod kind;
mod secret;
mod serve;
mod settings;
mod streams;

pub use adapter::{Adapter, LookUp};
#[cfg(feature = "answers")]
pub use answers::{Answers, Undone};
pub use call::{Call, require};
pub use contract::Contract;
pub use passerelle_adapter::{Fault, Health, Lookup, OpenError, Rejection};
pub use passerelle_adapter_server::Limits;
pub use secret::Secret;
pub use serve::serve;
pub use streams::{Requests, Responses};
