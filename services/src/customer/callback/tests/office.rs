//! An office: a bus over what is on disk, and a desk whose advisers are played by the test.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use passerelle_adapter::{Adapter, Call, Descriptor, Fault, Health, Messages, async_trait};
use passerelle_bus::keyed::clock::Manual;
use passerelle_bus::keyed::{Answers, Parts, Timers};
use passerelle_journal::Journal;
use passerelle_journal::memory::Memory;
use passerelle_projection::{Fold, Projection, Settings};
use passerelle_proto::backoffice::callback::v1::place_request::What as Say;
use passerelle_proto::backoffice::callback::v1::place_response::What as Said;
use passerelle_proto::backoffice::callback::v1::{PlaceRequest, PlaceResponse, Start};
use passerelle_proto::customer::v1;
use passerelle_proto::customer::v1::callback::Status as Progress;
use passerelle_proto::customer::v1::callbacks_server::Callbacks as _;
use passerelle_proto::customer::v1::request_callback_request::When;
use passerelle_proto::customer::v1::reschedule_callback_request::When as To;
use prost::Message;
use prost_types::Timestamp;
use tokio::sync::{Mutex, mpsc};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Request, Status};

pub(super) use super::super::decide::tests::NINE;
use super::super::decide::tests::lines;
use super::super::service::{CallbackParts, Callbacks, folds};

/// How long a test waits before it calls something a hang.
const PATIENCE: Duration = Duration::from_secs(20);

/// What outlives a crash, and the advisers.
pub(super) struct Office {
    pub(super) journal: Arc<Memory>,
    pub(super) clock: Arc<Manual>,
    desk: Arc<Desk>,
    placed: mpsc::UnboundedReceiver<Placed>,
    folder: tempfile::TempDir,
    /// One file of tables for each life: the one before may still be closing.
    lives: std::cell::Cell<u32>,
}

/// One life of the bus.
pub(super) struct Bus {
    pub(super) callbacks: Callbacks,
    journal: Arc<Memory>,
}

/// A call that was placed at the desk.
pub(super) struct Placed {
    pub(super) start: Start,
    requests: Messages,
    answers: mpsc::UnboundedSender<Result<Bytes, Fault>>,
}

struct Desk {
    descriptor: Descriptor,
    placed: Mutex<mpsc::UnboundedSender<Placed>>,
}

#[async_trait]
impl Adapter for Desk {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn call(&self, call: Call) -> Result<Messages, Fault> {
        let mut requests = call.messages;
        let Some(Say::Start(start)) = said(&mut requests).await else { return Err(Fault::unavailable("no start")) };
        let (answers, receiver) = mpsc::unbounded_channel();
        let placed = Placed { start, requests, answers };
        self.placed.lock().await.send(placed).map_err(|_| Fault::unavailable("the test is over"))?;
        Ok(Messages::many(UnboundedReceiverStream::new(receiver).boxed()))
    }

    async fn health(&self) -> Health {
        Health::Ready
    }

    async fn drain(&self, _grace: Duration) {}
}

async fn said(requests: &mut Messages) -> Option<Say> {
    let bytes = requests.next().await?.ok()?;
    PlaceRequest::decode(bytes).ok()?.what
}

impl Placed {
    pub(super) fn id(&self) -> String {
        self.start.call.as_ref().map(|call| call.callback_id.clone()).unwrap_or_default()
    }

    pub(super) fn say(&self, what: Said) {
        let _ = self.answers.send(Ok(PlaceResponse { what: Some(what) }.encode_to_vec().into()));
    }

    /// What the bus says next; `None` when it has hung up.
    pub(super) async fn hear(&mut self) -> Option<Say> {
        tokio::time::timeout(PATIENCE, said(&mut self.requests)).await.expect("the bus says something")
    }
}

impl Office {
    /// Ten minutes before the line opens; one place a slot.
    pub(super) fn new() -> Self {
        let (sender, placed) = mpsc::unbounded_channel();
        let descriptor = Descriptor { kind: "callback", contracts: Vec::new(), idempotent: Vec::new(), behind: Vec::new() };
        Self {
            journal: Arc::new(Memory::new()),
            clock: Arc::new(Manual::at_seconds(NINE as u64 - 600)),
            desk: Arc::new(Desk { descriptor, placed: Mutex::new(sender) }),
            placed,
            folder: tempfile::tempdir().expect("a folder"),
            lives: std::cell::Cell::new(0),
        }
    }

