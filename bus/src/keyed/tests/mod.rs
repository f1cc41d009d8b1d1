//! The runner with a small decider: a jar of coins with bells.

mod commands;
mod determinism;
mod folds;
mod jar;
mod keep;
mod limits;
mod losses;
mod model;
mod on_disk;
mod stubborn;
mod timers;
mod world;
