//! Delivery: what was published goes to its destinations; order is kept, and one bad destination slows only itself.

#[allow(clippy::module_inception, reason = "one delivery, in the module of delivery")]
mod delivery;
mod grave;
mod lanes;
mod ledger;
mod place;
mod progress;
mod retry;

pub use delivery::{Choose, Chosen, Counts, Delivery, DeliveryParts, DeliveryStatus, Parcel, Plan};
pub use grave::{Bury, GivenUp, Grave, Refusal};
pub use lanes::{LaneId, LaneLimits, Lanes, Sending, Settlement, Waiting};
pub use ledger::Ledger;
pub use place::Place;
pub use progress::{Changes, Pending, Progress};
pub use retry::{Outcome, Reason, RetryLimits, Verdict};
