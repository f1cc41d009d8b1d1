//! What is wrong with records and messages.

use expect_test::expect;

use super::{bytes, codec, hex, record};
use crate::{Encoding, Probe, ProbeValue};

#[test]
fn what_does_not_fit_a_record_is_refused_with_its_place() {
    let entries = "01 R.
05 T PIC X(3).
05 U PIC 9(2).
05 S PIC S9(2)V9 COMP-3.
05 B PIC S9(4) COMP.
05 P PIC 9PP.
05 E PIC X.
   88 YES VALUE 'Y'.
05 L OCCURS 2 PIC X.
05 N PIC 9.
05 D OCCURS 0 TO 3 DEPENDING ON N.
   10 V PIC 9.
05 G.
   10 W PIC X(2).";
    let codec = codec(entries, "{E: {enum: true}, G: {as: bytes}}", &Encoding::default());
    let good = serde_json::json!({"t": "AB", "e": "E_YES", "g": "QEA="});
    assert_eq!(hex(&codec.encode_json(&good).unwrap()), "C1C240F0F0000C0000F0E84040F04040");
    let table = [
        r#"{"t": "ABCD"}"#,
        r#"{"t": "A€"}"#,
        r#"{"u": 100}"#,
        r#"{"u": -1}"#,
        r#"{"u": "x"}"#,
        r#"{"s": "100"}"#,
        r#"{"s": "1.25"}"#,
        r#"{"s": "1e5"}"#,
        r#"{"s": "--1"}"#,
        r#"{"s": "."}"#,
        r#"{"s": 1}"#,
        r#"{"b": 10000}"#,
        r#"{"b": 40000}"#,
        r#"{"p": "150"}"#,
        r#"{"p": "1000"}"#,
        r#"{"e": "NO"}"#,
        r#"{"e": 7}"#,
        r#"{"e": null}"#,
        r#"{"l": ["A", "B", "C"]}"#,
        r#"{"l": "A"}"#,
        r#"{"d": [{}, {}, {}, {}]}"#,
        r#"{"d": [{"v": 1}, {"v": 10}]}"#,
        r#"{"d": [{"x": 1}]}"#,
        r#"{"g": "QEA"}"#,
        r#"{"g": "QEBA"}"#,
        r#"{"g": "Q"}"#,
        r#"{"nowhere": 1}"#,
        r#"{"n": 1}"#,
        "[]",
    ];
    let mut out = String::new();
    for text in table {
        let mut json = good.clone();
        match (serde_json::from_str(text).unwrap(), &mut json) {
            (serde_json::Value::Object(change), serde_json::Value::Object(all)) => all.extend(change),
            (other, json) => *json = other,
        }
        let said = codec.encode_json(&json).map_or_else(|error| error.to_string(), |record| hex(&record));
        out += &format!("{text}\n  {said}\n");
    }
    expect![[r#"
        {"t": "ABCD"}
          T at offset 0, 3 bytes: text of 4 characters, and the item has room for 3
        {"t": "A€"}
          T at offset 0, 3 bytes: character 2 of the text is not in ibm1047: choose another code page or another character
        {"u": 100}
          U at offset 3, 2 bytes: too large for the 2 digits of its picture
        {"u": -1}
          U: the JSON must be a whole number from 0 here
        {"u": "x"}
          U: the JSON must be a whole number from 0 here
        {"s": "100"}
          S at offset 5, 2 bytes: too large for the 3 digits of its picture
        {"s": "1.25"}
          S at offset 5, 2 bytes: more than 1 decimals
        {"s": "1e5"}
          S at offset 5, 2 bytes: not a decimal number: write it like -12345.67
        {"s": "--1"}
          S at offset 5, 2 bytes: not a decimal number: write it like -12345.67
        {"s": "."}
          S at offset 5, 2 bytes: not a decimal number: write it like -12345.67
        {"s": 1}
          S: the JSON must be a string here
        {"b": 10000}
          B at offset 7, 2 bytes: too large for the 4 digits of its picture
        {"b": 40000}
          B at offset 7, 2 bytes: too large for the 4 digits of its picture
        {"p": "150"}
          P at offset 9, 1 bytes: its last 2 digits must be zeros
        {"p": "1000"}
          P at offset 9, 1 bytes: too large for the 1 digits of its picture
        {"e": "NO"}
          E: no value of this enum (there are: E_YES)
        {"e": 7}
          E at offset 10, 1 bytes: an enum value that is not set or not known
        {"e": null}
          E at offset 10, 1 bytes: the enum has no value: set one
        {"l": ["A", "B", "C"]}
          L at offset 11, 2 bytes: 3 elements, and the table has room for 2
        {"l": "A"}
          L: the JSON must be an array here
        {"d": [{}, {}, {}, {}]}
          D at offset 14, 3 bytes: 4 elements, and the table has room for 3
        {"d": [{"v": 1}, {"v": 10}]}
          D(2).V at offset 15, 1 bytes: too large for the 1 digits of its picture
        {"d": [{"x": 1}]}
          D: no field is called `x` (there are: v)
        {"g": "QEA"}
          C1C240F0F0000C0000F0E84040F04040
        {"g": "QEBA"}
          G at offset 14, 2 bytes: 3 bytes, and the item has exactly 2
        {"g": "Q"}
          G: the JSON must be base64 here
        {"nowhere": 1}
          M: no field is called `nowhere` (there are: t, u, s, b, p, e, l, d, g)
        {"n": 1}
          M: no field is called `n` (there are: t, u, s, b, p, e, l, d, g)
        []
          M: the JSON must be an object here
    "#]]
    .assert_eq(&out);
}

#[test]
fn records_that_break_a_rule_are_refused_with_their_place() {
    let entries = "01 R.
05 A PIC 9(2).
05 N PIC S9(2).
05 T OCCURS 0 TO 3 DEPENDING ON N.
   10 V PIC 9(2) OCCURS 2.
05 Z PIC X.";
    let codec = codec(entries, "", &Encoding::default());
    let table = [
        "",
        "F0",
        "F0F0F0C1F1F1F1",
        "F0F0F0D1F1F1F1F1E9",
        "F0F0F0C4F1F1F1F1E9",
        "F0F04040F1F1F1F1E9",
        "F0F0F0C1F1F1F1F1E9",
        "F0F0F0C2F1F1F1F1F1F1F1C1E9",
        "F0F0F0C2F1F1F1F1F1F1F1B1E9",
        "F0F0F0C2F1F1F1F1F1F1F11FE9",
        "F0F0F0C0E9",
        "F0F0F0C0E940004000",
        "F0F0F0C0E940F100",
    ];
    let say = |given: &&str| {
        format!(
            "{given}\n  {}\n",
            codec.decode_json(&bytes(given)).map_or_else(|error| error.to_string(), |json| json.to_string())
        )
    };
    expect![[r#"

          R at offset 0, 4 bytes: the record has 0 bytes, 4 too few
        F0
          R at offset 0, 4 bytes: the record has 1 bytes, 3 too few
        F0F0F0C1F1F1F1
          T(1) at offset 4, 4 bytes: the record has 7 bytes, 1 too few
        F0F0F0D1F1F1F1F1E9
          N at offset 2, 2 bytes: it counts -1 elements, and the table has room for 3
        F0F0F0C4F1F1F1F1E9
          N at offset 2, 2 bytes: it counts 4 elements, and the table has room for 3
        F0F04040F1F1F1F1E9
          N at offset 2, 2 bytes: a counter of spaces or low-values
        F0F0F0C1F1F1F1F1E9
          {"t":[{"v":[11,11]}],"z":"Z"}
        F0F0F0C2F1F1F1F1F1F1F1C1E9
          {"t":[{"v":[11,11]},{"v":[11,11]}],"z":"Z"}
        F0F0F0C2F1F1F1F1F1F1F1B1E9
          T(2).V(2) at offset 10, 2 bytes: a minus sign, and the picture has no S
        F0F0F0C2F1F1F1F1F1F1F11FE9
          T(2).V(2) at offset 10, 2 bytes: zoned sign X'1' is none of A to F
        F0F0F0C0E9
          {"z":"Z"}
        F0F0F0C0E940004000
          {"z":"Z"}
        F0F0F0C0E940F100
          R at offset 5, 3 bytes: bytes behind the last item in use: check counters and copybook, or allow them with `trailing_bytes`
    "#]].assert_eq(&table.iter().map(say).collect::<String>());
}

#[test]
fn bytes_that_are_no_message_are_refused() {
    let codec =
        codec("01 R.\n05 A PIC 9(2).\n05 B PIC X(2).\n05 C PIC 9 OCCURS 3.\n05 D.\n10 E PIC 9.", "", &Encoding::default());
    let table = [
        "",
        "08 07",
        "08 07 08 09",
        "08",
        "08 80",
        "08 80808080808080808001",
        "08 80808080808080808002",
        "08 8080808080808080808080",
        "09 0000000000000000",
        "0A 01 07",
        "10 01",
        "12 02 C3A9",
        "12 01 C3",
        "12 05 41",
        "18 01 18 02",
        "1A 02 01 02",
        "1A 02 01 80",
        "18 01 1A 02 02 03 18 04",
        "22 02 08 05",
        "22 02 08 05 22 00",
        "22 01 08",
        "00 01",
        "78 01",
        "7B 08 01 7C",
        "7B 08 01 74",
        "7C",
        "7F",
        "FFFFFFFF7F 01",
        "FFFFFFFF0F 01",
    ];
    let say = |given: &&str| {
        format!("{given}\n  {}\n", codec.encode(&bytes(given)).map_or_else(|error| error.to_string(), |record| hex(&record)))
    };
    expect![[r#"

          F0F04040F0F0F0F0
        08 07
          F0F74040F0F0F0F0
        08 07 08 09
          F0F94040F0F0F0F0
        08
          A: not a protobuf message: the message ends inside a number
        08 80
          A: not a protobuf message: the message ends inside a number
        08 80808080808080808001
          A at offset 0, 2 bytes: too large for the 2 digits of its picture
        08 80808080808080808002
          A: not a protobuf message: a number is longer than 64 bits
        08 8080808080808080808080
          A: not a protobuf message: a number is longer than 64 bits
        09 0000000000000000
          A: not a protobuf message: the message holds it with a wire type that is not its type's
        0A 01 07
          A: not a protobuf message: the message holds it with a wire type that is not its type's
        10 01
          B: not a protobuf message: the message holds it with a wire type that is not its type's
        12 02 C3A9
          F0F05140F0F0F0F0
        12 01 C3
          B at offset 2, 2 bytes: text that is not UTF-8
        12 05 41
          B: not a protobuf message: the message ends inside a field
        18 01 18 02
          F0F04040F1F2F0F0
        1A 02 01 02
          F0F04040F1F2F0F0
        1A 02 01 80
          C: not a protobuf message: the message ends inside a number
        18 01 1A 02 02 03 18 04
          C at offset 4, 3 bytes: 4 elements, and the table has room for 3
        22 02 08 05
          F0F04040F0F0F0F5
        22 02 08 05 22 00
          F0F04040F0F0F0F5
        22 01 08
          D.E: not a protobuf message: the message ends inside a number
        00 01
          R: not a protobuf message: a field has the number 0
        78 01
          F0F04040F0F0F0F0
        7B 08 01 7C
          F0F04040F0F0F0F0
        7B 08 01 74
          R: not a protobuf message: a group is closed by another's end
        7C
          R: not a protobuf message: a group is closed that was not open
        7F
          R: not a protobuf message: a field has an unknown wire type
        FFFFFFFF7F 01
          R: not a protobuf message: a tag is longer than 32 bits
        FFFFFFFF0F 01
          R: not a protobuf message: a field has an unknown wire type
    "#]]
    .assert_eq(&table.iter().map(say).collect::<String>());
}

#[test]
fn a_probe_reads_one_item_and_asks_nothing_of_the_rest() {
    let record = record(
        "01 R.\n05 RC PIC S9(4) COMP.\n05 MSG PIC X(3).\n05 N PIC 9.\n05 T OCCURS 0 TO 3 DEPENDING ON N PIC X.\n05 Z PIC X.\n05 G. 10 V PIC 9V9.",
    );
    let encoding = Encoding::default();
    let read = |field: &str, given: &str| Probe::compile(&record, field, &encoding).unwrap().read(&bytes(given));
    assert_eq!(read("RC", "FFF8"), Ok(ProbeValue::Number { unscaled: -8, scale: 0 }));
    assert_eq!(read("r.msg", "FFF8C1C240"), Ok(ProbeValue::Text("AB".into())));
    expect!["RC at offset 0, 2 bytes: the record has only 1 bytes"].assert_eq(&read("RC", "FF").unwrap_err().to_string());
    expect!["N at offset 5, 1 bytes: zoned sign X'0' is none of A to F"]
        .assert_eq(&read("N", "FFF8C1C24001").unwrap_err().to_string());
    let say = |field: &str| Probe::compile(&record, field, &encoding).unwrap_err().to_string() + "\n";
    expect![[r#"
        T (line 5): an element of a table cannot be read by itself
        Z (line 6): it lies behind a table with OCCURS DEPENDING ON and has no fixed place
        G.V (line 7): it lies behind a table with OCCURS DEPENDING ON and has no fixed place
        G (line 7): a group cannot be read by itself: name an elementary item
        X: no such item in R (there are: R, RC, MSG, N, T, Z, G, V)
    "#]]
    .assert_eq(&["T", "Z", "V", "G", "X"].map(say).concat());
}
