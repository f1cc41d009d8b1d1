//! All that three channels can do to one matter in three steps, in every order, with a crash at every journal write.
//!
//! A world is explored from its beginning until nothing new comes of it. What a crash loses is the memory of the bus and the answer on its way;
//! what it keeps is the journal's records, from which everything is rebuilt. A client whose answer was lost asks the same again with
//! the same idempotency key, or gives up and goes on with another.

mod client;
mod monitor;
mod world;

use std::collections::{BTreeMap, HashSet};

use expect_test::expect;

use self::client::CHANNELS;
use self::world::{Fate, World};

/// Crashes on one way through the world, at any of its writes. What the bus knows after one is what it knew before (it is compared each time), so
/// that a second one could show nothing new.
const CRASHES: u8 = 1;

#[test]
fn three_channels_three_steps_and_crashes_at_every_write_leave_one_owner_and_lose_no_step_or_answer() {
    let mut seen = HashSet::new();
    let mut waiting = vec![World::default()];
    let mut counts = Counts::default();
    seen.insert(waiting[0].fingerprint());
    while let Some(world) = waiting.pop() {
        world.check();
        counts.state(&world);
        if world.ended() {
            continue;
        }
        for next in successors(&world, &mut counts) {
            if seen.insert(next.fingerprint()) {
                waiting.push(next);
            }
        }
    }
    println!("{counts:#?}");
    // Written down, so that an exploration that gets to less is noticed.
    expect![[r#"
        16428 states, 127934 transitions, 13562 with a crash
        timers fired 7374, time passed 5066, clients gave up 9594
        state : 2
        state completed: 307
        state expired: 2640
        state offered: 5380
        state owned: 6272
        state taken back: 1827
        Accept: 5802
        Complete: 417
        GiveBack: 1680
        IssueCode(1): 2164
        Offer: 3
        Progress: 1179
        Renew: 1680
        Resume(0): 27
        Resume(1): 819
        TakeBack: 5046
        crashed before the write: 1400
        refused: CodeVoid: 8592
        refused: Ended: 23866
        refused: Fenced: 4746
        refused: NobodyOwns: 21523
        refused: OfferedBy: 12160
        refused: Owned: 11242
        refused: Revision: 84
        repeated: 3470
    "#]]
    .assert_eq(&counts.told());
}

/// What can come next, in every way it can go.
fn successors(world: &World, counts: &mut Counts) -> Vec<World> {
    let mut next = Vec::new();
    let fates: &[Fate] =
        if world.crashes < CRASHES { &[Fate::Answered, Fate::Lost, Fate::NeverWritten] } else { &[Fate::Answered] };
    for client in 0..CHANNELS.len() {
        for sent in world.can_send(client) {
            for fate in fates {
                let mut then = world.clone();
                let outcome = then.send(client, &sent, *fate);
                counts.sent(&outcome, *fate);
                next.push(then);
            }
        }
        if let Some(then) = world.gives_up(client) {
            counts.given_up += 1;
            next.push(then);
        }
    }
    for fate in fates {
        if let Some(then) = world.fires(*fate) {
            counts.fired += 1;
            next.push(then);
        }
    }
    if let Some(then) = world.time_passes() {
        counts.passed += 1;
        next.push(then);
    }
    next
}

/// What was seen, so that an exploration that did not get anywhere fails.
#[derive(Debug, Default)]
struct Counts {
    states: u64,
    transitions: u64,
    by_phase: BTreeMap<&'static str, u64>,
    outcomes: BTreeMap<String, u64>,
    crashes: u64,
    fired: u64,
    passed: u64,
    given_up: u64,
}

impl Counts {
    fn state(&mut self, world: &World) {
        self.states += 1;
        *self.by_phase.entry(world.phase()).or_default() += 1;
    }

    fn sent(&mut self, outcome: &str, fate: Fate) {
        self.transitions += 1;
        self.crashes += u64::from(fate != Fate::Answered);
        *self.outcomes.entry(outcome.to_owned()).or_default() += 1;
    }

    fn told(&self) -> String {
        let transitions = self.transitions + self.fired + self.passed + self.given_up;
        let mut told = format!("{} states, {transitions} transitions, {} with a crash\n", self.states, self.crashes);
        told += &format!("timers fired {}, time passed {}, clients gave up {}\n", self.fired, self.passed, self.given_up);
        for (what, count) in self.by_phase.iter().map(|(what, count)| (format!("state {what}"), count)) {
            told += &format!("{what}: {count}\n");
        }
        self.outcomes.iter().for_each(|(what, count)| told += &format!("{what}: {count}\n"));
        told
    }
}
