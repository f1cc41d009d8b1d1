//! `passerelle endpoint`: where the calls of a running bus go, how that is, and what protects it.

mod listing;

use clap::{Args, Subcommand};
use passerelle_proto::bus::v1;
use passerelle_proto::bus::v1::endpoints_client::EndpointsClient;
use tonic::Status;

use super::connect::{self, Tls};
use crate::explain::Code;
use crate::failure::Failure;
use crate::output::print;

/// What to ask about endpoints, and which bus.
#[derive(Debug, Args)]
#[command(about = "Lists and shows the endpoints of a running bus: their state, and the policy that protects them")]
pub struct Endpoint {
    /// The bus's admin address
    #[arg(long, global = true, value_name = "URL", env = "PASSERELLE_ADMIN", default_value = "http://127.0.0.1:7401")]
    pub admin: String,
    #[command(flatten)]
    pub tls: Tls,
    /// What to do.
    #[command(subcommand)]
    pub command: EndpointCommand,
}

/// What can be asked about endpoints.
#[derive(Debug, Subcommand)]
pub enum EndpointCommand {
    /// Lists all endpoints: whether they take calls, how many they have, how many wait
    List,
    /// Shows one endpoint: its addresses, its contracts, its policy, and what each channel has consumed of it
    Show {
        /// The endpoint's name
        name: String,
    },
}

/// Asks the bus, and prints what it says.
pub(super) async fn run(arguments: &Endpoint) -> Result<(), Failure> {
    let channel = connect::channel(&arguments.admin, &arguments.tls)?;
    let response = EndpointsClient::new(channel).list_endpoints(v1::ListEndpointsRequest {}).await;
    let endpoints = response.map_err(|status| failed(&arguments.admin, &status))?.into_inner().endpoints;
    match &arguments.command {
        EndpointCommand::List => print(&listing::table(&endpoints)),
        EndpointCommand::Show { name } => print(&listing::endpoint(find(&endpoints, name)?)),
    }
    Ok(())
}

fn find<'a>(endpoints: &'a [v1::Endpoint], name: &str) -> Result<&'a v1::Endpoint, Failure> {
    endpoints.iter().find(|endpoint| endpoint.name == name).ok_or_else(|| {
        let names: Vec<&str> = endpoints.iter().map(|endpoint| endpoint.name.as_str()).collect();
        let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        Failure::plain(format!("no endpoint {name} (there is {known})"))
    })
}

/// What the admin port answers instead.
pub(super) fn failed(admin: &str, status: &Status) -> Failure {
    if connect::is_unreachable(status) {
        return connect::unreachable("Passerelle", admin, status, Code::ADMIN_UNREACHABLE);
    }
    match status.code() {
        tonic::Code::Unimplemented => {
            Failure::new(Code::ADMIN_UNREACHABLE, format!("{admin} is no admin port of Passerelle: {}", status.message()))
        }
        _ => Failure::plain(status.message()),
    }
}
