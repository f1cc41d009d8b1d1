//! One task that has a share of the keys: it decides, writes, and answers what has become durable.

use std::collections::{HashMap, VecDeque};
use std::mem;
use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt, ready};
use futures_util::stream::{FuturesOrdered, FuturesUnordered, StreamExt};
use passerelle_journal::{AppendError, Outcome, Position, ReadError, Stored};
use tokio::sync::{mpsc, watch};
use tokio::task;

use super::ask::{Command, Letter, Taken};
use super::desk::Live;
use super::fold::older_answer;
use super::home::{Batch, Home, told};
use super::key::Key;
use super::life::Life;
use super::slot::{Need, Older, Slot};
use super::{Decider, Failure};

/// Letters taken from the queue before what they change is written.
const LETTERS: usize = 256;

pub(super) struct Shard<D: Decider> {
    home: Arc<Home<D>>,
    letters: mpsc::UnboundedReceiver<Letter<D>>,
    slots: HashMap<Key, Slot<D>>,
    /// Every key of `slots` once, in the order in which eviction looks at them (a clock: nearly the least recently used go first).
    ring: VecDeque<Key>,
    batch: Batch,
    /// In the order of writing: the outcomes of one key's records are taken in their order.
    writes: FuturesOrdered<BoxFuture<'static, Write>>,
    loads: FuturesUnordered<BoxFuture<'static, Load<D>>>,
    look_ups: FuturesUnordered<BoxFuture<'static, LookUp<D>>>,
}

struct Write {
    keys: Vec<Key>,
    outcomes: Result<Vec<Outcome>, AppendError>,
}

struct Load<D: Decider> {
    key: Key,
    loaded: Result<Live<D>, Failure<D::Refusal>>,
}

struct LookUp<D: Decider> {
    key: Key,
    command: Command<D>,
    older: Result<Older, Failure<D::Refusal>>,
}

impl<D: Decider> Shard<D> {
    pub(super) fn new(home: Arc<Home<D>>, letters: mpsc::UnboundedReceiver<Letter<D>>) -> Self {
        Self {
            home,
            letters,
            slots: HashMap::new(),
            ring: VecDeque::new(),
            batch: Batch::default(),
            writes: FuturesOrdered::new(),
            loads: FuturesUnordered::new(),
            look_ups: FuturesUnordered::new(),
        }
    }

    /// Works until it is told to close and everything taken is answered.
    pub(super) async fn run(mut self, mut closing: watch::Receiver<bool>) {
        let mut letters = Vec::with_capacity(LETTERS);
        let mut over = false;
        while !over || !self.is_done() {
            tokio::select! {
                biased;
                Some(write) = self.writes.next() => self.settle(write).await,
                Some(load) = self.loads.next() => self.loaded(load).await,
                Some(look_up) = self.look_ups.next() => self.looked_up(look_up).await,
                () = told(&mut closing), if !self.letters.is_closed() => self.letters.close(),
                count = self.letters.recv_many(&mut letters, LETTERS), if !over => {
                    over = count == 0;
                    for letter in letters.drain(..) {
                        self.take(letter).await;
                    }
                }
            }
            self.write().await;
            self.evict();
        }
    }

    fn is_done(&self) -> bool {
        self.writes.is_empty() && self.loads.is_empty() && self.look_ups.is_empty()
    }

    async fn take(&mut self, Letter { key, ask }: Letter<D>) {
        let slot = self.slots.entry(key.clone()).or_insert_with(|| {
            self.ring.push_back(key.clone());
            self.home.meter.key_taken();
            Slot::cold()
        });
        let need = slot.take(&key, ask, &self.home, &mut self.batch);
        self.meet(key, need).await;
    }

    async fn settle(&mut self, Write { keys, outcomes }: Write) {
        for (index, key) in keys.into_iter().enumerate() {
            let outcome = match &outcomes {
                Ok(outcomes) => outcomes.get(index).copied().ok_or(AppendError::Closed),
                Err(error) => Err(error.clone()),
            };
            if let Some(slot) = self.slots.get_mut(&key) {
                let need = slot.settle(&key, outcome, &self.home);
                self.meet(key, need).await;
            }
        }
    }

