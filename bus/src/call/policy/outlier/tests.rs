//! Ejection as data: the calls of each interval in, who is out afterwards; and what holds for any calls.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

/// An endpoint whose intervals are played.
struct Played {
    settings: OutlierSettings,
    tracks: Vec<Track>,
    start: Instant,
    interval: u32,
    chance: u32,
}

impl Played {
    fn new(settings: OutlierSettings, addresses: usize) -> Self {
        let tracks = (0..addresses).map(|_| Track::default()).collect();
        Self { settings, tracks, start: Instant::now(), interval: 0, chance: 0 }
    }

    /// One interval with these calls (good, bad) to each address.
    fn interval(&mut self, calls: &[(u64, u64)]) -> String {
        self.interval += 1;
        for (track, (good, bad)) in self.tracks.iter().zip(calls) {
            (0..*good).for_each(|_| track.ended(Code::Ok));
            (0..*bad).for_each(|_| track.ended(Code::Unavailable));
        }
        let now = self.start + self.settings.interval * self.interval;
        let mut addresses: Vec<Address> = self.tracks.iter().map(Track::take).collect();
        let chance = self.chance;
        let changes = sweep(&self.settings, now, &mut addresses, &mut || chance);
        self.tracks.iter().zip(&addresses).for_each(|(track, address)| track.put(address));
        let mut text = format!("{} s", (now - self.start).as_secs());
        for (index, change) in changes {
            match change {
                Change::Ejected(Ejection { calls, until }) => {
                    write!(text, " {index} ejected: {}/{} for {} s;", calls.bad, calls.good + calls.bad, (until - now).as_secs())
                }
                Change::Returned => write!(text, " {index} returned;"),
            }
            .unwrap();
        }
        text + "\n"
    }

    fn ejected(&self) -> usize {
        self.tracks.iter().filter(|track| track.is_ejected()).count()
    }
}

fn check(settings: OutlierSettings, intervals: &[&[(u64, u64)]], expected: Expect) {
    let mut played = Played::new(settings, intervals[0].len());
    expected.assert_eq(&intervals.iter().map(|calls| played.interval(calls)).collect::<String>());
}

/// Only the success rate, or only the failure percentage, with A50's own defaults.
fn of_grpc(rate: bool) -> OutlierSettings {
    let mut settings = OutlierSettings::default();
    settings.failure_percentage = FailurePercentage { minimum_hosts: 5, request_volume: 50, ..settings.failure_percentage };
    if rate {
        settings.failure_percentage.enforcement_percentage = 0;
    } else {
        settings.success_rate.enforcement_percentage = 0;
    }
    settings
}

const WELL: (u64, u64) = (100, 0);
const ILL: (u64, u64) = (0, 100);

