//! Every order of what can happen to two callbacks that want the same place, with a crash wherever something was written: nothing is
//! done twice, nothing is forgotten.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, SystemTime};

use passerelle_bus::keyed::{Context, Decider, Decision};
use passerelle_proto::bus::v1::callback_attempt_ended::Outcome;
use passerelle_proto::bus::v1::callback_event::What;
use passerelle_proto::bus::v1::callback_sought::Why;
use passerelle_proto::bus::v1::{CallbackRequested, CallbackState};

use super::tests::{NINE, lines};
use super::{CallbackRules, Command, Lines, SlotCommand, SlotRules, lives, moment, slot_key, unix_seconds};

const IDS: [&str; 2] = ["a", "b"];
const ADVISERS: [&str; 2] = ["ann", "bob"];
/// The slots that are looked at: one place each, half an hour.
const SLOTS: [i64; 3] = [NINE, NINE + 1800, NINE + 3600];
/// A long time down: past closing time.
const NIGHT: Duration = Duration::from_secs(10 * 3600);

struct Rules {
    callbacks: CallbackRules,
    slots: SlotRules,
    slot_keys: Vec<String>,
    lines: Lines,
}

/// What is left to happen.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Budget {
    crashes: u8,
    nights: u8,
    moves: u8,
    cancels: u8,
    requests: u8,
}

/// What a driver holds in its hand between two writes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Driver {
    Idle,
    Woken,
    Took(i64, bool),
    GaveBack(i64),
}

/// What a desk holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Desk {
    Nothing,
    Ringing(u32),
    /// It is on disk that the adviser has it; he was not told yet.
    Accepted(u32, usize),
    Connected(u32, usize),
}

/// One thing with its timers, as the journal has it.
struct Thing<'a, D: Decider> {
    rules: &'a D,
    key: &'a str,
    state: D::State,
    timers: BTreeMap<String, SystemTime>,
}

impl<D: Decider> Clone for Thing<'_, D> {
    fn clone(&self) -> Self {
        Self { state: self.state.clone(), timers: self.timers.clone(), ..*self }
    }
}

impl<'a, D: Decider> Thing<'a, D> {
    fn new(rules: &'a D, key: &'a str) -> Self {
        Self { rules, key, state: D::State::default(), timers: BTreeMap::new() }
    }

    fn command(&mut self, command: &D::Command, now: SystemTime) -> Result<Decision<D>, D::Refusal> {
        let decision = self.rules.decide(&self.state, command, &Context { key: self.key, now })?;
        decision.events.iter().for_each(|event| self.rules.evolve(&mut self.state, event));
        for name in &decision.cleared {
            self.timers.remove(name);
        }
        self.timers.extend(decision.timers.iter().map(|timer| (timer.name.clone(), timer.due)));
        Ok(decision)
    }

    fn next_timer(&self) -> Option<(&String, SystemTime)> {
        self.timers.iter().map(|(name, due)| (name, *due)).min_by_key(|(_, due)| *due)
    }

    /// Fires the timer that is due first.
    fn fire(&mut self, now: SystemTime) -> Option<Decision<D>> {
        let name = self.next_timer()?.0.clone();
        self.timers.remove(&name);
        self.command(&self.rules.due(&name), now).ok()
    }
}

#[derive(Clone)]
struct World<'a> {
    rules: &'a Rules,
    now: SystemTime,
    callbacks: Vec<Thing<'a, CallbackRules>>,
    slots: Vec<Thing<'a, SlotRules>>,
    drivers: [Driver; 2],
    desks: [Desk; 2],
    /// Callbacks that the start after a crash has not looked at yet.
    recovering: [bool; 2],
    /// Who was told to call whom, in which attempt.
    told: BTreeSet<(usize, u32, usize)>,
    budget: Budget,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Request(usize),
    Move(usize),
    Cancel(usize),
    Drive(usize),
    Timer,
    Recover(usize),
    Accept(usize, usize),
    Confirm(usize),
    NoAdviser(usize),
    Report(usize, Outcome),
    Crash,
    Night,
}

fn wish(id: &str) -> CallbackRequested {
    CallbackRequested {
        line: "sales".to_owned(),
        customer: id.to_owned(),
        telephone: "+331".to_owned(),
        slot: NINE,
        ..Default::default()
    }
}

