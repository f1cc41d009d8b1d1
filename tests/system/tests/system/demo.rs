//! The demo as a new user runs it: nothing installed, every call shown with its way, nothing left behind.

use passerelle_system::World;

#[test]
fn the_demo_shows_each_call_on_its_way_and_ends_cleanly() {
    let world = World::default();
    let run = world.run(&["demo", "--calls", "6", "--pause-ms", "0", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    assert!(run.status.success(), "{run:?}");
    for expected in [
        "bank.accounts.v1.AccountInquiry/InquireAccounts to endpoint accounts",
        "protobuf to EBCDIC record",
        "ACCTINQ at 127.0.0.1:",
        "64 bytes out, 100 bytes back",
        r#""customerName":"DUPONT CHLOÉ","balance":"-1234.56""#,
        "D-1 opened over 4200 cents",
        "received · the merchant was asked · the merchant did not answer in time · the amount was given back",
        "NotFound: no such customer",
        "the host closed the connection",
    ] {
        assert!(run.stdout.contains(expected), "no “{expected}” in\n{}", run.stdout);
    }
    let folder = run.stdout.lines().find_map(|line| line.trim().strip_prefix("files")).expect("the folder is named").trim();
    assert!(!std::path::Path::new(folder).exists(), "{folder} is left behind");
}

#[test]
fn the_sample_files_are_what_the_program_makes_of_them() {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/sample/accounts");
    let read = |name: &str| std::fs::read_to_string(format!("{sample}/{name}")).unwrap();
    let names = ["mainframe.yaml", "ACCTINQ.cpy", "accounts.lock.yaml"];
    let world = names.iter().fold(World::default(), |world, name| world.file(name, &read(name)));
    let run = world.run(&["copybook", "proto", "mainframe.yaml"]);
    assert!(run.status.success(), "{run:?}");
    for name in ["accounts.lock.yaml", "bank/accounts/v1/account_inquiry.proto"] {
        let made = std::fs::read_to_string(world.path(name)).unwrap();
        assert!(
            made == read(name),
            "deploy/sample/accounts/{name} is stale: run `passerelle copybook proto mainframe.yaml` there"
        );
    }
}
