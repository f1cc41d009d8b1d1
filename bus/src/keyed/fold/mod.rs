//! Folds that the runner and its users read: older answers, pending timers, the things themselves.

mod answers;
mod entities;
mod timers;

pub use answers::Answers;
pub use entities::{Column, Columns, Entities, Entity};
pub use timers::Timers;

pub(super) use answers::older_answer;
pub(super) use timers::pending_timers;
