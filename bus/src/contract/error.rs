//! Why the registry refuses.

use super::gate::Refusal;
use super::image::ImageError;
use super::store::StoreError;

/// A change to the registry is refused. Nothing has changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The name cannot be a contract's.
    #[error(
        "{name:?} cannot name a contract: letters, digits, '_', '-' and '.', starting with a letter, at most {limit} characters"
    )]
    InvalidName {
        /// The name.
        name: String,
        /// Characters allowed.
        limit: usize,
    },
    /// No name was given, and the services do not suggest one.
    #[error("the services belong to several packages ({}); name the contract", packages.join(", "))]
    NameNeeded {
        /// The packages.
        packages: Vec<String>,
    },
    /// The image holds no service that could be called.
    #[error("the descriptors hold no service to call (grpc.health and grpc.reflection are the bus's own)")]
    NoService,
    /// Another contract already has the method.
    #[error("{path} already belongs to contract {owner}; remove that one, or register this under the name {owner}")]
    Clash {
        /// The method's path.
        path: String,
        /// The contract that has it.
        owner: String,
    },
    /// A service that the bus itself offers.
    #[error("{service} is a service of the bus itself and cannot be registered")]
    Reserved {
        /// The service.
        service: String,
    },
    /// An address of the binding is not one.
    #[error("{address:?} is not an address: write http://host:port or https://host:port")]
    InvalidAddress {
        /// The address.
        address: String,
    },
    /// A binding to nobody.
    #[error("a contract is bound to an endpoint by name or to at least one address")]
    EmptyBinding,
    /// There is no such contract or version.
    #[error("no contract {wanted}; registered: {}", listed(registered))]
    Unknown {
        /// What was asked for.
        wanted: String,
        /// What there is.
        registered: Vec<String>,
    },
    /// A contract that comes back by itself.
    #[error("{id} comes from the {from}; take it out there")]
    NotRemovable {
        /// The contract and version.
        id: String,
        /// Where it comes from.
        from: String,
    },
    /// It breaks what callers of a registered version rely on.
    #[error("{0}")]
    Incompatible(Box<Refusal>),
    /// The registry is full.
    #[error("{limit} contract versions are registered, which is the limit; remove old versions first")]
    Full {
        /// Versions allowed.
        limit: usize,
    },
    /// The descriptors cannot be used.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The contract could not be kept, or not be forgotten.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A kept contract is no longer usable.
    #[error("contract {id} in the store: {reason}; remove it from the store and register it again")]
    Damaged {
        /// The contract and version.
        id: String,
        /// What is wrong.
        reason: String,
    },
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
