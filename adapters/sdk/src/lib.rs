//! The adapter port: what an adapter is to the bus, without gRPC, without the bus.
//!
//! An adapter makes a system that does not speak gRPC look like a gRPC contract. It says what it is ([`Descriptor`]),
//! carries calls ([`Adapter::call`]: a stream of messages in, a stream of messages or a [`Fault`] out), looks up
//! what became of them ([`Lookup`]), hands over what comes in by itself ([`Receiving`]), tells its [`Health`], and drains. A [`Kind`] is the factory that opens adapters of one sort from the file an integrator wrote.

mod adapter;
mod call;
mod descriptor;
mod fault;
mod file;
mod health;
mod lookup;
mod places;
mod receive;
mod secret;
mod under_way;

pub use adapter::{Adapter, Kind, OpenError, Opening};
pub use async_trait::async_trait;
pub use call::{Call, Context, Messages, TraceContext};
pub use descriptor::{Abilities, ContractSource, Descriptor, Maturity, ProtoFile};
pub use fault::{Fault, Rejection};
pub use file::{Misread, beside, read, yaml};
pub use health::Health;
pub use lookup::Lookup;
pub use places::{Place, Places};
pub use receive::{Received, Receiving};
pub use secret::{Secret, SecretError, SecretRef, Secrets};
pub use under_way::{Operation, UnderWay};
