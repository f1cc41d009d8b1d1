//! Calendars as data: what is open, and which slots there are, on usual days and on the nights when the clock is changed.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use jiff::Timestamp;
use passerelle_bus::calendar::{Hours, Week};

use super::{CallbackSettings, Line, LineName};

fn line(zone: &str, hours: &[&str], closed: &[&str], slot_seconds: u32) -> Line {
    let hours: Vec<Hours> = hours.iter().map(|text| Hours::try_from((*text).to_owned()).expect("hours")).collect();
    let week = Week {
        monday: hours.clone(),
        tuesday: hours.clone(),
        wednesday: hours.clone(),
        thursday: hours.clone(),
        friday: hours.clone(),
        saturday: hours.clone(),
        sunday: hours,
    };
    Line {
        desk: "advisers".to_owned(),
        time_zone: zone.to_owned().try_into().expect("a zone"),
        open: week,
        closed: closed.iter().map(|date| (*date).to_owned().try_into().expect("a date")).collect(),
        slot_seconds,
        capacity: 1,
        horizon_days: 14,
        attempts: 3,
        searches: 30,
        retry_seconds: 1800,
        search_seconds: 60,
        ring_seconds: 45,
        lease_seconds: 3600,
    }
}

fn moment(text: &str) -> i64 {
    text.parse::<Timestamp>().expect("a moment").as_second()
}

/// The slots that end after a moment, as UTC and as the wall's clock shows them.
fn check(line: &Line, after: &str, count: usize, expected: Expect) {
    let calendar = line.calendar();
    let mut text = String::new();
    for slot in calendar.slots(moment(after)).take(count) {
        let at = Timestamp::from_second(slot.start).expect("a moment");
        writeln!(text, "{at}  {}", calendar.local_slot(slot)).expect("text grows");
        assert_eq!(calendar.slot_at(slot.start), Some(slot));
        assert!(calendar.is_open(slot.start) && calendar.is_open(slot.end - 1), "{at}");
    }
    expected.assert_eq(&text);
}

