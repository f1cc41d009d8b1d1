//! What is written where no field is, and rules that fit no record.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod oracle;

use expect_test::expect;
use oracle::{codec, read, written};
use passerelle_copybook::{Codec, ContractBuilder, Copybook, Encoding, Fields, Lock, MessageModel, MessageRules};
use serde_json::json;

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
    let set = oracle::codec(entries, "include: [Z], set: {A: xyz, B: 7, C: '-12', K: q, L: '1.5'}", "", &Encoding::default());
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
