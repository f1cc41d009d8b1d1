//! An adapter that hangs is killed and started anew.

use std::process::Command;

use super::{adapter, followed, world};

#[tokio::test]
async fn an_adapter_that_hangs_is_killed_and_what_comes_in_goes_on() {
    let world = world();
    let file = std::fs::read_to_string(world.path("drop.yaml")).unwrap();
    let short = "timeouts: { connect_ms: 500, introduce_ms: 500, hang_ms: 500 }\n";
    let world = world.file("drop.yaml", &format!("{file}{short}"));
    std::fs::write(world.path("incoming/a"), "a").unwrap();
    let daemon = world.serve();
    let mut followed = followed(&daemon).await;
    followed.until(1).await;
    let pid = adapter(&daemon, 1).to_string();
    // Its connection stands, and it answers nothing.
    assert!(Command::new("kill").args(["-STOP", &pid]).status().unwrap().success());
    std::fs::write(daemon.path("incoming/b"), "b").unwrap();
    adapter(&daemon, 2);
    followed.until(2).await;
    assert!(daemon.log().contains("the adapter hangs"), "{}", daemon.log());
}
