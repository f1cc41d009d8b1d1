//! The rules as tables: what each step changes, and which timers stand after it.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use expect_test::{Expect, expect};
use passerelle_bus::keyed::{Decision, Replay};
use passerelle_proto::bus::v1::CallbackRequested;
use passerelle_proto::bus::v1::callback_attempt_ended::Outcome;
use passerelle_proto::bus::v1::callback_event::What;

use super::{CallbackRules, Command, Lines, SlotCommand, SlotRules, lines as open, moment, slot_key, unix_seconds};
use crate::customer::callback::line::CallbackSettings;
use crate::customer::callback::words;

/// Monday the 23rd of November 2026, nine o'clock UTC.
pub(in super::super) const NINE: i64 = 1_795_424_400;

/// One line, `sales`, open from nine to noon on working days, slots of half an hour.
pub(in super::super) fn lines(capacity: u32, searches: u32) -> Lines {
    let week: BTreeMap<&str, Vec<&str>> =
        ["monday", "tuesday", "wednesday", "thursday", "friday"].into_iter().map(|day| (day, vec!["09:00-12:00"])).collect();
    let line = serde_json::json!({
        "desk": "advisers", "time_zone": "UTC", "open": week, "slot_seconds": 1800, "capacity": capacity,
        "attempts": 2, "searches": searches, "retry_seconds": 600,
    });
    let settings: CallbackSettings = serde_json::from_value(serde_json::json!({ "lines": { "sales": line } })).expect("settings");
    open(&settings)
}

/// A step as a script has it: a time of day or `+SECONDS`, then the command.
fn step(replay: &mut Replay<'_, CallbackRules>, now: &mut SystemTime, line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let slot = |text: &str| time(text);
    let attempt = |text: &str| text.parse().expect("a number");
    let command = match words.as_slice() {
        ["wait", seconds] => {
            *now += Duration::from_secs(seconds.parse().expect("seconds"));
            return String::new();
        }
        ["timer"] => {
            let due = replay.next_timer().expect("a timer").due;
            *now = due.max(*now);
            return told(replay.fire(*now).expect("it is due"));
        }
        ["request", start] => {
            Command::Request { wish: Box::new(CallbackRequested { slot: slot(start), ..wish() }), slot: slot(start) }
        }
        ["request-asap", start] => Command::Request { wish: Box::new(wish()), slot: slot(start) },
        ["reschedule", start] => Command::Reschedule { slot: slot(start), or_later: false },
        ["cancel"] => Command::Cancel,
        ["held", start] => Command::Held(slot(start)),
        ["full", start] => Command::Full { slot: slot(start), next: None },
        ["full", start, next] => Command::Full { slot: slot(start), next: Some(slot(next)) },
        ["released", start] => Command::Released(slot(start)),
        ["accept", number, adviser] => Command::Accept { attempt: attempt(number), adviser: (*adviser).to_owned() },
        ["no-adviser", number] => {
            Command::Unanswered { attempt: attempt(number), outcome: Outcome::NoAdviser, note: "nobody".to_owned() }
        }
        ["interrupted", number] => {
            Command::Unanswered { attempt: attempt(number), outcome: Outcome::Interrupted, note: String::new() }
        }
        ["report", number, outcome] => {
            let outcome = match *outcome {
                "reached" => Outcome::Reached,
                "busy" => Outcome::Busy,
                _ => Outcome::NoAnswer,
            };
            Command::Report { attempt: attempt(number), outcome, note: String::new() }
        }
        other => panic!("{other:?}"),
    };
    told(replay.command(&command, *now))
}

fn wish() -> CallbackRequested {
    CallbackRequested {
        line: "sales".to_owned(),
        customer: "ada".to_owned(),
        telephone: "+33123456789".to_owned(),
        ..CallbackRequested::default()
    }
}

/// `09:30`, or with days in front `1d09:30`.
fn time(text: &str) -> i64 {
    let (days, clock) = text.split_once('d').map_or((0, text), |(days, clock)| (days.parse().expect("days"), clock));
    let (hours, minutes) = clock.split_once(':').expect("a time");
    let number = |text: &str| text.parse::<i64>().expect("a number");
    NINE + days * 86_400 + (number(hours) - 9) * 3600 + number(minutes) * 60
}

