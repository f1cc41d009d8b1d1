//! What is delivered, as the settings say it.

use std::hash::Hasher;
use std::time::Duration;

use passerelle_bus::delivery::{Chosen, LaneLimits, Once, Plan, RetryLimits};
use passerelle_proto::bus::v1;
use siphasher::sip::SipHasher13;
use siphasher::sip128::Hasher128;

use crate::journal::Filter;

/// A delivery.
#[derive(Debug, Clone)]
pub struct DeliveryPlan {
    /// Its name: letters, digits, `.`, `-`, `_`.
    pub name: String,
    /// Where its messages go.
    pub to: To,
    /// Which messages.
    pub filter: Filter,
    /// Messages of one key keep their order.
    pub key: Key,
    /// How a message is known that was received before.
    pub once: Received,
    /// Messages with the destination at the same time.
    pub under_way: usize,
    /// Bytes of messages in memory.
    pub bytes: usize,
    /// Attempts of one message.
    pub attempts: u32,
    /// Wait before the second attempt.
    pub first_wait: Duration,
    /// Longest wait between two attempts.
    pub longest_wait: Duration,
}

/// Where messages go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// To whoever consumes them.
    Consumers,
    /// To a method.
    Method {
        /// `/package.Service/Method`.
        path: String,
        /// How long a call may take.
        timeout: Duration,
    },
}

/// How a message is known that was received before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// What makes it the same.
    pub key: OnceKey,
    /// How many are remembered; 0: none, what comes twice is delivered twice.
    pub most: usize,
}

/// What makes two messages the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnceKey {
    /// Source and id.
    #[default]
    Message,
    /// Type and subject; of messages without a subject, source and id.
    Subject,
    /// Type and correlation id; of messages without one, source and id.
    Correlation,
}

/// What keeps the order of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Key {
    /// The customer; of messages without one, the subject.
    #[default]
    Customer,
    /// The subject.
    Subject,
    /// Nothing: each message stands for itself.
    None,
}

impl DeliveryPlan {
    pub(super) fn for_bus(self, hash_key: [u8; 16]) -> Plan {
        let Self { name, to: _, filter, key, once, under_way, bytes, attempts, first_wait, longest_wait } = self;
        let choose = move |message: &v1::Message| {
            filter.fits(message).then(|| Chosen { lane: key.of(message).map(|text| hash(hash_key, text)) })
        };
        Plan {
            name,
            choose: Box::new(choose),
            lanes: LaneLimits { under_way, ..LaneLimits::default() },
            bytes,
            retry: RetryLimits { attempts, first_wait, longest_wait },
            once: (once.most > 0)
                .then(|| Once { receipt: Box::new(move |message| Some(once.key.receipt(hash_key, message))), most: once.most }),
        }
    }
}

impl Key {
    /// The key of a message; none: it stands for itself.
    fn of(self, message: &v1::Message) -> Option<&str> {
        let text = match self {
            Self::Customer if !message.customer.is_empty() => &message.customer,
            Self::Customer | Self::Subject => &message.subject,
            Self::None => return None,
        };
        Some(text.as_str()).filter(|text| !text.is_empty())
    }
}

impl OnceKey {
    /// A hash of what makes it the same.
    fn receipt(self, hash_key: [u8; 16], message: &v1::Message) -> u128 {
        let v1::Message { id, source, r#type, subject, correlation_id, .. } = message;
        let (kind, texts) = match self {
            Self::Subject if !subject.is_empty() => (1, [r#type, subject]),
            Self::Correlation if !correlation_id.is_empty() => (2, [r#type, correlation_id]),
            Self::Message | Self::Subject | Self::Correlation => (0, [source, id]),
        };
        let mut hasher = siphasher::sip128::SipHasher13::new_with_key(&hash_key);
        hasher.write_u8(kind);
        for text in texts {
            hasher.write_u64(text.len() as u64);
            hasher.write(text.as_bytes());
        }
        hasher.finish128().as_u128()
    }
}

fn hash(key: [u8; 16], text: &str) -> u64 {
    let mut hasher = SipHasher13::new_with_key(&key);
    hasher.write(text.as_bytes());
    hasher.finish()
}
