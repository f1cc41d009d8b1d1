//! The ledger of a delivery: how far it has got, as a decider; and the same between memory and disk.

use std::convert::Infallible;

use passerelle_proto::bus::v1;
use passerelle_proto::bus::v1::delivery_event::Event;

use super::{Changes, Pending, Place, Progress};
use crate::keyed::{Context, Decider, Decision};

/// A delivery, by its name.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ledger;

impl Decider for Ledger {
    type State = v1::DeliveryState;
    type Event = v1::DeliveryEvent;
    type Command = Changes;
    type Answer = v1::DeliveryAnswer;
    type Refusal = Infallible;

    const KIND: &'static str = "delivery";

    fn decide(&self, _: &v1::DeliveryState, changes: &Changes, _: &Context<'_>) -> Result<Decision<Self>, Infallible> {
        let progressed = v1::DeliveryProgressed {
            frontier: Some(changes.frontier.into()),
            pending: changes.lanes.iter().filter_map(|(lane, pending)| Some(written(*lane, pending.as_ref()?))).collect(),
            cleared: changes.lanes.iter().filter(|(_, pending)| pending.is_none()).map(|(lane, _)| *lane).collect(),
            received: changes.received.iter().flat_map(|receipt| receipt.to_be_bytes()).collect(),
        };
        let event = v1::DeliveryEvent { event: Some(Event::Progressed(progressed)) };
        Ok(Decision::new(vec![event], v1::DeliveryAnswer {}))
    }

    fn evolve(&self, state: &mut v1::DeliveryState, event: &v1::DeliveryEvent) {
        let Some(Event::Progressed(progressed)) = &event.event else { return };
        state.frontier = progressed.frontier;
        // Of many lanes that wait few change at a time: only what is new makes the others move.
        let known = state.lanes.len();
        for pending in &progressed.pending {
            match state.lanes[..known].binary_search_by_key(&pending.lane, |known| known.lane) {
                Ok(at) => state.lanes[at] = *pending,
                Err(_) => state.lanes.push(*pending),
            }
        }
        if state.lanes.len() > known {
            // Stable, since that merges two runs that are sorted.
            state.lanes.sort_by_key(|pending| pending.lane);
        }
        if !progressed.cleared.is_empty() {
            state.lanes.retain(|pending| progressed.cleared.binary_search(&pending.lane).is_err());
        }
    }

    /// Deliveries set no timers: one that fires all the same changes nothing.
    fn due(&self, _: &str) -> Changes {
        Changes::default()
    }

    fn event_type(_: &v1::DeliveryEvent) -> &'static str {
        "passerelle.bus.v1.DeliveryProgressed"
    }
}

fn written(lane: u64, pending: &Pending) -> v1::PendingLane {
    v1::PendingLane { lane, first: Some(pending.first.into()), attempts: pending.attempts, is_begun: pending.is_begun }
}

impl From<Place> for v1::Place {
    fn from(place: Place) -> Self {
        Self { position: place.position, index: place.index }
    }
}

impl From<v1::Place> for Place {
    fn from(place: v1::Place) -> Self {
        Self { position: place.position, index: place.index }
    }
}

impl From<&v1::DeliveryState> for Progress {
    fn from(state: &v1::DeliveryState) -> Self {
        let lanes = state.lanes.iter().map(|pending| {
            let first = pending.first.unwrap_or_default().into();
            (pending.lane, Pending { first, attempts: pending.attempts, is_begun: pending.is_begun })
        });
        Self { frontier: state.frontier.unwrap_or_default().into(), lanes: lanes.collect() }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use proptest::prelude::*;

    use super::*;

    fn changes() -> impl Strategy<Value = Changes> {
        let place = (0..50_u64, 0..3_u32).prop_map(|(position, index)| Place { position, index });
        let pending = prop::option::of(pending(place.clone()));
        (prop::collection::btree_map(0..8_u64, pending, 0..6), place).prop_map(|(lanes, frontier)| Changes {
            lanes: lanes.into_iter().collect(),
            frontier,
            received: Vec::new(),
        })
    }

    fn pending(place: impl Strategy<Value = Place>) -> impl Strategy<Value = Pending> {
        (place, 0..5_u32, any::<bool>()).prop_map(|(first, attempts, is_begun)| Pending { first, attempts, is_begun })
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_was_meant(all in prop::collection::vec(changes(), 0..20)) {
            let (mut state, mut progress) = (v1::DeliveryState::default(), Progress::default());
            for mut changes in all {
                changes.frontier = changes.frontier.max(progress.frontier);
                let context = Context { key: "crm", now: SystemTime::UNIX_EPOCH };
                let decision = Ledger.decide(&state, &changes, &context).unwrap();
                decision.events.iter().for_each(|event| Ledger.evolve(&mut state, event));
                progress.apply(&changes);
                prop_assert_eq!(&Progress::from(&state), &progress);
            }
        }
    }
}