    pub(super) async fn open(&self) -> Bus {
        let lines = lines(1, 3);
        let mut all: Vec<Box<dyn Fold>> = vec![Box::new(Answers::default()), Box::new(Timers)];
        all.extend(folds(&lines));
        self.lives.set(self.lives.get() + 1);
        let path = self.folder.path().join(format!("views-{}.sqlite", self.lives.get()));
        let projection = Projection::open(&path, all, self.journal.clone(), Settings::default()).expect("tables");
        let parts = Parts { journal: self.journal.clone(), projection: Arc::new(projection), clock: self.clock.clone() };
        let desk: Arc<dyn Adapter> = self.desk.clone();
        let desks = BTreeMap::from([("advisers".to_owned(), desk)]);
        let parts = CallbackParts { keyed: parts, lines, desks, secret: [7; 16] };
        Bus { callbacks: Callbacks::open(parts).expect("a service"), journal: self.journal.clone() }
    }

    /// The next call that is placed at the desk.
    pub(super) async fn call(&mut self) -> Placed {
        tokio::time::timeout(PATIENCE, self.placed.recv()).await.expect("a call is placed").expect("the desk is there")
    }
}

impl Bus {
    /// Everything in memory is gone. Waits for its tasks to end: what goes on beside the next life is no crash, and fires the timers of both.
    pub(super) async fn crash(self) {
        assert!(self.callbacks.drain(PATIENCE).await, "a life comes to its end");
    }

    pub(super) async fn request(&self, request: v1::RequestCallbackRequest) -> Result<v1::RequestCallbackResponse, Status> {
        self.callbacks.request_callback(Request::new(request)).await.map(tonic::Response::into_inner)
    }

    /// A callback promised for that slot; its id.
    pub(super) async fn promised(&self, customer: &str, slot: i64) -> String {
        let response = self.request(request(customer, "k", Some(slot))).await.expect("a promise");
        response.callback.expect("a callback").callback_id
    }

    pub(super) async fn reschedule(&self, id: &str, slot: i64) -> Result<v1::RescheduleCallbackResponse, Status> {
        let request = v1::RescheduleCallbackRequest {
            callback_id: id.to_owned(),
            when: Some(To::SlotStart(at(slot))),
            ..Default::default()
        };
        self.callbacks.reschedule_callback(Request::new(request)).await.map(tonic::Response::into_inner)
    }

    pub(super) async fn cancel(&self, id: &str) -> Result<v1::CancelCallbackResponse, Status> {
        let request = v1::CancelCallbackRequest { callback_id: id.to_owned(), ..Default::default() };
        self.callbacks.cancel_callback(Request::new(request)).await.map(tonic::Response::into_inner)
    }

    pub(super) async fn get(&self, id: &str) -> v1::Callback {
        let request = v1::GetCallbackRequest { callback_id: id.to_owned() };
        let response = self.callbacks.get_callback(Request::new(request)).await.expect("it is there");
        response.into_inner().callback.expect("a callback")
    }

    pub(super) async fn list(&self, request: v1::ListCallbacksRequest) -> v1::ListCallbacksResponse {
        self.callbacks.list_callbacks(Request::new(request)).await.expect("a list").into_inner()
    }

    /// Places left in the next slots, as all that is durable has it.
    pub(super) async fn free(&self, count: u32) -> Vec<u32> {
        let position = self.journal.durable().borrow().position;
        self.callbacks.0.projection.reach(position).await.expect("the tables follow");
        let request = v1::SearchTimeSlotsRequest { line: "sales".to_owned(), limit: count, ..Default::default() };
        let found = self.callbacks.search_time_slots(Request::new(request)).await.expect("slots").into_inner();
        found.slots.into_iter().map(|slot| slot.free).collect()
    }

    pub(super) async fn until(&self, id: &str, status: Progress) {
        self.until_fits(id, |callback| callback.status() == status).await;
    }

    pub(super) async fn until_promised(&self, id: &str, slot: i64) {
        self.until_fits(id, |callback| callback.promised_at == Some(at(slot))).await;
    }

    async fn until_fits(&self, id: &str, fits: impl Fn(&v1::Callback) -> bool) {
        let reached = async {
            let mut turn = tokio::time::interval(Duration::from_millis(5));
            while !fits(&self.get(id).await) {
                turn.tick().await;
            }
        };
        tokio::time::timeout(PATIENCE, reached).await.expect("it comes to that");
    }
}

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp { seconds, nanos: 0 }
}

pub(super) fn request(customer: &str, key: &str, slot: Option<i64>) -> v1::RequestCallbackRequest {
    v1::RequestCallbackRequest {
        idempotency_key: key.to_owned(),
        line: "sales".to_owned(),
        customer: customer.to_owned(),
        telephone: "+33 1 23 45 67 89".to_owned(),
        channel: "web".to_owned(),
        reason: "a question".to_owned(),
        context: [("basket".to_owned(), "B-7".to_owned())].into(),
        when: Some(slot.map_or(When::AsSoonAsPossible(true), |slot| When::SlotStart(at(slot)))),
    }
}
