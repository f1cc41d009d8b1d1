//! Callers speak a contract of their own; the bus translates to the one of the back office, and back.

use passerelle_peers::Run;
use passerelle_peers::python::Disputes;
use passerelle_system::{Daemon, World};

/// The contract as it was before: one amount in whole units, and words of its own.
const BEFORE: &str = r#"
syntax = "proto3"; package bank.disputes.v0;
service Disputes { rpc Open(Complaint) returns (Opened); }
message Complaint { string card = 1; int32 euros = 2; string why = 3; string branch = 4; }
message Opened { string number = 1; int32 euros = 2; }
"#;

/// What customers speak of.
const CUSTOMERS: &str = r#"
syntax = "proto3"; package shop.claims.v1;
service Claims { rpc Raise(Claim) returns (Raised); }
message Claim {
  enum Reason { REASON_UNSPECIFIED = 0; NOT_MINE = 1; TOO_MUCH = 2; }
  message Payment { string card = 1; double amount = 2; }
  Payment payment = 1; Reason reason = 2; repeated string remarks = 3;
}
message Raised { string claim = 1; double amount = 2; string text = 3; }
"#;

const TRANSLATIONS: [(&str, &str); 2] = [
    (
        "before.yaml",
        r#"
contract: { proto: [before.proto] }
methods:
- { method: bank.disputes.v0.Disputes/Open, calls: bank.disputes.v1.CardDisputes/Open }
messages:
- from: bank.disputes.v0.Complaint
  to: bank.disputes.v1.OpenRequest
  required: [card_token]
  fields:
    card_token: if source.card = "" then null else source.card
    amount_cents: source.euros * 100
    reason: source.why
- from: bank.disputes.v1.Dispute
  to: bank.disputes.v0.Opened
  fields:
    number: source.id
    euros: { value: "round half up(source.amount_cents / 100, 0)", narrow: refuse }
"#,
    ),
    (
        "customers.yaml",
        r#"
contract: { proto: [customers.proto] }
methods:
- { method: shop.claims.v1.Claims/Raise, calls: bank.disputes.v1.CardDisputes/Open }
messages:
- from: shop.claims.v1.Claim
  to: bank.disputes.v1.OpenRequest
  fields:
    card_token: source.payment.card
    amount_cents: { value: "round half up(source.payment.amount * 100, 0)", narrow: refuse }
    reason:
      value: source.reason
      table: { NOT_MINE: the customer did not pay, TOO_MUCH: the amount is wrong }
      otherwise: no reason was given
- from: bank.disputes.v1.Dispute
  to: shop.claims.v1.Raised
  fields:
    claim: source.id
    amount: { value: source.amount_cents / 100, narrow: refuse }
    text: source.reason
"#,
    ),
];

const EXAMPLES: &str = r#"
examples:
- name: a lost card
  from: bank.disputes.v0.Complaint
  to: bank.disputes.v1.OpenRequest
  source: { card: c-1, euros: 42, why: lost, branch: north }
  target: { card_token: c-1, amount_cents: 4200, reason: lost }
- name: no card
  from: bank.disputes.v0.Complaint
  to: bank.disputes.v1.OpenRequest
  source: { euros: 42 }
  refused: "card_token: the field is required"
"#;

fn world(disputes: &Disputes) -> World {
    let endpoint = format!("{{ addresses: [\"http://{}\"], contract: {{ proto: [disputes.proto] }} }}", disputes.address());
    let world = World::default()
        .copy(&Disputes::contract(), "disputes.proto")
        .file("translations/before.proto", BEFORE)
        .file("translations/customers.proto", CUSTOMERS)
        .file("translations/before.examples.yaml", EXAMPLES)
        .settings(&format!("translations: translations\nendpoints:\n  disputes: {endpoint}\n"));
    TRANSLATIONS.iter().fold(world, |world, (name, text)| world.file(&format!("translations/{name}"), text))
}

fn call(daemon: &Daemon, method: &str, json: &str) -> Run {
    let address = format!("http://{}", daemon.channels);
    World::default().run(&["call", method, "--address", &address, "--json", json])
}

