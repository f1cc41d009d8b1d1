//! A jar of coins with bells: puts and takes are events, bells are timers.

use std::time::{Duration, SystemTime};

use crate::keyed::{Column, Columns, Context, Decider, Decision, Timer};

#[derive(Debug, Clone, Default)]
pub(super) struct Jar;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Order {
    Put(u64),
    /// Refused when there is not as much in it.
    Take(u64),
    /// Changes nothing.
    Look,
    /// Rings after so many seconds.
    Bell(&'static str, u64),
    /// Takes the bell back.
    Hush(&'static str),
    /// The bell's time has come.
    Ring(String),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Coins {
    #[prost(uint64, tag = "1")]
    pub(super) coins: u64,
    #[prost(string, repeated, tag = "2")]
    pub(super) rung: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Event {
    #[prost(oneof = "What", tags = "1, 2, 3")]
    pub(super) what: Option<What>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum What {
    #[prost(uint64, tag = "1")]
    Put(u64),
    #[prost(uint64, tag = "2")]
    Taken(u64),
    #[prost(string, tag = "3")]
    Rung(String),
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(super) struct Total {
    #[prost(uint64, tag = "1")]
    pub(super) coins: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there are only {0}")]
pub(super) struct TooFew(pub(super) u64);

impl Decider for Jar {
    type State = Coins;
    type Event = Event;
    type Command = Order;
    type Answer = Total;
    type Refusal = TooFew;

    const KIND: &'static str = "jar";

    fn decide(&self, state: &Coins, order: &Order, context: &Context<'_>) -> Result<Decision<Self>, TooFew> {
        let happened = |what, coins| Decision::new(vec![Event { what: Some(what) }], Total { coins });
        let nothing = || Decision::new(Vec::new(), Total { coins: state.coins });
        Ok(match order {
            Order::Put(coins) => happened(What::Put(*coins), state.coins + coins),
            Order::Take(coins) if *coins > state.coins => return Err(TooFew(state.coins)),
            Order::Take(coins) => happened(What::Taken(*coins), state.coins - coins),
            Order::Look => nothing(),
            Order::Bell(name, seconds) => {
                let due = context.now + Duration::from_secs(*seconds);
                Decision { timers: vec![Timer { name: (*name).to_owned(), due }], ..nothing() }
            }
            Order::Hush(name) => Decision { cleared: vec![(*name).to_owned()], ..nothing() },
            // A bell without coins is refused, to see that it does not ring again.
            Order::Ring(_) if state.coins == 0 => return Err(TooFew(0)),
            Order::Ring(name) => happened(What::Rung(name.clone()), state.coins),
        })
    }

    fn evolve(&self, state: &mut Coins, event: &Event) {
        match &event.what {
            Some(What::Put(coins)) => state.coins += coins,
            Some(What::Taken(coins)) => state.coins -= coins,
            Some(What::Rung(name)) => state.rung.push(name.clone()),
            None => {}
        }
    }

    fn due(&self, timer: &str) -> Order {
        Order::Ring(timer.to_owned())
    }

    fn ended(&self, _: &str, state: &Coins) -> Option<SystemTime> {
        (state.coins == 0).then_some(SystemTime::UNIX_EPOCH)
    }

    fn event_type(event: &Event) -> &'static str {
        match event.what {
            Some(What::Put(_)) => "test.Put",
            Some(What::Taken(_)) => "test.Taken",
            Some(What::Rung(_)) => "test.Rung",
            None => "test.Nothing",
        }
    }
}

impl Columns for Jar {
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[Column { name: "coins", sql: "INTEGER NOT NULL", indexed: true }];

    fn row(state: &Coins) -> Vec<rusqlite::types::Value> {
        vec![(state.coins as i64).into()]
    }
}
