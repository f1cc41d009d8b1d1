//! What an adapter is to its author: settings, and what is asked besides calls.

use passerelle_adapter::{Fault, Health, Lookup, OpenError};
use passerelle_adapter_server::Limits;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// A function that tells by its idempotency key what became of an operation.
pub type LookUp<A> = fn(&A, &str) -> Result<Lookup, Fault>;

/// An adapter for one system. The methods of its contracts are in traits of their own, made by the build script.
///
/// All functions are called in threads, where they may wait for the system behind. One whose caller has left goes on to its end:
/// until then it counts against the limit of calls, and look-ups and repetitions of its key wait for it.
pub trait Adapter: Sized + Send + Sync + 'static {
    /// What the bus's settings may say: what is read, what is checked, and the JSON schema of them. Others than its fields are refused.
    type Settings: DeserializeOwned + JsonSchema;

    /// The name in its author's name space: `acme/ledger`.
    const KIND: &'static str;

    /// What it bears; as many calls, as many threads.
    const LIMITS: Limits = Limits { message_bytes: 4 << 20, calls: 32, first_credits: 8 };

    /// What stands behind, for people; without credentials.
    const BEHIND: fn(&Self) -> String = |_| String::new();

    /// Whether the system behind can be reached now. Asked every few seconds, and given 0.9 seconds.
    const HEALTH: fn(&Self) -> Health = |_| Health::Ready;

    /// Tells what became of an operation whose answer was lost. Of no call that is under way: that one is waited for before.
    /// `None`: it cannot be known, and the bus tells people so.
    const LOOK_UP: Option<LookUp<Self>> = None;

    /// Takes the settings; `endpoint` is its name at the bus. Must not need the system behind to be up.
    ///
    /// # Errors
    /// The settings cannot be used; the text says which, and why, and repeats no value.
    fn open(endpoint: &str, settings: Self::Settings) -> Result<Self, OpenError>;
}