#[test]
fn callers_of_another_contract_are_served_by_the_back_office() {
    let Some(disputes) = Disputes::start() else { return };
    let daemon = world(&disputes).serve();
    let cases = [
        ("bank.disputes.v0.Disputes/Open", r#"{"card": "c-1", "euros": 42, "why": "lost"}"#, 0, r#""euros":42"#),
        ("bank.disputes.v1.CardDisputes/Open", r#"{"cardToken": "c-1", "amountCents": 4200}"#, 0, r#""amountCents":"4200""#),
        (
            "shop.claims.v1.Claims/Raise",
            r#"{"payment": {"card": "c-1", "amount": 12.34}, "reason": "NOT_MINE"}"#,
            0,
            r#""amount":12.34,"text":"the customer did not pay""#,
        ),
        ("shop.claims.v1.Claims/Raise", r#"{"payment": {"amount": 1}}"#, 0, "no reason was given"),
        // What the request does not say, or says too largely, is the caller's affair: by the field, and never by its value.
        ("bank.disputes.v0.Disputes/Open", r#"{"euros": 42}"#, 1, "card_token: the field is required"),
        ("shop.claims.v1.Claims/Raise", r#"{"payment": {"amount": 1e30}}"#, 1, "amount_cents: the number is out of the range"),
        // What the back office refuses comes as it is.
        ("bank.disputes.v0.Disputes/Open", r#"{"card": "c-1"}"#, 1, "INVALID_ARGUMENT"),
    ];
    for (method, json, code, expected) in cases {
        let run = call(&daemon, method, json);
        assert_eq!(run.status.code(), Some(code), "{method} {json}: {run:?}");
        assert!((run.stdout.clone() + &run.stderr).contains(expected), "{method} {json}: {run:?}");
    }
}

#[test]
fn an_answer_that_does_not_fit_is_the_buses_failure() {
    let Some(disputes) = Disputes::start() else { return };
    let broken = TRANSLATIONS[0]
        .1
        .replace("euros: { value: \"round half up(source.amount_cents / 100, 0)\"", "euros: { value: source.amount_cents / 1000");
    let daemon = world(&disputes).file("translations/before.yaml", &broken).serve();
    let run = call(&daemon, "bank.disputes.v0.Disputes/Open", r#"{"card": "c-1", "euros": 42}"#);
    assert!(run.stderr.contains("INTERNAL") && run.stderr.contains("euros: the number is not whole"), "{run:?}");
}

#[test]
fn check_tells_what_is_lost_and_runs_the_examples() {
    let Some(disputes) = Disputes::start() else { return };
    let run = world(&disputes).run(&["check"]);
    assert!(run.status.success(), "{run:?}");
    for line in [
        "ok translation of bank.disputes.v0.Complaint to bank.disputes.v1.OpenRequest, translations/before.yaml:6:3\n   not read: branch\n",
        "ok translation of bank.disputes.v1.Dispute to bank.disputes.v0.Opened, translations/before.yaml:13:3\n   not read: reason\n",
        "ok translation of shop.claims.v1.Claim to bank.disputes.v1.OpenRequest, translations/customers.yaml:6:3\n   not read: remarks\n",
        "ok translated method shop.claims.v1.Claims/Raise: served by bank.disputes.v1.CardDisputes/Open\n",
        "ok examples of translations: 2 as they should be\n",
    ] {
        assert!(run.stdout.contains(line), "{line:?} in {run:?}");
    }
}

#[test]
fn a_translation_that_does_not_fit_keeps_the_bus_from_serving() {
    let Some(disputes) = Disputes::start() else { return };
    let wrong = TRANSLATIONS[0].1.replace("source.why", "source.euros").replace("card: c-1", "card: c-2");
    let world = world(&disputes)
        .file("translations/before.yaml", &wrong)
        .file("translations/before.examples.yaml", &EXAMPLES.replace("4200", "4300"));
    for command in ["check", "serve"] {
        let run = world.run(&[command]);
        assert_eq!(run.status.code(), Some(1), "{run:?}");
        let told = "translations/before.yaml:12:13: reason: takes a string, and the expression gives a number";
        assert!(run.stderr.contains(told) && run.stderr.contains("P0029"), "{run:?}");
    }
}
