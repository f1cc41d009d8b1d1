//! Numbers that stay, and locks that are refused.

use expect_test::expect;

use super::{Contract, ContractBuilder, Lock};
use crate::{Copybook, Fields, MessageModel, MessageRules};

fn contract(entries: &str, fields: &str, lock: Lock) -> Contract {
    let source: String = entries.lines().map(|line| format!("       {line}\n")).collect();
    let copybook = Copybook::parse("t.cpy", &source).unwrap();
    let fields: Fields = serde_saphyr::from_str(&format!("{{{fields}}}")).unwrap();
    let model = |name| MessageModel::build(name, &copybook.records()[0], &MessageRules::default(), &fields).unwrap();
    let builder = ContractBuilder::new("a.v1", "Things", lock).operation("Get", &model("GetRequest"), &model("GetResponse"));
    builder.finish().unwrap()
}

fn message(contract: &Contract) -> String {
    let start = contract.proto_text.find("message GetResponse").unwrap();
    contract.proto_text[start..].to_owned()
}

const FIRST: &str = "01 R.
05 A PIC X.
05 B PIC 9(3).
05 G.
  10 C PIC X.
05 T PIC X.
  88 ON VALUE '1'.
  88 OFF VALUE '0'.";

const SECOND: &str = "01 R.
05 NEW PIC X.
05 B PIC 9(3)V9.
05 G.
  10 D PIC X.
  10 C PIC X.
05 T PIC X.
  88 BROKEN VALUE '2'.
  88 ON VALUE '1'.";

