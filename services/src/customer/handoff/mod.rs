//! `passerelle.customer.v1.Handoffs`: matters on their way from one channel to another.
//!
//! The rules are [`Handoff`], a pure decider: [`Command`]s in, events out. Around it stand chance and secrets ([`Secret`], the
//! [`Code`]), the limit on wrong codes, and the tables that find a matter by its code and list matters.

mod code;
mod codes;
mod command;
mod context;
mod decide;
#[cfg(test)]
mod decide_tests;
mod evolve;
#[cfg(test)]
mod explore_tests;
mod list;
mod methods;
mod moments;
mod refusal;
mod request;
mod secret;
mod service;
#[cfg(test)]
mod service_tests;
mod settings;
mod throttle;
mod view;
mod words;

pub use self::decide::KINDS;
pub use self::secret::Secret;
pub use self::service::{Handoffs, folds};
pub use self::settings::HandoffSettings;

use self::code::Code;
use self::command::{Command, Offer, Right};
use self::decide::Handoff;
use self::refusal::Refusal;
use self::secret::Drawn;
