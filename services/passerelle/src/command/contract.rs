//! `passerelle contract`: what back offices offer through a running bus.

mod diff;
pub(super) mod listing;
mod proto_text;
mod refusal;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use passerelle_bus::contract::Image;
use passerelle_proto::bus::v1;
use passerelle_proto::bus::v1::add_contract_request::From as Origin;
use passerelle_proto::bus::v1::add_contract_response::Change;
use passerelle_proto::bus::v1::contract_binding::To;
use passerelle_proto::bus::v1::contracts_client::ContractsClient;
use passerelle_proto::bus::v1::endpoints_client::EndpointsClient;
use tonic::Status;
use tonic::transport::Channel;

use super::connect::{self, Tls};
use crate::contract_files;
use crate::explain::Code;
use crate::failure::Failure;

/// Bytes that the bus may answer: an image, and room.
const MAX_ANSWER_BYTES: usize = 32 * 1024 * 1024;

/// What to do with contracts, and on which bus.
#[derive(Debug, Args)]
#[command(about = "Adds, lists, shows and removes the contracts of a running bus")]
pub struct Contract {
    /// The bus's admin address
    #[arg(long, global = true, value_name = "URL", env = "PASSERELLE_ADMIN", default_value = "http://127.0.0.1:7401")]
    pub admin: String,
    #[command(flatten)]
    pub tls: Tls,
    /// What to do.
    #[command(subcommand)]
    pub command: ContractCommand,
}

/// What can be done with contracts.
#[derive(Debug, Subcommand)]
pub enum ContractCommand {
    /// Registers a contract, or a new version of one; the same content again changes nothing
    #[command(after_help = "Examples:\n  \
        passerelle contract add --proto bank/v1/accounts.proto -I protos --address http://10.0.0.7:50051\n  \
        passerelle contract add accounts --image accounts.binpb --endpoint bank\n  \
        passerelle contract add --reflect http://10.0.0.7:50051\n\n\
        Editions: build an image (buf build -o x.binpb); --proto reads proto2 and proto3.")]
    Add(Add),
    /// Lists all contracts in all versions
    List,
    /// Shows a contract: its services and methods, or as .proto text
    Show(Show),
    /// Compares two versions: what the new one would break. Exit code 100 if anything
    #[command(after_help = "Examples:\n  \
        passerelle contract diff bank.v1 bank/v1/accounts.proto -I protos     the registered one with a file\n  \
        passerelle contract diff bank.v1@1 bank.v1@2                          two registered versions\n  \
        passerelle contract diff old.binpb new.binpb --rule FILE --json       two images, as `buf breaking` would\n\n\
        Exit codes: 0 compatible, 100 incompatible, 1 failed, 2 wrong arguments.")]
    Diff(diff::Diff),
    /// Removes a version of a contract (NAME@2), or the contract (NAME)
    Remove {
        /// The contract, such as bank.v1 or bank.v1@2
        name: Named,
    },
}

/// A contract to register.
#[derive(Debug, Args)]
pub struct Add {
    /// Its name [default: the package of its services]
    pub name: Option<String>,
    #[command(flatten)]
    pub from: From,
    /// Folder in which imports are looked for, may be given several times [default: the folder of each file]
    #[arg(long, short = 'I', value_name = "DIR", requires = "proto")]
    pub include: Vec<PathBuf>,
    /// Endpoint of the settings that serves it
    #[arg(long, value_name = "NAME", conflicts_with = "address")]
    pub endpoint: Option<String>,
    /// Lets an incompatible version in, and says why; logged, and shown with the version for ever
    #[arg(long = "override", value_name = "REASON")]
    pub override_reason: Option<String>,
    /// Server that serves it, may be given several times [default: as before; for a new contract, the reflected server]
    #[arg(long, value_name = "URL")]
    pub address: Vec<String>,
}

/// Where a contract's descriptors come from.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct From {
    /// .proto file to compile, may be given several times
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub proto: Vec<PathBuf>,
    /// Descriptor set (protoc -o x.binpb --include_imports) or buf image (buf build -o x.binpb)
    #[arg(long, value_name = "FILE")]
    pub image: Option<PathBuf>,
    /// Running server that the bus asks by gRPC reflection
    #[arg(long, value_name = "URL")]
    pub reflect: Option<String>,
}

