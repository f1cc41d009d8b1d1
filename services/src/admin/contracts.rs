//! `passerelle.bus.v1.Contracts`: registers, lists, shows and removes contracts.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use passerelle_bus::contract::{
    Added, Binding, Change, Contract, Image, MAX_IMAGE_BYTES, ReflectError, Refusal, Registration, Registry, RegistryError,
    Source, reflect,
};
use passerelle_proto::bus::v1;
use passerelle_proto::bus::v1::add_contract_request::From as Origin;
use passerelle_proto::bus::v1::contracts_server::{self, ContractsServer};
use prost::Message as _;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};

use super::words;

/// Connects to `http://host:port` or `https://host:port`, with the certificates of the settings; the text of an error is
/// shown to the operator. May connect later.
pub type Dial = Arc<dyn Fn(&str) -> Result<Channel, String> + Send + Sync>;

/// Time that a server has to reflect all it has.
const REFLECTION_DEADLINE: Duration = Duration::from_secs(20);
/// Bytes of a request beside its image.
const REQUEST_ROOM: usize = 64 * 1024;
/// Characters of a reason to let an incompatible version in.
const MAX_REASON_CHARS: usize = 500;
/// Name of the detail that tells why a version is refused.
const INCOMPATIBILITY: &str = "type.googleapis.com/passerelle.bus.v1.Incompatibility";
/// Bytes of details: they travel in a trailer, and callers take 16 KiB of those.
const MAX_DETAIL_BYTES: usize = 6 * 1024;
/// Characters of a refusal's text, which travels the same way.
const MAX_TEXT_CHARS: usize = 1_000;

/// Characters kept of what a contract was made from.
const MAX_ORIGIN_CHARS: usize = 500;

/// The service.
pub struct Contracts {
    registry: Arc<Registry>,
    dial: Dial,
    now: fn() -> SystemTime,
}

impl Contracts {
    /// Runs `registry`; `now` says when a contract was registered.
    pub fn new(registry: Arc<Registry>, dial: Dial, now: fn() -> SystemTime) -> Self {
        Self { registry, dial, now }
    }

    /// The service, ready for a listener.
    pub fn server(self) -> ContractsServer<Self> {
        ContractsServer::new(self).max_decoding_message_size(MAX_IMAGE_BYTES + REQUEST_ROOM)
    }

    /// One version; the routed one with the drift of its server.
    fn described(&self, contract: &Contract, newest: u32) -> v1::Contract {
        let drift = self.registry.drift(&contract.name).filter(|_| contract.version == newest).map(words::drift);
        v1::Contract { drift, ..words::contract(contract, newest) }
    }

    async fn registration(&self, request: v1::AddContractRequest) -> Result<Registration, Status> {
        let asked = request.binding.and_then(words::binding_asked);
        let (image, source, binding) = match request.from {
            None => return Err(Status::invalid_argument("neither an image nor a server to reflect is given")),
            Some(Origin::Image(image)) => (image.into(), Source::Upload(origin(&request.origin)), asked),
            Some(Origin::Reflect(address)) => {
                let channel = (self.dial)(&address).map_err(Status::invalid_argument)?;
                let image = reflect(channel, REFLECTION_DEADLINE).await.map_err(|error| reflect_status(&address, &error))?;
                let binding = asked.unwrap_or_else(|| Binding::Addresses(vec![address.clone()]));
                (image, Source::Reflection(address), Some(binding))
            }
        };
        let name = Some(request.name).filter(|name| !name.is_empty());
        // Thousands of files take a while to link, and this thread serves others too.
        let image = blocking(move || Image::decode(image).map_err(|error| status(&error.into()))).await?;
        let override_reason = reason(&request.override_reason)?;
        Ok(Registration { name, image, source, binding, override_reason, at: (self.now)() })
    }
}

#[tonic::async_trait]
impl contracts_server::Contracts for Contracts {
    async fn add_contract(&self, request: Request<v1::AddContractRequest>) -> Result<Response<v1::AddContractResponse>, Status> {
        let registration = self.registration(request.into_inner()).await?;
        let registry = Arc::clone(&self.registry);
        let added = blocking(move || registry.add(registration).map_err(|error| status(&error))).await?;
        tracing::info!(contract = added.contract.id(), digest = %added.contract.digest, change = ?added.change, "contract registered");
        if let (Change::Registered, Some(overridden)) = (added.change, &added.contract.overridden) {
            let (contract, reason, broken) = (added.contract.id(), &overridden.reason, &overridden.broken);
            tracing::warn!(contract, reason, ?broken, "an operator let an incompatible contract in");
        }
        Ok(Response::new(added_response(&added)))
    }

    async fn list_contracts(
        &self,
        _request: Request<v1::ListContractsRequest>,
    ) -> Result<Response<v1::ListContractsResponse>, Status> {
        let snapshot = self.registry.snapshot();
        let newest = |name: &str| snapshot.contract(name, None).map_or(0, |contract| contract.version);
        let contracts = snapshot.contracts().map(|contract| self.described(contract, newest(&contract.name))).collect();
        Ok(Response::new(v1::ListContractsResponse { contracts }))
    }

