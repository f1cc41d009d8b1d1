//! The proxy bench: all targets, interleaved rounds, two shapes of load, and latency at a steady pace.

use std::path::{Path, PathBuf};
use std::process::Command;

use passerelle_peers::process::folder;

use crate::load::{self, Shape};
use crate::round::{Measured, measure};
use crate::table;
use crate::targets::{self, Target};
use crate::{check, echo};

const SHAPES: [Shape; 2] = [Shape { connections: 1, streams: 64 }, Shape { connections: 8, streams: 32 }];
const PACED_REQUESTS: u32 = 10_000;

/// How much to measure.
#[derive(Debug)]
pub(crate) struct Options {
    rounds: usize,
    requests: u32,
}

impl Options {
    /// `None` for arguments that it does not know.
    pub(crate) fn parse(arguments: &[&str]) -> Option<Self> {
        let mut options = Self { rounds: 5, requests: 100_000 };
        for pair in arguments.chunks(2) {
            match pair {
                ["--rounds", rounds] => options.rounds = rounds.parse().ok().filter(|&rounds| rounds > 0)?,
                ["--requests", requests] => options.requests = requests.parse().ok().filter(|&requests| requests >= 1000)?,
                _ => return None,
            }
        }
        Some(options)
    }
}

/// Installs, builds, starts, measures, prints.
pub(crate) fn run(options: &Options) {
    let workspace = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    succeed(&mut Command::new(workspace.join("tests/bench/install.sh")));
    let program = build_passerelle(workspace);
    let size = std::fs::metadata(&program).expect("the program was built").len();

    let upstream = targets::echo();
    let at = upstream.address;
    let proxies = [targets::passerelle(&program, at), targets::nginx(at), targets::haproxy(at), targets::envoy(at)];
    let all: Vec<&Target> = std::iter::once(&upstream).chain(&proxies).collect();
    let files = folder();
    let frame = files.path().join("frame");
    std::fs::write(&frame, echo::frame()).expect("a file in a new folder");
    for target in &all {
        check::echoes(target.address).unwrap_or_else(|error| panic!("{} does not echo: {error}", target.name));
    }

    println!("Unary gRPC echo of 256 bytes, {} rounds of {} requests, medians (and least).", options.rounds, options.requests);
    for shape in SHAPES {
        let mut measured: Vec<Vec<Measured>> = vec![Vec::new(); all.len()];
        for _ in 0..options.rounds {
            for (target, results) in all.iter().zip(&mut measured) {
                results.push(measure(target, &upstream, shape, options.requests, &frame));
            }
        }
        table::print_flood(shape, &all, &measured);
    }
    let paced: Vec<Vec<u64>> = all.iter().map(|target| load::paced(target.address, PACED_REQUESTS, &frame)).collect();
    table::print_paced(&all, &paced);
    println!("\nPasserelle's program: {:.1} MiB", size as f64 / f64::from(1 << 20));
}

pub(crate) fn build_passerelle(workspace: &Path) -> PathBuf {
    // Not `-p`: the dependencies are then those that were built for this program, with the same features.
    succeed(Command::new(env!("CARGO")).current_dir(workspace).args(["build", "--locked", "--release", "--bin", "passerelle"]));
    let this = std::env::current_exe().expect("this program's path");
    let release = this.parent().and_then(Path::parent).expect("target/PROFILE/passerelle-bench").join("release");
    release.join("passerelle")
}

pub(crate) fn succeed(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}
