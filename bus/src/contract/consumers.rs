//! Who calls what: counted from live traffic, a channel and a method at a time, since the start.
//!
//! A call costs a look at one header, a walk over a few short names and two relaxed stores. What is counted is bounded: methods are
//! those that are routed, and a method has at most [`MAX_CHANNELS`] channels by name, the rest together.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use http::{HeaderMap, HeaderName, HeaderValue};
use prost_reflect::MessageDescriptor;

use super::field_use::{FieldUse, Fields, ONE_IN, Sample};

/// Metadata by which a channel says who it is (`web`, `branch`), unless another key is agreed on. Not proven: it is for counting, never
/// for permission.
pub const CHANNEL_HEADER: &str = "passerelle-channel";
/// Channels of a method that are counted by name.
pub const MAX_CHANNELS: usize = 64;
/// Bytes of a channel's name.
const MAX_NAME_BYTES: usize = 64;
/// Calls without a name, or with none that could be one.
const UNNAMED: &str = "(unnamed)";
/// Channels beyond [`MAX_CHANNELS`].
const OTHERS: &str = "(others)";

/// Everything counted, by method.
#[derive(Debug)]
pub struct Consumers {
    started: Instant,
    name_key: HeaderName,
    methods: Mutex<HashMap<String, Arc<MethodUse>>>,
}

/// What one channel did with one method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The channel's name.
    pub channel: String,
    /// The method's path.
    pub method: String,
    /// Calls since the start.
    pub calls: u64,
    /// How long ago the last one began.
    pub last: Duration,
    /// How often a field that was asked about was in its requests, if some were looked into.
    pub field: Option<FieldUse>,
}

/// The calls of one method.
#[derive(Debug)]
pub struct MethodUse {
    started: Instant,
    name_key: HeaderName,
    channels: ArcSwap<Vec<Arc<ChannelUse>>>,
    adding: Mutex<()>,
}

/// The calls of one method by one channel.
#[derive(Debug, Default)]
struct ChannelUse {
    name: String,
    calls: AtomicU64,
    last_ms: AtomicU64,
    fields: Arc<Mutex<Fields>>,
}

/// `channel web: 1204 calls of /bank.v1.Accounts/Inquire, the last 3 min ago`.
impl fmt::Display for Use {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { channel, method, calls, last, field } = self;
        let ago = match last.as_secs() {
            seconds @ 0..120 => format!("{seconds} s"),
            seconds @ 120..7_200 => format!("{} min", seconds / 60),
            seconds => format!("{} h", seconds / 3_600),
        };
        write!(formatter, "channel {channel}: {calls} calls of {method}, the last {ago} ago")?;
        match field {
            None => Ok(()),
            Some(FieldUse { sampled, present }) => write!(formatter, "; the field was in {present} of {sampled} looked into"),
        }
    }
}

impl Default for Consumers {
    fn default() -> Self {
        Self::named_by(HeaderName::from_static(CHANNEL_HEADER))
    }
}

impl Consumers {
    /// Channels give their names in this metadata key.
    pub fn named_by(name_key: HeaderName) -> Self {
        Self { started: Instant::now(), name_key, methods: Mutex::default() }
    }

    /// Where the calls of a method (`/bank.v1.Accounts/Inquire`) are counted. Asked when a route is made, not for each call.
    pub fn method(&self, path: &str) -> Arc<MethodUse> {
        let mut methods = self.methods.lock().unwrap_or_else(PoisonError::into_inner);
        let Self { started, name_key, .. } = self;
        let new = || MethodUse {
            started: *started,
            name_key: name_key.clone(),
            channels: ArcSwap::default(),
            adding: Mutex::default(),
        };
        methods.entry(path.to_owned()).or_insert_with(|| Arc::new(new())).clone()
    }

    /// Who called a method, most calls first; with how often a field (`bank.v1.Transfer.amount`) was in the requests, if one is named.
    pub fn of(&self, path: &str, field: Option<&str>) -> Vec<Use> {
        let method = self.methods.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        let mut uses = method.map(|method| method.uses(path, field)).unwrap_or_default();
        uses.sort_by(|one, other| other.calls.cmp(&one.calls).then_with(|| one.channel.cmp(&other.channel)));
        uses
    }
}

impl MethodUse {
    /// Counts a call that began `at`. A few are to be looked into as well: those get a sample, which travels with the request.
    pub fn record(&self, headers: &HeaderMap, at: Instant, input: &MessageDescriptor) -> Option<Sample> {
        let channels = self.channels.load();
        let known = |name: &[u8]| channels.iter().find(|channel| channel.name.as_bytes() == name);
        // As it was written: only names that fit are known, so that a known one need not be checked again.
        let written = headers.get(&self.name_key);
        let name = || written.and_then(channel).unwrap_or(UNNAMED);
        match known(written.map_or(UNNAMED.as_bytes(), HeaderValue::as_bytes)).or_else(|| known(name().as_bytes())) {
            Some(channel) => channel.record(self.started, at, input),
            None => self.add(name()).record(self.started, at, input),
        }
    }

