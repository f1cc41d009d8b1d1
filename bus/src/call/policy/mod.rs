//! What protects the back office behind an endpoint, and the callers from one that is in trouble.
//!
//! Everything that is decided here is decided before the back office sees the call: [`Policy::admit`] lets it in, at once where nothing
//! stands against it, and [`Policy::ended`] hears what became of it.

mod channels;
mod envelope;
mod settings;
mod shed;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use http::HeaderMap;
use tonic::{Code, Status};

pub use self::channels::ChannelUsage;
pub use self::envelope::EnvelopeStatus;
pub(super) use self::envelope::Pace;
pub use self::settings::{
    BatchWindow, ChannelSettings, EnvelopeSettings, LARGEST_VALUE, Limits, MethodSettings, PolicySettings, Rate,
};

use self::channels::{Channel, Consumption};
use self::envelope::{Entered, Envelope, Wanted};
use super::Route;
use super::observe::QUEUE_WAIT;
use crate::keyed::Clock;

/// The policy of one endpoint.
#[derive(Debug)]
pub(super) struct Policy {
    endpoint: String,
    envelope: Arc<Envelope>,
    consumption: Consumption,
    methods: HashMap<String, MethodSettings>,
}

/// A call that was let in.
#[derive(Debug)]
pub(super) struct Admission {
    cost: u32,
    since: Instant,
}

/// What an operator sees of an endpoint's policy.
#[derive(Debug, Clone)]
pub struct PolicyStatus {
    /// What the back office is given.
    pub envelope: EnvelopeStatus,
    /// What each channel has consumed.
    pub channels: Vec<ChannelUsage>,
}

impl Policy {
    pub(super) fn new(endpoint: &str, settings: PolicySettings, channels: Arc<ChannelSettings>, clock: Arc<dyn Clock>) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            envelope: Arc::new(Envelope::new(endpoint, &settings.envelope, clock)),
            consumption: Consumption::new(endpoint, channels),
            methods: settings.methods,
        }
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
        let since = match self.envelope.try_enter(now, cost) {
            true => now,
            // Boxed: calls that need not wait shall not carry the room for it.
            false => Box::pin(self.wait(route, headers, channel, deadline)).await?,
        };
        self.consumption.admitted(channel, cost);
        Ok(Admission { cost, since })
    }

    async fn wait(
        &self,
        route: &Route,
        headers: &HeaderMap,
        channel: Channel,
        deadline: Option<Instant>,
    ) -> Result<Instant, Status> {
        let came = envelope::now();
        let value = self.consumption.value(headers);
        let wanted = Wanted { cost: route.rules.cost, value, deadline, duration: route.pace.usual() };
        let outcome = match self.envelope.enter(came, wanted) {
            Entered::Now => Ok(()),
            Entered::Never(shed) => Err(shed),
            Entered::Later(ticket) => {
                let outcome = ticket.turn().await;
                let waited = envelope::now().saturating_duration_since(came);
                metrics::histogram!(QUEUE_WAIT, "passerelle_endpoint" => self.endpoint.clone()).record(waited.as_secs_f64());
                outcome
            }
        };
        let now = envelope::now();
        match outcome {
            Ok(()) => Ok(now),
            Err(shed) => {
                self.consumption.shed(channel, shed.reason);
                Err(shed.status(&self.endpoint, deadline, now, fastrand::f64()))
            }
        }
    }

    /// Hears what became of a call that was let in; `None`: nobody waited for the outcome.
    pub(super) fn ended(&self, route: &Route, admission: &Admission, now: Instant, outcome: Option<Code>) {
        let broken_off = matches!(outcome, None | Some(Code::Cancelled | Code::DeadlineExceeded));
        // Streams last as long as they are meant to, and who went away did not see how long it takes.
        if route.streaming.is_unary() && outcome.is_some_and(|code| code != Code::Cancelled) {
            let duration = now.saturating_duration_since(admission.since);
            route.pace.took(duration);
            self.envelope.pace.took(duration);
        }
        self.envelope.left(admission.cost, broken_off);
    }

    pub(super) fn status(&self) -> PolicyStatus {
        PolicyStatus { envelope: self.envelope.status(), channels: self.consumption.usage() }
    }
}
