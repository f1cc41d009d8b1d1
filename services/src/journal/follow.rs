//! A subscription: what is in the journal, then what comes.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use std::vec;

use futures_util::Stream;
use futures_util::stream::unfold;
use passerelle_bus::pattern::published;
use passerelle_journal::{Durability, Journal, Position, Stored};
use passerelle_proto::bus::v1::subscribe_request::From;
use passerelle_proto::bus::v1::{Record, SubscribeRequest, SubscribeResponse};
use prost::Message;
use tokio::sync::watch;
use tokio::time::Instant;
use tonic::Status;

use super::filter::Filter;
use super::subscription::{self, Turn};
use super::{Service, Sight, refusal};

/// Read ahead for one subscription: its bound on memory, with the one record that may be larger.
const PAGE_BYTES: usize = 256 * 1024;
/// How near to the end records are surely still in memory, so that reading them does not wait for the disk.
const NEAR_END: u64 = 1000;
/// Where nothing fits the filter, the position is told this often, and after this many records.
const HEARTBEAT: Duration = Duration::from_secs(1);
const HEARTBEAT_RECORDS: u64 = 10_000;

impl Service {
    /// Shows records from a position on.
    pub(super) async fn subscribe(
        &self,
        request: SubscribeRequest,
    ) -> Result<impl Stream<Item = Result<SubscribeResponse, Status>> + Send + 'static + use<>, Status> {
        let filter = Filter::new(request.filter.unwrap_or_default())?;
        let journal = self.journal.clone();
        let durable = journal.durable();
        let last = durable.borrow().position;
        let (next, turn) = match request.from {
            None => (last.next(), None),
            Some(From::Position(0)) => (journal.first(), None),
            Some(From::Position(position)) => (within(Position(position), last)?, None),
            Some(From::DurableName(name)) => {
                subscription::check_name(&name)?;
                // Taken first: from here on no other one moves it.
                let turn = self.turns.take_over(&name);
                let acknowledged = self.acknowledged(&name).await?;
                let next = if acknowledged == Position(0) { journal.first() } else { acknowledged.next() };
                let first = journal.first();
                let next = if request.skip_missing { next.max(first) } else { next };
                (kept(&name, next, first)?, Some(turn))
            }
        };
        let until = request.stop_at_end.then_some(last);
        let follower = Follower {
            sight: self.sight,
            journal,
            filter,
            durable,
            turn,
            stopping: self.settings.stopping.clone(),
            until,
            next,
            page: Vec::new().into_iter(),
            told: next,
            told_at: Instant::now(),
            ended: false,
        };
        Ok(unfold(follower, |mut follower| async move { Some((follower.step().await.transpose()?, follower)) }))
    }
}

/// Nothing is promised about a position that does not exist: whoever names one has mistaken the journal.
fn within(asked: Position, last: Position) -> Result<Position, Status> {
    if asked > last.next() {
        let why =
            format!("position {asked} is not written yet, the last one is {last}; leave `from` out to begin with what comes");
        return Err(Status::out_of_range(why));
    }
    Ok(asked)
}

fn kept(name: &str, next: Position, first: Position) -> Result<Position, Status> {
    if next < first {
        let why = format!(
            "the subscription {name} is at position {next}, which is no longer kept: the oldest is {first}; to go on with what there \
             is, set skip_missing (`passerelle tail --skip-missing`) or acknowledge position {}",
            first.0 - 1
        );
        return Err(Status::out_of_range(why));
    }
    Ok(next)
}

/// One subscription at work.
struct Follower {
    journal: Arc<dyn Journal>,
    sight: Sight,
    filter: Filter,
    durable: watch::Receiver<Durability>,
    /// Of a durable name.
    turn: Option<Turn>,
    stopping: watch::Receiver<bool>,
    /// Ends after this position.
    until: Option<Position>,
    /// The next position to read.
    next: Position,
    page: vec::IntoIter<Stored>,
    /// The client knows that it has seen all before this position.
    told: Position,
    told_at: Instant,
    ended: bool,
}

