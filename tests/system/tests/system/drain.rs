//! A daemon is stopped under load: no call fails.

use passerelle_peers::python::{Disputes, Load};
use passerelle_system::{Daemon, World};

#[test]
fn a_daemon_that_is_stopped_under_load_costs_no_call() {
    let Some(disputes) = Disputes::start() else { return };
    let serve = || -> Daemon {
        World::default()
            .copy(&Disputes::contract(), "disputes.proto")
            .settings(&format!(
                "drain: {{ grace_ms: 20000 }}\nendpoints:\n  disputes: {{ addresses: [\"http://{}\"], contract: {{ proto: [disputes.proto] }} }}\n",
                disputes.address()
            ))
            .serve()
    };
    let (mut stopped, staying) = (serve(), serve());
    let Some(load) = Load::start(&[stopped.channels, staying.channels]) else { return };
    stopped.terminate();
    assert_eq!(stopped.wait().code(), Some(0));
    let report = load.finish();
    assert!(report.ends_with(r#""failed": {}}"#), "{report}");
}
