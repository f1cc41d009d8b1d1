//! The sample tables are total, and decide as the cases beside them say.
#![allow(clippy::expect_used, reason = "tests end where something is not as expected")]

use std::fs;
use std::path::Path;

use passerelle_feel::dmn::cover::{InputColumn, Policy, Rule, Table, require};
use passerelle_feel::{Expression, Limits, Number, Scope, Value, temporal};

/// What stands between each begin and the end behind it.
fn between<'a>(text: &'a str, begin: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(begin).skip(1).map(move |rest| rest.split(end).next().unwrap_or_default())
}

fn first<'a>(text: &'a str, begin: &'a str, end: &'a str) -> Option<&'a str> {
    between(text, begin, end).next()
}

fn plain(text: &str) -> String {
    text.replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")
}

fn sample(folder: &str, file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/sample/decisions").join(folder).join(file);
    fs::read_to_string(path).expect("a sample")
}

/// The table of a sample, and the columns over which it is declared total.
fn table(folder: &str) -> (Table, Vec<String>) {
    let model = sample(folder, &format!("{folder}.dmn"));
    let inputs = between(&model, "<input id=", "</input>").map(|input| InputColumn {
        name: first(input, "label=\"", "\"").expect("a label").into(),
        type_name: first(input, "typeRef=\"", "\"").map(Into::into),
        allowed: first(input, "<inputValues><text>", "</text>").map(|text| plain(text).into()),
    });
    let rules = between(&model, "<rule id=\"", "</rule>").map(|rule| {
        let cells = |begin| between(rule, begin, "</text>").map(|text| plain(text).into()).collect();
        Rule {
            id: rule.split('"').next().map(Into::into),
            tests: cells("<inputEntry><text>"),
            outputs: cells("<outputEntry><text>"),
        }
    });
    let table = Table {
        name: folder.into(),
        policy: Policy::First,
        inputs: inputs.collect(),
        outputs: Vec::new(),
        rules: rules.collect(),
    };
    let total = first(&model, "<passerelle:total columns=\"", "\"").expect("declared total");
    (table, total.split(", ").map(String::from).collect())
}

/// A value of a case.
fn value(text: &str) -> Value {
    let content = first(text, ">", "<").unwrap_or_default();
    match first(text, "xsi:type=\"xsd:", "\"") {
        Some("string") => Value::text(content),
        Some("boolean") => Value::Boolean(content == "true"),
        Some("decimal") => Value::Number(content.parse::<Number>().expect("a number")),
        Some(_) => temporal::literal(content).expect("a date or a time"),
        None => Value::Null,
    }
}

fn decide(table: &Table, inputs: &[Value]) -> Vec<String> {
    let holds = |text: &str, value: &Value| {
        let tests = Expression::compile_tests(text, &Scope::of(&["?"])).expect("tests");
        let found = tests.evaluate(std::slice::from_ref(value), &Limits::default()).expect("within limits");
        matches!(found.value, Value::Boolean(true))
    };
    let hit = |rule: &&Rule| rule.tests.iter().zip(inputs).all(|(text, value)| holds(text, value));
    let rule = table.rules.iter().find(hit).expect("a total table");
    let evaluate = |text: &str| {
        let expression = Expression::compile(text, &Scope::default()).expect("an expression");
        expression.evaluate(&[], &Limits::default()).expect("within limits").value.to_string()
    };
    rule.outputs.iter().map(|text| evaluate(text)).collect()
}

fn check(folder: &str, wanted: &[&str], rules: usize, cases: usize) {
    let (table, columns) = table(folder);
    assert_eq!(table.rules.len(), rules);
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    assert!(wanted.iter().all(|column| columns.contains(column)));
    let refused = require(&table, &columns).err().map(|error| error.to_string());
    assert_eq!(refused, None);
    let text = sample(folder, &format!("{folder}-test-01.xml"));
    let mut wrong = Vec::new();
    for case in between(&text, "<testCase ", "</testCase>") {
        let inputs: Vec<Value> = between(case, "<inputNode ", "</inputNode>")
            .map(|node| value(node.split_once("<value").map_or("", |(_, value)| value)))
            .collect();
        let expected: Vec<String> = between(case, "<component ", "</component>")
            .map(|node| value(node.split_once("<value").map_or("", |(_, value)| value)).to_string())
            .collect();
        assert!(inputs.len() == table.inputs.len() && !expected.is_empty());
        let found = decide(&table, &inputs);
        if found != expected {
            wrong.push(format!("{:?}: {found:?}, not {expected:?}", first(case, "<description>", "<")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(between(&text, "<testCase ", "</testCase>").count(), cases);
}

#[test]
fn the_treatment_of_interactions_is_total_and_decides_as_its_cases_say() {
    check("treatment", &["customerValue", "reason", "channel"], 12, 13);
}

#[test]
fn the_legal_floor_of_contact_pressure_is_total_and_decides_as_its_cases_say() {
    check("contact-pressure", &["contacts30d", "localTime"], 9, 21);
}
