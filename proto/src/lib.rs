//! Every contract of Passerelle, compiled once: Rust types by package, and the descriptors as bytes.
//!
//! The `.proto` files beside this crate's sources are the documentation of these types.

#![allow(missing_docs, clippy::all, rustdoc::all, reason = "what follows is generated")]

/// All files of ours with what they import, a `google.protobuf.FileDescriptorSet` with comments and options.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.binpb"));

/// Options of our messages: their side, and which fields hold personal data.
pub mod options {
    tonic::include_proto!("passerelle");
}

/// How the bus is run.
pub mod bus {
    /// Contracts, endpoints and adapters.
    pub mod v1 {
        tonic::include_proto!("passerelle.bus.v1");
    }
}

/// The sample bank of the demo, a back office of nobody's.
pub mod sample {
    /// Its files, a `google.protobuf.FileDescriptorSet` with comments.
    pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/sample.binpb"));

    /// Card disputes.
    pub mod cards {
        /// The only version.
        pub mod v1 {
            tonic::include_proto!("bank.cards.v1");
        }
    }
}
