//! The bus's own gRPC services, put together for each port.

use std::sync::Arc;
use std::time::SystemTime;

use passerelle_bus::call::record::Recorders;
use passerelle_bus::call::{AddressState, BreakerStatus, ChannelUsage, EndpointStatus, HedgeStatus, PolicyStatus, ShareStatus};
use passerelle_bus::contract::{Image, ImageError, Registry};
use passerelle_proto::bus::v1;
use passerelle_services::admin::{self, Adapters, Contracts, Endpoints};
use passerelle_services::record::Recorder;
use passerelle_services::reflection::Reflection;
use tonic::service::Routes as Services;
use tonic_health::pb::health_server::{Health, HealthServer};

use super::dial::dial;
use super::durable::{self, Durable};
use super::routes::Routes;
use crate::adapters;

const HEALTH: [&str; 1] = ["grpc.health.v1.Health"];
const REFLECTION: [&str; 2] = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];
const ADMINISTRATION: [&str; 6] = [
    "passerelle.bus.v1.Contracts",
    "passerelle.bus.v1.Endpoints",
    "passerelle.bus.v1.Routes",
    "passerelle.bus.v1.Adapters",
    "passerelle.bus.v1.Recorder",
    "passerelle.bus.v1.Journal",
];

/// Services that the bus answers itself on the channels' port.
pub(crate) const OWN_TO_CHANNELS: [&[&str]; 3] = [&HEALTH, &REFLECTION, &durable::SERVICES];

/// What channels find besides the contracts: health, reflection of all that is registered, and what stands on the journal.
pub(crate) fn for_channels(
    health: HealthServer<impl Health>,
    registry: Arc<Registry>,
    durable: &Durable,
) -> Result<Services, ImageError> {
    let reflection = Reflection::new()?
        .with_services(health_image()?, &HEALTH)
        .with_services(Image::decode(passerelle_proto::DESCRIPTORS)?, &durable::SERVICES)
        .with_contracts(registry);
    let services = Services::new(health).add_service(reflection.v1()).add_service(reflection.v1alpha());
    Ok(durable.add_services(services))
}

/// What operators find: administration, the whole journal, health, and reflection of those.
pub(crate) fn for_operators(
    health: HealthServer<impl Health>,
    registry: Arc<Registry>,
    routes: Arc<Routes>,
    recorders: Arc<Recorders>,
    durable: &Durable,
) -> Result<Services, ImageError> {
    let reflection = Reflection::new()?
        .with_services(health_image()?, &HEALTH)
        .with_services(Image::decode(passerelle_proto::DESCRIPTORS)?, &ADMINISTRATION);
    let recorder = Recorder::new(registry.clone(), recorders, SystemTime::now);
    let contracts = Contracts::new(registry, Arc::new(|address| dial(address, None, None)), SystemTime::now);
    let files = admin::Routes::new(routes.clone());
    let endpoints = Endpoints::new(Arc::new(move || Box::pin(listed(routes.clone()))));
    let services = Services::new(health)
        .add_service(reflection.v1())
        .add_service(reflection.v1alpha())
        .add_service(contracts.server())
        .add_service(endpoints.server())
        .add_service(files.server())
        .add_service(recorder.server())
        .add_service(Adapters::new(adapters::table()).server());
    Ok(durable.add_services_for_operators(services))
}

fn health_image() -> Result<Image, ImageError> {
    Image::decode(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

async fn listed(routes: Arc<Routes>) -> Vec<v1::Endpoint> {
    let mut all = Vec::new();
    for (endpoint, contracts) in routes.endpoints() {
        all.push(described(endpoint.status().await, contracts));
    }
    all
}

fn described(status: EndpointStatus, contracts: Vec<String>) -> v1::Endpoint {
    let kind = if status.adapter.is_some() { v1::endpoint::Kind::Adapter } else { v1::endpoint::Kind::Remote };
    let address = |address: passerelle_bus::call::AddressStatus| v1::Address {
        address: address.address,
        state: state(address.state).into(),
        reason: address.reason,
        resolved: address.resolved.map(|ip| ip.to_string()).unwrap_or_default(),
    };
    v1::Endpoint {
        name: status.name,
        kind: kind.into(),
        adapter: status.adapter.unwrap_or_default().to_owned(),
        addresses: status.addresses.into_iter().map(address).collect(),
        contracts,
        in_flight: status.in_flight as u64,
        policy: Some(policy(status.policy, status.reads)),
    }
}

fn policy(status: PolicyStatus, reads: ShareStatus) -> v1::Policy {
    let PolicyStatus { envelope, breaker, channels, hedges } = status;
    let usage = |usage: ChannelUsage| v1::policy::ChannelUsage {
        channel: usage.channel,
        calls: usage.calls,
        cost: usage.cost,
        shed: usage.shed,
    };
    v1::Policy {
        concurrency: envelope.places,
        taken: envelope.taken as u64,
        rate: envelope.rate.map(|rate| v1::policy::Rate { per_second: rate.per_second, burst: rate.burst }),
        waiting: envelope.waiting as u64,
        batch_windows: envelope.batch_windows,
        opens_at: envelope.opens.map(Into::into),
        // A duration that protobuf cannot say is none that calls take.
        usual_duration: envelope.usual.try_into().ok(),
        channels: channels.into_iter().map(usage).collect(),
        breaker: match breaker {
            BreakerStatus::Closed => v1::policy::Breaker::Closed,
            BreakerStatus::Open(_) => v1::policy::Breaker::Open,
            BreakerStatus::HalfOpen => v1::policy::Breaker::HalfOpen,
        }
        .into(),
        reads: (reads != ShareStatus { most_bytes: reads.most_bytes, ..ShareStatus::default() }).then_some(v1::policy::Reads {
            asked: reads.asked,
            shared: reads.shared,
            kept: reads.kept,
            answers: reads.answers as u64,
            bytes: reads.bytes as u64,
            most_bytes: reads.most_bytes as u64,
        }),
        hedges: (hedges != HedgeStatus::default()).then_some(v1::policy::Hedges {
            sent: hedges.sent,
            won: hedges.won,
            skipped: hedges.skipped,
        }),
        left_alone_for: match breaker {
            BreakerStatus::Open(left) => left.try_into().ok(),
            BreakerStatus::Closed | BreakerStatus::HalfOpen => None,
        },
    }
}

fn state(state: AddressState) -> v1::address::State {
    match state {
        AddressState::Connecting => v1::address::State::Connecting,
        AddressState::Ready => v1::address::State::Ready,
        AddressState::Degraded => v1::address::State::Degraded,
        AddressState::Ejected => v1::address::State::Ejected,
        AddressState::NotServing => v1::address::State::NotServing,
        AddressState::Down => v1::address::State::Down,
    }
}
