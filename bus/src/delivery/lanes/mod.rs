//! Lanes: which message of one destination goes next. A pure state: no clock, no I/O.
//!
//! A lane holds the messages of one key in their order, and one of them at a time is with the destination, so what is settled of a lane
//! is always its beginning. That makes progress small: *everything before the frontier is settled, but of the lanes that are named what is
//! at their first place or after it* ([`Progress`]). What does not fit in memory stays in the journal: a lane that is full remembers from
//! where on ([`Lanes::refill_from`]), and a destination of which too much waits is not read for any further ([`Lanes::read_from`]).

mod lane;
mod ready;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Instant;

use self::lane::{Lane, State};
use self::ready::Ready;
use super::Place;
use super::progress::{Changes, Pending, Progress};

/// Which lane: a hash of the message's key. Two keys of one hash share a lane, which keeps the order of both.
pub type LaneId = u64;

/// Memory that was full is filled again when this part of it is free.
const ROOM: usize = 8;

/// How much is held in memory, and how much is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneLimits {
    /// Messages with the destination at the same time.
    pub under_way: usize,
    /// Messages in memory (their places, not their bodies), and lanes.
    pub waiting: usize,
    /// Messages of one lane in memory.
    pub waiting_of_one: usize,
}

impl Default for LaneLimits {
    fn default() -> Self {
        Self { under_way: 64, waiting: 65_536, waiting_of_one: 1_024 }
    }
}

/// A message that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Where it is.
    pub place: Place,
    /// 0 to 9; 9 goes first. Within a lane order comes before priority.
    pub priority: u8,
}

/// A message that is to be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sending {
    /// Its lane.
    pub lane: LaneId,
    /// Where it is.
    pub place: Place,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// Whether an attempt was begun before of which nobody knows what became of it.
    pub was_begun: bool,
}

/// What became of a message that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// It need not be sent any more: delivered, or put aside.
    Done,
    /// It is sent again.
    Again {
        /// When.
        at: Instant,
        /// Whether this attempt counts: one that nobody began does not.
        counts: bool,
        /// Whether what became of this attempt is still to be found out.
        is_open: bool,
    },
}

/// The lanes of one destination.
#[derive(Debug)]
pub struct Lanes {
    limits: LaneLimits,
    lanes: HashMap<LaneId, Lane>,
    ready: Ready,
    /// Lanes that are asleep, by the time at which they wake up.
    asleep: BTreeSet<(Instant, LaneId)>,
    /// Everything before was read once.
    frontier: Place,
    /// Where the pass is that reads what lanes left in the journal.
    pass: Option<Pass>,
    /// Lanes that left messages in the journal.
    left: HashSet<LaneId>,
    waiting: usize,
    /// Memory was full, and not much of it is free yet.
    is_full: bool,
    under_way: usize,
    changed: BTreeSet<LaneId>,
    /// Lanes that are written down as having messages before them.
    written: HashMap<LaneId, Pending>,
}

/// A pass over what was read before, for the lanes that were full then.
#[derive(Debug)]
struct Pass {
    at: Place,
    /// Lanes all of whose messages the pass has taken so far.
    complete: BTreeSet<LaneId>,
}

impl Lanes {
    /// Lanes that go on where they were.
    #[must_use]
    pub fn resume(limits: LaneLimits, progress: &Progress) -> Self {
        let lanes = progress.lanes.iter().map(|(&id, pending)| {
            let begun = pending.is_begun.then_some(pending.first);
            (id, Lane { attempts: pending.attempts, begun, left_from: Some(pending.first), ..Lane::new() })
        });
        Self {
            limits,
            lanes: lanes.collect(),
            ready: Ready::default(),
            asleep: BTreeSet::new(),
            frontier: progress.frontier,
            pass: None,
            left: progress.lanes.keys().copied().collect(),
            waiting: 0,
            is_full: false,
            under_way: 0,
            changed: BTreeSet::new(),
            written: progress.lanes.iter().map(|(&id, &pending)| (id, pending)).collect(),
        }
    }

