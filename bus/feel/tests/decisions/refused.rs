//! Models that are refused, and where they are wrong.

use passerelle_feel::dmn::{DecideError, Model};
use passerelle_feel::{Environment, Exceeded, Limits};

use super::{decision, input, inputs, literal, model, read};

#[test]
fn a_load_of_more_than_a_hundred_models_is_refused_and_not_cut_short() {
    let own = model(&decision("d", &[], &literal("1")));
    let others = vec![own.as_str(); 100];
    assert!(Model::read(&own, &others[..99]).is_ok());
    let error = Model::read(&own, &others).expect_err("too many").to_string();
    assert_eq!(error, "line 1, column 1: more than 100 models in one load, those that it imports included");
}

#[test]
fn a_model_is_refused_with_the_place_of_what_is_wrong() {
    let external = r#"<businessKnowledgeModel id="b" name="b"><encapsulatedLogic kind="Java"><context/></encapsulatedLogic></businessKnowledgeModel>"#;
    let table = |attributes: &str| {
        format!("<decisionTable {attributes}><output/><rule><outputEntry><text>1</text></outputEntry></rule></decisionTable>")
    };
    let cases = [
        ("<a/>".to_owned(), "expected the definitions of DMN 1.3, 1.4 or 1.5"),
        ("<!DOCTYPE a [<!ENTITY b \"c\">]><a/>".to_owned(), "DTD"),
        (model(&decision("d", &[], &literal("1 +"))), "expected a value"),
        (model(&decision("d", &["missing"], &literal("1"))), "there is no element '#missing'"),
        (model(&input("x", "tMissing")), "there is no type 'tMissing'"),
        (
            model(&(decision("a", &["Decision b"], &literal("1")) + &decision("b", &["Decision a"], &literal("1")))),
            "in a circle: a needs b needs a",
        ),
        (model(external), "is never called"),
        (model(&decision("d", &[], &table(r#"hitPolicy="LAST""#))), "there is no hit policy 'LAST'"),
        (
            model(&decision("d", &[], &table("").replace("<output/>", "<output/><output/>"))),
            "each of several outputs needs a name",
        ),
        (
            model(&decision("d", &[], &table("").replace("<output/>", r#"<output name="a"/><output name="b"/>"#))),
            "1 output entries",
        ),
        (
            model(r#"<itemDefinition name="t"><itemComponent name="a"><typeRef>t</typeRef></itemComponent></itemDefinition>"#),
            "the type 't' holds itself",
        ),
        (
            model(r#"<import name="o" namespace="urn:o" importType="https://www.omg.org/spec/DMN/20230324/MODEL/"/>"#),
            "was not given",
        ),
        (
            model(&decision("d", &[], r#"<literalExpression expressionLanguage="juel"><text>1</text></literalExpression>"#)),
            "not in 'juel'",
        ),
        (model(&decision("d", &[], &("<list>".repeat(100) + &"</list>".repeat(100)))), "nested more than"),
    ];
    for (xml, expected) in cases {
        let error = Model::read(&xml, &[]).expect_err(&xml).to_string();
        assert!(error.contains(expected) && error.starts_with("line "), "{error}, not {expected}");
    }
}

#[test]
fn an_error_in_an_expression_says_its_line_and_column_in_the_file() {
    let xml = model(&decision("d", &[], "\n<literalExpression>\n  <text>1 +\n 2 * )</text></literalExpression>"));
    let error = Model::read(&xml, &[]).expect_err("no model");
    assert_eq!((error.line, error.column), (4, 6), "{error}");
}

#[test]
fn types_that_grow_with_each_other_are_refused() {
    let mut xml = r#"<itemDefinition name="t0"><typeRef>string</typeRef></itemDefinition>"#.to_owned();
    for level in 1..40 {
        let of = level - 1;
        xml += &format!(
            r#"<itemDefinition name="t{level}"><itemComponent name="a"><typeRef>t{of}</typeRef></itemComponent><itemComponent name="b"><typeRef>t{of}</typeRef></itemComponent></itemDefinition>"#
        );
    }
    let error = Model::read(&model(&xml), &[]).expect_err("no model").to_string();
    assert!(error.contains("made of more than"), "{error}");
}

#[test]
fn one_budget_covers_a_decision_with_all_it_needs() {
    let loops = literal("count(for i in 1..60 return i)");
    let model = read(&model(
        &(decision("a", &[], &loops)
            + &decision("b", &[], &loops)
            + &decision("c", &["Decision a", "Decision b"], &literal("a + b"))),
    ));
    let limits = Limits { steps: 100, ..Limits::default() };
    let environment = Environment::timeless().within(limits);
    assert_eq!(model.evaluate("a", &inputs("{}"), &environment).expect("a result").value.to_string(), "60");
    let met = model.evaluate("c", &inputs("{}"), &environment).map(|decided| decided.value.to_string());
    assert_eq!(met, Err(DecideError::Exceeded(Exceeded::Steps(100))));
}

#[test]
fn a_decision_that_is_not_there_is_an_error_that_names_those_that_are() {
    let model = read(&model(&decision("d", &[], &literal("1"))));
    let error = model.evaluate("e", &inputs("{}"), &Environment::timeless()).expect_err("no decision").to_string();
    assert_eq!(error, "the model has no decision 'e'; it has: d");
}