impl<'a> World<'a> {
    fn new(rules: &'a Rules, budget: Budget) -> Self {
        Self {
            rules,
            now: moment(NINE - 600),
            callbacks: IDS.iter().map(|id| Thing::new(&rules.callbacks, id)).collect(),
            slots: rules.slot_keys.iter().map(|key| Thing::new(&rules.slots, key)).collect(),
            drivers: [Driver::Idle; 2],
            desks: [Desk::Nothing; 2],
            recovering: [false; 2],
            told: BTreeSet::new(),
            budget,
        }
    }

    fn state(&self, index: usize) -> &CallbackState {
        &self.callbacks[index].state
    }

    /// Everything that can happen now.
    fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for index in 0..IDS.len() {
            let state = self.state(index);
            if state.wish.is_none() && self.budget.requests > 0 {
                steps.push(Step::Request(index));
            }
            if lives(state) && self.budget.moves > 0 {
                steps.push(Step::Move(index));
            }
            if lives(state) && self.budget.cancels > 0 {
                steps.push(Step::Cancel(index));
            }
            if self.drivers[index] != Driver::Idle {
                steps.push(Step::Drive(index));
            }
            if self.recovering[index] {
                steps.push(Step::Recover(index));
            }
            match self.desks[index] {
                Desk::Nothing => {}
                Desk::Ringing(_) => {
                    steps.extend([Step::Accept(index, 0), Step::Accept(index, 1), Step::NoAdviser(index)]);
                }
                Desk::Accepted(..) => steps.push(Step::Confirm(index)),
                Desk::Connected(..) => {
                    steps.extend([Step::Report(index, Outcome::Reached), Step::Report(index, Outcome::NoAnswer)]);
                }
            }
        }
        // A driver is slower than a timer a few times, not for ever.
        let waits = |index: &usize| self.drivers[*index] != Driver::Idle && self.state(*index).settling >= 1;
        if self.callbacks.iter().any(|callback| !callback.timers.is_empty()) && !(0..IDS.len()).any(|index| waits(&index)) {
            steps.push(Step::Timer);
        }
        if self.budget.crashes > 0 {
            steps.push(Step::Crash);
        }
        if self.budget.nights > 0 {
            steps.push(Step::Night);
        }
        steps
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Request(index) => {
                self.budget.requests -= 1;
                let wish = Box::new(wish(IDS[index]));
                self.command(index, Command::Request { wish, slot: NINE });
                self.drivers[index] = Driver::Woken;
            }
            Step::Move(index) => {
                self.budget.moves -= 1;
                self.command(index, Command::Reschedule { slot: SLOTS[1], or_later: true });
                self.wake(index);
            }
            Step::Cancel(index) => {
                self.budget.cancels -= 1;
                self.command(index, Command::Cancel);
                self.wake(index);
            }
            Step::Drive(index) => self.drive(index),
            Step::Timer => self.timer(),
            Step::Recover(index) => self.recover(index),
            Step::Accept(index, adviser) => self.accept(index, adviser),
            Step::Confirm(index) => self.confirm(index),
            Step::NoAdviser(index) => {
                let Desk::Ringing(attempt) = self.desks[index] else { return };
                self.desks[index] = Desk::Nothing;
                self.command(index, Command::Unanswered { attempt, outcome: Outcome::NoAdviser, note: String::new() });
            }
            Step::Report(index, outcome) => {
                let Desk::Connected(attempt, _) = self.desks[index] else { return };
                self.desks[index] = Desk::Nothing;
                self.command(index, Command::Report { attempt, outcome, note: String::new() });
            }
            Step::Crash => {
                self.budget.crashes -= 1;
                self.crash();
            }
            Step::Night => {
                self.budget.nights -= 1;
                self.now += NIGHT;
                self.crash();
            }
        }
    }

    /// All that is not on disk is gone.
    fn crash(&mut self) {
        self.drivers = [Driver::Idle; 2];
        self.desks = [Desk::Nothing; 2];
        self.recovering = [true; 2];
    }

    fn wake(&mut self, index: usize) {
        if self.drivers[index] == Driver::Idle {
            self.drivers[index] = Driver::Woken;
        }
    }

    /// Decides, and does what the observer of a record does.
    fn command(&mut self, index: usize, command: Command) -> bool {
        let decided = self.callbacks[index].command(&command, self.now);
        self.observe(index, decided.ok())
    }

    fn observe(&mut self, index: usize, decided: Option<Decision<CallbackRules>>) -> bool {
        let Some(decided) = decided else { return false };
        for event in &decided.events {
            match &event.what {
                Some(What::Settling(_)) => self.wake(index),
                Some(What::Sought(sought)) if sought.why() == Why::Closed => self.wake(index),
                Some(What::Calling(calling)) => self.desks[index] = Desk::Ringing(calling.attempt),
                _ => {}
            }
        }
        true
    }

    /// One write of the driver: with the slot, or with the callback.
    fn drive(&mut self, index: usize) {
        let (sought, releasing) = (self.state(index).sought, self.state(index).releasing.first().copied());
        let place = |slot: i64| SLOTS.iter().position(|other| *other == slot);
        self.drivers[index] = match self.drivers[index] {
            Driver::Idle => Driver::Idle,
            Driver::Woken => match (releasing, sought) {
                (None, 0) => Driver::Idle,
                (Some(slot), _) => {
                    if let Some(place) = place(slot) {
                        let _ = self.slots[place].command(&SlotCommand::GiveBack(IDS[index].to_owned()), self.now);
                    }
                    Driver::GaveBack(slot)
                }
                (None, slot) => {
                    let take = SlotCommand::Take(IDS[index].to_owned());
                    // Beyond the slots that are looked at there is room.
                    let held = place(slot)
                        .is_none_or(|place| self.slots[place].command(&take, self.now).is_ok_and(|decided| decided.answer.held));
                    Driver::Took(slot, held)
                }
            },
            Driver::GaveBack(slot) => {
                self.command(index, Command::Released(slot));
                Driver::Woken
            }
            Driver::Took(slot, true) => {
                self.command(index, Command::Held(slot));
                Driver::Woken
            }
            Driver::Took(slot, false) => {
                let calendar = &self.rules.lines["sales"].calendar;
                let next = calendar.slots(unix_seconds(self.now)).map(|slot| slot.start).find(|start| *start > slot);
                self.command(index, Command::Full { slot, next });
                Driver::Woken
            }
        };
    }

    /// The timer that is due first fires, be it that the clock has to be waited for.
    fn timer(&mut self) {
        let due = |index: &usize| self.callbacks[*index].next_timer().map(|(_, due)| due);
        let first = (0..IDS.len()).filter(|index| due(index).is_some()).min_by_key(|index| due(index));
        let Some(index) = first else { return };
        self.now = self.now.max(due(&index).unwrap_or(self.now));
        let decided = self.callbacks[index].fire(self.now);
        self.observe(index, decided);
    }

    /// What a start does for each callback that was being called.
    fn recover(&mut self, index: usize) {
        self.recovering[index] = false;
        let state = self.state(index);
        let attempt = state.calling;
        match ADVISERS.iter().position(|adviser| *adviser == state.adviser) {
            Some(adviser) if attempt != 0 => self.desks[index] = Desk::Accepted(attempt, adviser),
            None if attempt != 0 && self.desks[index] == Desk::Nothing => {
                self.command(index, Command::Unanswered { attempt, outcome: Outcome::Interrupted, note: String::new() });
            }
            _ => {}
        }
    }

    fn accept(&mut self, index: usize, adviser: usize) {
        let Desk::Ringing(attempt) = self.desks[index] else { return };
        let taken = self.command(index, Command::Accept { attempt, adviser: ADVISERS[adviser].to_owned() });
        self.desks[index] = if taken { Desk::Accepted(attempt, adviser) } else { Desk::Nothing };
        if taken {
            let other = Command::Accept { attempt, adviser: ADVISERS[1 - adviser].to_owned() };
            assert!(self.callbacks[index].clone().command(&other, self.now).is_err(), "two advisers have it");
        }
    }

    fn confirm(&mut self, index: usize) {
        let Desk::Accepted(attempt, adviser) = self.desks[index] else { return };
        self.desks[index] = Desk::Connected(attempt, adviser);
        self.told.insert((index, attempt, adviser));
    }

    fn check(&self) {
        for (place, slot) in self.slots.iter().enumerate() {
            assert!(slot.state.callback_ids.len() <= 1, "slot {place} has more than its capacity");
        }
        for (index, id) in IDS.iter().enumerate() {
            let state = self.state(index);
            let told = self.told.iter().filter(|(callback, ..)| *callback == index).count();
            assert!(told <= 1 + state.not_reached as usize, "{id} is called again though it may have been reached");
            let timer = self.callbacks[index].next_timer();
            assert!(!lives(state) || timer.is_some(), "{id} is forgotten: {state:?}");
            assert!(state.releasing.is_empty() || timer.is_some(), "the place of {id} is forgotten");
            let holds: Vec<i64> = SLOTS
                .iter()
                .zip(&self.slots)
                .filter(|(_, slot)| slot.state.callback_ids.iter().any(|other| other == id))
                .map(|(start, _)| *start)
                .collect();
            if lives(state) && SLOTS.contains(&state.slot) {
                assert!(holds.contains(&state.slot), "{id} has lost its place: {state:?}");
            }
            if state.sought == 0 && state.releasing.is_empty() && self.drivers[index] == Driver::Idle {
                assert!(holds.iter().all(|slot| *slot == state.slot), "{id} keeps a place that it does not need: {state:?}");
            }
        }
    }

    /// Goes on with nothing but what the bus does by itself: everything ends. `proven` are worlds of which this is known.
    fn runs_out(mut self, proven: &mut HashSet<u64>) {
        let by_itself = |step: &Step| matches!(step, Step::Drive(_) | Step::Recover(_) | Step::NoAdviser(_) | Step::Confirm(_));
        let timers = |world: &Self| world.callbacks.iter().any(|callback| !callback.timers.is_empty());
        for _ in 0..400 {
            if !proven.insert(self.essence()) {
                return;
            }
            match self.steps().into_iter().find(by_itself) {
                Some(step) => self.take(step),
                None if timers(&self) => self.timer(),
                None => {
                    assert!((0..IDS.len()).all(|index| !lives(self.state(index))), "it stands still");
                    return;
                }
            }
        }
        panic!("it never ends");
    }

    /// What the future depends on.
    fn essence(&self) -> u64 {
        let callback = |index: usize| {
            let state = self.state(index);
            let due = |(name, due): (&String, &SystemTime)| (name.clone(), due.duration_since(self.now).unwrap_or_default());
            let timers: Vec<_> = self.callbacks[index].timers.iter().map(due).collect();
            let place = (state.sought, state.or_later, state.sought_why, state.slot, state.releasing.clone());
            let attempt =
                (state.calling, state.adviser.clone(), state.attempts_made, state.not_reached, state.ending, state.settling);
            let promised = state.call_at.map(|at| at.seconds - unix_seconds(self.now));
            (state.wish.is_some(), place, attempt, promised, timers)
        };
        let slots: Vec<Vec<String>> = self.slots.iter().map(|slot| slot.state.callback_ids.clone()).collect();
        let volatile = (self.drivers, self.desks, self.recovering, self.told.clone(), self.budget);
        let mut hasher = DefaultHasher::new();
        (self.now, callback(0), callback(1), slots, volatile).hash(&mut hasher);
        hasher.finish()
    }
}

