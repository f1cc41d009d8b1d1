//! An adapter that the bus started ends with the bus, however that ends.

use std::path::Path;
use std::time::Instant;

use super::{PATIENCE, adapter, followed, world};

#[tokio::test]
async fn an_adapter_does_not_outlive_a_bus_that_is_killed() {
    let world = world();
    std::fs::write(world.path("incoming/a"), "a").unwrap();
    let daemon = world.serve();
    // It works, so it is not merely about to start.
    followed(&daemon).await.until(1).await;
    let process = format!("/proc/{}", adapter(&daemon, 1));
    assert!(Path::new(&process).exists());
    let _world = daemon.kill();
    let begin = Instant::now();
    while is_running(&process) {
        assert!(begin.elapsed() < PATIENCE, "the adapter lives on");
        tokio::task::yield_now().await;
    }
}

/// Nobody may have taken note of its end yet.
fn is_running(process: &str) -> bool {
    let status = std::fs::read_to_string(format!("{process}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z'))
}
