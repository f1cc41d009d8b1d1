//! Routes: which endpoint, and which method, a call goes to by what it says of itself and by fields of its request.
//!
//! Files of routes become a [`Set`], compiled and checked against the contracts; calls then ask the [`Rules`] of their method. Conditions
//! are FEEL. Fields are read off the wire by their path; no message is decoded.

mod compile;
mod decided;
mod explain;
#[cfg(test)]
mod fixture;
mod index;
mod observe;
mod peek;
mod rules;
mod set;
mod source;
mod strip;
#[cfg(test)]
mod tests;
mod variables;
mod written;

pub use self::explain::{Finding, Trial, Unreadable};
pub(crate) use self::observe::COPIES;
pub use self::observe::{METRICS, RELOADS, ROUTES, VERSION};
pub(crate) use self::peek::PeekError;
pub use self::rules::{CONDITION_LIMITS, Goal, Held, Rules};
pub(crate) use self::rules::{Rule, Taken};
pub use self::set::{Listed, Set, Surroundings};
pub use self::source::{MOST_ROUTES, Problem, Refused, Sources};
pub use self::written::{Decide, Destination, File, Mode, Names, Route};
