//! Translations held against descriptors, and at work.

use std::sync::Arc;
use std::time::SystemTime;

use expect_test::{Expect, expect};

use super::{Examples, Set, Sources, side_breaches};
use crate::contract::fixture::compile;
use crate::contract::{Binding, Image, MemoryStore, Registration, Registry, Snapshot, Source};
use crate::written::Text;

const CALLERS: &str = r#"
syntax = "proto3"; package shop.v1;
enum Sort { SORT_UNSPECIFIED = 0; LOST = 1; STOLEN = 2; }
message Line { string article = 1; int64 cents = 2; }
message Order {
  string number = 1; int64 cents = 2; double ratio = 3; Sort sort = 4; repeated Line lines = 5; string note = 6;
  map<string, string> labels = 7; string name = 8; bool urgent = 9;
}
message Receipt { string id = 1; string state = 2; }
service Till { rpc Buy(Order) returns (Receipt); rpc Watch(Order) returns (stream Receipt); rpc Ask(Order) returns (Order); }
"#;

const OFFICE: &str = r#"
syntax = "proto3"; package office.v2;
enum Why { WHY_UNKNOWN = 0; IS_LOST = 1; WAS_STOLEN = 2; }
message Customer { string name = 1; string city = 2; }
message Item { string article = 1; int32 cents = 2; bool free = 3; }
message Purchase {
  string reference = 1; int32 cents = 2; float ratio = 3; Why why = 4; repeated Item items = 5; Customer customer = 6;
  map<string, string> labels = 7; oneof haste { bool fast = 8; bool slow = 9; } uint64 stamp = 10;
}
message Confirmation { string id = 1; int32 queue = 2; Why why = 3; }
service Desk { rpc Place(Purchase) returns (Confirmation); rpc Keep(Purchase) returns (Confirmation); }
"#;

const GOOD: &str = r#"
methods:
  - { method: shop.v1.Till/Buy, calls: office.v2.Desk/Place }
messages:
  - from: shop.v1.Order
    to: office.v2.Purchase
    required: [reference, customer.name]
    fields:
      reference: source.number
      cents: { value: source.cents, narrow: refuse }
      why:
        value: source.sort
        table: { SORT_UNSPECIFIED: WHY_UNKNOWN, LOST: IS_LOST, STOLEN: WAS_STOLEN }
      items: "for line in source.lines return {article: line.article, cents: max(0, min(line.cents, 1000000))}"
      customer.name: 'if source.name = "" then null else upper case(source.name)'
      labels: source.labels
      fast: if source.urgent then true else null
      slow: if source.urgent then null else true
      stamp: 7
  - from: office.v2.Confirmation
    to: shop.v1.Receipt
    fields:
      id: source.id
      state: '"queued at " + string(source.queue)'
"#;

fn snapshot() -> Arc<Snapshot> {
    let registry = Registry::open(Arc::new(MemoryStore::default())).unwrap();
    for (file, text, binding) in
        [("shop.proto", CALLERS, None), ("office.proto", OFFICE, Some(Binding::Endpoint("office".to_owned())))]
    {
        let registration = Registration {
            name: None,
            image: Image::decode(compile(&[(file, text)])).unwrap(),
            source: Source::Upload("test".to_owned()),
            binding,
            override_reason: None,
            at: SystemTime::UNIX_EPOCH,
        };
        registry.add(registration).unwrap();
    }
    registry.snapshot()
}

fn sources(translations: &str, examples: &str) -> Sources {
    let text = |name: &str, text: &str| Text { name: name.to_owned(), text: text.to_owned() };
    let examples = if examples.is_empty() { vec![] } else { vec![text("a.examples.yaml", examples)] };
    Sources::read(&[text("a.yaml", translations)], &examples).unwrap()
}

fn problems(translations: &str, expected: Expect) {
    let set = Set::compile(&sources(translations, ""), &snapshot());
    let lines: Vec<String> = set.problems.iter().map(ToString::to_string).collect();
    expected.assert_eq(&lines.join("\n"));
}

/// One field of a Purchase.
fn field(field: &str, expected: Expect) {
    problems(&format!("messages:\n- from: shop.v1.Order\n  to: office.v2.Purchase\n  fields: {{ {field} }}\n"), expected);
}

