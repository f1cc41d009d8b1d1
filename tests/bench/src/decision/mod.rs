//! The bench of one whole decision: message, idempotency key, state and views; beside the same as one SQLite transaction each.

mod ours;
mod rules;
mod sqlite;

use std::path::Path;
use std::time::Duration;

use crate::durable::disk;
use crate::meter;
use crate::table::median;

/// How many times as many decisions a second as SQLite are promised.
const BAR: f64 = 3.0;

/// How much to measure.
#[derive(Debug)]
pub(crate) struct Options {
    rounds: usize,
    lasting: Duration,
}

impl Options {
    /// `None` for arguments that it does not know.
    pub(crate) fn parse(arguments: &[&str]) -> Option<Self> {
        let mut options = Self { rounds: 2, lasting: Duration::from_secs(30) };
        for pair in arguments.chunks(2) {
            match pair {
                ["--rounds", rounds] => options.rounds = rounds.parse().ok().filter(|&rounds| rounds > 0)?,
                ["--seconds", seconds] => {
                    options.lasting = Duration::from_secs(seconds.parse().ok().filter(|&seconds| seconds > 0)?);
                }
                _ => return None,
            }
        }
        Some(options)
    }
}

/// What one side came to in one round.
struct Measured {
    /// Decisions found in the tables afterwards.
    stored: u64,
    /// Until the last of them was there.
    took: Duration,
    /// Microseconds of each decision.
    latencies: Vec<u32>,
    /// Calls of fdatasync of the journal; not counted where there is none.
    syncs: Option<u64>,
    /// Most records that the tables were behind.
    largest_lag: u64,
}

type Side = fn(&Path, Duration) -> Result<Measured, String>;

/// Measures both in turn and prints. A bar that is missed is said, not failed for.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let Options { rounds, lasting } = options;
    println!(
        "Decisions on contacts of 1 KiB, each with an idempotency key, of {} customers with a state of 64 bytes;\n\
         {rounds} rounds of {lasting:?}, interleaved, on {}. Both sides run in this process.\n\
         Passerelle: keyed runner, log, and a projection with the same tables; {} callers; until the projection shows the last one.\n\
         SQLite: one transaction a decision, WAL, synchronous=FULL, one connection, one caller.\n",
        rules::CUSTOMERS,
        disk::file_system()?,
        ours::IN_FLIGHT,
    );
    println!("| round | | decisions/s | p50 ms | p99 ms | CPU s/100k | journal syncs/decision | largest lag |");
    println!("| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    let mut ratios = Vec::new();
    for round in 1..=*rounds {
        let ours = measure(round, "Passerelle", ours::measure, *lasting)?;
        let theirs = measure(round, "SQLite", sqlite::measure, *lasting)?;
        ratios.push(ours / theirs);
    }
    ratios.sort_by(f64::total_cmp);
    let (ratio, least) = (median(&ratios), ratios[0]);
    let kept = if ratio >= BAR { "kept" } else { "MISSED" };
    println!("\n| bar | reached | |\n| --- | ---: | --- |");
    println!("| decisions a second to one SQLite transaction each: at least {BAR} × | {ratio:.2} × ({least:.2}) | {kept} |");
    Ok(())
}

/// Decisions a second of one side in a folder of its own.
fn measure(round: usize, name: &str, side: Side, lasting: Duration) -> Result<f64, String> {
    disk::settle();
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let cpu = meter::cpu_seconds(std::process::id());
    let Measured { stored, took, mut latencies, syncs, largest_lag } = side(folder.path(), lasting)?;
    let cpu = meter::cpu_seconds(std::process::id()) - cpu;
    let answered = latencies.len() as u64;
    if stored != answered {
        return Err(format!("{name}: {answered} decisions were answered and {stored} are stored"));
    }
    latencies.sort_unstable();
    let milliseconds = |hundredth: usize| {
        let at = latencies.len().saturating_sub(1) * hundredth / 100;
        latencies.get(at).map_or(f64::NAN, |&micros| f64::from(micros) / 1000.0)
    };
    let rate = stored as f64 / took.as_secs_f64();
    println!(
        "| {round} | {name} | {rate:.0} | {:.2} | {:.2} | {:.2} | {} | {} |",
        milliseconds(50),
        milliseconds(99),
        cpu * 100_000.0 / stored as f64,
        syncs.map_or("–".to_owned(), |syncs| format!("1/{:.0}", stored as f64 / syncs as f64)),
        if syncs.is_some() { largest_lag.to_string() } else { "–".to_owned() },
    );
    Ok(rate)
}
