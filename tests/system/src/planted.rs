//! What scenes and the adapter that they plant have in common: its contract, and the files by which it is led.

use bytes::Bytes;
use prost::Message;

/// What is wrong with it: one of the words below, or nothing.
pub const MODE: &str = "mode";
/// It says that it is of another kind.
pub const ANOTHER_KIND: &str = "another kind";
/// It answers in version 2 of the port.
pub const ANOTHER_VERSION: &str = "another version";
/// It answers methods that it does not have.
pub const UNKNOWN_TAKEN: &str = "unknown taken";
/// Calls that wait go on when this file is there.
pub const GATE: &str = "gate";
/// The numbers of the posts that have begun, a line each.
pub const BEGUN: &str = "begun";
/// The numbers of the posts that had their effect, a line each.
pub const EFFECTS: &str = "effects";

/// The contract's name.
pub const CONTRACT: &str = "scenes.planted.v1";
/// The contract.
pub const PROTO: &str = r#"syntax = "proto3";
package scenes.planted.v1;
message Number { uint64 number = 1; }
message Piece { uint64 number = 1; bytes data = 2; }
service Planted {
  // Answers what it is asked.
  rpc Echo(Piece) returns (Piece);
  // Has an effect, behind the gate.
  rpc Post(Number) returns (Number);
  // Never answers.
  rpc Silent(Number) returns (Number);
  // Answers with so many bytes.
  rpc Large(Number) returns (Piece);
  // As many pieces, as fast as they are taken.
  rpc Flood(Number) returns (stream Piece);
  // Reads no piece until the gate opens, then counts them.
  rpc Soak(stream Piece) returns (Number);
}
"#;

/// A number.
#[derive(Clone, PartialEq, Message)]
pub struct Number {
    /// It.
    #[prost(uint64, tag = "1")]
    pub number: u64,
}

/// Bytes in a row of such.
#[derive(Clone, PartialEq, Message)]
pub struct Piece {
    /// Its place in the row.
    #[prost(uint64, tag = "1")]
    pub number: u64,
    /// The bytes.
    #[prost(bytes = "bytes", tag = "2")]
    pub data: Bytes,
}

impl Piece {
    /// Bytes of a piece of a row.
    pub const BYTES: usize = 64 * 1024;

    /// The piece at that place: its bytes tell where it belongs.
    pub fn of(number: u64) -> Self {
        Self { number, data: vec![number as u8; Self::BYTES].into() }
    }
}
