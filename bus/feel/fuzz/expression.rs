//! What must hold for every text that is read as an expression.

use std::time::Duration;

use passerelle_feel::{Environment, Expression, Limits, Scope, SyntaxError, Value, compare, equal, from_json, to_json};

/// Reads a text as an expression and as unary tests, and evaluates what it is. Panics where something is not as it must be.
pub(crate) fn read_and_evaluate(text: &str) {
    // A name of several words, one that tests look at, and plain ones.
    let scope = Scope::of(&["?", "Monthly Salary", "a", "b", "l", "c"]);
    let values = values_of(&["7", "2500.50", "\"gold\"", "true", "[1, 2, 3]", "{x: 1, \"y z\": [2]}"]);
    for compile in [Expression::compile, Expression::compile_tests] {
        match compile(text, &scope) {
            Ok(expression) => evaluate(&expression, &values),
            Err(error) => place_is_in(text, &error),
        }
    }
}

/// The values of the names, themselves written in FEEL.
fn values_of(texts: &[&str]) -> Vec<Value> {
    let none = Scope::default();
    let value = |text: &&str| Some(Expression::compile(text, &none).ok()?.evaluate(&[], &environment()).ok()?.value);
    texts.iter().map(|text| value(text).unwrap_or(Value::Null)).collect()
}

/// Small limits, so that many texts are tried; the time is none of them, or the same text might give two results.
fn environment() -> Environment {
    let limits = Limits { steps: 20_000, memory_bytes: 4 << 20, time: Duration::from_secs(60), ..Limits::default() };
    Environment::timeless().within(limits)
}

fn evaluate(expression: &Expression, values: &[Value]) {
    let once = expression.evaluate(values, &environment());
    let again = expression.evaluate(values, &environment());
    match (once, again) {
        (Ok(once), Ok(again)) => {
            assert_eq!(once.value.to_string(), again.value.to_string(), "the same expression gives the same value");
            assert_eq!(once.warnings, again.warnings, "and the same warnings");
            looked_at(&once.value);
        }
        (once, again) => assert_eq!(once.err(), again.err(), "the same expression meets the same limit"),
    }
}

fn looked_at(value: &Value) {
    let _ = (equal(value, value), compare(value, value), value.type_name());
    let json = to_json(value);
    // What JSON can hold comes back from it.
    assert_eq!(to_json(&from_json(&json)), json, "JSON goes there and back");
}

fn place_is_in(text: &str, error: &SyntaxError) {
    let lines = text.matches('\n').count() + 1;
    assert!((1..=lines).contains(&error.line), "line {} of {lines}", error.line);
    let length = text.split('\n').nth(error.line - 1).map_or(0, |line| line.chars().count());
    assert!((1..=length + 1).contains(&error.column), "column {} of {length}", error.column);
    assert!(!error.to_string().is_empty());
}
