//! What protects the back office behind an endpoint, and the callers from one that is in trouble.
//!
//! Everything that is decided here is decided before the back office sees the call: [`Policy::admit`] lets it in, at once where nothing
//! stands against it, and [`Policy::ended`] hears what became of it.

mod breaker;
mod channels;
mod envelope;
pub(super) mod outlier;
mod retry;
mod settings;
mod shed;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::HeaderMap;
use tonic::{Code, Status};

pub use self::breaker::BreakerStatus;
pub use self::channels::ChannelUsage;
pub use self::envelope::EnvelopeStatus;
pub(super) use self::envelope::{Pace, now};
pub use self::outlier::{FailurePercentage, OutlierSettings, SuccessRate};
pub use self::retry::HedgeStatus;
pub(super) use self::retry::{Hedges, Next, Pushback, Retries};
pub use self::settings::RetrySettings;
pub use self::settings::{
    BatchWindow, BreakerSettings, ChannelSettings, EnvelopeSettings, HedgeSettings, LARGEST_VALUE, Limits, MethodSettings,
    PolicySettings, Rate, ShareSettings,
};

use self::breaker::{Breaker, Verdict};
use self::channels::Consumption;
use self::envelope::{Entered, Envelope, Wanted};
use self::outlier::Blame;
use self::retry::{HedgeCounts, Retry};
use self::shed::Shed;
use super::Route;
use super::gateway::Exchange;
use super::observe::QUEUE_WAIT;
use crate::keyed::Clock;

/// A call that lasts so many times as long as usual is stuck.
const UNUSUAL: u32 = 2;

/// The policy of one endpoint.
#[derive(Debug)]
pub(super) struct Policy {
    endpoint: String,
    envelope: Arc<Envelope>,
    breaker: Breaker,
    retry: Retry,
    hedged: HedgeCounts,
    consumption: Consumption,
    methods: HashMap<String, MethodSettings>,
}

/// A call that was let in.
#[derive(Debug)]
pub(super) struct Admission {
    cost: u32,
    since: Instant,
    /// Whether it shall find out if the back office is well again.
    is_probe: bool,
}

/// What an operator sees of an endpoint's policy.
#[derive(Debug, Clone)]
pub struct PolicyStatus {
    /// What the back office is given.
    pub envelope: EnvelopeStatus,
    /// Whether it is left alone because it fails.
    pub breaker: BreakerStatus,
    /// What each channel has consumed.
    pub channels: Vec<ChannelUsage>,
    /// What became of further attempts of slow reads.
    pub hedges: HedgeStatus,
}

