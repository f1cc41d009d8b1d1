//! Storage that is shared, tables that vary, and what is written where no field is.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod oracle;

use expect_test::{Expect, expect};
use oracle::hex;
use passerelle_copybook::{
    Codec, ContractBuilder, Copybook, Encoding, Fields, Lock, MessageModel, MessageRules, OccursDepending, RecordError,
    TrailingBytes,
};
use serde_json::{Value, json};

fn codec(entries: &str, rules: &str, fields: &str, encoding: &Encoding) -> Codec {
    let source: String = entries.lines().map(|line| format!("       {line}\n")).collect();
    let copybook = Copybook::parse("t.cpy", &source).unwrap();
    let rules: MessageRules = serde_saphyr::from_str(&format!("{{copybook: t.cpy, {rules}}}")).unwrap();
    let fields: Fields = serde_saphyr::from_str(&format!("{{{fields}}}")).unwrap();
    let model = |name| MessageModel::build(name, copybook.record(None).unwrap(), &rules, &fields).unwrap();
    let contract = ContractBuilder::new("t", "T", Lock::default()).operation("O", &model("M"), &model("N")).finish().unwrap();
    oracle::compile(&contract);
    Codec::compile(copybook.record(None).unwrap(), contract.request("O").unwrap(), encoding).unwrap()
}

fn say<T>(result: Result<T, RecordError>, print: impl FnOnce(T) -> String) -> String {
    result.map_or_else(|error| error.to_string(), print)
}

fn written(codec: &Codec, messages: &[Value], expected: Expect) {
    let lines =
        messages.iter().map(|message| format!("{message}\n  {}\n", say(codec.encode_json(message), |record| hex(&record))));
    expected.assert_eq(&lines.collect::<String>());
}

