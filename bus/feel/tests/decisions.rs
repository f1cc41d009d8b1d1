//! Decision models, from their XML to results, certificates and errors.
#![allow(clippy::expect_used, clippy::panic, reason = "tests end where something is not as expected")]

#[path = "decisions/boxed.rs"]
mod boxed;
#[path = "decisions/certificates.rs"]
mod certificates;
#[path = "decisions/refused.rs"]
mod refused;
#[path = "decisions/samples.rs"]
mod samples;
#[path = "decisions/tables.rs"]
mod tables;

use passerelle_feel::dmn::Model;
use passerelle_feel::{Context, Environment, Value, from_json};

/// A model of these elements.
fn model(elements: &str) -> String {
    named("urn:test:model", elements)
}

fn named(namespace: &str, elements: &str) -> String {
    format!(
        r#"<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" name="test" namespace="{namespace}">{elements}</definitions>"#
    )
}

/// An input of a type.
fn input(name: &str, of: &str) -> String {
    format!(r#"<inputData id="{name}" name="{name}"><variable name="{name}" typeRef="{of}"/></inputData>"#)
}

/// A decision that needs inputs and holds this expression.
fn decision(name: &str, needs: &[&str], expression: &str) -> String {
    let needs = needs.iter().map(|need| {
        let (sort, id) = need.split_once(' ').unwrap_or(("Input", need));
        let kind = if sort == "Knowledge" { "knowledge" } else { "information" };
        format!(r##"<{kind}Requirement><required{sort} href="#{id}"/></{kind}Requirement>"##)
    });
    let needs: String = needs.collect();
    format!(r#"<decision id="{name}" name="{name}"><variable name="{name}"/>{needs}{expression}</decision>"#)
}

fn literal(text: &str) -> String {
    format!("<literalExpression><text><![CDATA[{text}]]></text></literalExpression>")
}

fn inputs(json: &str) -> Context {
    match from_json(&serde_json::from_str(json).expect("JSON")) {
        Value::Context(context) => (*context).clone(),
        other => panic!("{other} are no inputs"),
    }
}

fn read(xml: &str) -> Model {
    Model::read(xml, &[]).unwrap_or_else(|error| panic!("{error}"))
}

/// What a decision gives, as text.
fn decide(model: &Model, decision: &str, json: &str) -> String {
    model.evaluate(decision, &inputs(json), &Environment::timeless()).expect("a result").value.to_string()
}
