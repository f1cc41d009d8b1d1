//! The envelope of a back office: how many calls it gets at a time and a second, and who waits for it.
//!
//! While nobody waits, a call is let in by two atomic operations. Else it joins the line, under a lock. Whoever frees places serves the
//! line; where tokens are missing, a task serves it when they come. Nobody overtakes the line: the atomic way is closed while it is there.

mod bucket;
mod line;
mod pace;
mod place;
#[cfg(test)]
mod tests;
mod timetable;
mod wait;

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use metrics::Gauge;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use self::bucket::Bucket;
use self::line::{Joined, Line};
use self::place::Place;
use self::timetable::{Phase, Timetable};
use super::super::observe::CALLS_WAITING;
use super::settings::{EnvelopeSettings, Limits, Rate};
use super::shed::{Reason, Shed};
use crate::keyed::Clock;

pub(in crate::call) use self::pace::Pace;
pub(super) use self::wait::Ticket;

/// How often the wall clock is looked at where hours are declared: it may have been set.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The envelope of one endpoint.
pub(super) struct Envelope {
    queue_wait: Duration,
    abandoned: Duration,
    timetable: Timetable,
    clock: Arc<dyn Clock>,
    /// Where the bucket's moments begin.
    beginning: Instant,
    /// Places at this moment.
    places: AtomicU32,
    taken: AtomicUsize,
    bucket: Bucket,
    /// How long a call occupies its place.
    pub(super) pace: Pace,
    phase: Mutex<Phase>,
    /// Nanoseconds after the beginning at which the timetable is looked at again.
    look_again: AtomicU64,
    /// Whether somebody waits: the atomic way is closed then.
    waiting: AtomicBool,
    line: Mutex<Queue>,
    waiting_gauge: Gauge,
}

#[derive(Debug)]
struct Queue {
    line: Line<Waiting>,
    /// The nanosecond at which a task serves the line, since tokens have come by then.
    pump: Option<(u64, AbortHandle)>,
}

/// Somebody in the line.
#[derive(Debug)]
struct Waiting {
    /// From then on it is no use any more.
    give_up: Instant,
    why: Reason,
    tell: oneshot::Sender<Result<Place, Shed>>,
}

/// What a call needs and how long it can wait for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) cost: u32,
    pub(super) value: u8,
    pub(super) deadline: Option<Instant>,
    /// How long the back office will presumably work on it.
    pub(super) duration: Duration,
}

/// What becomes of a call that was not let in at once.
#[derive(Debug)]
pub(super) enum Entered {
    Now,
    Later(Ticket),
    Never(Shed),
}

/// Why there is nothing at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    /// It is closed.
    Everything,
    Places,
    /// Tokens, until that nanosecond.
    Tokens(u64),
}

/// What an operator sees of an envelope.
#[derive(Debug, Clone, PartialEq)]
pub struct EnvelopeStatus {
    /// Places at this moment; 0: it is closed.
    pub places: u32,
    /// Places that are taken.
    pub taken: usize,
    /// Tokens at this moment.
    pub rate: Option<Rate>,
    /// Calls that wait.
    pub waiting: usize,
    /// Batch windows that are on.
    pub batch_windows: Vec<String>,
    /// When it opens again, if it is closed and ever does.
    pub opens: Option<SystemTime>,
    /// How long a call usually takes.
    pub usual: Duration,
}

impl Envelope {
    pub(super) fn new(endpoint: &str, settings: &EnvelopeSettings, clock: Arc<dyn Clock>) -> Self {
        let timetable = Timetable::new(settings);
        let phase = timetable.at(seconds(clock.now()));
        let look_again = if timetable.is_constant() { u64::MAX } else { 0 };
        Self {
            queue_wait: settings.queue_wait,
            abandoned: settings.abandoned,
            timetable,
            clock,
            beginning: now(),
            places: AtomicU32::new(phase.limits.concurrency),
            taken: AtomicUsize::new(0),
            bucket: Bucket::new(phase.limits.rate),
            pace: Pace::default(),
            phase: Mutex::new(phase),
            look_again: AtomicU64::new(look_again),
            waiting: AtomicBool::new(false),
            line: Mutex::new(Queue { line: Line::new(settings.queue_calls), pump: None }),
            waiting_gauge: metrics::gauge!(CALLS_WAITING, "passerelle_endpoint" => endpoint.to_owned()),
        }
    }

    /// Lets a call in if nobody waits and all it needs is there.
    pub(super) fn try_enter(&self, now: Instant, cost: u32) -> bool {
        self.look(now);
        !self.waiting.load(Ordering::SeqCst) && self.take(now, cost).is_ok()
    }

