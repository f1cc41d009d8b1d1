//! Makes a process of an adapter: any [`Kind`](passerelle_adapter::Kind) served as `passerelle.adapter.v1.Adapter`, the port over the wire.
//!
//! One process serves one endpoint. It waits for the bus to say the settings (`Configure`), opens the kind with them, and carries calls until it
//! is drained: by the bus, by SIGTERM, or because the bus that started it is gone.

mod call;
mod deadline;
mod describe;
mod fault;
mod inbox;
mod lifeline;
mod limits;
mod listen;
mod receive;
mod serve;
mod service;
mod turns;
mod work;

pub use lifeline::Lifeline;
pub use limits::Limits;
pub use listen::{Listen, ListenError};
pub use serve::{Serving, serve, serve_started, serve_until};
