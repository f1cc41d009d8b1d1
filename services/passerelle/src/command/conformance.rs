//! `passerelle conformance`: holds an adapter in any language against the laws of the port.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use passerelle_kit::{Report, Row, SubjectFile, is_endpoint};

use crate::failure::Failure;
use crate::output::print;

/// Which adapter to hold against the laws, and what to write.
#[derive(Debug, Args)]
#[command(
    about = "Holds an adapter, in any language, against the laws of the adapter port, with faults put between it and the system behind",
    after_help = "The subject file says how the adapter is reached or started, and gives examples of its traffic; what it does not give is reported as\n\
        not proven. `passerelle reference conformance` tells every key of it, and every law.\n\n\
        Exit codes: 0 no law is broken, 1 a law is broken, 2 the subject cannot be used."
)]
pub struct Conformance {
    /// Where the adapter listens: unix:PATH or http://HOST:PORT; goes before that of the subject file
    #[arg(long, value_name = "ENDPOINT")]
    pub endpoint: Option<String>,
    /// What the kit is told about the adapter (YAML)
    #[arg(long, value_name = "FILE")]
    pub subject: Option<PathBuf>,
    /// Only these laws: a group (`drain`) or the beginning of their names (`effect.same-key`); may be repeated
    #[arg(long, value_name = "GROUP")]
    pub only: Vec<String>,
    /// Write the report as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// Runs the laws, tells each as it is known, and writes the reports.
pub(super) async fn run(arguments: &Conformance) -> Result<(), Failure> {
    let (subject, folder) = subject(arguments)?;
    check_groups(&arguments.only)?;
    let told = |row: &Row| {
        println!("{}", row.line());
        // Seen as it comes, also by who reads a pipe; one that is closed ends the report, not the run.
        let _ = std::io::stdout().flush();
    };
    let report = passerelle_kit::over_the_wire(subject, folder, &arguments.only, told).await.map_err(Failure::usage)?;
    print(&report.text());
    for (path, text) in [(&arguments.junit, report.junit()), (&arguments.json, format!("{:#}\n", report.json()))] {
        if let Some(path) = path {
            write(path, &text)?;
        }
    }
    verdict(&report)
}

fn verdict(report: &Report) -> Result<(), Failure> {
    match report.broken().count() {
        0 => Ok(()),
        1 => Err(Failure::plain("1 law is broken")),
        broken => Err(Failure::plain(format!("{broken} laws are broken"))),
    }
}

/// The subject, and the folder in which its command runs.
fn subject(arguments: &Conformance) -> Result<(SubjectFile, PathBuf), Failure> {
    let mut subject = match &arguments.subject {
        Some(path) => SubjectFile::read(path).map_err(Failure::usage)?,
        None => SubjectFile::default(),
    };
    if let Some(endpoint) = &arguments.endpoint {
        if !is_endpoint(endpoint) {
            return Err(Failure::usage(format!("--endpoint: `{endpoint}` is neither unix:PATH nor http://HOST:PORT")));
        }
        // What runs there is not to be started as well.
        subject.command.clear();
        subject.endpoint = Some(endpoint.clone());
    }
    if subject.endpoint.is_none() && subject.command.is_empty() {
        return Err(Failure::usage("say which adapter: --endpoint unix:PATH, or --subject FILE with `endpoint` or `command`"));
    }
    let folder = arguments.subject.as_deref().and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty());
    Ok((subject, folder.unwrap_or(Path::new(".")).to_owned()))
}

fn check_groups(only: &[String]) -> Result<(), Failure> {
    let laws = passerelle_kit::laws();
    let unknown = only.iter().find(|name| !laws.iter().any(|law| law.group() == *name || law.id.starts_with(name.as_str())));
    let Some(unknown) = unknown else { return Ok(()) };
    let mut groups: Vec<&str> = laws.iter().map(|law| law.group()).collect();
    groups.dedup();
    Err(Failure::usage(format!("--only: no law is called `{unknown}` (groups: {})", groups.join(", "))))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|error| Failure::plain(format!("cannot write {}: {error}", path.display())))
}