    /// Lets a call in, or into the line, or turns it away.
    pub(super) fn enter(self: &Arc<Self>, now: Instant, wanted: Wanted) -> Entered {
        let mut queue = self.lock();
        // Said before looking: whoever frees a place from here on serves the line.
        self.waiting.store(true, Ordering::SeqCst);
        self.serve(&mut queue, now);
        let entered = self.place(&mut queue, now, wanted);
        self.settle(&mut queue, now);
        entered
    }

    /// Takes the tokens of another attempt of a call that has its place.
    pub(super) fn try_again(&self, now: Instant, cost: u32) -> bool {
        self.look(now);
        self.places.load(Ordering::Relaxed) > 0 && self.bucket.take(self.nanos(now), cost.into()).is_ok()
    }

    /// A call that was let in has ended; where it was broken off, the back office may not know yet.
    pub(super) fn left(self: &Arc<Self>, cost: u32, broken_off: bool) {
        match Handle::try_current() {
            Ok(runtime) if broken_off && !self.abandoned.is_zero() => {
                let envelope = self.clone();
                runtime.spawn(async move {
                    sleep(envelope.abandoned).await;
                    envelope.free(cost);
                });
            }
            _ => self.free(cost),
        }
    }

    pub(super) fn status(&self) -> EnvelopeStatus {
        let now = now();
        self.look(now);
        let phase = self.phase().clone();
        EnvelopeStatus {
            places: phase.limits.concurrency,
            taken: self.taken.load(Ordering::Relaxed),
            rate: phase.limits.rate,
            waiting: self.lock().line.len(),
            batch_windows: phase.windows,
            opens: phase.opens.map(moment),
            usual: self.pace.usual(),
        }
    }

    /// Gives back what was taken for a call that the back office never saw.
    pub(super) fn unused(self: &Arc<Self>, cost: u32) {
        self.bucket.give_back(cost.into());
        self.free(cost);
    }

    fn free(self: &Arc<Self>, cost: u32) {
        self.taken.fetch_sub(cost as usize, Ordering::SeqCst);
        // Both sides SeqCst: either who comes sees the place, or is seen waiting here.
        if self.waiting.load(Ordering::SeqCst) {
            self.serve_now();
        }
    }

    fn serve_now(self: &Arc<Self>) {
        let now = now();
        self.look(now);
        let mut queue = self.lock();
        self.settle(&mut queue, now);
    }

