//! The bench of deliveries, from end to end: published and on disk, delivered, acknowledged, recorded.

mod passerelle;
mod road;
mod wires;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use passerelle_peers::process::Process;

use self::road::{Load, Road};
use crate::durable::disk;
use crate::durable::round::{hundredth, wait_until};
use crate::durable::servers::{converse, start_nats, start_passerelle, start_rabbitmq};
use crate::durable::wire::{Admin, RabbitMq};
use crate::meter;
use crate::proxy::{build_passerelle, succeed};
use crate::table::median;

/// Messages on the way at once, and messages that a consumer has before it acknowledges the first.
const AHEAD: u16 = 512;
/// Before what is measured.
const WARM_UP: Duration = Duration::from_millis(500);
/// A system that has not delivered everything so long after the end has lost something.
const LONGEST: Duration = Duration::from_secs(60);
/// How many times as many messages a second are promised.
const BARS: [(&str, f64); 2] = [("RabbitMQ, quorum queue", 3.0), ("NATS always, work queue", 10.0)];
/// Ours, as the table names it.
const OURS: &str = "Passerelle";

/// How much to measure.
#[derive(Debug)]
pub(crate) struct Options {
    rounds: usize,
    lasting: Duration,
    /// A part of the names of the systems that are wanted.
    only: String,
    /// Passerelle's program; built when it is not given.
    program: Option<PathBuf>,
}

impl Options {
    /// `None` for arguments that it does not know.
    pub(crate) fn parse(arguments: &[&str]) -> Option<Self> {
        let mut options = Self { rounds: 5, lasting: Duration::from_secs(4), only: String::new(), program: None };
        for pair in arguments.chunks(2) {
            match pair {
                ["--rounds", rounds] => options.rounds = rounds.parse().ok().filter(|&rounds| rounds > 0)?,
                ["--seconds", seconds] => {
                    options.lasting = Duration::from_secs(seconds.parse().ok().filter(|&seconds| seconds > 0)?);
                }
                ["--only", part] => options.only = (*part).to_owned(),
                ["--program", path] => options.program = Some(PathBuf::from(path).canonicalize().ok()?),
                _ => return None,
            }
        }
        Some(options)
    }
}

/// Lets a load pass, the first of this number.
type Pass = Box<dyn Fn(Road, usize) -> Result<Road, String> + Send + Sync>;
type Left = Box<dyn Fn() -> Result<u64, String>>;

/// A running system, and what was measured of it.
struct System {
    name: &'static str,
    processes: Vec<Process>,
    pass: Pass,
    /// Messages that it holds and nobody has settled.
    left: Left,
    full: Vec<Measured>,
    half: Vec<Measured>,
}

/// What one load came to.
#[derive(Debug, Clone, Copy)]
struct Measured {
    messages_per_second: f64,
    /// Milliseconds from publishing to being taken.
    p50: f64,
    p99: f64,
    /// CPU seconds of the server for 100,000 messages.
    cpu: f64,
}

/// Installs, builds, starts, measures, prints. Bars that are missed are said, not failed for.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let workspace = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    succeed(&mut Command::new(workspace.join("tests/bench/install-durable.sh")));
    let Options { rounds, lasting, .. } = options;
    println!(
        "Messages of 1 KiB of {} customers from end to end on {}: published and on disk, delivered, acknowledged; {AHEAD} on the way,\n\
         one consumer; {rounds} rounds of {lasting:?}, interleaved, medians (and least). A message that is left, or overtaken, ends the run.\n",
        road::CUSTOMERS,
        disk::file_system()?,
    );
    let mut systems = start(options, workspace);
    for round in 0..*rounds {
        eprintln!("round {} of {rounds}", round + 1);
        for system in &mut systems {
            let full = system.measure(2 * round, None, *lasting)?;
            let half = system.measure(2 * round + 1, Some(full.messages_per_second / 2.0), *lasting)?;
            system.full.push(full);
            system.half.push(half);
        }
    }
    print(&systems);
    Ok(())
}

