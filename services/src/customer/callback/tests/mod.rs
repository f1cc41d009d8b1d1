//! The service as channels and desks meet it: over a journal in memory, real tables and a clock moved by hand.

mod office;

use std::time::Duration;

use expect_test::expect;
use passerelle_journal::{Journal, Position};
use passerelle_proto::backoffice::callback::v1 as desk;
use passerelle_proto::backoffice::callback::v1::place_request::What as Say;
use passerelle_proto::backoffice::callback::v1::place_response::What as Said;
use passerelle_proto::bus::v1::Record;
use passerelle_proto::customer::v1;
use passerelle_proto::customer::v1::callback::Status;
use passerelle_proto::customer::v1::callbacks_server::Callbacks as _;
use passerelle_proto::customer::v1::reschedule_callback_request::When;
use prost::Message;
use tonic::{Code, Request};

use self::office::{NINE, Office, at, request};

fn accepted(adviser: &str) -> Said {
    Said::Accepted(desk::Accepted { adviser: adviser.to_owned() })
}

fn ended(outcome: desk::Outcome) -> Said {
    Said::Ended(desk::Ended { outcome: outcome.into(), note: "a note".to_owned() })
}

#[tokio::test]
async fn a_place_is_promised_once_and_a_full_slot_names_free_ones() {
    let office = Office::new();
    let bus = office.open().await;
    let first = bus.request(request("ada", "k1", Some(NINE))).await.expect("a promise");
    let callback = first.callback.expect("a callback");
    assert_eq!((callback.status(), callback.promised_at), (Status::Promised, Some(at(NINE))));
    expect!["An adviser calls at 2026-11-23 09:00 (UTC)."].assert_eq(&callback.explanation);

    let again = bus.request(request("ada", "k1", Some(NINE))).await.expect("the same");
    assert_eq!(again.callback.expect("a callback").callback_id, callback.callback_id);
    assert!(again.acknowledgement.is_some_and(|acknowledgement| acknowledgement.repeated));

    let other = bus.request(request("ada", "k1", Some(NINE + 1800))).await.expect_err("another wish");
    assert_eq!(other.code(), Code::AlreadyExists);
    let full = bus.request(request("bob", "k1", Some(NINE))).await.expect_err("no place");
    assert_eq!(full.code(), Code::FailedPrecondition);
    expect![
        "no place is left in that slot; free are 2026-11-23 09:30-10:00, 2026-11-23 10:00-10:30, 2026-11-23 10:30-11:00 (UTC)"
    ]
    .assert_eq(full.message());
    let soon = bus.request(request("bob", "k2", None)).await.expect("the next one");
    assert_eq!(soon.callback.expect("a callback").promised_at, Some(at(NINE + 1800)));
    assert_eq!(bus.free(3).await, [0, 0, 1]);
}

