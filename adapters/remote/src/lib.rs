//! The kind `remote`: an adapter in another process and any language, behind `passerelle.adapter.v1.Adapter`.
//!
//! The bus need not find it running. It is looked for, started where the file says how, introduced to ([`link`]), tried with a few harmless
//! checks ([`checks`]), and looked for anew whenever the connection is lost. A call is carried only over a connection that passed all of this.

mod adapter;
mod call;
mod checks;
mod connection;
mod contracts;
mod fault;
mod file;
mod hang;
mod hello;
mod kind;
mod link;
mod process;
mod receive;

pub use kind::Remote;
