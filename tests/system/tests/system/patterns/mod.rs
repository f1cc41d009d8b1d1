//! Patterns that hold state: the same cases in process, with a clock that is driven, and through the real daemon.

mod case;
mod daemon;
mod in_process;
mod kill;
mod reload;

use std::time::Duration;

use passerelle_proto::bus::v1::Message;
use tokio::time::timeout;

use self::case::{Case, Seen};

/// A bus that a case is played on.
trait Bus {
    /// Writes messages, and waits until they are on disk.
    async fn publish(&mut self, messages: Vec<Message>);
    /// An operator switches a detour.
    async fn switch(&mut self, pattern: &str, on: bool);
    /// An operator empties a pattern.
    async fn purge(&mut self, pattern: &str);
    /// Time passes.
    async fn pass(&mut self, time: Duration);
    /// What the journal says next.
    async fn next(&mut self) -> Vec<Message>;
    /// Ends it well; what the journal says until then.
    async fn end(self) -> Vec<Message>;
}

/// Plays a case; what is wrong with it.
async fn play(case: &Case, mut bus: impl Bus) -> Result<(), String> {
    let mut seen = Seen::default();
    for (number, step) in case.steps.iter().enumerate() {
        let patience = Duration::from_secs(20 + step.pass_seconds);
        for (pattern, on) in &step.detour {
            bus.switch(pattern, *on).await;
        }
        if let Some(pattern) = &step.purge {
            bus.purge(pattern).await;
        }
        bus.publish(step.publish.iter().map(|incoming| incoming.message(&seen)).collect()).await;
        bus.pass(Duration::from_secs(step.pass_seconds)).await;
        let reached = async {
            while seen.differs(step).is_some() {
                bus.next().await.iter().for_each(|message| seen.see(message));
            }
        };
        if timeout(patience, reached).await.is_err() {
            let wrong = seen.differs(step).unwrap_or_default();
            return Err(format!("step {}: {wrong}", number + 1));
        }
        seen.next();
    }
    bus.end().await.iter().for_each(|message| seen.see(message));
    match seen.differs(&case::Step::default()) {
        None => Ok(()),
        Some(more) => Err(format!("more came in the end: {more}")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_of_patterns_hold_in_process() {
    for (file, case) in case::all() {
        let bus = in_process::InProcess::start(&case.patterns).await;
        play(&case, bus).await.unwrap_or_else(|wrong| panic!("{file}: {}: {wrong}", case.name));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_of_patterns_hold_through_the_daemon() {
    for (file, case) in case::all() {
        let bus = daemon::Served::start(&case.patterns).await;
        play(&case, bus).await.unwrap_or_else(|wrong| panic!("{file}: {}: {wrong}", case.name));
    }
}
