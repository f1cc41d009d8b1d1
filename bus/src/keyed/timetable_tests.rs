//! What is held, what is left to the projection, and what comes in while it is read.

use super::alarm::Alarm;
use super::timetable::{Next, Timetable};

fn alarm(due: i64) -> Alarm {
    Alarm { due, position: 1, key: "key".into(), name: "name".into() }
}

/// A timetable that has read all there is.
fn read(limit: usize, dues: &[i64]) -> Timetable {
    let timetable = Timetable::new(limit);
    timetable.loading();
    timetable.loaded(dues.iter().copied().map(alarm).collect(), None);
    timetable
}

#[test]
fn it_reads_before_it_says_anything() {
    let timetable = Timetable::new(2);
    timetable.set(7, [alarm(5)]);
    let Next::Load { from, position } = timetable.next() else { panic!("it knows nothing yet") };
    assert!(from < alarm(i64::MIN));
    assert_eq!(position, 7, "the record is to be among those read");
}

#[test]
fn the_latest_are_left_to_the_projection_when_there_are_too_many() {
    let timetable = read(2, &[10, 20]);
    timetable.set(3, [alarm(15)]);
    assert_eq!(timetable.held(), [10, 15]);
    timetable.set(4, [alarm(18), alarm(30)]);
    assert_eq!(timetable.held(), [10, 15]);
    assert_eq!(timetable.take(15, 9), [alarm(10), alarm(15)]);
    assert_eq!(timetable.next(), Next::Load { from: alarm(18), position: 4 });
}

#[test]
fn what_is_set_while_it_reads_is_not_lost() {
    let timetable = read(4, &[10]);
    timetable.start_over();
    timetable.loading();
    timetable.set(9, [alarm(40), alarm(5)]);
    timetable.loaded(vec![alarm(10), alarm(20)], Some(alarm(30)));
    assert_eq!(timetable.held(), [5, 10, 20]);
    assert_eq!(timetable.take(100, 9), [alarm(5), alarm(10), alarm(20)]);
    // It is durable, so it is among those read from there on.
    assert_eq!(timetable.next(), Next::Load { from: alarm(30), position: 9 });
}

#[test]
fn a_reading_that_fails_is_made_again_from_the_same_place() {
    let timetable = read(2, &[10, 20]);
    timetable.set(3, [alarm(15)]);
    timetable.loading();
    timetable.set(5, [alarm(25)]);
    timetable.loaded(Vec::new(), Some(alarm(20)));
    assert_eq!(timetable.held(), [10, 15]);
    assert_eq!(timetable.take(15, 9), [alarm(10), alarm(15)]);
    assert_eq!(timetable.next(), Next::Load { from: alarm(20), position: 5 });
}

#[test]
fn what_is_due_is_taken_out_second_by_second() {
    const SECOND: i64 = 1_000_000_000;
    let timetable = read(9, &[-1, 0, 1, 2, SECOND, SECOND + 1]);
    assert_eq!(timetable.take(-2, 9), []);
    assert_eq!(timetable.take(SECOND, 9), [alarm(-1)]);
    assert_eq!(timetable.take(SECOND, 2), [alarm(0), alarm(1)]);
    assert_eq!(timetable.take(SECOND, 2), [alarm(2)]);
    assert_eq!(timetable.take(SECOND, 2), [alarm(SECOND)]);
    assert_eq!(timetable.next(), Next::Alarm(alarm(SECOND + 1)));
}

#[test]
fn what_may_come_after_others_that_are_not_held_is_not_taken() {
    let timetable = read(1, &[10, 20]);
    assert_eq!(timetable.take(100, 9), [alarm(10)]);
    assert_eq!(timetable.take(100, 9), []);
    assert_eq!(timetable.next(), Next::Load { from: alarm(20), position: 0 });
}
