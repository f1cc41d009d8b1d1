//! The durable bench: all systems, interleaved rounds, a kibibyte a message, from one message in flight to many.
//!
//! The load of every target comes from one thread of this process, over loopback: for the peers a minimal client of ours in their
//! protocol, for Passerelle the tonic client that its users have.

mod bars;
pub(crate) mod disk;
pub(crate) mod flight;
pub(crate) mod floor;
pub(crate) mod grpc;
pub(crate) mod round;
pub(crate) mod servers;
mod syncs;
mod table;
pub(crate) mod wire;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use self::disk::Probe;
use self::round::{Measured, count_syncs, measure};
use self::servers::{FLOOR, IN_FLIGHT, System, Target};
use crate::proxy::{build_passerelle, succeed};

/// How much to measure.
#[derive(Debug)]
pub(crate) struct Options {
    rounds: usize,
    lasting: Duration,
    /// Systems beside Passerelle, or instead; all when there are none.
    only: Vec<String>,
    /// Numbers of messages in flight; all when there are none.
    in_flight: Vec<usize>,
    /// A part of the names of the targets that are wanted.
    target: String,
    /// Passerelle's program; built when it is not given.
    program: Option<PathBuf>,
}

impl Options {
    /// `None` for arguments that it does not know.
    pub(crate) fn parse(arguments: &[&str]) -> Option<Self> {
        let mut options = Self {
            rounds: 5,
            lasting: Duration::from_secs(2),
            only: Vec::new(),
            in_flight: Vec::new(),
            target: String::new(),
            program: None,
        };
        for pair in arguments.chunks(2) {
            match pair {
                ["--rounds", rounds] => options.rounds = rounds.parse().ok().filter(|&rounds| rounds > 0)?,
                ["--seconds", seconds] => {
                    options.lasting = Duration::from_secs(seconds.parse().ok().filter(|&seconds| seconds > 0)?);
                }
                ["--only", system] => options.only.push((*system).to_owned()),
                ["--in-flight", number] => options.in_flight.push(number.parse().ok()?),
                ["--target", part] => options.target = (*part).to_owned(),
                ["--program", path] => options.program = Some(PathBuf::from(path).canonicalize().ok()?),
                _ => return None,
            }
        }
        Some(options)
    }

    fn takes(&self, system: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == system)
    }
}

/// One line of the table.
pub(crate) struct Row<'a> {
    target: &'a Target,
    in_flight: usize,
    /// Of each round.
    rounds: Vec<Measured>,
    /// Syncs asked of the disk for each message, where they could be counted.
    syncs: Option<f64>,
    /// All that was ever acknowledged.
    acknowledged: u64,
}

/// Installs, builds, starts, measures, prints. Bars that are missed are said, not failed for.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let workspace = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    succeed(&mut Command::new(workspace.join("tests/bench/install-durable.sh")));
    let file_system = disk::file_system()?;
    let probe = Probe::new()?;
    let mut systems = start(options, workspace);
    let targets = systems.iter_mut().flat_map(|system| std::mem::take(&mut system.targets));
    let targets: Vec<Target> = targets.filter(|target| target.name == FLOOR || target.name.contains(&options.target)).collect();

    println!("Messages of 1 KiB on {file_system}, {} rounds of {:?}, medians (and least).", options.rounds, options.lasting);
    let mut rows = rows(&targets);
    rows.retain(|row| options.in_flight.is_empty() || options.in_flight.contains(&row.in_flight));
    for round in 1..=options.rounds {
        eprintln!("round {round} of {}", options.rounds);
        for row in &mut rows {
            let measured = measure(row.target, row.in_flight, options.lasting, &probe, &mut row.acknowledged);
            row.rounds.push(measured.map_err(|error| row.failed(&error))?);
        }
    }
    for row in &mut rows {
        // Without the right to count, or without tracepoints, everything else is still measured.
        match count_syncs(row.target, row.in_flight, &mut row.acknowledged) {
            Ok(syncs) => row.syncs = Some(syncs),
            Err(error) => eprintln!("{}", row.failed(&error)),
        }
    }
    for in_flight in IN_FLIGHT.iter().filter(|number| rows.iter().any(|row| row.in_flight == **number)) {
        table::print(*in_flight, &rows);
    }
    bars::print(&rows);
    let acknowledged =
        rows.iter().filter(|row| row.target.stored.is_none() && row.target.name != FLOOR).map(|row| row.acknowledged).sum();
    systems.into_iter().try_for_each(|system| (system.end)(acknowledged))
}

/// Starts every system that is wanted.
fn start(options: &Options, workspace: &Path) -> Vec<System> {
    let passerelle = || {
        let program = options.program.clone().unwrap_or_else(|| build_passerelle(workspace));
        servers::passerelle(&program)
    };
    let nats = || servers::nats(false);
    let nats_always = || servers::nats(true);
    let all: [(&str, &dyn Fn() -> System); 7] = [
        ("passerelle", &servers::floor),
        ("passerelle", &passerelle),
        ("nats", &nats),
        ("nats", &nats_always),
        ("rabbitmq", &servers::rabbitmq),
        ("postgresql", &servers::postgres),
        ("redis", &servers::redis),
    ];
    all.into_iter().filter(|(name, _)| options.takes(name)).map(|(_, start)| start()).collect()
}

/// A row for each target and each number in flight that it is measured with; the numbers one after the other.
fn rows(targets: &[Target]) -> Vec<Row<'_>> {
    let row = |in_flight, target| Row { target, in_flight, rounds: Vec::new(), syncs: None, acknowledged: 0 };
    let with = |in_flight: &usize| {
        let in_flight = *in_flight;
        targets.iter().filter(move |target| target.in_flight.contains(&in_flight)).map(move |target| row(in_flight, target))
    };
    IN_FLIGHT.iter().flat_map(with).collect()
}

impl Row<'_> {
    fn failed(&self, error: &str) -> String {
        format!("{}, {} in flight: {error}", self.target.name, self.in_flight)
    }

    /// Median over the rounds.
    fn median(&self, what: fn(&Measured) -> f64) -> f64 {
        let mut values: Vec<f64> = self.rounds.iter().map(what).collect();
        values.sort_by(f64::total_cmp);
        crate::table::median(&values)
    }

    /// Least over the rounds.
    fn least(&self, what: fn(&Measured) -> f64) -> f64 {
        self.rounds.iter().map(what).fold(f64::INFINITY, f64::min)
    }
}