    /// Where to read on; `None` while there is no room.
    #[must_use]
    pub fn read_from(&self) -> Option<Place> {
        let has_room = !self.is_full && self.lanes.len() < self.limits.waiting;
        has_room.then_some(self.frontier)
    }

    /// A message at or after the frontier; whether it is in memory now.
    pub fn read(&mut self, id: LaneId, message: Waiting) -> bool {
        self.frontier = self.frontier.max(message.place.next());
        let lane = self.lanes.entry(id).or_insert_with(|| {
            // What comes behind others is told by the frontier.
            self.changed.insert(id);
            Lane::new()
        });
        if lane.left_from.is_some() {
            return false;
        }
        if lane.waiting.len() >= self.limits.waiting_of_one {
            lane.left_from = Some(message.place);
            self.left.insert(id);
            if let Some(pass) = &mut self.pass {
                pass.complete.insert(id);
            }
            return false;
        }
        self.put(id, message);
        true
    }

    /// Everything before a place was read.
    pub fn read_to(&mut self, place: Place) {
        self.frontier = self.frontier.max(place);
    }

    /// Where to read again, for lanes that had left messages in the journal and have room now; `None`: there are none.
    pub fn refill_from(&mut self) -> Option<Place> {
        if self.is_full {
            return None;
        }
        if self.pass.is_none() {
            let low = self.limits.waiting_of_one / 2;
            let left = || self.left.iter().filter_map(|id| Some((*id, self.lanes.get(id)?)));
            let first = left().filter(|(_, lane)| lane.waiting.len() <= low).filter_map(|(_, lane)| lane.left_from).min()?;
            // Lanes that left messages before that are not complete after this pass.
            let complete = left().filter(|(_, lane)| lane.left_from >= Some(first)).map(|(id, _)| id).collect();
            self.pass = Some(Pass { at: first, complete });
        }
        self.pass.as_ref().map(|pass| pass.at)
    }

    /// A message from where lanes are refilled; whether it is in memory now, and was not before.
    pub fn refill(&mut self, id: LaneId, message: Waiting) -> bool {
        let Some(lane) = self.lanes.get_mut(&id) else { return false };
        let Some(left) = lane.left_from else { return false };
        if message.place < left || message.place >= self.frontier {
            return false;
        }
        let has_room = lane.waiting.len() < self.limits.waiting_of_one && self.waiting < self.limits.waiting;
        match &mut self.pass {
            Some(pass) if pass.complete.contains(&id) && has_room => {
                lane.left_from = Some(message.place.next());
                self.put(id, message);
                true
            }
            Some(pass) => {
                pass.complete.remove(&id);
                false
            }
            None => false,
        }
    }

    /// Everything before a place was read again. At the frontier the pass ends, and when all its lanes are full: what they take further on
    /// they would not have room for.
    pub fn refilled_to(&mut self, place: Place) {
        let Some(pass) = &mut self.pass else { return };
        pass.at = place;
        if place < self.frontier && !pass.complete.is_empty() {
            return;
        }
        let complete = std::mem::take(&mut pass.complete);
        self.pass = None;
        for id in complete {
            let Some(lane) = self.lanes.get_mut(&id) else { continue };
            lane.left_from = None;
            self.left.remove(&id);
            if lane.waiting.is_empty() {
                self.lanes.remove(&id);
                self.changed.insert(id);
            }
        }
    }

    /// The message that goes next, if one may go now.
    pub fn next(&mut self, now: Instant) -> Option<Sending> {
        if self.under_way >= self.limits.under_way {
            return None;
        }
        self.wake(now);
        let id = self.ready.pop()?;
        let lane = self.lanes.get_mut(&id)?;
        lane.state = State::UnderWay;
        self.under_way += 1;
        let place = lane.waiting.front()?.place;
        Some(Sending { lane: id, place, attempt: lane.attempts + 1, was_begun: lane.begun == Some(place) })
    }

