//! The dispatcher: fires timers when they are due, one second after the other, those of a second side by side.

use std::sync::Arc;
use std::time::Duration;

use passerelle_journal::Position;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::Decider;
use super::alarm::Alarm;
use super::ask::{Ask, Due, Taken};
use super::door::Doors;
use super::fold::pending_timers;
use super::home::{Home, ROOM_PATIENCE, told};
use super::instant::{from_nanoseconds, nanoseconds, timestamp};
use super::key::Key;
use super::timetable::Next;

/// Timers fired side by side.
const SIDE_BY_SIDE: usize = 256;
/// Longest time between two attempts after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
const GONE: &str = "its shard has ended";

pub(super) struct Dispatcher<D: Decider> {
    home: Arc<Home<D>>,
    doors: Arc<Doors<D>>,
    /// Failures in a row, each within a minute of the one before.
    failures: u32,
    failed_last: Instant,
    /// When timers whose firing came to nothing are tried again.
    again: Option<Instant>,
}

impl<D: Decider> Dispatcher<D> {
    pub(super) fn new(home: Arc<Home<D>>, doors: Arc<Doors<D>>) -> Self {
        Self { home, doors, failures: 0, failed_last: Instant::now(), again: None }
    }

    /// Works until it is told to close.
    pub(super) async fn run(mut self, mut closing: watch::Receiver<bool>) {
        let work = async {
            loop {
                self.step().await;
            }
        };
        tokio::select! {
            () = told(&mut closing) => {}
            () = work => {}
        }
    }

    async fn step(&mut self) {
        if self.home.timetable.failed() && self.again.is_none() {
            self.home.meter.timer_failed();
            self.again = Some(Instant::now() + self.pause());
        }
        if self.again.is_some_and(|again| again <= Instant::now()) {
            self.again = None;
            self.home.timetable.start_over();
        }
        match self.home.timetable.next() {
            Next::Load { from, position } => self.load(from, position).await,
            Next::Alarm(alarm) => {
                let now = nanoseconds(timestamp(self.home.parts.clock.now()));
                match self.home.timetable.take(now, SIDE_BY_SIDE) {
                    none if none.is_empty() => self.wait(Some(&alarm)).await,
                    due => self.fire(due).await,
                }
            }
            Next::Nothing => self.wait(None).await,
        }
    }

    /// Until the alarm is due, another may come before it, or it is time to try again.
    async fn wait(&self, alarm: Option<&Alarm>) {
        let due = async {
            match alarm {
                Some(alarm) => self.home.parts.clock.sleep_until(from_nanoseconds(alarm.due)).await,
                None => std::future::pending().await,
            }
        };
        let again = async {
            match self.again {
                Some(again) => sleep_until(again).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = again => {}
            () = self.home.timetable.changed() => {}
        }
    }

    /// Reads the next timers from the projection.
    async fn load(&mut self, from: Alarm, position: u64) {
        let Home { parts, settings, timetable, .. } = &*self.home;
        // Put in by records that are durable by now: they are in the projection at that position. Later ones go to the timetable.
        timetable.loading();
        let position = Position(position).max(parts.journal.durable().borrow().position);
        let (limit, begin) = (settings.timers, from.clone());
        let read = move |connection: &_| pending_timers(connection, D::KIND, &begin, limit.saturating_add(1));
        match parts.projection.read_at_least(position, read).await {
            Ok(mut alarms) => {
                let unread = if alarms.len() > limit { alarms.pop() } else { None };
                timetable.loaded(alarms, unread);
            }
            Err(error) => {
                timetable.loaded(Vec::new(), Some(from));
                tracing::warn!(kind = D::KIND, %error, "timers cannot be read, none fires until they can");
                sleep(self.pause()).await;
            }
        }
    }

    /// Fires timers of one second, and waits until their records have their places in the journal, not for the disk: so those of the next
    /// second come after them. Side by side they do not wait for each other's keys to be read, nor for their turns in busy shards.
    async fn fire(&mut self, alarms: Vec<Alarm>) {
        let mut firing = Vec::with_capacity(alarms.len());
        for alarm in alarms {
            firing.push(self.send(alarm).await);
        }
        for sent in firing {
            let why = match sent {
                Ok(told) => match told.await {
                    Ok(Taken::Fired | Taken::NotPending) => continue,
                    Ok(Taken::Failed(why)) => why,
                    Err(_) => GONE.to_owned(),
                },
                Err(why) => why,
            };
            tracing::warn!(kind = D::KIND, why, "a timer could not be fired, it is tried again");
            self.home.timetable.fail();
        }
    }

    async fn send(&self, alarm: Alarm) -> Result<oneshot::Receiver<Taken>, String> {
        let key = Key::new::<D>(&alarm.key).map_err(|error| error.to_string())?;
        match timeout(ROOM_PATIENCE, self.home.parts.projection.room()).await {
            Ok(room) => room.map_err(|stopped| stopped.to_string())?,
            Err(_) => return Err("the views are too far behind".to_owned()),
        }
        let door = self.doors.of(&key);
        let permit = door.enter().await.map_err(|_| GONE)?;
        let (taken, told) = oneshot::channel();
        door.send(key, Ask::Due(Due { alarm, taken, permit })).map_err(|_| GONE)?;
        Ok(told)
    }

    /// How long to leave it alone: a second, longer if it fails again and again.
    fn pause(&mut self) -> Duration {
        let now = Instant::now();
        if now - self.failed_last > Duration::from_secs(60) {
            self.failures = 0;
        }
        self.failed_last = now;
        self.failures = self.failures.saturating_add(1);
        Duration::from_secs(1 << (self.failures - 1).min(4)).min(LONGEST_PAUSE)
    }
}
