//! The command line: what can be asked, and the help that goes with it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// All arguments.
#[derive(Debug, Parser)]
#[command(
    name = "passerelle",
    version,
    propagate_version = true,
    about = "A lightweight integration bus: gRPC channels on one side, back offices of any kind on the other",
    long_about = "A lightweight integration bus: gRPC channels on one side, back offices of any kind on the other.\n\n\
        A back office that speaks gRPC is called as it is. One that does not gets an adapter that makes it look as if it did.\n\
        Everything that Passerelle does is declared in one settings file.",
    after_help = "Examples:\n  \
        passerelle demo                                    a sample bank, with no server installed\n  \
        passerelle reference sample > passerelle.yaml      settings to begin with\n  \
        passerelle check && passerelle serve               prove them, then run\n  \
        passerelle explain P0003                           what an error means and the way out\n\n\
        Exit codes: 0 done, 1 failed (the reason is on standard error), 2 wrong arguments.",
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 120
)]
pub struct Arguments {
    /// What is asked.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs the bus: serves channels on one port, operators on another, until SIGTERM
    #[command(
        after_help = "Prints `ready: channels ADDRESS, admin ADDRESS` on standard output once both ports are open; logs go to standard error.\nSIGTERM or Ctrl-C drains: calls in flight end, new ones go elsewhere. A second one ends it at once."
    )]
    Serve(SettingsFile),
    Demo(Demo),
    /// Proves the settings, the adapter files and the contracts they name, without serving or connecting
    #[command(
        after_help = "Prints one `ok` line for each thing proven; an error names file, line and column. Exit code 1 if anything is wrong."
    )]
    Check(SettingsFile),
    Contract(crate::command::contract::Contract),
    Endpoint(crate::command::endpoint::Endpoint),
    Route(crate::command::route::Route),
    Call(crate::command::call::Call),
    Publish(crate::command::publish::Publish),
    Tail(crate::command::tail::Tail),
    Consume(crate::command::consume::Consume),
    Lanes(crate::command::lanes::Lanes),
    Patterns(crate::command::patterns::Patterns),
    Dead(crate::command::dead::Dead),
    Record(crate::command::record::Record),
    Twin(crate::command::twin::Twin),
    Callback(crate::command::callback::Callback),
    Handoff(crate::command::handoff::Handoff),
    Desk(crate::command::desk::Desk),
    #[command(subcommand)]
    Journal(crate::command::journal::Journal),
    #[command(subcommand)]
    View(crate::command::view::View),
    #[command(subcommand)]
    Adapter(AdapterCommand),
    Conformance(crate::command::conformance::Conformance),
    #[command(subcommand)]
    Copybook(CopybookCommand),
    Double(DoubleArguments),
    Feel(crate::command::feel::Feel),
    Decide(crate::command::decide::Decide),
    #[command(subcommand)]
    Decision(crate::command::decision::Decision),
    Explain(Explain),
    Reference(Reference),
}

/// How the demo runs.
#[derive(Debug, Args)]
#[command(
    about = "Runs a sample bank with no server installed: a mainframe double, a gRPC back office, documents and a CRM, with traffic through the bus",
    after_help = "Each call is shown with its way through the bus and the time of each step. Meanwhile a second bus promises a customer a\n\
        callback, is killed with -9 before it is due, and started anew: the adviser's desk rings at the promised time. Ctrl-C ends it."
)]
pub struct Demo {
    /// Stop after this many calls [default: go on until Ctrl-C]
    #[arg(long, value_name = "N")]
    pub calls: Option<u64>,
    /// Pause between calls, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 2_000)]
    pub pause_ms: u64,
    /// Where channels connect [default: 127.0.0.1:7400, or a free port]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Where operators connect [default: 127.0.0.1:7401, or a free port]
    #[arg(long, value_name = "ADDRESS")]
    pub admin: Option<SocketAddr>,
    /// Play one of the back offices only: how the demo starts them in processes of their own
    #[arg(long, hide = true, value_enum)]
    pub part: Option<DemoPart>,
}

