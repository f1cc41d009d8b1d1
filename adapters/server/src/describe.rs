//! What a kind and an open adapter say of themselves, in the words of the wire.

use passerelle_adapter::{Adapter, ContractSource, Health, Kind};
use passerelle_proto::adapter::v1;
use passerelle_proto::adapter::v1::health_response::State;
use tonic::Status;

use crate::limits::Limits;

/// The only version of the port so far.
pub(crate) const VERSION: u32 = 1;

/// Shakes hands.
pub(crate) fn hello(kind: &dyn Kind, release: &str, request: &v1::DescribeRequest) -> Result<v1::DescribeResponse, Status> {
    if !request.versions.contains(&VERSION) {
        let theirs: Vec<String> = request.versions.iter().map(ToString::to_string).collect();
        let theirs = if theirs.is_empty() { "none".to_owned() } else { theirs.join(", ") };
        let text =
            format!("no version of the port in common: this adapter speaks {VERSION}, the bus ({}) speaks {theirs}", request.bus);
        return Err(Status::failed_precondition(text));
    }
    Ok(v1::DescribeResponse {
        version: VERSION,
        kind: kind.name().to_owned(),
        release: release.to_owned(),
        summary: kind.summary().to_owned(),
        settings_schema: kind.settings_schema().to_string(),
    })
}

/// What it speaks with its settings.
pub(crate) fn configured(adapter: &dyn Adapter, limits: Limits) -> v1::ConfigureResponse {
    let descriptor = adapter.descriptor();
    let abilities = v1::Abilities { lookup: adapter.abilities().lookup, receive: adapter.receives(), request_end: true };
    v1::ConfigureResponse {
        contracts: descriptor.contracts.iter().map(contract).collect(),
        idempotent: descriptor.idempotent.clone(),
        behind: descriptor.behind.clone(),
        abilities: Some(abilities),
        limits: Some(v1::Limits {
            message_bytes: limits.message_bytes,
            calls: limits.calls,
            first_credits: limits.first_credits,
        }),
    }
}

fn contract(source: &ContractSource) -> v1::Contract {
    let files = source.files.iter().map(|file| v1::ProtoFile { path: file.path.clone(), text: file.text.clone() });
    v1::Contract { name: source.name.clone(), files: files.collect() }
}

/// How well it is.
pub(crate) fn health(health: Health) -> v1::HealthResponse {
    let (state, reason) = match health {
        Health::Ready => (State::Ready, String::new()),
        Health::Degraded { reason } => (State::Degraded, reason),
        Health::Down { reason } => (State::Down, reason),
    };
    v1::HealthResponse { state: state.into(), reason }
}
