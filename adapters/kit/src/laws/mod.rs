//! The laws, one file a group.

mod call;
mod clock;
mod concurrency;
mod configure;
mod contract;
mod credit;
mod deadline;
mod describe;
mod drain;
mod effect;
mod fault;
mod garbage;
mod health;
mod limit;
mod lookup;
mod protocol;
mod receive;
mod restart;
mod secret;
mod stream;

use crate::law::Law;

/// All laws, in the order in which they are checked.
pub fn all() -> Vec<Law> {
    let groups = [
        describe::LAWS,
        configure::LAWS,
        contract::LAWS,
        call::LAWS,
        stream::LAWS,
        deadline::LAWS,
        effect::LAWS,
        lookup::LAWS,
        concurrency::LAWS,
        fault::LAWS,
        credit::LAWS,
        limit::LAWS,
        garbage::LAWS,
        protocol::LAWS,
        health::LAWS,
        receive::LAWS,
        clock::LAWS,
        drain::LAWS,
        restart::LAWS,
        secret::LAWS,
    ];
    groups.concat()
}
