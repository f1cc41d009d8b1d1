//! The log engine on a disk that does its worst.

mod cuts;
mod errors;
mod flips;
mod garbage;
mod model;
mod seeds;
mod workload;
mod world;
