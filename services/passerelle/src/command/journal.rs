//! `passerelle journal`: the journal of a bus that is stopped, checked, repaired and shown.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use passerelle_journal::log::{self, Repair, Report};
use passerelle_journal::storage::Directory;
use passerelle_journal::{Position, Stored};
use passerelle_proto::bus::v1::Record;
use prost::Message as _;
use serde_json::json;

use super::{event, tail};
use crate::cli::SettingsFile;
use crate::explain::Code;
use crate::failure::Failure;
use crate::output::print;
use crate::serve::durable::unusable;

/// What can be done with a journal.
#[derive(Debug, Subcommand)]
#[command(
    about = "Checks, repairs and shows the journal of a bus that is stopped",
    after_help = "One process at a time may have a journal: while the bus runs, these commands say so and do nothing.\n\
        The journal of a running bus is shown by `passerelle tail --from start`."
)]
pub enum Journal {
    /// Reads all of the journal and says what is damaged; changes nothing
    #[command(after_help = "Exit codes: 0 all is well, 1 something is damaged or cannot be read, 2 wrong arguments.")]
    Check(Which),
    /// Cuts the journal at its first damage; without --yes, only says what would be done and lost
    #[command(
        after_help = "What is before the damage is never touched. What is cut off is kept beside the journal, in files whose names begin\n\
            with damaged-. Exit codes: 0 done, or nothing to do; 1 it cannot be repaired; 2 wrong arguments."
    )]
    Repair {
        #[command(flatten)]
        which: Which,
        /// Does it
        #[arg(long)]
        yes: bool,
    },
    /// Shows every record, the oldest first
    #[command(
        after_help = "A line has position, time, what the record is about, type, source, subject and the size of the content, for each\n\
            message of it. Customers and contents are personal data and are shown with --show-data or --json only."
    )]
    Dump {
        #[command(flatten)]
        which: Which,
        /// Begin at this position
        #[arg(long, value_name = "POSITION", default_value_t = 1)]
        from: u64,
        /// Prints one JSON object a record, with its messages as CloudEvents
        #[arg(long)]
        json: bool,
        /// Shows customers and contents too
        #[arg(long, conflicts_with = "json")]
        show_data: bool,
    },
}

/// Which journal.
#[derive(Debug, Args)]
pub struct Which {
    /// The journal's folder [default: that of the settings]
    pub dir: Option<PathBuf>,
    #[command(flatten)]
    pub settings: SettingsFile,
}

impl Which {
    /// The folder, which must be there: opening one makes it.
    fn find(&self) -> Result<PathBuf, Failure> {
        let dir = match &self.dir {
            Some(dir) => dir.clone(),
            None => super::load(&self.settings)?.settings.journal_dir(),
        };
        match dir.is_dir() {
            true => Ok(dir),
            false => Err(Failure::usage(format!("there is no folder {}; name the one of the journal", dir.display()))),
        }
    }
}

/// Does what was asked.
pub(super) fn run(command: &Journal) -> Result<(), Failure> {
    match command {
        Journal::Check(which) => check(&which.find()?),
        Journal::Repair { which, yes } => repair(&which.find()?, *yes),
        Journal::Dump { which, from, json, show_data } => {
            let line: &dyn Fn(&Stored) -> Result<String, String> = match json {
                true => &in_json,
                false => &|stored| for_people(stored, *show_data),
            };
            dump(&which.find()?, Position(*from), line)
        }
    }
}

fn open(dir: &Path) -> Result<Directory, Failure> {
    Directory::open(dir).map_err(|error| unusable(dir, &error.into()))
}

fn check(dir: &Path) -> Result<(), Failure> {
    let report = log::check(&open(dir)?).map_err(|error| unusable(dir, &error))?;
    print(&format!("{report}{}\n", summary(&report)));
    match report.damage.len() {
        0 => Ok(()),
        1 => Err(damaged(dir, "1 place is damaged")),
        many => Err(damaged(dir, &format!("{many} places are damaged"))),
    }
}