#[test]
fn a_usual_day_is_cut_into_slots_and_what_is_left_over_is_not_promised() {
    let line = line("Europe/Paris", &["09:00-10:20", "14:00-15:00"], &["2026-11-24"], 1800);
    check(
        &line,
        "2026-11-23T08:30:00Z",
        6,
        expect![[r#"
        2026-11-23T08:30:00Z  2026-11-23 09:30-10:00
        2026-11-23T13:00:00Z  2026-11-23 14:00-14:30
        2026-11-23T13:30:00Z  2026-11-23 14:30-15:00
        2026-11-25T08:00:00Z  2026-11-25 09:00-09:30
        2026-11-25T08:30:00Z  2026-11-25 09:30-10:00
        2026-11-25T13:00:00Z  2026-11-25 14:00-14:30
    "#]],
    );
}

#[test]
fn in_spring_the_skipped_hour_is_not_there() {
    check(
        &line("Europe/Paris", &["01:00-05:00"], &[], 1800),
        "2026-03-28T23:59:59Z",
        7,
        expect![[r#"
        2026-03-29T00:00:00Z  2026-03-29 01:00-01:30
        2026-03-29T00:30:00Z  2026-03-29 01:30-03:00
        2026-03-29T01:00:00Z  2026-03-29 03:00-03:30
        2026-03-29T01:30:00Z  2026-03-29 03:30-04:00
        2026-03-29T02:00:00Z  2026-03-29 04:00-04:30
        2026-03-29T02:30:00Z  2026-03-29 04:30-05:00
        2026-03-29T23:00:00Z  2026-03-30 01:00-01:30
    "#]],
    );
    // Hours that begin or end in the gap.
    check(
        &line("Europe/Paris", &["02:30-04:00"], &[], 1800),
        "2026-03-28T23:59:59Z",
        3,
        expect![[r#"
        2026-03-29T01:00:00Z  2026-03-29 03:00-03:30
        2026-03-29T01:30:00Z  2026-03-29 03:30-04:00
        2026-03-30T00:30:00Z  2026-03-30 02:30-03:00
    "#]],
    );
    check(
        &line("Europe/Paris", &["01:00-02:30"], &[], 1800),
        "2026-03-28T23:59:59Z",
        3,
        expect![[r#"
        2026-03-29T00:00:00Z  2026-03-29 01:00-01:30
        2026-03-29T00:30:00Z  2026-03-29 01:30-03:00
        2026-03-29T23:00:00Z  2026-03-30 01:00-01:30
    "#]],
    );
    // Hours that are in the gap.
    check(
        &line("Europe/Paris", &["02:00-03:00"], &[], 1800),
        "2026-03-28T23:59:59Z",
        2,
        expect![[r#"
        2026-03-30T00:00:00Z  2026-03-30 02:00-02:30
        2026-03-30T00:30:00Z  2026-03-30 02:30-03:00
    "#]],
    );
}

#[test]
fn in_autumn_the_hour_that_comes_twice_is_open_twice() {
    check(
        &line("Europe/Paris", &["01:30-03:30"], &[], 1800),
        "2026-10-24T22:00:00Z",
        7,
        expect![[r#"
        2026-10-24T23:30:00Z  2026-10-25 01:30-02:00
        2026-10-25T00:00:00Z  2026-10-25 02:00-02:30 (UTC+02)
        2026-10-25T00:30:00Z  2026-10-25 02:30-02:00 (UTC+02)
        2026-10-25T01:00:00Z  2026-10-25 02:00-02:30 (UTC+01)
        2026-10-25T01:30:00Z  2026-10-25 02:30-03:00 (UTC+01)
        2026-10-25T02:00:00Z  2026-10-25 03:00-03:30
        2026-10-26T00:30:00Z  2026-10-26 01:30-02:00
    "#]],
    );
    check(
        &line("Europe/Paris", &["02:00-02:30"], &[], 1800),
        "2026-10-24T22:00:00Z",
        3,
        expect![[r#"
        2026-10-25T00:00:00Z  2026-10-25 02:00-02:30 (UTC+02)
        2026-10-25T01:00:00Z  2026-10-25 02:00-02:30 (UTC+01)
        2026-10-26T01:00:00Z  2026-10-26 02:00-02:30
    "#]],
    );
    check(
        &line("Europe/Paris", &["00:00-24:00"], &[], 6 * 3600),
        "2026-10-24T22:00:00Z",
        6,
        expect![[r#"
        2026-10-24T22:00:00Z  2026-10-25 00:00-05:00
        2026-10-25T04:00:00Z  2026-10-25 05:00-11:00
        2026-10-25T10:00:00Z  2026-10-25 11:00-17:00
        2026-10-25T16:00:00Z  2026-10-25 17:00-23:00
        2026-10-25T23:00:00Z  2026-10-26 00:00-06:00
        2026-10-26T05:00:00Z  2026-10-26 06:00-12:00
    "#]],
    );
}

#[test]
fn zones_with_whole_days_between_them_and_half_hours_are_right() {
    check(
        &line("Asia/Kathmandu", &["00:00-01:00"], &[], 3600),
        "2026-11-23T00:00:00Z",
        2,
        expect![[r#"
        2026-11-23T18:15:00Z  2026-11-24 00:00-01:00
        2026-11-24T18:15:00Z  2026-11-25 00:00-01:00
    "#]],
    );
    check(
        &line("Pacific/Kiritimati", &["23:00-24:00"], &[], 3600),
        "2026-11-23T00:00:00Z",
        2,
        expect![[r#"
        2026-11-23T09:00:00Z  2026-11-23 23:00-00:00
        2026-11-24T09:00:00Z  2026-11-24 23:00-00:00
    "#]],
    );
    // Lord Howe changes by half an hour.
    check(
        &line("Australia/Lord_Howe", &["01:00-03:00"], &[], 1800),
        "2026-10-03T12:00:00Z",
        4,
        expect![[r#"
        2026-10-03T14:30:00Z  2026-10-04 01:00-01:30
        2026-10-03T15:00:00Z  2026-10-04 01:30-02:30
        2026-10-03T15:30:00Z  2026-10-04 02:30-03:00
        2026-10-04T14:00:00Z  2026-10-05 01:00-01:30
    "#]],
    );
}

#[test]
fn a_line_is_open_within_its_hours_only_and_says_when_next() {
    let calendar = line("Europe/Paris", &["09:00-10:20"], &["2026-11-24"], 1800).calendar();
    let cases = [
        ("2026-11-23T07:59:59Z", false, "2026-11-23T08:00:00Z"),
        ("2026-11-23T08:00:00Z", true, "2026-11-23T08:00:00Z"),
        // After the last slot, but still open.
        ("2026-11-23T09:19:59Z", true, "2026-11-23T09:19:59Z"),
        ("2026-11-23T09:20:00Z", false, "2026-11-25T08:00:00Z"),
        ("2026-11-24T08:30:00Z", false, "2026-11-25T08:00:00Z"),
    ];
    for (at, open, next) in cases {
        assert_eq!(calendar.is_open(moment(at)), open, "{at}");
        assert_eq!(calendar.next_open(moment(at)), Some(moment(next)), "{at}");
    }
}

#[test]
fn a_line_says_when_it_closes() {
    let calendar = line("Europe/Paris", &["09:00-10:20"], &[], 1800).calendar();
    assert_eq!(calendar.closes(moment("2026-11-23T07:59:59Z")), None);
    assert_eq!(calendar.closes(moment("2026-11-23T09:00:00Z")), Some(moment("2026-11-23T09:20:00Z")));
    let nights = line("UTC", &["00:00-02:00", "22:00-24:00"], &[], 60).calendar();
    assert_eq!(nights.closes(moment("2026-11-23T23:00:00Z")), Some(moment("2026-11-24T02:00:00Z")), "over midnight");
    let always = line("UTC", &["00:00-24:00"], &[], 60).calendar();
    assert_eq!(always.closes(moment("2026-11-23T23:00:00Z")), Some(moment("2026-12-01T00:00:00Z")), "looked at again in a week");
}

#[test]
fn a_line_that_never_opens_has_no_slots_and_nobody_hangs() {
    let calendar = line("UTC", &[], &[], 900).calendar();
    assert_eq!(calendar.slots(0).next(), None);
    assert_eq!(calendar.next_open(0), None);
    assert_eq!(calendar.slots(i64::MAX).next(), None);
    assert_eq!(calendar.slots(i64::MIN).next(), None);
}

#[test]
fn what_cannot_be_meant_is_refused_in_words() {
    let cases = ["9-12", "09:00", "12:00-09:00", "22:00-24:01", "09:60-10:00", "", "+9:00-10:00"];
    let refused = cases.map(|text| Hours::try_from(text.to_owned()).expect_err(text)).join("\n");
    expect![[r#"
        `9-12` is no hours; write for example "09:00-12:30", at the latest until 24:00
        `09:00` is no hours; write for example "09:00-12:30", at the latest until 24:00
        `12:00-09:00` ends before it begins (hours over midnight are two: one for each day); write for example "09:00-12:30", at the latest until 24:00
        `22:00-24:01` is no hours; write for example "09:00-12:30", at the latest until 24:00
        `09:60-10:00` is no hours; write for example "09:00-12:30", at the latest until 24:00
        `` is no hours; write for example "09:00-12:30", at the latest until 24:00
        `+9:00-10:00` is no hours; write for example "09:00-12:30", at the latest until 24:00"#]].assert_eq(&refused);

    let mut settings = CallbackSettings::default();
    let mut overlapping = line("UTC", &["09:00-12:00", "11:00-13:00", "14:00-14:10"], &[], 900);
    overlapping.open.saturday.clear();
    settings.lines.insert(LineName::try_from("sales".to_owned()).expect("a name"), overlapping);
    settings.lines.insert(LineName::try_from("never".to_owned()).expect("a name"), line("UTC", &[], &[], 900));
    let mut found = settings.problems(&["phones"]);
    found.extend(settings.problems(&[]).into_iter().take(1));
    let found: Vec<String> = found.into_iter().map(|(path, message)| format!("{path}: {message}")).collect();
    expect![[r#"
        callback.lines.never.desk: `advisers` is no endpoint with adapter `callback` (those are: phones)
        callback.lines.never.open: it never opens: give at least one day its hours
        callback.lines.sales.desk: `advisers` is no endpoint with adapter `callback` (those are: phones)
        callback.lines.sales.open.monday: 11:00-13:00 begins before 09:00-12:00 ends; write hours in order, without overlap
        callback.lines.sales.open.monday: 14:00-14:10 is shorter than one slot of 900 seconds
        callback.lines.sales.open.tuesday: 11:00-13:00 begins before 09:00-12:00 ends; write hours in order, without overlap
        callback.lines.sales.open.tuesday: 14:00-14:10 is shorter than one slot of 900 seconds
        callback.lines.sales.open.wednesday: 11:00-13:00 begins before 09:00-12:00 ends; write hours in order, without overlap
        callback.lines.sales.open.wednesday: 14:00-14:10 is shorter than one slot of 900 seconds
        callback.lines.sales.open.thursday: 11:00-13:00 begins before 09:00-12:00 ends; write hours in order, without overlap
        callback.lines.sales.open.thursday: 14:00-14:10 is shorter than one slot of 900 seconds
        callback.lines.sales.open.friday: 11:00-13:00 begins before 09:00-12:00 ends; write hours in order, without overlap
        callback.lines.sales.open.friday: 14:00-14:10 is shorter than one slot of 900 seconds
        callback.lines.sales.open.sunday: 11:00-13:00 begins before 09:00-12:00 ends; write hours in order, without overlap
        callback.lines.sales.open.sunday: 14:00-14:10 is shorter than one slot of 900 seconds
        callback.lines.never.desk: there is no endpoint `advisers` with adapter `callback`: declare `endpoints: { advisers: { adapter: callback, file: FILE } }`"#]].assert_eq(&found.join("\n"));
}
