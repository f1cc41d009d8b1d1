//! Expressions and what they give, one line each.
#![allow(clippy::expect_used, reason = "tests end where something is not as expected")]

use passerelle_feel::{Environment, Expression, Scope, Value};

fn check(cases: &[(&str, &str)]) {
    let scope = Scope::of(&["Monthly Salary", "a", "reason"]);
    let values = [Value::Number(2500_i64.into()), Value::text("gold"), Value::text("claim")];
    let mut wrong = Vec::new();
    for (text, expected) in cases {
        let found = match Expression::compile(text, &scope) {
            Ok(expression) => {
                expression.evaluate(&values, &Environment::timeless()).map_or_else(|e| e.to_string(), |e| e.value.to_string())
            }
            Err(error) => error.to_string(),
        };
        if found != *expected {
            wrong.push(format!("{text}\n   gives    {found}\n   expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn numbers_are_decimals_of_34_digits() {
    check(&[
        ("0.1 + 0.2", "0.3"),
        ("1 / 3", "0.3333333333333333333333333333333333"),
        ("10 ** 30 + 1", "1000000000000000000000000000001"),
        ("2 ** 0.5", "1.414213562373095048801688724209698"),
        ("1 / 0", "null"),
        ("decimal(2.5, 0)", "2"),
        ("round half up(-5.5, 0)", "-6"),
        ("floor(-1.5)", "-2"),
        ("modulo(-12, 5)", "3"),
        ("-3 * -(2 + 1)", "9"),
        ("number(\"1 000,5\", \" \", \",\")", "1000.5"),
        ("9999999999999999999999999999999999 + 1", "10000000000000000000000000000000000"),
    ]);
}

#[test]
fn names_may_hold_spaces() {
    check(&[
        ("Monthly Salary * 12", "30000"),
        ("{\"x y\": 1, z: x y + 1}.z", "2"),
        ("{first name: \"Ann\"}.first name", "Ann"),
        ("[{a b: 1}, {a b: 5}][a b > 2]", "[{a b: 5}]"),
        ("date and time(\"2020-01-02T03:04:05\").time offset", "null"),
        ("a = \"gold\" and reason in (\"claim\", \"complaint\") and Monthly Salary > 1000", "true"),
    ]);
}

#[test]
fn logic_has_three_values() {
    check(&[
        ("true or null", "true"),
        ("false and null", "false"),
        ("true and null", "null"),
        ("1 = \"1\"", "null"),
        ("null = 1", "false"),
        ("not(null)", "null"),
        ("all([true, null])", "null"),
        ("1 < null", "null"),
    ]);
}

#[test]
fn lists_ranges_and_loops() {
    check(&[
        ("for i in 1..4 return i * i", "[1, 4, 9, 16]"),
        ("for i in 0..4 return if i = 0 then 1 else i * partial[-1]", "[1, 1, 2, 6, 24]"),
        ("for i in 1..2, j in [10, 20] return i + j", "[11, 21, 12, 22]"),
        ("some x in [1, 2, 3] satisfies x > 2", "true"),
        ("every x in [] satisfies false", "true"),
        ("[1, 2, 3][item > 1]", "[2, 3]"),
        ("[1, 2, 3][-1]", "3"),
        ("5 in (1..5]", "true"),
        ("5 in ([1..3], > 4)", "true"),
        ("5 between 1 and 4", "false"),
        ("sort([3, 1, 2], function(x, y) x > y)", "[3, 2, 1]"),
        ("flatten([1, [2, [3]]])", "[1, 2, 3]"),
        ("mode([6, 1, 9, 6, 1])", "[1, 6]"),
        ("overlaps([1..5], [5..8])", "true"),
        ("(<10)", "(< 10)"),
        ("string join([\"a\", \"b\"], \"-\")", "a-b"),
    ]);
}

#[test]
fn functions_see_what_stands_around_them() {
    check(&[
        ("{f: function(n) if n = 0 then 1 else n * f(n - 1), r: f(5)}.r", "120"),
        ("{k: 3, f: function(x: number) x + k, r: f(x: 4)}.r", "7"),
        ("(function(x) (function(y) x + y)(2))(1)", "3"),
        ("substring(string: \"foobar\", start position: 3)", "obar"),
        ("[1, 2] instance of list<number>", "true"),
        ("@\"P1D\" instance of days and time duration", "true"),
    ]);
}

#[test]
fn dates_and_durations() {
    check(&[
        ("date(\"2020-02-29\") + duration(\"P1Y\")", "2021-02-28"),
        ("date(\"2020-03-01\") - date(\"2020-02-01\")", "P29D"),
        ("@\"2018-12-08T00:00:00+00:00\" = @\"2018-12-08T00:00:00@Etc/UTC\"", "true"),
        ("time(\"10:30:00+02:00\").time offset", "PT2H"),
        ("duration(\"P1Y27M\")", "P3Y3M"),
        ("duration(\"PT36H\") / 2", "PT18H"),
        ("years and months duration(date(\"2011-12-22\"), date(\"2013-08-24\"))", "P1Y8M"),
        ("day of week(date(\"2019-09-17\"))", "Tuesday"),
        ("date(2017, 13, 1)", "null"),
    ]);
}

#[test]
fn strings_and_patterns() {
    check(&[
        ("\"\\u0041\\uD83D\\uDC0E\"", "A🐎"),
        ("matches(\"Foobar\", \"^fo*b\", \"i\")", "true"),
        ("replace(\"banana\", \"a(n)\", \"<$1>\")", "b<n><n>a"),
        ("split(\"John Doe\", \"\\s\")", "[John, Doe]".replace("John", "\"John\"").replace("Doe", "\"Doe\"").leak()),
        ("\"a\" + 1", "null"),
    ]);
}

#[test]
fn patterns_are_those_of_xpath() {
    check(&[
        ("matches(\"abc\", \"(?i)ABC\")", "null"),
        ("matches(\"ab\", \"a\\b\")", "null"),
        ("matches(\"a\", \"\\x61\")", "null"),
        ("matches(\"a\", \"a**\")", "null"),
        ("matches(\"aba\", \"(a)b\\1\")", "null"),
        ("matches(\"a:b-1\", \"^\\i\\c*$\")", "true"),
        ("matches(\"a\", \"\\p{IsBasicLatin}\")", "true"),
        ("matches(\"b\", \"[a-z-[aeiou]]\")", "true"),
        ("matches(\"b\", \"[^a-z-[b]]\")", "false"),
        ("matches(\"a&&b\", \"[&]{2}\")", "true"),
        ("matches(\"a#b\", \"a # b\", \"x\")", "true"),
        ("replace(\"abc\", \"(b)\", \"$12\")", "ab2c"),
        ("replace(\"abc\", \"b\", \"$\")", "null"),
        ("replace(\"abc\", \"x*\", \"-\")", "null"),
        ("split(\"abc\", \"\")", "null"),
    ]);
}

#[test]
fn ranges_keep_how_they_were_written() {
    check(&[
        ("[1..10) = [1..10[", "true"),
        ("5 in ]1..10[ and true", "true"),
        ("(< 10) = (null..10)", "false"),
        ("(= 10) = [10..10]", "false"),
        ("(= 10) = (= 10)", "true"),
        ("[1, 2, 3][item > 1]", "[2, 3]"),
        ("before(range: [1..5], point: 10)", "true"),
        ("before(point: 10, range: [1..5])", "false"),
    ]);
}

#[test]
fn an_error_shows_the_place() {
    check(&[("1 +\n  * 2", "expected a value, at line 2, column 3\n    * 2\n    ^")]);
}

#[test]
fn a_cell_of_a_table_is_a_test_of_its_input() {
    let scope = Scope::of(&["?"]);
    let holds = |text: &str, value: i64| {
        let tests = Expression::compile_tests(text, &scope).expect(text);
        tests.evaluate(&[Value::Number(value.into())], &Environment::timeless()).expect(text).value.to_string()
    };
    for (text, value, expected) in [
        ("-", 5, "true"),
        ("> 4", 5, "true"),
        ("1, 2, [5..6]", 5, "true"),
        ("not(5, 6)", 5, "false"),
        ("? > 3 and ? < 6", 5, "true"),
        ("< 4", 5, "false"),
    ] {
        assert_eq!(holds(text, value), expected, "{text} for {value}");
    }
}
