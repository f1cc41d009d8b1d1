//! The registry's types in the words of the admin contract, and back.

use passerelle_bus::contract;
use passerelle_proto::bus::v1;
use passerelle_proto::bus::v1::contract_binding::To;
use passerelle_proto::bus::v1::contract_source::From as Origin;

/// One version, without descriptors. `newest` is the version that calls go to.
pub(super) fn contract(contract: &contract::Contract, newest: u32) -> v1::Contract {
    v1::Contract {
        name: contract.name.clone(),
        version: contract.version,
        routed: contract.version == newest,
        digest: contract.digest.to_string(),
        source: Some(source(&contract.source)),
        registered_at: Some(contract.registered_at.into()),
        binding: contract.binding.as_ref().map(binding),
        services: contract.services.iter().map(service).collect(),
        overridden: contract.overridden.as_ref().map(overridden),
        drift: None,
    }
}

fn overridden(overridden: &contract::Override) -> v1::ContractOverride {
    v1::ContractOverride { reason: overridden.reason.clone(), broken: overridden.broken.clone() }
}

/// How the server of a contract differs from it.
pub(super) fn drift(drift: contract::Drift) -> v1::ContractDrift {
    v1::ContractDrift { address: drift.address, seen_at: Some(drift.seen_at.into()), broken: drift.broken }
}

/// Why a version is refused.
pub(super) fn incompatibility(refusal: &contract::Refusal) -> v1::Incompatibility {
    v1::Incompatibility {
        contract: refusal.contract.clone(),
        breaches: refusal.breaches.iter().map(breach).collect(),
        total: u32::try_from(refusal.total).unwrap_or(u32::MAX),
    }
}

fn breach(breach: &contract::Breach) -> v1::Breach {
    let finding = &breach.finding;
    let (line, column) = finding.place.as_ref().and_then(|place| place.position).unwrap_or_default();
    v1::Breach {
        rule: finding.rule.name().to_owned(),
        element: finding.element.clone(),
        old: finding.old.clone(),
        new: finding.new.clone(),
        file: finding.place.as_ref().map(|place| place.file.clone()).unwrap_or_default(),
        line,
        column,
        against_version: breach.against,
        way_out: finding.rule.way_out().to_owned(),
        used_by: breach.used_by.iter().map(consumer).collect(),
    }
}

/// A channel's use of a method.
pub(super) fn consumer(used: &contract::Use) -> v1::Consumer {
    v1::Consumer {
        channel: used.channel.clone(),
        method: used.method.clone(),
        calls: used.calls,
        since_last: used.last.try_into().ok(),
        field: used.field.map(|contract::FieldUse { sampled, present }| v1::FieldUse { sampled, present }),
    }
}

fn source(source: &contract::Source) -> v1::ContractSource {
    let from = match source.clone() {
        contract::Source::Upload(what) => Origin::Upload(what),
        contract::Source::Reflection(address) => Origin::Reflection(address),
        contract::Source::Settings(place) => Origin::Settings(place),
        contract::Source::Adapter(endpoint) => Origin::Adapter(endpoint),
    };
    v1::ContractSource { from: Some(from) }
}

fn binding(binding: &contract::Binding) -> v1::ContractBinding {
    let to = match binding.clone() {
        contract::Binding::Endpoint(name) => To::Endpoint(name),
        contract::Binding::Addresses(address) => To::Addresses(v1::Addresses { address }),
    };
    v1::ContractBinding { to: Some(to) }
}

/// The binding that a request names; an empty one is left to the registry to refuse.
pub(super) fn binding_asked(binding: v1::ContractBinding) -> Option<contract::Binding> {
    binding.to.map(|to| match to {
        To::Endpoint(name) => contract::Binding::Endpoint(name),
        To::Addresses(addresses) => contract::Binding::Addresses(addresses.address),
    })
}

fn service(service: &contract::Service) -> v1::Service {
    v1::Service { name: service.name.clone(), methods: service.methods.iter().map(|method| self::method(method)).collect() }
}

fn method(method: &contract::Method) -> v1::Method {
    v1::Method {
        name: method.name.clone(),
        path: method.path.clone(),
        request_type: method.input.full_name().to_owned(),
        response_type: method.output.full_name().to_owned(),
        client_streaming: method.client_streaming,
        server_streaming: method.server_streaming,
        idempotency: idempotency(method.idempotency).into(),
    }
}

fn idempotency(idempotency: contract::Idempotency) -> v1::Idempotency {
    match idempotency {
        contract::Idempotency::Unknown => v1::Idempotency::Unknown,
        contract::Idempotency::NoSideEffects => v1::Idempotency::NoSideEffects,
        contract::Idempotency::Idempotent => v1::Idempotency::Idempotent,
    }
}
