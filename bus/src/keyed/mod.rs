//! Keyed: the single writer per key that runs a decider.

mod alarm;
pub mod clock;
mod decider;
mod fold;
mod instant;
mod outcome;
mod replay;
mod runner;
mod settings;

pub use clock::Clock;
pub use decider::{Context, Decider, Decision, Timer};
pub use fold::{Answers, Column, Columns, Entities, Entity, Timers};
pub use outcome::{Done, Failure, Observed};
pub use replay::Replay;
pub use runner::{Keyed, Parts};
pub use settings::{KeyedSettings, OpenError};