    /// An attempt is begun, which is to be written down before it is.
    pub fn begin(&mut self, sent: &Sending) {
        if let Some(lane) = self.lanes.get_mut(&sent.lane)
            && lane.begun != Some(sent.place)
        {
            lane.begun = Some(sent.place);
            self.changed.insert(sent.lane);
        }
    }

    /// When [`next`](Self::next) may have something without anything else happening.
    #[must_use]
    pub fn wakes_at(&self) -> Option<Instant> {
        self.asleep.first().map(|(at, _)| *at)
    }

    /// What became of a message that [`next`](Self::next) gave.
    pub fn settle(&mut self, sent: &Sending, settlement: Settlement) {
        let Some(lane) = self.lanes.get_mut(&sent.lane) else { return };
        if lane.state != State::UnderWay || lane.waiting.front().is_none_or(|first| first.place != sent.place) {
            return;
        }
        self.under_way -= 1;
        match settlement {
            Settlement::Done => self.advance(sent.lane),
            Settlement::Again { at, counts, is_open } => {
                lane.attempts = lane.attempts.saturating_add(u32::from(counts));
                let is_over = !is_open && lane.begun.take().is_some();
                if counts || is_over {
                    self.changed.insert(sent.lane);
                }
                lane.state = State::Asleep(at);
                self.asleep.insert((at, sent.lane));
            }
        }
    }

    /// Up to where was read.
    #[must_use]
    pub fn frontier(&self) -> Place {
        self.frontier
    }

    /// How many messages are in memory and not settled.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// How many messages are with the destination.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.under_way
    }

    /// Lanes with messages that are not settled.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lanes.len()
    }

    /// The oldest message that is not settled; the frontier where there is none.
    #[must_use]
    pub fn oldest(&self) -> Place {
        self.lanes.values().filter_map(Lane::first).min().unwrap_or(self.frontier)
    }

    /// Whether something was read or settled since [`take_changes`](Self::take_changes).
    #[must_use]
    pub fn has_changes(&self) -> bool {
        !self.changed.is_empty()
    }

    /// What is to be written down: what changed since this was asked last.
    pub fn take_changes(&mut self) -> Changes {
        let mut lanes = Vec::new();
        for id in std::mem::take(&mut self.changed) {
            let lane = self.lanes.get(&id);
            let pending = lane.and_then(Lane::pending);
            // Most lanes come and go between two records: nothing of them is written down.
            let known = match pending {
                Some(pending) => self.written.insert(id, pending),
                None => self.written.remove(&id),
            };
            if known != pending {
                lanes.push((id, pending));
            }
        }
        Changes { lanes, frontier: self.frontier, received: Vec::new() }
    }

    fn put(&mut self, id: LaneId, message: Waiting) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        lane.waiting.push_back(message);
        self.waiting += 1;
        self.is_full |= self.waiting >= self.limits.waiting;
        if lane.waiting.len() == 1 {
            self.rouse(id);
        }
    }

    /// The first message of a lane is settled.
    fn advance(&mut self, id: LaneId) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        lane.waiting.pop_front();
        lane.attempts = 0;
        lane.begun = None;
        self.waiting -= 1;
        // A page of the journal is not read for the place of one message.
        self.is_full &= self.waiting > self.limits.waiting - self.limits.waiting / ROOM;
        self.changed.insert(id);
        if !lane.waiting.is_empty() {
            self.rouse(id);
        } else if lane.left_from.is_some() {
            lane.state = State::Drained;
        } else {
            self.lanes.remove(&id);
        }
    }

    /// A lane's first message may go.
    fn rouse(&mut self, id: LaneId) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        let Some(first) = lane.waiting.front() else { return };
        lane.state = State::Ready;
        self.ready.push(id, first.priority);
    }

    fn wake(&mut self, now: Instant) {
        while let Some(&(at, id)) = self.asleep.first().filter(|(at, _)| *at <= now) {
            self.asleep.remove(&(at, id));
            if self.lanes.get(&id).is_some_and(|lane| lane.state == State::Asleep(at)) {
                self.rouse(id);
            }
        }
    }
}
