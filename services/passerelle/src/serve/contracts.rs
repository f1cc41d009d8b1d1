//! Where the contracts of the settings come from: files, adapters, running servers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use passerelle_adapter::{Adapter, ContractSource};
use passerelle_bus::contract::{Binding, Image, Registration, Registry, RegistryError, Source, reflect};
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};

use super::dial::dial;
use super::drift;
use super::tls;
use crate::contract_files;
use crate::explain::Code;
use crate::failure::Failure;
use crate::settings::{Contract, Remote};

/// How long a connected server may take to tell its contract.
const REFLECTION: Duration = Duration::from_secs(10);
/// How long connecting may take where the settings say nothing.
const CONNECT: Duration = Duration::from_secs(2);
/// An adapter that takes longer to tell its contract is spoken of.
const SOON: Duration = Duration::from_secs(10);
/// Between attempts to reflect a server that is not there yet.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Registers what an adapter speaks.
pub(crate) fn of_adapter(registry: &Registry, endpoint: &str, adapter: &dyn Adapter) -> Result<(), Failure> {
    for source in &adapter.descriptor().contracts {
        let image = compile(source)?;
        add(registry, Some(source.name.clone()), image, Source::Adapter(endpoint.to_owned()), endpoint)
            .map_err(|error| refused(endpoint, error))?;
    }
    Ok(())
}

/// Registers what an adapter speaks as soon as that is known: an adapter in another process may come later.
pub(crate) async fn of_adapter_to_come(registry: Arc<Registry>, endpoint: String, adapter: Arc<dyn Adapter>) {
    if tokio::time::timeout(SOON, adapter.known()).await.is_err() {
        let (health, code) = (adapter.health().await, Code::ADAPTER_QUARANTINED);
        tracing::warn!(endpoint, ?health, %code, "the adapter has not told its contract yet: its methods are not served until it does");
        adapter.known().await;
    }
    if let Err(failure) = of_adapter(&registry, &endpoint, adapter.as_ref()) {
        tracing::error!(endpoint, "the adapter's contract is not taken in: {}", failure.text());
    }
}

/// Registers the files that an endpoint of the settings names. A contract by reflection comes later, see [`keep_reflecting`].
pub(crate) fn of_files(registry: &Registry, endpoint: &str, contract: &Contract) -> Result<(), Failure> {
    let (image, what) = match contract {
        Contract::Reflection => return Ok(()),
        Contract::Proto { files, include } => (contract_files::compile(files, include)?, contract_files::listed(files)),
        Contract::Image(path) => (contract_files::image(path)?, contract_files::listed(std::slice::from_ref(path))),
    };
    add(registry, None, image, Source::Settings(what), endpoint).map_err(|error| refused(endpoint, error))
}

/// Registers a contract that callers see and no endpoint speaks: translations serve it.
pub(crate) fn of_callers(registry: &Registry, file: &str, image: Image, what: String) -> Result<(), Failure> {
    let registration = Registration {
        name: None,
        image,
        source: Source::Settings(what),
        binding: None,
        override_reason: None,
        at: SystemTime::now(),
    };
    let added = registry.add(registration);
    added.map(drop).map_err(|error| Failure::new(Code::CONTRACT_REFUSED, format!("{file}: {error}")))
}

fn refused(endpoint: &str, error: RegistryError) -> Failure {
    let code = match error {
        RegistryError::Incompatible(_) => Code::CONTRACT_INCOMPATIBLE,
        _ => Code::CONTRACT_REFUSED,
    };
    Failure::new(code, format!("endpoint {endpoint}: {error}"))
}

/// Reflects an endpoint until it answers; what it said last time serves meanwhile.
pub(crate) async fn keep_reflecting(registry: Arc<Registry>, endpoint: String, remote: Remote) {
    let mut pause = FIRST_PAUSE;
    loop {
        for address in &remote.addresses {
            match reflect_once(&registry, &endpoint, &remote, &address.to_string()).await {
                Ok(()) => return,
                // Said once: that the back office cannot be reached is told by its connection each time.
                Err(error) if pause == FIRST_PAUSE => {
                    tracing::warn!(endpoint, address = %address, error, "no contract by reflection yet, asked again until there is one")
                }
                Err(error) => tracing::debug!(endpoint, address = %address, error, "no contract by reflection"),
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn reflect_once(registry: &Registry, endpoint: &str, remote: &Remote, address: &str) -> Result<(), String> {
    let image = reflected(address, Some(remote)).await?;
    match add(registry, None, image.clone(), Source::Reflection(address.to_owned()), endpoint) {
        // Calls go on as registered; an operator hears of it, and decides.
        Err(RegistryError::Incompatible(refusal)) => {
            drift::compare(registry, &refusal.contract, address, &image);
            Ok(())
        }
        other => other.map_err(|error| error.to_string()),
    }
}

/// What a server tells by reflection; `remote` says how it is reached, if the settings do.
pub(crate) async fn reflected(address: &str, remote: Option<&Remote>) -> Result<Image, String> {
    let tls = remote.filter(|_| address.starts_with("https:")).map(|remote| tls::client(&remote.tls)).transpose();
    let tls = tls.map_err(|error| error.to_string())?;
    let channel = dial(address, tls, remote.and_then(|remote| remote.tls.server_name.as_deref()))?;
    let connect = remote.map_or(CONNECT, Remote::connect_timeout);
    let bytes = reflect(channel, connect + REFLECTION).await.map_err(|error| error.to_string())?;
    Image::decode(bytes).map_err(|error| error.to_string())
}

/// Names the contract by its package, or by its endpoint where there are several packages.
fn add(registry: &Registry, name: Option<String>, image: Image, source: Source, endpoint: &str) -> Result<(), RegistryError> {
    let registration = |name| Registration {
        name,
        image: image.clone(),
        source: source.clone(),
        binding: Some(Binding::Endpoint(endpoint.to_owned())),
        override_reason: None,
        at: SystemTime::now(),
    };
    let added = match registry.add(registration(name)) {
        Err(RegistryError::NameNeeded { .. }) => registry.add(registration(Some(endpoint.to_owned()))),
        other => other,
    }?;
    tracing::info!(contract = added.contract.id(), endpoint, change = ?added.change, "contract");
    Ok(())
}

/// Compiles the `.proto` text of an adapter.
pub(crate) fn compile(source: &ContractSource) -> Result<Image, Failure> {
    let refused =
        |error: String| Failure::new(Code::CONTRACT_UNCOMPILABLE, format!("the contract {} of an adapter: {error}", source.name));
    let mut resolver = ChainFileResolver::new();
    resolver.add(Texts(source.files.iter().map(|file| (file.path.clone(), file.text.clone())).collect()));
    resolver.add(GoogleFileResolver::new());
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    compiler.include_source_info(true).include_imports(true);
    compiler.open_files(source.files.iter().map(|file| &file.path)).map_err(|error| refused(format!("{error:?}")))?;
    Image::decode(compiler.encode_file_descriptor_set()).map_err(|error| refused(error.to_string()))
}

struct Texts(HashMap<String, String>);

impl FileResolver for Texts {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        let text = self.0.get(name).ok_or_else(|| protox::Error::file_not_found(name))?;
        File::from_source(name, text)
    }
}
