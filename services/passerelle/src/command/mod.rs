//! The commands, one file each.

pub(crate) mod adapter;
pub(crate) mod call;
pub(crate) mod callback;
mod check;
pub(crate) mod conformance;
pub(crate) mod connect;
pub(crate) mod consume;
pub(crate) mod contract;
mod copybook;
pub(crate) mod dead;
pub(crate) mod decide;
pub(crate) mod decision;
pub(crate) mod desk;
mod double;
pub(crate) mod endpoint;
mod event;
mod explain;
pub(crate) mod feel;
pub(crate) mod handoff;
pub(crate) mod journal;
pub(crate) mod lanes;
mod moment;
pub(crate) mod patterns;
pub(crate) mod publish;
pub(crate) mod record;
mod reference;
pub(crate) mod route;
pub(crate) mod tail;
pub(crate) mod twin;
pub(crate) mod view;

use std::collections::BTreeMap;

use crate::cli::{Command, DemoPart, SettingsFile};
use crate::failure::Failure;
use crate::settings::{self, Loaded};

/// Runs the command that was asked.
pub fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(file) => crate::serve::run(&file),
        Command::Demo(demo) => match demo.part {
            Some(DemoPart::Disputes) => crate::demo::disputes::run(),
            None => crate::demo::run(&demo),
        },
        Command::Check(file) => check::run(&file),
        Command::Contract(contract) => crate::serve::runtime(1)?.block_on(contract::run(&contract)),
        Command::Endpoint(endpoint) => crate::serve::runtime(1)?.block_on(endpoint::run(&endpoint)),
        Command::Route(route) => route::run(&route),
        Command::Call(call) => crate::serve::runtime(1)?.block_on(call::run(&call)),
        Command::Publish(publish) => crate::serve::runtime(1)?.block_on(publish::run(&publish)),
        Command::Tail(tail) => crate::serve::runtime(1)?.block_on(tail::run(&tail)),
        Command::Consume(consume) => crate::serve::runtime(1)?.block_on(consume::run(&consume)),
        Command::Patterns(patterns) => crate::serve::runtime(1)?.block_on(patterns::run(&patterns)),
        Command::Lanes(lanes) => crate::serve::runtime(1)?.block_on(lanes::run(&lanes)),
        Command::Dead(dead) => crate::serve::runtime(1)?.block_on(dead::run(&dead)),
        Command::Handoff(handoff) => crate::serve::runtime(1)?.block_on(handoff::run(&handoff)),
        Command::Callback(callback) => crate::serve::runtime(1)?.block_on(callback::run(&callback)),
        Command::Desk(desk) => crate::serve::runtime(1)?.block_on(desk::run(&desk)),
        Command::Record(record) => crate::serve::runtime(1)?.block_on(record::run(&record)),
        Command::Twin(twin) => twin::run(&twin),
        Command::Journal(command) => journal::run(&command),
        Command::View(view) => crate::serve::runtime(1)?.block_on(view::run(&view)),
        Command::Adapter(command) => adapter::run(&command),
        Command::Conformance(conformance) => crate::serve::runtime(2)?.block_on(conformance::run(&conformance)),
        Command::Copybook(command) => copybook::run(&command),
        Command::Double(arguments) => double::run(&arguments),
        Command::Feel(feel) => feel::run(&feel),
        Command::Decide(decide) => decide::run(&decide),
        Command::Decision(command) => decision::run(&command),
        Command::Explain(explain) => explain::run(explain.code.as_deref()),
        Command::Reference(reference) => reference::run(reference.page.as_deref()),
    }
}

/// Loads the settings that the arguments and the environment name.
pub(crate) fn load(file: &SettingsFile) -> Result<Loaded, Failure> {
    // A variable that is not UTF-8 is no setting of ours.
    let utf8 = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let environment: BTreeMap<String, String> = utf8.collect();
    Ok(settings::load(file.settings.as_deref(), &environment)?)
}
