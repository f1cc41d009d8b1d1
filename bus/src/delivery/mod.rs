//! Delivery: what was published goes to its destinations; order is kept, and one bad destination slows only itself.

mod lanes;
mod place;
mod progress;

pub use lanes::{LaneId, LaneLimits, Lanes, Sending, Settlement, Waiting};
pub use place::Place;
pub use progress::{Changes, Pending, Progress};
