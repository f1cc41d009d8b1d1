//! Sets of routes: what they refuse, what they choose, and that the index changes no answer.

use std::time::SystemTime;

use expect_test::{Expect, expect};
use http::HeaderMap;
use passerelle_feel::{Environment, Expression, Guard, Scope, Value};
use proptest::prelude::*;
use prost::Message as _;
use prost_reflect::DynamicMessage;

use super::fixture::{asked, set};
use super::index::Index;
use super::{Held, Trial};

fn refused(files: &[(&str, &str)], expected: Expect) {
    expected.assert_eq(&format!("{}\n", set(files).unwrap_err()));
}

fn message(json: &str) -> Vec<u8> {
    let mut json = serde_json::Deserializer::from_str(json);
    DynamicMessage::deserialize(asked(), &mut json).unwrap().encode_to_vec()
}

/// The routes that take a call, by name, and those that cannot say.
fn asked_of(file: &str, json: &str, metadata: &[(&'static str, &str)]) -> String {
    let set = set(&[("routes.yaml", file)]).unwrap();
    let metadata: HeaderMap =
        metadata.iter().map(|(key, value)| (http::HeaderName::from_static(key), value.parse().unwrap())).collect();
    let received = SystemTime::UNIX_EPOCH;
    let rules = set.rules("/desk.v1.Desk/Ask").unwrap();
    let message = message(json);
    let findings = rules.explain(&Trial { metadata: &metadata, received, message: &message }).unwrap();
    let named = findings.iter().filter_map(|finding| match &finding.held {
        _ if finding.takes => Some(finding.route.clone()),
        Held::Undecided(why) => Some(format!("{}? {why}", finding.route)),
        _ => None,
    });
    let named: Vec<String> = named.collect();
    let chosen = rules.choose(&rules.envelope(&metadata), &message).unwrap();
    let taking = findings.iter().filter(|finding| finding.takes).map(|finding| finding.route.as_str());
    assert_eq!(
        chosen.iter().map(|taken| taken.rule.name()).collect::<Vec<_>>(),
        taking.collect::<Vec<_>>(),
        "the call and its explanation"
    );
    named.join("; ")
}

const ROUTES: &str = "
from: desk.v1.Desk/Ask
routes:
  - name: gold
    when: request.customer.segment = \"gold\" and channel = \"branch\"
    to: { endpoint: north }
  - name: large
    when: sum(request.items.price) > 100
    to: { endpoint: south }
  - name: tenant
    when: metadata.x-tenant in (\"a\", \"b\")
    to: { endpoint: south }
  - name: card
    when: request.kind = \"CARD\" and starts with(request.name, \"40\")
    to: { endpoint: north, method: desk.v1.Desk/Tell }
  - name: scored
    when: request.customer.score > 5
";

#[test]
fn the_first_route_whose_condition_holds_takes_the_call() {
    let cases = [
        (r#"{"customer": {"segment": "gold"}}"#, &[("passerelle-channel", "branch")][..]),
        (r#"{"customer": {"segment": "gold"}}"#, &[("passerelle-channel", "web")]),
        (r#"{"items": [{"price": 60}, {"price": 50}]}"#, &[]),
        (r#"{}"#, &[("x-tenant", "b")]),
        (r#"{"kind": "CARD", "name": "4012"}"#, &[]),
        (r#"{"kind": "LOAN", "name": "4012"}"#, &[]),
        (r#"{"customer": {"score": 6}}"#, &[]),
    ];
    let all: String = cases.iter().map(|(json, metadata)| format!("{}\n", asked_of(ROUTES, json, metadata))).collect();
    expect![[r#"
        gold; large? sum(list) has no result; scored? cannot compare null with number
        large? sum(list) has no result; scored? cannot compare null with number
        large; scored? cannot compare null with number
        large? sum(list) has no result; tenant; scored? cannot compare null with number
        large? sum(list) has no result; card; scored? cannot compare null with number
        large? sum(list) has no result; scored? cannot compare null with number
        large? sum(list) has no result; scored
    "#]]
    .assert_eq(&all);
}

#[test]
fn where_all_are_meant_all_that_match_take_it() {
    let file = format!("mode: all\n{ROUTES}");
    let json = r#"{"customer": {"segment": "gold", "score": 9}, "items": [{"price": 101}]}"#;
    assert_eq!(asked_of(&file, json, &[("passerelle-channel", "branch")]), "gold; large; scored");
}

#[test]
fn a_condition_that_says_neither_yes_nor_no_is_passed_over() {
    let file = "
from: [desk.v1.Desk/Ask]
routes:
  - { name: text, when: request.amount + request.name > 3 }
  - { name: endless, when: '{f: function(n) f(n + 1), g: f(1)}.g > 0' }
  - { name: number, when: request.amount }
  - { name: last }
";
    let said = asked_of(file, r#"{"amount": 3}"#, &[]);
    expect![
        "text? no result for number add string; endless? the expression is nested, or calls itself, more than 64 levels deep; number? it came to number; last"
    ]
    .assert_eq(&said);
}

#[test]
fn envelopes_say_who_calls_and_when() {
    let file = "
from: [desk.v1.Desk/Ask, desk.v1.Desk/Tell]
mode: all
routes:
  - { name: method, when: 'method = \"desk.v1.Desk/Ask\" and service = \"desk.v1.Desk\"' }
  - { name: who, when: 'customer = \"c1\" and reason = \"claim\" and priority >= 7' }
  - { name: when, when: 'received < date and time(\"1970-01-02T00:00:00Z\") or received.year = 2027' }
  - { name: at, when: 'request.at.year = 2026' }
  - { name: labels, when: 'request.labels.tier = \"a\"' }
";
    let metadata = [("passerelle-customer", "c1"), ("passerelle-reason", "claim"), ("passerelle-priority", "7")];
    let json = r#"{"at": "2026-05-01T10:00:00Z", "labels": {"tier": "a"}}"#;
    assert_eq!(asked_of(file, json, &metadata), "method; who; when; at; labels");
}

#[test]
fn what_is_wrong_is_told_with_file_line_and_column() {
    refused(
        &[(
            "routes/a.yaml",
            "from: desk.v1.Desk/Ask
routes:
  - name: field
    when: request.customer.segmnt = \"gold\"
  - name: kind
    when: request.kind = \"CAR\"
  - name: type
    when: request.amount = \"7\" and chanel = \"web\"
  - name: feel
    when: request.amount >
  - name: whole
    when: request != null
  - name: nowhere
    to: { endpoint: west }
  - name: types
    to: { method: desk.v1.Desk/Other }
  - name: later
    to: { topic: desk.asked }
  - name: translated
    to: { method: desk.v1.Desk/Tell, translation: desk }
  - name: bad name
    drop: [customer.birth]
  - name: field
    to: {}
",
        )],
        expect![[r#"
            routes/a.yaml:21:11: route bad name: a route's name has 1 to 100 letters, digits, `-`, `_` and `.`
            routes/a.yaml:23:11: route field: routes/a.yaml:3:11 has the same name
            routes/a.yaml:4:11: route field: desk.v1.Customer has no field `segmnt` (it has: id, segment, score, partner)
            routes/a.yaml:12:11: route whole: `request` as a whole is not looked at: name a field of it (request.name)
            routes/a.yaml:6:11: route kind: `request.kind` is never "CAR" (desk.v1.Kind has: KIND_UNSPECIFIED, CARD, LOAN)
            routes/a.yaml:8:11: route type: `chanel` is not known here (known are method, service, channel, customer, reason, priority, received, metadata.KEY, request.FIELD)
            routes/a.yaml:8:11: route type: `request.amount` is a number, and is compared with a string
            routes/a.yaml:10:11: route feel: the condition is no FEEL: expected a value, at line 1, column 17
              request.amount >
                              ^
            routes/a.yaml:14:9: route nowhere: no endpoint `west` in the settings (there is desk, north, south)
            routes/a.yaml:16:9: route types: `desk.v1.Desk/Other` takes desk.v1.Told, the method of this route takes desk.v1.Asked
            routes/a.yaml:18:9: route later: a `topic` as destination is not there yet: it comes with delivery
            routes/a.yaml:20:9: route translated: a `translation` is not there yet: a destination has the types of the method that is called
            routes/a.yaml:22:12: route bad name: desk.v1.Customer has no field `birth` (it has: id, segment, score, partner)
            routes/a.yaml:24:9: route field: a destination names an `endpoint`, a `method`, or both
        "#]],
    );
    refused(
        &[("b.yaml", "routes:\n  - name: a\n"), ("c.yaml", "routes:\n  - name: b\n    from: topic\n    unkown: 1\n")],
        expect![[r#"
            c.yaml:4:5: routes[0].unkown: unknown field `unkown`, expected one of name, from, when, to, also, drop
        "#]],
    );
    refused(
        &[
            ("b.yaml", "mode: all\nfrom: desk.v1.Desk/Ask\nroutes:\n  - name: a\n"),
            ("c.yaml", "from: [desk.v1.Desk/Ask, orders]\nroutes:\n  - name: b\n"),
            (
                "d.yaml",
                "mode: all\nfrom: desk.v1.Desk/Follow\nroutes:\n  - { name: c, also: [{ endpoint: north }], drop: [name] }\n",
            ),
        ],
        expect![[r#"
            c.yaml:3:11: route b: `orders` is no method (package.Service/Method); topics come with delivery
            c.yaml:3:11: route b: b.yaml says another `mode` for the routes of this method
            d.yaml:4:13: route c: `mode: all` is for methods with one message each way, which this one is not
            d.yaml:4:13: route c: `also` is for methods with one message each way, which this one is not
            d.yaml:4:52: route c: `drop` is for methods whose request is one message, which this one's is not
        "#]],
    );
}

#[test]
fn routes_of_methods_that_nobody_registered_wait() {
    let set = set(&[("a.yaml", "routes:\n  - { name: early, from: other.v1.Desk/Ask, when: request.anything = 1 }\n")]).unwrap();
    assert_eq!(set.waiting().keys().collect::<Vec<_>>(), ["/other.v1.Desk/Ask"]);
    assert!(!set.listed()[0].active);
}

#[test]
fn the_same_files_are_the_same_set() {
    let one = set(&[("a.yaml", "routes: []"), ("b.yaml", "routes: []")]).unwrap();
    let other = set(&[("b.yaml", "routes: []"), ("a.yaml", "routes: []")]).unwrap();
    assert_eq!(one.hash(), other.hash());
    assert_ne!(one.hash(), set(&[("a.yaml", "routes: []"), ("b.yaml", "routes: [] ")]).unwrap().hash());
}

#[test]
fn dropped_fields_are_gone_and_all_else_is_as_it_was() {
    let file = "
from: desk.v1.Desk/Ask
routes:
  - { name: less, drop: [name, customer.segment, items.tags, labels] }
";
    let set = set(&[("a.yaml", file)]).unwrap();
    let rules = set.rules("/desk.v1.Desk/Ask").unwrap();
    let json = r#"{"name": "n", "amount": "7", "customer": {"id": "c", "segment": "gold", "partner": {"segment": "s"}},
        "items": [{"sku": "a", "tags": ["x"]}, {"sku": "b", "price": 3}], "labels": {"a": "b"}, "codes": [1, 2]}"#;
    let less = r#"{"amount": "7", "customer": {"id": "c", "partner": {"segment": "s"}},
        "items": [{"sku": "a"}, {"sku": "b", "price": 3}], "codes": [1, 2]}"#;
    let headers = HeaderMap::new();
    let chosen = rules.choose(&rules.envelope(&headers), &message(json)).unwrap();
    let stripped = chosen[0].rule.stripped(&message(json)).unwrap().unwrap();
    assert_eq!(
        DynamicMessage::decode(asked(), stripped.as_slice()).unwrap(),
        DynamicMessage::decode(asked(), message(less).as_slice()).unwrap()
    );
}

/// A condition of a few shapes, most of which an index can use.
fn condition() -> impl Strategy<Value = String> {
    let text = prop_oneof![Just("a"), Just("ab"), Just("abc"), Just("b"), Just("")];
    let variable = prop_oneof![Just("code"), Just("channel")];
    let atom = prop_oneof![
        (variable.clone(), text.clone()).prop_map(|(variable, text)| format!("{variable} = \"{text}\"")),
        (variable.clone(), text.clone()).prop_map(|(variable, text)| format!("\"{text}\" = {variable}")),
        (variable.clone(), text.clone()).prop_map(|(variable, text)| format!("starts with({variable}, \"{text}\")")),
        (variable.clone(), text.clone(), text.clone()).prop_map(|(v, one, other)| format!("{v} in (\"{one}\", \"{other}\")")),
        (variable.clone(), text.clone(), text.clone()).prop_map(|(v, one, other)| format!("{v} in [\"{one}\", \"{other}\"]")),
        (variable.clone(), text.clone(), text.clone())
            .prop_map(|(v, one, other)| format!("({v} = \"{one}\" or {v} = \"{other}\")")),
        (variable, text).prop_map(|(variable, text)| format!("{variable} != \"{text}\"")),
        (0..4).prop_map(|number| format!("amount = {number}.0")),
        (0..4).prop_map(|number| format!("amount > {number}")),
        Just("urgent = true".to_owned()),
        Just("not(urgent)".to_owned()),
        Just("true".to_owned()),
    ];
    let joined = (atom.clone(), prop_oneof![Just("and"), Just("or")], atom.clone());
    prop_oneof![atom, joined.prop_map(|(one, how, other)| format!("{one} {how} {other}"))]
}

fn value() -> impl Strategy<Value = Vec<Value>> {
    let text = || prop_oneof![Just(Value::text("a")), Just(Value::text("abc")), Just(Value::text("é")), Just(Value::Null)];
    let number = prop_oneof![(0_i64..4).prop_map(|number| Value::Number(number.into())), Just(Value::Null)];
    (text(), text(), number, any::<bool>()).prop_map(|(code, channel, amount, urgent)| vec![code, channel, amount, urgent.into()])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_index_changes_no_answer(
        conditions in proptest::collection::vec(condition(), 0..30),
        calls in proptest::collection::vec(value(), 1..20),
    ) {
        let scope = Scope::of(&["code", "channel", "amount", "urgent"]);
        let expressions: Vec<Expression> = conditions.iter().map(|text| Expression::compile(text, &scope).unwrap()).collect();
        let guards: Vec<Vec<Guard>> = expressions.iter().map(Expression::guards).collect();
        let index = Index::new(&guards);
        for values in calls {
            let holds = |number: &usize| {
                let value = expressions[*number].evaluate(&values, &Environment::timeless().within(super::CONDITION_LIMITS)).unwrap().value;
                matches!(value, Value::Boolean(true))
            };
            let with: Vec<usize> = index.candidates(&values).filter(holds).collect();
            let without: Vec<usize> = (0..expressions.len()).filter(holds).collect();
            prop_assert_eq!(with, without);
        }
    }
}

#[test]
fn of_ten_thousand_routes_a_call_looks_at_few() {
    let mut file = "from: desk.v1.Desk/Ask\nroutes:\n".to_owned();
    for number in 0..10_000 {
        file.push_str(&format!(
            "  - {{ name: r{number}, when: 'channel = \"web\" and request.name = \"n{number}\"', to: {{ endpoint: north }} }}\n"
        ));
    }
    let set = set(&[("many.yaml", &file)]).unwrap();
    let rules = set.rules("/desk.v1.Desk/Ask").unwrap();
    let headers =
        HeaderMap::from_iter([(http::HeaderName::from_static(crate::contract::CHANNEL_HEADER), "web".parse().unwrap())]);
    let message = message(r#"{"name": "n9876"}"#);
    let chosen = rules.choose(&rules.envelope(&headers), &message).unwrap();
    assert_eq!(chosen[0].rule.name(), "r9876");
    let values = rules.reading.values(&rules.envelope(&headers), &message).unwrap();
    assert_eq!(rules.index.candidates(&values).count(), 1);
}
