//! The way of messages from one end to the other: so many on it at most, each one timed, none overtaken.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, Semaphore};

use crate::durable::flight::content;

/// Customers whose messages keep their order.
pub(crate) const CUSTOMERS: u64 = 1_000;
/// Bytes of a stamp at the front of each message: when it was published, and its number.
const STAMP: usize = 16;

/// How a system is loaded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// Messages published and not taken, at most.
    pub(crate) on_the_way: usize,
    /// Messages a second; as fast as they are taken where there is none.
    pub(crate) rate: Option<f64>,
    /// What is taken before is the warm-up.
    pub(crate) begin: Instant,
    /// Nothing is published after.
    pub(crate) end: Instant,
}

/// One load on its way.
#[derive(Debug)]
pub(crate) struct Road {
    load: Load,
    start: Instant,
    template: Vec<u8>,
    room: Semaphore,
    arrived: Notify,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    published: u64,
    taken: u64,
    measured: u64,
    latencies: Vec<u32>,
    /// The number of each customer's last message that was taken.
    last: Vec<Option<u64>>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Passed {
    /// Messages taken between begin and end.
    pub(crate) measured: u64,
    /// Microseconds of each of them from publishing to being taken.
    pub(crate) latencies: Vec<u32>,
}

impl Road {
    pub(crate) fn new(load: Load) -> Self {
        let state = State { published: 0, taken: 0, measured: 0, latencies: Vec::new(), last: vec![None; CUSTOMERS as usize] };
        Self {
            load,
            start: Instant::now(),
            template: content(),
            room: Semaphore::new(load.on_the_way),
            arrived: Notify::new(),
            state: Mutex::new(state),
        }
    }

    /// Contents that may be published now, at least one; `None` when it is over. Nothing is lost when it is not waited for to its end.
    pub(crate) async fn next(&self) -> Option<Vec<(u64, Vec<u8>)>> {
        if let Some(rate) = self.load.rate {
            // The next one is due when its number says so.
            let due = self.start + Duration::from_secs_f64((self.lock().published + 1) as f64 / rate);
            tokio::time::sleep_until(due.into()).await;
        }
        let permit = self.room.acquire().await.ok()?;
        let now = Instant::now();
        if now >= self.load.end {
            return None;
        }
        permit.forget();
        let mut state = self.lock();
        let due = self.load.rate.map(|rate| ((now - self.start).as_secs_f64() * rate) as u64);
        let due = due.map_or(usize::MAX, |due| due.saturating_sub(state.published + 1) as usize);
        let more = due.min(self.room.available_permits());
        self.room.forget_permits(more);
        let sent = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Some((0..=more).map(|_| state.content(&self.template, sent)).collect())
    }

    /// A message is there. Fails when it was overtaken by one of its customer's that was published later, or comes again.
    pub(crate) fn take(&self, content: &[u8]) -> Result<(), String> {
        let [sent, number] =
            [0, 8].map(|at| content.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes));
        let (Some(sent), Some(number)) = (sent, number) else { return Err("a message without its stamp".to_owned()) };
        let now = Instant::now();
        let mut state = self.lock();
        let last = state.last[(number % CUSTOMERS) as usize].replace(number);
        if last.is_some_and(|last| last >= number) {
            return Err(format!("message {number} came after {last:?} of the same customer"));
        }
        state.taken += 1;
        if (self.load.begin..self.load.end).contains(&now) {
            state.measured += 1;
            let micros = (now - self.start).saturating_sub(Duration::from_nanos(sent)).as_micros();
            state.latencies.push(u32::try_from(micros).unwrap_or(u32::MAX));
        }
        let is_last = now >= self.load.end && state.taken == state.published;
        drop(state);
        self.room.add_permits(1);
        if is_last {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Until nothing is published any more and all that was has been taken.
    pub(crate) async fn over(&self) {
        tokio::time::sleep_until(self.load.end.into()).await;
        let is_over = {
            let state = self.lock();
            state.taken == state.published
        };
        if !is_over {
            self.arrived.notified().await;
        }
    }

    /// Nothing is published after.
    pub(crate) fn end(&self) -> Instant {
        self.load.end
    }

    /// How far it got, in words.
    pub(crate) fn state(&self) -> String {
        let state = self.lock();
        format!("{} messages were published, {} taken", state.published, state.taken)
    }

    pub(crate) fn passed(self) -> Passed {
        let State { measured, latencies, .. } = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        Passed { measured, latencies }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn content(&mut self, template: &[u8], sent: u64) -> (u64, Vec<u8>) {
        let (number, mut bytes) = (self.published, template.to_vec());
        self.published += 1;
        bytes[..8].copy_from_slice(&sent.to_le_bytes());
        bytes[8..STAMP].copy_from_slice(&number.to_le_bytes());
        (number, bytes)
    }
}