impl Policy {
    pub(super) fn new(endpoint: &str, settings: PolicySettings, channels: Arc<ChannelSettings>, clock: Arc<dyn Clock>) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            envelope: Arc::new(Envelope::new(endpoint, &settings.envelope, clock)),
            breaker: Breaker::new(endpoint, settings.breaker, envelope::now()),
            retry: Retry::new(settings.retry),
            hedged: HedgeCounts::default(),
            consumption: Consumption::new(endpoint, channels),
            methods: settings.methods,
        }
    }

    /// `blame` finds single servers that are at fault, where there are several.
    pub(super) fn blaming(self, blame: Option<Blame>) -> Self {
        Self { breaker: self.breaker.blaming(blame), ..self }
    }

    /// What was declared about a method, by its full name.
    pub(super) fn method(&self, name: &str) -> MethodSettings {
        self.methods.get(name).cloned().unwrap_or_default()
    }

    /// Lets a call in, now or later, or says why not.
    pub(super) async fn admit(
        &self,
        route: &Route,
        headers: &HeaderMap,
        now: Instant,
        deadline: Option<Instant>,
    ) -> Result<Admission, Status> {
        let cost = route.rules.cost;
        let channel = self.consumption.channel(headers);
        let entered = match self.breaker.look(now) {
            Err(shed) => Err(shed),
            Ok(()) if self.envelope.try_enter(now, cost) => Ok(now),
            // Boxed: calls that need not wait shall not carry the room for it.
            Ok(()) => Box::pin(self.wait(route, headers, deadline)).await,
        };
        match entered.and_then(|since| self.probe(cost, since)) {
            Ok(admission) => {
                self.consumption.admitted(channel, cost);
                Ok(admission)
            }
            Err(shed) => {
                self.consumption.shed(channel, shed.reason);
                Err(shed.status(&self.endpoint, deadline, envelope::now(), fastrand::f64()))
            }
        }
    }

    /// Asks the breaker, which may have opened while the call waited.
    fn probe(&self, cost: u32, since: Instant) -> Result<Admission, Shed> {
        match self.breaker.admit(since) {
            Ok(is_probe) => Ok(Admission { cost, since, is_probe }),
            Err(shed) => {
                self.envelope.unused(cost);
                Err(shed)
            }
        }
    }

    /// Waits for one's turn, and says when it has come.
    async fn wait(&self, route: &Route, headers: &HeaderMap, deadline: Option<Instant>) -> Result<Instant, Shed> {
        let came = envelope::now();
        let value = self.consumption.value(headers);
        let wanted = Wanted { cost: route.rules.cost, value, deadline, duration: route.pace.usual() };
        match self.envelope.enter(came, wanted) {
            Entered::Now => Ok(came),
            Entered::Never(shed) => Err(shed),
            Entered::Later(ticket) => {
                let outcome = ticket.turn().await;
                let now = envelope::now();
                let waited = now.saturating_duration_since(came).as_secs_f64();
                metrics::histogram!(QUEUE_WAIT, "passerelle_endpoint" => self.endpoint.clone()).record(waited);
                outcome.map(|()| now)
            }
        }
    }

    /// What may be tried again of a call that was let in. A probe finds out by one attempt.
    pub(super) fn retries(&self, route: &Route, headers: &mut HeaderMap, exchange: &Exchange) -> Option<Retries<'_>> {
        let is_probe = exchange.observed.admission().is_none_or(|admission| admission.is_probe);
        if !route.is_idempotent() || is_probe {
            return None;
        }
        self.retry.claim(self, route.rules.cost, headers, exchange.deadline)
    }

    /// What may be hedged of a call that was let in. A probe finds out by one attempt.
    pub(super) fn hedges<'a>(
        &'a self,
        settings: &'a HedgeSettings,
        route: &Route,
        headers: &mut HeaderMap,
        exchange: &Exchange,
    ) -> Option<Hedges<'a>> {
        let is_probe = exchange.observed.admission().is_none_or(|admission| admission.is_probe);
        if is_probe { None } else { retry::hedges(self, settings, route.rules.cost, headers, exchange.deadline) }
    }

    /// Lets another attempt of a call in, if there is room at once and the back office does well enough.
    fn admit_hedge(&self, now: Instant, cost: u32) -> Option<Admission> {
        let may = self.breaker.is_closed() && self.retry.may() && self.envelope.try_enter(now, cost);
        may.then_some(Admission { cost, since: now, is_probe: false })
    }

    /// Whether the back office may be asked again after an attempt ended so: a retry is a call to it like any other, but no probe.
    fn may_try_again(&self, now: Instant, cost: u32, code: Code) -> bool {
        let may = self.breaker.is_closed() && self.envelope.try_again(now, cost);
        if may {
            // The last attempt is counted with the call itself.
            self.breaker.ended(now, verdict(Some(code), Duration::ZERO, Duration::MAX), false);
        }
        may
    }

    /// Hears what became of a call that was let in; `None`: nobody waited for the outcome.
    pub(super) fn ended(&self, route: &Route, admission: &Admission, now: Instant, outcome: Option<Code>) {
        let broken_off = matches!(outcome, None | Some(Code::Cancelled | Code::DeadlineExceeded));
        let duration = now.saturating_duration_since(admission.since);
        // Streams last as long as they are meant to, until their deadline too.
        let usual = if route.streaming.is_unary() { route.pace.usual() } else { Duration::MAX };
        let verdict = verdict(outcome, duration, usual);
        self.breaker.ended(now, verdict, admission.is_probe);
        if outcome == Some(Code::Ok) {
            self.retry.succeeded();
        }
        // Who broke off, or was not served, did not see how long it takes.
        if route.streaming.is_unary() && verdict == Verdict::Good {
            route.pace.took(duration);
            self.envelope.pace.took(duration);
        }
        self.envelope.left(admission.cost, broken_off);
    }

    pub(super) fn status(&self) -> PolicyStatus {
        let breaker = self.breaker.status(envelope::now());
        PolicyStatus {
            envelope: self.envelope.status(),
            breaker,
            channels: self.consumption.usage(),
            hedges: self.hedged.status(),
        }
    }
}

/// A back office that refuses, throttles, or is buggy for some requests is there. A deadline that was too short for what the method
/// usually takes says something about its caller only.
fn verdict(outcome: Option<Code>, duration: Duration, usual: Duration) -> Verdict {
    match outcome {
        Some(Code::Unavailable) => Verdict::Bad,
        Some(Code::DeadlineExceeded) if duration >= usual.saturating_mul(UNUSUAL) => Verdict::Bad,
        None | Some(Code::Cancelled | Code::DeadlineExceeded | Code::ResourceExhausted) => Verdict::Silent,
        Some(_) => Verdict::Good,
    }
}