fn clock(at: SystemTime) -> String {
    let since = unix_seconds(at) - NINE + 9 * 3600;
    let (days, second) = (since.div_euclid(86_400), since.rem_euclid(86_400));
    let days = if days == 0 { String::new() } else { format!("{days}d") };
    format!("{days}{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

fn told(decided: Result<Decision<CallbackRules>, super::Refusal>) -> String {
    let decided = match decided {
        Err(refusal) => return format!("  refused: {refusal}\n"),
        Ok(decided) if decided.events.is_empty() => return "  nothing\n".to_owned(),
        Ok(decided) => decided,
    };
    let at = |slot: i64| clock(moment(slot));
    let event = |what: &What| match what {
        What::Requested(_) => "requested".to_owned(),
        What::Sought(sought) => format!("sought {} {:?}", at(sought.slot), sought.why()),
        What::SoughtInVain(vain) => format!("in vain {}", at(vain.slot)),
        What::Promised(promised) => format!("promised {}", at(promised.call_at.map_or(0, |at| at.seconds))),
        What::Released(released) => format!("released {}", at(released.slot)),
        What::Settling(settling) => format!("settling {}", settling.turn),
        What::Calling(calling) => format!("calling {}", calling.attempt),
        What::Accepted(accepted) => format!("accepted by {}", accepted.adviser),
        What::AttemptEnded(ended) => format!("attempt {} {:?}", ended.attempt, ended.outcome()),
        What::Retried(retried) => format!("again at {}", at(retried.call_at.map_or(0, |at| at.seconds))),
        What::Ended(ended) => format!("ended {:?}", ended.ending()),
    };
    let mut words: Vec<String> = decided.events.iter().filter_map(|e| e.what.as_ref()).map(event).collect();
    words.extend(decided.timers.iter().map(|timer| format!("[{} {}]", timer.name, clock(timer.due))));
    words.extend(decided.cleared.iter().map(|name| format!("[-{name}]")));
    words.extend(decided.outbox.iter().map(|message| format!("<{}>", message.r#type)));
    format!("  {}\n", words.join(", "))
}

/// Ten minutes to nine, then the script.
fn check(script: &str, expected: Expect) {
    let rules = CallbackRules::new(lines(1, 2));
    let mut replay = Replay::new(&rules, "7k2m9x4q1c8t5v3w");
    let mut now = moment(NINE - 600);
    let mut text = String::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        text.push_str(&format!("{line}\n{}", step(&mut replay, &mut now, line)));
    }
    let callback = words::callback("7k2m9x4q1c8t5v3w", replay.state(), rules.lines.get("sales"));
    text.push_str(&format!("= {}: {}\n", callback.status().as_str_name(), callback.explanation));
    expected.assert_eq(&text);
}

#[test]
fn a_wish_becomes_a_promise_a_call_and_a_talk() {
    check(
        "request 09:00\nheld 09:00\ntimer\naccept 1 ann\nreport 1 reached\nreport 1 reached\ncancel",
        expect![[r#"
        request 09:00
          requested, sought 09:00:00 Requested, [settle 08:50:05]
        held 09:00
          promised 09:00:00, [call 09:00:00], [-settle]
        timer
          calling 1, [attempt 09:01:00]
        accept 1 ann
          accepted by ann, [lease 10:00:00], [-attempt]
        report 1 reached
          attempt 1 Reached, ended Reached, [-lease]
        report 1 reached
          refused: the call was withdrawn
        cancel
          refused: the callback has ended
        = REACHED: The customer was reached.
    "#]],
    );
}

#[test]
fn a_full_slot_is_refused_or_the_next_one_tried() {
    check(
        "request 09:00\nfull 09:00 09:30",
        expect![[r#"
        request 09:00
          requested, sought 09:00:00 Requested, [settle 08:50:05]
        full 09:00 09:30
          in vain 09:00:00, ended Refused, [-settle]
        = REFUSED: There was no place; nothing was promised.
    "#]],
    );
    check(
        "request-asap 09:00\nfull 09:00 09:30\nheld 09:00\nheld 09:30",
        expect![[r#"
        request-asap 09:00
          requested, sought 09:00:00 Requested, [settle 08:50:05]
        full 09:00 09:30
          sought 09:30:00 Full, [settle 08:50:05]
        held 09:00
          nothing
        held 09:30
          promised 09:30:00, [call 09:30:00], [-settle]
        = PROMISED: An adviser calls at 2026-11-23 09:30 (UTC).
    "#]],
    );
    check(
        "request-asap 09:00\nfull 09:00",
        expect![[r#"
        request-asap 09:00
          requested, sought 09:00:00 Requested, [settle 08:50:05]
        full 09:00
          in vain 09:00:00, ended Refused, [-settle]
        = REFUSED: There was no place; nothing was promised.
    "#]],
    );
}

#[test]
fn what_a_crash_leaves_half_done_is_settled_by_a_timer() {
    check(
        "request 09:00\ntimer\ntimer\ntimer\nheld 09:00\ncancel\ntimer\nreleased 09:00\nreleased 09:00",
        expect![[r#"
        request 09:00
          requested, sought 09:00:00 Requested, [settle 08:50:05]
        timer
          settling 1, [settle 08:50:15]
        timer
          settling 2, [settle 08:50:35]
        timer
          settling 3, [settle 08:51:15]
        held 09:00
          promised 09:00:00, [call 09:00:00], [-settle]
        cancel
          ended Cancelled, [settle 08:50:40], [-call], [-attempt]
        timer
          settling 1, [settle 08:50:50]
        released 09:00
          released 09:00:00, [-settle]
        released 09:00
          nothing
        = CANCELLED: The customer took it back.
    "#]],
    );
}

#[test]
fn busy_and_no_answer_are_tried_again_and_then_told_elsewhere() {
    check(
        "request 09:00\nheld 09:00\ntimer\naccept 1 ann\nreport 1 busy\ntimer\naccept 2 bob\nreport 2 no-answer",
        expect![[r#"
            request 09:00
              requested, sought 09:00:00 Requested, [settle 08:50:05]
            held 09:00
              promised 09:00:00, [call 09:00:00], [-settle]
            timer
              calling 1, [attempt 09:01:00]
            accept 1 ann
              accepted by ann, [lease 10:00:00], [-attempt]
            report 1 busy
              attempt 1 Busy, again at 09:10:00, [call 09:10:00], [-lease]
            timer
              calling 2, [attempt 09:11:00]
            accept 2 bob
              accepted by bob, [lease 10:10:00], [-attempt]
            report 2 no-answer
              attempt 2 NoAnswer, ended Unreachable, [-lease], <passerelle.customer.v1.CallbackUnreachable>
            = UNREACHABLE: The customer was not reached in 2 calls, and is told through another channel.
        "#]],
    );
}

#[test]
fn nobody_at_the_desk_is_tried_again_within_its_limit() {
    check(
        "request 09:00\nheld 09:00\ntimer\nno-adviser 1\nno-adviser 1\ntimer\ninterrupted 2",
        expect![[r#"
        request 09:00
          requested, sought 09:00:00 Requested, [settle 08:50:05]
        held 09:00
          promised 09:00:00, [call 09:00:00], [-settle]
        timer
          calling 1, [attempt 09:01:00]
        no-adviser 1
          attempt 1 NoAdviser, again at 09:01:00, [call 09:01:00], [-attempt]
        no-adviser 1
          refused: the call was withdrawn
        timer
          calling 2, [attempt 09:02:00]
        interrupted 2
          attempt 2 Interrupted, ended Unreachable, [-attempt], <passerelle.customer.v1.CallbackUnreachable>
        = UNREACHABLE: No adviser could be found, and the customer is told through another channel.
    "#]],
    );
}

#[test]
fn an_attempt_of_which_nothing_is_heard_is_given_up_and_a_late_adviser_refused() {
    check(
        "request 09:00\nheld 09:00\ntimer\ntimer\naccept 1 ann\ntimer\naccept 2 ann\naccept 2 ann\naccept 2 bob",
        expect![[r#"
            request 09:00
              requested, sought 09:00:00 Requested, [settle 08:50:05]
            held 09:00
              promised 09:00:00, [call 09:00:00], [-settle]
            timer
              calling 1, [attempt 09:01:00]
            timer
              attempt 1 Interrupted, again at 09:01:01, [call 09:01:01], [-attempt]
            accept 1 ann
              refused: the call was withdrawn
            timer
              calling 2, [attempt 09:02:01]
            accept 2 ann
              accepted by ann, [lease 10:01:01], [-attempt]
            accept 2 ann
              nothing
            accept 2 bob
              refused: the call was withdrawn
            = ACCEPTED: An adviser has it and calls.
        "#]],
    );
}

#[test]
fn who_never_reports_leaves_it_unresolved() {
    check(
        "request 09:00\nheld 09:00\ntimer\naccept 1 ann\ncancel\nreschedule 10:00\ntimer\nreport 1 reached",
        expect![[r#"
        request 09:00
          requested, sought 09:00:00 Requested, [settle 08:50:05]
        held 09:00
          promised 09:00:00, [call 09:00:00], [-settle]
        timer
          calling 1, [attempt 09:01:00]
        accept 1 ann
          accepted by ann, [lease 10:00:00], [-attempt]
        cancel
          refused: the customer is being called right now
        reschedule 10:00
          refused: the customer is being called right now
        timer
          attempt 1 NotReported, ended Unresolved
        report 1 reached
          refused: the call was withdrawn
        = UNRESOLVED: An adviser took it and never said what became of it. It is not called again by itself, since the customer may have been reached.
    "#]],
    );
}

#[test]
fn a_line_that_is_closed_by_then_promises_its_next_slot() {
    check(
        "request 11:30\nheld 11:30\nwait 20000\ntimer\nfull 1d09:00 1d09:30\nfull 1d09:30\ntimer\nheld 1d09:30\nreleased 11:30",
        expect![[r#"
            request 11:30
              requested, sought 11:30:00 Requested, [settle 08:50:05]
            held 11:30
              promised 11:30:00, [call 11:30:00], [-settle]
            wait 20000
            timer
              sought 1d09:00:00 Closed, [settle 14:23:25]
            full 1d09:00 1d09:30
              sought 1d09:30:00 Closed, [settle 14:23:25]
            full 1d09:30
              sought 1d09:30:00 Closed, [settle 14:28:20]
            timer
              settling 1, [settle 14:28:30]
            held 1d09:30
              promised 1d09:30:00, [call 1d09:30:00], [settle 14:28:25]
            released 11:30
              released 11:30:00, [-settle]
            = PROMISED: An adviser calls at 2026-11-24 09:30 (UTC).
        "#]],
    );
    // The next attempt would begin after closing time.
    check(
        "request 11:30\nheld 11:30\nwait 11100\ntimer\naccept 1 ann\nreport 1 busy",
        expect![[r#"
            request 11:30
              requested, sought 11:30:00 Requested, [settle 08:50:05]
            held 11:30
              promised 11:30:00, [call 11:30:00], [-settle]
            wait 11100
            timer
              calling 1, [attempt 11:56:00]
            accept 1 ann
              accepted by ann, [lease 12:55:00], [-attempt]
            report 1 busy
              attempt 1 Busy, again at 1d09:00:00, [call 1d09:00:00], [-lease]
            = PROMISED: The customer's line was busy. The next call (2 of 2) is at 2026-11-24 09:00 (UTC).
        "#]],
    );
}

#[test]
fn moving_keeps_the_old_promise_until_there_is_a_new_one() {
    check(
        "request 09:00\nheld 09:00\nreschedule 10:00\nreschedule 10:30\nfull 10:00\nreschedule 10:00\nheld 10:00\nreleased 09:00\nreschedule 10:00",
        expect![[r#"
            request 09:00
              requested, sought 09:00:00 Requested, [settle 08:50:05]
            held 09:00
              promised 09:00:00, [call 09:00:00], [-settle]
            reschedule 10:00
              sought 10:00:00 Rescheduled, [settle 08:50:05], [-call]
            reschedule 10:30
              refused: a place is being looked for; ask again in a moment
            full 10:00
              in vain 10:00:00, [call 09:00:00], [-settle]
            reschedule 10:00
              sought 10:00:00 Rescheduled, [settle 08:50:05], [-call]
            held 10:00
              promised 10:00:00, [call 10:00:00], [settle 08:50:05]
            released 09:00
              released 09:00:00, [-settle]
            reschedule 10:00
              nothing
            = PROMISED: An adviser calls at 2026-11-23 10:00 (UTC).
        "#]],
    );
    check(
        "request 09:00\nreschedule 10:00\ncancel\nreschedule 10:00\nheld 09:00\nreleased 09:00",
        expect![[r#"
        request 09:00
          requested, sought 09:00:00 Requested, [settle 08:50:05]
        reschedule 10:00
          refused: a place is being looked for; ask again in a moment
        cancel
          ended Cancelled, [settle 08:50:05], [-call], [-attempt]
        reschedule 10:00
          refused: the callback has ended
        held 09:00
          nothing
        released 09:00
          released 09:00:00, [-settle]
        = CANCELLED: The customer took it back.
    "#]],
    );
}

#[test]
fn what_cannot_be_promised_is_refused() {
    check(
        "cancel\nrequest 09:05\nrequest 13:00\nrequest 20d09:00\nwait 3000\nrequest 09:00\nrequest 09:30\nrequest 10:00",
        expect![[r#"
            cancel
              refused: there is no such callback
            request 09:05
              refused: no slot of this line begins then; search for its slots
            request 13:00
              refused: no slot of this line begins then; search for its slots
            request 20d09:00
              refused: calls are promised 14 days ahead at most
            wait 3000
            request 09:00
              refused: that slot is over; search for slots from now on
            request 09:30
              requested, sought 09:30:00 Requested, [settle 09:40:05]
            request 10:00
              refused: the idempotency key was used for another wish of this customer; choose a new one for a new wish
            = REQUESTED: A place is being looked for.
        "#]],
    );
}

#[test]
fn a_slot_gives_each_callback_one_place_and_never_more_than_it_has() {
    let rules = SlotRules::new(lines(2, 1));
    let key = slot_key("sales", NINE);
    let mut slot = Replay::new(&rules, &key);
    let take = |id: &str| SlotCommand::Take(id.to_owned());
    let give = |id: &str| SlotCommand::GiveBack(id.to_owned());
    let steps = [take("b"), take("b"), take("a"), take("c"), give("c"), give("b"), give("b"), take("c")];
    let mut text = String::new();
    for step in steps {
        let decided = slot.command(&step, moment(NINE)).expect("a slot refuses nothing");
        let (answer, events) = (decided.answer, decided.events.len());
        text.push_str(&format!("{step:?}: {events} events, held {}, {:?}\n", answer.held, slot.state().callback_ids));
        assert_eq!(answer.taken as usize, slot.state().callback_ids.len());
    }
    expect![[r#"
        Take("b"): 1 events, held true, ["b"]
        Take("b"): 0 events, held true, ["b"]
        Take("a"): 1 events, held true, ["a", "b"]
        Take("c"): 0 events, held false, ["a", "b"]
        GiveBack("c"): 0 events, held false, ["a", "b"]
        GiveBack("b"): 1 events, held false, ["a"]
        GiveBack("b"): 0 events, held false, ["a"]
        Take("c"): 1 events, held true, ["a", "c"]
    "#]]
    .assert_eq(&text);
    let gone = slot_key("gone", NINE);
    assert!(!Replay::new(&rules, &gone).command(&take("a"), moment(NINE)).expect("an answer").answer.held);
}
