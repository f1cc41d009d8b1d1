//! The completeness report of random small tables against an oracle that tries every input.
#![allow(clippy::expect_used, reason = "tests end where something is not as expected")]

use std::collections::BTreeSet;

use passerelle_feel::dmn::cover::{Input, InputColumn, Policy, Rule, Table, Why, examine};
use passerelle_feel::{Environment, Expression, Scope, Value, temporal};
use proptest::prelude::*;
use proptest::sample::select;

/// What a column holds; values are counted in halves, so that there is something between two constants.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Number,
    Date,
    Text { closed: bool },
    Boolean,
}

#[derive(Debug, Clone)]
enum Test {
    Any,
    Null,
    OneOf(Vec<i64>),
    NoneOf(Vec<i64>),
    Less(i64),
    NotLess(i64),
    Range(bool, i64, i64, bool),
}

const OTHER: i64 = 99;

impl Kind {
    fn literal(self, constant: i64) -> String {
        match self {
            Self::Number => constant.to_string(),
            Self::Date => format!("@\"2026-01-1{constant}\""),
            Self::Text { .. } => format!("\"{}\"", ["a", "b", "c", "d", "e"][constant as usize]),
            Self::Boolean => (constant % 2 == 1).to_string(),
        }
    }

    fn column(self, name: &str) -> InputColumn {
        let (type_name, allowed) = match self {
            Self::Number => ("number", None),
            Self::Date => ("date", None),
            Self::Text { closed } => ("string", closed.then_some("\"a\", \"b\", \"c\"")),
            Self::Boolean => ("boolean", None),
        };
        InputColumn { name: name.into(), type_name: Some(type_name.into()), allowed: allowed.map(Into::into) }
    }

    /// Every value that may make a difference.
    fn grid(self) -> Vec<Option<i64>> {
        match self {
            Self::Number => [None].into_iter().chain((-1..=9).map(Some)).collect(),
            Self::Date => [None].into_iter().chain((-1..=5).map(|day| Some(day * 2))).collect(),
            Self::Text { closed: true } => vec![Some(0), Some(2), Some(4)],
            Self::Text { closed: false } => vec![None, Some(0), Some(2), Some(4), Some(6), Some(8), Some(OTHER)],
            Self::Boolean => vec![None, Some(0), Some(2)],
        }
    }

    fn value(self, value: Option<i64>) -> Value {
        let Some(value) = value else { return Value::Null };
        match self {
            Self::Number => Value::Number(format!("{}", value as f64 / 2.0).parse().expect("a number")),
            Self::Date => temporal::literal(&format!("2026-01-{:02}", 10 + value / 2)).expect("a date"),
            Self::Text { .. } if value == OTHER => Value::text("zebra"),
            Self::Text { .. } => Value::text(["a", "b", "c", "d", "e"][value as usize / 2]),
            Self::Boolean => Value::Boolean(value == 2),
        }
    }

    fn tests(self) -> BoxedStrategy<Test> {
        let top = if self == Self::Boolean { 2_i64 } else { 5 };
        let some = || proptest::collection::vec(0..top, 1..3);
        let plain = prop_oneof![3 => Just(Test::Any), 1 => Just(Test::Null), 4 => some().prop_map(Test::OneOf), 2 => some().prop_map(Test::NoneOf)];
        match self {
            Self::Number | Self::Date => prop_oneof![
                2 => plain,
                1 => (0..top).prop_map(Test::Less),
                1 => (0..top).prop_map(Test::NotLess),
                2 => (any::<bool>(), 0..top, 0..top, any::<bool>()).prop_map(|(from, low, high, to)| Test::Range(from, low.min(high), low.max(high), to)),
            ]
            .boxed(),
            _ => plain.boxed(),
        }
    }
}

impl Test {
    fn text(&self, kind: Kind) -> String {
        let list = |constants: &[i64]| constants.iter().map(|one| kind.literal(*one)).collect::<Vec<_>>().join(", ");
        match self {
            Self::Any => "-".into(),
            Self::Null => "null".into(),
            Self::OneOf(constants) => list(constants),
            Self::NoneOf(constants) => format!("not({})", list(constants)),
            Self::Less(constant) => format!("< {}", kind.literal(*constant)),
            Self::NotLess(constant) => format!("not(< {})", kind.literal(*constant)),
            Self::Range(from, low, high, to) => {
                let (open, close) = (if *from { '[' } else { '(' }, if *to { ']' } else { ')' });
                format!("{open}{}..{}{close}", kind.literal(*low), kind.literal(*high))
            }
        }
    }

    /// The naive reading.
    fn holds(&self, value: Option<i64>) -> bool {
        match self {
            Self::Any => true,
            Self::Null => value.is_none(),
            Self::OneOf(constants) => constants.iter().any(|one| value == Some(one * 2)),
            Self::NoneOf(constants) => !constants.iter().any(|one| value == Some(one * 2)),
            Self::Less(constant) => value.is_some_and(|value| value < constant * 2),
            Self::NotLess(constant) => value.is_some_and(|value| value >= constant * 2),
            Self::Range(from, low, high, to) => value.is_some_and(|value| {
                (value > low * 2 || (*from && value == low * 2)) && (value < high * 2 || (*to && value == high * 2))
            }),
        }
    }
}

#[derive(Debug, Clone)]
struct Case {
    policy: Policy,
    kinds: Vec<Kind>,
    rules: Vec<(Vec<Test>, usize)>,
}

