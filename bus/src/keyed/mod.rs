//! Keyed: the single writer per key that runs a decider.

mod alarm;
mod ask;
pub mod clock;
mod decider;
mod dispatch;
mod door;
mod flight;
mod fold;
mod home;
mod instant;
mod keep;
mod key;
mod life;
pub mod observe;
mod outcome;
mod replay;
mod runner;
mod settings;
mod shard;
mod slot;
#[cfg(test)]
mod tests;
mod timetable;

pub use clock::Clock;
pub use decider::{Context, Decider, Decision, Timer};
pub use fold::{Answers, Column, Columns, Entities, Entity, Timers};
pub use outcome::{Done, Failure, Observed};
pub use replay::Replay;
pub use runner::{Keyed, Parts};
pub use settings::{KeyedSettings, OpenError};
