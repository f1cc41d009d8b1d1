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
            c.yaml:4:5: routes[0].unkown: unknown field `unkown`, expected one of name, from, when, to, decide, choices, also, drop
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

/// Who is dear to us goes north, who asks for much south.
const TREATMENT: &str = r##"<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="t" name="Treatment" namespace="urn:t">
  <inputData id="s" name="segment"><variable name="segment" typeRef="string"/></inputData>
  <inputData id="a" name="amount"><variable name="amount" typeRef="number"/></inputData>
  <decision id="d" name="Basket">
    <variable name="Basket" typeRef="string"/>
    <informationRequirement><requiredInput href="#s"/></informationRequirement>
    <informationRequirement><requiredInput href="#a"/></informationRequirement>
    <decisionTable hitPolicy="FIRST">
      <input><inputExpression typeRef="string"><text>segment</text></inputExpression></input>
      <input><inputExpression typeRef="number"><text>amount</text></inputExpression></input>
      <output/>
      <rule><inputEntry><text>"gold"</text></inputEntry><inputEntry><text>-</text></inputEntry><outputEntry><text>"dear"</text></outputEntry></rule>
      <rule><inputEntry><text>-</text></inputEntry><inputEntry><text>&gt; 100</text></inputEntry><outputEntry><text>"large"</text></outputEntry></rule>
    </decisionTable>
  </decision>
</definitions>"##;

const DECIDED: &str = "
from: desk.v1.Desk/Ask
routes:
  - name: treated
    when: request.urgent
    decide: { model: treatment.dmn, decision: Basket, inputs: { segment: request.customer.segment, amount: request.amount } }
    choices:
      dear: { endpoint: north }
      large: { endpoint: south, method: desk.v1.Desk/Tell }
  - name: others
    to: { endpoint: desk }
";

#[test]
fn a_decision_chooses_among_destinations_and_who_it_says_nothing_of_goes_on() {
    let set = set(&[("routes/a.yaml", DECIDED), ("routes/treatment.dmn", TREATMENT)]).unwrap();
    let rules = set.rules("/desk.v1.Desk/Ask").unwrap();
    let cases = [
        r#"{"urgent": true, "amount": 7, "customer": {"segment": "gold"}}"#,
        r#"{"urgent": true, "amount": 700, "customer": {"segment": "other"}}"#,
        r#"{"urgent": true, "amount": 7}"#,
        r#"{"amount": 700}"#,
    ];
    let (metadata, received) = (HeaderMap::new(), SystemTime::UNIX_EPOCH);
    let mut text = String::new();
    for json in cases {
        let message = message(json);
        let findings = rules.explain(&Trial { metadata: &metadata, received, message: &message }).unwrap();
        let chosen = rules.choose(&rules.envelope(&metadata), &message).unwrap();
        let goal = &rules.goals()[chosen[0].to];
        let goal = format!("{} {:?}", goal.method.path, goal.endpoint);
        let said: Vec<String> = findings.iter().map(|one| format!("{:?} {} -> {}", one.held, one.decided, one.to)).collect();
        text.push_str(&format!("{}: {goal}\n  {}\n", chosen[0].rule.name(), said.join("\n  ")));
    }
    expect![[r#"
        treated: /desk.v1.Desk/Ask Some("north")
          Yes Basket says "dear" by rule 1 -> north
          Yes  -> desk
        treated: /desk.v1.Desk/Tell Some("south")
          Yes Basket says "large" by rule 2 -> desk.v1.Desk/Tell at south
          Yes  -> desk
        others: /desk.v1.Desk/Ask Some("desk")
          Undecided("the decision came to null")  -> 
          Yes  -> desk
        others: /desk.v1.Desk/Ask Some("desk")
          No  -> 
          Yes  -> desk
    "#]]
    .assert_eq(&text);
    expect!["Basket says dear: north, large: desk.v1.Desk/Tell at south"].assert_eq(&set.listed()[0].to);
}

#[test]
fn decisions_are_held_against_their_models() {
    let file = |decide: &str, choices: &str| {
        format!("from: desk.v1.Desk/Ask\nroutes:\n  - name: a\n    decide: {decide}\n    choices: {choices}\n")
    };
    let right = "{ model: treatment.dmn, decision: Basket, inputs: { segment: channel, amount: priority } }";
    let both = "{ dear: { endpoint: north }, large: { endpoint: south } }";
    let files = [
        file("{ model: other.dmn, decision: Basket }", both),
        file("{ model: treatment.dmn, decision: Basked }", both),
        file("{ model: treatment.dmn, decision: Basket, inputs: { segment: chanel, amount: 1 +, more: 1 } }", both),
        file("{ model: treatment.dmn, decision: Basket, inputs: { segment: request.nme } }", both),
        file("{ model: treatment.dmn, decision: Basket, output: basket, inputs: { segment: channel, amount: priority } }", both),
        file(right, "{ dear: { endpoint: north }, huge: { endpoint: south } }"),
        file(right, "{}"),
        format!("{}    to: {{ endpoint: north }}\n", file(right, both)),
        format!("from: desk.v1.Desk/Ask\nroutes:\n  - name: a\n    choices: {both}\n"),
    ];
    let mut text = String::new();
    for file in &files {
        let refused = set(&[("routes/a.yaml", file), ("routes/treatment.dmn", TREATMENT)]).unwrap_err();
        text.push_str(&format!("{refused}\n\n"));
    }
    expect![[r#"
        routes/a.yaml:4:13: route a: no model `other.dmn` beside the route files (there is treatment.dmn)

        routes/a.yaml:4:13: route a: the model has no decision `Basked` (it has Basket)

        routes/a.yaml:4:13: route a: the model has no input `more` (it has amount, segment)
        routes/a.yaml:4:13: route a: input `amount` is no FEEL: expected a value, at line 1, column 4
          1 +
             ^
        routes/a.yaml:4:13: route a: input `segment`: chanel is not known here (known are method, service, channel, customer, reason, priority, received, metadata.KEY, request.FIELD)

        routes/a.yaml:3:11: route a: desk.v1.Asked has no field `nme` (it has: name, amount, urgent, note, kind, customer, items, labels, mail, other, call, codes, rate, delta, big, raw, at, stock, nick, kinds, f32, f64, ratio, rates)
        routes/a.yaml:4:13: route a: inputs of the model are not given: amount (write null where one is not known)
        routes/a.yaml:4:13: route a: input `segment`: request is not known here (known are method, service, channel, customer, reason, priority, received, metadata.KEY, request.FIELD)

        routes/a.yaml:4:13: route a: the decision has no output `basket` (named are: none)

        routes/a.yaml:4:13: route a: rule 2 of the table says "large", for which `choices` has no destination
        routes/a.yaml:4:13: route a: no rule of the table says "huge" (they say dear, large)

        routes/a.yaml:4:13: route a: rule 1 of the table says "dear", for which `choices` has no destination
        routes/a.yaml:4:13: route a: rule 2 of the table says "large", for which `choices` has no destination
        routes/a.yaml:3:11: route a: `decide` needs `choices`: the destinations by what the decision says

        routes/a.yaml:3:11: route a: it has `to` and `decide`: one of them says where the call goes

        routes/a.yaml:3:11: route a: `choices` are for `decide`, which it does not have

    "#]].assert_eq(&text);
    refused(
        &[("routes/t.dmn", "<definitions/>")],
        expect![[r#"
        routes/t.dmn:1:1: expected the definitions of DMN 1.3, 1.4 or 1.5, not 'definitions' of ''
    "#]],
    );
}
