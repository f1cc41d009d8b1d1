//! The systems that are measured, each started in a folder of its own with what its makers ship, but for durability where it is named.

mod floor;
mod nats;
mod passerelle;
mod postgres;
mod rabbitmq;
mod redis;

use std::path::Path;
use std::process::Command;

use passerelle_peers::process::Process;

pub(crate) use self::floor::floor;
pub(crate) use self::nats::{nats, start_nats};
pub(crate) use self::passerelle::{passerelle, start_passerelle};
pub(crate) use self::postgres::postgres;
pub(crate) use self::rabbitmq::{rabbitmq, start_rabbitmq};
pub(crate) use self::redis::redis;
use super::flight::{Outcome, Plan};

/// A running system.
pub(crate) struct System {
    /// The ways of publishing to it.
    pub(crate) targets: Vec<Target>,
    /// Ends its programs.
    pub(crate) end: End,
}

/// Ends programs. Told how many messages were acknowledged by targets that are not counted after each load: fails if they are not there.
pub(crate) type End = Box<dyn FnOnce(u64) -> Result<(), String>>;

/// Programs that are killed: their targets are counted after each load.
fn killed<const COUNT: usize>(processes: [Process; COUNT]) -> End {
    Box::new(move |_| {
        drop(processes);
        Ok(())
    })
}

/// One way of publishing to a system.
pub(crate) struct Target {
    /// As the table names it.
    pub(crate) name: &'static str,
    /// An acknowledgement means that the disk has it.
    pub(crate) is_durable: bool,
    /// Messages in flight that it is measured with.
    pub(crate) in_flight: &'static [usize],
    /// Process whose CPU time counts, with its children.
    pub(crate) process: u32,
    /// Publishes as planned.
    pub(crate) load: Box<dyn Fn(Plan) -> Result<Outcome, String> + Send + Sync>,
    /// Messages that it holds, for those that are counted and emptied after each load.
    pub(crate) stored: Option<Box<dyn Fn() -> Result<u64, String> + Send + Sync>>,
    /// Empties it.
    pub(crate) clear: Option<Box<dyn Fn() -> Result<(), String> + Send + Sync>>,
}

/// What the least that a durable server does is called.
pub(crate) const FLOOR: &str = "(read, write, sync, answer: no more)";

/// What every target is measured with that publishes message by message.
pub(crate) const IN_FLIGHT: &[usize] = &[1, 64, 512];

/// Runs one short conversation with a server.
pub(crate) fn converse<T>(conversation: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(conversation)
}

/// Standard output of a program that succeeds.
fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let text = |bytes| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(format!("{command:?}: {}", text(&output.stderr))) }
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("a file in a new folder");
}
