//! Delivery: what was published goes to its destinations; order is kept, and one bad destination slows only itself.

#[allow(clippy::module_inception, reason = "one delivery, in the module of delivery")]
mod delivery;
mod destination;
mod grave;
mod lanes;
mod ledger;
mod method;
mod place;
mod progress;
mod receipts;
mod retry;

pub use delivery::{Choose, Chosen, Counts, Delivery, DeliveryParts, DeliveryStatus, Once, Parcel, Plan, Receive};
pub use destination::Absence;
pub use grave::{Bury, GivenUp, Grave, Refusal};
pub use lanes::{LaneId, LaneLimits, Lanes, Sending, Settlement, Waiting};
pub use ledger::Ledger;
pub use method::Method;
pub use place::Place;
pub use progress::{Changes, Pending, Progress};
pub use receipts::{Receipt, ReceiptFold, Receipts};
pub use retry::{Outcome, Reason, RetryLimits, Verdict};