fn start(options: &Options, workspace: &Path) -> Vec<System> {
    let wanted = |name: &str| name.contains(&options.only);
    let mut systems = Vec::new();
    let mut add = |name, processes: Vec<Process>, pass: Pass, left: Left| {
        systems.push(System { name, processes, pass, left, full: Vec::new(), half: Vec::new() });
    };
    if wanted(OURS) {
        let program = options.program.clone().unwrap_or_else(|| build_passerelle(workspace));
        let ([channels, admin], process) = start_passerelle(&program, &passerelle::settings());
        add(
            OURS,
            vec![process],
            Box::new(move |road, number| {
                let source = format!("/bench/delivery/{number}");
                conduct(road, async |road| passerelle::passerelle(channels, &source, road).await)
            }),
            Box::new(move || converse(passerelle::waiting(admin))),
        );
    }
    if wanted(BARS[0].0) {
        let (address, processes) = start_rabbitmq();
        add(
            BARS[0].0,
            processes.into(),
            Box::new(move |road, _| conduct(road, async |road| wires::rabbitmq(address, road).await)),
            Box::new(move || converse(RabbitMq::count(address))),
        );
    }
    if wanted(BARS[1].0) {
        let (address, process) = start_nats(true, "workqueue");
        add(
            BARS[1].0,
            vec![process],
            Box::new(move |road, _| conduct(road, async |road| wires::nats(address, road).await)),
            Box::new(move || converse(Admin(address).count())),
        );
    }
    systems
}

fn conduct(road: Road, pass: impl AsyncFnOnce(&Road) -> Result<(), String>) -> Result<Road, String> {
    converse(async {
        let passed = tokio::time::timeout_at((road.end() + LONGEST).into(), pass(&road)).await;
        passed.map_err(|_| format!("{LONGEST:?} after the end: {}", road.state()))?.map(|()| road)
    })
}

impl System {
    fn measure(&self, number: usize, rate: Option<f64>, lasting: Duration) -> Result<Measured, String> {
        disk::settle();
        let begin = Instant::now() + WARM_UP;
        let load = Load { on_the_way: AHEAD.into(), rate, begin, end: begin + lasting };
        let (road, cpu) = std::thread::scope(|scope| {
            let pass = &self.pass;
            let pass = scope.spawn(move || pass(Road::new(load), number));
            let [before, after] = [load.begin, load.end].map(|moment| {
                wait_until(moment);
                meter::cpu_seconds(self.processes[0].id())
            });
            (pass.join().unwrap_or_else(|_| Err("the load panicked".to_owned())), after - before)
        });
        let mut passed = road.map_err(|error| format!("{}: {error}", self.name))?.passed();
        self.nothing_left()?;
        Ok(Measured {
            messages_per_second: passed.measured as f64 / lasting.as_secs_f64(),
            p50: hundredth(&mut passed.latencies, 50) / 1000.0,
            p99: hundredth(&mut passed.latencies, 99) / 1000.0,
            cpu: cpu * 100_000.0 / passed.measured.max(1) as f64,
        })
    }

    /// What was acknowledged is recorded, a moment later: nobody is told of it.
    fn nothing_left(&self) -> Result<(), String> {
        let until = Instant::now() + LONGEST;
        loop {
            match (self.left)()? {
                0 => return Ok(()),
                left if Instant::now() > until => return Err(format!("{}: {left} messages are left", self.name)),
                _ => wait_until(Instant::now() + Duration::from_millis(20)),
            }
        }
    }
}

fn print(systems: &[System]) {
    println!("| | msg/s | ours × | p50 ms | p99 ms | CPU s/100k | at half load: msg/s | p50 ms | p99 ms | CPU s/100k |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let rate = |system: &System| middle(&system.full, |one| one.messages_per_second);
    let ours = systems.iter().find(|system| system.name == OURS).map(rate);
    for system in systems {
        let least = system.full.iter().map(|one| one.messages_per_second).fold(f64::INFINITY, f64::min);
        let times = ours.map_or("–".to_owned(), |ours| format!("{:.2}", ours / rate(system)));
        print!("| {} | {:.0} ({least:.0}) | {times} |", system.name, rate(system));
        for (at, loads) in [&system.full, &system.half].into_iter().enumerate() {
            if at == 1 {
                print!(" {:.0} |", middle(loads, |one| one.messages_per_second));
            }
            let [p50, p99, cpu] =
                [|one: &Measured| one.p50, |one: &Measured| one.p99, |one: &Measured| one.cpu].map(|what| middle(loads, what));
            print!(" {p50:.2} | {p99:.2} | {cpu:.2} |");
        }
        println!();
    }
    println!("\n| bar | reached | |\n| --- | ---: | --- |");
    for (name, least) in BARS {
        if let (Some(ours), Some(theirs)) = (ours, systems.iter().find(|system| system.name == name).map(rate)) {
            let times = ours / theirs;
            println!(
                "| messages a second to {name}: at least {least} × | {times:.2} × | {} |",
                if times >= least { "kept" } else { "MISSED" }
            );
        }
    }
}

fn middle(measured: &[Measured], what: impl Fn(&Measured) -> f64) -> f64 {
    let mut values: Vec<f64> = measured.iter().map(what).collect();
    values.sort_by(f64::total_cmp);
    median(&values)
}
