//! Python's client against Python's server.

use passerelle_peers::python::{Disputes, EXERCISE_EXPECTED, Load, exercise};

#[test]
fn the_exercise_sees_what_it_should() {
    let Some(disputes) = Disputes::start() else { return };
    let Some(run) = exercise(disputes.address()) else { return };
    assert!(run.status.success(), "{run:?}");
    assert_eq!(run.stdout, EXERCISE_EXPECTED);
}

#[test]
fn the_load_reports_only_right_answers() {
    let (Some(one), Some(other)) = (Disputes::start(), Disputes::start()) else { return };
    let Some(load) = Load::start(&[one.address(), other.address()]) else { return };
    let report = load.finish();
    assert!(report.ends_with(r#""failed": {}}"#), "{report}");
}

#[test]
fn the_load_reports_calls_that_fail() {
    let (Some(one), Some(other)) = (Disputes::start(), Disputes::start()) else { return };
    let Some(load) = Load::start(&[one.address(), other.address()]) else { return };
    drop(one);
    drop(other);
    let report = load.finish();
    assert!(report.contains("UNAVAILABLE"), "{report}");
}
