//! adapter-callback: calls placed to customers, as the contract `passerelle.backoffice.callback.v1`.
//!
//! The driver `desk` shows them on advisers' screens: `place` is the bus's side of it, `sit` that of an adviser, the `floor` between them knows
//! who sits where and who has which call.

mod adapter;
mod file;
mod floor;
mod kind;
mod place;
mod sit;
#[cfg(test)]
mod tests;
mod wire;

pub use kind::Callback;
