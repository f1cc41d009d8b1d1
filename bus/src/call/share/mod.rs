//! Reads that are declared so share their calls: who asks the same while a call is under way gets its answer, and a kept answer is
//! given for a short time.
//!
//! A flight is a call of the bus's own, with a deadline of its own: twice the time of who began it, and at least twice the usual one.
//! So no caller fails by the shorter deadline of another, and nothing need be asked again for those that came a little later. Each caller
//! keeps its deadline; when the last one has gone, the flight is cancelled.

mod answer;
mod flight;
mod kept;
mod key;
#[cfg(test)]
mod tests;
mod wish;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use http::Request;
use http::request::Parts;
use tokio::sync::watch;
use tonic::Status;

pub(super) use self::answer::{Answer, Given};

use self::flight::Flight;
use self::kept::Kept;
use self::key::Key;
use self::wish::Wish;
use super::Route;
use super::asked::{Asked, SMALL_BYTES};
use super::body::Body;
use super::gateway::{self, CallLimits, Exchange};
use super::inward::Inward;
use super::observe::{Observed, READS};
use super::policy::{ShareSettings, now};
use super::record::RequestTap;
use crate::contract::Sample;

/// A flight lasts so many times as long as a call may.
const LONGER: u32 = 2;

/// What the reads of one endpoint share.
#[derive(Debug)]
pub(super) struct Share {
    endpoint: String,
    most_bytes: usize,
    state: Mutex<State>,
    flights: AtomicU64,
    counts: [AtomicU64; 3],
}

#[derive(Debug)]
struct State {
    kept: Kept,
    /// With their numbers: a flight may not be looked at where its drop, which takes the lock, could be the last one.
    flights: HashMap<Key, (u64, Weak<Flight>)>,
}

/// How a read got its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Got {
    /// The back office was asked for it.
    Asked,
    /// It was being asked by another one.
    Shared,
    /// It had been kept.
    Kept,
}

/// What an operator sees of the reads that share their calls, since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ShareStatus {
    /// For so many the back office was asked.
    pub asked: u64,
    /// So many got the answer to a call of another one.
    pub shared: u64,
    /// So many got an answer that was kept.
    pub kept: u64,
    /// Answers that are kept now.
    pub answers: usize,
    /// Their bytes.
    pub bytes: usize,
    /// How many bytes there may be.
    pub most_bytes: usize,
}

/// What a call finds.
enum Found {
    Kept(Arc<Answer>, Duration),
    Flying(Arc<Flight>),
    /// It is the first to ask.
    Nothing(Arc<Flight>, watch::Sender<flight::Told>),
}

impl Share {
    pub(super) fn new(endpoint: &str, most_bytes: usize) -> Self {
        let state = State { kept: Kept::new(most_bytes), flights: HashMap::new() };
        Self {
            endpoint: endpoint.to_owned(),
            most_bytes,
            state: Mutex::new(state),
            flights: AtomicU64::new(0),
            counts: Default::default(),
        }
    }

    pub(super) fn status(&self) -> ShareStatus {
        let (answers, bytes) = self.lock().kept.size(now());
        let [asked, shared, kept] =
            [Got::Asked, Got::Shared, Got::Kept].map(|got| self.counts[got as usize].load(Ordering::Relaxed));
        ShareStatus { asked, shared, kept, answers, bytes, most_bytes: self.most_bytes }
    }

    /// Carries one read.
    pub(super) async fn carry(
        self: &Arc<Self>,
        settings: &ShareSettings,
        route: &Arc<Route>,
        request: Request<Inward>,
        exchange: Exchange,
        limits: &CallLimits,
    ) -> Response {
        let wish = Wish::of(request.headers());
        let (mut parts, body) = request.into_parts();
        if wish.alone {
            return gateway::pass(route, Request::from_parts(parts, body), exchange, limits).await;
        }
        let message = match Asked::read(body, SMALL_BYTES, exchange.deadline).await {
            Asked::Whole(message) => message,
            Asked::Large(body) => return gateway::pass(route, Request::from_parts(parts, body), exchange, limits).await,
            Asked::Gone => return gateway::refuse(exchange.observed, Status::cancelled("the caller went away")),
            Asked::Late => return self.late(exchange),
        };
        if let Some(sample) = parts.extensions.remove::<Sample>() {
            sample.look(&message);
        }
        let key = key::key(route, settings.vary.as_deref(), &parts.headers, &message);
        let (flight, got) = match self.find(key, settings, wish, exchange.deadline, limits) {
            Found::Kept(answer, age) => {
                self.count(Got::Kept);
                return answer.give(Some(age), exchange.observed);
            }
            Found::Flying(flight) => (flight, Got::Shared),
            Found::Nothing(flight, tell) => {
                self.fly(&flight, tell, route, ask(&parts, message.clone()), limits);
                (flight, Got::Asked)
            }
        };
        match flight.answer(exchange.deadline).await {
            Err(_) => self.late(exchange),
            Ok(Some(answer)) if got == Got::Asked || answer.is_for_all() => {
                self.count(got);
                answer.give(None, exchange.observed)
            }
            Ok(_) => {
                self.count(Got::Asked);
                if got == Got::Asked {
                    // Its request was listened to in the flight.
                    parts.extensions.remove::<RequestTap>();
                }
                gateway::pass(route, ask(&parts, message), exchange, limits).await
            }
        }
    }

