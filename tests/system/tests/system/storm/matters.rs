//! The matters that are handed over in a storm.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use passerelle_proto::customer::v1::ListHandoffsRequest;
use passerelle_proto::customer::v1::handoff::Status as Standing;
use passerelle_proto::customer::v1::handoffs_client::HandoffsClient;
use tokio::task::JoinSet;
use tonic::transport::Channel;

use super::matter::{Matter, Stop};
use super::tally::Tally;

/// Matters in play at the same time.
const IN_PLAY: usize = 64;
/// Within this, what is offered or owned when all is played must end by itself.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Matters {
    waiting: Mutex<VecDeque<Matter>>,
    played: Mutex<Vec<Matter>>,
    tally: Arc<Tally>,
}

impl Matters {
    pub(super) fn new(count: usize, tally: Arc<Tally>) -> Arc<Self> {
        let waiting = Mutex::new((0..count).map(Matter::new).collect());
        Arc::new(Self { waiting, played: Mutex::default(), tally })
    }

    /// Plays until the daemon is gone.
    pub(super) fn live(self: &Arc<Self>, channel: &Channel, life: &mut JoinSet<()>) {
        for _ in 0..IN_PLAY {
            let (matters, channel) = (self.clone(), channel.clone());
            life.spawn(async move {
                while !matters.tally.is_over()
                    && let Some(matter) = matters.next()
                {
                    matters.play(matter, &channel).await;
                }
            });
        }
    }

    fn next(&self) -> Option<Matter> {
        self.waiting.lock().unwrap().pop_front()
    }

    async fn play(&self, mut matter: Matter, channel: &Channel) {
        match matter.play(channel).await {
            Ok(()) => {
                self.played.lock().unwrap().push(matter);
                self.tally.one_more();
            }
            Err(Stop::Cut(status)) => {
                self.tally.refused(&status);
                let mut waiting = self.waiting.lock().unwrap();
                if matter.waits() { waiting.push_back(matter) } else { waiting.push_front(matter) }
            }
            Err(Stop::Wrong(what)) => self.tally.wrong(what),
        }
    }

    /// Waits until none is open any more.
    pub(super) async fn ended(&self, channel: &Channel) -> Result<(), String> {
        let (mut turn, since) = (tokio::time::interval(Duration::from_millis(200)), Instant::now());
        loop {
            turn.tick().await;
            let mut open = Vec::new();
            for status in [Standing::Offered, Standing::Owned] {
                let request = ListHandoffsRequest { status: status.into(), page_size: 10, ..Default::default() };
                let listed = HandoffsClient::new(channel.clone()).list(request).await.map_err(|status| status.to_string())?;
                open.extend(listed.into_inner().handoffs);
            }
            match open.first() {
                None => return Ok(()),
                Some(open) if since.elapsed() > PATIENCE => return Err(format!("a matter is forgotten: {open:?}")),
                Some(_) => {}
            }
        }
    }

    /// Compares all with what is on disk.
    pub(super) async fn check(self: &Arc<Self>, channel: &Channel) -> Result<(), String> {
        let mut checks = JoinSet::new();
        for _ in 0..IN_PLAY {
            let (matters, channel) = (self.clone(), channel.clone());
            checks.spawn(async move {
                while let Some(matter) = matters.next_played() {
                    matter.check(&channel).await?;
                }
                Ok(())
            });
        }
        checks.join_all().await.into_iter().collect()
    }

    fn next_played(&self) -> Option<Matter> {
        self.played.lock().unwrap().pop()
    }
}
