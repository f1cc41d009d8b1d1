//! Python's client, the bus, Python's server: all streaming kinds, metadata, trailers, details, compression, deadlines, cancellation.

use passerelle_peers::python::{Disputes, EXERCISE_EXPECTED, exercise};
use passerelle_system::World;

const OPEN: &str = "/bank.disputes.v1.CardDisputes/Open";

/// No deadline of the bus's own, so that a call without one can be seen to stay so.
const LIMITS: &str = "limits: { deadline_ms: 0 }\n";

#[test]
fn a_caller_sees_the_same_through_the_bus_as_directly() {
    let Some(disputes) = Disputes::start() else { return };
    let daemon = World::default()
        .copy(&Disputes::contract(), "contracts/disputes.proto")
        .settings(&format!(
            "{LIMITS}endpoints:\n  disputes: {{ addresses: [\"http://{}\"], contract: {{ proto: [contracts/disputes.proto] }} }}\n",
            disputes.address()
        ))
        .serve();
    let Some(run) = exercise(daemon.channels) else { return };
    assert!(run.status.success(), "{run:?}");
    assert_eq!(run.stdout, EXERCISE_EXPECTED);
}

#[tokio::test]
async fn a_contract_read_by_reflection_serves_as_well_as_a_file() {
    let Some(disputes) = Disputes::start() else { return };
    let daemon = World::default()
        .settings(&format!(
            "{LIMITS}endpoints:\n  disputes: {{ addresses: [\"http://{}\"], contract: {{ reflection: true }} }}\n",
            disputes.address()
        ))
        .serve();
    daemon.client().wait_until_known(OPEN).await;
    let channels = daemon.channels;
    let Some(run) = tokio::task::spawn_blocking(move || exercise(channels)).await.unwrap() else { return };
    assert!(run.status.success(), "{run:?}");
    assert_eq!(run.stdout, EXERCISE_EXPECTED);
}
