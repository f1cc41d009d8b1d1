//! The bench of routes: what they cost in the process, and over gRPC with bodies of three sizes.

mod inside;
mod order;

use std::path::Path;
use std::process::Command;

use passerelle_peers::process::folder;
use prost::Message as _;

use self::order::order;
use crate::load::{self, Shape};
use crate::proxy::{build_passerelle, succeed};
use crate::targets;

const PATH: &str = "/bench.orders.v1.Orders/Place";
const SHAPE: Shape = Shape { connections: 1_000, streams: 1 };
/// Bytes of a body, and requests a second that are promised for it.
const BODIES: [(usize, f64); 3] = [(1 << 10, 20_000.0), (10 << 10, 10_000.0), (100 << 10, 2_000.0)];

/// By one field of the order, as WSO2's content-based routing goes by one element of a document.
const ROUTES: &str = "from: bench.orders.v1.Orders/Place
routes:
  - { name: ibm, when: 'request.symbol = \"IBM\"', to: { endpoint: other } }
  - { name: msft, when: 'request.symbol = \"MSFT\"', to: { endpoint: one } }
";

/// How much to measure.
#[derive(Debug)]
pub(crate) struct Options {
    rounds: usize,
    requests: u32,
    grpc: bool,
}

impl Options {
    /// `None` for arguments that it does not know.
    pub(crate) fn parse(arguments: &[&str]) -> Option<Self> {
        let mut options = Self { rounds: 3, requests: 100_000, grpc: true };
        let mut rest = arguments;
        loop {
            rest = match rest {
                [] => return Some(options),
                ["--without-grpc", rest @ ..] => {
                    options.grpc = false;
                    rest
                }
                ["--rounds", rounds, rest @ ..] => {
                    options.rounds = rounds.parse().ok().filter(|&rounds| rounds > 0)?;
                    rest
                }
                ["--requests", requests, rest @ ..] => {
                    options.requests = requests.parse().ok().filter(|&requests| requests >= 20_000)?;
                    rest
                }
                _ => return None,
            }
        }
    }
}

/// Measures and prints. A bar that is missed is said, not failed for.
pub(crate) fn run(options: &Options) {
    inside::run();
    if options.grpc {
        over_grpc(options);
    }
}

fn over_grpc(options: &Options) {
    let workspace = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    succeed(&mut Command::new(workspace.join("tests/bench/install.sh")));
    let program = build_passerelle(workspace);
    let (one, other) = (targets::echo(), targets::echo());
    let bus = targets::passerelle_routing(&program, [one.address, other.address], ROUTES);
    let files = folder();
    println!(
        "\nUnary gRPC calls routed by a field of their body, {} connections, {} rounds of {} requests (a tenth of 100 KiB), every answer whole.",
        SHAPE.connections, options.rounds, options.requests
    );
    println!("\n| bar | reached | |\n| --- | ---: | --- |");
    for (bytes, bar) in BODIES {
        let frame = files.path().join(format!("frame-{bytes}"));
        std::fs::write(&frame, framed(&order("IBM", bytes).encode_to_vec())).expect("a file in a new folder");
        let requests = if bytes > 50_000 { options.requests / 10 } else { options.requests };
        let mut rates: Vec<f64> =
            (0..options.rounds).map(|_| load::flood_at(bus.address, PATH, SHAPE, requests, &frame)).collect();
        rates.sort_by(f64::total_cmp);
        let rate = crate::table::median(&rates);
        let what = format!("content-based routing, {} KiB", bytes >> 10);
        say(&what, &format!("{rate:.0} ({:.0})/s", rates[0]), &format!("at least {bar:.0}/s"), rate >= bar);
    }
}

/// A message with gRPC's prefix.
fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("a message below 4 GiB");
    [0].into_iter().chain(length.to_be_bytes()).chain(message.iter().copied()).collect()
}

/// One bar, and whether this run keeps it.
fn say(what: &str, reached: &str, bar: &str, kept: bool) {
    println!("| {what}: {bar} | {reached} | {} |", if kept { "kept" } else { "MISSED" });
}
