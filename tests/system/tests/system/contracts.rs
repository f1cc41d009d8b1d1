//! A contract's life on a running daemon: added, listed, called, changed, kept over a restart, removed.

use passerelle_peers::Run;
use passerelle_peers::python::Disputes;
use passerelle_system::{Daemon, World};

fn passerelle(daemon: &Daemon, arguments: &[&str]) -> Run {
    let admin = format!("http://{}", daemon.admin);
    let world = World::default().copy(&Disputes::contract(), "disputes.proto");
    let arguments = [&["contract", "--admin", &admin], arguments].concat();
    world.run(&arguments)
}

fn look(daemon: &Daemon) -> Run {
    let address = format!("http://{}", daemon.channels);
    World::default().run(&["call", "Look", "--address", &address, "--json", r#"{"answerBytes": 3}"#])
}

#[test]
fn a_contract_is_added_called_kept_and_removed_without_a_restart() {
    let Some(disputes) = Disputes::start() else { return };
    let world = World::default().settings("");
    let mut daemon = world.serve();
    assert_eq!(look(&daemon).status.code(), Some(1), "nobody serves it yet");

    let address = format!("http://{}", disputes.address());
    let added = passerelle(&daemon, &["add", "--reflect", &address]);
    assert!(added.status.success() && added.stdout.contains("bank.disputes.v1@1: registered"), "{added:?}");
    assert!(look(&daemon).status.success());

    let again = passerelle(&daemon, &["add", "--proto", "disputes.proto", "--address", &address]);
    assert!(again.status.success(), "{again:?}");

    daemon = daemon.restart();
    let listed = passerelle(&daemon, &["list"]);
    assert!(listed.stdout.contains("bank.disputes.v1@1"), "{listed:?}");
    assert!(look(&daemon).status.success(), "what was acknowledged is still there");

    let removed = passerelle(&daemon, &["remove", "bank.disputes.v1"]);
    assert!(removed.status.success(), "{removed:?}");
    assert_eq!(look(&daemon).status.code(), Some(1));
}

#[test]
fn two_daemons_do_not_share_a_data_folder() {
    let world = World::default().settings("");
    let data = world.path("data").display().to_string();
    let _running = world.serve();
    let second = World::default()
        .file("passerelle.yaml", &format!("listen: 127.0.0.1:0\nadmin: {{ listen: 127.0.0.1:0 }}\ndata_dir: {data}\n"));
    let run = second.run(&["serve"]);
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    assert!(run.stderr.contains("another Passerelle is using it"), "{run:?}");
}
