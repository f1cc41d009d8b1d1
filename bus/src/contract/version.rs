//! One version of a contract, its services and methods, where it came from and who serves it.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use prost_reflect::{MessageDescriptor, MethodDescriptor, ServiceDescriptor};
use prost_types::method_options::IdempotencyLevel;

use super::digest::Digest;
use super::image::Image;

/// One version of a contract: a set of services that a back office offers.
///
/// Versions of one name live side by side; calls go to the newest.
#[derive(Debug)]
pub struct Contract {
    /// Its name, by default the proto package of its services.
    pub name: String,
    /// 1 for the first content under that name, and so on.
    pub version: u32,
    /// What it says, digested.
    pub digest: Digest,
    /// Where it came from.
    pub source: Source,
    /// When it was registered.
    pub registered_at: SystemTime,
    /// Who serves it; nobody yet if `None`, and calls are then refused.
    pub binding: Option<Binding>,
    /// Why it was let in although it breaks what versions before it promised; `None` if it does not.
    pub overridden: Option<Override>,
    /// Its descriptors.
    pub image: Image,
    /// Its services, in the order of the image.
    pub services: Vec<Service>,
}

impl Contract {
    /// `name@version`, as people write it.
    pub fn id(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// All methods of all services.
    pub fn methods(&self) -> impl Iterator<Item = &Arc<Method>> {
        self.services.iter().flat_map(|service| &service.methods)
    }
}

/// An operator's word that an incompatible version is meant. Stays with the version for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Why, in the operator's words.
    pub reason: String,
    /// What it broke, a line each, at most [`super::MAX_LISTED`].
    pub broken: Vec<String>,
}

/// A service of a contract.
#[derive(Debug)]
pub struct Service {
    /// Full name: `bank.accounts.v1.Accounts`.
    pub name: String,
    /// Import path of the file that defines it.
    pub file: String,
    /// Its methods.
    pub methods: Vec<Arc<Method>>,
}

impl Service {
    pub(super) fn new(descriptor: &ServiceDescriptor, contract: &str, version: u32) -> Self {
        Self {
            name: descriptor.full_name().to_owned(),
            file: descriptor.parent_file().name().to_owned(),
            methods: descriptor.methods().map(|method| Arc::new(Method::new(&method, contract, version))).collect(),
        }
    }
}

/// A method of a contract: what a call names.
pub struct Method {
    /// The `:path` of a call: `/bank.accounts.v1.Accounts/Inquire`.
    pub path: String,
    /// Full name of its service.
    pub service: String,
    /// Its own name.
    pub name: String,
    /// The contract's name.
    pub contract: String,
    /// The contract's version.
    pub version: u32,
    /// Type of the request messages.
    pub input: MessageDescriptor,
    /// Type of the response messages.
    pub output: MessageDescriptor,
    /// Whether the caller sends a stream.
    pub client_streaming: bool,
    /// Whether the server answers a stream.
    pub server_streaming: bool,
    /// What the contract says about calling twice.
    pub idempotency: Idempotency,
}

impl Method {
    fn new(descriptor: &MethodDescriptor, contract: &str, version: u32) -> Self {
        let service = descriptor.parent_service().full_name().to_owned();
        let options = descriptor.method_descriptor_proto().options.clone().unwrap_or_default();
        Self {
            path: format!("/{service}/{}", descriptor.name()),
            service,
            name: descriptor.name().to_owned(),
            contract: contract.to_owned(),
            version,
            input: descriptor.input(),
            output: descriptor.output(),
            client_streaming: descriptor.is_client_streaming(),
            server_streaming: descriptor.is_server_streaming(),
            idempotency: Idempotency::from(options.idempotency_level()),
        }
    }

    /// `unary`, `client streaming`, `server streaming` or `bidirectional streaming`.
    pub fn kind(&self) -> &'static str {
        match (self.client_streaming, self.server_streaming) {
            (false, false) => "unary",
            (true, false) => "client streaming",
            (false, true) => "server streaming",
            (true, true) => "bidirectional streaming",
        }
    }
}

/// By its path: the descriptor library's own Debug follows a message that contains itself until the stack is gone.
impl fmt::Debug for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, contract, version) = (&self.path, &self.contract, self.version);
        write!(formatter, "Method({path} of {contract}@{version})")
    }
}

/// `MethodOptions.idempotency_level`: whether the bus may call again when it cannot know if a call had its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idempotency {
    /// Nothing is said: never called twice.
    Unknown,
    /// Reads only.
    NoSideEffects,
    /// Has an effect, the same however often it is called.
    Idempotent,
}

impl From<IdempotencyLevel> for Idempotency {
    fn from(level: IdempotencyLevel) -> Self {
        match level {
            IdempotencyLevel::IdempotencyUnknown => Self::Unknown,
            IdempotencyLevel::NoSideEffects => Self::NoSideEffects,
            IdempotencyLevel::Idempotent => Self::Idempotent,
        }
    }
}

/// Who serves a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binding {
    /// An endpoint of the settings, by name.
    Endpoint(String),
    /// Servers given with the contract: `http://host:port` or `https://host:port`, never empty.
    Addresses(Vec<String>),
}

/// Where a contract came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Handed in by an operator; the text says from what (`accounts.proto`, `image accounts.binpb`).
    Upload(String),
    /// Read from a running server by reflection; its address.
    Reflection(String),
    /// Named in the settings, where the text says; read again at every start.
    Settings(String),
    /// Spoken by an adapter, at that endpoint; asked again at every start.
    Adapter(String),
}

impl Source {
    /// Whether the registry keeps the contract over a restart. Others come back from where they came from.
    pub fn is_kept(&self) -> bool {
        matches!(self, Self::Upload(_) | Self::Reflection(_))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upload(what) => write!(formatter, "{what}"),
            Self::Reflection(address) => write!(formatter, "reflection of {address}"),
            Self::Settings(place) => write!(formatter, "settings, {place}"),
            Self::Adapter(endpoint) => write!(formatter, "adapter at endpoint {endpoint}"),
        }
    }
}
