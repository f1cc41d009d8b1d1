//! Patterns over a journal in memory, with a clock that is driven.

use std::sync::Arc;
use std::time::Duration;

use passerelle_bus::delivery::{DeliveryParts, Grave, Ledger};
use passerelle_bus::keyed::clock::Manual;
use passerelle_bus::keyed::{Answers, Keyed, KeyedSettings, Parts, Timers};
use passerelle_bus::pattern::{Patterns, Set, published};
use passerelle_bus::route::Sources;
use passerelle_bus::written::Text;
use passerelle_journal::memory::Memory;
use passerelle_journal::{Durability, Entry, Journal, Position};
use passerelle_projection::{Fold, Projection, Settings};
use passerelle_proto::bus::v1::{Message, Record};
use prost::Message as _;
use tempfile::TempDir;
use tokio::sync::watch;

use super::Bus;

pub(super) struct InProcess {
    journal: Arc<dyn Journal>,
    durable: watch::Receiver<Durability>,
    clock: Arc<Manual>,
    patterns: Patterns,
    projection: Arc<Projection>,
    next: Position,
    _folder: TempDir,
}

impl InProcess {
    pub(super) async fn start(route_file: &str) -> Self {
        let journal: Arc<dyn Journal> = Arc::new(Memory::new());
        let clock = Arc::new(Manual::at_seconds(1_000_000));
        let folder = TempDir::new().unwrap();
        let mut folds: Vec<Box<dyn Fold>> = vec![Box::new(Answers::default()), Box::new(Timers)];
        folds.extend(Patterns::folds());
        let projection = Projection::open(&folder.path().join("views.sqlite"), folds, journal.clone(), Settings::default());
        let projection = Arc::new(projection.unwrap());
        let parts = || Parts { journal: journal.clone(), projection: projection.clone(), clock: clock.clone() };
        let delivery = DeliveryParts {
            journal: journal.clone(),
            ledger: Arc::new(Keyed::open(Ledger, parts(), KeyedSettings::default(), |_| {}).unwrap()),
            graves: Arc::new(Keyed::open(Grave, parts(), KeyedSettings::default(), |_| {}).unwrap()),
            projection: projection.clone(),
            clock: clock.clone(),
        };
        let text = Text { name: "case.yaml".to_owned(), text: route_file.to_owned() };
        let set = Set::compile(&Sources::read(vec![text]).unwrap()).unwrap();
        let patterns = Patterns::open(Arc::new(set), delivery).await.unwrap();
        let durable = journal.durable();
        Self { journal, durable, clock, patterns, projection, next: Position(1), _folder: folder }
    }

    /// What is in the journal and was not read.
    fn rest(&mut self) -> Vec<Message> {
        let last = self.durable.borrow_and_update().position;
        let mut messages = Vec::new();
        while self.next <= last {
            for stored in self.journal.read(self.next, 1 << 20).unwrap() {
                self.next = stored.position.next();
                let record = Record::decode(stored.entry.data).unwrap();
                let events = if record.kind.is_empty() { Vec::new() } else { record.events.clone() };
                messages.extend(events.into_iter().chain(published(record)));
            }
        }
        messages
    }
}

impl Bus for InProcess {
    async fn publish(&mut self, messages: Vec<Message>) {
        for message in messages {
            let record = Record { events: vec![message], ..Record::default() };
            let entry = Entry { data: record.encode_to_vec().into(), step: None, fingerprint: None };
            self.journal.append(vec![entry]).await.unwrap().durable().await.unwrap();
        }
    }

    async fn switch(&mut self, pattern: &str, on: bool) {
        self.patterns.switch(pattern, on).await.unwrap();
    }

    async fn purge(&mut self, pattern: &str) {
        self.patterns.purge(pattern).await.unwrap();
    }

    async fn pass(&mut self, time: Duration) {
        self.clock.advance(time);
    }

    async fn next(&mut self) -> Vec<Message> {
        if self.next > self.durable.borrow_and_update().position {
            self.durable.changed().await.unwrap();
        }
        self.rest()
    }

    async fn end(mut self) -> Vec<Message> {
        assert!(self.patterns.drain(Duration::from_secs(20)).await);
        let rest = self.rest();
        self.projection.close().await;
        rest
    }
}
