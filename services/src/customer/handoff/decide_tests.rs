//! The rules as tables: what is asked at which second, and what comes of it.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use expect_test::{Expect, expect};
use passerelle_bus::keyed::{Decider, Decision, Replay};
use passerelle_proto::bus::v1::HandoffState;
use passerelle_proto::bus::v1::handoff_state::Phase;

use super::decide::waits_for;
use super::moments::moment;
use super::words::happening;
use super::{Command, Drawn, Handoff, Offer, Refusal, Right, context, view};

const RULES: Handoff = Handoff { lease: Duration::from_secs(300), code: Duration::from_secs(3_600) };

/// Runs a script, one line a command: `SECOND COMMAND [ARGUMENTS]`.
#[track_caller]
fn check(script: &str, expected: Expect) {
    expected.assert_eq(&run(&mut Replay::new(&RULES, "k"), script));
}

fn run(replay: &mut Replay<'_, Handoff>, script: &str) -> String {
    let mut told = String::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (second, asked) = line.split_once(' ').expect("SECOND COMMAND");
        let now = at(second.parse().expect("a second"));
        let outcome = match asked {
            "time passes" => replay.fire(now).expect("a timer that is due"),
            asked => replay.command(&command(asked), now),
        };
        told += &format!("{line}: {}\n", said(outcome, replay.state()));
    }
    told
}

fn command(line: &str) -> Command {
    let words: Vec<&str> = line.split(' ').collect();
    let number = |at: usize| words[at].parse().expect("a number");
    let channel = |at: usize| words.get(at).map_or_else(String::new, |channel| (*channel).to_owned());
    let answers =
        |at: usize| words.iter().skip(at).filter_map(|pair| pair.split_once('=')).map(|(q, a)| (q.to_owned(), a.to_owned()));
    match words[0] {
        "offer" => Command::Offer(Offer {
            customer: "4711".to_owned(),
            from_channel: "web".to_owned(),
            to_channel: channel(1),
            matter: "purchase".to_owned(),
            step: "basket".to_owned(),
            answers: BTreeMap::from([("size".to_owned(), "42".to_owned())]),
            time_to_live: Duration::from_secs(7_200),
            code: drawn("A"),
        }),
        "issue-code" => Command::IssueCode { channel: "web".to_owned(), code: drawn(words[1]) },
        "resume" => Command::Take { by: Right::Code(drawn(words[1]).hash), channel: channel(2), owner: "anna".to_owned() },
        "accept" => Command::Take { by: Right::Listed, channel: channel(1), owner: "anna".to_owned() },
        "renew" => Command::Renew { fence: number(1) },
        "progress" => {
            Command::Progress { fence: number(1), expected_revision: number(2), step: channel(3), answers: answers(4).collect() }
        }
        "give-back" => Command::GiveBack { fence: number(1) },
        "take-back" => Command::TakeBack { channel: channel(1) },
        "complete" => Command::Complete { fence: number(1), expected_revision: number(2) },
        other => panic!("{other} is no command"),
    }
}

fn drawn(name: &str) -> Drawn {
    Drawn { nonce: format!("nonce of {name}").into_bytes(), hash: format!("hash of {name}").into_bytes() }
}

fn said(outcome: Result<Decision<Handoff>, Refusal>, state: &HandoffState) -> String {
    let decision = match outcome {
        Err(refusal) => return format!("refused, {refusal}"),
        Ok(decision) => decision,
    };
    let where_it_stands = match &state.phase {
        Some(Phase::Owned(owned)) => format!("owned by {} with fence {}", owned.channel, state.fence),
        _ => format!("{:?}", view::status(state)).to_lowercase(),
    };
    let timers = decision.timers.iter().map(|timer| format!("; {} at {}", timer.name, seconds(timer.due)));
    let cleared = decision.cleared.iter().map(|name| format!("; no {name}"));
    format!("{where_it_stands}, {} r{}{}", state.step, state.revision, timers.chain(cleared).collect::<String>())
}

fn at(second: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(second)
}

