//! Breakers as data: outcomes in, states out; and what holds for any outcomes.

use std::fmt::Write as _;

use expect_test::expect;
use proptest::prelude::*;

use super::*;

fn settings() -> BreakerSettings {
    BreakerSettings {
        share: 0.5,
        calls: 4,
        within: Duration::from_secs(10),
        open: Duration::from_secs(1),
        longest_open: Duration::from_secs(3),
        probes: 2,
    }
}

/// Plays a script: `g`, `b` and `s` are a call that is let through and ends well, badly or silently, `.` is half a second.
fn play(script: &str) -> String {
    let start = Instant::now();
    let (breaker, mut now, mut text) = (Breaker::new("accounts", settings(), start), start, String::new());
    for step in script.chars() {
        let verdict = match step {
            'g' => Verdict::Good,
            'b' => Verdict::Bad,
            's' => Verdict::Silent,
            _ => {
                now += Duration::from_millis(500);
                continue;
            }
        };
        let looked = breaker.look(now);
        match breaker.admit(now) {
            Ok(is_probe) => {
                assert_eq!(looked, Ok(()));
                breaker.ended(now, verdict, is_probe);
                let sort = if is_probe { "probe" } else { "call" };
                write!(text, "{sort} {verdict:?} ").unwrap();
            }
            Err(shed) => write!(text, "refused for {} ms ", shed.come_back.unwrap().as_millis()).unwrap(),
        }
        writeln!(text, "→ {:?}", breaker.status(now)).unwrap();
    }
    text
}

#[test]
fn it_opens_when_half_of_enough_calls_fail_and_stays_open_longer_each_time() {
    expect![[r#"
        call Good → Closed
        call Bad → Closed
        call Good → Closed
        call Bad → Open(1s)
        refused for 1000 ms → Open(1s)
        probe Bad → Open(2s)
        refused for 1000 ms → Open(1s)
        probe Bad → Open(3s)
        refused for 1000 ms → Open(1s)
    "#]]
    .assert_eq(&play("gbgbg..b..b...b....b"));
}

#[test]
fn it_closes_when_probes_go_well_and_a_silent_one_says_nothing() {
    expect![[r#"
        call Bad → Closed
        call Bad → Closed
        call Bad → Closed
        call Bad → Open(1s)
        refused for 500 ms → Open(500ms)
        probe Good → HalfOpen
        probe Silent → HalfOpen
        probe Good → Closed
        call Bad → Closed
        call Bad → Closed
        call Bad → Closed
        call Bad → Open(1s)
    "#]]
    .assert_eq(&play("bbbb.g.gsgbbbb"));
}

#[test]
fn a_few_failures_among_many_calls_and_old_ones_do_not_open_it() {
    let many: String = "gggggb".repeat(50);
    assert!(!play(&many).contains("Open"));
    let old = format!("bbb{}b", ".".repeat(40));
    assert!(!play(&old).contains("Open"));
    let long_well = format!("{}{}bbbb", "g".repeat(1000), ".".repeat(40));
    assert!(play(&long_well).contains("Open"), "what was well long ago does not hide what fails now");
}

#[test]
fn only_as_many_probes_as_declared_are_out_at_a_time() {
    let now = Instant::now();
    let breaker = Breaker::new("accounts", settings(), now);
    (0..4).for_each(|_| breaker.ended(now, Verdict::Bad, breaker.admit(now).unwrap()));
    let later = now + Duration::from_secs(2);
    assert_eq!([0; 3].map(|_| breaker.admit(later).is_ok()), [true, true, false]);
    assert!(breaker.look(later).is_err(), "who has no chance is turned away before it takes anything");
    breaker.ended(later, Verdict::Silent, true);
    assert_eq!(breaker.admit(later), Ok(true));
    // A call from before it opened says nothing about now.
    breaker.ended(later, Verdict::Bad, false);
    assert_eq!(breaker.status(later), BreakerStatus::HalfOpen);
}

#[test]
fn it_stays_closed_or_closes_when_single_servers_are_to_blame() {
    let now = Instant::now();
    let blamed = std::sync::Arc::new(AtomicBool::new(true));
    let asked = blamed.clone();
    let blame: Blame = Box::new(move |_| asked.swap(false, Ordering::Relaxed));
    let breaker = Breaker::new("accounts", settings(), now).blaming(Some(blame));
    let fail = |calls: usize| (0..calls).for_each(|_| breaker.ended(now, Verdict::Bad, false));
    fail(4);
    assert_eq!(breaker.status(now), BreakerStatus::Closed, "one server was ejected in its place");
    fail(4);
    assert_eq!(breaker.status(now), BreakerStatus::Open(Duration::from_secs(1)), "it did not help");
    let later = now + Duration::from_secs(1);
    blamed.store(true, Ordering::Relaxed);
    breaker.ended(later, Verdict::Bad, breaker.admit(later).unwrap());
    assert_eq!((breaker.status(later), breaker.is_closed()), (BreakerStatus::Closed, true));
}

proptest! {
    #[test]
    fn it_never_opens_on_success_and_never_stays_open_for_good(script in "[gbs.]{0,200}") {
        prop_assert!(!play(&script.replace('b', "g")).contains("Open"));
        let healed = play(&format!("{script}............gg"));
        prop_assert!(healed.ends_with("→ Closed\n") , "{}", healed);
    }
}
