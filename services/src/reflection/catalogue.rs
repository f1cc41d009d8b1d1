//! All descriptors that one listener can show: its own, and those of the contracts.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use passerelle_bus::contract::{Contract, Image, ImageFile, Registry};
use prost_reflect::FileDescriptor;

/// The images behind one listener's reflection.
#[derive(Default)]
pub(super) struct Catalogue {
    own: Vec<Arc<Own>>,
    registry: Option<Arc<Registry>>,
}

/// Services that the process itself offers.
pub(super) struct Own {
    image: Image,
    services: Vec<String>,
}

/// One image of the catalogue, kept alive as long as someone reads in it.
#[derive(Clone)]
pub(super) enum Shelf {
    Own(Arc<Own>),
    Contract(Arc<Contract>),
}

impl Shelf {
    pub(super) fn image(&self) -> &Image {
        match self {
            Self::Own(own) => &own.image,
            Self::Contract(contract) => &contract.image,
        }
    }

    fn services(&self) -> Vec<&str> {
        match self {
            Self::Own(own) => own.services.iter().map(String::as_str).collect(),
            Self::Contract(contract) => contract.services.iter().map(|service| service.name.as_str()).collect(),
        }
    }

    /// The file that defines `symbol`, which may be anything with a full name.
    pub(super) fn defining(&self, symbol: &str) -> Option<&ImageFile> {
        let pool = self.image().pool();
        let whole = || {
            let message = pool.get_message_by_name(symbol).map(|found| found.parent_file());
            let service = || pool.get_service_by_name(symbol).map(|found| found.parent_file());
            let item = || pool.get_enum_by_name(symbol).map(|found| found.parent_file());
            let extension = || pool.get_extension_by_name(symbol).map(|found| found.parent_file());
            message.or_else(service).or_else(item).or_else(extension)
        };
        let file = whole().or_else(|| self.defining_part(symbol))?;
        self.image().file(file.name())
    }

    /// Methods, fields and oneofs by their parent; enum values, which live beside their enum, by looking through all.
    fn defining_part(&self, symbol: &str) -> Option<FileDescriptor> {
        let pool = self.image().pool();
        let (parent, name) = symbol.rsplit_once('.').unwrap_or(("", symbol));
        let in_service = || {
            let service = pool.get_service_by_name(parent)?;
            service.methods().any(|method| method.name() == name).then(|| service.parent_file())
        };
        let in_message = || {
            let message = pool.get_message_by_name(parent)?;
            let found = message.get_field_by_name(name).is_some() || message.oneofs().any(|oneof| oneof.name() == name);
            found.then(|| message.parent_file())
        };
        let in_enum = || {
            let item = pool.all_enums().find(|item| item.values().any(|value| value.full_name() == symbol))?;
            Some(item.parent_file())
        };
        in_service().or_else(in_message).or_else(in_enum)
    }

    /// The file that defines the extension of `extendee` with that number.
    pub(super) fn extending(&self, extendee: &str, number: u32) -> Option<&ImageFile> {
        let message = self.image().pool().get_message_by_name(extendee)?;
        let extension = message.extensions().find(|extension| extension.number() == number)?;
        self.image().file(extension.parent_file().name())
    }

    /// `file` and all that it imports, itself first; only itself if together they are more than `limit` bytes.
    pub(super) fn with_imports<'a>(&'a self, file: &'a ImageFile, limit: usize) -> Vec<&'a ImageFile> {
        let mut found = vec![file];
        let mut known = HashSet::from([file.name.as_str()]);
        let mut next = 0;
        while let Some(&reading) = found.get(next) {
            let imports = reading.imports.iter().filter(|import| known.insert(import.as_str()));
            found.extend(imports.filter_map(|import| self.image().file(import)));
            next += 1;
        }
        let bytes: usize = found.iter().map(|file| file.bytes.len()).sum();
        if bytes > limit {
            found.truncate(1);
        }
        found
    }
}

impl Catalogue {
    pub(super) fn with_own(&self, image: Image, services: Vec<String>) -> Self {
        let mut own = self.own.clone();
        own.push(Arc::new(Own { image, services }));
        Self { own, registry: self.registry.clone() }
    }

    pub(super) fn with_registry(&self, registry: Arc<Registry>) -> Self {
        Self { own: self.own.clone(), registry: Some(registry) }
    }

    /// All images, the process's own first, then the newest version of each contract.
    pub(super) fn shelves(&self) -> Vec<Shelf> {
        let own = self.own.iter().cloned().map(Shelf::Own);
        let snapshot = self.registry.as_ref().map(|registry| registry.snapshot());
        let contracts: Vec<_> = snapshot.iter().flat_map(|snapshot| snapshot.newest().cloned()).collect();
        own.chain(contracts.into_iter().map(Shelf::Contract)).collect()
    }

    /// Names of all services that can be called here, in order.
    pub(super) fn services(&self) -> BTreeSet<String> {
        let shelves = self.shelves();
        shelves.iter().flat_map(Shelf::services).map(str::to_owned).collect()
    }

    /// The shelf whose contract offers the service or method named `symbol`.
    pub(super) fn offering(&self, symbol: &str) -> Option<Shelf> {
        let offers = |service: &str| symbol.strip_prefix(service).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        self.shelves().into_iter().find(|shelf| shelf.services().into_iter().any(offers))
    }
}
