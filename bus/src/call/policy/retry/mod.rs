//! Retries, with one owner (gRFC A6): only where a method may be called again, only before its answer has begun, and never at two hops.
//!
//! The first bus that may retry a call claims it: it tells the next hop that nothing is left to retry. What its caller has already tried
//! is counted against what it may try itself.

mod hedge;
#[cfg(test)]
mod tests;
mod throttle;

use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue};
use tonic::Code;

pub(super) use self::hedge::HedgeCounts;
pub use self::hedge::HedgeStatus;
pub(in crate::call) use self::hedge::{Hedges, Next};
use self::throttle::Throttle;
use super::Policy;
use super::settings::{HedgeSettings, RetrySettings};

/// How often a call was tried before, as gRPC clients say it (gRFC A6).
const PREVIOUS_ATTEMPTS: HeaderName = HeaderName::from_static("grpc-previous-rpc-attempts");
/// How often the next hop may retry.
const RETRY_BUDGET: HeaderName = HeaderName::from_static("passerelle-retry-budget");
/// When a back office wants to be asked again: milliseconds; negative or no number: not at all.
const PUSHBACK: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");

/// The retries of one endpoint.
#[derive(Debug)]
pub(super) struct Retry {
    settings: RetrySettings,
    throttle: Throttle,
}

/// The retries that one call has left.
#[derive(Debug)]
pub(in crate::call) struct Retries<'a> {
    policy: &'a Policy,
    cost: u32,
    deadline: Option<Instant>,
    left: u32,
    /// Attempts that failed, those of the caller included.
    failed: u32,
    backoff: Duration,
}

/// When the back office itself wants to be asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::call) enum Pushback {
    /// It does not say.
    None,
    After(Duration),
    Never,
}

impl Pushback {
    /// What the headers of an outcome say.
    pub(in crate::call) fn of(answer: &HeaderMap) -> Self {
        let millis = |value: &HeaderValue| value.to_str().ok()?.parse::<u32>().ok();
        match answer.get(&PUSHBACK).map(millis) {
            None => Self::None,
            Some(Some(millis)) => Self::After(Duration::from_millis(millis.into())),
            Some(None) => Self::Never,
        }
    }
}

impl Retry {
    pub(super) fn new(settings: RetrySettings) -> Self {
        let throttle = Throttle::new(settings.tokens, settings.token_ratio);
        Self { settings, throttle }
    }

    /// Whether the back office does well enough to be asked once more.
    pub(super) fn may(&self) -> bool {
        self.throttle.may()
    }

    pub(super) fn succeeded(&self) {
        self.throttle.succeeded();
    }

    /// What one call may retry, and tells the next hop that this is not its affair.
    pub(super) fn claim<'a>(
        &self,
        policy: &'a Policy,
        cost: u32,
        headers: &mut HeaderMap,
        deadline: Option<Instant>,
    ) -> Option<Retries<'a>> {
        let (left, failed) = budget(self.settings.attempts, headers)?;
        Some(Retries { policy, cost, deadline, left, failed, backoff: self.settings.initial_backoff })
    }
}

impl Retries<'_> {
    /// An attempt failed before its answer began. Says after which pause there is another one; `chance` (0 to 1) spreads the callers.
    pub(in crate::call) fn after(&mut self, code: Code, pushback: Pushback, now: Instant, chance: f64) -> Option<Duration> {
        let Retry { settings, throttle } = &self.policy.retry;
        // "Do not" counts as a failure of its own (gRFC A6, "Throttling").
        if !settings.codes.contains(&code) && pushback != Pushback::Never {
            return None;
        }
        let may = throttle.failed() && self.left > 0 && settings.codes.contains(&code);
        let usual = self.backoff.mul_f64(0.8 + 0.4 * chance.clamp(0.0, 1.0));
        let pause = match pushback {
            Pushback::None => usual,
            Pushback::After(pause) => pause,
            Pushback::Never => return None,
        };
        let in_time = self.deadline.is_none_or(|at| now.checked_add(pause).is_some_and(|then| then < at));
        if !may || !in_time || !self.policy.may_try_again(now, self.cost, code) {
            return None;
        }
        self.left -= 1;
        self.failed += 1;
        // A back office that names a time begins the backoff anew (gRFC A6, "Pushback").
        self.backoff = match pushback {
            Pushback::None => self.backoff.mul_f64(settings.multiplier).min(settings.longest_backoff),
            Pushback::After(_) | Pushback::Never => settings.initial_backoff,
        };
        Some(pause)
    }

    /// Says in the headers of the next attempt how many there were.
    pub(in crate::call) fn tell(&self, headers: &mut HeaderMap) {
        headers.insert(PREVIOUS_ATTEMPTS, HeaderValue::from(self.failed));
    }
}

/// What one call may hedge, and tells the next hop that this is not its affair.
pub(super) fn hedges<'a>(
    policy: &'a Policy,
    settings: &'a HedgeSettings,
    cost: u32,
    headers: &mut HeaderMap,
    deadline: Option<Instant>,
) -> Option<Hedges<'a>> {
    let (left, before) = budget(settings.attempts, headers)?;
    Some(Hedges { policy, settings, cost, deadline, left, before, sent: 0 })
}

/// Claims further attempts, if any of so many are left: how many, and how many there were before.
fn budget(attempts: u32, headers: &mut HeaderMap) -> Option<(u32, u32)> {
    let before = number(headers, &PREVIOUS_ATTEMPTS).unwrap_or(0);
    let budget = number(headers, &RETRY_BUDGET).unwrap_or(u32::MAX);
    let left = attempts.saturating_sub(1).saturating_sub(before).min(budget);
    if left == 0 {
        return None;
    }
    headers.insert(RETRY_BUDGET, HeaderValue::from_static("0"));
    Some((left, before))
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u32> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}
