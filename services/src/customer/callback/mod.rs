//! `passerelle.customer.v1.Callbacks`: a customer asks to be called, and is called at the promised time.
//!
//! The rules are pure deciders (`decide`), one for callbacks and one for the places of slots. Around them, `settle` carries places between
//! the two, `call` brings the advisers' desks in, and `service` answers channels. `line` is what people declare.

mod call;
mod decide;
pub mod line;
mod methods;
mod refusal;
mod request;
mod service;
mod settle;
mod table;
#[cfg(test)]
mod tests;
mod words;

pub use decide::{KINDS, Lines, lines};
pub use service::{CallbackParts, Callbacks, folds};