/// What to show of a contract.
#[derive(Debug, Args)]
pub struct Show {
    /// The contract, such as bank.v1 or bank.v1@2 [default version: the newest]
    pub name: Named,
    /// Only that method, with the messages that it uses
    #[arg(long, value_name = "METHOD")]
    pub method: Option<String>,
    /// All of it, as .proto text
    #[arg(long, conflicts_with = "method")]
    pub proto: bool,
}

/// A contract and perhaps a version: `NAME` or `NAME@2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// The version; 0 if none is said.
    pub version: u32,
}

impl std::str::FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, version) = text.split_once('@').map_or((text, None), |(name, version)| (name, Some(version)));
        let version = match version.map(str::parse) {
            None => 0,
            Some(Ok(version)) if version > 0 => version,
            Some(_) => return Err("write a version as NAME@2, counting from 1".to_owned()),
        };
        Ok(Self { name: name.to_owned(), version })
    }
}

/// Asks the bus, and prints what it says.
pub(crate) async fn run(arguments: &Contract) -> Result<(), Failure> {
    if let ContractCommand::Diff(diff) = &arguments.command {
        // Of two files, no bus needs to know.
        return diff::run(arguments, diff).await;
    }
    let bus = Bus::at(arguments)?;
    match &arguments.command {
        ContractCommand::Diff(_) => Ok(()),
        ContractCommand::Add(add) => bus.add(add).await,
        ContractCommand::List => bus.list().await,
        ContractCommand::Show(show) => bus.show(show).await,
        ContractCommand::Remove { name } => bus.remove(name).await,
    }
}

/// The administration of a running bus.
struct Bus {
    address: String,
    channel: Channel,
    client: ContractsClient<Channel>,
}

impl Bus {
    fn at(arguments: &Contract) -> Result<Self, Failure> {
        let channel = connect::channel(&arguments.admin, &arguments.tls)?;
        let client = ContractsClient::new(channel.clone()).max_decoding_message_size(MAX_ANSWER_BYTES);
        Ok(Self { address: arguments.admin.clone(), channel, client })
    }

    async fn add(&self, add: &Add) -> Result<(), Failure> {
        let request = request(add)?;
        let response = self.client.clone().add_contract(request).await;
        let response = response.map_err(|status| self.not_added(add, status))?.into_inner();
        let contract = response.contract.unwrap_or_default();
        let what = match response.change {
            change if change == Change::Registered as i32 => "registered",
            change if change == Change::Rebound as i32 => "registered already, now served elsewhere",
            _ => "registered already, nothing changed",
        };
        let methods: usize = contract.services.iter().map(|service| service.methods.len()).sum();
        println!("{}@{}: {what}; methods: {methods}; served by {}", contract.name, contract.version, listing::binding(&contract));
        if response.newest_version > contract.version {
            let (name, version, newest) = (&contract.name, contract.version, response.newest_version);
            println!("calls still go to {name}@{newest}; to go back to @{version}: passerelle contract remove {name}@{newest}");
        }
        match contract.binding.and_then(|binding| binding.to) {
            None => println!("say who serves it: the same command with --address URL or --endpoint NAME"),
            Some(To::Endpoint(name)) => self.warn_of_unknown(&name).await?,
            Some(To::Addresses(_)) => {}
        }
        Ok(())
    }

    /// An endpoint may be declared after its contract: a warning, no error.
    async fn warn_of_unknown(&self, endpoint: &str) -> Result<(), Failure> {
        let response = EndpointsClient::new(self.channel.clone()).list_endpoints(v1::ListEndpointsRequest {}).await;
        let endpoints = response.map_err(|status| self.failed(status))?.into_inner().endpoints;
        if endpoints.iter().all(|known| known.name != endpoint) {
            let names: Vec<&str> = endpoints.iter().map(|known| known.name.as_str()).collect();
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            eprintln!("warning: the settings have no endpoint {endpoint} (there is {known}): calls fail until they do");
        }
        Ok(())
    }

