//! Callbacks and the desk from the command line, as a person meets them.

use passerelle_system::World;

use super::office::world;

/// What a command that must succeed printed.
fn succeeds(run: passerelle_peers::Run) -> String {
    assert!(run.status.success(), "{}", run.stderr);
    run.stdout
}

/// What a command that must fail said.
fn fails(run: passerelle_peers::Run) -> String {
    assert_eq!(run.status.code(), Some(1), "{}", run.stdout);
    run.stderr
}

#[test]
fn a_callback_is_asked_for_shown_and_answered_at_a_desk() {
    let daemon = world("capacity: 2\nslot_seconds: 3600\nring_seconds: 20").serve();
    let address = daemon.address();
    let run = |arguments: &[&str]| {
        let world = World::default();
        world.run(&[arguments, &["--address", &address]].concat())
    };
    let slots = succeeds(run(&["callback", "slots", "sales", "--free"]));
    assert_eq!(slots.lines().count(), 20, "{slots}");
    assert!(slots.lines().all(|line| line.ends_with("Europe/Paris  2 free")), "{slots}");

    let later = slots.lines().nth(3).unwrap().split(' ').next().unwrap().to_owned();
    let wish =
        ["callback", "request", "sales", "--customer", "C-1", "--telephone", "+33 1 23 45 67 89", "--idempotency-key", "k"];
    let promised = succeeds(run(&[&wish[..], &["--at", &later]].concat()));
    assert!(promised.contains("promised  An adviser calls at "), "{promised}");
    assert!(promised.contains("on disk at position "), "{promised}");
    let id = promised.split(' ').next().unwrap();
    let again = succeeds(run(&[&wish[..], &["--at", &later]].concat()));
    assert!(again.starts_with(id) && again.ends_with("(nothing new)\n"), "{again}");

    let desk = World::start(&["desk", "ann", "--auto", "--address", &address]);
    assert_eq!(desk.line_after("seated: "), "ann, all lines");
    let soon = succeeds(run(&["callback", "reschedule", id, "--asap"]));
    assert!(soon.starts_with(id), "{soon}");
    assert!(desk.line_after("connected ").starts_with(id));
    assert!(desk.line_after("closed ").starts_with(id));

    let shown = succeeds(run(&["callback", "show", id]));
    for line in [
        "reached  line sales",
        "The customer was reached.",
        "telephone +33123456789",
        "attempt 1 by ann: the customer was reached",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let other =
        succeeds(run(&["callback", "request", "sales", "--customer", "C-2", "--telephone", "+33123456789", "--at", &later]));
    let other = other.split(' ').next().unwrap();
    assert!(succeeds(run(&["callback", "cancel", other])).contains("cancelled  The customer took it back."));
    let listed = succeeds(run(&["callback", "list", "--status", "reached"]));
    assert!(listed.starts_with(id) && listed.lines().count() == 1, "{listed}");
    let refused = fails(run(&["callback", "slots", "salse"]));
    assert!(refused.contains("NOT_FOUND: there is no line `salse` (there are: sales)"), "{refused}");
}

#[test]
fn lines_are_proven_before_they_are_served() {
    let good = world("capacity: 2");
    let proven = succeeds(good.run(&["check", "--settings", "passerelle.yaml"]));
    assert!(proven.contains("ok callback line sales: 2 calls in 900 seconds, Europe/Paris, at desk advisers"), "{proven}");
    let wrong =
        "callback:\n  lines:\n    sales: { desk: nowhere, time_zone: UTC, capacity: 1, open: { monday: [\"10:00-09:00\"] } }\n";
    let refused = fails(World::default().settings(wrong).run(&["check", "--settings", "passerelle.yaml"]));
    assert!(refused.contains("passerelle.yaml:6:"), "{refused}");
    assert!(refused.contains("`10:00-09:00` ends before it begins"), "{refused}");
    let nowhere = wrong.replace("10:00-09:00", "09:00-10:00");
    let refused = fails(World::default().settings(&nowhere).run(&["check", "--settings", "passerelle.yaml"]));
    assert!(refused.contains("there is no endpoint `nowhere` with adapter `callback`"), "{refused}");
}
