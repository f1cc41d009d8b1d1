//! What a contract must be to be registered: named, bound to somebody, with services of its own, in nobody's way.

use std::collections::BTreeSet;

use super::error::RegistryError;
use super::image::Image;
use super::snapshot::Snapshot;
use super::version::{Binding, Service};

/// Characters a contract's name may have (a file name carries it).
pub const MAX_NAME_CHARS: usize = 200;
/// Packages whose services the bus answers itself, for every contract.
const ANSWERED_BY_THE_BUS: [&str; 3] = ["grpc.health.v1", "grpc.reflection.v1", "grpc.reflection.v1alpha"];
/// Packages that no contract may have services in.
const RESERVED: [&str; 1] = ["passerelle.bus"];

/// Full names of the services that the contract is about, in the order of the image.
///
/// Left out: those of files that buf marked as imports, those that the bus answers itself, and `google.*` services that
/// come along as imports (long-running operations and the like), unless there are no others.
pub(super) fn own_services(image: &Image) -> Result<Vec<String>, RegistryError> {
    let mut own = Vec::new();
    let mut googles = Vec::new();
    for service in image.pool().services() {
        let file = service.parent_file();
        if RESERVED.iter().any(|reserved| is_within(service.package_name(), reserved)) {
            return Err(RegistryError::Reserved { service: service.full_name().to_owned() });
        }
        let imported = image.file(file.name()).is_some_and(|file| file.is_import);
        if imported || ANSWERED_BY_THE_BUS.contains(&service.package_name()) {
            continue;
        }
        let list = if is_within(service.package_name(), "google") { &mut googles } else { &mut own };
        list.push(service.full_name().to_owned());
    }
    let services = if own.is_empty() { googles } else { own };
    if services.is_empty() { Err(RegistryError::NoService) } else { Ok(services) }
}

/// Whether a package is another, or within it: `bank.cards` is within `bank`, `banking` is not.
pub(super) fn is_within(package: &str, outer: &str) -> bool {
    package.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

pub(super) fn package_of(image: &Image, services: &[String]) -> Result<String, RegistryError> {
    let services = services.iter().filter_map(|name| image.pool().get_service_by_name(name));
    let packages: BTreeSet<String> = services.map(|service| service.package_name().to_owned()).collect();
    let mut packages: Vec<_> = packages.into_iter().collect();
    match (packages.pop(), packages.is_empty()) {
        (Some(package), true) if !package.is_empty() => Ok(package),
        (Some(last), _) => {
            packages.push(if last.is_empty() { "no package".to_owned() } else { last });
            Err(RegistryError::NameNeeded { packages })
        }
        (None, _) => Err(RegistryError::NoService),
    }
}

pub(super) fn described(image: &Image, services: &[String], contract: &str, version: u32) -> Vec<Service> {
    let descriptors = services.iter().filter_map(|name| image.pool().get_service_by_name(name));
    descriptors.map(|descriptor| Service::new(&descriptor, contract, version)).collect()
}

pub(super) fn check_name(name: &str) -> Result<(), RegistryError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let fits =
        name.starts_with(|first: char| first.is_ascii_alphabetic()) && name.bytes().all(allowed) && name.len() <= MAX_NAME_CHARS;
    if fits { Ok(()) } else { Err(RegistryError::InvalidName { name: name.to_owned(), limit: MAX_NAME_CHARS }) }
}

pub(super) fn check_binding(binding: Option<&Binding>) -> Result<(), RegistryError> {
    match binding {
        None => Ok(()),
        Some(Binding::Endpoint(name)) if name.is_empty() => Err(RegistryError::EmptyBinding),
        Some(Binding::Endpoint(_)) => Ok(()),
        Some(Binding::Addresses(addresses)) if addresses.is_empty() => Err(RegistryError::EmptyBinding),
        Some(Binding::Addresses(addresses)) => addresses.iter().try_for_each(|address| {
            let uri = address.parse::<http::Uri>().ok();
            let fits = uri.is_some_and(|uri| {
                matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
            });
            if fits { Ok(()) } else { Err(RegistryError::InvalidAddress { address: address.clone() }) }
        }),
    }
}

/// All versions of the other contracts count: each may become the newest when later ones are removed.
pub(super) fn check_clash(snapshot: &Snapshot, name: &str, image: &Image, services: &[String]) -> Result<(), RegistryError> {
    let others = || snapshot.contracts().filter(|contract| contract.name != name);
    for descriptor in services.iter().filter_map(|service| image.pool().get_service_by_name(service)) {
        for method in descriptor.methods() {
            let path = format!("/{}/{}", descriptor.full_name(), method.name());
            if let Some(owner) = others().find(|contract| contract.methods().any(|other| other.path == path)) {
                return Err(RegistryError::Clash { path, owner: owner.name.clone() });
            }
        }
    }
    Ok(())
}
