//! The contract of the port, compiled: messages, and the service that an adapter is.

/// `passerelle.adapter.v1`.
pub mod adapter {
    /// The first version.
    pub mod v1 {
        tonic::include_proto!("passerelle.adapter.v1");
    }
}
