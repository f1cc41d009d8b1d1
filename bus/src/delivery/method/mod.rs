//! A destination that is a method of a contract: each message is called at it, on the way of every call.

mod judge;
mod request;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;
use passerelle_adapter::Lookup;
use tokio::sync::watch;
use tokio::task::JoinSet;

use self::judge::Judged;
use super::{Delivery, Outcome, Parcel};
use crate::call::{Gateway, Manner, Order};
use crate::contract::Registry;
use crate::keyed::Clock;

/// Messages that are taken at once.
const AT_ONCE: usize = 64;

/// A method that messages of one delivery are called at.
pub struct Method {
    /// Name of the delivery.
    pub delivery: String,
    /// The method: `/package.Service/Method`, with one message each way.
    pub path: String,
    /// How long a call may take.
    pub timeout: Duration,
    /// The metadata by which channels say who they are.
    pub channel_key: HeaderName,
    /// Who carries calls.
    pub gateway: Arc<Gateway>,
    /// Where the type of its request stands.
    pub registry: Arc<Registry>,
    /// For the deadlines of messages.
    pub clock: Arc<dyn Clock>,
}

impl Method {
    /// Takes messages and calls them, until the delivery or the bus is being stopped; then what is under way is ended.
    pub async fn serve(self: Arc<Self>, delivery: Arc<Delivery>, mut stopping: watch::Receiver<bool>) {
        let mut calls = JoinSet::new();
        loop {
            let parcels = tokio::select! {
                biased;
                _ = stopping.wait_for(|stopping| *stopping) => break,
                parcels = delivery.take(AT_ONCE) => parcels,
            };
            if parcels.is_empty() {
                break;
            }
            for mut parcel in parcels {
                let method = self.clone();
                calls.spawn(async move {
                    let outcome = method.attempt(&mut parcel).await;
                    parcel.settle(outcome);
                });
            }
            while calls.try_join_next().is_some() {}
        }
        while calls.join_next().await.is_some() {}
    }

    /// One message, once.
    async fn attempt(&self, parcel: &mut Parcel) -> Outcome {
        let snapshot = self.registry.snapshot();
        let (Some(manner), Some(method)) = (self.gateway.manner(&self.path), snapshot.method(&self.path)) else {
            return self.away("no endpoint of this bus serves the method now");
        };
        if !manner.is_unary {
            return self.away("the method streams: messages are delivered to methods of one message each way");
        }
        let key = request::idempotency_key(&self.delivery, &parcel.message);
        if parcel.was_begun() && !manner.is_idempotent {
            let why = "the bus ended during an attempt, and the answer was lost".to_owned();
            match self.find_out(manner, &key, why).await {
                Found::NotDone(_) => {}
                Found::Outcome(outcome) => return outcome,
            }
        }
        let message = match request::message(&parcel.message, &method.input) {
            Ok(message) => message,
            Err(why) => return Outcome::Rejected { why },
        };
        let timeout = request::timeout(&parcel.message, self.timeout, self.clock.now());
        if timeout.is_zero() {
            // It comes once more, and is found to be over.
            return Outcome::Throttled { retry_after: Duration::ZERO, why: "its deadline passes".to_owned() };
        }
        if !manner.is_idempotent {
            parcel.begin().await;
        }
        let metadata = request::metadata(&parcel.message, parcel.attempt(), &key, &self.channel_key);
        let reply = self.gateway.call(Order { path: &self.path, metadata, message: &message, timeout }).await;
        match judge::judge(reply, manner.is_idempotent) {
            Judged::Outcome(outcome) => outcome,
            Judged::Open(why) => match self.find_out(manner, &key, why).await {
                Found::NotDone(why) => Outcome::Failed { retry_after: None, why },
                Found::Outcome(outcome) => outcome,
            },
        }
    }

    /// What became of an attempt whose answer was lost.
    async fn find_out(&self, manner: Manner, key: &str, why: String) -> Found {
        if !manner.looks_up {
            return Found::Outcome(Outcome::Undecided { why });
        }
        let looked_up = tokio::time::timeout(self.timeout, self.gateway.look_up(&self.path, key)).await;
        let open = |cause: &str| {
            let why = format!("{why}; what became of it cannot be looked up for now: {cause}");
            Found::Outcome(Outcome::Unavailable { retry_after: None, is_open: true, why: judge::short(why) })
        };
        match looked_up {
            Ok(Ok(Lookup::Done(_))) => Found::Outcome(Outcome::Delivered),
            Ok(Ok(Lookup::NotDone)) => Found::NotDone(format!("{why}; it was looked up: it had no effect")),
            Ok(Ok(Lookup::Undecided)) => {
                let why = format!("{why}; it was looked up: whether it had its effect cannot be told");
                Found::Outcome(Outcome::Undecided { why })
            }
            Ok(Err(fault)) => open(&fault.to_string()),
            Err(_) => open("the adapter did not answer in time"),
        }
    }

    fn away(&self, why: &str) -> Outcome {
        Outcome::Unavailable { retry_after: None, is_open: false, why: format!("{}: {why}", self.path.trim_start_matches('/')) }
    }
}

/// What was found out about an attempt.
enum Found {
    /// It had no effect.
    NotDone(String),
    Outcome(Outcome),
}
