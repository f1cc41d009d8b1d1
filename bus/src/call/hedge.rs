//! Hedging (gRFC A6): a read that is slow is asked for once more, elsewhere, and the first good answer is given.
//!
//! Each attempt takes a place and a token of the envelope like any call; where none is free there is no further attempt. A hedged call is
//! not retried besides, and the next hop is told so.

use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::request::Parts;
use http::{Request, Response};
use tokio::time::sleep_until;
use tonic::Status;

use super::Route;
use super::asked::{Asked, SMALL_BYTES};
use super::body::Body;
use super::gateway::{self, CallLimits, Exchange};
use super::inward::Inward;
use super::observe::Observed;
use super::policy::outlier::Track;
use super::policy::{Hedges, Next, Pushback, now};
use super::record::RequestTap;
use super::share::Answer;
use crate::contract::Sample;

/// The servers that attempts of one call went to, by what is counted of each: a further one goes to another, where there is one.
#[derive(Debug, Clone, Default)]
pub(super) struct Tried(Arc<Mutex<Vec<Arc<Track>>>>);

impl Tried {
    pub(super) fn note(&self, server: &Arc<Track>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(server.clone());
    }

    pub(super) fn contains(&self, server: &Arc<Track>) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|tried| Arc::ptr_eq(tried, server))
    }
}

/// Carries a call that may be hedged: its request is read whole first.
pub(super) async fn carry(
    route: &Arc<Route>,
    request: Request<Inward>,
    exchange: Exchange,
    limits: &CallLimits,
) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    let body = match Asked::read(body, SMALL_BYTES, exchange.deadline).await {
        Asked::Whole(message) => {
            if let Some(sample) = parts.extensions.remove::<Sample>() {
                sample.look(&message);
            }
            Inward::read(message)
        }
        Asked::Large(body) => body,
        Asked::Gone => return gateway::refuse(exchange.observed, Status::cancelled("the caller went away")),
        Asked::Late => {
            let text = "the request was not sent within the deadline";
            return gateway::refuse(exchange.observed, Status::deadline_exceeded(text));
        }
    };
    gateway::pass(route, Request::from_parts(parts, body), exchange, limits).await
}

/// Asks the back office, and once more when it is slow or fails.
pub(super) async fn ask(
    route: &Arc<Route>,
    mut parts: Parts,
    message: Bytes,
    mut exchange: Exchange,
    mut hedges: Hedges<'_>,
    limits: &CallLimits,
) -> Response<Body> {
    // Once for all attempts.
    if let Some(tap) = parts.extensions.remove::<RequestTap>() {
        tap.carried().pass(&message);
    }
    parts.extensions.insert(Tried::default());
    let deadline = exchange.deadline;
    let attempt = |number: u32, parts: &Parts, observed: Observed| {
        let request = Request::from_parts(parts.clone(), Inward::read(message.clone()));
        let exchange = Exchange { deadline, observed };
        async move { (number, Answer::read(gateway::ask_once(route, request, exchange, None, limits).await).await) }
    };
    let mut open = FuturesUnordered::new();
    open.push(attempt(0, &parts, exchange.observed.hand_over()));
    let mut due = hedges.due(now());
    let mut last = None;
    while !open.is_empty() || due.is_some() {
        let time = async {
            match due {
                Some(at) => sleep_until(at.into()).await,
                None => pending().await,
            }
        };
        tokio::select! {
            Some((number, outcome)) = open.next() => {
                // What breaks off on this side of the bus is not better a second time.
                let Ok(answer) = outcome else { break };
                let next = hedges.after(answer.code(), Pushback::of(answer.outcome()), now());
                last = Some(answer);
                match next {
                    Next::Done => {
                        hedges.done(number);
                        break;
                    }
                    Next::Further(at) => due = at,
                }
            }
            () = time => {
                due = None;
                if let Some(admission) = hedges.another(now()) {
                    let mut observed = Observed::of_bus(route.clone(), Instant::now());
                    observed.admitted(admission);
                    hedges.tell(&mut parts.headers);
                    open.push(attempt(hedges.sent(), &parts, observed));
                    due = hedges.due(now());
                }
            }
        }
    }
    match last {
        Some(answer) => Arc::new(answer).give(None, exchange.observed),
        None => gateway::refuse(exchange.observed, Status::unknown("the answer broke off on the bus")),
    }
}