/// The back offices of the demo that are processes of their own.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum DemoPart {
    /// Card disputes.
    Disputes,
}

/// The settings file, as several commands take it.
#[derive(Debug, Args)]
pub struct SettingsFile {
    /// The settings file [default: ./passerelle.yaml]
    ///
    /// Each key of it can also be given by an environment variable, two underscores going one level down:
    /// PASSERELLE_LIMITS__DEADLINE_MS=5000.
    #[arg(long = "settings", short = 's', value_name = "FILE", env = "PASSERELLE_SETTINGS")]
    pub settings: Option<PathBuf>,
}

/// What can be asked about adapters.
#[derive(Debug, Subcommand)]
#[command(about = "Shows the adapters that are built in, serves them as processes of their own, and begins new ones")]
pub enum AdapterCommand {
    New(crate::command::adapter::New),
    /// Lists the adapters: name, maturity, what for
    List,
    /// Describes one adapter: the fields of the file that an integrator writes for it
    Describe {
        /// The adapter's name, of `passerelle adapter list`
        name: String,
        /// Prints the JSON schema instead, for editors
        #[arg(long)]
        schema: bool,
    },
    Serve(ServeAdapter),
}

/// Which adapter to serve, and where.
#[derive(Debug, Args)]
#[command(
    about = "Serves one adapter as a process of its own, for an endpoint with `adapter: remote`",
    after_help = "Prints `ready: ADDRESS` once it is open. It gets its settings from the bus, finds the secrets that they name where it runs,\nand drains on SIGTERM. Relative paths in the settings begin in the folder that it runs in."
)]
pub struct ServeAdapter {
    /// The adapter's name, of `passerelle adapter list`
    pub kind: String,
    /// Where to listen: unix:PATH or http://ADDRESS:PORT
    #[arg(long, value_name = "ADDRESS", env = "PASSERELLE_ADAPTER_LISTEN")]
    pub listen: String,
    /// How long calls in flight may go on after SIGTERM
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub grace_seconds: u64,
    /// `stdin`: drain as well when standard input ends; a bus that starts the adapter holds it as long as it lives
    #[arg(long, value_name = "WHAT", env = "PASSERELLE_ADAPTER_LIFELINE")]
    pub lifeline: Option<String>,
}

/// What can be done with copybooks.
#[derive(Debug, Subcommand)]
#[command(about = "Works with COBOL copybooks, for the mainframe adapter")]
pub enum CopybookCommand {
    /// Writes the gRPC contract of the operations declared in a mainframe file, and the lock file that keeps its numbers
    Proto {
        /// The mainframe adapter's file (YAML)
        file: PathBuf,
        /// Folder for the contract, which goes below it by its package [default: the file's folder]
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
    },
    /// Prints the layout of records: each field's offset, length, picture and type
    Layout {
        /// A copybook, or a mainframe adapter's file (YAML) for all of its records
        file: PathBuf,
    },
}

/// Which mainframe to play.
#[derive(Debug, Args)]
#[command(
    about = "Plays a mainframe: answers the records of a mainframe file over TCP, from samples or recorded exchanges",
    after_help = "The file says what to answer; `deploy/sample/accounts/double.yaml` is one. It can also record what a real host answers, and replay it."
)]
pub struct DoubleArguments {
    /// What to answer (YAML)
    pub file: PathBuf,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:24711")]
    pub listen: String,
}

/// Which error to explain.
#[derive(Debug, Args)]
#[command(about = "Explains an error code and the way out; without a code, lists them all")]
pub struct Explain {
    /// The code, such as P0003
    pub code: Option<String>,
}

/// Which reference page to print.
#[derive(Debug, Args)]
#[command(about = "Prints a page of the reference, generated from the program; without a page, lists them all")]
pub struct Reference {
    /// The page, such as settings
    pub page: Option<String>,
}
