//! `passerelle feel`, as people and scripts meet it.
#![allow(clippy::expect_used, reason = "all of it is tests")]

use std::io::Write as _;
use std::process::{Command, Stdio};

use expect_test::{Expect, expect};

/// Exit code, standard output and standard error.
fn feel(arguments: &[&str], input: &str, expected: Expect) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_passerelle"));
    command.arg("feel").args(arguments).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().expect("passerelle runs");
    // Who needs no input may be gone before it is written.
    let _ = process.stdin.take().expect("an input").write_all(input.as_bytes());
    let output = process.wait_with_output().expect("it ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().expect("it ends by itself");
    expected.assert_eq(&format!("{}{}exit {code}\n", text(&output.stdout), text(&output.stderr)));
}

#[test]
fn an_expression_is_evaluated_over_json() {
    feel(&["a + b", "--json", r#"{"a":1,"b":2}"#], "", expect![["3\nexit 0\n"]]);
    feel(&["Monthly Salary * 12", "--json", "-"], r#"{"Monthly Salary": 2500.5}"#, expect![["30006\nexit 0\n"]]);
    feel(
        &["customer.first name + \"!\"", "--json", r#"{"customer": {"first name": "Ann"}}"#],
        "",
        expect![["\"Ann!\"\nexit 0\n"]],
    );
    feel(&["{a: [1, \"x\"]}", "--output", "json"], "", expect![["{\"a\":[1,\"x\"]}\nexit 0\n"]]);
    feel(&["today()", "--now", "2026-03-01T12:00:00Z"], "", expect![["2026-03-01\nexit 0\n"]]);
}

#[test]
fn unary_tests_look_at_a_value() {
    feel(&["> 5, [1..3]", "--tests", "--json", "2"], "", expect![["true\nexit 0\n"]]);
    feel(&["> least", "--tests", "--json", r#"{"?": 2, "least": 3}"#], "", expect![["false\nexit 0\n"]]);
    feel(
        &["> 5", "--tests"],
        "",
        expect![[r#"
            error: --tests needs the value that is tested: --json VALUE, or --json '{"?": VALUE, …}'
            exit 2
        "#]],
    );
}

#[test]
fn what_is_wrong_is_shown_with_its_place() {
    feel(
        &["1 + * 2"],
        "",
        expect![[r#"
            error: expected a value, at line 1, column 5
              1 + * 2
                  ^
            exit 1
        "#]],
    );
    feel(
        &["a + 1", "--json", "{}"],
        "",
        expect![[r#"
            null
            warning: there is no name 'a' here
            warning: no result for null add number
            exit 0
        "#]],
    );
    feel(
        &["for i in 1..10000000 return 1"],
        "",
        expect![[r#"
            error: a list would have more than 100000 items
            exit 1
        "#]],
    );
    feel(
        &["a", "--json", "[1]"],
        "",
        expect![[r#"
            error: --json: expected an object, whose keys are the names
            exit 2
        "#]],
    );
}

#[test]
fn lines_are_answered_one_after_the_other() {
    feel(
        &[],
        "price = 12.50\n\norder count = 4\nprice * order count\n(price = 12.5)\n:test 5 : > 3, [1..2]\n:names\n:quit\n1\n",
        expect![[r#"
            50
            true
            true
            price = 12.5
            order count = 4
            exit 0
        "#]],
    );
    feel(
        &[],
        "price = 1 +\n2\n",
        expect![[r#"
            error: expected a value, at line 1, column 12
                      1 +
                         ^
            exit 1
        "#]],
    );
    feel(
        &[],
        ":nothing\n",
        expect![[r#"
            error: there is no `:nothing`; there are :help, :names, :quit, :test
            exit 1
        "#]],
    );
}
