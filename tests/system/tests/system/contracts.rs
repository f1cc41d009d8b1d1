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
    assert_eq!(look(&daemon).status.code(), Some(2), "there is no such method yet");

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
    assert_eq!(look(&daemon).status.code(), Some(2));
}

#[test]
fn a_back_office_that_compresses_all_it_says_is_reflected_and_called() {
    let Some(disputes) = Disputes::start_compressing() else { return };
    let daemon = World::default().settings("").serve();
    let added = passerelle(&daemon, &["add", "--reflect", &format!("http://{}", disputes.address())]);
    assert!(added.status.success(), "{added:?}");
    let looked = look(&daemon);
    assert!(looked.status.success(), "{looked:?}");
}

#[test]
fn every_kind_of_call_is_made_from_the_command_line() {
    let Some(disputes) = Disputes::start() else { return };
    let daemon = World::default()
        .copy(&Disputes::contract(), "disputes.proto")
        .settings(&format!(
            "endpoints:\n  disputes: {{ addresses: [\"http://{}\"], contract: {{ proto: [disputes.proto] }} }}\n",
            disputes.address()
        ))
        .serve();
    let address = format!("http://{}", daemon.channels);
    let cases = [
        ("Open", r#"{"cardToken": "c-1", "amountCents": 4200}"#, 0, r#""amountCents":"4200""#),
        ("Open", r#"{"cardToken": "c-1", "amountCents": 0}"#, 1, "INVALID_ARGUMENT"),
        ("Open", r#"{"cardToken": 7}"#, 2, "cardToken"),
        ("Attach", r#"{"content": "aGVsbG8="} {"content": "aGVsbG8="}"#, 0, r#""pieces":2,"bytes":"10""#),
        ("Follow", r#"{"label": "a", "events": 3}"#, 0, r#"{"number":3,"text":"a 3"}"#),
        ("Discuss", r#"{"text": "one"} {"text": "two"}"#, 0, r#"{"text":"TWO"}"#),
        ("Opne", "{}", 2, "CardDisputes/Open"),
    ];
    for (method, json, code, expected) in cases {
        let run = World::default().run(&["call", method, "--address", &address, "--json", json]);
        assert_eq!(run.status.code(), Some(code), "{method} {json}: {run:?}");
        assert!((run.stdout.clone() + &run.stderr).contains(expected), "{method} {json}: {run:?}");
    }
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
