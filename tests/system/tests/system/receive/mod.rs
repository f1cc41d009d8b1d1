//! What adapters receive, through the real daemon: drop folders in processes of their own.

mod full;
mod hang;
mod kill;
mod lifeline;
mod refused;

use std::time::{Duration, Instant};

use passerelle_proto::bus::v1::journal_client::JournalClient;
use passerelle_proto::bus::v1::subscribe_request::From;
use passerelle_proto::bus::v1::{Message, SubscribeRequest, SubscribeResponse};
use passerelle_system::{Daemon, World};
use tonic::Streaming;

/// What is waited for at most before it is called a hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
const SETTINGS: &str = "endpoints: { drop: { adapter: remote, file: drop.yaml } }\n";

/// A bus with a drop folder, which a process of its own serves.
fn world() -> World {
    let program = passerelle_system::program();
    let file = format!(
        "adapter: remote\ncommand: [{program}, adapter, serve, files]\nsettings: {{ adapter: files, folder: incoming, look_every_ms: 10 }}\n"
    );
    let world = World::default().settings(SETTINGS).file("drop.yaml", &file);
    std::fs::create_dir(world.path("incoming")).unwrap();
    world
}

/// The process that serves the folder, as the bus's log tells it; started as the `number`th of this bus.
pub(crate) fn adapter(daemon: &Daemon, number: usize) -> u32 {
    let begin = Instant::now();
    loop {
        let log = daemon.log();
        let started = log.lines().filter(|line| line.contains("adapter process started"));
        let pids: Vec<u32> =
            started.filter_map(|line| line.split("pid=").nth(1)?.split_whitespace().next()?.parse().ok()).collect();
        if let Some(pid) = pids.get(number - 1) {
            return *pid;
        }
        assert!(begin.elapsed() < PATIENCE, "no process number {number}: {log}");
        std::thread::yield_now();
    }
}

/// All that was received, from the beginning, and what comes.
async fn followed(daemon: &Daemon) -> Followed {
    let mut client = JournalClient::connect(daemon.address()).await.unwrap().max_decoding_message_size(64 << 20);
    let request = SubscribeRequest { from: Some(From::Position(0)), ..SubscribeRequest::default() };
    Followed { stream: client.subscribe(request).await.unwrap().into_inner(), messages: Vec::new() }
}

/// All that was received so far.
async fn all(daemon: &Daemon) -> Vec<Message> {
    let mut client = JournalClient::connect(daemon.address()).await.unwrap().max_decoding_message_size(64 << 20);
    let request = SubscribeRequest { from: Some(From::Position(0)), stop_at_end: true, ..SubscribeRequest::default() };
    let mut stream = client.subscribe(request).await.unwrap().into_inner();
    let mut messages = Vec::new();
    while let Some(response) = stream.message().await.unwrap() {
        messages.extend(response.messages);
    }
    messages
}

/// A subscription that remembers.
struct Followed {
    stream: Streaming<SubscribeResponse>,
    messages: Vec<Message>,
}

impl Followed {
    /// Returns when so many messages have been shown.
    async fn until(&mut self, count: usize) {
        while self.messages.len() < count {
            let next = tokio::time::timeout(PATIENCE, self.stream.message()).await;
            let next = next.unwrap_or_else(|_| panic!("{} messages of {count}, then nothing more", self.messages.len()));
            self.messages.extend(next.unwrap().expect("it goes on").messages);
        }
    }
}