    async fn loaded(&mut self, Load { key, loaded }: Load<D>) {
        if let Some(slot) = self.slots.get_mut(&key) {
            slot.loaded(loaded);
            let need = slot.work(&key, &self.home, &mut self.batch);
            self.meet(key, need).await;
        }
    }

    async fn looked_up(&mut self, LookUp { key, command, older }: LookUp<D>) {
        if let Some(slot) = self.slots.get_mut(&key) {
            let need = slot.looked_up(&key, command, older, &self.home, &mut self.batch);
            self.meet(key, need).await;
        }
    }

    async fn meet(&mut self, key: Key, mut need: Need<D>) {
        while matches!(need, Need::Room) {
            self.write().await;
            need = match self.slots.get_mut(&key) {
                Some(slot) => slot.work(&key, &self.home, &mut self.batch),
                None => Need::Nothing,
            };
        }
        match need {
            Need::Load => self.loads.push(load(self.home.clone(), key).boxed()),
            Need::LookUp(command, position) => {
                self.look_ups.push(look_up(self.home.clone(), key, command, position).boxed());
            }
            Need::Nothing | Need::Room => {}
        }
    }

    /// Hands what was decided to the journal; waits for room in its queue, not for the disk.
    async fn write(&mut self) {
        let Batch { keys, entries, fired, .. } = mem::take(&mut self.batch);
        if !entries.is_empty() {
            let outcomes = match self.home.parts.journal.append(entries).await {
                Ok(receipt) => receipt.durable().boxed(),
                // Told in its turn: earlier records of the same keys may still be on their way.
                Err(error) => ready(Err(error)).boxed(),
            };
            self.writes.push_back(async move { Write { keys, outcomes: outcomes.await } }.boxed());
        }
        for taken in fired {
            let _ = taken.send(Taken::Fired);
        }
    }

    /// Drops idle keys from memory as long as there are too many.
    fn evict(&mut self) {
        // Twice around: once to forget who was touched, once to drop. What is still there then is being worked on.
        let mut turns = 2 * self.ring.len();
        while self.slots.len() > self.home.settings.keys && turns > 0 {
            turns -= 1;
            let Some(key) = self.ring.pop_front() else { break };
            match self.slots.get_mut(&key) {
                Some(slot) if slot.is_idle() && !slot.touched => {
                    self.slots.remove(&key);
                    self.home.meter.keys_dropped(1);
                }
                Some(slot) => {
                    slot.touched = false;
                    self.ring.push_back(key);
                }
                None => {}
            }
        }
    }
}

impl<D: Decider> Drop for Shard<D> {
    fn drop(&mut self) {
        self.home.meter.keys_dropped(self.slots.len());
    }
}

/// Reads a key's history, on a thread that may block.
async fn load<D: Decider>(home: Arc<Home<D>>, key: Key) -> Load<D> {
    let turn = home.loads.clone().acquire_owned().await;
    let (at, of) = (home.clone(), key.clone());
    let read = task::spawn_blocking(move || {
        let _turn = turn;
        let history = at.parts.journal.history(of.whole()).map_err(Failure::Unreadable)?;
        let position = |stored: Option<&Stored>| stored.map(|stored| stored.position).unwrap_or_default();
        let (since, last) = (position(history.records.first()), position(history.records.last()));
        let life = Life::load(&*at.decider, &history).map_err(|(position, why)| Failure::Damaged { position, why })?;
        Ok(Live::new(life, since, last))
    });
    // Only a decider that panics ends the thread before its time.
    let loaded = read.await.unwrap_or_else(|error| Err(Failure::Unreadable(ReadError::Disk(error.to_string()))));
    Load { key, loaded }
}

/// Asks the projection for an older answer.
async fn look_up<D: Decider>(home: Arc<Home<D>>, key: Key, command: Command<D>, position: Position) -> LookUp<D> {
    let (plain, idempotency_key) = (key.plain().to_owned(), command.idempotency_key.clone());
    let read = home
        .parts
        .projection
        .read_at_least(position, move |connection| older_answer(connection, D::KIND, &plain, &idempotency_key));
    let older = read.await.map_err(|error| Failure::Behind(error.to_string()));
    LookUp { key, command, older }
}
