//! Decision tables: hit policies, defaults, allowed values, and the index.

use std::fmt::Write as _;

use passerelle_feel::{Context, Environment, Value};
use proptest::prelude::*;

use super::{decide, decision, input, model, read};

/// A table over `x`, of rules written `test => output, output | test => output, output`.
fn table(attributes: &str, outputs: &str, rules: &str) -> String {
    let mut xml = format!(
        r#"<decisionTable {attributes}><input label="x"><inputExpression><text>x</text></inputExpression></input>{outputs}"#
    );
    for rule in rules.split('|') {
        let (test, results) = rule.split_once("=>").expect("a rule");
        let _ = write!(xml, "<rule><inputEntry><text><![CDATA[{test}]]></text></inputEntry>");
        for result in results.split(';') {
            let _ = write!(xml, "<outputEntry><text><![CDATA[{result}]]></text></outputEntry>");
        }
        xml.push_str("</rule>");
    }
    xml + "</decisionTable>"
}

fn result(attributes: &str, outputs: &str, rules: &str, x: &str) -> String {
    let xml = model(&(input("x", "Any") + &decision("d", &["x"], &table(attributes, outputs, rules))));
    decide(&read(&xml), "d", &format!(r#"{{"x": {x}}}"#))
}

const ONE: &str = r#"<output name="o"/>"#;
const RANKED: &str = r#"<output name="o"><outputValues><text>"high", "middle", "low"</text></outputValues></output>"#;

#[test]
fn each_hit_policy_makes_its_result_of_the_rules_that_hit() {
    let rules = r#"< 5 => 1 | > 3 => 2 | > 3 => 2 | [8..9] => 3"#;
    let words = r#"> 0 => "low" | > 5 => "high" | > 5 => "middle""#;
    let cases = [
        ("", ONE, rules, "1", "1"),
        ("", ONE, rules, "4", "null"),
        (r#"hitPolicy="ANY""#, ONE, rules, "6", "2"),
        (r#"hitPolicy="ANY""#, ONE, rules, "4", "null"),
        (r#"hitPolicy="FIRST""#, ONE, rules, "4", "1"),
        (r#"hitPolicy="PRIORITY""#, RANKED, words, "6", "high"),
        (r#"hitPolicy="PRIORITY""#, RANKED, words, "1", "low"),
        (r#"hitPolicy="OUTPUT ORDER""#, RANKED, words, "6", r#"["high", "middle", "low"]"#),
        (r#"hitPolicy="RULE ORDER""#, ONE, words, "6", r#"["low", "high", "middle"]"#),
        (r#"hitPolicy="COLLECT""#, ONE, rules, "8", "[2, 2, 3]"),
        (r#"hitPolicy="COLLECT" aggregation="SUM""#, ONE, rules, "8", "7"),
        (r#"hitPolicy="COLLECT" aggregation="MIN""#, ONE, rules, "8", "2"),
        (r#"hitPolicy="COLLECT" aggregation="MAX""#, ONE, rules, "8", "3"),
        (r#"hitPolicy="COLLECT" aggregation="COUNT""#, ONE, rules, "8", "3"),
        (r#"hitPolicy="COLLECT" aggregation="COUNT""#, ONE, "1 => 1", "8", "0"),
        (r#"hitPolicy="FIRST""#, ONE, "1 => 1", "8", "null"),
    ];
    for (attributes, outputs, rules, x, expected) in cases {
        assert_eq!(result(attributes, outputs, rules, x), expected, "{attributes} {rules} for {x}");
    }
}

#[test]
fn several_outputs_are_a_context_and_have_defaults() {
    let outputs = r#"<output name="a"><defaultOutputEntry><text>0</text></defaultOutputEntry></output><output name="b c"/>"#;
    assert_eq!(result("", outputs, r#""yes" => 1 ; "one""#, r#""yes""#), r#"{a: 1, b c: "one"}"#);
    assert_eq!(result("", outputs, r#""yes" => 1 ; "one""#, r#""no""#), "{a: 0, b c: null}");
}

#[test]
fn a_value_that_a_column_does_not_allow_gives_null() {
    let table = table("", ONE, "- => 1").replace("</input>", "<inputValues><text>[1..5]</text></inputValues></input>");
    let model = read(&model(&(input("x", "number") + &decision("d", &["x"], &table))));
    assert_eq!(decide(&model, "d", r#"{"x": 5}"#), "1");
    assert_eq!(decide(&model, "d", r#"{"x": 6}"#), "null");
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0..12).prop_map(|n| format!("{n}")),
        2 => (0..12, 0..12).prop_map(|(a, b)| format!("{a}, {b}.0")),
        2 => (0..12).prop_map(|n| format!("\"t{n}\"")),
        1 => Just("true".to_owned()),
        1 => Just("-".to_owned()),
        1 => (0..12).prop_map(|n| format!("> {n}")),
        1 => (0..12).prop_map(|n| format!("not({n})")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The way with the index is that of an evaluation, the way through every row that of a certificate.
    #[test]
    fn a_table_gives_the_same_with_its_index_and_without(cells in prop::collection::vec(cell(), 24..60), policy in 0..3_usize) {
        let rules: Vec<String> = cells.iter().enumerate().map(|(row, cell)| format!("{cell} => {row}")).collect();
        let attributes = [r#"hitPolicy="FIRST""#, r#"hitPolicy="RULE ORDER""#, r#"hitPolicy="UNIQUE""#][policy];
        let model = read(&model(&(input("x", "Any") + &decision("d", &["x"], &table(attributes, ONE, &rules.join("|"))))));
        let mut values: Vec<Value> = (0..13).map(|n: i64| Value::Number(n.into())).collect();
        values.extend((0..13).map(|n| Value::text(format!("t{n}"))));
        values.extend([Value::Boolean(true), Value::Boolean(false), Value::Null, Value::list(vec![Value::Number(1_i64.into())])]);
        for x in values {
            let inputs: Context = [("x".into(), x)].into_iter().collect();
            let quick = model.evaluate("d", &inputs, &Environment::timeless()).expect("a result").value;
            let thorough = model.certify("d", &inputs, &Environment::timeless()).expect("a result").outcome;
            prop_assert_eq!(quick.to_string(), thorough.to_string());
        }
    }
}
