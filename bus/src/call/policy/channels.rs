//! Which channel a call comes from, whom it is for, and what each channel has consumed of an endpoint.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use http::HeaderMap;
use metrics::Counter;

use super::super::observe::{CALLS_SHED, CHANNEL_CALLS, CHANNEL_COST};
use super::settings::{ChannelSettings, LARGEST_VALUE};
use super::shed::{REASONS, Reason};

/// Where calls of channels that are not declared are counted: callers choose the names.
const OTHER: &str = "other";

/// A channel's number: its place in the settings, or one further for all others.
pub(super) type Channel = u16;

/// What the channels have consumed of one endpoint.
#[derive(Debug)]
pub(super) struct Consumption {
    settings: Arc<ChannelSettings>,
    tallies: Vec<Tally>,
}

#[derive(Debug)]
struct Tally {
    calls: AtomicU64,
    cost: AtomicU64,
    shed: AtomicU64,
    endpoint: Arc<str>,
    channel: Arc<str>,
    calls_counter: OnceLock<Counter>,
    cost_counter: OnceLock<Counter>,
    shed_counters: [OnceLock<Counter>; REASONS.len()],
}

/// What an operator sees of a channel at an endpoint, since the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelUsage {
    /// Its name; `other` for all that are not declared.
    pub channel: String,
    /// Calls that went to the back office.
    pub calls: u64,
    /// Their costs, together.
    pub cost: u64,
    /// Calls that were turned away.
    pub shed: u64,
}

impl Consumption {
    pub(super) fn new(endpoint: &str, settings: Arc<ChannelSettings>) -> Self {
        let endpoint: Arc<str> = endpoint.into();
        let names = settings.names.iter().map(String::as_str).chain([OTHER]);
        let tallies = names.map(|name| Tally::new(endpoint.clone(), name)).collect();
        Self { settings, tallies }
    }

    /// The channel that the metadata names.
    pub(super) fn channel(&self, headers: &HeaderMap) -> Channel {
        let names = &self.settings.names;
        // Without declared channels there is nothing to look for.
        let named = if names.is_empty() { None } else { headers.get(&self.settings.name_key) };
        let number = named.and_then(|named| names.iter().position(|name| name.as_bytes() == named.as_bytes()));
        number.unwrap_or(names.len()) as Channel
    }

    /// The value of the customer whom the call is for.
    pub(super) fn value(&self, headers: &HeaderMap) -> u8 {
        match headers.get(&self.settings.value_key).map(|value| value.as_bytes()) {
            Some([digit @ b'0'..=b'9']) => digit - b'0',
            _ => self.settings.usual_value.min(LARGEST_VALUE),
        }
    }

    pub(super) fn admitted(&self, channel: Channel, cost: u32) {
        let Some(tally) = self.tallies.get(usize::from(channel)) else { return };
        tally.calls.fetch_add(1, Ordering::Relaxed);
        tally.cost.fetch_add(cost.into(), Ordering::Relaxed);
        tally.calls_counter.get_or_init(|| tally.counter(CHANNEL_CALLS)).increment(1);
        tally.cost_counter.get_or_init(|| tally.counter(CHANNEL_COST)).increment(cost.into());
    }

    pub(super) fn shed(&self, channel: Channel, reason: Reason) {
        let Some(tally) = self.tallies.get(usize::from(channel)) else { return };
        tally.shed.fetch_add(1, Ordering::Relaxed);
        tally.shed_counters[reason as usize].get_or_init(|| tally.shed_counter(reason)).increment(1);
    }

    /// Channels that have called at least once.
    pub(super) fn usage(&self) -> Vec<ChannelUsage> {
        let usage = |tally: &Tally| ChannelUsage {
            channel: tally.channel.to_string(),
            calls: tally.calls.load(Ordering::Relaxed),
            cost: tally.cost.load(Ordering::Relaxed),
            shed: tally.shed.load(Ordering::Relaxed),
        };
        self.tallies.iter().map(usage).filter(|usage| usage.calls + usage.shed > 0).collect()
    }
}

impl Tally {
    fn new(endpoint: Arc<str>, channel: &str) -> Self {
        Self {
            calls: AtomicU64::new(0),
            cost: AtomicU64::new(0),
            shed: AtomicU64::new(0),
            endpoint,
            channel: channel.into(),
            calls_counter: OnceLock::new(),
            cost_counter: OnceLock::new(),
            shed_counters: Default::default(),
        }
    }

    fn counter(&self, name: &'static str) -> Counter {
        metrics::counter!(name, "passerelle_endpoint" => self.endpoint.clone(), "passerelle_channel" => self.channel.clone())
    }

    fn shed_counter(&self, reason: Reason) -> Counter {
        metrics::counter!(
            CALLS_SHED,
            "passerelle_endpoint" => self.endpoint.clone(),
            "passerelle_channel" => self.channel.clone(),
            "reason" => reason.label(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(http::HeaderName::from_static(name), http::HeaderValue::from_static(value))])
    }

    #[test]
    fn channels_are_known_by_declared_names_only() {
        let names = vec!["web".to_owned(), "branch".to_owned()];
        let consumption = Consumption::new("accounts", Arc::new(ChannelSettings { names, ..ChannelSettings::default() }));
        for name in ["branch", "branch", "Branch", "made up", ""] {
            consumption.admitted(consumption.channel(&headers("passerelle-channel", name)), 3);
        }
        consumption.shed(consumption.channel(&HeaderMap::new()), Reason::Closed);
        let usage = |channel: &str, calls, shed| ChannelUsage { channel: channel.to_owned(), calls, cost: 3 * calls, shed };
        assert_eq!(consumption.usage(), [usage("branch", 2, 0), usage("other", 3, 1)]);
    }

    #[test]
    fn a_value_is_one_digit_and_anything_else_is_the_usual_one() {
        let consumption = Consumption::new("accounts", Arc::default());
        let value = |text| consumption.value(&headers("passerelle-customer-value", text));
        assert_eq!(["0", "9", "", "10", "x", "-1"].map(value), [0, 9, 5, 5, 5, 5]);
        assert_eq!(consumption.value(&HeaderMap::new()), 5);
    }
}
