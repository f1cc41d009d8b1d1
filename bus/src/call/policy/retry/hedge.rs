//! Further attempts of one call before the first has ended (gRFC A6, "Hedging").

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue};
use tonic::Code;

use super::super::settings::HedgeSettings;
use super::super::{Admission, Policy};
use super::{PREVIOUS_ATTEMPTS, Pushback};
use crate::call::observe::HEDGES;

/// The further attempts that one call has left.
#[derive(Debug)]
pub(in crate::call) struct Hedges<'a> {
    pub(super) policy: &'a Policy,
    pub(super) settings: &'a HedgeSettings,
    pub(super) cost: u32,
    pub(super) deadline: Option<Instant>,
    pub(super) left: u32,
    /// Attempts before, those of the caller.
    pub(super) before: u32,
    pub(super) sent: u32,
}

/// What an attempt that ended means for the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::call) enum Next {
    /// This is the answer.
    Done,
    /// It failed: the next attempt begins then, if there is one.
    Further(Option<Instant>),
}

/// What became of the further attempts of an endpoint.
#[derive(Debug, Default)]
pub(in crate::call::policy) struct HedgeCounts([AtomicU64; 3]);

/// What an operator sees of the further attempts of an endpoint, since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HedgeStatus {
    /// So many were made.
    pub sent: u64,
    /// So many of them had the first good answer.
    pub won: u64,
    /// So many were not made: no place or token was free, or the back office fails.
    pub skipped: u64,
}

const LABELS: [&str; 3] = ["sent", "won", "skipped"];
const SENT: usize = 0;
const WON: usize = 1;
const SKIPPED: usize = 2;

impl HedgeCounts {
    fn count(&self, endpoint: &str, what: usize) {
        self.0[what].fetch_add(1, Ordering::Relaxed);
        metrics::counter!(HEDGES, "passerelle_endpoint" => endpoint.to_owned(), "became" => LABELS[what]).increment(1);
    }

    pub(in crate::call::policy) fn status(&self) -> HedgeStatus {
        let [sent, won, skipped] = [SENT, WON, SKIPPED].map(|what| self.0[what].load(Ordering::Relaxed));
        HedgeStatus { sent, won, skipped }
    }
}

impl Hedges<'_> {
    /// When the next attempt begins, if nothing comes until then.
    pub(in crate::call) fn due(&self, now: Instant) -> Option<Instant> {
        self.at(now, self.settings.delay)
    }

    fn at(&self, now: Instant, pause: Duration) -> Option<Instant> {
        let at = now.checked_add(pause).filter(|_| self.left > 0)?;
        self.deadline.is_none_or(|deadline| at < deadline).then_some(at)
    }

    /// An attempt has ended.
    pub(in crate::call) fn after(&mut self, code: Code, pushback: Pushback, now: Instant) -> Next {
        let may_help = self.settings.codes.contains(&code);
        if may_help || pushback == Pushback::Never {
            self.policy.retry.throttle.failed();
        }
        if !may_help {
            return Next::Done;
        }
        Next::Further(match pushback {
            Pushback::None => self.at(now, Duration::ZERO),
            Pushback::After(pause) => self.at(now, pause),
            Pushback::Never => {
                self.left = 0;
                None
            }
        })
    }

    /// A place for another attempt; where there is none at once, there is no further one.
    pub(in crate::call) fn another(&mut self, now: Instant) -> Option<Admission> {
        let Some(admission) = self.policy.admit_hedge(now, self.cost) else {
            self.left = 0;
            self.count(SKIPPED);
            return None;
        };
        self.left = self.left.saturating_sub(1);
        self.sent += 1;
        self.count(SENT);
        Some(admission)
    }

    /// Further attempts so far.
    pub(in crate::call) fn sent(&self) -> u32 {
        self.sent
    }

    /// Says in the headers of a further attempt how many there were before.
    pub(in crate::call) fn tell(&self, headers: &mut HeaderMap) {
        headers.insert(PREVIOUS_ATTEMPTS, HeaderValue::from(self.before + self.sent));
    }

    /// The attempt of that number gave the answer; 0 is the first one.
    pub(in crate::call) fn done(&self, number: u32) {
        if number > 0 {
            self.count(WON);
        }
    }

    fn count(&self, what: usize) {
        self.policy.hedged.count(&self.policy.endpoint, what);
    }
}
