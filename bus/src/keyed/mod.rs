//! Keyed: the single writer per key that runs a decider.
//!
//! A command goes through a door into the shard that has its key ([`Keyed::command`], `door`, `shard`). There its slot decides it on what
//! was decided before, durable or not, and makes one record of all that changes (`slot`, `life`). Records of many keys are written
//! together; when one is durable, its flight lands: the observer is called and whoever waits is answered (`flight`). When one is not
//! written, everything decided on top of it falls with it, and the key is read anew. What is answered never rests on what is not durable.
//!
//! Timers stand in the records. The next ones are in memory (`timetable`), all of them in the projection ([`Timers`]); one task fires them as
//! commands (`dispatch`): in the order in which they are due, to the second; within a second those of one key in their order, those of
//! different keys side by side. One that was taken back, replaced or fired is not in its key's state any more, and so fires once in effect,
//! whatever is read twice or crashes in between.
//!
//! Nothing in a record depends on threads, on other keys or on when something was read: the same commands give the same bytes.

mod alarm;
mod ask;
pub mod clock;
mod decider;
mod desk;
mod dispatch;
mod door;
mod flight;
mod fold;
mod forgotten;
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
#[cfg(test)]
mod timetable_tests;

pub use clock::Clock;
pub use decider::{Context, Decider, Decision, Timer};
pub use fold::{Answers, Column, Columns, Entities, Entity, Timers};
pub use keep::Carried;
pub use outcome::{Done, Failure, Observed};
pub use replay::Replay;
pub use runner::{Keyed, Parts};
pub use settings::{KeyedSettings, OpenError};
