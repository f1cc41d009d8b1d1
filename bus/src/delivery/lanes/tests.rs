//! Lanes against a plain model: nothing is lost, nothing overtakes, whatever fails, fills up or crashes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

/// A journal of messages, each of one lane, two a record.
struct Journal(Vec<LaneId>);

impl Journal {
    fn place(index: usize) -> Place {
        Place { position: index as u64 / 2 + 1, index: index as u32 % 2 }
    }

    fn index(place: Place) -> usize {
        (place.position as usize - 1) * 2 + place.index as usize
    }

    fn waiting(index: usize) -> Waiting {
        Waiting { place: Self::place(index), priority: (index % 10) as u8 }
    }

    /// Gives up to `most` messages from a place on.
    fn from(&self, place: Place, most: usize) -> impl Iterator<Item = (usize, LaneId)> + '_ {
        let begin = if place.position == 0 { 0 } else { Self::index(place) };
        self.0.iter().copied().enumerate().skip(begin).take(most)
    }
}

/// One step of a run.
#[derive(Debug, Clone)]
enum Step {
    Read(usize),
    Refill(usize),
    Send,
    Settle { which: usize, how: u8 },
    Write,
    Crash,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1..20_usize).prop_map(Step::Read),
        3 => (1..20_usize).prop_map(Step::Refill),
        8 => Just(Step::Send),
        8 => (any::<usize>(), any::<u8>()).prop_map(|(which, how)| Step::Settle { which, how }),
        2 => Just(Step::Write),
        1 => Just(Step::Crash),
    ];
    proptest::collection::vec(step, 0..400)
}

struct Run<'a> {
    journal: &'a Journal,
    lanes: Lanes,
    written: Progress,
    sent: Vec<Sending>,
    now: Instant,
    limits: LaneLimits,
    /// Messages done, by lane, in the order in which they were done since the last crash.
    done: BTreeMap<LaneId, Vec<usize>>,
    ever: Vec<bool>,
}