fn seconds(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn a_matter_goes_from_the_web_to_the_branch_and_is_done_there() {
    check(
        "0 offer
         10 resume A branch
         20 renew 1
         30 progress 1 1 delivery address=here
         40 progress 1 2 payment
         50 complete 1 3",
        expect![[r#"
            0 offer: offered, basket r1; offer_ends at 7200
            10 resume A branch: owned by branch with fence 1, basket r1; lease_ends at 310; no offer_ends
            20 renew 1: owned by branch with fence 1, basket r1; lease_ends at 320
            30 progress 1 1 delivery address=here: owned by branch with fence 1, delivery r2; lease_ends at 330
            40 progress 1 2 payment: owned by branch with fence 1, payment r3; lease_ends at 340
            50 complete 1 3: completed, payment r3; no lease_ends
        "#]],
    );
}

#[test]
fn a_code_serves_once_and_not_for_ever() {
    check(
        "0 offer
         10 resume B branch
         20 issue-code B
         30 resume A branch
         40 resume B branch
         50 resume B shop
         60 give-back 1
         70 resume B branch
         80 issue-code C
         3680 resume C branch",
        expect![[r#"
            0 offer: offered, basket r1; offer_ends at 7200
            10 resume B branch: refused, the code was used or replaced; ask for a new one
            20 issue-code B: offered, basket r1
            30 resume A branch: refused, the code was used or replaced; ask for a new one
            40 resume B branch: owned by branch with fence 1, basket r1; lease_ends at 340; no offer_ends
            50 resume B shop: refused, the matter is owned by channel branch until 1970-01-01T00:05:40Z
            60 give-back 1: offered, basket r1; offer_ends at 7260; no lease_ends
            70 resume B branch: refused, the code was used or replaced; ask for a new one
            80 issue-code C: offered, basket r1
            3680 resume C branch: refused, the code is too old since 1970-01-01T01:01:20Z; ask for a new one
        "#]],
    );
}

#[test]
fn a_code_never_outlives_the_offer() {
    check(
        "0 offer
         7000 issue-code B
         7199 resume B web
         7200 give-back 1
         14399 issue-code C
         14400 resume C web
         14400 time passes",
        expect![[r#"
            0 offer: offered, basket r1; offer_ends at 7200
            7000 issue-code B: offered, basket r1
            7199 resume B web: owned by web with fence 1, basket r1; lease_ends at 7499; no offer_ends
            7200 give-back 1: offered, basket r1; offer_ends at 14400; no lease_ends
            14399 issue-code C: offered, basket r1
            14400 resume C web: refused, the hand-off has ended: it was not taken in time
            14400 time passes: expired, basket r1; no offer_ends
        "#]],
    );
}

#[test]
fn one_channel_may_be_meant_and_a_code_opens_it_elsewhere() {
    check(
        "0 offer branch
         1 accept web
         2 accept branch
         3 accept branch
         4 give-back 1
         5 issue-code B
         6 resume B web",
        expect![[r#"
            0 offer branch: offered, basket r1; offer_ends at 7200
            1 accept web: refused, the matter is offered to channel branch; others resume it by its code
            2 accept branch: owned by branch with fence 1, basket r1; lease_ends at 302; no offer_ends
            3 accept branch: refused, the matter is owned by channel branch until 1970-01-01T00:05:02Z
            4 give-back 1: offered, basket r1; offer_ends at 7204; no lease_ends
            5 issue-code B: offered, basket r1
            6 resume B web: owned by web with fence 2, basket r1; lease_ends at 306; no offer_ends
        "#]],
    );
}

#[test]
fn an_owner_who_is_silent_loses_the_matter_and_is_fenced_off() {
    check(
        "0 offer
         10 accept branch
         309 renew 1
         609 progress 1 1 delivery
         609 time passes
         620 renew 1
         630 accept shop
         640 progress 1 1 delivery
         641 complete 1 1
         642 give-back 1
         650 progress 2 1 payment",
        expect![[r#"
            0 offer: offered, basket r1; offer_ends at 7200
            10 accept branch: owned by branch with fence 1, basket r1; lease_ends at 310; no offer_ends
            309 renew 1: owned by branch with fence 1, basket r1; lease_ends at 609
            609 progress 1 1 delivery: refused, the lease of fence 1 has ended; nobody owns the matter until it is taken again
            609 time passes: offered, basket r1; offer_ends at 7809; no lease_ends
            620 renew 1: refused, the lease of fence 1 has ended; nobody owns the matter until it is taken again
            630 accept shop: owned by shop with fence 2, basket r1; lease_ends at 930; no offer_ends
            640 progress 1 1 delivery: refused, fence 1 does not own the matter: channel shop does until 1970-01-01T00:15:30Z
            641 complete 1 1: refused, fence 1 does not own the matter: channel shop does until 1970-01-01T00:15:30Z
            642 give-back 1: refused, fence 1 does not own the matter: channel shop does until 1970-01-01T00:15:30Z
            650 progress 2 1 payment: owned by shop with fence 2, payment r2; lease_ends at 950
        "#]],
    );
}

#[test]
fn time_has_passed_even_when_its_timer_is_late() {
    check(
        "0 offer
         10 accept branch
         400 accept shop
         10000 take-back web
         20000 accept shop",
        expect![[r#"
            0 offer: offered, basket r1; offer_ends at 7200
            10 accept branch: owned by branch with fence 1, basket r1; lease_ends at 310; no offer_ends
            400 accept shop: owned by shop with fence 2, basket r1; lease_ends at 700
            10000 take-back web: takenback, basket r1; no lease_ends
            20000 accept shop: refused, the hand-off has ended: it was taken back
        "#]],
    );
}

#[test]
fn a_timer_that_fires_early_is_set_again() {
    let mut replay = Replay::new(&RULES, "k");
    run(&mut replay, "100 offer");
    // The wall clock was set back between the timer's due time and its firing.
    let decision = replay.command(&RULES.due("offer_ends"), at(50)).unwrap();
    assert_eq!(decision.events, []);
    assert_eq!(decision.timers.iter().map(|timer| seconds(timer.due)).collect::<Vec<_>>(), [7_300]);
}

#[test]
fn whoever_offered_takes_it_back_while_nobody_owns_it() {
    check(
        "0 offer
         1 take-back shop
         2 accept shop
         3 take-back web
         4 progress 1 1 delivery address=here
         5 give-back 1
         6 take-back web
         7 take-back web
         8 accept shop
         9 issue-code B",
        expect![[r#"
            0 offer: offered, basket r1; offer_ends at 7200
            1 take-back shop: refused, the matter was offered by channel web, which alone can take it back
            2 accept shop: owned by shop with fence 1, basket r1; lease_ends at 302; no offer_ends
            3 take-back web: refused, the matter is owned by channel shop until 1970-01-01T00:05:02Z
            4 progress 1 1 delivery address=here: owned by shop with fence 1, delivery r2; lease_ends at 304
            5 give-back 1: offered, delivery r2; offer_ends at 7205; no lease_ends
            6 take-back web: takenback, delivery r2; no offer_ends
            7 take-back web: refused, the hand-off has ended: it was taken back
            8 accept shop: refused, the hand-off has ended: it was taken back
            9 issue-code B: refused, the hand-off has ended: it was taken back
        "#]],
    );
}

#[test]
fn what_was_done_meanwhile_must_have_been_seen() {
    check(
        "0 offer
         1 accept branch
         2 progress 1 2 delivery
         3 progress 1 1 delivery
         4 complete 1 1
         5 progress 1 1 payment
         6 complete 1 2",
        expect![[r#"
            0 offer: offered, basket r1; offer_ends at 7200
            1 accept branch: owned by branch with fence 1, basket r1; lease_ends at 301; no offer_ends
            2 progress 1 2 delivery: refused, the matter is at revision 1, not 2; read it and try again
            3 progress 1 1 delivery: owned by branch with fence 1, delivery r2; lease_ends at 303
            4 complete 1 1: refused, the matter is at revision 2, not 1; read it and try again
            5 progress 1 1 payment: refused, the matter is at revision 2, not 1; read it and try again
            6 complete 1 2: completed, delivery r2; no lease_ends
        "#]],
    );
}

#[test]
fn what_does_not_exist_refuses_everything() {
    check(
        "0 issue-code A
         1 resume A web
         2 accept web
         3 renew 1
         4 progress 1 1 x
         5 give-back 1
         6 take-back web
         7 complete 1 1
         8 offer
         9 offer",
        expect![[r#"
            0 issue-code A: refused, there is no such hand-off
            1 resume A web: refused, there is no such hand-off
            2 accept web: refused, there is no such hand-off
            3 renew 1: refused, there is no such hand-off
            4 progress 1 1 x: refused, there is no such hand-off
            5 give-back 1: refused, there is no such hand-off
            6 take-back web: refused, there is no such hand-off
            7 complete 1 1: refused, there is no such hand-off
            8 offer: offered, basket r1; offer_ends at 7208
            9 offer: refused, this offer was made before and its first answer is not kept any more; ask for a code of hand-off k
        "#]],
    );
}

#[test]
fn who_takes_a_matter_gets_all_answers_and_its_owner_is_not_sent_them_again() {
    let mut replay = Replay::new(&RULES, "k");
    let answers = |replay: &mut Replay<'_, Handoff>, second: u64, line: &str| {
        let answer = replay.command(&command(line), at(second)).unwrap().answer;
        assert_eq!(answer.history, []);
        answer.answers.into_iter().map(|(question, answer)| format!("{question}={answer}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(answers(&mut replay, 0, "offer"), "");
    assert_eq!(answers(&mut replay, 1, "resume A shop"), "size=42");
    assert_eq!(answers(&mut replay, 2, "progress 1 1 x size=43 colour=red"), "");
    assert_eq!(answers(&mut replay, 3, "give-back 1"), "");
    assert_eq!(answers(&mut replay, 4, "accept web"), "colour=red size=43");
    assert_eq!(answers(&mut replay, 5, "give-back 2"), "");
    assert_eq!(answers(&mut replay, 6, "take-back web"), "colour=red size=43");
}

#[test]
fn more_than_the_limit_is_not_remembered_of_a_matter() {
    let mut replay = Replay::new(&RULES, "k");
    run(&mut replay, "0 offer\n1 accept web");
    let many = (0..context::MOST_ANSWERS).map(|n| (n.to_string(), String::new())).collect();
    let large = (0..8).map(|n| (n.to_string(), "x".repeat(context::LONGEST_ANSWER))).collect();
    for (answers, expected) in [(many, "201 answers in 496 bytes"), (large, "9 answers in 32782 bytes")] {
        let progress = Command::Progress { fence: 1, expected_revision: 1, step: String::new(), answers };
        let refusal = replay.command(&progress, at(2)).unwrap_err();
        assert!(refusal.to_string().starts_with(&format!("the context would hold {expected}, ")), "{refusal}");
    }
}

#[test]
fn the_history_tells_what_happened_without_people_answers_and_codes() {
    let mut replay = Replay::new(&RULES, "k");
    run(
        &mut replay,
        "0 offer branch
         1 resume A shop
         2 renew 1
         3 progress 1 1 delivery address=here floor=3
         4 progress 1 2
         302 renew 1
         602 time passes
         604 issue-code B
         605 accept branch
         606 give-back 2
         607 take-back web",
    );
    let told: Vec<String> = replay.state().history.iter().map(happening).map(|told| told.words).collect();
    expect![[r#"
        offered by channel web to channel branch at step basket
        resumed by its code in channel shop, owned until 1970-01-01T00:05:01Z
        step delivery reached; answered: address, floor
        progress within the step
        the owner's lease ran out; offered again
        channel web asked for a new code
        accepted from the list in channel branch, owned until 1970-01-01T00:15:05Z
        given back by its owner; offered again
        taken back by the channel that offered it"#]]
    .assert_eq(&told.join("\n"));
    let kept = format!("{:?}", replay.state().history);
    assert!(["4711", "42", "here", "nonce", "hash"].iter().all(|secret| !kept.contains(secret)), "{kept}");
}

#[test]
fn the_history_keeps_the_offer_and_the_last_49_things() {
    let mut replay = Replay::new(&RULES, "k");
    run(&mut replay, "0 offer\n1 accept web");
    for revision in 1..100 {
        run(&mut replay, &format!("{} progress 1 {revision} step-{revision}", revision + 1));
    }
    let told: Vec<String> = replay.state().history.iter().map(happening).map(|told| told.words).collect();
    assert_eq!(told.len(), 50);
    assert!(told[0].starts_with("offered by") && told[1].contains("step-51") && told[49].contains("step-99"), "{told:?}");
}

#[test]
fn every_state_but_the_last_has_one_timer() {
    let mut replay = Replay::new(&RULES, "k");
    assert_eq!(waits_for(replay.state()), None);
    for line in ["0 offer", "1 accept web", "2 renew 1", "3 progress 1 1 x", "4 give-back 1", "5 issue-code B", "6 accept shop"] {
        run(&mut replay, line);
        let timer = replay.next_timer().expect("a timer");
        assert_eq!(waits_for(replay.state()).map(|(name, due)| (name.to_owned(), due)), Some((timer.name, timer.due)), "{line}");
    }
    run(&mut replay, "7 complete 2 2");
    assert!(replay.next_timer().is_none());
    assert_eq!(moment(replay.state().changed_at), at(7));
}
