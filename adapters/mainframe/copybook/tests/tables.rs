//! Tables that vary in length.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod oracle;

use expect_test::expect;
use oracle::{codec, read, written};
use passerelle_copybook::{Encoding, OccursDepending, TrailingBytes};
use serde_json::json;

const TABLES: &str = "01 R.
05 H.
   10 N PIC 9.
05 A OCCURS 0 TO 3 DEPENDING ON N PIC X.
05 MID PIC X(2) VALUE 'ab'.
05 B OCCURS 0 TO 3 DEPENDING ON N OF H.
   10 M PIC 9.
   10 C OCCURS 0 TO 2 DEPENDING ON M PIC 9.
05 END-MARK PIC X.";

#[test]
fn tables_slide_and_share_a_counter() {
    let codec = codec(TABLES, "", "", &Encoding::default());
    read(
        &codec,
        &["0abZ", "2XYab0212Z", "1Xab9Z", "3XYZab000"],
        expect![[r#"
        0abZ
          {"endMark":"Z","mid":"ab"}
        2XYab0212Z
          {"a":["X","Y"],"b":[{},{"c":[1,2]}],"endMark":"Z","mid":"ab"}
        1Xab9Z
          B(1).M at offset 4, 1 bytes: it counts 9 elements, and the table has room for 2
        3XYZab000
          B at offset 9, 1 bytes: the record has 9 bytes, 1 too few
    "#]],
    );
    let messages = [
        json!({"mid": "cd", "endMark": "Z"}),
        json!({"a": ["X", "Y"], "b": [{}, {"c": [1, 2]}], "endMark": "Z"}),
        json!({"a": ["X", "Y"], "b": [{}]}),
        json!({"b": [{"c": [1, 2, 3]}], "a": ["X"]}),
    ];
    written(
        &codec,
        &messages,
        expect![[r#"
        {"endMark":"Z","mid":"cd"}
          f0 83 84 e9
        {"a":["X","Y"],"b":[{},{"c":[1,2]}],"endMark":"Z"}
          f2 e7 e8 40 40 f0 f2 f1 f2 e9
        {"a":["X","Y"],"b":[{}]}
          B at offset 5, 0 bytes: 1 elements, and another table with the same counter has 2
        {"a":["X"],"b":[{"c":[1,2,3]}]}
          B(1).C at offset 5, 2 bytes: 3 elements, and the table has room for 2
    "#]],
    );
}

#[test]
fn tables_that_are_not_shown_are_passed_over_and_written_empty() {
    let codec = codec(TABLES, "include: [END-MARK]", "", &Encoding::default());
    read(
        &codec,
        &["2XYab0212Z"],
        expect![[r#"
        2XYab0212Z
          {"endMark":"Z"}
    "#]],
    );
    written(
        &codec,
        &[json!({"endMark": "Z"})],
        expect![[r#"
        {"endMark":"Z"}
          f0 81 82 e9
    "#]],
    );
    let one = oracle::codec(TABLES, "exclude: [B]", "", &Encoding::default());
    read(
        &one,
        &["2XYab0212Z"],
        expect![[r#"
        2XYab0212Z
          {"a":["X","Y"],"endMark":"Z","mid":"ab"}
    "#]],
    );
    written(
        &one,
        &[json!({"a": ["X", "Y"], "endMark": "Z"})],
        expect![[r#"
        {"a":["X","Y"],"endMark":"Z"}
          f2 e7 e8 40 40 f0 f0 e9
    "#]],
    );
}

#[test]
fn hosts_that_keep_the_room_of_unused_elements_are_understood() {
    let fixed = Encoding { odo: OccursDepending::Fixed, ..Encoding::default() };
    let codec = codec(TABLES, "", "", &fixed);
    let messages = [json!({"endMark": "Z"}), json!({"a": ["X"], "b": [{"c": [7]}], "endMark": "Z"})];
    written(
        &codec,
        &messages,
        expect![[r#"
        {"endMark":"Z"}
          f0 40 40 40 40 40 f0 f0 f0 f0 f0 f0 f0 f0 f0 e9
        {"a":["X"],"b":[{"c":[7]}],"endMark":"Z"}
          f1 e7 40 40 40 40 f1 f7 f0 f0 f0 f0 f0 f0 f0 e9
    "#]],
    );
    read(
        &codec,
        &["0   ab0  0  0  Z", "1X..ab17.......Z", "1X..ab17"],
        expect![[r#"
        0   ab0  0  0  Z
          {"endMark":"Z","mid":"ab"}
        1X..ab17.......Z
          {"a":["X"],"b":[{"c":[7]}],"endMark":"Z","mid":"ab"}
        1X..ab17
          B(1).C at offset 9, 0 bytes: the record has 8 bytes, 1 too few
    "#]],
    );
}

#[test]
fn what_follows_the_last_element_is_padding_or_refused() {
    let entries = "01 R.\n05 N PIC 9.\n05 T OCCURS 0 TO 3 DEPENDING ON N PIC X.";
    for (trailing_bytes, expected) in [
        (
            TrailingBytes::Padding,
            expect![[r#"
            1A
              {"t":["A"]}
            1A  
              {"t":["A"]}
            1ABC
              R at offset 2, 2 bytes: bytes behind the last item in use: check counters and copybook, or allow them with `trailing_bytes`
            1ABC    
              R at offset 2, 6 bytes: bytes behind the last item in use: check counters and copybook, or allow them with `trailing_bytes`
            1ABC   D
              R at offset 2, 6 bytes: bytes behind the last item in use: check counters and copybook, or allow them with `trailing_bytes`
        "#]],
        ),
        (
            TrailingBytes::Unused,
            expect![[r#"
            1A
              {"t":["A"]}
            1A  
              {"t":["A"]}
            1ABC
              {"t":["A"]}
            1ABC    
              {"t":["A"]}
            1ABC   D
              R at offset 4, 4 bytes: bytes behind the last item in use: check counters and copybook, or allow them with `trailing_bytes`
        "#]],
        ),
        (
            TrailingBytes::Error,
            expect![[r#"
            1A
              {"t":["A"]}
            1A  
              R at offset 2, 2 bytes: bytes behind the last item in use: check counters and copybook, or allow them with `trailing_bytes`
            1ABC
              R at offset 2, 2 bytes: bytes behind the last item in use: check counters and copybook, or allow them with `trailing_bytes`
            1ABC    
              R at offset 2, 6 bytes: bytes behind the last item in use: check counters and copybook, or allow them with `trailing_bytes`
            1ABC   D
              R at offset 2, 6 bytes: bytes behind the last item in use: check counters and copybook, or allow them with `trailing_bytes`
        "#]],
        ),
    ] {
        let codec = codec(entries, "", "", &Encoding { trailing_bytes, ..Encoding::default() });
        read(&codec, &["1A", "1A  ", "1ABC", "1ABC    ", "1ABC   D"], expected);
    }
}
