//! `passerelle demo`: a bank with four back offices, traffic, each call's way through the bus, messages to destinations, and a promise
//! that outlives a kill. Nothing to install.

mod customers;
mod deliveries;
pub(crate) mod disputes;
mod print;
mod promise;
mod sample;
mod traffic;
mod way;

use std::net::SocketAddr;
use std::time::Duration;

use adapter_mainframe::Double;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use self::sample::Sample;
use crate::cli::Demo;
use crate::failure::Failure;
use crate::serve::{Daemon, Signals};
use crate::settings::{ListenAddress, ProcessSecrets, load};
use crate::telemetry;

/// How long the demo waits for its own parts.
const PATIENCE: Duration = Duration::from_secs(10);
const GRACE: Duration = Duration::from_secs(2);

/// Runs until Ctrl-C, or until the calls asked for are made.
pub(crate) fn run(demo: &Demo) -> Result<(), Failure> {
    crate::serve::runtime(2)?.block_on(play(demo))
}

async fn play(demo: &Demo) -> Result<(), Failure> {
    let mut stop = Signals::new()?;
    let ways = way::watch()?;
    let metrics = telemetry::install_metrics()?;

    let sample = Sample::write()?;
    let double =
        Double::bind("127.0.0.1:0", &sample.double(), &ProcessSecrets::new(sample.folder())).await.map_err(Failure::plain)?;
    let (mut process, disputes) = start_disputes().await?;
    sample.point_to(double.local_addr(), disputes)?;
    let mut loaded = load(Some(&sample.settings()), &Default::default())?;
    prefer(&mut loaded.settings.listen, demo.listen).await;
    prefer(&mut loaded.settings.admin.listen, demo.admin).await;
    let daemon = Daemon::start(&loaded, metrics).await?;
    let bank =
        print::Bank { daemon: &daemon, double: double.local_addr(), disputes, process: process.id(), folder: sample.folder() };

    let callback = sample.callback();
    print::opening(&bank);
    let played = tokio::select! {
        played = async {
            let messages = deliveries::play(daemon.channels, daemon.admin);
            tokio::try_join!(traffic::play(&bank, ways, demo), promise::play(&callback), messages).map(drop)
        } => played,
        () = stop.next() => Ok(()),
    };
    println!("\nstopping: calls in flight end, then the back offices");
    daemon.drain(GRACE).await;
    double.shutdown().await;
    // Its standard input ends with us; waiting for it leaves nothing behind.
    drop(process.stdin.take());
    let _ = tokio::time::timeout(GRACE, process.wait()).await;
    played
}

/// The disputes are another process of this same program.
async fn start_disputes() -> Result<(Child, SocketAddr), Failure> {
    let program = std::env::current_exe().map_err(Failure::plain)?;
    let mut process = Command::new(program)
        .args(["demo", "--part", "disputes"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(Failure::plain)?;
    let Some(output) = process.stdout.take() else {
        return Err(Failure::plain("the disputes have no output"));
    };
    let mut line = String::new();
    let read = tokio::time::timeout(PATIENCE, BufReader::new(output).read_line(&mut line)).await;
    let address = line.trim().strip_prefix("listening ").and_then(|address| address.parse().ok());
    match (read, address) {
        (Ok(Ok(_)), Some(address)) => Ok((process, address)),
        _ => Err(Failure::plain("the card disputes did not start")),
    }
}

/// The usual port if it is free, any other if it is not: a demo should not fail for that.
async fn prefer(listen: &mut ListenAddress, asked: Option<SocketAddr>) {
    match asked {
        Some(address) => listen.0 = address,
        None if tokio::net::TcpListener::bind(listen.0).await.is_err() => listen.0.set_port(0),
        None => {}
    }
}
