//! The little ledger in a process of its own: good, it keeps every law over the wire; each bug of the protocol is caught.

use passerelle_kit::{Outcome, SubjectFile};

use super::subject::file;
use super::system::System;
use super::wire::serve;
use super::wire_bugs::{WIRE_BUGS, WireBug};

/// Tells the process below where to listen, and with which bug.
const LISTEN: &str = "KIT_TEST_LISTEN";
const PLANTED: &str = "KIT_TEST_BUG";

/// Each bug, and the law that is meant for it.
const BUGS: [(WireBug, &str); 38] = [
    (WireBug::VersionUnheeded, "describe.none-in-common"),
    (WireBug::VersionUnheeded, "describe.no-version"),
    (WireBug::NewerBusRefused, "describe.newer-bus"),
    (WireBug::KindOfNobody, "describe.kind"),
    (WireBug::SchemaIsText, "describe.schema"),
    (WireBug::SummaryEmpty, "describe.words"),
    (WireBug::OtherSettingsTaken, "configure.other-settings"),
    (WireBug::SameSettingsRefused, "configure.again"),
    (WireBug::CallBeforeSettings, "configure.call-before"),
    (WireBug::CreditUnheeded, "credit.kept"),
    (WireBug::CreditReplaced, "credit.adds-up"),
    (WireBug::EndNeedsCredit, "credit.all-of-it"),
    (WireBug::OverrunBorne, "credit.overrun"),
    (WireBug::EndClosesAll, "credit.after-end"),
    (WireBug::EndTwice, "protocol.ends-once"),
    (WireBug::MessageAfterEnd, "protocol.ends-once"),
    (WireBug::FaultAsStatus, "protocol.fault-in-message"),
    (WireBug::FaultWithoutClass, "protocol.fault-class"),
    (WireBug::MessageApartLost, "protocol.message-apart"),
    (WireBug::NoStartAnswered, "protocol.no-start"),
    (WireBug::LongMessageCutOff, "limit.message"),
    (WireBug::CallsUnbounded, "limit.calls"),
    (WireBug::ThrottledForEver, "limit.calls"),
    (WireBug::HealthUnsaid, "health.said"),
    (WireBug::CutOffUncounted, "drain.cut-off"),
    (WireBug::LookupMadeUp, "lookup.undeclared"),
    (WireBug::OpenCarried, "receive.undeclared"),
    (WireBug::RequestsLogged, "secret.request-not-written"),
    (WireBug::SecretLogged, "secret.output"),
    (WireBug::EndsOnGarbage, "protocol.bad-frame"),
    (WireBug::DeadlineUnread, "deadline.kept"),
    (WireBug::ReceivedUntyped, "receive.handed-over"),
    (WireBug::ReceivedUncounted, "receive.credit"),
    (WireBug::StreamsBeside, "receive.second-stream"),
    (WireBug::TakenAgain, "receive.taken"),
    (WireBug::RefusedAgain, "receive.refused"),
    (WireBug::ForgottenEarly, "receive.not-taken"),
    (WireBug::NewIdEachTime, "receive.not-taken"),
];

/// The subject: this program, which serves the ledger.
pub(crate) fn subject(system: &System, bug: WireBug) -> SubjectFile {
    let program = std::env::current_exe().expect("this program");
    let command = serde_json::json!([program, "adapters::served::a_process_of_its_own", "--exact", "--ignored", "--nocapture"]);
    let environment = serde_json::json!({ LISTEN: "{endpoint}", PLANTED: format!("{bug:?}") });
    let receive = "receive: { method: kit.ledger.v1.Ledger/Post, request: { account: \"1\", reference: \"{unique}\" } }";
    file(system, &format!("{receive}\ncommand: {command}\nenvironment: {environment}\n"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "started by the tests below, as an adapter over the wire"]
async fn a_process_of_its_own() {
    let told = |name: &str| std::env::var_os(name).and_then(|value| value.into_string().ok());
    let (Some(listen), Some(planted)) = (told(LISTEN), told(PLANTED)) else { return };
    let bug = WIRE_BUGS.into_iter().find(|bug| format!("{bug:?}") == planted).expect("a bug of that name");
    serve(listen.trim_start_matches("unix:"), bug).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_little_ledger_keeps_the_laws_over_the_wire() {
    let system = System::start().await;
    let told = |row: &passerelle_kit::Row| println!("{}", row.line());
    let report = passerelle_kit::over_the_wire(subject(&system, WireBug::None), ".".into(), &[], told).await.expect("a subject");
    crate::hold(&report);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_little_ledger_that_tells_of_what_was_posted_keeps_the_laws() {
    let system = System::start().await;
    let only = ["receive".to_owned(), "restart".to_owned(), "describe".to_owned()];
    let report =
        passerelle_kit::over_the_wire(subject(&system, WireBug::Receives), ".".into(), &only, |_| {}).await.expect("a subject");
    crate::hold(&report);
    assert_eq!(report.rows.iter().filter(|row| row.law.group() == "receive" && row.outcome == Outcome::Kept).count(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_bug_of_the_protocol_is_caught_by_the_law_that_is_meant_for_it() {
    let mut missed = Vec::new();
    for (bug, law) in BUGS {
        let system = System::start().await;
        let only = [law.to_owned()];
        let report = passerelle_kit::over_the_wire(subject(&system, bug), ".".into(), &only, |_| {}).await.expect("a subject");
        let row = report.rows.iter().find(|row| row.law.id == law).unwrap_or_else(|| panic!("there is no law {law}"));
        println!("{bug:?}: {law}: {:?}", row.outcome);
        if !matches!(row.outcome, Outcome::Broken(_)) {
            missed.push(format!("{bug:?} is not caught by {law}: {:?}", row.outcome));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
