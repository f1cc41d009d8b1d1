//! Boxed expressions, knowledge models, services, types and imports.

use passerelle_feel::Environment;
use passerelle_feel::dmn::Model;

use super::{decide, decision, input, inputs, literal, model, named, read};

fn entry(name: &str, expression: &str) -> String {
    format!(r#"<contextEntry><variable name="{name}"/>{expression}</contextEntry>"#)
}

#[test]
fn each_boxed_expression_gives_what_its_feel_would() {
    let l = literal;
    let cases = [
        (format!("<context>{}{}</context>", entry("a b", &l("2")), entry("c", &l("a b * x"))), "{a b: 2, c: 6}"),
        (format!("<context>{}<contextEntry>{}</contextEntry></context>", entry("a", &l("2")), l("a + x")), "5"),
        (format!("<list>{}{}</list>", l("x"), l("x + 1")), "[3, 4]"),
        (
            format!(r#"<relation><column name="a"/><column name="b"/><row>{}{}</row></relation>"#, l("x"), l("2")),
            "[{a: 3, b: 2}]",
        ),
        (format!("<conditional><if>{}</if><then>{}</then><else>{}</else></conditional>", l("x > 2"), l("1"), l("2")), "1"),
        (format!("<filter><in>{}</in><match>{}</match></filter>", l("[1, 4, 5]"), l("item > x")), "[4, 5]"),
        (format!("<filter><in>{}</in><match>{}</match></filter>", l("[1, 4, 5]"), l("\"yes\"")), "null"),
        (format!(r#"<for iteratorVariable="i"><in>{}</in><return>{}</return></for>"#, l("[1..x]"), l("i * i")), "[1, 4, 9]"),
        (
            format!(r#"<for iteratorVariable="i"><in>{}</in><return>{}</return></for>"#, l("[1..x]"), l("i + count(partial)")),
            "[1, 3, 5]",
        ),
        (format!(r#"<some iteratorVariable="i"><in>{}</in><satisfies>{}</satisfies></some>"#, l("[1, 4]"), l("i > x")), "true"),
        (
            format!(r#"<every iteratorVariable="i"><in>{}</in><satisfies>{}</satisfies></every>"#, l("[1, 4]"), l("i > x")),
            "false",
        ),
        (
            format!(
                "<context>{}<contextEntry>{}</contextEntry></context>",
                entry(
                    "fac",
                    &format!(
                        r#"<functionDefinition><formalParameter name="n"/>{}</functionDefinition>"#,
                        l("if n < 2 then 1 else n * fac(n - 1)")
                    )
                ),
                l("fac(x + 2)")
            ),
            "120",
        ),
    ];
    for (expression, expected) in cases {
        let model = read(&model(&(input("x", "number") + &decision("d", &["x"], &expression))));
        assert_eq!(decide(&model, "d", r#"{"x": 3}"#), expected, "{expression}");
    }
}

#[test]
fn knowledge_models_call_each_other_and_themselves() {
    let knowledge = |name: &str, needs: &str, parameter: &str, body: &str| {
        format!(
            r##"<businessKnowledgeModel id="{name}" name="{name}"><variable name="{name}" typeRef="number"/>
            <encapsulatedLogic><formalParameter name="{parameter}" typeRef="number"/>{}</encapsulatedLogic>{needs}</businessKnowledgeModel>"##,
            literal(body)
        )
    };
    let needs_twice = r##"<knowledgeRequirement><requiredKnowledge href="#twice"/></knowledgeRequirement>"##;
    let xml = model(
        &[
            input("x", "number"),
            knowledge("down", needs_twice, "n", "if n <= 0 then 0 else twice(n) + down(n - 1)"),
            knowledge("twice", "", "n", "2 * n"),
            decision("d", &["x", "Knowledge down"], "<invocation><literalExpression><text>down</text></literalExpression><binding><parameter name=\"n\"/><literalExpression><text>x</text></literalExpression></binding></invocation>"),
        ]
        .concat(),
    );
    let model = read(&xml);
    assert_eq!(decide(&model, "d", r#"{"x": 3}"#), "12");
    let called = model.call("twice", &inputs(r#"{"n": 4}"#), &Environment::timeless()).expect("a result");
    assert_eq!(called.value.to_string(), "8");
    let wrong = model.call("twice", &inputs(r#"{"n": "four"}"#), &Environment::timeless()).expect("a result");
    assert_eq!((wrong.value.to_string(), wrong.warnings.len()), ("null".to_owned(), 1));
}

#[test]
fn a_service_is_a_function_of_its_inputs_and_an_entry_point() {
    let xml = model(
        &[
            input("x", "number"),
            decision("rate", &[], &literal("10")),
            decision("sum", &["x", "Decision rate"], &literal("x + rate")),
            decision("out", &["Decision sum"], &literal("sum * 2")),
            r##"<decisionService id="s" name="s"><outputDecision href="#out"/><encapsulatedDecision href="#sum"/><inputDecision href="#rate"/><inputData href="#x"/></decisionService>"##.to_owned(),
            decision("d", &["Knowledge s"], &literal("s(100, 1) + s(x: 1, rate: 0)")),
        ]
        .concat(),
    );
    let model = read(&xml);
    assert_eq!(decide(&model, "d", "{}"), "204");
    assert_eq!(decide(&model, "out", r#"{"x": 1}"#), "22");
    assert_eq!(decide(&model, "out", r#"{"x": 1, "rate": 0}"#), "2");
    let called = model.call("s", &inputs(r#"{"x": 1, "rate": 5}"#), &Environment::timeless()).expect("a result");
    assert_eq!(called.value.to_string(), "12");
}

#[test]
fn inputs_are_held_to_their_types() {
    let types = r#"<itemDefinition name="tSize"><typeRef>string</typeRef><allowedValues><text>"S", "M", "L"</text></allowedValues></itemDefinition>
        <itemDefinition name="tOrder"><itemComponent name="size"><typeRef>tSize</typeRef></itemComponent>
        <itemComponent name="lines" isCollection="true"><typeRef>number</typeRef><allowedValues><text>&gt; 0</text></allowedValues></itemComponent></itemDefinition>"#;
    let model =
        read(&model(&(types.to_owned() + &input("order", "tOrder") + &decision("d", &["order"], &literal("order.size")))));
    assert_eq!(decide(&model, "d", r#"{"order": {"size": "M", "lines": [1, 2]}}"#), "M");
    for wrong in [r#"{"size": "XL", "lines": [1]}"#, r#"{"size": "M", "lines": [1, 0]}"#, r#"{"size": "M"}"#, "5"] {
        assert_eq!(decide(&model, "d", &format!(r#"{{"order": {wrong}}}"#)), "null", "{wrong}");
    }
}

#[test]
fn imported_decisions_types_and_inputs_go_by_the_name_of_the_import() {
    let other = named(
        "urn:test:other",
        &(r#"<itemDefinition name="tAge"><typeRef>number</typeRef></itemDefinition>"#.to_owned()
            + &input("age", "tAge")
            + &decision("is adult", &["age"], &literal("age >= 18")).replace("id=\"is adult\"", "id=\"adult\"")),
    );
    let import = r#"<import name="p" namespace="urn:test:other" importType="https://www.omg.org/spec/DMN/20230324/MODEL/"/>"#;
    let needs = r#"<informationRequirement><requiredDecision href="urn:test:other#adult"/></informationRequirement>"#;
    let own = decision("d", &[], &literal("if p.is adult then x else 0")).replace("<literal", &format!("{needs}<literal"));
    let own = own.replace(
        "<informationRequirement>",
        r##"<informationRequirement><requiredInput href="#x"/></informationRequirement><informationRequirement>"##,
    );
    let xml = model(&(import.to_owned() + &input("x", "p.tAge") + &own));
    let model = Model::read(&xml, &[&other]).expect("a model");
    assert_eq!(decide(&model, "d", r#"{"x": 7, "p": {"age": 20}}"#), "7");
    assert_eq!(decide(&model, "d", r#"{"x": 7, "p.age": 3}"#), "0");
    assert_eq!(decide(&model, "d", r#"{"x": 7, "age": 30}"#), "7");
}