    /// Takes what a call needs. One that needs more places than there are gets in alone.
    fn take(&self, now: Instant, cost: u32) -> Result<(), Missing> {
        let (places, cost) = (self.places.load(Ordering::Relaxed) as usize, cost as usize);
        if places == 0 {
            return Err(Missing::Everything);
        }
        let fits = |taken: usize| (taken == 0 || taken + cost <= places).then_some(taken + cost);
        self.taken.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fits).map_err(|_| Missing::Places)?;
        self.bucket.take(self.nanos(now), cost as u64).map_err(|ready| {
            self.taken.fetch_sub(cost, Ordering::SeqCst);
            Missing::Tokens(ready)
        })
    }

    /// Lets in who waits, as far as what they need is there. Returns what the next one misses.
    fn serve(self: &Arc<Self>, queue: &mut Queue, now: Instant) -> Option<Missing> {
        loop {
            let (rank, cost, first) = queue.line.first()?;
            if first.give_up <= now {
                let why = first.why;
                let come_back = self.come_back(queue, now, 0);
                if let Some(late) = queue.line.leave(&rank) {
                    // It may have gone by itself.
                    let _ = late.tell.send(Err(Shed { reason: why, come_back }));
                }
                continue;
            }
            match self.take(now, cost) {
                Ok(()) => {
                    let place = Place { envelope: self.clone(), cost };
                    let told = queue.line.leave(&rank).map(|next| next.tell.send(Ok(place)));
                    if let Some(Err(Ok(place))) = told {
                        self.untake(place);
                    }
                }
                Err(Missing::Everything) => {
                    let shed = self.closed();
                    if let Some(turned_away) = queue.line.leave(&rank) {
                        let _ = turned_away.tell.send(Err(shed));
                    }
                }
                Err(missing) => return Some(missing),
            }
        }
    }

    /// A place that nobody took, given back without looking at the line: it is being served.
    fn untake(&self, place: Place) {
        self.taken.fetch_sub(place.cost as usize, Ordering::SeqCst);
        self.bucket.give_back(place.cost.into());
        place.forget();
    }

    /// Serves the line, and leaves it in a state in which it will be served again.
    fn settle(self: &Arc<Self>, queue: &mut Queue, now: Instant) {
        let missing = self.serve(queue, now);
        self.waiting.store(queue.line.len() > 0, Ordering::SeqCst);
        self.waiting_gauge.set(queue.line.len() as f64);
        if let Some(Missing::Tokens(at)) = missing
            && queue.pump.as_ref().is_none_or(|(due, _)| at < *due)
            && let Ok(runtime) = Handle::try_current()
        {
            // Who is first now may need less than who was first before.
            let pump = runtime.spawn(self.clone().pump(at)).abort_handle();
            queue.pump.replace((at, pump)).iter().for_each(|(_, later)| later.abort());
        }
    }

    /// Serves the line when the tokens of the next one have come.
    async fn pump(self: Arc<Self>, at: u64) {
        let due = self.beginning + Duration::from_nanos(at);
        tokio::time::sleep_until(due.into()).await;
        let now = now();
        self.look(now);
        let mut queue = self.lock();
        queue.pump.take_if(|(due, _)| *due == at);
        self.settle(&mut queue, now);
    }

    /// Finds out what becomes of a call that has just come.
    fn place(self: &Arc<Self>, queue: &mut Queue, now: Instant, wanted: Wanted) -> Entered {
        let Wanted { cost, value, deadline, duration } = wanted;
        let rank = queue.line.rank(value, deadline);
        if queue.line.is_first(&rank) {
            match self.take(now, cost) {
                Ok(()) => return Entered::Now,
                Err(Missing::Everything) => return Entered::Never(self.closed()),
                Err(_) => {}
            }
        }
        let wait = self.wait(now, queue.line.ahead(&rank) + u64::from(cost));
        let shed = |reason| Entered::Never(Shed { reason, come_back: self.come_back(queue, now, cost) });
        let latest = deadline.map(|at| at.checked_sub(duration).unwrap_or(now));
        if latest.is_some_and(|latest| latest <= now + wait) {
            return shed(Reason::DeadlineTooNear);
        }
        if wait > self.queue_wait {
            return shed(Reason::WaitTooLong);
        }
        let patience = now + self.queue_wait;
        let (give_up, why) = match latest.filter(|latest| *latest < patience) {
            Some(latest) => (latest, Reason::DeadlineTooNear),
            None => (patience, Reason::WaitTooLong),
        };
        let come_back = self.come_back(queue, now, cost);
        let (tell, told) = oneshot::channel();
        match queue.line.join(rank, cost, Waiting { give_up, why, tell }) {
            Joined::Waiting => {}
            Joined::InPlaceOf(gone) => {
                // It may have gone by itself.
                let _ = gone.tell.send(Err(Shed { reason: Reason::Displaced, come_back }));
            }
            Joined::Full(_) => return Entered::Never(Shed { reason: Reason::QueueFull, come_back }),
        }
        Entered::Later(Ticket::new(self.clone(), rank, give_up, why, told))
    }

    /// How long it presumably takes until calls of that cost, together, have been let in.
    fn wait(&self, now: Instant, cost: u64) -> Duration {
        let places = u64::from(self.places.load(Ordering::Relaxed).max(1));
        let missing = (self.taken.load(Ordering::Relaxed) as u64 + cost).saturating_sub(places);
        // Places become free one after another: each call holds its own for as long as calls usually take.
        let for_places = self.pace.usual().mul_f64(missing as f64 / places as f64);
        for_places.max(self.bucket.wait(self.nanos(now), cost))
    }

    /// When there will presumably be room for a call of that cost behind all who wait now.
    fn come_back(&self, queue: &Queue, now: Instant, cost: u32) -> Option<Duration> {
        Some(self.wait(now, queue.line.cost() + u64::from(cost)).max(Duration::from_millis(1)))
    }

    fn closed(&self) -> Shed {
        let wait = |opens: i64| moment(opens).duration_since(self.clock.now()).unwrap_or_default();
        let come_back = self.phase().opens.map(|opens| wait(opens).max(Duration::from_millis(1)));
        Shed { reason: Reason::Closed, come_back }
    }

    /// Looks at the timetable where it is time to.
    fn look(&self, now: Instant) {
        let now = self.nanos(now);
        if now < self.look_again.load(Ordering::Relaxed) {
            return;
        }
        let mut phase = self.phase();
        let time = self.clock.now();
        *phase = self.timetable.at(seconds(time));
        let Limits { concurrency, rate } = phase.limits;
        self.places.store(concurrency, Ordering::Relaxed);
        self.bucket.set(rate);
        let left = phase.until.map_or(LOOK_AGAIN, |until| moment(until).duration_since(time).unwrap_or_default());
        self.look_again.store(now.saturating_add(left.min(LOOK_AGAIN).as_nanos() as u64), Ordering::Relaxed);
    }

    fn nanos(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.beginning).as_nanos() as u64
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Envelope {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Envelope").field("places", &self.places).field("taken", &self.taken).finish_non_exhaustive()
    }
}

/// The present moment, which tests may stop.
pub(in crate::call) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

fn moment(seconds: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
