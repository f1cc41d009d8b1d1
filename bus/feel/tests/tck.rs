//! Files of test cases in the TCK's format: what is read from them, and which results are as expected.
#![allow(clippy::expect_used, reason = "tests end where something is not as expected")]

use passerelle_feel::dmn::tck::{Subject, TestCases, agrees};
use passerelle_feel::{Environment, Expression, Scope, Value};

fn file(cases: &str) -> String {
    format!(
        r#"<testCases xmlns="http://www.omg.org/spec/DMN/20160719/testcase" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
            xmlns:xsd="http://www.w3.org/2001/XMLSchema"><modelName>a.dmn</modelName>{cases}</testCases>"#
    )
}

fn value(text: &str) -> Value {
    let expression = Expression::compile(text, &Scope::default()).expect(text);
    expression.evaluate(&[], &Environment::timeless()).expect(text).value
}

#[test]
fn values_are_read_as_their_types_say() {
    for (written, expected) in [
        (r#"<value xsi:type="xsd:decimal">10.50</value>"#, "10.50"),
        (r#"<value xsi:type="xsd:double">-1e2</value>"#, "-100"),
        (r#"<value xsi:type="xsd:boolean">true</value>"#, "true"),
        (r#"<value xsi:type="xsd:string"> a &amp; b</value>"#, "\" a & b\""),
        ("<value>plain</value>", "\"plain\""),
        (r#"<value xsi:type="xsd:date">2020-02-29</value>"#, "@\"2020-02-29\""),
        (r#"<value xsi:type="xsd:time">10:00:00Z</value>"#, "@\"10:00:00Z\""),
        (r#"<value xsi:type="xsd:dateTime">2020-02-29T10:00:00</value>"#, "@\"2020-02-29T10:00:00\""),
        (r#"<value xsi:type="xsd:duration">P1Y2M</value>"#, "@\"P1Y2M\""),
        (r#"<value xsi:type="xsd:duration">-PT5M</value>"#, "@\"-PT5M\""),
        (r#"<value xsi:nil="true"/>"#, "null"),
        (r#"<list xsi:nil="true"/>"#, "null"),
        ("<list/>", "[]"),
        (r#"<list><item><value>a</value></item><item><value xsi:nil="true"/></item></list>"#, "[\"a\", null]"),
        (
            r#"<component name="a b"><value>c</value></component><component name="d"><list><item><component name="e"><value xsi:type="xsd:decimal">1</value></component></item></list></component>"#,
            "{\"a b\": \"c\", d: [{e: 1}]}",
        ),
    ] {
        let cases = format!(r#"<testCase id="1"><inputNode name="in">{written}</inputNode></testCase>"#);
        let read = TestCases::read(&file(&cases)).expect(written);
        let found = &read.cases[0].inputs[0].value;
        assert!(agrees(&value(expected), found), "{written}\n   gives    {found}\n   expected {expected}");
    }
}

#[test]
fn a_case_says_what_is_evaluated_and_what_comes_out() {
    let read = TestCases::read(&file(
        r#"<testCase id="1"><resultNode name="r" errorResult="true"><expected><value xsi:nil="true"/></expected></resultNode></testCase>
           <testCase id="2" type="decisionService" invocableName="s"/><testCase id="3" type="bkm" invocableName="f"/>"#,
    ))
    .expect("three cases");
    assert_eq!(read.model, "a.dmn");
    let subjects: Vec<&Subject> = read.cases.iter().map(|case| &case.subject).collect();
    assert_eq!(subjects, [&Subject::Decisions, &Subject::Service("s".to_owned()), &Subject::Knowledge("f".to_owned())]);
    let expected = &read.cases[0].results[0];
    assert!(expected.is_met_by(None) && expected.is_met_by(Some(&Value::Null)));
    assert!(!expected.is_met_by(Some(&Value::Boolean(true))));
}

#[test]
fn results_agree_by_value() {
    for (expected, found, agree) in [
        ("1.38629436", "log(4)", true),
        ("1.386294", "log(4)", false),
        ("1", "\"1\"", false),
        ("null", "null", true),
        ("null", "false", false),
        ("[1, 2]", "[1, 2.0]", true),
        ("[1, 2]", "[2, 1]", false),
        ("{a: 1, b: 2}", "{b: 2, a: 1}", true),
        ("{a: 1}", "{a: 1, b: 2}", false),
        ("@\"10:00:00Z\"", "@\"10:00:00+00:00\"", true),
    ] {
        assert_eq!(agrees(&value(expected), &value(found)), agree, "{expected} and {found}");
    }
}

#[test]
fn what_cannot_be_read_is_said_with_its_place() {
    for (text, message) in [
        ("<a/>".to_owned(), "line 1, column 1: expected 'testCases', not 'a'"),
        (
            file("<testCase><inputNode name=\"i\"><value xsi:type=\"xsd:decimal\">x</value></inputNode></testCase>"),
            "line 2, column 116: this is no decimal",
        ),
        (file("<testCase type=\"bkm\"/>"), "line 2, column 86: expected an attribute 'invocableName'"),
        (
            file("<testCase><inputNode name=\"i\"><value xsi:type=\"xsd:what\">x</value></inputNode></testCase>"),
            "line 2, column 116: values of type 'what' are not known",
        ),
    ] {
        assert_eq!(TestCases::read(&text).expect_err(message).to_string(), message);
    }
    let deep = "<list><item>".repeat(100) + "<value>a</value>" + &"</item></list>".repeat(100);
    let deep = TestCases::read(&file(&format!("<testCase><inputNode name=\"i\">{deep}</inputNode></testCase>")));
    assert!(deep.expect_err("too deep").to_string().contains("more than 64 levels"));
}
