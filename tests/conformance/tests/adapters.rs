//! The conformance kit: good adapters keep every law, and each planted bug is caught by the law that is meant for it.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod adapters {
    pub(crate) mod bugs;
    pub(crate) mod built_in;
    pub(crate) mod caught;
    pub(crate) mod ledger;
    pub(crate) mod line;
    pub(crate) mod receiving;
    pub(crate) mod served;
    pub(crate) mod subject;
    pub(crate) mod system;
    pub(crate) mod wire;
    pub(crate) mod wire_bugs;
}

use adapters::bugs::Bug;
use adapters::built_in::{self, Place};
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

/// One line for each adapter in this process: a test that holds it against all laws.
macro_rules! adapter_laws {
    ($name:ident, $place:expr) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let place: Place = $place.await;
            hold(&passerelle_kit::in_process(place.subject, &[], |row| println!("{}", row.line())).await);
        }
    };
}

adapter_laws!(the_little_ledger_keeps_the_laws, ledger());
adapter_laws!(the_mainframe_keeps_the_laws, built_in::mainframe());
adapter_laws!(a_folder_of_documents_keeps_the_laws, built_in::folder());
adapter_laws!(a_file_of_customers_keeps_the_laws, built_in::customers());
adapter_laws!(a_desk_keeps_the_laws, built_in::desk());
adapter_laws!(a_drop_folder_keeps_the_laws, built_in::drop_folder());

async fn ledger() -> Place {
    let system = System::start().await;
    Place { subject: in_process(Bug::None, &system), _kept: Box::new(system) }
}
