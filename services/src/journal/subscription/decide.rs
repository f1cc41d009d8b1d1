//! The rules of durable subscriptions: they only ever go on.

use std::convert::Infallible;

use passerelle_bus::keyed::{Context, Decider, Decision};
use passerelle_proto::bus::v1::subscription_event::Event;
use passerelle_proto::bus::v1::{SubscriptionAdvanced, SubscriptionAnswer, SubscriptionEvent, SubscriptionState};

/// A durable subscription, by its name.
#[derive(Debug, Clone, Copy, Default)]
pub(in super::super) struct Subscription;

/// Everything up to a position has been dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Advance {
    /// The position, one that exists.
    pub(in super::super) to: u64,
}

impl Decider for Subscription {
    type State = SubscriptionState;
    type Event = SubscriptionEvent;
    type Command = Advance;
    type Answer = SubscriptionAnswer;
    type Refusal = Infallible;

    const KIND: &'static str = "subscription";

    fn decide(&self, state: &SubscriptionState, command: &Advance, _: &Context<'_>) -> Result<Decision<Self>, Infallible> {
        let acknowledged = state.acknowledged.max(command.to);
        let advanced = SubscriptionEvent { event: Some(Event::Advanced(SubscriptionAdvanced { position: acknowledged })) };
        let events = if acknowledged > state.acknowledged { vec![advanced] } else { Vec::new() };
        Ok(Decision::new(events, SubscriptionAnswer { acknowledged }))
    }

    fn evolve(&self, state: &mut SubscriptionState, event: &SubscriptionEvent) {
        if let Some(Event::Advanced(advanced)) = &event.event {
            state.acknowledged = advanced.position;
        }
    }

    /// Subscriptions set no timers: one that fires all the same changes nothing.
    fn due(&self, _: &str) -> Advance {
        Advance { to: 0 }
    }

    fn event_type(_: &SubscriptionEvent) -> &'static str {
        "passerelle.bus.v1.SubscriptionAdvanced"
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_subscription_never_goes_back(commands in prop::collection::vec(0_u64..20, 0..40)) {
            let mut state = SubscriptionState::default();
            let context = Context { key: "reader", now: SystemTime::UNIX_EPOCH };
            for to in commands {
                let before = state.acknowledged;
                let decision = Subscription.decide(&state, &Advance { to }, &context).unwrap();
                decision.events.iter().for_each(|event| Subscription.evolve(&mut state, event));
                prop_assert_eq!(state.acknowledged, before.max(to));
                prop_assert_eq!(decision.answer.acknowledged, state.acknowledged);
                prop_assert_eq!(decision.events.len(), usize::from(to > before), "nothing is written where nothing changes");
            }
        }
    }
}
