//! What waits for the writer, bounded in bytes.

use std::collections::VecDeque;
use std::sync::mpsc::{self, Sender};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, oneshot};

use crate::{AppendError, Entry, Position, Receipt};

use super::Append;

/// Most that the writer takes at once, bytes: room is given back, and answers are given, this often.
const TAKEN_AT_ONCE: usize = 8 << 20;

/// What is asked of the writer beside entries. Either is answered with a first position.
pub(super) enum Request {
    /// Give up segments before this position.
    Trim(Position),
    /// Go on in a new segment.
    Begin,
}

pub(super) type Answered = oneshot::Sender<Result<Position, AppendError>>;

/// Entries and other requests, in the order in which they came.
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    room: Semaphore,
    bytes: usize,
}

#[derive(Default)]
struct Waiting {
    appends: VecDeque<(Append, usize)>,
    /// How many entries these are.
    entries: usize,
    requests: Vec<(Request, Answered)>,
    /// With how many appends had come before.
    settled: Vec<(u64, Sender<()>)>,
    /// How many appends have come, and how many of them the writer has taken.
    came: u64,
    taken: u64,
    /// The writer is at what it took last.
    busy: bool,
    /// The writer sleeps until this many entries are there; 0: it does not.
    wakes_at: usize,
    closed: bool,
}

/// What the writer is to do.
#[derive(Default)]
pub(super) struct Work {
    pub(super) appends: Vec<Append>,
    /// To be given back when they are written.
    pub(super) bytes: usize,
    pub(super) requests: Vec<(Request, Answered)>,
    /// Told when all of this is done.
    pub(super) settled: Vec<(u64, Sender<()>)>,
}

/// What the writer wakes up to.
pub(super) enum Next {
    Work(Work),
    /// Nothing came for the time that it wanted to be told after.
    Idle,
    /// Nothing will come any more.
    Closed,
}

impl Queue {
    pub(super) fn new(bytes: usize) -> Self {
        Self { waiting: Mutex::default(), arrived: Condvar::new(), room: Semaphore::new(bytes), bytes }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues entries that take `bytes`, when there is room.
    pub(super) async fn append(&self, entries: Vec<Entry>, bytes: u64) -> Result<Receipt, AppendError> {
        let bytes = (bytes.max(1) as usize).min(self.bytes);
        let room = self.room.acquire_many(bytes as u32).await.map_err(|_| AppendError::Closed)?;
        let (answer, receipt) = Receipt::open();
        let mut waiting = self.waiting();
        if waiting.closed {
            return Err(AppendError::Closed);
        }
        room.forget();
        waiting.entries += entries.len();
        waiting.appends.push_back((Append { entries, answer }, bytes));
        waiting.came += 1;
        // A writer that is busy will look by itself.
        if waiting.wakes_at > 0 && waiting.entries >= waiting.wakes_at {
            waiting.wakes_at = 0;
            self.arrived.notify_one();
        }
        Ok(receipt)
    }

    pub(super) fn ask(&self, request: Request, answered: Answered) {
        let mut waiting = self.waiting();
        // Otherwise the sender is dropped, and says so.
        if !waiting.closed {
            waiting.requests.push((request, answered));
            self.arrived.notify_one();
        }
    }

    /// Waits until all that was queued before is written or refused.
    pub(super) fn settle(&self) {
        let mut waiting = self.waiting();
        if waiting.closed || (!waiting.busy && waiting.appends.is_empty()) {
            return;
        }
        let (settled, receiver) = mpsc::channel();
        let came = waiting.came;
        waiting.settled.push((came, settled));
        self.arrived.notify_one();
        drop(waiting);
        // An error: the writer has ended.
        let _ = receiver.recv();
    }

    /// Takes what is there; sleeps while there is nothing, but no longer than `idle`. Where `gather` entries can be expected, it
    /// gives them a moment to come together.
    pub(super) fn take(&self, idle: Option<Duration>, gather: (usize, Duration)) -> Next {
        let mut waiting = self.waiting();
        waiting.busy = false;
        while waiting.is_empty() {
            if waiting.closed {
                return Next::Closed;
            }
            waiting.wakes_at = 1;
            let Some(idle) = idle else {
                waiting = self.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let (held, timeout) = self.arrived.wait_timeout(waiting, idle).unwrap_or_else(PoisonError::into_inner);
            waiting = held;
            if timeout.timed_out() && waiting.is_empty() {
                return Next::Idle;
            }
        }
        waiting = self.gather(waiting, gather);
        waiting.wakes_at = 0;
        waiting.busy = true;
        Next::Work(waiting.take())
    }

    fn gather<'a>(&self, mut waiting: MutexGuard<'a, Waiting>, (count, time): (usize, Duration)) -> MutexGuard<'a, Waiting> {
        let until = Instant::now() + time;
        while waiting.entries < count && waiting.settled.is_empty() && !waiting.closed {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            waiting.wakes_at = count;
            waiting = self.arrived.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        waiting
    }

    /// How many entries wait.
    pub(super) fn entries(&self) -> usize {
        self.waiting().entries
    }

    /// What was taken is written.
    pub(super) fn give_back(&self, bytes: usize) {
        self.room.add_permits(bytes);
    }

    /// Takes nothing more; what is there is still to be taken.
    pub(super) fn close(&self) {
        self.room.close();
        self.waiting().closed = true;
        self.arrived.notify_one();
    }

    /// The writer has ended: whoever still waits is told by the loss of the other end.
    pub(super) fn abandon(&self) {
        self.close();
        let left = std::mem::replace(&mut *self.waiting(), Waiting { closed: true, ..Waiting::default() });
        drop(left);
    }
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.appends.is_empty() && self.requests.is_empty() && self.settled.is_empty()
    }

    fn take(&mut self) -> Work {
        let mut work = Work { requests: std::mem::take(&mut self.requests), ..Work::default() };
        while work.bytes < TAKEN_AT_ONCE
            && let Some((append, bytes)) = self.appends.pop_front()
        {
            work.bytes += bytes;
            self.entries -= append.entries.len();
            work.appends.push(append);
        }
        self.taken += work.appends.len() as u64;
        let (taken, settled) = (self.taken, std::mem::take(&mut self.settled));
        (work.settled, self.settled) = settled.into_iter().partition(|(came, _)| *came <= taken);
        work
    }
}
