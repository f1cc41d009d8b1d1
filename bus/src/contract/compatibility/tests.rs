//! Comparisons of two small contracts, and what is said of them. That every rule finds what Buf's finds is held by `tests/peers`.

use expect_test::{Expect, expect};

use super::super::fixture::compile;
use super::super::image::Image;
use super::{Category, Rule, RuleSet, Touches, compare};

const OLD: &str = "syntax = \"proto3\";
package bank.v1;
message Transfer {
  string iban = 1;
  int64 amount = 2;
  map<string, int32> parts = 3;
  Kind kind = 4;
  reserved 9;
}
enum Kind { KIND_UNSPECIFIED = 0; KIND_INSTANT = 1; }
message Done {}
service Accounts {
  rpc Move(Transfer) returns (Done) { option idempotency_level = IDEMPOTENT; }
  rpc Undo(Transfer) returns (Done);
}
";

fn image(text: &str) -> Image {
    Image::decode(compile(&[("bank/v1/accounts.proto", text)])).unwrap()
}

/// What a change of [`OLD`] breaks for live callers.
fn broken(changes: &[(&str, &str)], expected: Expect) {
    let new = changes.iter().fold(OLD.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old} is there to be changed");
        text.replace(old, new)
    });
    let findings = compare(&image(OLD), &image(&new), &RuleSet::live()).unwrap();
    expected.assert_eq(&findings.iter().map(|finding| format!("{finding}\n")).collect::<String>());
}

#[test]
fn what_can_be_read_by_all_breaks_nothing() {
    broken(&[], expect![""]);
    broken(
        &[
            ("  reserved 9;", "  reserved 9; bool urgent = 5;"),
            ("KIND_INSTANT = 1;", "KIND_INSTANT = 1; KIND_LATER = 2;"),
            ("message Done {}", "message Done { string receipt = 1; }"),
            ("  rpc Undo", "  rpc Look(Transfer) returns (Transfer); rpc Undo"),
            ("  string iban = 1;\n", "  reserved 1; reserved \"iban\";\n"),
        ],
        expect![""],
    );
}

#[test]
fn each_broken_rule_is_told_with_element_and_line() {
    broken(
        &[
            ("  string iban = 1;\n", ""),
            ("int64 amount", "string amount"),
            ("map<string, int32> parts", "map<string, string> parts"),
            ("  reserved 9;\n", ""),
            ("KIND_INSTANT = 1", "KIND_FAST = 1"),
            ("  rpc Undo(Transfer) returns (Done);\n", ""),
            ("IDEMPOTENT", "IDEMPOTENCY_UNKNOWN"),
        ],
        expect![[r#"
            bank/v1/accounts.proto:3:1: RESERVED_MESSAGE_NO_DELETE: message bank.v1.Transfer: reserved 9, now without 9
            bank/v1/accounts.proto:3:1: FIELD_NO_DELETE_UNLESS_NAME_RESERVED: field iban (1) of bank.v1.Transfer: there, now gone, and its name is not reserved
            bank/v1/accounts.proto:3:1: FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED: field iban (1) of bank.v1.Transfer: there, now gone, and its number is not reserved
            bank/v1/accounts.proto:4:3: FIELD_WIRE_JSON_COMPATIBLE_TYPE: field amount (2) of bank.v1.Transfer: type int64, now type string
            bank/v1/accounts.proto:5:3: FIELD_WIRE_JSON_COMPATIBLE_TYPE: field value (2) of bank.v1.Transfer.PartsEntry: type int32, now type string
            bank/v1/accounts.proto:8:47: ENUM_VALUE_SAME_NAME: value KIND_INSTANT (1) of enum bank.v1.Kind: name KIND_INSTANT, now name KIND_FAST
            bank/v1/accounts.proto:10:1: RPC_NO_DELETE: method Undo of bank.v1.Accounts: there, now gone
            bank/v1/accounts.proto:11:39: RPC_SAME_IDEMPOTENCY_LEVEL: method Move of bank.v1.Accounts: idempotency_level IDEMPOTENT, now idempotency_level IDEMPOTENCY_UNKNOWN
        "#]],
    );
}

#[test]
fn a_service_is_missed_even_when_it_was_the_only_one() {
    let without = OLD.split("service").next().unwrap_or_default();
    let findings = compare(&image(OLD), &image(without), &RuleSet::live()).unwrap();
    expect![[r#"bank/v1/accounts.proto: PACKAGE_SERVICE_NO_DELETE: service bank.v1.Accounts: in package bank.v1, now gone"#]]
        .assert_eq(&findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_contract_breaks_nothing_of_itself_by_any_rule() {
    let all = RuleSet::of(&Category::ALL.map(Category::name), &[]).unwrap();
    assert_eq!(compare(&image(OLD), &image(OLD), &all).unwrap(), []);
}

#[test]
fn rules_are_chosen_by_category_and_name_and_left_out_by_name() {
    let set = RuleSet::of(&["WIRE", "RPC_NO_DELETE"], &["FIELD_SAME_DEFAULT"]).unwrap();
    assert!(set.contains(Rule::RpcNoDelete) && set.contains(Rule::FieldSameOneof));
    assert!(!set.contains(Rule::FieldSameDefault) && !set.contains(Rule::FieldSameName));
    assert_eq!(RuleSet::of(&RuleSet::LIVE, &[]).unwrap(), RuleSet::live());
    expect![[r#""FIELD_SAME_TYP" is no category (FILE, PACKAGE, WIRE_JSON, WIRE) and no rule of `buf config ls-breaking-rules`; did you mean FIELD_SAME_TYPE?"#]]
        .assert_eq(&RuleSet::of(&["FIELD_SAME_TYP"], &[]).unwrap_err().to_string());
}

#[test]
fn an_extension_touches_the_message_and_not_a_field_that_samples_know() {
    let text = |kind: &str| {
        let text = "syntax = \"proto2\"; package bank.v1; message Open { extensions 100 to 199; }";
        image(&format!("{text} extend Open {{ optional {kind} note = 100; }}"))
    };
    let findings = compare(&text("int64"), &text("string"), &RuleSet::live()).unwrap();
    let touches: Vec<_> = findings.into_iter().map(|finding| finding.touches).collect();
    assert_eq!(touches, [Touches::Message("bank.v1.Open".to_owned(), None)]);
}

#[test]
fn without_lines_the_file_is_named() {
    let bare = |text: &str| {
        let mut set =
            <prost_types::FileDescriptorSet as prost::Message>::decode(compile(&[("a.proto", text)]).as_slice()).unwrap();
        set.file.iter_mut().for_each(|file| file.source_code_info = None);
        Image::decode(prost::Message::encode_to_vec(&set)).unwrap()
    };
    let findings = compare(&bare(OLD), &bare(&OLD.replace("int64 amount", "bytes amount")), &RuleSet::live()).unwrap();
    expect!["a.proto: FIELD_WIRE_JSON_COMPATIBLE_TYPE: field amount (2) of bank.v1.Transfer: type int64, now type bytes"]
        .assert_eq(&findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
}
