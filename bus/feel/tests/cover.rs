//! Completeness reports of small tables, as people read them.
#![allow(clippy::expect_used, reason = "tests end where something is not as expected")]

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use passerelle_feel::dmn::cover::{InputColumn, Policy, Rule, Table, examine, require};

/// A table of lines: the columns `name: type = allowed | …`, then rules `cell | cell -> output`.
fn table(policy: Policy, columns: &str, rules: &[&str]) -> Table {
    let inputs = columns.split('|').map(|column| {
        let (head, allowed) = column.split_once('=').map_or((column, None), |(head, allowed)| (head, Some(allowed)));
        let (name, type_name) = head.split_once(':').map_or((head, None), |(name, type_name)| (name, Some(type_name)));
        let text = |text: &str| text.trim().into();
        InputColumn { name: text(name), type_name: type_name.map(text), allowed: allowed.map(text) }
    });
    let rules = rules.iter().enumerate().map(|(row, rule)| {
        let (tests, output) = rule.split_once("->").unwrap_or((rule, "0"));
        let tests = tests.split('|').map(|cell| cell.trim().into()).collect();
        Rule { id: Some(format!("r{}", row + 1).into()), tests, outputs: vec![output.trim().into()] }
    });
    Table {
        name: "t".into(),
        policy,
        inputs: inputs.collect(),
        outputs: vec![["3", "2", "1"].map(String::from).to_vec()],
        rules: rules.collect(),
    }
}

fn check(policy: Policy, columns: &str, rules: &[&str], expected: &Expect) {
    expected.assert_eq(&examine(&table(policy, columns, rules)).to_string());
}

