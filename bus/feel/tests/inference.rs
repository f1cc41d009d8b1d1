//! What is known of expressions before they are evaluated.
#![allow(clippy::unwrap_used, reason = "tests end where something is not as expected")]

use std::sync::Arc;

use expect_test::{Expect, expect};
use passerelle_feel::{Expression, Number, Schema, Scope, Shape, Span, infer};

#[derive(Debug)]
struct Order;

impl Schema for Order {
    fn name(&self) -> &str {
        "Order"
    }

    fn entry(&self, name: &str) -> Option<Shape> {
        let number = |low: i64, high: i64| Shape::Number(Span::whole(Some(Number::from(low)), Some(Number::from(high))));
        Some(match name {
            "small" => number(-128, 127),
            "count" => number(0, 100),
            "ratio" => Shape::NUMBER,
            "name" => Shape::TEXT,
            "state" => Shape::Text(Some(Arc::from(["OPEN".into(), "SHUT".into()]))),
            "day" => Shape::Date,
            "lines" => Shape::list(Shape::Record(Arc::new(Order))),
            "labels" => Shape::Map(Arc::new(Shape::TEXT)),
            _ => return None,
        })
    }

    fn entries(&self) -> Vec<Arc<str>> {
        ["small", "count", "ratio", "name", "state", "day", "lines", "labels"].map(Arc::from).into()
    }
}

fn shown(shape: &Shape) -> String {
    match shape {
        Shape::Number(Span { whole, low, high }) => {
            let end = |end: &Option<Number>| end.map_or(String::new(), |end| end.to_string());
            format!("{} {}..{}", if *whole { "whole" } else { "number" }, end(low), end(high))
        }
        Shape::Text(Some(words)) => words.join("|"),
        Shape::List(item) => format!("[{}]", shown(item)),
        Shape::Context(entries) => {
            let entries: Vec<String> = entries.iter().map(|(name, shape)| format!("{name}: {}", shown(shape))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Shape::Either(all) => all.iter().map(shown).collect::<Vec<_>>().join(" or "),
        other => other.type_name().to_owned(),
    }
}

fn check(text: &str, expected: Expect) {
    let expression = Expression::compile(text, &Scope::of(&["source"])).unwrap();
    let inferred = infer(&expression, &[Shape::Record(Arc::new(Order))]);
    let reads: Vec<String> = inferred.reads.iter().map(|(_, path)| path.join(".")).collect();
    let problems: String = inferred.problems.iter().map(|problem| format!("; {problem}")).collect();
    expected.assert_eq(&format!("{} of {}{problems}", shown(&inferred.shape), reads.join(", ")));
}

#[test]
fn the_range_of_numbers_is_followed() {
    check("source.small", expect!["whole -128..127 of small"]);
    check("source.small + 1", expect!["whole -127..128 of small"]);
    check("source.small * -2", expect!["whole -254..256 of small"]);
    check("source.small / 2", expect!["number .. of small"]);
    check("floor(source.small / 2)", expect!["whole .. of small"]);
    check("round half up(source.ratio, 0)", expect!["whole .. of ratio"]);
    check("round half up(source.ratio, 2)", expect!["number .. of ratio"]);
    check("max(0, min(floor(source.ratio), 100))", expect!["whole 0..100 of ratio"]);
    check("abs(source.small)", expect!["whole -127..128 of small"]);
    check("if source.count > 5 then 5 else source.small", expect!["whole -128..127 of count, small"]);
    check("sum(source.lines.count)", expect!["whole .. of lines.count"]);
    check("modulo(source.small, 10)", expect!["whole 0..10 of small"]);
}

#[test]
fn what_is_read_is_told_by_its_path() {
    check(
        "for line in source.lines return {n: line.count, s: line.state}",
        expect!["[{n: whole 0..100, s: OPEN|SHUT}] of lines.count, lines.state"],
    );
    check("source.lines[state = \"OPEN\"].name", expect!["[string] of lines.state, lines.name"]);
    check("source.lines[1].name", expect!["string of lines.name"]);
    check("some line in source.lines satisfies line.count > 1", expect!["boolean of lines.count"]);
    check("count(source.lines)", expect!["whole 0.. of lines"]);
    check("source.day.year", expect!["value of day"]);
    check("source.labels.tier", expect!["string of labels.tier"]);
    check("{a: source.name, b: a + \"!\"}.b", expect!["string of name"]);
    check("(function(x) x + source.small)(1)", expect!["value of small"]);
    check("source", expect!["context of "]);
}

#[test]
fn what_can_never_be_is_told() {
    check(
        "source.nmae",
        expect!["value of nmae; Order has no 'nmae' (it has: small, count, ratio, name, state, day, lines, labels)"],
    );
    check("source.name * 2", expect!["value of name; a string * a number is always null"]);
    check("source.name + 2", expect!["value of name; a string + a number is always null"]);
    check("source.state = \"OPNE\"", expect![[r#"boolean of state; it is never "OPNE", but one of OPEN, SHUT"#]]);
    check("source.count = \"1\"", expect!["boolean of count; a number is compared with a string"]);
    check("source.day - source.day", expect!["days and time duration of day"]);
    check("if source.count = 1 then \"one\" else 2", expect!["one or whole 2..2 of count"]);
}