    async fn get_contract(&self, request: Request<v1::GetContractRequest>) -> Result<Response<v1::GetContractResponse>, Status> {
        let v1::GetContractRequest { name, version } = request.into_inner();
        let snapshot = self.registry.snapshot();
        let version = Some(version).filter(|&version| version > 0);
        let contract = snapshot.find(&name, version).map_err(|error| status(&error))?;
        let newest = snapshot.contract(&name, None).map_or(0, |contract| contract.version);
        let image = contract.image.bytes().to_vec();
        let consumers = contract.methods().flat_map(|method| self.registry.consumers().of(&method.path, None));
        let consumers = consumers.map(|used| words::consumer(&used)).collect();
        Ok(Response::new(v1::GetContractResponse { contract: Some(self.described(contract, newest)), image, consumers }))
    }

    async fn remove_contract(
        &self,
        request: Request<v1::RemoveContractRequest>,
    ) -> Result<Response<v1::RemoveContractResponse>, Status> {
        let v1::RemoveContractRequest { name, version } = request.into_inner();
        let version = Some(version).filter(|&version| version > 0);
        let registry = Arc::clone(&self.registry);
        let removed = blocking(move || registry.remove(&name, version).map_err(|error| status(&error))).await?;
        for contract in &removed {
            tracing::info!(contract = contract.id(), "contract removed");
        }
        let removed = removed.iter().map(|contract| words::contract(contract, 0)).collect();
        Ok(Response::new(v1::RemoveContractResponse { removed }))
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Status> + Send + 'static) -> Result<T, Status> {
    let outcome = tokio::task::spawn_blocking(work).await;
    outcome.unwrap_or_else(|_| Err(Status::internal("the registry failed; see the log of the bus")))
}

fn added_response(added: &Added) -> v1::AddContractResponse {
    use v1::add_contract_response::Change as Word;
    let change = match added.change {
        Change::Registered => Word::Registered,
        Change::Rebound => Word::Rebound,
        Change::Unchanged => Word::Unchanged,
    };
    v1::AddContractResponse {
        contract: Some(words::contract(&added.contract, added.newest)),
        change: change.into(),
        newest_version: added.newest,
    }
}

/// Nothing is overridden without a reason, and a reason is short.
fn reason(text: &str) -> Result<Option<String>, Status> {
    let text = text.trim();
    match text.chars().count() {
        0 => Ok(None),
        1..=MAX_REASON_CHARS => Ok(Some(text.to_owned())),
        long => Err(Status::invalid_argument(format!("the reason has {long} characters, at most {MAX_REASON_CHARS} are taken"))),
    }
}

fn origin(text: &str) -> String {
    let kept: String = text.chars().take(MAX_ORIGIN_CHARS).collect();
    if kept.is_empty() { "image".to_owned() } else { kept }
}

fn status(error: &RegistryError) -> Status {
    let code = match error {
        RegistryError::InvalidName { .. }
        | RegistryError::NameNeeded { .. }
        | RegistryError::NoService
        | RegistryError::Reserved { .. }
        | RegistryError::InvalidAddress { .. }
        | RegistryError::EmptyBinding
        | RegistryError::Image(_) => Code::InvalidArgument,
        RegistryError::Clash { .. } => Code::AlreadyExists,
        RegistryError::Unknown { .. } => Code::NotFound,
        RegistryError::NotRemovable { .. } => Code::FailedPrecondition,
        RegistryError::Incompatible(refusal) => return incompatible(refusal),
        RegistryError::Full { .. } => Code::ResourceExhausted,
        _ => Code::Internal,
    };
    Status::new(code, error.to_string())
}

/// With what is broken as a detail, as much of it as fits.
fn incompatible(refusal: &Refusal) -> Status {
    tracing::warn!(contract = refusal.contract, broken = refusal.total, "an incompatible contract was refused");
    let mut detail = words::incompatibility(refusal);
    while detail.encoded_len() > MAX_DETAIL_BYTES && !detail.breaches.is_empty() {
        detail.breaches.truncate(detail.breaches.len() / 2);
    }
    let message: String = refusal.to_string().chars().take(MAX_TEXT_CHARS).collect();
    let code = Code::FailedPrecondition;
    let any = prost_types::Any { type_url: INCOMPATIBILITY.to_owned(), value: detail.encode_to_vec() };
    let details = tonic_types::pb::Status { code: code as i32, message: message.clone(), details: vec![any] };
    Status::with_details(code, message, details.encode_to_vec().into())
}

fn reflect_status(address: &str, error: &ReflectError) -> Status {
    let code = match error {
        ReflectError::NotOffered => Code::Unimplemented,
        ReflectError::Deadline(_) => Code::DeadlineExceeded,
        ReflectError::Call(status) => status.code(),
        _ => Code::FailedPrecondition,
    };
    Status::new(code, format!("{address}: {error}"))
}