fn read(codec: &Codec, records: &[&str], expected: Expect) {
    let bytes =
        |text: &str| text.chars().map(|c| passerelle_copybook::CodePage::default().encode(c).unwrap()).collect::<Vec<u8>>();
    let lines =
        records.iter().map(|record| format!("{record}\n  {}\n", say(codec.decode_json(&bytes(record)), |json| json.to_string())));
    expected.assert_eq(&lines.collect::<String>());
}

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
              {"kind":"C","circle":{"radius":12}}
            C12  
              {"kind":"C","circle":{"radius":12}}
            B0
              {"kind":"B","box":{}}
            B212
              {"kind":"B","box":{"side":[1,2]}}
            B3123
              {"kind":"B","box":{"side":[1,2,3]}}
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
            {"kind":"C","circle":{"radius":7}}
              c3 f0 f7 00 00
            {"box":{"side":[1,2]}}
              c2 f2 f1 f2 00
            {"kind":"b","box":{}}
              82 f0 f0 00 00
            {"kind":"C","box":{}}
              KIND at offset 0, 1 bytes: it stands for another item than the one that was given
            {"kind":"C"}
              c3 f0 f0 00 00
            {"kind":"X"}
              CIRCLE at offset 1, 0 bytes: none of what shares this storage was given: set one field of the oneof
            {}
              CIRCLE at offset 1, 0 bytes: none of what shares this storage was given: set one field of the oneof
            {"circle":{},"box":{}}
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
              {"kind":"C","circle":{"radius":12}}
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
              {"mid":"ab","endMark":"Z"}
            2XYab0212Z
              {"a":["X","Y"],"mid":"ab","b":[{},{"c":[1,2]}],"endMark":"Z"}
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
            {"mid":"cd","endMark":"Z"}
              f0 83 84 e9
            {"a":["X","Y"],"b":[{},{"c":[1,2]}],"endMark":"Z"}
              f2 e7 e8 40 40 f0 f2 f1 f2 e9
            {"a":["X","Y"],"b":[{}]}
              B at offset 5, 0 bytes: 1 elements, and another table with the same counter has 2
            {"b":[{"c":[1,2,3]}],"a":["X"]}
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
    let one = self::codec(TABLES, "exclude: [B]", "", &Encoding::default());
    read(
        &one,
        &["2XYab0212Z"],
        expect![[r#"
            2XYab0212Z
              {"a":["X","Y"],"mid":"ab","endMark":"Z"}
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
              {"mid":"ab","endMark":"Z"}
            1X..ab17.......Z
              {"a":["X"],"mid":"ab","b":[{"c":[7]}],"endMark":"Z"}
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

#[test]
fn what_is_not_shown_holds_its_value_or_spaces_or_zeros() {
    let entries = "01 R.
05 A PIC X(3) VALUE 'ab'.
05 B PIC 9(3) VALUE 42.
05 C PIC S9(3) COMP-3 VALUE -7.
05 D PIC X(2) VALUE LOW-VALUES.
05 E PIC X(3) VALUE ALL '*-'.
05 F PIC X(2) VALUE X'0102'.
05 FILLER PIC X(2).
05 FILLER PIC 9(2).
05 FILLER PIC 9(4) COMP.
05 G VALUE 'group'.
   10 H PIC X(2).
   10 I PIC X(5).
05 J OCCURS 2.
   10 K PIC X VALUE 'k'.
   10 L PIC 9V9 VALUE ZERO.
05 M PIC S9(4) COMP SYNC.
05 Z PIC X.";
    let codec = codec(entries, "include: [Z]", "", &Encoding::default());
    written(
        &codec,
        &[json!({"z": "Z"})],
        expect![[r#"
        {"z":"Z"}
          81 82 40 f0 f4 f2 00 7d 00 00 5c 60 5c 01 02 40 40 f0 f0 00
        00 87 99 96 a4 97 40 40 92 f0 f0 92 f0 f0 00 00 e9
    "#]],
    );
    let set = self::codec(entries, "include: [Z], set: {A: xyz, B: 7, C: '-12', K: q, L: '1.5'}", "", &Encoding::default());
    written(
        &set,
        &[json!({})],
        expect![[r#"
        {}
          a7 a8 a9 f0 f0 f7 01 2d 00 00 5c 60 5c 01 02 40 40 f0 f0 00
        00 87 99 96 a4 97 40 40 98 f1 f5 98 f1 f5 00 00 40
    "#]],
    );
}

#[test]
fn values_and_constants_that_do_not_fit_are_refused_when_compiled() {
    let refused = |entries: &str, rules: &str, fields: &str| {
        let source: String = entries.lines().map(|line| format!("       {line}\n")).collect();
        let copybook = Copybook::parse("t.cpy", &source).unwrap();
        let rules: MessageRules = serde_saphyr::from_str(&format!("{{copybook: t.cpy, {rules}}}")).unwrap();
        let fields: Fields = serde_saphyr::from_str(&format!("{{{fields}}}")).unwrap();
        let record = copybook.record(None).unwrap();
        let model = |name| MessageModel::build(name, record, &rules, &fields).unwrap();
        let contract = ContractBuilder::new("t", "T", Lock::default()).operation("O", &model("M"), &model("N")).finish().unwrap();
        Codec::compile(record, contract.request("O").unwrap(), &Encoding::default()).unwrap_err().to_string() + "\n"
    };
    let said = [
        refused("01 R.\n05 A PIC X VALUE 'ab'.\n05 B PIC X.", "include: [B]", ""),
        refused("01 R.\n05 A PIC 9 VALUE 12.\n05 B PIC X.", "include: [B]", ""),
        refused("01 R.\n05 A PIC 9 VALUE 1.5.\n05 B PIC X.", "include: [B]", ""),
        refused("01 R.\n05 A PIC 9.\n05 B PIC X.", "set: {A: x}", ""),
        refused("01 R.\n05 A PIC X.\n05 B PIC X.", "set: {A: €}", ""),
        refused("01 R.\n05 A PIC X.\n  88 BIG VALUE 'ab'.\n05 B PIC X.", "", "A: {enum: true}"),
        refused("01 R.\n05 A PIC X.\n05 B PIC X.\n05 C REDEFINES B PIC 9.", "", "B: {when: A = 'ab'}"),
    ];
    expect![[r#"
        A (line 2): VALUE: text of 2 characters, and the item has room for 1
        A (line 2): VALUE: too large for the 1 digits of its picture
        A (line 2): VALUE: not a number that fits the picture
        A (line 2): VALUE: not a number that fits the picture
        A (line 2): VALUE: character 1 of the text is not in ibm1047: choose another code page or another character
        A (line 2): level 88 BIG: text of 2 characters, and the item has room for 1
        A (line 2): when: text of 2 characters, and the item has room for 1
    "#]]
    .assert_eq(&said.concat());
}

#[test]
fn messages_without_numbers_or_of_another_record_are_refused() {
    let copybook = Copybook::parse("t.cpy", "       01 R.\n       05 A PIC X.\n       01 S.\n       05 B PIC X.\n").unwrap();
    let (r, s) = (copybook.record(Some("R")).unwrap(), copybook.record(Some("s")).unwrap());
    let model = |name| MessageModel::build(name, r, &MessageRules::default(), &Fields::new()).unwrap();
    let unnumbered = Codec::compile(r, &model("M"), &Encoding::default()).unwrap_err();
    let contract = ContractBuilder::new("t", "T", Lock::default()).operation("O", &model("M"), &model("N")).finish().unwrap();
    let other = Codec::compile(s, contract.request("O").unwrap(), &Encoding::default()).unwrap_err();
    expect![[r#"
        A: the message has no field numbers yet: take it from its contract
        A: the message was made from another record
        record: several records, say which (there are: R, S)"#]]
    .assert_eq(&format!("{unnumbered}\n{other}\n{}", copybook.record(None).unwrap_err()));
}

#[test]
fn groups_can_be_one_field_and_numbers_enums() {
    let entries = "01 R.
05 G.
   10 A PIC X(2).
   10 B PIC X(2).
05 S PIC 9.
   88 LOW VALUES 1 THRU 3.
   88 HIGH VALUE 4 5.
05 T OCCURS 2 PIC X.
   88 YES VALUE 'Y' 'J'.
   88 NO VALUE 'N' SPACE.";
    let codec = codec(entries, "", "G: {as: string}, S: {enum: true}, T: {enum: true}", &Encoding::default());
    read(
        &codec,
        &["abcd2JN", "    5 Y", "abcd6JN", "abcd1X "],
        expect![[r#"
        abcd2JN
          {"g":"abcd","s":"S_LOW","t":["T_YES","T_NO"]}
            5 Y
          {"s":"S_HIGH","t":["T_NO","T_YES"]}
        abcd6JN
          S at offset 4, 1 bytes: a value that no level 88 entry names: add one, or do not make it an enum
        abcd1X 
          T(1) at offset 5, 1 bytes: a value that no level 88 entry names: add one, or do not make it an enum
    "#]],
    );
    written(
        &codec,
        &[json!({"g": "ab", "s": "S_HIGH", "t": ["T_NO", "T_YES"]}), json!({"s": 1}), json!({"s": 3})],
        expect![[r#"
        {"g":"ab","s":"S_HIGH","t":["T_NO","T_YES"]}
          81 82 40 40 f4 d5 e8
        {"s":1}
          40 40 40 40 f1 40 40
        {"s":3}
          S at offset 4, 1 bytes: an enum value that is not set or not known
    "#]],
    );
}
