//! `passerelle check`: proves settings without serving or connecting.

use std::sync::Arc;

use passerelle_adapter::Adapter;
use passerelle_bus::contract::{Binding, MemoryStore, Registry};

use crate::adapters;
use crate::cli::SettingsFile;
use crate::explain::Code;
use crate::failure::Failure;
use crate::route_files::Offline;
use crate::serve::{contracts, reads, tls};
use crate::settings::{Contract, Endpoint, EndpointName, Loaded};
use crate::translation_files;

/// Proves everything that can be proven without a connection; prints an `ok` line for each thing.
pub(super) fn run(file: &SettingsFile) -> Result<(), Failure> {
    let loaded = super::load(file)?;
    println!("ok settings {}", loaded.file().display());
    for tls in [&loaded.settings.tls, &loaded.settings.admin.tls].into_iter().flatten() {
        tls::acceptor(tls).map_err(|error| Failure::new(Code::TLS_UNUSABLE, error))?;
        println!("ok certificate {}", tls.certificate.display());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::plain)?;
    let registry = Registry::open(Arc::new(MemoryStore::default())).map_err(Failure::plain)?;
    let mut refused = 0;
    for (name, endpoint) in &loaded.settings.endpoints {
        let line = runtime.block_on(endpoint_line(&loaded, name, endpoint, &registry));
        match line.and_then(|line| reads::check(&loaded, name, endpoint.policy(), &registry).map(|()| line)) {
            Ok(line) => println!("ok endpoint {name}: {line}"),
            Err(failure) => {
                refused += 1;
                failure.print();
            }
        }
    }
    if let Some(folder) = &loaded.settings.translations
        && let Err(failure) = translation_files::prove(folder, &registry)
    {
        refused += 1;
        failure.print();
    }
    if let Err(failure) = translation_files::prove_sides(&registry) {
        refused += 1;
        failure.print();
    }
    for (name, line) in &loaded.settings.callback.lines {
        let zone = line.calendar().zone_name().to_owned();
        println!(
            "ok callback line {name}: {} calls in {} seconds, {zone}, at desk {}",
            line.capacity, line.slot_seconds, line.desk
        );
    }
    if let (0, Some(folder)) = (refused, &loaded.settings.routes) {
        println!("ok routes {}: {}", folder.display(), routes_line(&loaded, &registry)?);
    }
    match refused {
        0 => Ok(()),
        1 => Err(Failure::new(Code::SETTINGS_REFUSED, "1 thing that the settings name cannot be used")),
        many => Err(Failure::new(Code::SETTINGS_REFUSED, format!("{many} things that the settings name cannot be used"))),
    }
}

/// The routes, held against all contracts that need no connection, and their cases.
fn routes_line(loaded: &Loaded, registry: &Registry) -> Result<String, Failure> {
    let offline = Offline::with(&loaded.settings, registry.snapshot())?;
    let (held, failed) = super::route::cases(&offline)?;
    if !failed.is_empty() {
        return Err(Failure::new(Code::ROUTES_REFUSED, failed.join("\n")));
    }
    let waiting: usize = offline.set.waiting().values().map(Vec::len).sum();
    let waits = if waiting > 0 {
        format!(", {waiting} of them wait for a method that is not known without a connection")
    } else {
        String::new()
    };
    let patterns = match offline.patterns.names().len() {
        0 => String::new(),
        1 => ", 1 pattern".to_owned(),
        many => format!(", {many} patterns"),
    };
    Ok(format!("{} routes{waits}, {held} cases hold{patterns}", offline.set.listed().len()))
}

/// What an endpoint speaks; its contracts must fit those of the endpoints before it.
async fn endpoint_line(
    loaded: &Loaded,
    name: &EndpointName,
    endpoint: &Endpoint,
    registry: &Registry,
) -> Result<String, Failure> {
    match endpoint {
        Endpoint::Remote(remote) => {
            let addresses: Vec<String> = remote.addresses.iter().map(ToString::to_string).collect();
            tls::client(&remote.tls).map_err(|error| Failure::new(Code::TLS_UNUSABLE, error))?;
            let spoken = match &remote.contract {
                None => "its contract is added by `passerelle contract add`".to_owned(),
                Some(Contract::Reflection) => "its contract is told by reflection when it runs".to_owned(),
                Some(files) => {
                    contracts::of_files(registry, name.as_str(), files)?;
                    services(registry, name)
                }
            };
            Ok(format!("gRPC at {}, {spoken}", addresses.join(", ")))
        }
        Endpoint::Adapter(file) => {
            let adapter: Arc<dyn Adapter> = adapters::open(loaded, name, file).await?;
            contracts::of_adapter(registry, name.as_str(), adapter.as_ref())?;
            Ok(format!("{}, {}", file.adapter, services(registry, name)))
        }
    }
}

fn services(registry: &Registry, endpoint: &EndpointName) -> String {
    let snapshot = registry.snapshot();
    let bound = Some(Binding::Endpoint(endpoint.to_string()));
    let own = snapshot.contracts().filter(|contract| contract.binding == bound);
    let names: Vec<&str> = own.flat_map(|contract| &contract.services).map(|service| service.name.as_str()).collect();
    format!("speaks {}", names.join(", "))
}
