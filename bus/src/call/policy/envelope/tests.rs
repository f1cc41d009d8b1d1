//! The envelope under stopped time: who gets in, in which order, and that nobody is forgotten.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tokio::task::JoinSet;

use super::*;
use crate::calendar::{Calendar, Hours, Week, ZoneName};
use crate::keyed::clock::Manual;

fn settings(concurrency: u32, rate: Option<Rate>) -> EnvelopeSettings {
    EnvelopeSettings { limits: Limits { concurrency, rate }, queue_calls: 4, ..EnvelopeSettings::default() }
}

fn envelope(settings: &EnvelopeSettings) -> Arc<Envelope> {
    Arc::new(Envelope::new("accounts", settings, Arc::new(Manual::at_seconds(0))))
}

fn wanted(value: u8, deadline: Option<u64>) -> Wanted {
    let deadline = deadline.map(|millis| now() + Duration::from_millis(millis));
    Wanted { cost: 1, value, deadline, duration: Duration::ZERO }
}

fn ticket(entered: Entered) -> Ticket {
    match entered {
        Entered::Later(ticket) => ticket,
        other => panic!("{other:?}"),
    }
}

fn refused(entered: Entered) -> (Reason, Option<u128>) {
    match entered {
        Entered::Never(shed) => (shed.reason, shed.come_back.map(|wait| wait.as_millis())),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_free_place_is_taken_at_once_and_a_freed_one_goes_to_the_most_valued() {
    let envelope = envelope(&settings(2, None));
    assert!(envelope.try_enter(now(), 1) && envelope.try_enter(now(), 1));
    assert!(!envelope.try_enter(now(), 1));
    let mut turns = JoinSet::new();
    for (name, value) in [("usual", 5), ("premium", 9), ("also premium", 9)] {
        let ticket = ticket(envelope.enter(now(), wanted(value, None)));
        turns.spawn(async move { (name, ticket.turn().await) });
    }
    for expected in ["premium", "also premium", "usual"] {
        envelope.left(1, false);
        let (name, turn) = turns.join_next().await.unwrap().unwrap();
        assert_eq!((name, turn), (expected, Ok(())));
        assert_eq!(envelope.status().taken, 2);
    }
    envelope.left(1, false);
    assert!(envelope.try_enter(now(), 1), "the atomic way is open again");
}

#[tokio::test(start_paused = true)]
async fn who_comes_while_others_wait_does_not_overtake_them() {
    let envelope = envelope(&settings(2, None));
    assert!(envelope.try_enter(now(), 2));
    let large = ticket(envelope.enter(now(), Wanted { cost: 2, ..wanted(5, None) }));
    envelope.left(1, false);
    assert!(!envelope.try_enter(now(), 1), "one place is free, and the first in the line waits for two");
    let small = ticket(envelope.enter(now(), wanted(5, None)));
    drop(large);
    assert_eq!(small.turn().await, Ok(()), "who leaves the line makes way");
    assert_eq!(envelope.status().taken, 2);
}

#[tokio::test(start_paused = true)]
async fn a_full_line_turns_away_who_is_worth_no_more_and_the_least_valued_for_a_better_one() {
    let envelope = envelope(&settings(1, None));
    assert!(envelope.try_enter(now(), 1));
    let waiting: Vec<Ticket> = (0..4).map(|_| ticket(envelope.enter(now(), wanted(5, None)))).collect();
    assert_eq!(refused(envelope.enter(now(), wanted(5, None))).0, Reason::QueueFull);
    let premium = ticket(envelope.enter(now(), wanted(6, None)));
    let last = waiting.into_iter().next_back().unwrap();
    assert_eq!(last.turn().await.map_err(|shed| shed.reason), Err(Reason::Displaced));
    envelope.left(1, false);
    assert_eq!(premium.turn().await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_would_miss_its_deadline_is_turned_away_at_once() {
    let envelope = envelope(&settings(2, None));
    envelope.pace.took(Duration::from_millis(100));
    assert!(envelope.try_enter(now(), 1) && envelope.try_enter(now(), 1));
    let hurried = Wanted { duration: Duration::from_millis(100), ..wanted(5, Some(140)) };
    assert_eq!(refused(envelope.enter(now(), hurried)), (Reason::DeadlineTooNear, Some(50)));
    let easy = Wanted { duration: Duration::from_millis(100), ..wanted(5, Some(160)) };
    let before = now();
    let turn = ticket(envelope.enter(now(), easy)).turn().await;
    assert_eq!(turn.map_err(|shed| shed.reason), Err(Reason::DeadlineTooNear), "no place became free in time");
    assert_eq!((now() - before).as_millis(), 60, "and no use waiting longer");
    assert_eq!(envelope.status().waiting, 0);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_calls_may() {
    let patience = EnvelopeSettings { queue_wait: Duration::from_millis(300), ..settings(1, None) };
    let envelope = envelope(&patience);
    assert!(envelope.try_enter(now(), 1));
    let before = now();
    let turn = ticket(envelope.enter(now(), wanted(5, None))).turn().await;
    assert_eq!(turn.map_err(|shed| shed.reason), Err(Reason::WaitTooLong));
    assert_eq!((now() - before).as_millis(), 300);
    envelope.pace.took(Duration::from_millis(400));
    assert_eq!(refused(envelope.enter(now(), wanted(5, None))), (Reason::WaitTooLong, Some(400)));
}

#[tokio::test(start_paused = true)]
async fn tokens_come_one_by_one_to_those_who_wait() {
    let envelope = envelope(&settings(100, Some(Rate { per_second: 10.0, burst: 2 })));
    assert!(envelope.try_enter(now(), 1) && envelope.try_enter(now(), 1) && !envelope.try_enter(now(), 1));
    let start = now();
    let mut turns = JoinSet::new();
    for (name, value) in [("first", 5), ("second", 5), ("premium", 9)] {
        let ticket = ticket(envelope.enter(now(), wanted(value, None)));
        turns.spawn(async move { ticket.turn().await.map(|()| (name, (now() - start).as_millis())) });
    }
    assert_eq!(refused(envelope.enter(now(), wanted(5, Some(200)))), (Reason::DeadlineTooNear, Some(400)));
    let mut served = Vec::new();
    while let Some(turn) = turns.join_next().await {
        served.push(turn.unwrap().unwrap());
    }
    let (names, at): (Vec<_>, Vec<_>) = served.into_iter().unzip();
    assert_eq!(names, ["premium", "first", "second"]);
    for (at, expected) in at.into_iter().zip([100, 200, 300]) {
        assert!((expected..expected + 3).contains(&at), "{at} ms");
    }
    assert_eq!(envelope.status().taken, 5);
}

#[tokio::test(start_paused = true)]
async fn who_needs_fewer_tokens_does_not_wait_for_those_of_the_one_before() {
    let envelope = envelope(&settings(100, Some(Rate { per_second: 10.0, burst: 8 })));
    assert!(envelope.try_enter(now(), 8));
    let start = now();
    let costly = ticket(envelope.enter(now(), Wanted { cost: 8, ..wanted(5, None) }));
    let premium = ticket(envelope.enter(now(), wanted(9, None)));
    assert_eq!(premium.turn().await, Ok(()));
    let waited = (now() - start).as_millis();
    assert!((100..103).contains(&waited), "{waited} ms");
    let cheap = ticket(envelope.enter(now(), wanted(5, None)));
    drop(costly);
    assert_eq!(cheap.turn().await, Ok(()));
    let waited = (now() - start).as_millis();
    assert!((200..203).contains(&waited), "{waited} ms");
}

#[tokio::test(start_paused = true)]
async fn what_the_back_office_never_saw_costs_no_token() {
    let envelope = envelope(&settings(1, Some(Rate { per_second: 0.01, burst: 1 })));
    assert!(envelope.try_enter(now(), 1) && !envelope.try_enter(now(), 1));
    envelope.unused(1);
    assert!(envelope.try_enter(now(), 1));
}

#[tokio::test(start_paused = true)]
async fn the_place_of_a_call_that_was_broken_off_stays_taken_for_a_while() {
    let slow_to_hear = EnvelopeSettings { abandoned: Duration::from_millis(200), ..settings(1, None) };
    let envelope = envelope(&slow_to_hear);
    assert!(envelope.try_enter(now(), 1));
    let before = now();
    envelope.left(1, true);
    assert_eq!(ticket(envelope.enter(now(), wanted(5, None))).turn().await, Ok(()));
    assert_eq!((now() - before).as_millis(), 200);
}

#[tokio::test(start_paused = true)]
async fn it_is_closed_outside_its_hours_and_says_when_it_opens() {
    let hours = vec![Hours::try_from("09:00-17:00".to_owned()).unwrap()];
    // 1970 began on a Thursday.
    let week = Week { thursday: hours.clone(), friday: hours, ..Week::default() };
    let calendar = Calendar::new(&ZoneName::try_from("UTC".to_owned()).unwrap(), week, &[], 1);
    let clock = Arc::new(Manual::at_seconds(16 * 3600));
    let settings = EnvelopeSettings { hours: Some(calendar), ..settings(1, None) };
    let envelope = Arc::new(Envelope::new("accounts", &settings, clock.clone()));
    assert!(envelope.try_enter(now(), 1));
    let waiting = ticket(envelope.enter(now(), wanted(5, None)));
    clock.advance(Duration::from_secs(3600));
    tokio::time::advance(LOOK_AGAIN).await;
    assert!(!envelope.try_enter(now(), 1));
    let until_morning = Some(16 * 3600 * 1000);
    assert_eq!(refused(envelope.enter(now(), wanted(9, None))), (Reason::Closed, until_morning));
    assert_eq!(waiting.turn().await.map_err(|shed| shed.reason), Err(Reason::Closed), "who waits hears it too");
    let status = envelope.status();
    assert_eq!((status.places, status.taken, status.opens), (0, 1, Some(moment((24 + 9) * 3600))));
    envelope.left(1, false);
    clock.advance(Duration::from_secs(16 * 3600));
    tokio::time::advance(LOOK_AGAIN).await;
    assert!(envelope.try_enter(now(), 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Calls of all sorts come, stay, give up and go away: never is more taken than there is, and each one gets an answer.
    #[test]
    fn the_envelope_holds_and_nobody_is_forgotten(
        places in 1_u32..5,
        rate in prop::option::of((1.0_f64..200.0, 1_u32..5)),
        calls in prop::collection::vec((0_u64..40, 1_u32..4, 0_u8..10, prop::option::of(1_u64..400), 0_u64..60, any::<bool>()), 1..80),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let settings = settings(places, rate.map(|(per_second, burst)| Rate { per_second, burst }));
            let envelope = envelope(&settings);
            let mut tasks = JoinSet::new();
            for (pause, cost, value, deadline, stay, goes_away) in calls {
                tokio::time::sleep(Duration::from_millis(pause)).await;
                let envelope = envelope.clone();
                tasks.spawn(async move {
                    let wanted = Wanted { cost, ..wanted(value, deadline) };
                    if !envelope.try_enter(now(), cost) {
                        match envelope.enter(now(), wanted) {
                            Entered::Now => {}
                            Entered::Never(_) => return "turned away",
                            Entered::Later(ticket) => {
                                let patience = if goes_away { Duration::from_millis(stay) } else { Duration::from_secs(60) };
                                match tokio::time::timeout(patience, ticket.turn()).await {
                                    Ok(Ok(())) => {}
                                    Ok(Err(_)) => return "turned away",
                                    Err(_) => return "gone",
                                }
                            }
                        }
                    }
                    // One that needs more than there is gets in alone.
                    assert!(envelope.status().taken <= (places as usize).max(cost as usize), "{:?}", envelope.status());
                    tokio::time::sleep(Duration::from_millis(stay)).await;
                    let took = Duration::from_millis(stay);
                    envelope.pace.took(took);
                    envelope.left(cost, false);
                    "served"
                });
            }
            let mut outcomes = BTreeMap::new();
            while let Some(outcome) = tasks.join_next().await {
                *outcomes.entry(outcome.unwrap()).or_insert(0) += 1;
            }
            let status = envelope.status();
            assert_eq!((status.taken, status.waiting), (0, 0), "{outcomes:?}");
            assert!(!envelope.waiting.load(Ordering::SeqCst), "{outcomes:?}");
        });
    }
}
