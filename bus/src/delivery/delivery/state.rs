//! What a delivery holds in memory.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use passerelle_proto::bus::v1::Message;

use super::Counts;
use super::parcel::{Body, Handed};
use crate::delivery::{Destination, LaneId, LaneLimits, Lanes, Place, Progress, Waiting};

/// Lanes, the messages that fit in memory, and whether the destination is there.
pub(super) struct State {
    pub(super) lanes: Lanes,
    pub(super) destination: Destination,
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
        Self {
            lanes,
            destination: Destination::default(),
            bodies: HashMap::new(),
            bytes: 0,
            written: progress.frontier,
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
        while handed.len() < most && self.destination.admits(now) {
            let Some(sending) = self.lanes.next(now) else {
                self.destination.nobody_went(now);
                break;
            };
            let body = self.bodies.remove(&sending.place);
            self.bytes -= body.as_ref().map_or(0, |body| body.size);
            handed.push(Handed { sending, body });
        }
        handed
    }

    /// When something may be handed out without anything else happening.
    pub(super) fn wakes_at(&self) -> Option<Instant> {
        match self.destination {
            Destination::There => self.lanes.wakes_at(),
            Destination::Away { .. } | Destination::Asked { .. } => self.destination.opens_at(),
        }
    }
}

impl Body {
    pub(super) fn new(message: Message, letter: Option<Arc<str>>) -> Self {
        let size = prost::Message::encoded_len(&message) + size_of::<Message>();
        Self { message, letter, size }
    }
}