/// Walks through every order within the budget; how many worlds there are.
fn explore(budget: Budget) -> usize {
    let lines = lines(1, 1);
    let slot_keys = SLOTS.iter().map(|start| slot_key("sales", *start)).collect();
    let rules = Rules { callbacks: CallbackRules::new(lines.clone()), slots: SlotRules::new(lines.clone()), slot_keys, lines };
    let first = World::new(&rules, budget);
    let mut seen = HashSet::from([first.essence()]);
    let mut proven = HashSet::new();
    let mut waiting = vec![first];
    while let Some(world) = waiting.pop() {
        for step in world.steps() {
            let mut next = world.clone();
            next.take(step);
            next.check();
            if seen.insert(next.essence()) {
                next.clone().runs_out(&mut proven);
                waiting.push(next);
            }
        }
    }
    seen.len()
}

#[test]
fn one_callback_is_kept_in_every_order_with_crashes_anywhere() {
    let budget = Budget { crashes: 2, nights: 0, moves: 1, cancels: 1, requests: 1 };
    assert!(explore(budget) > 20_000);
}

#[test]
fn two_who_want_the_same_place_are_both_served_with_a_crash_anywhere() {
    let budget = Budget { crashes: 1, nights: 0, moves: 0, cancels: 0, requests: 2 };
    assert!(explore(budget) > 10_000);
}

#[test]
fn a_place_that_is_given_back_is_given_to_the_other() {
    let budget = Budget { crashes: 0, nights: 0, moves: 0, cancels: 1, requests: 2 };
    assert!(explore(budget) > 5_000);
}

#[test]
fn whoever_is_promised_a_call_is_called_after_a_night_without_the_bus() {
    let budget = Budget { crashes: 1, nights: 1, moves: 0, cancels: 0, requests: 1 };
    assert!(explore(budget) > 5_000);
}