fn cases() -> impl Strategy<Value = Case> {
    let kind = select(vec![Kind::Number, Kind::Date, Kind::Text { closed: true }, Kind::Text { closed: false }, Kind::Boolean]);
    let policy = select(vec![Policy::Unique, Policy::Any, Policy::First, Policy::Priority, Policy::All]);
    (policy, proptest::collection::vec(kind, 1..4)).prop_flat_map(|(policy, kinds)| {
        let tests: Vec<BoxedStrategy<Test>> = kinds.iter().map(|kind| kind.tests()).collect();
        let rules = proptest::collection::vec((tests, 0..3_usize), 0..8);
        rules.prop_map(move |rules| Case { policy, kinds: kinds.clone(), rules })
    })
}

const OUTPUTS: [&str; 3] = ["\"x\"", "\"y\"", "\"z\""];

impl Case {
    fn table(&self) -> Table {
        let names = ["p", "q", "r"];
        let rules = self.rules.iter().map(|(tests, output)| Rule {
            id: None,
            tests: tests.iter().zip(&self.kinds).map(|(test, kind)| test.text(*kind).into()).collect(),
            outputs: vec![OUTPUTS[*output].into()],
        });
        Table {
            name: "random".into(),
            policy: self.policy,
            inputs: self.kinds.iter().zip(names).map(|(kind, name)| kind.column(name)).collect(),
            outputs: vec![OUTPUTS.map(String::from).to_vec()],
            rules: rules.collect(),
        }
    }

    fn inputs(&self) -> Vec<Vec<Option<i64>>> {
        self.kinds.iter().fold(vec![Vec::new()], |so_far, kind| {
            let grid = kind.grid();
            so_far.iter().flat_map(|head| grid.iter().map(|value| [head.as_slice(), &[*value]].concat())).collect()
        })
    }

    fn hits(&self, input: &[Option<i64>]) -> Vec<usize> {
        let hit = |row: &usize| self.rules[*row].0.iter().zip(input).all(|(test, value)| test.holds(*value));
        (0..self.rules.len()).filter(hit).collect()
    }

    /// The row that decides where several hit.
    fn winners(&self, hits: &[usize]) -> Vec<usize> {
        match self.policy {
            Policy::First => hits.first().copied().into_iter().collect(),
            Policy::Priority => hits.iter().copied().min_by_key(|row| (self.rules[*row].1, *row)).into_iter().collect(),
            _ => hits.to_vec(),
        }
    }
}

/// Whether an input lies in what a finding names.
fn lies_in(case: &Case, inputs: &[Input], input: &[Option<i64>]) -> bool {
    inputs.iter().all(|side| {
        let column = ["p", "q", "r"].iter().position(|name| *name == side.column).expect("a column");
        let (kind, value) = (case.kinds[column], input[column]);
        side.values.split(", ").any(|piece| match piece {
            "any other string" => value == Some(OTHER) || !names(case, column, value),
            piece if piece.starts_with("any ") => value.is_some(),
            piece => {
                let tests = Expression::compile_tests(piece, &Scope::of(&["?"])).expect("a test");
                let found = tests.evaluate(&[kind.value(value)], &Environment::timeless()).expect("within limits");
                matches!(found.value, Value::Boolean(true))
            }
        })
    })
}

/// Whether some cell of the column names the value.
fn names(case: &Case, column: usize, value: Option<i64>) -> bool {
    value.is_none()
        || case.rules.iter().any(|(tests, _)| match &tests[column] {
            Test::OneOf(constants) | Test::NoneOf(constants) => constants.iter().any(|one| value == Some(one * 2)),
            _ => false,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_report_of_1000_random_tables_is_what_trying_every_input_finds(case in cases()) {
        let report = examine(&case.table());
        prop_assert!(report.not_examined.is_none() && report.opaque.is_empty() && !report.gaps.more);
        let (mut pairs, mut hit, mut decided) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for input in case.inputs() {
            let hits = case.hits(&input);
            let gaps = report.gaps.listed.iter().filter(|gap| lies_in(&case, &gap.inputs, &input)).count();
            prop_assert_eq!(gaps > 0, hits.is_empty(), "{:?} in\n{}", input, report);
            for (index, second) in hits.iter().enumerate() {
                pairs.extend(hits[..index].iter().map(|first| (first + 1, second + 1)));
            }
            decided.extend(case.winners(&hits));
            hit.extend(hits);
        }
        let listed = report.conflicts.listed.iter().chain(&report.overlaps.listed);
        let listed: BTreeSet<_> = listed.map(|overlap| (overlap.rows[0].row, overlap.rows[1].row)).collect();
        if case.policy == Policy::All {
            prop_assert!(listed.is_empty());
        } else {
            prop_assert_eq!(listed, pairs.clone(), "\n{}", report);
        }
        let outputs = |row: usize| case.rules[row - 1].1;
        let at_odds: BTreeSet<_> = match case.policy {
            Policy::Unique => pairs,
            Policy::Any => pairs.into_iter().filter(|(a, b)| outputs(*a) != outputs(*b)).collect(),
            _ => BTreeSet::new(),
        };
        let conflicts: BTreeSet<_> =
            report.conflicts.listed.iter().map(|overlap| (overlap.rows[0].row, overlap.rows[1].row)).collect();
        prop_assert_eq!(conflicts, at_odds, "\n{}", report);
        for row in 0..case.rules.len() {
            let dead = report.dead.iter().find(|dead| dead.row.row == row + 1);
            prop_assert_eq!(dead.is_some(), !decided.contains(&row), "row {} of\n{}", row + 1, report);
            if let Some(dead) = dead {
                prop_assert_eq!(matches!(dead.why, Why::NeverHits { .. }), !hit.contains(&row));
            }
        }
    }
}
