//! Ruby's interop client against Ruby's interop server.

use passerelle_peers::ruby::{CASES, InteropServer, NOT_SERVED, run_case};

#[test]
fn thirteen_of_fifteen_interop_cases_pass_without_the_bus() {
    let Some(server) = InteropServer::start() else { return };
    for case in CASES {
        let Some(run) = run_case(case, server.address()) else { return };
        assert_eq!(run.status.success(), !NOT_SERVED.contains(&case), "{case}: {run:?}");
    }
}
