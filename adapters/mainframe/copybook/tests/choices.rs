//! Storage that several items share.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod oracle;

use expect_test::expect;
use oracle::{codec, hex, read, say, written};
use passerelle_copybook::Encoding;
use serde_json::json;

const SHAPES: &str = "01 R.
05 KIND PIC X.
   88 IS-CIRCLE VALUE 'C'.
05 CIRCLE.
   10 RADIUS PIC 9(2).
05 BOX REDEFINES CIRCLE.
   10 N PIC 9.
   10 SIDE OCCURS 0 TO 3 DEPENDING ON N PIC 9.
05 RAW REDEFINES CIRCLE PIC X(3).";

const WHEN: &str = "CIRCLE: {when: IS-CIRCLE}, BOX: {when: 'KIND in [\"B\", \"b\"]'}";

#[test]
fn the_discriminator_chooses_and_is_set() {
    let codec = codec(SHAPES, "", WHEN, &Encoding::default());
    read(
        &codec,
        &["C12", "C12  ", "B0", "B212", "B3123", "B4123", "B312", "X12", "C1", ""],
        expect![[r#"
        C12
          {"circle":{"radius":12},"kind":"C"}
        C12  
          {"circle":{"radius":12},"kind":"C"}
        B0
          {"box":{},"kind":"B"}
        B212
          {"box":{"side":[1,2]},"kind":"B"}
        B3123
          {"box":{"side":[1,2,3]},"kind":"B"}
        B4123
          BOX.N at offset 1, 1 bytes: it counts 4 elements, and the table has room for 3
        B312
          BOX.SIDE(3) at offset 4, 1 bytes: the record has 4 bytes, 1 too few
        X12
          CIRCLE at offset 1, 0 bytes: no `when:` holds for what shares this storage: add one, or `otherwise`
        C1
          CIRCLE at offset 1, 2 bytes: the record has 2 bytes, 1 too few

          R at offset 0, 1 bytes: the record has 0 bytes, 1 too few
    "#]],
    );
    written(
        &codec,
        &[
            json!({"circle": {"radius": 7}}),
            json!({"kind": "C", "circle": {"radius": 7}}),
            json!({"box": {"side": [1, 2]}}),
            json!({"kind": "b", "box": {}}),
            json!({"kind": "C", "box": {}}),
            json!({"kind": "C"}),
            json!({"kind": "X"}),
            json!({}),
            json!({"circle": {}, "box": {}}),
        ],
        expect![[r#"
            {"circle":{"radius":7}}
              c3 f0 f7 00 00
            {"circle":{"radius":7},"kind":"C"}
              c3 f0 f7 00 00
            {"box":{"side":[1,2]}}
              c2 f2 f1 f2 00
            {"box":{},"kind":"b"}
              82 f0 f0 00 00
            {"box":{},"kind":"C"}
              KIND at offset 0, 1 bytes: it stands for another item than the one that was given
            {"kind":"C"}
              c3 f0 f0 00 00
            {"kind":"X"}
              CIRCLE at offset 1, 0 bytes: none of what shares this storage was given: set one field of the oneof
            {}
              CIRCLE at offset 1, 0 bytes: none of what shares this storage was given: set one field of the oneof
            {"box":{},"circle":{}}
              BOX: another field of the same oneof is there already
        "#]],
    );
}

#[test]
fn otherwise_takes_what_no_other_does() {
    let codec = codec(SHAPES, "", &format!("RAW: {{when: otherwise}}, {WHEN}"), &Encoding::default());
    read(
        &codec,
        &["C12", "XABC", "XA"],
        expect![[r#"
        C12
          {"circle":{"radius":12},"kind":"C"}
        XABC
          {"kind":"X","raw":"ABC"}
        XA
          RAW at offset 1, 3 bytes: the record has 2 bytes, 2 too few
    "#]],
    );
    written(
        &codec,
        &[json!({"kind": "X", "raw": "ABC"}), json!({"raw": "A"}), json!({"kind": "C", "raw": "A"}), json!({"kind": "Y"})],
        expect![[r#"
        {"kind":"X","raw":"ABC"}
          e7 c1 c2 c3 00
        {"raw":"A"}
          40 c1 40 40 00
        {"kind":"C","raw":"A"}
          KIND at offset 1, 1 bytes: it stands for another item than the one that was given
        {"kind":"Y"}
          e8 40 40 40 00
    "#]],
    );
}

#[test]
fn a_discriminator_that_is_not_shown_is_set_all_the_same() {
    let hidden = codec(SHAPES, "exclude: [KIND]", WHEN, &Encoding::default());
    written(
        &hidden,
        &[json!({"circle": {"radius": 7}}), json!({"box": {"side": [1]}})],
        expect![[r#"
        {"circle":{"radius":7}}
          c3 f0 f7 00 00
        {"box":{"side":[1]}}
          c2 f1 f1 00 00
    "#]],
    );
    let constant = codec(SHAPES, "set: {KIND: C}", WHEN, &Encoding::default());
    written(
        &constant,
        &[json!({"circle": {"radius": 7}}), json!({"box": {}}), json!({})],
        expect![[r#"
        {"circle":{"radius":7}}
          c3 f0 f7 00 00
        {"box":{}}
          KIND at offset 0, 1 bytes: it stands for another item than the one that was given
        {}
          c3 f0 f0 00 00
    "#]],
    );
}

#[test]
fn the_last_member_of_a_oneof_wins_and_messages_are_merged() {
    let codec = codec(SHAPES, "", WHEN, &Encoding::default());
    // KIND is 1, CIRCLE 2 with RADIUS 1, BOX 3 with SIDE 1.
    let table: [(&str, &[u8]); 4] = [
        ("circle then box", &[0x12, 2, 8, 7, 0x1a, 3, 10, 1, 5]),
        ("box then circle", &[0x1a, 3, 10, 1, 5, 0x12, 2, 8, 7]),
        ("box and box", &[0x1a, 2, 8, 5, 0x1a, 3, 10, 1, 6]),
        ("circle, box, circle", &[0x12, 2, 8, 7, 0x1a, 0, 0x12, 0]),
    ];
    let lines = table.map(|(name, message)| format!("{name}: {}\n", say(codec.encode(message), |record| hex(&record))));
    expect![[r#"
        circle then box: c2 f1 f5 00 00
        box then circle: c3 f0 f7 00 00
        box and box: c2 f2 f5 f6 00
        circle, box, circle: c3 f0 f0 00 00
    "#]]
    .assert_eq(&lines.concat());
}
