//! Reading the journal for a delivery: on, and again for lanes that had been full.

use std::sync::Arc;
use std::time::Duration;

use passerelle_journal::{Position, ReadError, Stored};
use passerelle_proto::bus::v1;
use passerelle_proto::bus::v1::dead_letter_event::Event;
use prost::Message as _;

use super::state::Read;
use super::{Chosen, Desk};
use crate::delivery::delivery::parcel::Body;
use crate::delivery::{Grave, LaneId, Place, Waiting};
use crate::keyed::Decider;
use crate::pattern::published;

/// Bytes that are read at once.
const PAGE_BYTES: usize = 256 * 1024;
/// How long is waited when the disk does not give what it should.
const AGAIN: Duration = Duration::from_secs(1);

/// What is read next.
#[derive(Debug, Clone, Copy)]
enum Next {
    On(Place),
    Again(Place),
}

pub(super) async fn run(desk: Arc<Desk>) {
    let mut durable = desk.parts.journal.durable();
    let mut closing = desk.closing.subscribe();
    loop {
        let room = desk.room.notified();
        let last = durable.borrow_and_update().position;
        let next = {
            let mut state = desk.state();
            let again = state.lanes.refill_from().map(Next::Again);
            again.or_else(|| state.lanes.read_from().filter(|from| from.position <= last.0).map(Next::On))
        };
        let work = async {
            match next {
                Some(next) => read(&desk, next, last).await,
                None => tokio::select! {
                    _ = durable.changed() => {}
                    () = room => {}
                },
            }
        };
        tokio::select! {
            biased;
            _ = closing.wait_for(|closing| *closing) => return,
            () = work => {}
        }
    }
}

async fn read(desk: &Arc<Desk>, next: Next, last: Position) {
    let (Next::On(from) | Next::Again(from)) = next;
    let reading = desk.clone();
    let page = tokio::task::spawn_blocking(move || reading.parts.journal.read(Position(from.position.max(1)), PAGE_BYTES)).await;
    let page = match page {
        Ok(Ok(page)) => page,
        Ok(Err(ReadError::Trimmed { first, .. })) => return skip(desk, next, from, first),
        Ok(Err(error)) => {
            tracing::error!(delivery = desk.plan.name, %error, "the journal cannot be read for a delivery; it is tried again");
            return tokio::time::sleep(AGAIN).await;
        }
        // The runtime is being stopped.
        Err(_) => return,
    };
    for stored in page.into_iter().filter(|stored| stored.position <= last) {
        let after = Place::first_of(stored.position.next().0);
        let messages = messages(desk, stored).await;
        if !put(desk, next, from, after, messages) {
            break;
        }
    }
    desk.arrived.notify_one();
    desk.changed.notify_one();
}

/// Into the lanes; `false`: there is no room for all of them.
fn put(desk: &Desk, next: Next, from: Place, after: Place, messages: Vec<Read>) -> bool {
    let mut state = desk.state();
    for Read { lane, waiting, body } in messages.into_iter().filter(|read| read.waiting.place >= from) {
        let is_in_memory = match next {
            Next::On(_) if state.lanes.read_from().is_none() => return false,
            Next::On(_) => state.lanes.read(lane, waiting),
            Next::Again(_) => state.lanes.refill(lane, waiting),
        };
        if is_in_memory {
            state.keep(waiting.place, body, desk.plan.bytes);
        }
    }
    match next {
        Next::On(_) => state.lanes.read_to(after),
        Next::Again(_) => state.lanes.refilled_to(after),
    }
    true
}

/// Records that were to be delivered are gone. Retention does not do that; somebody did.
fn skip(desk: &Desk, next: Next, from: Place, first: Position) {
    tracing::error!(delivery = desk.plan.name, from = %from, %first, "messages that were to be delivered are no longer in the journal");
    let mut state = desk.state();
    match next {
        Next::On(_) => state.lanes.read_to(Place::first_of(first.0)),
        Next::Again(_) => state.lanes.refilled_to(Place::first_of(first.0)),
    }
}

/// The messages of a record that this delivery delivers: those published, and dead letters that are to be sent again.
pub(super) async fn messages(desk: &Desk, stored: Stored) -> Vec<Read> {
    let position = stored.position.0;
    let record = match v1::Record::decode(stored.entry.data) {
        Ok(record) => record,
        Err(error) => {
            tracing::error!(delivery = desk.plan.name, position, %error, "a record is not understood and passed over");
            return Vec::new();
        }
    };
    if record.kind == Grave::KIND {
        return replayed(desk, position, &record).await.into_iter().collect();
    }
    let chosen = published(record).into_iter().zip(0..).filter_map(|(message, index)| {
        let Chosen { lane } = (desk.plan.choose)(&message)?;
        Some(one(Place { position, index }, lane, message, None))
    });
    chosen.collect()
}

fn one(place: Place, lane: Option<LaneId>, message: v1::Message, letter: Option<Arc<str>>) -> Read {
    let priority = u8::try_from(message.priority).unwrap_or(u8::MAX);
    let lane = lane.unwrap_or_else(|| alone(place));
    Read { lane, waiting: Waiting { place, priority }, body: Body::new(message, letter) }
}

/// A lane for one message: its place, spread over all numbers.
fn alone(place: Place) -> LaneId {
    (place.position << 10 ^ u64::from(place.index)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// A dead letter of this delivery that is to be sent again from this record on.
async fn replayed(desk: &Desk, position: u64, record: &v1::Record) -> Option<Read> {
    record.key.strip_prefix(desk.plan.name.as_str())?.strip_prefix('/')?;
    let is_replay = |message: &v1::Message| {
        let event = v1::DeadLetterEvent::decode(message.data.clone()).ok().and_then(|event| event.event);
        matches!(event, Some(Event::Replayed(_)))
    };
    if !record.events.iter().any(is_replay) {
        return None;
    }
    let (letter, _) = desk.parts.graves.state(&record.key).await.ok()??;
    // Only the last replay counts, and only until something came of it.
    if letter.status() != v1::DeadLetterStatus::Replayed || letter.since != record.time {
        return None;
    }
    Some(one(Place::first_of(position), Some(letter.lane), letter.message?, Some(record.key.as_str().into())))
}
