//! The floor as data: what each side is shown, in the order in which it happens.

use std::collections::BTreeSet;

use expect_test::{Expect, expect};
use passerelle_proto::backoffice::callback::v1::sit_response::What;
use passerelle_proto::backoffice::callback::v1::{Call, Outcome};
use tokio::sync::mpsc;

use super::{Floor, Ticket, ToCall, ToSeat};
use crate::file::Limits;

/// A floor with the streams of everybody on it.
struct Scene {
    floor: Floor,
    seats: Vec<(Ticket, mpsc::Receiver<ToSeat>)>,
    calls: Vec<(Ticket, mpsc::Receiver<ToCall>)>,
    log: String,
}

impl Scene {
    fn new() -> Self {
        let limits = Limits { seats: 3, calls: 3, offer_seconds: 20 };
        Self { floor: Floor::new("desk".to_owned(), limits), seats: Vec::new(), calls: Vec::new(), log: String::new() }
    }

    /// Does one line of a script, and writes down what everybody is shown.
    fn step(&mut self, line: &str) {
        self.log.push_str(&format!("> {line}\n"));
        let words: Vec<&str> = line.split(' ').collect();
        let seat = |scene: &Self, name: &str| {
            scene.seats.iter().rev().find(|(seat, _)| seat.name == name).map(|(seat, _)| seat.clone()).expect("a seat")
        };
        let call = |scene: &Self, id: &str| {
            scene.calls.iter().rev().find(|(call, _)| call.name == id).map(|(call, _)| call.clone()).expect("a call")
        };
        match words.as_slice() {
            ["sit", name, lines @ ..] => {
                let lines: BTreeSet<String> = lines.iter().map(|line| (*line).to_owned()).collect();
                match self.floor.sit((*name).to_owned(), lines) {
                    Ok(seat) => self.seats.push(seat),
                    Err(fault) => self.log.push_str(&format!("  refused: {fault}\n")),
                }
            }
            ["place", id, line] => self.place(id, line, None),
            ["resume", id, adviser] => self.place(id, "sales", Some((*adviser).to_owned())),
            ["accept", name, id] => self.floor.accept(&seat(self, name), id),
            ["decline", name, id] => self.floor.decline(&seat(self, name), id, "lunch"),
            ["report", name, id] => self.floor.report(&seat(self, name), id, Outcome::Reached, "fine".to_owned()),
            ["leave", name] => self.floor.leave(&seat(self, name)),
            ["confirm", id] => {
                let confirmed = self.floor.confirm(&call(self, id));
                self.log.push_str(if confirmed { "" } else { "  nothing to confirm\n" });
            }
            ["withdraw", id] => self.floor.withdraw(&call(self, id), "taken back"),
            ["lapse", id] => self.floor.lapse(&call(self, id)),
            ["give-up", id] => {
                let why = self.floor.give_up(&call(self, id));
                self.log.push_str(&format!("  {}\n", why.unwrap_or_else(|| "an adviser has it".to_owned())));
            }
            ["close"] => self.floor.close(),
            other => panic!("{other:?}"),
        }
        self.listen();
    }

    fn place(&mut self, id: &str, line: &str, resume: Option<String>) {
        let call = Call { callback_id: id.to_owned(), line: line.to_owned(), ..Call::default() };
        match self.floor.place(call, resume) {
            Ok(call) => self.calls.push(call),
            Err(fault) => self.log.push_str(&format!("  refused: {fault}\n")),
        }
    }

    fn listen(&mut self) {
        for (call, events) in &mut self.calls {
            while let Ok(event) = events.try_recv() {
                let words = match event {
                    ToCall::Ringing(adviser) => format!("rings at {adviser}"),
                    ToCall::Accepted(adviser) => format!("accepted by {adviser}"),
                    ToCall::Ended(outcome, note) => format!("ended {} {note}", outcome.as_str_name()),
                };
                self.log.push_str(&format!("  {}: {words}\n", call.name));
            }
        }
        for (seat, events) in &mut self.seats {
            while let Ok(event) = events.try_recv() {
                let id = |call: &Option<Call>| call.as_ref().map(|call| call.callback_id.clone()).unwrap_or_default();
                let words = match event {
                    ToSeat::End(fault) => format!("stream ends: {fault}"),
                    ToSeat::Show(What::Seated(_)) => "seated".to_owned(),
                    ToSeat::Show(What::Offered(offered)) => format!("offered {}", id(&offered.call)),
                    ToSeat::Show(What::Withdrawn(gone)) => format!("withdrawn {}: {}", gone.callback_id, gone.reason),
                    ToSeat::Show(What::Connected(connected)) => {
                        format!("connected {}{}", id(&connected.call), if connected.resumed { " (resumed)" } else { "" })
                    }
                    ToSeat::Show(What::Closed(closed)) => format!("closed {}", closed.callback_id),
                };
                self.log.push_str(&format!("  {}: {words}\n", seat.name));
            }
        }
    }
}

fn check(script: &str, expected: Expect) {
    let mut scene = Scene::new();
    script.lines().map(str::trim).filter(|line| !line.is_empty()).for_each(|line| scene.step(line));
    expected.assert_eq(&scene.log);
}

