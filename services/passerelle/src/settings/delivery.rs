//! Deliveries: which messages go to consumers, and how.

use std::collections::BTreeMap;
use std::time::Duration;

use passerelle_proto::bus::v1;
use passerelle_services::delivery::{DeliveryPlan, Key};
use passerelle_services::journal::Filter;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most deliveries of one bus: each reads the journal by itself.
const MOST: usize = 100;

/// Messages that were published, for consumers who share them (`passerelle.bus.v1.Deliveries`). A new one begins with the oldest record that
/// is kept; one that is taken out of the settings and put in again goes on where it was.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Delivery {
    /// Which messages: all that fit every field given.
    pub filter: DeliveryFilter,
    /// What keeps the order of messages: those of one key come one at a time.
    pub key: OrderKey,
    /// How many messages may be with consumers at the same time, and how much is held in memory.
    pub limits: DeliveryLimits,
    /// What comes after a failure.
    pub retry: DeliveryRetry,
}

/// Which messages; each list is of values of which one must fit, exactly or up to a final `*` (channels and customers exactly).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryFilter {
    /// CloudEvents types.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// CloudEvents sources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// CloudEvents subjects.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<String>,
    /// Channels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<String>,
}

/// What keeps the order of messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderKey {
    /// The customer; of messages without one, the subject.
    #[default]
    Customer,
    /// The subject.
    Subject,
    /// Nothing: each message stands for itself.
    None,
}

/// How much is held in memory and under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryLimits {
    /// Messages with consumers at the same time.
    #[schemars(range(min = 1, max = 10_000))]
    pub under_way: u32,
    /// Messages in memory, in MiB. What waits beyond is read again from the journal when its turn comes.
    #[schemars(range(min = 1, max = 1_024))]
    pub memory_mib: u32,
}

/// What comes after a failure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryRetry {
    /// Attempts of one message; when they are used up it is a dead letter (`passerelle dead list`).
    #[schemars(range(min = 1, max = 1_000))]
    pub attempts: u32,
    /// The wait before the second attempt, give or take a fifth, in milliseconds; twice as long before each further one.
    #[schemars(range(min = 1, max = 3_600_000))]
    pub first_wait_ms: u64,
    /// The longest wait, in milliseconds.
    #[schemars(range(min = 1, max = 86_400_000))]
    pub longest_wait_ms: u64,
}

impl Delivery {
    /// As the service takes it, or what is wrong, by field.
    pub(crate) fn plan(&self, name: &str) -> Result<DeliveryPlan, String> {
        let DeliveryFilter { types, sources, subjects, channels } = self.filter.clone();
        let filter = v1::Filter { types, sources, subjects, channels, customers: Vec::new() };
        Ok(DeliveryPlan {
            name: name.to_owned(),
            filter: Filter::new(filter).map_err(|status| status.message().to_owned())?,
            key: match self.key {
                OrderKey::Customer => Key::Customer,
                OrderKey::Subject => Key::Subject,
                OrderKey::None => Key::None,
            },
            under_way: self.limits.under_way as usize,
            bytes: (self.limits.memory_mib as usize) << 20,
            attempts: self.retry.attempts,
            first_wait: Duration::from_millis(self.retry.first_wait_ms),
            longest_wait: Duration::from_millis(self.retry.longest_wait_ms),
        })
    }
}

/// `(path, what is wrong)` of everything that the types cannot say.
pub(super) fn problems(deliveries: &BTreeMap<String, Delivery>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if deliveries.len() > MOST {
        found.push(("deliveries".to_owned(), format!("{} deliveries, at most {MOST} are taken", deliveries.len())));
    }
    let fits =
        |name: &str| (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    for (name, delivery) in deliveries {
        let path = format!("deliveries.{name}");
        if !fits(name) {
            found.push((path, "the name of a delivery is 1 to 64 letters, digits, `-`, `_` and `.`".to_owned()));
        } else if let Err(why) = delivery.plan(name) {
            found.push((format!("{path}.filter"), why));
        } else if delivery.retry.first_wait_ms > delivery.retry.longest_wait_ms {
            found.push((format!("{path}.retry.first_wait_ms"), "it is longer than `longest_wait_ms`".to_owned()));
        }
    }
    found
}

impl Default for DeliveryLimits {
    fn default() -> Self {
        Self { under_way: 64, memory_mib: 16 }
    }
}

impl Default for DeliveryRetry {
    fn default() -> Self {
        Self { attempts: 10, first_wait_ms: 500, longest_wait_ms: 300_000 }
    }
}
