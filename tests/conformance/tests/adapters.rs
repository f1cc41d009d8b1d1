//! The conformance kit: good adapters keep every law, and each planted bug is caught by the law that is meant for it.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod adapters {
    pub(crate) mod bugs;
    pub(crate) mod caught;
    pub(crate) mod ledger;
    pub(crate) mod line;
    pub(crate) mod subject;
    pub(crate) mod system;
}

use adapters::bugs::Bug;
use adapters::subject::in_process;
use adapters::system::System;
use passerelle_kit::Report;

/// Fails with the report where a law is broken.
fn hold(report: &Report) {
    println!("{}", report.text());
    assert!(report.broken().next().is_none(), "{}", report.text());
}

#[test]
fn there_are_enough_laws_and_each_has_a_name_of_its_own() {
    let laws = passerelle_kit::laws();
    let mut ids: Vec<&str> = laws.iter().map(|law| law.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), laws.len(), "two laws have the same name");
    assert!(laws.len() >= 80, "{} laws", laws.len());
    for law in laws {
        assert!(law.title.len() > 20 && law.why.len() > 20 && law.mend.len() > 10, "{} says too little", law.id);
        assert!(law.title.starts_with(char::is_uppercase) && !law.title.ends_with('.'), "{}: {}", law.id, law.title);
        assert!(law.why.ends_with('.') && law.mend.ends_with('.'), "{}", law.id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_little_ledger_keeps_the_laws() {
    let system = System::start().await;
    let report = passerelle_kit::in_process(in_process(Bug::None, &system), &[], |row| println!("{}", row.line())).await;
    hold(&report);
}
