//! What a delivery holds in memory.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use passerelle_proto::bus::v1::Message;

use super::parcel::{Body, Handed};
use super::{Counts, Plan};
use crate::delivery::destination::Destination;
use crate::delivery::{LaneId, Lanes, Place, Progress, Receipts, Waiting};

/// Lanes, the messages that fit in memory, whether the destination is there, and what it has received.
pub(super) struct State {
    pub(super) lanes: Lanes,
    pub(super) destination: Destination,
    /// Unless what comes twice is delivered twice.
    pub(super) receipts: Option<Receipts>,
    bodies: HashMap<Place, Body>,
    bytes: usize,
    /// Up to where was read when progress was written down last.
    pub(super) written: Place,
    /// How often progress was taken to be written down.
    pub(super) writes: u64,
    pub(super) counts: Counts,
}

/// A message as it was read.
pub(super) struct Read {
    pub(super) lane: LaneId,
    pub(super) waiting: Waiting,
    pub(super) body: Body,
}

impl State {
    pub(super) fn new(plan: &Plan, progress: &Progress) -> Self {
        Self {
            lanes: Lanes::resume(plan.lanes, progress),
            destination: Destination::default(),
            receipts: plan.once.as_ref().map(|once| Receipts::new(once.most)),
            bodies: HashMap::new(),
            bytes: 0,
            written: progress.frontier,
            writes: 0,
            counts: Counts::default(),
        }
    }

    /// Keeps a message in memory if there is room.
    pub(super) fn keep(&mut self, place: Place, body: Body, most: usize) {
        if self.bytes + body.size <= most {
            self.bytes += body.size;
            self.bodies.insert(place, body);
        }
    }

    /// Messages that go now.
    pub(super) fn hand_out(&mut self, most: usize, now: Instant) -> Vec<Handed> {
        let mut handed = Vec::new();
        let is_ready = self.receipts.as_ref().is_none_or(Receipts::is_loaded);
        while is_ready && handed.len() < most && self.destination.admits(now) {
            let Some(sending) = self.lanes.next(now) else {
                self.destination.nobody_went();
                break;
            };
            let body = self.bodies.remove(&sending.place);
            self.bytes -= body.as_ref().map_or(0, |body| body.size);
            handed.push(Handed { sending, body });
        }
        handed
    }

    /// When something may be handed out without anything else happening.
    pub(super) fn wakes_at(&self, now: Instant) -> Option<Instant> {
        self.destination.wakes_at(self.lanes.wakes_at(), now)
    }
}

impl Body {
    pub(super) fn new(message: Message, letter: Option<Arc<str>>) -> Self {
        let size = prost::Message::encoded_len(&message) + size_of::<Message>();
        Self { message, letter, size }
    }
}
