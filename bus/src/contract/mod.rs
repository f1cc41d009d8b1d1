//! The contract registry: what back offices offer, in versions side by side, and who serves it.
//!
//! Descriptors come in as an [`Image`] (compiled `.proto` files, a `protoc` or buf image, or what a running server
//! reflects); the [`Registry`] holds them against the
//! versions before by the rules of [`compatibility`], gives them a version, keeps them in its [`Store`], and publishes a [`Snapshot`] that
//! routing and reflection read without a lock.

mod admission;
pub mod compatibility;
mod consumers;
mod digest;
mod drift;
mod error;
mod field_use;
#[cfg(test)]
pub(crate) mod fixture;
mod gate;
#[cfg(test)]
mod gate_tests;
mod image;
mod reflect;
#[cfg(test)]
mod reflect_tests;
mod registry;
#[cfg(test)]
mod registry_tests;
mod snapshot;
mod store;
mod version;

pub use admission::MAX_NAME_CHARS;
pub use consumers::{CHANNEL_HEADER, Consumers, MAX_CHANNELS, MethodUse, Use};
pub use digest::Digest;
pub use drift::{Drift, METRICS, Seen};
pub use error::RegistryError;
pub use field_use::{FieldUse, Sample};
pub use gate::{Breach, MAX_LISTED, Refusal, methods_touched};
pub use image::{Image, ImageError, ImageFile, MAX_FILES, MAX_IMAGE_BYTES};
pub use reflect::{ReflectError, reflect, reflect_names, reflect_service};
pub use registry::{Added, Change, MAX_VERSIONS, Registration, Registry};
pub use snapshot::Snapshot;
pub use store::{MemoryStore, Record, Store, StoreError};
pub use version::{Binding, Contract, Idempotency, Method, Override, Service, Source};