    /// Tells the server to reflect, which did not answer, from the bus, which did.
    fn not_added(&self, add: &Add, status: Status) -> Failure {
        let reflected = add.from.reflect.as_ref().is_some_and(|address| status.message().starts_with(&format!("{address}: ")));
        match reflected && status.code() != tonic::Code::InvalidArgument {
            true => Failure::new(Code::REFLECTION_FAILED, status.message()),
            false => self.failed(status),
        }
    }

    async fn list(&self) -> Result<(), Failure> {
        let response = self.client.clone().list_contracts(v1::ListContractsRequest {}).await;
        let contracts = response.map_err(|status| self.failed(status))?.into_inner().contracts;
        print!("{}", listing::table(&contracts));
        Ok(())
    }

    async fn get(&self, named: &Named) -> Result<v1::GetContractResponse, Failure> {
        let Named { name, version } = named.clone();
        let response = self.client.clone().get_contract(v1::GetContractRequest { name, version }).await;
        Ok(response.map_err(|status| self.failed(status))?.into_inner())
    }

    async fn show(&self, show: &Show) -> Result<(), Failure> {
        let response = self.get(&show.name).await?;
        let contract = response.contract.unwrap_or_default();
        let image = Image::decode(response.image).map_err(Failure::plain)?;
        let text = match &show.method {
            None if show.proto => proto_text::files(&image, &contract),
            None => listing::contract(&contract, &response.consumers),
            Some(method) => proto_text::method(&image, &contract, method)?,
        };
        print!("{text}");
        Ok(())
    }

    async fn remove(&self, named: &Named) -> Result<(), Failure> {
        let Named { name, version } = named.clone();
        let response = self.client.clone().remove_contract(v1::RemoveContractRequest { name, version }).await;
        for contract in response.map_err(|status| self.failed(status))?.into_inner().removed {
            println!("{}@{}: removed", contract.name, contract.version);
        }
        Ok(())
    }

    fn failed(&self, status: Status) -> Failure {
        if connect::is_unreachable(&status) {
            return connect::unreachable("Passerelle", &self.address, &status, Code::ADMIN_UNREACHABLE);
        }
        if let Some(incompatibility) = refusal::of_status(&status) {
            return Failure::new(Code::CONTRACT_INCOMPATIBLE, refusal::text(&incompatibility));
        }
        match status.code() {
            tonic::Code::InvalidArgument | tonic::Code::AlreadyExists => Failure::new(Code::CONTRACT_REFUSED, status.message()),
            tonic::Code::Unimplemented => {
                let reason = format!("{} is no admin port of Passerelle: {}", self.address, status.message());
                Failure::new(Code::ADMIN_UNREACHABLE, reason)
            }
            _ => Failure::plain(status.message()),
        }
    }
}

fn request(add: &Add) -> Result<v1::AddContractRequest, Failure> {
    let (from, origin) = match (&add.from.image, &add.from.reflect) {
        (_, Some(address)) => (Origin::Reflect(address.clone()), String::new()),
        (Some(path), _) => (Origin::Image(contract_files::image(path)?.bytes().to_vec()), file_name(path)),
        _ => {
            let files = &add.from.proto;
            (Origin::Image(contract_files::compile(files, &add.include)?.bytes().to_vec()), contract_files::listed(files))
        }
    };
    let endpoint = add.endpoint.clone().map(To::Endpoint);
    let addresses = (!add.address.is_empty()).then(|| To::Addresses(v1::Addresses { address: add.address.clone() }));
    let binding = endpoint.or(addresses).map(|to| v1::ContractBinding { to: Some(to) });
    Ok(v1::AddContractRequest {
        name: add.name.clone().unwrap_or_default(),
        from: Some(from),
        binding,
        origin,
        override_reason: add.override_reason.clone().unwrap_or_default(),
    })
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contract_is_named_with_or_without_a_version() {
        let named = |name: &str, version| Ok(Named { name: name.to_owned(), version });
        assert_eq!("bank.v1".parse(), named("bank.v1", 0));
        assert_eq!("bank.v1@12".parse(), named("bank.v1", 12));
        for wrong in ["bank@", "bank@0", "bank@x", "bank@-1", "bank@1@2"] {
            assert!(wrong.parse::<Named>().is_err(), "{wrong}");
        }
    }
}
