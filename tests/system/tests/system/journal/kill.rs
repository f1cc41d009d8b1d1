//! Killed again and again under load: what was acknowledged is there, once, in its order.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::stream::unfold;
use passerelle_proto::bus::v1::SubscribeRequest;
use passerelle_proto::bus::v1::journal_client::JournalClient;
use passerelle_proto::bus::v1::subscribe_request::From;
use passerelle_system::{Daemon, World};
use tokio::sync::{Semaphore, watch};
use tonic::transport::Channel;

use super::{client, numbered};

const LIVES: usize = 200;
const STREAMS: usize = 4;
/// Messages of one stream that are sent and not acknowledged.
const IN_FLIGHT: usize = 64;
/// A life ends after at most so many acknowledged messages.
const LONGEST_LIFE: u64 = 600;
/// Small segments, so that some lives end while one is sealed and the next begun.
const SETTINGS: &str = "journal: { segment_mib: 4 }\nworkers: 2\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_or_doubled_by_two_hundred_kills() {
    // Another run tries other moments; what fails says which seed it was.
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut book = Book::default();
    let mut world = World::default().settings(SETTINGS);
    for life in 0..LIVES {
        let daemon = world.serve();
        book.check(&daemon).await.unwrap_or_else(|wrong| panic!("life {life} of seed {seed}: {wrong}"));
        world = book.live(daemon, random.u64(1..=LONGEST_LIFE), &mut random).await;
    }
    let daemon = world.serve();
    book.check(&daemon).await.unwrap_or_else(|wrong| panic!("at the end of seed {seed}: {wrong}"));
    let written: u64 = book.seen.values().sum();
    assert!(written > LIVES as u64 * LONGEST_LIFE / 4, "the lives were too short to show anything: {written} messages");
}

/// What the client knows.
#[derive(Default)]
struct Book {
    /// How many messages of each stream were acknowledged to it.
    acknowledged: [u64; STREAMS],
    /// How many of each it has read back, each once and in order.
    seen: BTreeMap<usize, u64>,
    /// Up to where it has read.
    position: u64,
}

impl Book {
    /// Reads on, and compares.
    async fn check(&mut self, daemon: &Daemon) -> Result<(), String> {
        let mut client = client(daemon.channels).await;
        let request = SubscribeRequest { from: Some(From::Position(self.position + 1)), stop_at_end: true, ..Default::default() };
        let mut responses = client.subscribe(request).await.map_err(|status| status.to_string())?.into_inner();
        while let Some(response) = responses.message().await.map_err(|status| status.to_string())? {
            self.position = response.position;
            for message in response.messages {
                let stream: usize = message.source.rsplit('/').next().unwrap().parse().unwrap();
                let seen = self.seen.entry(stream).or_default();
                if message.id != seen.to_string() {
                    return Err(format!(
                        "position {}: message {} of stream {stream}, expected {seen}",
                        self.position, message.id
                    ));
                }
                *seen += 1;
            }
        }
        for (stream, acknowledged) in self.acknowledged.into_iter().enumerate() {
            let seen = self.seen.get(&stream).copied().unwrap_or_default();
            if seen < acknowledged {
                return Err(format!("stream {stream}: {acknowledged} messages were acknowledged, {seen} are there"));
            }
        }
        Ok(())
    }

    /// Publishes by all streams until so many messages are acknowledged, then kills the daemon.
    async fn live(&mut self, daemon: Daemon, enough: u64, random: &mut fastrand::Rng) -> World {
        let client = client(daemon.channels).await;
        let (counter, mut counted) = watch::channel(0);
        let counter = Arc::new(counter);
        let streams: Vec<_> = (0..STREAMS)
            .map(|stream| {
                let size = random.usize(1..1024);
                tokio::spawn(publish(client.clone(), stream, self.acknowledged[stream], size, counter.clone()))
            })
            .collect();
        counted.wait_for(|count| *count >= enough).await.unwrap();
        let world = daemon.kill();
        for (stream, task) in streams.into_iter().enumerate() {
            self.acknowledged[stream] = task.await.unwrap();
        }
        world
    }
}

/// Sends messages from number `first` on until the connection breaks; how many were acknowledged in all.
async fn publish(
    mut client: JournalClient<Channel>,
    stream: usize,
    first: u64,
    size: usize,
    counter: Arc<watch::Sender<u64>>,
) -> u64 {
    let window = Arc::new(Semaphore::new(IN_FLIGHT));
    let opened = window.clone();
    let requests = unfold(first, move |number| {
        let window = opened.clone();
        async move {
            window.acquire().await.unwrap().forget();
            Some((numbered(stream, number, vec![number as u8; size]), number + 1))
        }
    });
    let mut acknowledged = 0;
    let Ok(answers) = client.publish_stream(requests).await else { return first };
    let mut answers = answers.into_inner();
    while let Ok(Some(answer)) = answers.message().await {
        let more = answer.acknowledged - acknowledged;
        acknowledged = answer.acknowledged;
        window.add_permits(more as usize);
        counter.send_modify(|count| *count += more);
    }
    first + acknowledged
}