#[test]
fn a_call_goes_to_one_adviser_and_he_is_told_to_call_when_that_is_on_disk() {
    check(
        "sit ann\nsit bob\nplace c1 sales\naccept bob c1\naccept ann c1\nconfirm c1\nreport ann c1\nconfirm c1\nconfirm c1",
        expect![[r#"
            > sit ann
              ann: seated
            > sit bob
              bob: seated
            > place c1 sales
              c1: rings at ann
              ann: offered c1
            > accept bob c1
              bob: withdrawn c1: this is not with you, or not at this point
            > accept ann c1
              c1: accepted by ann
            > confirm c1
              ann: connected c1
            > report ann c1
              c1: ended REACHED fine
            > confirm c1
              ann: closed c1
            > confirm c1
              nothing to confirm
        "#]],
    );
}

#[test]
fn whoever_has_been_free_longest_is_asked_first_and_nobody_twice() {
    check(
        "sit ann\nsit bob\nplace c1 sales\ndecline ann c1\nlapse c1\ngive-up c1\nplace c2 sales",
        expect![[r#"
        > sit ann
          ann: seated
        > sit bob
          bob: seated
        > place c1 sales
          c1: rings at ann
          ann: offered c1
        > decline ann c1
          c1: rings at bob
          bob: offered c1
        > lapse c1
          bob: withdrawn c1: not taken in time
        > give-up c1
          2 asked, none took it; the last one said: lunch
        > place c2 sales
          c2: rings at ann
          ann: offered c2
    "#]],
    );
}

#[test]
fn a_stream_that_vanishes_declines_and_what_was_taken_is_kept_for_the_adviser() {
    check(
        "sit ann\nplace c1 sales\nleave ann\nsit bob\naccept bob c1\nconfirm c1\nleave bob\nplace c2 sales\nsit bob\nreport bob c1\nconfirm c1",
        expect![[r#"
            > sit ann
              ann: seated
            > place c1 sales
              c1: rings at ann
              ann: offered c1
            > leave ann
            > sit bob
              c1: rings at bob
              bob: seated
              bob: offered c1
            > accept bob c1
              c1: accepted by bob
            > confirm c1
              bob: connected c1
            > leave bob
            > place c2 sales
            > sit bob
              bob: seated
              bob: connected c1 (resumed)
            > report bob c1
              c1: ended REACHED fine
            > confirm c1
              c2: rings at bob
              bob: closed c1
              bob: offered c2
        "#]],
    );
}

#[test]
fn what_an_adviser_has_by_what_is_on_disk_comes_before_an_offer() {
    check(
        "sit ann\nplace c1 sales\nresume c2 ann\nreport ann c2\nconfirm c2\nresume c3 bob\nsit bob",
        expect![[r#"
        > sit ann
          ann: seated
        > place c1 sales
          c1: rings at ann
          ann: offered c1
        > resume c2 ann
          ann: withdrawn c1: a call that is yours already comes first
          ann: connected c2 (resumed)
        > report ann c2
          c2: ended REACHED fine
        > confirm c2
          c1: rings at ann
          ann: closed c2
          ann: offered c1
        > resume c3 bob
        > sit bob
          bob: seated
          bob: connected c3 (resumed)
    "#]],
    );
}

#[test]
fn a_call_that_is_withdrawn_or_placed_anew_is_taken_from_the_screen() {
    check(
        "sit ann\nplace c1 sales\nwithdraw c1\nplace c2 sales\naccept ann c2\nplace c2 sales\nconfirm c2\naccept ann c2\nconfirm c2\nwithdraw c2\nreport ann c2",
        expect![[r#"
            > sit ann
              ann: seated
            > place c1 sales
              c1: rings at ann
              ann: offered c1
            > withdraw c1
              ann: withdrawn c1: taken back
            > place c2 sales
              c2: rings at ann
              ann: offered c2
            > accept ann c2
              c2: accepted by ann
            > place c2 sales
              c2: rings at ann
              ann: withdrawn c2: it is placed anew
              ann: offered c2
            > confirm c2
              nothing to confirm
            > accept ann c2
              c2: accepted by ann
            > confirm c2
              ann: connected c2
            > withdraw c2
              ann: withdrawn c2: taken back
            > report ann c2
              ann: withdrawn c2: this is not with you, or not at this point
        "#]],
    );
}

#[test]
fn lines_and_limits_are_kept() {
    check(
        "sit ann cards\nplace c1 sales\nsit bob sales cards\nsit cem\nsit dan\nplace c2 cards\nplace c3 none\nplace c4 sales\ngive-up c3\nsit ann\nclose\nsit ann",
        expect![[r#"
            > sit ann cards
              ann: seated
            > place c1 sales
            > sit bob sales cards
              c1: rings at bob
              bob: seated
              bob: offered c1
            > sit cem
              cem: seated
            > sit dan
              refused: every seat is taken, 3 of them (limits.seats)
            > place c2 cards
              c2: rings at ann
              ann: offered c2
            > place c3 none
              c3: rings at cem
              cem: offered c3
            > place c4 sales
              refused: 3 calls are at the desk already (limits.calls)
            > give-up c3
              1 asked, none took it
              cem: withdrawn c3: not taken in time
            > sit ann
              c2: rings at cem
              ann: stream ends: you sat down elsewhere
              cem: offered c2
              ann: seated
            > close
              bob: stream ends: the desk closes; sit down again in a moment
              cem: stream ends: the desk closes; sit down again in a moment
              ann: stream ends: the desk closes; sit down again in a moment
            > sit ann
              refused: the desk is closed
        "#]],
    );
}