impl Follower {
    /// What to tell next; `None` at the end.
    async fn step(&mut self) -> Result<Option<SubscribeResponse>, Status> {
        loop {
            if self.ended {
                return Ok(None);
            }
            let shown = self.show();
            if !matches!(shown, Ok(None)) {
                self.ended = shown.is_err();
                return shown;
            }
            let at_end = self.until.is_some_and(|until| self.next > until);
            if self.heartbeat_due() || (at_end && self.told < self.next) {
                return Ok(Some(self.tell(SubscribeResponse { position: self.next.0 - 1, messages: Vec::new() })));
            }
            if at_end {
                return Ok(None);
            }
            let advanced = self.advance().await;
            if let Err(status) = advanced {
                self.ended = true;
                return Err(status);
            }
        }
    }

    /// The next record of the page that fits.
    fn show(&mut self) -> Result<Option<SubscribeResponse>, Status> {
        while let Some(Stored { position, entry }) = self.page.next() {
            if self.until.is_some_and(|until| position > until) {
                self.page = Vec::new().into_iter();
                break;
            }
            self.next = position.next();
            let record = Record::decode(entry.data)
                .map_err(|error| Status::data_loss(format!("position {position} holds no passerelle.bus.v1.Record: {error}")))?;
            // Their own bookkeeping: a subscriber that acknowledges each record would else be shown its own acknowledgements for ever.
            if record.kind == subscription::KIND {
                continue;
            }
            let mut messages = match self.sight {
                Sight::Published => published(record),
                Sight::Everything => {
                    let events = if record.kind.is_empty() { Vec::new() } else { record.events.clone() };
                    events.into_iter().chain(published(record)).collect()
                }
            };
            messages.retain(|message| self.filter.fits(message));
            if !messages.is_empty() {
                return Ok(Some(self.tell(SubscribeResponse { position: position.0, messages })));
            }
        }
        Ok(None)
    }

    fn tell(&mut self, response: SubscribeResponse) -> SubscribeResponse {
        self.told = self.next;
        self.told_at = Instant::now();
        response
    }

    fn heartbeat_due(&self) -> bool {
        let untold = self.next.0 - self.told.0;
        untold > 0 && (untold >= HEARTBEAT_RECORDS || self.told_at.elapsed() >= HEARTBEAT)
    }

    /// Reads the next page, or waits for one.
    async fn advance(&mut self) -> Result<(), Status> {
        let last = self.durable.borrow_and_update().position;
        if self.next <= last {
            self.ended_from_outside()?;
            self.page = self.read(last).await?.into_iter();
            return Ok(());
        }
        let beat = self.told_at + HEARTBEAT;
        let untold = self.next > self.told;
        tokio::select! {
            biased;
            () = ended(&mut self.turn) => Err(subscription::taken_over()),
            _ = self.stopping.wait_for(|stop| *stop) => Err(refusal::stopping()),
            changed = self.durable.changed() => changed.map_err(|_| refusal::stopping()),
            () = tokio::time::sleep_until(beat), if untold => Ok(()),
        }
    }

    fn ended_from_outside(&mut self) -> Result<(), Status> {
        if self.turn.as_mut().is_some_and(Turn::is_over) {
            return Err(subscription::taken_over());
        }
        match *self.stopping.borrow() {
            true => Err(refusal::stopping()),
            false => Ok(()),
        }
    }

    async fn read(&self, last: Position) -> Result<Vec<Stored>, Status> {
        let (journal, from) = (self.journal.clone(), self.next);
        // What was just written lies in memory: a thread for it would cost more than reading it.
        let page = match last.0 - from.0 < NEAR_END {
            true => journal.read(from, PAGE_BYTES),
            false => {
                let reading = tokio::task::spawn_blocking(move || journal.read(from, PAGE_BYTES)).await;
                reading.map_err(|_| Status::internal("reading the journal failed; see the log of the bus"))?
            }
        };
        page.map_err(|error| refusal::of_read(&error))
    }
}

async fn ended(turn: &mut Option<Turn>) {
    match turn {
        Some(turn) => turn.over().await,
        None => pending().await,
    }
}
