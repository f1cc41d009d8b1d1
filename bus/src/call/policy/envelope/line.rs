//! Who waits, in the order in which they are served: the most valued customer first, then the nearest deadline, then who came first.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Instant;

use super::super::settings::LARGEST_VALUE;

/// A place in the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    value: Reverse<u8>,
    /// Calls without a deadline come last of their value.
    no_deadline: bool,
    deadline: Option<Instant>,
    arrival: u64,
}

/// A bounded line.
#[derive(Debug)]
pub(super) struct Line<T> {
    waiting: BTreeMap<Rank, (u32, T)>,
    /// Costs of those who wait, by value.
    costs: [u64; LARGEST_VALUE as usize + 1],
    longest: usize,
    arrivals: u64,
}

/// What became of somebody who wanted to wait.
#[derive(Debug)]
pub(super) enum Joined<T> {
    /// There is room.
    Waiting,
    /// There is room now: somebody worth less had to go.
    InPlaceOf(T),
    /// The line is full of others who are worth as much.
    Full(T),
}

impl<T> Line<T> {
    pub(super) fn new(longest: usize) -> Self {
        Self { waiting: BTreeMap::new(), costs: Default::default(), longest, arrivals: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The place that somebody who comes now would have.
    pub(super) fn rank(&mut self, value: u8, deadline: Option<Instant>) -> Rank {
        self.arrivals += 1;
        let value = Reverse(value.min(LARGEST_VALUE));
        Rank { value, no_deadline: deadline.is_none(), deadline, arrival: self.arrivals }
    }

    /// Whether nobody is served before.
    pub(super) fn is_first(&self, rank: &Rank) -> bool {
        self.waiting.first_key_value().is_none_or(|(first, _)| rank < first)
    }

    /// Costs of those who are served before somebody of that value who comes now.
    pub(super) fn ahead(&self, rank: &Rank) -> u64 {
        self.costs[usize::from(rank.value.0)..].iter().sum()
    }

    /// Costs of all who wait.
    pub(super) fn cost(&self) -> u64 {
        self.costs.iter().sum()
    }

    pub(super) fn join(&mut self, rank: Rank, cost: u32, who: T) -> Joined<T> {
        let mut outcome = Joined::Waiting;
        if self.waiting.len() >= self.longest {
            match self.waiting.last_key_value() {
                Some((last, _)) if rank.value < last.value => {
                    let last = *last;
                    if let Some(gone) = self.leave(&last) {
                        outcome = Joined::InPlaceOf(gone);
                    }
                }
                _ => return Joined::Full(who),
            }
        }
        self.costs[usize::from(rank.value.0)] += u64::from(cost);
        self.waiting.insert(rank, (cost, who));
        outcome
    }

    /// Who is served next, with his cost.
    pub(super) fn first(&self) -> Option<(Rank, u32, &T)> {
        self.waiting.first_key_value().map(|(rank, (cost, who))| (*rank, *cost, who))
    }

    pub(super) fn leave(&mut self, rank: &Rank) -> Option<T> {
        let (cost, who) = self.waiting.remove(rank)?;
        self.costs[usize::from(rank.value.0)] -= u64::from(cost);
        Some(who)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn value_goes_before_deadline_and_deadline_before_arrival() {
        let mut line = Line::new(10);
        let now = Instant::now();
        let at = |seconds| Some(now + Duration::from_secs(seconds));
        for (value, deadline, who) in [
            (1, at(1), "urgent"),
            (5, None, "patient"),
            (5, at(9), "later"),
            (5, at(3), "sooner"),
            (5, at(3), "as soon"),
            (99, at(60), "best"),
        ] {
            let rank = line.rank(value, deadline);
            assert!(matches!(line.join(rank, 1, who), Joined::Waiting));
        }
        let mut order = Vec::new();
        while let Some((rank, _, _)) = line.first() {
            order.extend(line.leave(&rank));
        }
        assert_eq!(order, ["best", "sooner", "as soon", "later", "patient", "urgent"]);
    }

    #[test]
    fn in_a_full_line_only_a_more_valued_one_finds_room() {
        let mut line = Line::new(2);
        for who in ["one", "two"] {
            let rank = line.rank(4, None);
            line.join(rank, 1, who);
        }
        let rank = line.rank(4, Some(Instant::now()));
        assert!(matches!(line.join(rank, 1, "nearer deadline"), Joined::Full("nearer deadline")));
        let rank = line.rank(5, None);
        assert!(matches!(line.join(rank, 1, "better"), Joined::InPlaceOf("two")));
        assert_eq!(line.len(), 2);
        let mut none = Line::new(0);
        let rank = none.rank(9, None);
        assert!(matches!(none.join(rank, 1, ()), Joined::Full(())));
    }

    proptest! {
        #[test]
        fn costs_are_those_of_the_ones_who_wait(steps in prop::collection::vec((0_u8..10, 1_u32..5, any::<bool>()), 0..60)) {
            let mut line = Line::new(12);
            for (value, cost, leaves) in steps {
                let rank = line.rank(value, None);
                line.join(rank, cost, ());
                if leaves && let Some((first, _, ())) = line.first() {
                    line.leave(&first);
                }
                prop_assert!(line.len() <= 12);
                let probe = line.rank(value, None);
                let before: u64 = line.waiting.iter().filter(|(rank, _)| rank.value <= probe.value).map(|(_, (cost, ()))| u64::from(*cost)).sum();
                prop_assert_eq!(line.ahead(&probe), before);
                prop_assert_eq!(line.cost(), line.waiting.values().map(|(cost, ())| u64::from(*cost)).sum::<u64>());
            }
        }
    }
}
