//! What a hostile or careless author may write: an answer or an error, soon, and the process lives.
#![allow(clippy::expect_used, reason = "tests end where something is not as expected")]

use passerelle_feel::{Exceeded, Expression, Limits, Scope, Value};

fn run(text: &str) -> Result<Value, String> {
    let expression = Expression::compile(text, &Scope::default()).map_err(|error| error.to_string())?;
    expression.evaluate(&[], &Limits::default()).map(|evaluated| evaluated.value).map_err(|limit| limit.to_string())
}

fn limit(text: &str) -> Exceeded {
    let expression = Expression::compile(text, &Scope::default()).expect("an expression");
    expression.evaluate(&[], &Limits::default()).expect_err("a limit")
}

#[test]
fn endless_recursion_meets_the_depth_limit() {
    assert!(matches!(limit("{f: function(n) f(n + 1), r: f(0)}.r"), Exceeded::Depth(_)));
    assert!(matches!(limit("{f: function(n) if n = 0 then 0 else 1 + f(n - 1), r: f(1000000)}.r"), Exceeded::Depth(_)));
}

#[test]
fn a_loop_of_ten_thousand_runs_and_one_of_ten_million_is_given_up() {
    let slow = Limits { time: std::time::Duration::from_secs(10), ..Limits::default() };
    let sum = Expression::compile("sum(for i in 1..10000 return i)", &Scope::default()).expect("an expression");
    assert_eq!(sum.evaluate(&[], &slow).expect("within the limits").value.to_string(), "50005000");
    limit("sum(for i in 1..10000000 return i)");
    limit("count(for i in 1..1000, j in 1..1000, k in 1..1000 return 1)");
    limit("some i in 1..100000000 satisfies i < 0");
    limit("for i in 0..100000 return partial");
    limit("for i in 0..100000 return [partial[-1]]");
}

#[test]
fn nesting_is_limited_where_it_is_read() {
    for text in ["(".repeat(100_000), "[".repeat(100_000), "-".repeat(100_000), "not(".repeat(100_000), "{a:".repeat(100_000)] {
        assert!(run(&text).is_err());
    }
    assert!(run(&format!("1{}", "+1".repeat(100_000))).is_err());
    assert!(run(&"1 in (".repeat(60)).is_err());
}

#[test]
fn huge_texts_and_numbers_are_errors() {
    let doubled = (0..40).fold("\"x\"".to_owned(), |text, _| format!("(function(s) s + s)({text})"));
    assert!(run(&doubled).is_err());
    assert_eq!(run("10 ** 100000").map(|value| value.to_string()), Ok("null".to_owned()));
    assert!(run(&"9".repeat(20_000)).is_err());
    assert!(run(&format!("count([{}1])", "1,".repeat(600_000))).is_err());
}

#[test]
fn no_pattern_stalls() {
    let text = format!("matches(\"{}!\", \"^(a+)+$\")", "a".repeat(10_000));
    assert_eq!(run(&text).map(|value| value.to_string()), Ok("false".to_owned()));
    assert_eq!(run("matches(\"a\", \"((a{1000}){1000}){1000}\")").map(|value| value.to_string()), Ok("null".to_owned()));
}

#[test]
fn nothing_outside_is_called() {
    assert!(run("(function(x) external {java: {class: \"java.lang.Runtime\"}})(1)").is_err());
}