    fn add(&self, name: &str) -> Arc<ChannelUse> {
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let channels = self.channels.load();
        let name = if channels.len() < MAX_CHANNELS { name } else { OTHERS };
        if let Some(known) = channels.iter().find(|channel| channel.name == name) {
            return known.clone();
        }
        let new = Arc::new(ChannelUse { name: name.to_owned(), ..ChannelUse::default() });
        self.channels.store(Arc::new(channels.iter().cloned().chain([new.clone()]).collect()));
        new
    }

    fn uses(&self, path: &str, field: Option<&str>) -> Vec<Use> {
        let now = self.started.elapsed();
        let channels = self.channels.load();
        let used = |channel: &Arc<ChannelUse>| Use {
            channel: channel.name.clone(),
            method: path.to_owned(),
            calls: channel.calls.load(Ordering::Relaxed),
            last: now.saturating_sub(Duration::from_millis(channel.last_ms.load(Ordering::Relaxed))),
            field: field.and_then(|field| channel.fields.lock().unwrap_or_else(PoisonError::into_inner).of(field)),
        };
        channels.iter().map(used).collect()
    }
}

impl ChannelUse {
    fn record(&self, started: Instant, at: Instant, input: &MessageDescriptor) -> Option<Sample> {
        let before = self.calls.fetch_add(1, Ordering::Relaxed);
        let since_start = at.saturating_duration_since(started).as_millis();
        self.last_ms.store(u64::try_from(since_start).unwrap_or(u64::MAX), Ordering::Relaxed);
        before.is_multiple_of(ONE_IN).then(|| Sample { fields: self.fields.clone(), input: input.clone() })
    }
}

/// Letters, digits, `_`, `-` and `.`: what is fit for a log, and is no personal data by accident.
fn channel(written: &HeaderValue) -> Option<&str> {
    let fits = |name: &&str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        !name.is_empty() && name.len() <= MAX_NAME_BYTES && name.bytes().all(allowed)
    };
    written.to_str().ok().filter(fits)
}

#[cfg(test)]
mod tests {
    use super::super::Image;
    use super::super::fixture::contract;
    use super::*;

    const METHOD: &str = "/bank.v1.Accounts/Inquire";

    fn input() -> MessageDescriptor {
        let image = Image::decode(contract("bank.v1", "string name = 1;")).unwrap();
        image.pool().get_message_by_name("bank.v1.Asked").unwrap()
    }

    fn call(consumers: &Consumers, channel: &str) {
        let mut headers = HeaderMap::new();
        headers.insert(CHANNEL_HEADER, channel.parse().unwrap());
        consumers.method(METHOD).record(&headers, Instant::now(), &input());
    }

    #[test]
    fn calls_are_counted_by_channel_and_the_last_is_known() {
        let consumers = Consumers::default();
        ["web", "branch", "web", "a b", ""].into_iter().for_each(|channel| call(&consumers, channel));
        let seen: Vec<_> = consumers.of(METHOD, None).into_iter().map(|it| (it.channel, it.calls)).collect();
        assert_eq!(seen, [("(unnamed)".to_owned(), 2), ("web".to_owned(), 2), ("branch".to_owned(), 1)]);
        assert!(consumers.of(METHOD, None).iter().all(|it| it.last < Duration::from_secs(60)));
        assert_eq!(consumers.of("/bank.v1.Accounts/Other", None), []);
    }

    #[test]
    fn whoever_invents_names_takes_no_more_room() {
        let consumers = Consumers::default();
        (0..10 * MAX_CHANNELS).for_each(|number| call(&consumers, &format!("channel-{number}")));
        let uses = consumers.of(METHOD, None);
        assert_eq!(uses.len(), MAX_CHANNELS + 1);
        assert_eq!((uses[0].channel.as_str(), uses[0].calls), (OTHERS, 9 * MAX_CHANNELS as u64));
    }

    #[test]
    fn the_key_of_the_name_can_be_another_one() {
        let consumers = Consumers::named_by(HeaderName::from_static("x-channel"));
        let mut headers = HeaderMap::new();
        headers.insert(CHANNEL_HEADER, "branch".parse().unwrap());
        headers.insert("x-channel", "web".parse().unwrap());
        consumers.method(METHOD).record(&headers, Instant::now(), &input());
        assert_eq!(consumers.of(METHOD, None)[0].channel, "web");
    }
}
