//! Real third-party systems for tests to talk to: each starts in a folder of its own, on a free port, and is killed on drop.
//!
//! A system is installed by `tests/peers/install/<name>.sh`. When it is not there, `start` says `SKIPPED: …` on stderr and gives
//! `None`, so that the test can return; with `PEERS_REQUIRED=1` it fails instead. There is never a double in its place.
//! `PEERS=none` skips them all.
#![allow(clippy::panic, clippy::expect_used, reason = "a harness fails its test by panicking")]

pub mod buf;
mod install;
pub mod layout;
pub mod mainframe;
pub mod process;
pub mod python;
pub mod ruby;
mod run;
pub mod scaffold;
pub mod strace;
pub mod tryton;
pub mod webdav;

pub use buf::Buf;
pub use mainframe::Mainframe;
pub use run::Run;
pub use tryton::Tryton;
pub use webdav::Webdav;
