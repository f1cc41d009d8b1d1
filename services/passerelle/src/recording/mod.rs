//! Recordings on disk: JSON, one object a line, so that people can read and edit them, and a cut file is whole up to its last line.
//!
//! The first line says what was recorded and holds the contract's descriptors, so that a file stands alone; then comes a line for each
//! call, and at the end one with what was left out.

mod line;
mod names;
mod read;
mod write;

pub(crate) use line::{Answer, Call, Metadata, Outcome};
pub(crate) use names::code;
pub(crate) use read::{Recording, read};
pub(crate) use write::Writer;

/// The format's version, first in every file.
const FORMAT: u32 = 1;
/// Where the types of `google.rpc` are known from.
pub(crate) const GOOGLE: &[u8] = tonic_types::pb::FILE_DESCRIPTOR_SET;
