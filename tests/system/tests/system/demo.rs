//! The demo as a new user runs it: nothing installed, every call shown with its way, a promise kept over a kill, nothing left behind.

use passerelle_system::World;

#[test]
fn the_demo_shows_each_call_on_its_way_and_ends_cleanly() {
    let world = World::default();
    let run = world.run(&["demo", "--calls", "9", "--pause-ms", "0", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    assert!(run.status.success(), "{run:?}");
    for expected in [
        "web calls bank.accounts.v1.AccountInquiry/InquireAccounts, customer 0000004711",
        "routes it to endpoint accounts",
        "protobuf to EBCDIC record",
        "runs ACCTINQ at 127.0.0.1:",
        "64 bytes out, 100 bytes back",
        "customerName DUPONT CHLOÉ, balance -1234.56, overdraftLimit 1500.00, 2 accounts",
        "D-1 opened over 4200 cents",
        "4 events: received · the merchant was asked · … · the amount was given back",
        "NOT_FOUND: no such customer",
        "48 bytes are on disk, version ",
        "48 bytes of application/pdf, the same",
        "found by telephone number; interactions noted so far: 1",
        "the host closed the connection",
        "the mail is stopped; the fraud desk goes on",
        "fraud took card-1, card-2, card-3, card-4",
        "mail has 0 consumers; 4 messages wait for it, on disk",
        "mail took card-1, card-3, card-4",
        ": no postal address",
        "mail took card-2, the same message with the same id",
        "web asks for a callback: ",
        "on disk at position ",
        "before it is due",
        "anna's desk rings for ",
        "known already, not asked again: amount 12,000 EUR, page /loans/car",
        "ended: the customer was reached",
    ] {
        assert!(run.stdout.contains(expected), "no “{expected}” in\n{}", run.stdout);
    }
    // Each call is shown with its own way.
    for (endpoint, calls) in [("accounts", 4), ("disputes", 2), ("letters", 2), ("customers", 1)] {
        let shown = run.stdout.matches(&format!("routes it to endpoint {endpoint}\n")).count();
        assert_eq!(shown, calls, "{endpoint} in\n{}", run.stdout);
    }
    // What to try begins with the program as it was called, here with its long path.
    let widest = run
        .stdout
        .lines()
        .filter(|line| !line.contains("/passerelle "))
        .map(|line| line.chars().count())
        .max()
        .unwrap_or_default();
    assert!(widest <= 100, "a line of {widest} columns in\n{}", run.stdout);
    let folder = run.stdout.lines().find_map(|line| line.strip_prefix("all else that this bank is made of: "));
    let folder = folder.expect("the folder is named");
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