fn damaged(dir: &Path, what: &str) -> Failure {
    Failure::new(
        Code::JOURNAL_DAMAGED,
        format!("journal {}: {what}; `passerelle journal repair` says what can be done", dir.display()),
    )
}

fn summary(report: &Report) -> String {
    let records: u64 = report.segments.iter().map(|segment| segment.records).sum();
    let bytes: u64 = report.segments.iter().map(|segment| segment.bytes).sum();
    match report.segments.first() {
        None => "there is no journal here".to_owned(),
        Some(_) if records == 0 => "no records yet".to_owned(),
        Some(first) => {
            format!("{records} records can be read, from position {} on, {} MiB", first.first, bytes.div_ceil(1 << 20))
        }
    }
}

fn repair(dir: &Path, yes: bool) -> Result<(), Failure> {
    let repair = log::repair(&open(dir)?, !yes).map_err(|error| unusable(dir, &error))?;
    print(&told(&repair, yes));
    Ok(())
}

fn told(repair: &Repair, done: bool) -> String {
    if repair.steps.is_empty() {
        return format!("{}{}; nothing is to be repaired\n", repair.found, summary(&repair.found));
    }
    let mut text = repair.found.to_string();
    text.push_str(if done { "done:\n" } else { "to be done:\n" });
    repair.steps.iter().for_each(|step| text.push_str(&format!("  {step}\n")));
    text.push_str(&match repair.lost_from {
        None => "no record is lost\n".to_owned(),
        Some(lost) => format!(
            "lost: every record from position {lost} on, also those that were acknowledged; their positions are given again, so the views \
             must be built anew: passerelle view rebuild\n"
        ),
    });
    if !done {
        text.push_str("nothing was changed; to do it, give --yes as well\n");
    }
    text
}

fn dump(dir: &Path, from: Position, line: &dyn Fn(&Stored) -> Result<String, String>) -> Result<(), Failure> {
    let mut broken = None;
    let shown = log::dump(&open(dir)?, from, &mut |stored| match line(&stored) {
        Ok(line) => print(&line),
        Err(why) => {
            broken.get_or_insert(format!("position {} holds no passerelle.bus.v1.Record: {why}", stored.position));
        }
    });
    let damage = shown.map_err(|error| unusable(dir, &error))?;
    match damage.map(|damage| damage.to_string()).or(broken) {
        None => Ok(()),
        Some(what) => Err(damaged(dir, &what)),
    }
}

/// A line for each message; one for a record without any.
fn for_people(stored: &Stored, show_data: bool) -> Result<String, String> {
    let record = Record::decode(stored.entry.data.clone()).map_err(|error| error.to_string())?;
    let about = match record.kind.as_str() {
        "" => String::new(),
        kind => format!("  [{kind}/{} {}]", record.key, record.sequence),
    };
    if record.events.is_empty() {
        let time = record.time.map_or_else(|| "-".to_owned(), |time| time.to_string());
        return Ok(format!("{:>6}  {time}{about}  no messages\n", stored.position.0));
    }
    let lines = record.events.iter().map(|message| format!("{}{about}\n", tail::line(stored.position.0, message, show_data)));
    Ok(lines.collect())
}

fn in_json(stored: &Stored) -> Result<String, String> {
    let record = Record::decode(stored.entry.data.clone()).map_err(|error| error.to_string())?;
    let messages =
        |messages: &[_]| messages.iter().map(event::value).collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string());
    let mut object = json!({ "position": stored.position.0, "time": record.time.map(|time| time.to_string()) });
    if !record.kind.is_empty() {
        object["kind"] = record.kind.into();
        object["key"] = record.key.into();
        object["sequence"] = record.sequence.into();
    }
    object["messages"] = messages(&record.events)?.into();
    object["outbox"] = messages(&record.outbox)?.into();
    Ok(format!("{object}\n"))
}