#[test]
fn fields_keep_their_numbers_and_those_that_go_are_reserved() {
    let first = contract(FIRST, "T: {enum: true}", Lock::default());
    expect![[r#"
        message GetResponse {
          // A PIC X, offset 0, length 1
          string a = 1;
          // B PIC 9(3), offset 1, length 3
          uint32 b = 2;
          // G, offset 4, length 1
          G g = 3;
          // T PIC X, offset 5, length 1
          T t = 4;

          // Group G, 1 bytes at most.
          message G {
            // G.C PIC X, offset 4, length 1
            string c = 1;
          }

          enum T {
            T_UNSPECIFIED = 0;
            // ON
            T_ON = 1;
            // OFF
            T_OFF = 2;
          }
        }
    "#]]
    .assert_eq(&message(&first));
    expect![[r##"
        # Numbers of the contract's fields. Keep this file with the sources and leave the numbers as they are.
        version: 1
        messages:
          GetRequest:
            fields:
              A:
                number: 1
                name: a
                type: string
              B:
                number: 2
                name: b
                type: uint32
              G:
                number: 3
                name: g
                type: message
              T:
                number: 4
                name: t
                type: enum
          GetRequest/G:
            fields:
              G.C:
                number: 1
                name: c
                type: string
          GetResponse:
            fields:
              A:
                number: 1
                name: a
                type: string
              B:
                number: 2
                name: b
                type: uint32
              G:
                number: 3
                name: g
                type: message
              T:
                number: 4
                name: t
                type: enum
          GetResponse/G:
            fields:
              G.C:
                number: 1
                name: c
                type: string
        enums:
          GetRequest/T:
            fields:
              "OFF":
                number: 2
                name: T_OFF
              "ON":
                number: 1
                name: T_ON
          GetResponse/T:
            fields:
              "OFF":
                number: 2
                name: T_OFF
              "ON":
                number: 1
                name: T_ON
    "##]]
    .assert_eq(&first.lock.to_yaml());
    let again = Lock::parse("t.lock.yaml", &first.lock.to_yaml()).unwrap();
    assert_eq!(again, first.lock);
    assert_eq!(contract(FIRST, "T: {enum: true}", again.clone()).proto_text, first.proto_text);

    let second = contract(SECOND, "T: {enum: true}, G: {name: group}", again);
    expect![[r#"
        message GetResponse {
          reserved 1, 2;
          reserved "a";
          // NEW PIC X, offset 0, length 1
          string new = 5;
          // B PIC 9(3)V9, offset 1, length 4
          string b = 6;
          // G, offset 5, length 2
          G group = 3;
          // T PIC X, offset 7, length 1
          T t = 4;

          // Group G, 2 bytes at most.
          message G {
            // G.D PIC X, offset 5, length 1
            string d = 2;
            // G.C PIC X, offset 6, length 1
            string c = 1;
          }

          enum T {
            reserved 2;
            reserved "T_OFF";
            T_UNSPECIFIED = 0;
            // BROKEN
            T_BROKEN = 3;
            // ON
            T_ON = 1;
          }
        }
    "#]]
    .assert_eq(&message(&second));
    let back = contract(FIRST, "T: {enum: true}", second.lock);
    expect![[r#"
        message GetResponse {
          reserved 1, 2, 5, 6;
          reserved "new";
          // A PIC X, offset 0, length 1
          string a = 7;
          // B PIC 9(3), offset 1, length 3
          uint32 b = 8;
          // G, offset 4, length 1
          G g = 3;
          // T PIC X, offset 5, length 1
          T t = 4;

          // Group G, 1 bytes at most.
          message G {
            reserved 2;
            reserved "d";
            // G.C PIC X, offset 4, length 1
            string c = 1;
          }

          enum T {
            reserved 2, 3;
            reserved "T_BROKEN";
            T_UNSPECIFIED = 0;
            // ON
            T_ON = 1;
            // OFF
            T_OFF = 4;
          }
        }
    "#]]
    .assert_eq(&message(&back));
}

#[test]
fn locks_that_are_damaged_are_refused() {
    let first = contract(FIRST, "", Lock::default()).lock.to_yaml();
    let table = [
        ("not YAML", "]".to_owned()),
        ("not a lock", "- 1".to_owned()),
        ("unknown key", format!("{first}\nextra: 1\n")),
        ("other version", first.replace("version: 1", "version: 2")),
        ("a number twice", first.replace("number: 2", "number: 1")),
        ("number 0", first.replace("number: 2", "number: 0")),
        ("a number of protobuf's", first.replace("number: 2", "number: 19500")),
        ("no number", first.replace("number: 2", "number: x")),
        ("half of it", first[..first.len() / 2].to_owned()),
    ];
    let say = |(what, text): &(&str, String)| {
        let said = Lock::parse("t.lock.yaml", text).map_or_else(|error| error.to_string(), |_| "taken".to_owned());
        format!("{what}: {}\n", said.lines().next().unwrap_or_default())
    };
    expect![[r#"
        not YAML: t.lock.yaml: not a lock: error: line 1 column 1: misplaced bracket
        not a lock: t.lock.yaml: not a lock: error: line 1 column 1: expected mapping start
        unknown key: t.lock.yaml: not a lock: error: line 54 column 1: unknown field `extra`, expected one of version, messages, enums
        other version: t.lock.yaml: version 2, and 1 is the one that is known
        a number twice: t.lock.yaml: GetRequest: the number 1 is given twice; take it from the sources' history
        number 0: t.lock.yaml: GetRequest: 0 is no field number; take it from the sources' history
        a number of protobuf's: t.lock.yaml: GetRequest: 19500 is no field number; take it from the sources' history
        no number: t.lock.yaml: not a lock: error: line 11 column 17: invalid u32
        half of it: t.lock.yaml: not a lock: error: line 24 column 10: expected mapping start
    "#]].assert_eq(&table.iter().map(say).collect::<String>());
    assert_eq!(Lock::parse("t.lock.yaml", "# nothing yet\n\n").unwrap(), Lock::default());
}

#[test]
fn numbers_that_protobuf_keeps_are_passed_over() {
    let first = contract(FIRST, "", Lock::default());
    let lock = Lock::parse("t", &first.lock.to_yaml().replace("number: 2", "number: 18999")).unwrap();
    let second = contract(&format!("{FIRST}\n05 Z PIC X."), "", lock);
    assert!(second.proto_text.contains("string z = 20000;"), "{}", second.proto_text);
}

#[test]
fn contracts_with_names_that_protobuf_does_not_take_are_refused() {
    let copybook = Copybook::parse("t.cpy", "       01 R PIC X.\n").unwrap();
    let model = |name| MessageModel::build(name, &copybook.records()[0], &MessageRules::default(), &Fields::new());
    let (request, response) = (model("GetRequest").unwrap(), model("GetResponse").unwrap());
    let say = |package: &str, service: &str, names: &[&str]| {
        let builder = names.iter().fold(ContractBuilder::new(package, service, Lock::default()), |builder, name| {
            builder.operation(name, &request, &response)
        });
        builder.finish().map_or_else(|error| format!("{error}\n"), |contract| format!("{}\n", contract.proto_path))
    };
    let said = [
        say("a.b.v1", "AccountInquiry", &["Get"]),
        say("", "Things", &["Get"]),
        say("a..b", "Things", &["Get"]),
        say("a", "Thi-ngs", &["Get"]),
        say("a", "Things", &["Get it"]),
        say("a", "Things", &["Get", "Get"]),
        say("a", "Things", &["Get", "Other"]),
        say("a", "GetRequest", &["Get"]),
        model("1M").map_or_else(|error| format!("{error}\n"), |_| String::new()),
    ];
    expect![[r#"
        a/b/v1/account_inquiry.proto
        package: `` is no protobuf package such as `bank.accounts.v1`
        package: `a..b` is no protobuf package such as `bank.accounts.v1`
        `Thi-ngs` is no name of a protobuf service or method such as `AccountInquiry`
        `Get it` is no name of a protobuf service or method such as `AccountInquiry`
        operation Get is there twice: give one of them another name
        GetRequest is there twice: give one of them another name
        GetRequest is there twice: give one of them another name
        1M: no name of a protobuf message: use letters and digits, a letter first
    "#]]
    .assert_eq(&said.concat());
}
