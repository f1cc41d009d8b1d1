//! What a delivery holds in memory.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use passerelle_proto::bus::v1::Message;

use super::Counts;
use super::parcel::{Body, Handed};
use crate::delivery::{LaneId, LaneLimits, Lanes, Place, Progress, Waiting};

/// Lanes, and the messages that fit in memory.
pub(super) struct State {
    pub(super) lanes: Lanes,
    bodies: HashMap<Place, Body>,
    bytes: usize,
    /// Up to where was read when progress was written down last.
    pub(super) written: Place,
    pub(super) counts: Counts,
}

/// A message as it was read.
pub(super) struct Read {
    pub(super) lane: LaneId,
    pub(super) waiting: Waiting,
    pub(super) body: Body,
}

impl State {
    pub(super) fn new(limits: LaneLimits, progress: &Progress) -> Self {
        let lanes = Lanes::resume(limits, progress);
        Self { lanes, bodies: HashMap::new(), bytes: 0, written: progress.frontier, counts: Counts::default() }
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
        while handed.len() < most {
            let Some(sending) = self.lanes.next(now) else { break };
            let body = self.bodies.remove(&sending.place);
            self.bytes -= body.as_ref().map_or(0, |body| body.size);
            handed.push(Handed { sending, body });
        }
        handed
    }
}

impl Body {
    pub(super) fn new(message: Message, letter: Option<Arc<str>>) -> Self {
        let size = prost::Message::encoded_len(&message) + size_of::<Message>();
        Self { message, letter, size }
    }
}
