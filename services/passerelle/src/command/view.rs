//! `passerelle view`: the tables that are made of the journal.

use std::path::Path;
use std::time::Duration;

use clap::Subcommand;
use passerelle_projection::{Health, Inspected, OpenError, Projection, Status};
use tokio::time::timeout;

use crate::cli::SettingsFile;
use crate::explain::Code;
use crate::failure::Failure;
use crate::output::print;
use crate::serve::durable::{folds, open_log, open_projection, views};

/// How often progress is told.
const EVERY: Duration = Duration::from_secs(1);

/// What can be done with the views.
#[derive(Debug, Subcommand)]
#[command(about = "Shows the views, the tables that the bus makes of its journal, and builds them anew")]
pub enum View {
    /// Lists the views with the last record that each shows, and why they stopped if they did
    #[command(
        after_help = "Reads the file, whether or not the bus runs; `sqlite3 -readonly` shows what is in the tables. How far a running bus is\n\
            behind is the metric passerelle_projection_lag_records.\n\
            Exit codes: 0 they are there, 1 they stopped or cannot be read, 2 wrong arguments."
    )]
    Status(SettingsFile),
    /// Throws the views of a bus that is stopped away, and builds them anew from the journal
    #[command(
        after_help = "Nothing is lost by it: all that the views know is in the journal. Ended before it is done, it goes on at the next start.\n\
            Exit codes: 0 done, 1 journal or views are in use or cannot be used, 2 wrong arguments."
    )]
    Rebuild(SettingsFile),
}

/// Does what was asked.
pub(super) async fn run(command: &View) -> Result<(), Failure> {
    match command {
        View::Status(file) => status(&views(&super::load(file)?.settings)),
        View::Rebuild(file) => rebuild(file).await,
    }
}

fn status(path: &Path) -> Result<(), Failure> {
    let Some(Inspected { views, stopped }) = Projection::inspect(path).map_err(unusable)? else {
        print(&format!("no views yet: {} is made when the bus first starts\n", path.display()));
        return Ok(());
    };
    let width = views.iter().map(|view| view.name.len()).fold("view".len(), usize::max);
    let mut text = format!("{:<width$}  version  last record\n", "view");
    for view in &views {
        text.push_str(&format!("{:<width$}  {:>7}  {:>11}\n", view.name, view.version, view.position));
    }
    print(&text);
    stopped.map_or(Ok(()), |stopped| Err(Failure::new(Code::VIEWS_STOPPED, stopped)))
}

async fn rebuild(file: &SettingsFile) -> Result<(), Failure> {
    let settings = super::load(file)?.settings;
    let path = views(&settings);
    // First the journal: a running bus has it, and must not lose its views.
    let log = open_log(&settings.journal_dir(), settings.journal.engine())?;
    Projection::erase(&path).map_err(unusable)?;
    let projection = open_projection(&path, folds(&settings), log.clone())?;
    let built = build(&projection).await;
    projection.close().await;
    log.close().await;
    let records = built?;
    print(&format!("{} is built anew: {records} records\n", path.display()));
    Ok(())
}

/// Tells the progress until all that the journal holds is in the tables.
async fn build(projection: &Projection) -> Result<u64, Failure> {
    let over = |status: &Status| matches!(status.health, Health::Following | Health::Stopped(_));
    loop {
        let status = match timeout(EVERY, projection.until(over)).await {
            Ok(status) => status,
            Err(_) => projection.status(),
        };
        match status.health {
            Health::Following => return Ok(status.position.0),
            Health::Stopped(stopped) => return Err(Failure::new(Code::VIEWS_STOPPED, stopped)),
            Health::Building { to } => eprintln!("{} of {to} records", status.position),
            Health::Held(why) => eprintln!("{} records so far; waiting: {why}", status.position),
        }
    }
}

fn unusable(error: OpenError) -> Failure {
    Failure::new(Code::VIEWS_UNUSABLE, error)
}