    /// A kept answer, a call under way, or a new one.
    fn find(
        self: &Arc<Self>,
        key: Key,
        settings: &ShareSettings,
        wish: Wish,
        deadline: Option<Instant>,
        limits: &CallLimits,
    ) -> Found {
        let now = now();
        let oldest = |own: Duration| wish.oldest.map_or(own, |wished| wished.min(own));
        // Dropped after the lock is: its own drop takes it.
        let under_way;
        let mut state = self.lock();
        if let Some(tolerance) = settings.tolerance
            && let Some((answer, age)) = state.kept.find(&key, now, oldest(tolerance))
        {
            return Found::Kept(answer, age);
        }
        under_way = state.flights.get(&key).and_then(|(_, flight)| flight.upgrade());
        if let Some(flight) = &under_way
            && flight.serves(now, oldest(settings.tolerance.unwrap_or(Duration::MAX)), deadline)
        {
            return Found::Flying(flight.clone());
        }
        let (tell, told) = watch::channel(None);
        let number = self.flights.fetch_add(1, Ordering::Relaxed);
        let flight = Arc::new(Flight {
            share: self.clone(),
            key: key.clone(),
            number,
            until: until(now, deadline, limits),
            began: Arc::default(),
            told,
            task: OnceLock::new(),
        });
        state.flights.insert(key, (number, Arc::downgrade(&flight)));
        Found::Nothing(flight, tell)
    }

    /// Makes the call of a flight, in a task of its own: it belongs to all who wait for it.
    fn fly(
        self: &Arc<Self>,
        flight: &Arc<Flight>,
        tell: watch::Sender<flight::Told>,
        route: &Arc<Route>,
        request: Request<Inward>,
        limits: &CallLimits,
    ) {
        let (share, route, limits) = (self.clone(), route.clone(), limits.clone());
        let tolerance = route.share().and_then(|share| share.tolerance);
        let (key, number, began) = (flight.key.clone(), flight.number, flight.began.clone());
        let exchange = Exchange { deadline: flight.until, observed: Observed::of_bus(route.clone(), Instant::now()) };
        let task = tokio::spawn(async move {
            let response = match gateway::admit(&route, &request, exchange).await {
                Ok(exchange) => {
                    // What the back office reads from now on is not older.
                    began.get_or_init(now);
                    gateway::ask(&route, request, exchange, &limits).await
                }
                Err(turned_away) => turned_away,
            };
            // An answer that breaks off is none.
            let Ok(answer) = Answer::read(response).await.map(Arc::new) else { return };
            share.land(&key, number, &answer, began.get().copied().zip(tolerance));
            // Nobody may wait any more.
            let _ = tell.send(Some(answer));
        });
        // Set once, here.
        let _ = flight.task.set(task.abort_handle());
    }

    /// Keeps the answer of a flight, if it may be kept, before the next one looks for the flight.
    fn land(&self, key: &Key, number: u64, answer: &Arc<Answer>, times: Option<(Instant, Duration)>) {
        let mut state = self.lock();
        if let Some((began, tolerance)) = times
            && answer.code() == tonic::Code::Ok
            && !wish::forbids(answer.head())
            && let Some(began) = began.checked_sub(answer.age())
        {
            state.kept.keep(key, answer, began, tolerance, now());
        }
        state.forget(key, number);
    }

    /// A flight is over, or nobody waits for it any more.
    fn over(&self, flight: &Flight) {
        self.lock().forget(&flight.key, flight.number);
    }

    fn late(&self, exchange: Exchange) -> Response {
        let text = format!("{} did not answer within the deadline", self.endpoint);
        gateway::refuse(exchange.observed, Status::deadline_exceeded(text))
    }

    fn count(&self, got: Got) {
        self.counts[got as usize].fetch_add(1, Ordering::Relaxed);
        metrics::counter!(READS, "passerelle_endpoint" => self.endpoint.clone(), "got" => got.label()).increment(1);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Response = http::Response<Body>;

impl State {
    /// Forgets a flight, unless another one has taken its place.
    fn forget(&mut self, key: &Key, number: u64) {
        if self.flights.get(key).is_some_and(|(present, _)| *present == number) {
            self.flights.remove(key);
        }
    }
}

impl Got {
    fn label(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Shared => "shared",
            Self::Kept => "kept",
        }
    }
}

fn ask(parts: &Parts, message: bytes::Bytes) -> Request<Inward> {
    Request::from_parts(parts.clone(), Inward::read(message))
}

/// Until when a flight may last that is begun by a call with this deadline.
fn until(now: Instant, deadline: Option<Instant>, limits: &CallLimits) -> Option<Instant> {
    let left = deadline?.saturating_duration_since(now);
    now.checked_add(left.max(limits.default_timeout.unwrap_or_default()) * LONGER)
}
