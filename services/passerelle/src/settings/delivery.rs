//! Deliveries: which messages go where, and how.

use std::collections::BTreeMap;
use std::time::Duration;

use passerelle_proto::bus::v1;
use passerelle_services::delivery::{DeliveryPlan, Key, OnceKey, Received, To};
use passerelle_services::journal::Filter;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most deliveries of one bus: each reads the journal by itself.
const MOST: usize = 100;

/// Messages that were published, for consumers who share them (`passerelle.bus.v1.Deliveries`), or for a method of a contract that each is
/// called at. A new one begins with the oldest record that is kept; one that is taken out of the settings and put in again goes on where it
/// was.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Delivery {
    /// Which messages: all that fit every field given.
    pub filter: DeliveryFilter,
    /// Where they go, if not to consumers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<DeliveryMethod>,
    /// How a message is known that was received before, and is not delivered again.
    pub once: DeliveryOnce,
    /// What keeps the order of messages: those of one key come one at a time.
    pub key: OrderKey,
    /// How many messages may be with the destination at the same time, and how much is held in memory.
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

/// A method that each message is called at, by the same way and policies as any call. Its request is the message's data: protobuf of the
/// method's type, or JSON of it. A method that may be called again (`idempotency_level`, or `idempotent` of the endpoint's policy) is called
/// until it has answered. Another one is never called again while it is not known what became of a call: where its adapter can look that up
/// it does, else the message is a dead letter with the reason `undecided`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveryMethod {
    /// `package.Service/Method`, of one message each way.
    pub method: String,
    /// How long a call may take, in milliseconds, and not beyond the message's own deadline.
    #[serde(default = "usual_deadline_ms")]
    #[schemars(range(min = 1, max = 3_600_000))]
    pub deadline_ms: u64,
}

/// How a message is known that was received before: one with the same key, of the last ones. What was received is durable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryOnce {
    /// What makes two messages the same.
    pub key: DeliveryOnceKey,
    /// Keys that are remembered, the last ones, about 50 bytes of memory each; 0: what comes twice is delivered twice.
    #[schemars(range(max = 1_000_000))]
    pub keys: u32,
}

/// What makes two messages the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryOnceKey {
    /// Source and id.
    #[default]
    Message,
    /// Type and subject; of messages without a subject, source and id.
    Subject,
    /// Type and correlation id; of messages without one, source and id.
    Correlation,
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
    /// Messages with the destination at the same time.
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
            to: self.to.as_ref().map_or(To::Consumers, DeliveryMethod::plan),
            once: self.once.plan(),
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

impl DeliveryMethod {
    fn plan(&self) -> To {
        To::Method { path: format!("/{}", self.method), timeout: Duration::from_millis(self.deadline_ms) }
    }

    /// Whether its name is one.
    fn is_named(&self) -> bool {
        let is_identifier = |part: &str| {
            !part.is_empty()
                && !part.starts_with(|c: char| c.is_ascii_digit())
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        let parts = self.method.split_once('/');
        parts.is_some_and(|(service, method)| service.split('.').all(is_identifier) && is_identifier(method))
    }
}

impl DeliveryOnce {
    fn plan(&self) -> Received {
        let key = match self.key {
            DeliveryOnceKey::Message => OnceKey::Message,
            DeliveryOnceKey::Subject => OnceKey::Subject,
            DeliveryOnceKey::Correlation => OnceKey::Correlation,
        };
        Received { key, most: self.keys as usize }
    }
}

fn usual_deadline_ms() -> u64 {
    30_000
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
        } else if delivery.to.as_ref().is_some_and(|to| !to.is_named()) {
            found.push((format!("{path}.to.method"), "a method is named `package.Service/Method`".to_owned()));
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

impl Default for DeliveryOnce {
    fn default() -> Self {
        Self { key: DeliveryOnceKey::default(), keys: 20_000 }
    }
}

impl Default for DeliveryRetry {
    fn default() -> Self {
        Self { attempts: 10, first_wait_ms: 500, longest_wait_ms: 300_000 }
    }
}
