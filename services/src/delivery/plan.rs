//! What is delivered, as the settings say it.

use std::hash::Hasher;
use std::time::Duration;

use passerelle_bus::delivery::{Chosen, LaneLimits, Plan, RetryLimits};
use passerelle_proto::bus::v1;
use siphasher::sip::SipHasher13;

use crate::journal::Filter;

/// A delivery to consumers.
#[derive(Debug, Clone)]
pub struct DeliveryPlan {
    /// Its name: letters, digits, `.`, `-`, `_`.
    pub name: String,
    /// Which messages.
    pub filter: Filter,
    /// Messages of one key keep their order.
    pub key: Key,
    /// Messages with consumers at the same time.
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
        let Self { name, filter, key, under_way, bytes, attempts, first_wait, longest_wait } = self;
        let choose = move |message: &v1::Message| {
            filter.fits(message).then(|| Chosen { lane: key.of(message).map(|text| hash(hash_key, text)) })
        };
        Plan {
            name,
            choose: Box::new(choose),
            lanes: LaneLimits { under_way, ..LaneLimits::default() },
            bytes,
            retry: RetryLimits { attempts, first_wait, longest_wait },
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

fn hash(key: [u8; 16], text: &str) -> u64 {
    let mut hasher = SipHasher13::new_with_key(&key);
    hasher.write(text.as_bytes());
    hasher.finish()
}
