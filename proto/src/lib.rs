//! Every contract of Passerelle, compiled once: Rust types by package, and the descriptors as bytes.
//!
//! The `.proto` files beside this crate's sources are the documentation of these types.

#![allow(missing_docs, clippy::all, rustdoc::all, reason = "what follows is generated")]

mod acknowledgement;

/// All files of ours with what they import, a `google.protobuf.FileDescriptorSet` with comments and options.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.binpb"));

// Options of our messages and methods (side, personal data, what an acknowledgement is worth); of the root, where the generated code looks for them.
tonic::include_proto!("passerelle");

/// How the bus is run.
pub mod bus {
    /// Contracts, endpoints and adapters.
    pub mod v1 {
        tonic::include_proto!("passerelle.bus.v1");
    }
}

/// The adapter port over the wire.
pub mod adapter {
    /// The contract as `.proto` text, with the files that it imports: path and text.
    pub const FILES: [(&str, &str); 2] = [
        ("passerelle/adapter/v1/adapter.proto", include_str!("../passerelle/adapter/v1/adapter.proto")),
        ("passerelle/options.proto", include_str!("../passerelle/options.proto")),
    ];

    /// Version 1 of the port.
    pub mod v1 {
        tonic::include_proto!("passerelle.adapter.v1");
    }
}

/// What channels speak about.
pub mod customer {
    /// Hand-offs and callbacks.
    pub mod v1 {
        tonic::include_proto!("passerelle.customer.v1");
    }
}

/// The standard contracts of families of back offices.
pub mod backoffice {
    /// Calls placed to customers.
    pub mod callback {
        /// The contract as `.proto` text, with the files that it imports: path and text.
        pub const FILES: [(&str, &str); 2] = [
            ("passerelle/backoffice/callback/v1/desk.proto", include_str!("../passerelle/backoffice/callback/v1/desk.proto")),
            ("passerelle/options.proto", include_str!("../passerelle/options.proto")),
        ];

        /// The only version.
        pub mod v1 {
            tonic::include_proto!("passerelle.backoffice.callback.v1");
        }
    }

    /// Customers of a CRM.
    pub mod customers {
        /// The contract as `.proto` text, with the files that it imports: path and text.
        pub const FILES: [(&str, &str); 2] = [
            (
                "passerelle/backoffice/customers/v1/customers.proto",
                include_str!("../passerelle/backoffice/customers/v1/customers.proto"),
            ),
            ("passerelle/options.proto", include_str!("../passerelle/options.proto")),
        ];

        /// The only version.
        pub mod v1 {
            tonic::include_proto!("passerelle.backoffice.customers.v1");
        }
    }

    /// Stores of documents.
    pub mod documents {
        /// The contract as `.proto` text, with the files that it imports: path and text.
        pub const FILES: [(&str, &str); 2] = [
            (
                "passerelle/backoffice/documents/v1/documents.proto",
                include_str!("../passerelle/backoffice/documents/v1/documents.proto"),
            ),
            ("passerelle/options.proto", include_str!("../passerelle/options.proto")),
        ];

        /// The only version.
        pub mod v1 {
            tonic::include_proto!("passerelle.backoffice.documents.v1");
        }
    }

    /// Drop folders.
    pub mod files {
        /// The contract as `.proto` text, with the files that it imports: path and text.
        pub const FILES: [(&str, &str); 2] = [
            ("passerelle/backoffice/files/v1/files.proto", include_str!("../passerelle/backoffice/files/v1/files.proto")),
            ("passerelle/options.proto", include_str!("../passerelle/options.proto")),
        ];

        /// The only version.
        pub mod v1 {
            tonic::include_proto!("passerelle.backoffice.files.v1");
        }
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