#[test]
fn what_becomes_of_messages_is_shown_by_examples() {
    let examples = r#"
examples:
- name: a lost card
  from: shop.v1.Order
  to: office.v2.Purchase
  source: { number: "7", cents: 1250, sort: LOST, name: ann, lines: [{ article: cup, cents: "99999999999" }], labels: { a: b }, urgent: true }
  target: { reference: "7", cents: 1250, why: IS_LOST, items: [{ article: cup, cents: 1000000 }], customer: { name: ANN }, labels: { a: b }, fast: true, stamp: "7" }
- name: an amount that is too large
  from: shop.v1.Order
  to: office.v2.Purchase
  source: { number: "7", cents: 99999999999, name: ann }
  refused: "cents: the number is out of the range"
- name: no name
  from: shop.v1.Order
  to: office.v2.Purchase
  source: { number: "7" }
  refused: "customer.name: the field is required"
- name: an answer
  from: office.v2.Confirmation
  to: shop.v1.Receipt
  source: { id: x, queue: 3 }
  target: { id: x, state: queued at 3 }
- name: one that is wrong
  from: office.v2.Confirmation
  to: shop.v1.Receipt
  source: { id: x, queue: 3 }
  target: { id: x, state: queued at 4 }
"#;
    let sources = sources(GOOD, examples);
    let set = Set::compile(&sources, &snapshot());
    assert_eq!(set.problems, []);
    let run = Examples::run(&sources, &set);
    let failed: Vec<String> = run.failed.iter().map(|one| format!("{} {}: {}", one.place, one.name, one.message)).collect();
    expect![[r#"a.examples.yaml:23:3 one that is wrong: became {"id":"x","state":"queued at 3"}, wanted {"id":"x","state":"queued at 4"}"#]]
        .assert_eq(&failed.join("\n"));
    assert_eq!(run.kept, 4);
}

#[test]
fn what_is_lost_is_told_in_each_direction() {
    let set = Set::compile(&sources(GOOD, ""), &snapshot());
    let there = set.mapping("shop.v1.Order", "office.v2.Purchase").unwrap().loss();
    assert_eq!(there.dropped, ["ratio", "note"]);
    assert_eq!(there.unset, ["ratio", "items.free", "customer.city"]);
    let back = set.mapping("office.v2.Confirmation", "shop.v1.Receipt").unwrap().loss();
    assert_eq!((back.dropped.as_slice(), back.unset.len()), (&["why".to_owned()][..], 0));
    assert_eq!(set.exposed.len(), 1);
}

#[test]
fn a_field_that_does_not_fit_is_refused_with_its_place() {
    field(
        "refrence: source.number",
        expect![
            "a.yaml:4:23: office.v2.Purchase has no field `refrence` (it has: reference, cents, ratio, why, items, customer, labels, fast, slow, stamp)"
        ],
    );
    field(
        "reference: source.nmuber",
        expect![
            "a.yaml:4:24: reference: shop.v1.Order has no 'nmuber' (it has: number, cents, ratio, sort, lines, note, labels, name, urgent)"
        ],
    );
    field(
        "reference: nummer",
        expect!["a.yaml:4:24: reference: there is no name `nummer` here: fields of shop.v1.Order are `source.FIELD`"],
    );
    field("reference: source.cents", expect!["a.yaml:4:24: reference: takes a string, and the expression gives a number"]);
    field(
        "cents: source.cents",
        expect![
            "a.yaml:4:20: cents: holds numbers -2147483648 to 2147483647, and the expression may give others: bound it (min(), max()), or say `narrow: refuse`"
        ],
    );
    field(
        "cents: source.ratio",
        expect![
            "a.yaml:4:20: cents: takes whole numbers, and the expression may give others: round it (floor(), ceiling(), round half up(x, 0)), or say `narrow: refuse`"
        ],
    );
    field("cents: 'max(0, min(floor(source.ratio), 100))'", expect![""]);
    field(
        "ratio: source.ratio",
        expect![
            "a.yaml:4:20: ratio: holds numbers -34028235E31 to 34028235E31, and the expression may give others: bound it (min(), max()), or say `narrow: refuse`"
        ],
    );
    field(
        "stamp: source.cents",
        expect![
            "a.yaml:4:20: stamp: holds numbers 0 to 18446744073709551615, and the expression may give others: bound it (min(), max()), or say `narrow: refuse`"
        ],
    );
    field(
        "why: source.sort",
        expect![
            "a.yaml:4:18: why: office.v2.Why has no value SORT_UNSPECIFIED (it has: WHY_UNKNOWN, IS_LOST, WAS_STOLEN): say by a `table` what it becomes"
        ],
    );
    field(
        "why: {value: source.sort, table: {LOST: IS_LOST}}",
        expect!["a.yaml:4:18: why: the table has no entry for SORT_UNSPECIFIED, STOLEN, and there is no `otherwise`"],
    );
    field(
        "why: {value: source.sort, table: {LOST: IS_LSOT}, otherwise: WHY_UNKNOWN}",
        expect![
            "a.yaml:4:18: why: office.v2.Why has no value IS_LSOT (it has: WHY_UNKNOWN, IS_LOST, WAS_STOLEN): say by a `table` what it becomes"
        ],
    );
    field(
        "why: {value: source.sort, table: {LSOT: IS_LOST}, otherwise: WHY_UNKNOWN}",
        expect![
            "a.yaml:4:18: why: the table has an entry for LSOT, which never comes (there are: SORT_UNSPECIFIED, LOST, STOLEN)"
        ],
    );
    field(
        "items: 'for l in source.lines return {artcle: l.article}'",
        expect!["a.yaml:4:20: items: []: office.v2.Item has no field `artcle` (it has: article, cents, free)"],
    );
    field(
        "items: source.lines",
        expect![
            "a.yaml:4:20: items: []: cents: holds numbers -2147483648 to 2147483647, and the expression may give others: bound it (min(), max()), or say `narrow: refuse`"
        ],
    );
    field(
        "customer: '{name: source.name}', customer.city: source.note",
        expect!["a.yaml:4:61: customer.city: the message around this field is set as a whole already"],
    );
    field(
        "reference: 'source.number +'",
        expect![[r#"
        a.yaml:4:24: reference: the expression is no FEEL: expected a value, at line 1, column 16
          source.number +
                         ^"#]],
    );
}

#[test]
fn what_is_wrong_around_the_fields_is_told() {
    let head = "messages:\n- from: shop.v1.Order\n  to: office.v2.Purchase\n";
    problems(
        &format!("{head}  required: [reference]\n  fields: {{ stamp: 1 }}\n"),
        expect!["a.yaml:4:14: reference is required, and no expression sets it"],
    );
    problems(
        "messages:\n- from: shop.v1.Odrer\n  to: office.v2.Purchase\n  fields: {}\n",
        expect!["a.yaml:2:3: no contract has the message `shop.v1.Odrer`"],
    );
    let stream = "methods: [{ method: shop.v1.Till/Watch, calls: office.v2.Desk/Place }]\nmessages: []\n";
    problems(
        stream,
        expect!["a.yaml:1:11: `shop.v1.Till/Watch` is server streaming: methods with one message each way are translated"],
    );
    let none = "methods: [{ method: shop.v1.Till/Buy, calls: office.v2.Desk/Place }]\nmessages: []\n";
    problems(
        none,
        expect!["a.yaml:1:11: no translation makes a office.v2.Purchase of a shop.v1.Order, which `shop.v1.Till/Buy` needs"],
    );
    let own = "methods: [{ method: office.v2.Desk/Keep, calls: office.v2.Desk/Place }]\nmessages: []\n";
    problems(own, expect!["a.yaml:1:11: `office.v2.Desk/Keep` is served by the endpoint of its own contract"]);
}

#[test]
fn a_file_of_another_shape_is_refused_with_its_place() {
    let text = Text { name: "a.yaml".to_owned(), text: "messages:\n- from: a\n  to: b\n  feilds: {}\n".to_owned() };
    let problems = Sources::read(&[text], &[]).unwrap_err();
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    expect!["a.yaml:4:3: messages[0].feilds: unknown field `feilds`, expected one of from, to, required, fields"]
        .assert_eq(&lines.join("\n"));
}

#[test]
fn a_file_for_customers_imports_no_contract() {
    let option = "syntax = \"proto3\"; package passerelle; import \"google/protobuf/descriptor.proto\"; \
        enum Side { SIDE_UNSPECIFIED = 0; CUSTOMER = 1; CONTRACT = 2; } extend google.protobuf.FileOptions { Side side = 50610; }";
    let file = |side: &str, package: &str, more: &str| {
        format!(
            "syntax = \"proto3\"; package {package}; import \"side.proto\"; {more} option (passerelle.side) = {side}; message M {{}}"
        )
    };
    for (side, breaches) in [("CUSTOMER", vec!["shop.proto imports office.proto".to_owned()]), ("CONTRACT", vec![])] {
        let office = file("CONTRACT", "office.v1", "");
        let shop = file(side, "shop.v1", "import \"office.proto\"; service S { rpc Ask(office.v1.M) returns (M); }");
        let files = compile(&[("side.proto", option), ("office.proto", &office), ("shop.proto", &shop)]);
        assert_eq!(side_breaches(&registered(files)), breaches);
    }
}

fn registered(files: Vec<u8>) -> Arc<Snapshot> {
    let registry = Registry::open(Arc::new(MemoryStore::default())).unwrap();
    let source = Source::Upload("test".to_owned());
    let (image, at) = (Image::decode(files).unwrap(), SystemTime::UNIX_EPOCH);
    registry.add(Registration { name: None, image, source, binding: None, override_reason: None, at }).unwrap();
    registry.snapshot()
}
