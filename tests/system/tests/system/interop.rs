//! Ruby's interop client, the bus, Ruby's interop server: what works directly works through the bus.

use passerelle_peers::ruby::{CASES, InteropServer, NOT_SERVED, run_case};
use passerelle_system::World;

#[test]
fn every_interop_case_ends_through_the_bus_as_it_ends_directly() {
    let Some(server) = InteropServer::start() else { return };
    let daemon = World::default()
        .copy(&InteropServer::contract(), "interop.proto")
        .settings(&format!(
            "endpoints:\n  interop: {{ addresses: [\"http://{}\"], contract: {{ proto: [interop.proto] }} }}\n",
            server.address()
        ))
        .serve();
    let passed = CASES.iter().filter(|case| {
        let Some(run) = run_case(case, daemon.channels) else { return false };
        assert_eq!(run.status.success(), !NOT_SERVED.contains(case), "{case}: {run:?}");
        run.status.success()
    });
    assert_eq!(passed.count(), 13);
}
