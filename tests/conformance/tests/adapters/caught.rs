//! Every planted bug is caught, by the law that is meant for it.

use passerelle_kit::Outcome;

use super::bugs::Bug;
use super::subject::in_process;
use super::system::System;

/// Each bug, and the law that is meant for it.
const BUGS: [(Bug, &str); 62] = [
    (Bug::AnswersTwice, "call.unary.one-answer"),
    (Bug::OneAnswerForAll, "call.unary.right"),
    (Bug::OneAnswerForAll, "concurrency.own-answers"),
    (Bug::RunsOut, "call.unary.again"),
    (Bug::NoMessageMadeUp, "call.unary.no-message"),
    (Bug::SecondMessageDropped, "call.unary.two-messages"),
    (Bug::UnknownIsRejected, "call.unknown-method"),
    (Bug::ServiceIgnored, "call.unknown-service"),
    (Bug::NamesFolded, "call.names-exact"),
    (Bug::RefusalIsUnavailable, "call.refusals.class"),
    (Bug::StreamStopsEarly, "stream.complete"),
    (Bug::StreamShuffled, "stream.order"),
    (Bug::StreamEndsWhereItBreaks, "stream.broken-off"),
    (Bug::StreamLeaks, "stream.left-early.frees-connections"),
    (Bug::DeadlineIgnored, "deadline.kept"),
    (Bug::DeadlineOfItsOwn, "deadline.not-before"),
    (Bug::DeadlinePassedIgnored, "deadline.passed"),
    (Bug::DeadlineOverflows, "deadline.far"),
    (Bug::DeadlineCalledUnavailable, "deadline.no-answer-after"),
    (Bug::LateAnswerTaken, "deadline.next-call"),
    (Bug::KeyIgnored, "effect.same-key"),
    (Bug::KeyIgnored, "effect.same-key-at-once"),
    (Bug::KeyAnswersAnything, "effect.other-request"),
    (Bug::KeyFolded, "effect.keys-apart"),
    (Bug::KeyCut, "effect.long-key"),
    (Bug::LongKeyTaken, "effect.long-key"),
    (Bug::KeysInMemory, "restart.keys"),
    (Bug::BrokenIsUnavailable, "effect.cut-answer"),
    (Bug::RepeatsBlindly, "effect.cut-anywhere"),
    (Bug::LookupForgets, "lookup.after-cut"),
    (Bug::LookupForgets, "restart.lookup"),
    (Bug::LookupOtherAnswer, "lookup.done"),
    (Bug::LookupUndecided, "lookup.never-asked"),
    (Bug::LookupFindsAll, "lookup.bad-key"),
    (Bug::OneAtATime, "concurrency.slow-beside-quick"),
    (Bug::DownIsRejected, "fault.system-down"),
    (Bug::NeverReconnects, "fault.system-back"),
    (Bug::HalfAnswerTaken, "fault.cut-answer"),
    (Bug::OneRead, "fault.trickle"),
    (Bug::DuplicateTaken, "fault.duplicate"),
    (Bug::GarbageTaken, "fault.garbage"),
    (Bug::FaultWithoutWords, "fault.words"),
    (Bug::UndecodableIsUnknown, "garbage.truncated"),
    (Bug::UndecodableIsEmpty, "garbage.length-lies"),
    (Bug::TextNotChecked, "garbage.not-utf8"),
    (Bug::LineBreaksPass, "garbage.control-characters"),
    (Bug::UnknownFieldRefused, "garbage.unknown-field"),
    (Bug::HealthAlwaysReady, "health.down"),
    (Bug::HealthWaits, "health.in-time"),
    (Bug::DrainTakesNew, "drain.refuses-new"),
    (Bug::DrainDoesNotWait, "drain.waits"),
    (Bug::DrainCutsOff, "drain.in-flight"),
    (Bug::DrainSleeps, "drain.idle"),
    (Bug::FaultQuotesRequest, "secret.request-not-repeated"),
    (Bug::FaultQuotesSecret, "secret.faults"),
    (Bug::ConnectsWhenOpened, "configure.system-down"),
    (Bug::UnknownSettingPassed, "configure.unknown-setting"),
    (Bug::BadSettingsTaken, "configure.no-object"),
    (Bug::ContractMisnamed, "contract.named"),
    (Bug::ContractBroken, "contract.compiles"),
    (Bug::ContractChanges, "contract.steady"),
    (Bug::MethodNotServed, "contract.served"),
];

/// Those of the contract's names that have no room above.
const NAMES: [(Bug, &str); 3] = [
    (Bug::IdempotentMisspelt, "contract.idempotent"),
    (Bug::PostCalledIdempotent, "contract.effect-not-idempotent"),
    (Bug::BehindWithPassword, "contract.behind"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_planted_bug_is_caught_by_the_law_that_is_meant_for_it() {
    let mut missed = Vec::new();
    for (bug, law) in BUGS.into_iter().chain(NAMES) {
        let system = System::start().await;
        let report = passerelle_kit::in_process(in_process(bug, &system), &[law.to_owned()], |_| {}).await;
        let row = report.rows.iter().find(|row| row.law.id == law);
        let row = row.unwrap_or_else(|| panic!("there is no law {law}"));
        println!("{bug:?}: {law}: {:?}", row.outcome);
        if !matches!(row.outcome, Outcome::Broken(_)) {
            missed.push(format!("{bug:?} is not caught by {law}: {:?}", row.outcome));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
