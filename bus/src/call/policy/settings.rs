//! What can be declared about the calls to one endpoint.

use std::collections::HashMap;
use std::time::Duration;

use crate::calendar::Calendar;
use crate::contract::CHANNEL_HEADER;

/// The policy of one endpoint. The default suits a back office that nobody described: it is protected from a flood, and from nothing else.
#[derive(Debug, Clone)]
pub struct PolicySettings {
    /// What the back office can bear.
    pub envelope: EnvelopeSettings,
    /// When it is left alone because it fails.
    pub breaker: BreakerSettings,
    /// When a call is tried again.
    pub retry: RetrySettings,
    /// How many bytes of answers are kept at most; 0: none.
    pub kept_bytes: usize,
    /// What is particular to a method, by its full name (`bank.v1.Accounts/Inquire`).
    pub methods: HashMap<String, MethodSettings>,
}

/// What is particular to one method.
#[derive(Debug, Clone)]
pub struct MethodSettings {
    /// How many places and tokens one call of it takes.
    pub cost: u32,
    /// Whether it may be called again when it is not known if it had its effect; `None`: as its contract says.
    pub idempotent: Option<bool>,
    /// Whether it reads and changes nothing; `None`: as its contract says.
    pub read_only: Option<bool>,
    /// How its calls are shared, if it only reads and takes and gives one message; `None`: each one asks for itself.
    pub share: Option<ShareSettings>,
    /// How a slow call is asked for once more, if it only reads and takes and gives one message; `None`: it is not. A hedged call is not
    /// retried besides.
    pub hedge: Option<HedgeSettings>,
}

/// When a slow call is asked for once more (gRFC A6, "Hedging").
#[derive(Debug, Clone, PartialEq)]
pub struct HedgeSettings {
    /// Attempts at most, the first one included.
    pub attempts: u32,
    /// How long after each attempt the next one begins, if there is no good answer until then.
    pub delay: Duration,
    /// The outcomes after which the next attempt begins at once; any other one is the answer.
    pub codes: Vec<tonic::Code>,
}

/// How those who ask the same share a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareSettings {
    /// How old an answer may be, counted from when the back office was asked for it; `None`: none is kept, and calls that are under way
    /// are shared however long they have been.
    pub tolerance: Option<Duration>,
    /// The metadata that may change an answer, besides that which says who asks and how the answer is written; `None`: all that is not
    /// known to say only how the call travels.
    pub vary: Option<Vec<http::HeaderName>>,
}

/// What a back office can bear, and who waits for it how long.
#[derive(Debug, Clone)]
pub struct EnvelopeSettings {
    /// What holds outside of batch windows.
    pub limits: Limits,
    /// Calls that wait at most; a further one is refused, or takes the place of one that is worth less.
    pub queue_calls: usize,
    /// How long a call waits at most, its deadline aside.
    pub queue_wait: Duration,
    /// How long the back office may go on with a call that was broken off: its place stays taken for so long.
    pub abandoned: Duration,
    /// When the back office answers; `None`: always.
    pub hours: Option<Calendar>,
    /// Times at which it bears less.
    pub batch_windows: Vec<BatchWindow>,
}

/// How much at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Places: the costs of the calls in progress, together. 0: nothing is taken.
    pub concurrency: u32,
    /// Tokens a second; `None`: any number.
    pub rate: Option<Rate>,
}

/// A token bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Tokens that come in one second.
    pub per_second: f64,
    /// Tokens that can be there at a time.
    pub burst: u32,
}

/// A time at which the back office bears less, since it does something else.
#[derive(Debug, Clone)]
pub struct BatchWindow {
    /// Its name, for people.
    pub name: String,
    /// When it is.
    pub during: Calendar,
    /// What holds then, where it is less than otherwise.
    pub limits: Limits,
}

/// When a back office that fails is left alone, and for how long.
#[derive(Debug, Clone, PartialEq)]
pub struct BreakerSettings {
    /// The share of failed calls, 0 to 1, from which on it is left alone.
    pub share: f64,
    /// Calls that there must have been, for their share to say something; 0: it is never left alone.
    pub calls: u64,
    /// The span of time in which they are counted.
    pub within: Duration,
    /// How long it is left alone at first; twice as long each time that it still fails.
    pub open: Duration,
    /// How long it is left alone at most.
    pub longest_open: Duration,
    /// Calls that are let through to find out, and must go well.
    pub probes: u32,
}

/// When a call of an idempotent method is tried again (gRFC A6).
#[derive(Debug, Clone, PartialEq)]
pub struct RetrySettings {
    /// How often a call is tried at most; 1: once.
    pub attempts: u32,
    /// The pause before the second attempt, give or take a fifth.
    pub initial_backoff: Duration,
    /// By how much each pause is longer than the one before.
    pub multiplier: f64,
    /// The longest pause.
    pub longest_backoff: Duration,
    /// The outcomes after which a call is tried again.
    pub codes: Vec<tonic::Code>,
    /// Failures that empty the throttle; with half of it gone, nothing is tried again.
    pub tokens: u32,
    /// How much of a failure a success makes good.
    pub token_ratio: f64,
}

/// How channels say who they are and whom they call for.
#[derive(Debug, Clone)]
pub struct ChannelSettings {
    /// The metadata key with the channel's name.
    pub name_key: http::HeaderName,
    /// The metadata key with the customer's value, a digit: 9 is served first.
    pub value_key: http::HeaderName,
    /// The value of calls that come without.
    pub usual_value: u8,
    /// The channels whose consumption is counted; all others are counted together.
    pub names: Vec<String>,
}

/// The largest customer value.
pub const LARGEST_VALUE: u8 = 9;

impl Default for PolicySettings {
    fn default() -> Self {
        Self {
            envelope: EnvelopeSettings::default(),
            breaker: BreakerSettings::default(),
            retry: RetrySettings::default(),
            kept_bytes: 16 * 1024 * 1024,
            methods: HashMap::new(),
        }
    }
}

impl Default for MethodSettings {
    fn default() -> Self {
        Self { cost: 1, idempotent: None, read_only: None, share: None, hedge: None }
    }
}

impl Default for EnvelopeSettings {
    fn default() -> Self {
        Self {
            // As many as Envoy lets through to a cluster, and lets wait for it, when nothing is declared.
            limits: Limits { concurrency: 1024, rate: None },
            queue_calls: 1024,
            queue_wait: Duration::from_secs(5),
            abandoned: Duration::ZERO,
            hours: None,
            batch_windows: Vec::new(),
        }
    }
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            share: 0.5,
            calls: 20,
            within: Duration::from_secs(10),
            open: Duration::from_secs(1),
            // Not longer than the pause between attempts to connect.
            longest_open: Duration::from_secs(10),
            probes: 3,
        }
    }
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self {
            attempts: 3,
            initial_backoff: Duration::from_millis(50),
            multiplier: 2.0,
            longest_backoff: Duration::from_secs(1),
            codes: vec![tonic::Code::Unavailable],
            tokens: 10,
            token_ratio: 0.1,
        }
    }
}

impl Default for ChannelSettings {
    fn default() -> Self {
        Self {
            name_key: http::HeaderName::from_static(CHANNEL_HEADER),
            value_key: http::HeaderName::from_static("passerelle-customer-value"),
            usual_value: 5,
            names: Vec::new(),
        }
    }
}
