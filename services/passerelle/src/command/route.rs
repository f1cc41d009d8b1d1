//! `passerelle route`: the routes of a running bus, and what they would do, tried without one.

mod offline;
mod shown;

use std::time::SystemTime;

use clap::{Args, Subcommand};
use passerelle_proto::bus::v1;
use passerelle_proto::bus::v1::routes_client::RoutesClient;
use tonic::{Code as Outcome, Status};

pub(super) use self::offline::run as cases;
use super::connect::{self, Tls};
use crate::cli::SettingsFile;
use crate::explain::Code;
use crate::failure::Failure;
use crate::output::print;
use crate::route_cases::Call;

/// What to do with routes.
#[derive(Debug, Args)]
#[command(
    about = "Lists, tests, explains and reloads the routes: where calls go that their contract's endpoint alone does not tell",
    after_help = "`test` and `explain` read the settings, the route files and the contracts that the settings name, and connect to nothing.\n\
        `list`, `reload` and `rollback` ask a running bus. SIGHUP reloads, too."
)]
pub struct Route {
    /// The bus's admin address
    #[arg(long, global = true, value_name = "URL", env = "PASSERELLE_ADMIN", default_value = "http://127.0.0.1:7401")]
    pub admin: String,
    #[command(flatten)]
    pub tls: Tls,
    /// What to do.
    #[command(subcommand)]
    pub command: RouteCommand,
}

/// What can be done with routes.
#[derive(Debug, Subcommand)]
pub enum RouteCommand {
    /// Lists the routes that a running bus has, with their set's version
    List,
    /// Runs the cases that stand beside the route files (NAME.cases.yaml), and prints a line for each that fails
    Test(SettingsFile),
    Explain(Explain),
    /// Has a running bus read its route files anew: all of them run from then on, or none
    Reload {
        /// Only say what would be
        #[arg(long)]
        dry_run: bool,
    },
    /// Has a running bus go back to the routes before the last reload
    Rollback,
}

/// The call to explain.
#[derive(Debug, Args)]
#[command(about = "Shows which routes a call would be looked at by, which takes it, and why the others do not")]
pub struct Explain {
    /// The method: package.Service/Method
    pub method: String,
    /// The request: JSON, or @FILE
    #[arg(value_name = "MESSAGE", default_value = "{}", allow_hyphen_values = true)]
    pub message: String,
    /// Metadata of the call, may be given several times
    #[arg(long, short = 'm', value_name = "KEY=VALUE")]
    pub metadata: Vec<String>,
    #[command(flatten)]
    pub settings: SettingsFile,
}

/// Does it.
pub(super) fn run(arguments: &Route) -> Result<(), Failure> {
    match &arguments.command {
        RouteCommand::Test(settings) => offline::test(settings),
        RouteCommand::Explain(explain) => offline::explain(explain),
        _ => crate::serve::runtime(1)?.block_on(ask(arguments)),
    }
}

async fn ask(arguments: &Route) -> Result<(), Failure> {
    let mut client = RoutesClient::new(connect::channel(&arguments.admin, &arguments.tls)?);
    let failed = |status: Status| failed(&arguments.admin, &status);
    match &arguments.command {
        RouteCommand::Reload { dry_run } => {
            let reload = v1::ReloadRoutesRequest { dry_run: *dry_run };
            let answer = client.reload_routes(reload).await.map_err(failed)?.into_inner();
            print(&shown::reload(&answer, *dry_run));
        }
        RouteCommand::Rollback => {
            let answer = client.roll_back_routes(v1::RollBackRoutesRequest {}).await.map_err(failed)?.into_inner();
            print(&format!("rolled back: {}\n", shown::set(&answer.set.unwrap_or_default())));
        }
        _ => {
            let answer = client.list_routes(v1::ListRoutesRequest {}).await.map_err(failed)?.into_inner();
            print(&shown::list(&answer));
        }
    }
    Ok(())
}

fn failed(admin: &str, status: &Status) -> Failure {
    if connect::is_unreachable(status) {
        return connect::unreachable("Passerelle", admin, status, Code::ADMIN_UNREACHABLE);
    }
    match status.code() {
        Outcome::FailedPrecondition => Failure::new(Code::ROUTES_REFUSED, status.message()),
        Outcome::Unimplemented => {
            Failure::new(Code::ADMIN_UNREACHABLE, format!("{admin} is no admin port of Passerelle: {}", status.message()))
        }
        _ => Failure::plain(status.message()),
    }
}

impl Explain {
    /// The call as it is thought of.
    fn call(&self) -> Result<Call, Failure> {
        let text = match self.message.strip_prefix('@') {
            Some(file) => {
                std::fs::read_to_string(file).map_err(|error| Failure::usage(format!("cannot read {file}: {error}")))?
            }
            None => self.message.clone(),
        };
        let request = serde_json::from_str(&text)
            .map_err(|error| Failure::usage_with(Code::REQUEST_REFUSED, format!("the message is no JSON: {error}")))?;
        let pair = |text: &String| {
            let (key, value) = text.split_once('=').ok_or_else(|| Failure::usage(format!("`{text}`: write KEY=VALUE")))?;
            Ok((key.trim().to_ascii_lowercase(), value.to_owned()))
        };
        let metadata = self.metadata.iter().map(pair).collect::<Result<_, Failure>>()?;
        Ok(Call { method: self.method.clone(), metadata, received: SystemTime::now(), request })
    }
}