impl Run<'_> {
    fn step(&mut self, step: &Step) {
        match *step {
            Step::Read(most) => self.read(most),
            Step::Refill(most) => self.refill(most),
            Step::Send => self.sent.extend(self.lanes.next(self.now)),
            Step::Settle { which, how } if !self.sent.is_empty() => {
                let sent = self.sent.swap_remove(which % self.sent.len());
                self.settle(sent, how);
            }
            Step::Settle { .. } => {}
            Step::Write => self.written.apply(&self.lanes.take_changes()),
            Step::Crash => {
                self.lanes = Lanes::resume(self.limits, &self.written);
                self.sent.clear();
                self.done.clear();
            }
        }
        self.now += Duration::from_millis(1);
        let most = self.limits.waiting;
        assert!(self.lanes.waiting() <= most, "{} messages in memory of {most}", self.lanes.waiting());
        assert!(self.lanes.under_way() <= self.limits.under_way);
    }

    fn read(&mut self, most: usize) {
        let Some(from) = self.lanes.read_from() else { return };
        for (index, lane) in self.journal.from(from, most) {
            if self.lanes.read_from().is_none() {
                return;
            }
            self.lanes.read(lane, Journal::waiting(index));
        }
    }

    fn refill(&mut self, most: usize) {
        let Some(from) = self.lanes.refill_from() else { return };
        let mut last = from;
        for (index, lane) in self.journal.from(from, most) {
            let waiting = Journal::waiting(index);
            self.lanes.refill(lane, waiting);
            last = waiting.place.next();
        }
        let end = self.journal.0.len();
        self.lanes.refilled_to(if last == Journal::place(end.max(1) - 1).next() { Place::first_of(u64::MAX) } else { last });
    }

    fn settle(&mut self, sent: Sending, how: u8) {
        let settlement = match how % 4 {
            0 => Settlement::Again { at: self.now + Duration::from_millis(u64::from(how)), counts: how > 100, is_open: false },
            _ => Settlement::Done,
        };
        if settlement == Settlement::Done {
            let index = Journal::index(sent.place);
            let done = self.done.entry(sent.lane).or_default();
            assert!(done.last().is_none_or(|last| *last < index), "{index} of lane {} overtaken: {done:?}", sent.lane);
            done.push(index);
            self.ever[index] = true;
        }
        self.lanes.settle(&sent, settlement);
    }

    /// Everything goes well from now on.
    fn finish(&mut self) {
        for _ in 0..100_000 {
            self.now += Duration::from_secs(1);
            self.read(7);
            self.refill(7);
            self.sent.extend(self.lanes.next(self.now));
            if let Some(sent) = self.sent.pop() {
                self.settle(sent, 2);
            }
            if self.lanes.count() == 0 && self.journal.from(self.lanes.frontier, 1).next().is_none() {
                return;
            }
        }
        panic!("it does not come to an end: {:?}", self.lanes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn everything_is_delivered_in_the_order_of_its_lane(
        journal in proptest::collection::vec(0..6_u64, 0..120),
        steps in steps(),
        under_way in 1..4_usize,
        waiting in 1..40_usize,
        waiting_of_one in 1..6_usize,
    ) {
        let limits = LaneLimits { under_way, waiting, waiting_of_one };
        let journal = Journal(journal);
        let written = Progress::default();
        let mut run = Run {
            journal: &journal, lanes: Lanes::resume(limits, &written), written, sent: Vec::new(), now: Instant::now(), limits,
            done: BTreeMap::new(), ever: vec![false; journal.0.len()],
        };
        for step in &steps {
            run.step(step);
        }
        run.finish();
        prop_assert!(run.ever.iter().all(|done| *done), "lost: {:?}", run.ever);
        run.written.apply(&run.lanes.take_changes());
        prop_assert!(run.written.lanes.is_empty(), "{:?}", run.written);
        prop_assert_eq!(run.written.oldest(), run.lanes.oldest());
    }
}

fn at(position: u64, priority: u8) -> Waiting {
    Waiting { place: Place::first_of(position), priority }
}

#[test]
fn a_lane_of_many_messages_lets_the_others_go_in_between() {
    let now = Instant::now();
    let mut lanes = Lanes::resume(LaneLimits { under_way: 1, ..LaneLimits::default() }, &Progress::default());
    for (position, lane) in [(1, 7), (2, 7), (3, 7), (4, 8), (5, 9)] {
        lanes.read(lane, at(position, 0));
    }
    let order: Vec<u64> = std::iter::from_fn(|| {
        let sent = lanes.next(now)?;
        lanes.settle(&sent, Settlement::Done);
        Some(sent.place.position)
    })
    .collect();
    assert_eq!(order, [1, 4, 5, 2, 3]);
}

#[test]
fn priority_goes_first_between_lanes_and_never_within_one() {
    let now = Instant::now();
    let mut lanes = Lanes::resume(LaneLimits { under_way: 1, ..LaneLimits::default() }, &Progress::default());
    lanes.read(1, at(1, 0));
    lanes.read(1, at(2, 9));
    lanes.read(2, at(3, 5));
    let order: Vec<u64> = std::iter::from_fn(|| {
        let sent = lanes.next(now)?;
        lanes.settle(&sent, Settlement::Done);
        Some(sent.place.position)
    })
    .collect();
    assert_eq!(order, [3, 1, 2]);
}

#[test]
fn a_message_that_fails_holds_up_its_own_lane_only() {
    let now = Instant::now();
    let mut lanes = Lanes::resume(LaneLimits::default(), &Progress::default());
    for (position, lane) in [(1, 1), (2, 1), (3, 2)] {
        lanes.read(lane, at(position, 0));
    }
    let later = now + Duration::from_secs(5);
    let failed = lanes.next(now).unwrap();
    lanes.settle(&failed, Settlement::Again { at: later, counts: true, is_open: false });
    assert_eq!(lanes.next(now).unwrap().place, Place::first_of(3));
    assert_eq!(lanes.next(now), None);
    assert_eq!(lanes.wakes_at(), Some(later));
    assert_eq!(lanes.next(later), Some(Sending { lane: 1, place: Place::first_of(1), attempt: 2, was_begun: false }));
}

#[test]
fn what_comes_and_goes_between_two_records_is_not_written_down() {
    let now = Instant::now();
    let mut lanes = Lanes::resume(LaneLimits::default(), &Progress::default());
    for position in 1..=1_000 {
        lanes.read(position, at(position, 0));
        let sent = lanes.next(now).unwrap();
        lanes.settle(&sent, Settlement::Done);
    }
    assert_eq!(
        lanes.take_changes(),
        Changes { lanes: Vec::new(), frontier: Place { position: 1_000, index: 1 }, received: Vec::new() }
    );
}

#[test]
fn an_attempt_that_was_begun_is_known_after_a_restart_until_something_came_of_it() {
    let now = Instant::now();
    let mut written = Progress::default();
    let mut lanes = Lanes::resume(LaneLimits::default(), &written);
    lanes.read(1, at(1, 0));
    lanes.read(1, at(2, 0));
    let sent = lanes.next(now).unwrap();
    assert!(!sent.was_begun);
    lanes.begin(&sent);
    written.apply(&lanes.take_changes());

    let mut again = Lanes::resume(LaneLimits::default(), &written);
    assert_eq!(again.refill_from(), Some(Place::first_of(1)));
    assert!(again.refill(1, at(1, 0)) && again.refill(1, at(2, 0)));
    let sent = again.next(now).unwrap();
    assert!(sent.was_begun, "what became of it is to be found out");
    again.settle(&sent, Settlement::Again { at: now, counts: false, is_open: true });
    let sent = again.next(now).unwrap();
    assert!(sent.was_begun, "still");
    again.settle(&sent, Settlement::Again { at: now, counts: false, is_open: false });
    let sent = again.next(now).unwrap();
    assert!(!sent.was_begun, "it had no effect");
    again.begin(&sent);
    again.settle(&sent, Settlement::Done);
    assert!(!again.next(now).unwrap().was_begun, "the next one was not begun");
    written.apply(&again.take_changes());
    assert!(!written.lanes[&1].is_begun);
}

#[test]
fn a_backlog_of_many_lanes_is_written_down_once() {
    const LANES: u64 = 5_000;
    let mut lanes = Lanes::resume(LaneLimits::default(), &Progress::default());
    let mut positions = 1..;
    let mut read_all =
        |lanes: &mut Lanes| (0..LANES).zip(&mut positions).for_each(|(lane, position)| _ = lanes.read(lane, at(position, 0)));
    read_all(&mut lanes);
    assert_eq!(lanes.take_changes().lanes.len() as u64, LANES);
    read_all(&mut lanes);
    assert!(!lanes.has_changes(), "what comes behind others is no reason for a record");
    let sent = lanes.next(Instant::now()).unwrap();
    lanes.settle(&sent, Settlement::Done);
    let pending = Pending { first: Place::first_of(LANES + 1 + sent.lane), attempts: 0, is_begun: false };
    let frontier = Place { position: 2 * LANES, index: 1 };
    assert_eq!(lanes.take_changes(), Changes { lanes: vec![(sent.lane, Some(pending))], frontier, received: Vec::new() });
}

/// Reads and settles a journal whole, one record at a time; how often a record was read.
fn reads(journal: &[LaneId], limits: LaneLimits) -> usize {
    let (now, mut reads, mut done) = (Instant::now(), 0, 0);
    let mut lanes = Lanes::resume(limits, &Progress::default());
    let last = journal.len() as u64;
    while done < journal.len() {
        while let Some(from) = lanes.refill_from() {
            lanes.refill(journal[from.position as usize - 1], at(from.position, 0));
            lanes.refilled_to(Place::first_of(from.position + 1));
            reads += 1;
        }
        while let Some(from) =
            lanes.read_from().map(|from| from.position.max(1) + u64::from(from.index)).filter(|from| *from <= last)
        {
            lanes.read(journal[from as usize - 1], at(from, 0));
            lanes.read_to(Place::first_of(from + 1));
            reads += 1;
        }
        if let Some(sent) = lanes.next(now) {
            lanes.settle(&sent, Settlement::Done);
            done += 1;
        }
    }
    reads
}

#[test]
fn a_backlog_is_read_about_twice_however_long_it_is() {
    let limits = LaneLimits { under_way: 4, waiting: 4_096, waiting_of_one: 64 };
    let hot = vec![1; 100_000];
    let some_hot: Vec<LaneId> = (0..100_000).map(|index| if index % 2 == 0 { index % 10 } else { index % 1_000 }).collect();
    for (name, journal) in [("one key", hot), ("ten keys of a thousand", some_hot)] {
        let reads = reads(&journal, limits);
        assert!(reads < 3 * journal.len(), "{name}: {reads} reads for {} records", journal.len());
    }
}