#[test]
fn gaps_are_named_with_an_example() {
    check(
        Policy::Unique,
        "age: number",
        &["null", "< 18", "[18..65)", "> 65"],
        &expect![[r#"
            t: 4 rules, Unique; gaps 1, conflicts 0, dead rules 0, opaque cells 0
              gap: no rule covers age: 65; for example {"age":65}
        "#]],
    );
    check(
        Policy::Unique,
        "day: date",
        &["< date(\"2026-01-01\")", "> @\"2026-01-03\""],
        &expect![[r#"
            t: 2 rules, Unique; gaps 1, conflicts 0, dead rules 0, opaque cells 0
              gap: no rule covers day: null, [@"2026-01-01"..@"2026-01-03"]; for example {"day":"2026-01-01"}
        "#]],
    );
    check(
        Policy::Unique,
        "value: string = \"gold\", \"silver\" | paid: boolean = true, false",
        &["\"gold\" | -", "\"silver\" | true"],
        &expect![[r#"
            t: 2 rules, Unique; gaps 1, conflicts 0, dead rules 0, opaque cells 0
              gap: no rule covers value: "silver", paid: false; for example {"value":"silver","paid":false}
        "#]],
    );
    check(
        Policy::Unique,
        "wait: days and time duration",
        &["<= duration(\"PT1H\")"],
        &expect![[r#"
            t: 1 rules, Unique; gaps 1, conflicts 0, dead rules 0, opaque cells 0
              gap: no rule covers wait: null, > @"PT1H"; for example {"wait":"P1DT1H"}
        "#]],
    );
}

#[test]
fn overlaps_are_judged_by_the_hit_policy() {
    let rules = ["< 10 -> 1", "> 5 -> 2", "null -> 1", "null -> 1.0"];
    let mut found = String::new();
    for policy in [Policy::Unique, Policy::Any, Policy::First, Policy::Priority, Policy::All] {
        write!(found, "{}", examine(&table(policy, "a: number", &rules))).expect("a string");
    }
    expect![[r#"
        t: 4 rules, Unique; gaps 0, conflicts 2, dead rules 0, opaque cells 0
          conflict: row 1 (r1) and row 2 (r2) both hit and are at odds on a: (5..10); for example {"a":6}
          conflict: row 3 (r3) and row 4 (r4) both hit and are at odds on a: null; for example {"a":null}
        t: 4 rules, Any; gaps 0, conflicts 1, dead rules 0, opaque cells 0
          conflict: row 1 (r1) and row 2 (r2) both hit and are at odds on a: (5..10); for example {"a":6}
        t: 4 rules, First; gaps 0, conflicts 0, dead rules 1, opaque cells 0
          dead rule: row 4 (r4) never decides: what hits it hits row 3 (r3) too
          overlap: row 1 (r1) and row 2 (r2) both hit and differ, one decides on a: (5..10); for example {"a":6}
        t: 4 rules, Priority; gaps 0, conflicts 0, dead rules 1, opaque cells 0
          dead rule: row 4 (r4) never decides: what hits it hits row 3 (r3) too
          overlap: row 1 (r1) and row 2 (r2) both hit and differ, one decides on a: (5..10); for example {"a":6}
        t: 4 rules, All; gaps 0, conflicts 0, dead rules 0, opaque cells 0
    "#]]
    .assert_eq(&found);
}

#[test]
fn a_rule_may_be_dead_by_its_own_cell_or_by_several_others() {
    check(
        Policy::First,
        "a: number | b: boolean",
        &["> 0 | true", "> 0 | false", "[1..2] | true, false", "(3..3] | -", "[9..3] | -", "- | -"],
        &expect![[r#"
            t: 6 rules, First; gaps 0, conflicts 0, dead rules 2, opaque cells 1
              dead rule: row 3 (r3) never decides: what hits it hits row 1 (r1), row 2 (r2) too
              dead rule: row 4 (r4) never hits: no value passes its cell in column a
              opaque: row 5 (r5), column a: not made of constants, not looked into
        "#]],
    );
}

#[test]
fn a_cell_of_more_than_constants_is_never_taken_as_covering() {
    check(
        Policy::Unique,
        "a: number | b: string",
        &["< 5 | starts with(?, \"x\")", ">= limit | -", "null | -"],
        &expect![[r#"
            t: 3 rules, Unique; gaps 1, conflicts 2, dead rules 0, opaque cells 2
              gap: no rule covers for certain a: any number; for example {"a":4,"b":"other"}
              conflict: row 1 (r1) and row 2 (r2) may both hit and are at odds on a: < 5; for example {"a":4,"b":"other"}
              conflict: row 2 (r2) and row 3 (r3) may both hit and are at odds on a: null; for example {"a":null,"b":"other"}
              opaque: row 1 (r1), column b: not made of constants, not looked into
              opaque: row 2 (r2), column a: not made of constants, not looked into
        "#]],
    );
}

#[test]
fn a_total_table_is_refused_with_an_input_and_the_rules() {
    let refused = |policy, rules: &[&str], columns: &[&str]| {
        let table = table(policy, "value: string = \"gold\", \"other\" | n: number = >= 0", rules);
        require(&table, columns).map_or_else(|error| error.to_string(), |_| "total".to_owned())
    };
    let found = [
        refused(Policy::First, &["\"gold\" | > 3", "- | -"], &["value", "n"]),
        refused(Policy::First, &["\"gold\" | > 3", "- | > 3"], &["value"]),
        refused(Policy::Unique, &["\"gold\" | -", "- | > 3", "\"other\" | <= 3"], &[]),
        refused(Policy::First, &["- | -", "\"gold\" | -"], &[]),
        refused(Policy::First, &["- | -"], &["channel"]),
    ];
    expect![[r#"
        total
        decision table t is declared total and is not: no rule covers n: [0..3]; for example {"value":"gold","n":0}
        decision table t is declared total and is not: row 1 (r1) and row 2 (r2) both hit and are at odds on value: "gold", n: > 3; for example {"value":"gold","n":4}
        decision table t is declared total and is not: row 2 (r2) never decides: what hits it hits row 1 (r1) too
        decision table t must be total over channel, which is none of its columns (value, n)"#]]
    .assert_eq(&found.join("\n"));
}

#[test]
fn what_is_odd_about_a_column_is_noted() {
    check(
        Policy::Unique,
        "a | a | b: time",
        &["1 | > 1 | < time(\"10:00:00\")", "\"x\" | - | > time(\"10:00:00Z\")"],
        &expect![[r#"
            t: 2 rules, Unique; gaps 1, conflicts 0, dead rules 0, opaque cells 2
              gap: no rule covers for certain any input; for example {"a":0,"a (column 2)":0,"b":null}
              opaque: row 1 (r1), column b: not made of constants, not looked into
              opaque: row 2 (r2), column b: not made of constants, not looked into
              note: column a: it declares no type; its cells say number, string
              note: column a: it declares no type; its cells say number
              note: column b: it compares values that have no order among themselves
              note: column a: it is there twice, and taken as two that know nothing of each other
        "#]],
    );
}

#[test]
fn machines_read_the_same_as_json() {
    let report = examine(&table(Policy::First, "a: boolean", &["true", "true -> 1"]));
    let json = serde_json::to_value(&report).expect("json");
    expect![[r#"{"inputs":[{"column":"a","values":"null, false"}],"example":{"a":false},"certain":true}"#]]
        .assert_eq(&json["gaps"]["listed"][0].to_string());
    expect![[r#"{"row":{"row":2,"id":"r2"},"why":{"never_decides":{"by":[{"row":1,"id":"r1"}]}}}"#]]
        .assert_eq(&json["dead"][0].to_string());
    expect![[r#"{"rows":[{"row":1,"id":"r1"},{"row":2,"id":"r2"}],"kind":"masked","inputs":[{"column":"a","values":"true"}],"example":{"a":true},"certain":true}"#]]
        .assert_eq(&json["overlaps"]["listed"][0].to_string());
}

#[test]
fn what_is_too_large_is_said_and_not_guessed() {
    let many: Vec<String> = (0..2001).map(|row| format!("{row}")).collect();
    let rules: Vec<&str> = many.iter().map(String::as_str).collect();
    check(
        Policy::Unique,
        "a: number",
        &rules,
        &expect![[r#"
        t: 2001 rules, Unique; gaps 0, conflicts 0, dead rules 0, opaque cells 0
          not examined to the end: too large: it has more than 2000 rules
    "#]],
    );
    check(
        Policy::Unique,
        "a: number",
        &rules[..501],
        &expect![[r#"
        t: 501 rules, Unique; gaps 0, conflicts 0, dead rules 0, opaque cells 0
          not examined to the end: too large: a column has more than 500 different tests, or 4000 constants in them
    "#]],
    );
}

#[test]
fn a_table_of_a_thousand_rules_over_six_columns_is_examined_within_its_steps() {
    let letters = ["\"a\"", "\"b\"", "\"c\"", "\"d\""];
    let columns = ["p", "q", "r", "s", "t", "u"].map(|name| format!("{name}: string = {}", letters.join(", "))).join("|");
    // Every combination of five columns but the last one; the sixth is free.
    let rules: Vec<String> = (0..1023_usize)
        .map(|row| (0..5).map(|column| letters[row >> (2 * column) & 3]).collect::<Vec<_>>().join(" | ") + " | -")
        .collect();
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    check(
        Policy::Unique,
        &columns,
        &rules,
        &expect![[r#"
        t: 1023 rules, Unique; gaps 1, conflicts 0, dead rules 0, opaque cells 0
          gap: no rule covers p: "d", q: "d", r: "d", s: "d", t: "d"; for example {"p":"d","q":"d","r":"d","s":"d","t":"d","u":"a"}
    "#]],
    );
}
