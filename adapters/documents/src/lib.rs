//! adapter-documents: stores of documents as the contract `passerelle.backoffice.documents.v1`, one file a driver.
//!
//! `adapter` takes calls apart, checks them by `checks`, and refuses what the store cannot do; a `driver` does the rest: `folder` keeps documents
//! on this machine, `webdav` on a server that speaks RFC 4918.

mod adapter;
mod checks;
mod content;
mod driver;
mod file;
mod folder;
mod kind;
mod page;
mod webdav;
mod wire;

pub use kind::Documents;