#[tokio::test]
async fn the_desk_gets_the_call_at_the_promised_time_and_is_told_to_call_when_it_is_on_disk() {
    let mut office = Office::new();
    let bus = office.open().await;
    let id = bus.promised("ada", NINE).await;
    office.clock.advance(Duration::from_secs(600));
    let mut call = office.call().await;
    let start = call.start.clone();
    let shown = start.call.expect("a call");
    assert_eq!((shown.callback_id.as_str(), shown.attempt, start.ring_seconds), (id.as_str(), 1, 45));
    assert_eq!(shown.context.get("basket").map(String::as_str), Some("B-7"));

    call.say(accepted("ann"));
    assert_eq!(call.hear().await, Some(Say::Confirm(desk::Confirm {})));
    assert_eq!(bus.get(&id).await.status(), Status::Accepted);
    let refused = bus.cancel(&id).await.expect_err("an adviser has it");
    assert_eq!(refused.code(), Code::FailedPrecondition);

    call.say(ended(desk::Outcome::Reached));
    assert_eq!(call.hear().await, Some(Say::Confirm(desk::Confirm {})));
    let callback = bus.get(&id).await;
    assert_eq!(callback.status(), Status::Reached);
    let steps: Vec<String> = callback.steps.into_iter().map(|step| step.what).collect();
    expect![[r#"
        a place was looked for at 2026-11-23 09:00 (UTC)
        promised for 2026-11-23 09:00 (UTC)
        attempt 1: an adviser was looked for
        attempt 1: an adviser took it
        attempt 1: the customer was reached
        ended: the customer was reached"#]]
    .assert_eq(&steps.join("\n"));
    assert_eq!(callback.attempts[0].reason, "the customer was reached: a note");
}

#[tokio::test]
async fn who_does_not_answer_is_called_again_and_then_told_through_another_channel() {
    let mut office = Office::new();
    let bus = office.open().await;
    let id = bus.promised("ada", NINE).await;
    office.clock.advance(Duration::from_secs(600));
    for attempt in 1..=2 {
        let mut call = office.call().await;
        assert_eq!(call.start.call.as_ref().map(|call| call.attempt), Some(attempt));
        call.say(accepted("ann"));
        call.hear().await;
        call.say(ended(desk::Outcome::NoAnswer));
        call.hear().await;
        office.clock.advance(Duration::from_secs(600));
    }
    let callback = bus.get(&id).await;
    assert_eq!(callback.status(), Status::Unreachable);
    expect!["The customer was not reached in 2 calls, and is told through another channel."].assert_eq(&callback.explanation);
    let outbox = office.outbox();
    assert_eq!(outbox.len(), 1, "{outbox:?}");
    assert_eq!(outbox[0].r#type, "passerelle.customer.v1.CallbackUnreachable");
    let told = v1::Callback::decode(outbox[0].data.clone()).expect("a callback");
    assert_eq!((told.status(), told.callback_id), (Status::Unreachable, id));
}

#[tokio::test]
async fn nobody_at_the_desk_is_tried_again_when_the_line_is_open() {
    let mut office = Office::new();
    let bus = office.open().await;
    let id = bus.promised("ada", NINE).await;
    office.clock.advance(Duration::from_secs(600));
    let mut call = office.call().await;
    call.say(Said::NoAdviser(desk::NoAdviser { reason: "nobody sits at line sales".to_owned() }));
    call.hear().await;
    drop(call);
    let callback = bus.get(&id).await;
    assert_eq!(callback.status(), Status::Promised);
    expect!["No adviser was free; one is looked for again at 2026-11-23 09:01 (UTC)."].assert_eq(&callback.explanation);
    office.clock.advance(Duration::from_secs(60));
    assert_eq!(office.call().await.start.call.map(|call| call.attempt), Some(2));
}

#[tokio::test]
async fn after_a_restart_what_rang_rings_again_and_who_had_it_gets_it_back() {
    let mut office = Office::new();
    let bus = office.open().await;
    let (one, other) = (bus.promised("ada", NINE).await, bus.promised("bob", NINE + 1800).await);
    office.clock.advance(Duration::from_secs(2400));
    let mut calls = [office.call().await, office.call().await];
    calls.sort_by_key(|call| call.id() != one);
    calls[0].say(accepted("ann"));
    calls[0].hear().await;
    bus.crash().await;

    let bus = office.open().await;
    let resumed = office.call().await;
    assert_eq!((resumed.id(), resumed.start.resume_adviser.as_str()), (one.clone(), "ann"));
    bus.until(&other, Status::Promised).await;
    expect!["The search for an adviser was interrupted; it begins again at 2026-11-23 09:30 (UTC)."]
        .assert_eq(&bus.get(&other).await.explanation);
    office.clock.advance(Duration::from_secs(1));
    let again = office.call().await;
    assert_eq!((again.id(), again.start.resume_adviser.as_str()), (other, ""));
    assert_eq!(again.start.call.map(|call| call.attempt), Some(2));
    assert_eq!(bus.get(&one).await.attempts.len(), 1, "ann's call is no new attempt");
}

#[tokio::test]
async fn an_adviser_who_never_reports_leaves_it_unresolved_and_it_is_not_called_again() {
    let mut office = Office::new();
    let bus = office.open().await;
    let id = bus.promised("ada", NINE).await;
    office.clock.advance(Duration::from_secs(600));
    let mut call = office.call().await;
    call.say(accepted("ann"));
    call.hear().await;
    office.clock.advance(Duration::from_secs(3600));
    assert!(matches!(call.hear().await, Some(Say::Withdraw(_))));
    bus.until(&id, Status::Unresolved).await;
    office.clock.advance(Duration::from_secs(100_000));
    assert_eq!(bus.get(&id).await.status(), Status::Unresolved);
}

#[tokio::test]
async fn a_call_that_ends_while_it_is_being_taken_up_is_not_followed() {
    let mut office = Office::new();
    let bus = office.open().await;
    let id = bus.promised("ada", NINE).await;
    office.clock.advance(Duration::from_secs(600));
    let mut call = office.call().await;
    call.say(accepted("ann"));
    call.hear().await;
    call.say(ended(desk::Outcome::Reached));
    bus.until(&id, Status::Reached).await;
    // As the start does with a call that the tables still had as under way.
    super::call::resume(&bus.callbacks.0, id, 1).await;
    drop(call);
    let followed = async {
        while !bus.callbacks.0.calls.running().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), followed).await.expect("nobody follows a call that is over");
}

#[tokio::test]
async fn a_callback_taken_back_while_it_rings_is_withdrawn_and_its_place_is_free() {
    let mut office = Office::new();
    let bus = office.open().await;
    let id = bus.promised("ada", NINE).await;
    office.clock.advance(Duration::from_secs(600));
    let mut call = office.call().await;
    let cancelled = bus.cancel(&id).await.expect("taken back");
    assert_eq!(cancelled.callback.expect("a callback").status(), Status::Cancelled);
    assert!(matches!(call.hear().await, Some(Say::Withdraw(_))));
    assert_eq!(bus.free(1).await, [1]);
    assert!(bus.cancel(&id).await.expect("again").acknowledgement.is_some_and(|acknowledgement| acknowledgement.repeated));
}

#[tokio::test]
async fn a_callback_is_moved_and_the_old_promise_holds_when_there_is_no_place() {
    let office = Office::new();
    let bus = office.open().await;
    let (one, _) = (bus.promised("ada", NINE).await, bus.promised("bob", NINE + 1800).await);
    let full = bus.reschedule(&one, NINE + 1800).await.expect_err("full");
    assert_eq!(full.code(), Code::FailedPrecondition);
    assert_eq!(bus.get(&one).await.promised_at, Some(at(NINE)));
    bus.reschedule(&one, NINE + 3600).await.expect("a place");
    assert_eq!(bus.get(&one).await.promised_at, Some(at(NINE + 3600)));
    assert_eq!(bus.free(3).await, [1, 0, 0]);
}

#[tokio::test]
async fn a_key_of_one_method_is_another_key_for_another_method() {
    let office = Office::new();
    let bus = office.open().await;
    let id = bus.promised("ada", NINE).await;
    let idempotency_key = "same".to_owned();
    let when = Some(When::SlotStart(at(NINE + 1800)));
    let moved = v1::RescheduleCallbackRequest { callback_id: id.clone(), idempotency_key: idempotency_key.clone(), when };
    bus.callbacks.reschedule_callback(Request::new(moved)).await.expect("a place");
    let cancel = v1::CancelCallbackRequest { callback_id: id.clone(), idempotency_key };
    bus.callbacks.cancel_callback(Request::new(cancel)).await.expect("taken back");
    assert_eq!(bus.get(&id).await.status(), Status::Cancelled);
}

#[tokio::test]
async fn who_asks_for_another_slot_when_all_are_full_is_told_so() {
    let office = Office::new();
    let bus = office.open().await;
    let id = bus.promised("ada", NINE).await;
    let mut customers = (0..).map(|number| format!("customer {number}"));
    while bus.request(request(&customers.next().expect("endless"), "k", None)).await.is_ok() {}
    let when = Some(When::AsSoonAsPossible(true));
    let moved = v1::RescheduleCallbackRequest { callback_id: id, when, ..Default::default() };
    let refused = bus.callbacks.reschedule_callback(Request::new(moved)).await.expect_err("no place");
    expect!["no place is left on line sales in the next 14 days"].assert_eq(refused.message());
}

#[tokio::test]
async fn a_line_that_is_closed_by_then_promises_its_next_open_slot() {
    let office = Office::new();
    let bus = office.open().await;
    let id = bus.promised("ada", NINE + 3 * 1800).await;
    bus.crash().await;
    office.clock.advance(Duration::from_secs(10 * 3600));
    let bus = office.open().await;
    let tomorrow = NINE + 86_400;
    bus.until_promised(&id, tomorrow).await;
    let steps: Vec<String> = bus.get(&id).await.steps.into_iter().map(|step| step.what).collect();
    assert!(steps.iter().any(|step| step.starts_with("the line was closed at the promised time")), "{steps:?}");
}

#[tokio::test]
async fn lists_are_read_as_far_as_asked_and_page_by_page() {
    let office = Office::new();
    let bus = office.open().await;
    let mut position = 0;
    for customer in ["ada", "bob", "cem"] {
        let response = bus.request(request(customer, "k", None)).await.expect("a promise");
        position = response.acknowledgement.expect("one").position;
    }
    let mut wanted =
        v1::ListCallbacksRequest { line: "sales".to_owned(), page_size: 2, read_at_least: position, ..Default::default() };
    let first = bus.list(wanted.clone()).await;
    wanted.page_token.clone_from(&first.next_page_token);
    let second = bus.list(wanted).await;
    assert_eq!((first.callbacks.len(), second.callbacks.len(), second.next_page_token.as_str()), (2, 1, ""));
    let customers: Vec<String> = first.callbacks.into_iter().chain(second.callbacks).map(|callback| callback.customer).collect();
    assert_eq!(customers, ["ada", "bob", "cem"]);
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_in_words_and_not_written() {
    let office = Office::new();
    let bus = office.open().await;
    let before = office.journal.durable().borrow().position;
    let mut refusals = String::new();
    type Change = fn(&mut v1::RequestCallbackRequest);
    let cases: [Change; 7] = [
        |request| request.idempotency_key.clear(),
        |request| request.line = "salse".to_owned(),
        |request| request.telephone = "12".to_owned(),
        |request| request.when = None,
        |request| request.reason = "x".repeat(501),
        |request| request.when = Some(v1::request_callback_request::When::SlotStart(at(NINE + 1))),
        |request| request.when = Some(v1::request_callback_request::When::SlotStart(at(NINE + 90 * 86_400))),
    ];
    for change in cases {
        let mut wrong = request("ada", "k", Some(NINE));
        change(&mut wrong);
        let status = bus.request(wrong).await.expect_err("refused");
        refusals.push_str(&format!("{:?}: {}\n", status.code(), status.message()));
    }
    expect![[r#"
        InvalidArgument: idempotency_key is missing
        NotFound: there is no line `salse` (there are: sales)
        InvalidArgument: telephone: write it in international form, such as +33 1 23 45 67 89
        InvalidArgument: say when: slot_start, or as_soon_as_possible: true
        InvalidArgument: reason has 501 bytes, at most 500 are taken
        FailedPrecondition: no slot of this line begins then; search for its slots
        FailedPrecondition: calls are promised 14 days ahead at most
    "#]]
    .assert_eq(&refusals);
    assert_eq!(office.journal.durable().borrow().position, before);
}

impl Office {
    /// What is to be sent.
    fn outbox(&self) -> Vec<passerelle_proto::bus::v1::Message> {
        let records = self.journal.read(Position(1), usize::MAX).expect("records");
        records.into_iter().flat_map(|stored| Record::decode(stored.entry.data).expect("a record").outbox).collect()
    }
}