#[test]
fn a_success_rate_far_below_the_mean_is_ejected_and_one_that_is_near_it_is_not() {
    // Mean 0.8, deviation 0.4: below 0.04 is out.
    check(
        of_grpc(true),
        &[&[WELL, WELL, WELL, WELL, ILL]],
        expect![[r#"
         10 s 4 ejected: 100/100 for 30 s;
    "#]],
    );
    // Mean 0.98, deviation 0.04: below 0.904 is out.
    check(
        of_grpc(true),
        &[&[WELL, WELL, WELL, WELL, (90, 10)]],
        expect![[r#"
         10 s 4 ejected: 10/100 for 30 s;
    "#]],
    );
    // Mean 0.94, deviation 0.049: all are within 1.9 of it.
    check(
        of_grpc(true),
        &[&[WELL, WELL, (90, 10), (90, 10), (90, 10)]],
        expect![[r#"
         10 s
    "#]],
    );
    // All alike: nobody stands out, however ill.
    check(
        of_grpc(true),
        &[&[ILL, ILL, ILL, ILL, ILL]],
        expect![[r#"
         10 s
    "#]],
    );
}

#[test]
fn too_few_addresses_or_calls_say_nothing() {
    check(
        of_grpc(true),
        &[&[WELL, WELL, WELL, ILL], &[WELL, WELL, WELL, ILL]],
        expect![[r#"
         10 s
         20 s
    "#]],
    );
    check(
        of_grpc(true),
        &[&[WELL, WELL, WELL, WELL, (0, 99)], &[WELL, WELL, WELL, (99, 0), ILL]],
        expect![[r#"
         10 s
         20 s
    "#]],
    );
    check(
        of_grpc(false),
        &[&[WELL, WELL, WELL, ILL], &[WELL, WELL, WELL, (0, 50)]],
        expect![[r#"
         10 s
         20 s
    "#]],
    );
    check(
        of_grpc(false),
        &[&[WELL, WELL, WELL, WELL, (0, 49)], &[WELL, WELL, WELL, WELL, (0, 50)]],
        expect![[r#"
         10 s
         20 s 4 ejected: 50/50 for 30 s;
    "#]],
    );
}

#[test]
fn a_failure_percentage_over_the_threshold_is_ejected_even_of_two_addresses() {
    let ours = OutlierSettings::default();
    check(
        ours,
        &[&[WELL, (3, 17)], &[WELL, (2, 18)]],
        expect![[r#"
         10 s
         20 s 1 ejected: 18/20 for 30 s;
    "#]],
    );
}

#[test]
fn each_ejection_is_longer_up_to_the_longest_and_good_intervals_make_it_shorter_again() {
    let settings = OutlierSettings { max_ejection_time: Duration::from_secs(50), ..OutlierSettings::default() };
    let (ill, idle, well): (&[_], &[_], &[_]) = (&[WELL, ILL], &[WELL, (0, 0)], &[WELL, WELL]);
    let script =
        [ill, idle, idle, idle, ill, idle, idle, idle, idle, idle, ill, idle, idle, idle, idle, idle, well, well, well, ill];
    check(
        settings,
        &script,
        expect![[r#"
        10 s 1 ejected: 100/100 for 30 s;
        20 s
        30 s
        40 s 1 returned;
        50 s 1 ejected: 100/100 for 50 s;
        60 s
        70 s
        80 s
        90 s
        100 s 1 returned;
        110 s 1 ejected: 100/100 for 50 s;
        120 s
        130 s
        140 s
        150 s
        160 s 1 returned;
        170 s
        180 s
        190 s
        200 s 1 ejected: 100/100 for 30 s;
    "#]],
    );
}

#[test]
fn no_more_are_ejected_than_may_be_and_one_always_may() {
    let ill = [ILL; 10];
    let most = |max_ejection_percent| {
        let mut played = Played::new(OutlierSettings { max_ejection_percent, ..OutlierSettings::default() }, 10);
        (0..2).for_each(|_| drop(played.interval(&ill)));
        played.ejected()
    };
    assert_eq!([0, 10, 19, 20, 50, 100].map(most), [1, 1, 1, 2, 5, 10]);
}

#[test]
fn what_is_not_enforced_ejects_nobody_and_half_enforced_by_chance() {
    let mut settings = OutlierSettings::default();
    settings.failure_percentage.enforcement_percentage = 50;
    let calls = [WELL, ILL];
    for (chance, ejected) in [(0, 1), (49, 1), (50, 0), (99, 0)] {
        let mut played = Played { chance, ..Played::new(settings.clone(), 2) };
        played.interval(&calls);
        assert_eq!(played.ejected(), ejected, "{chance}");
    }
    settings.failure_percentage.enforcement_percentage = 0;
    assert!(settings.is_on(), "the success rate is left");
    settings.success_rate.enforcement_percentage = 0;
    assert!(!settings.is_on());
}

#[test]
fn what_a_call_ended_with_says_something_about_its_address_or_not() {
    let counted = |code: i32| {
        let track = Track::default();
        track.ended(Code::from(code));
        let Calls { good, bad } = track.take().calls;
        (good, bad)
    };
    let bad: Vec<i32> = (0..=16).filter(|code| counted(*code) == (0, 1)).collect();
    let silent: Vec<i32> = (0..=16).filter(|code| counted(*code) == (0, 0)).collect();
    assert_eq!((bad, silent), (vec![2, 4, 13, 14, 15], vec![1, 8]));
}

#[test]
fn one_of_several_is_to_blame_when_others_do_well() {
    let blamed = |calls: &[(u64, u64)]| {
        let mut addresses: Vec<Address> = Vec::new();
        for (good, bad) in calls {
            addresses.push(Address { calls: Calls { good: *good, bad: *bad }, standing: Standing::default() });
        }
        let changes = blame(&OutlierSettings::default(), Instant::now(), &mut addresses, &mut || 0);
        changes.into_iter().map(|(index, _)| index).collect::<Vec<_>>()
    };
    assert_eq!(blamed(&[(10, 0), (0, 10)]), [1]);
    assert_eq!(blamed(&[(1, 0), (0, 5)]), [1]);
    assert_eq!(blamed(&[(0, 5), (10, 2), (0, 10)]), [0], "one may always be ejected, of three no second one");
    for nobody in [&[(0, 10)][..], &[(0, 10), (0, 10)], &[(0, 10), (5, 5)], &[(10, 0), (0, 4)], &[(10, 0), (5, 15)], &[]] {
        assert!(blamed(nobody).is_empty(), "{nobody:?}");
    }
}

#[test]
fn who_is_ejected_already_is_to_blame_while_the_others_do_well() {
    let ejection = Ejection { calls: Calls { good: 0, bad: 9 }, until: Instant::now() };
    let known = |calls: &[(bool, u64, u64)]| {
        let address = |&(is_ejected, good, bad): &(bool, u64, u64)| Address {
            calls: Calls { good, bad },
            standing: Standing { ejection: is_ejected.then_some(ejection), ..Standing::default() },
        };
        is_blamed(&calls.iter().map(address).collect::<Vec<_>>())
    };
    assert!(known(&[(true, 0, 9), (false, 5, 0)]));
    assert!(known(&[(true, 0, 0), (false, 5, 4), (false, 1, 0)]));
    for nobody in [
        &[(false, 0, 9), (false, 9, 0)][..],
        &[(true, 0, 9), (false, 2, 2)],
        &[(true, 0, 9)],
        &[(true, 0, 9), (false, 9, 0), (false, 0, 20)],
        &[],
    ] {
        assert!(!known(nobody), "{nobody:?}");
    }
}

proptest! {
    #[test]
    fn the_limit_holds_and_all_return_when_they_are_well(
        percent in 0..=100_u32,
        script in prop::collection::vec(prop::collection::vec((0..200_u64, 0..200_u64), 7), 1..40),
    ) {
        let mut played = Played::new(OutlierSettings { max_ejection_percent: percent, ..OutlierSettings::default() }, 7);
        for calls in &script {
            played.interval(calls);
            prop_assert!(played.ejected() <= 1.max(7 * percent as usize / 100));
        }
        // The longest ejection takes thirty intervals.
        (0..31).for_each(|_| drop(played.interval(&[WELL; 7])));
        prop_assert_eq!(played.ejected(), 0);
    }
}
